import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import {
  type BurnField,
  checkBurn,
  hashMatches,
  orderHash,
  textRef,
} from "../portal/later/proof.ts";
import type { Provider } from "../portal/wallet.ts";
import type { ChainProgress, Hex, OrderView } from "../shared/wire.ts";

interface Vector {
  readonly name: string;
  readonly orderId: string;
  readonly customer: Hex;
  readonly tokenId: string;
  readonly amount: string;
  readonly siteId: string;
  readonly expiresAt: string;
  readonly orderRef: Hex;
  readonly orderHash: Hex;
}

const { orders } = JSON.parse(
  await readFile(`${FRONTENDS}/../tests/vectors/order_hash.json`, "utf8"),
) as { readonly orders: readonly Vector[] };

function view(vector: Vector): OrderView {
  const { orderId, siteId } = vector;
  const [tokenId, amount] = [Number(vector.tokenId), Number(vector.amount)];
  const expiresAt = Number(vector.expiresAt);
  const { customer, orderRef } = vector;
  return {
    orderId,
    siteId,
    tokenId,
    amount,
    expiresAt,
    orderHash: vector.orderHash,
    order: { orderRef, customer, tokenId, amount, siteRef: textRef(siteId), expiresAt },
  } as OrderView;
}

const CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const TOPIC = textRef("VoucherRedeemed(address,uint256,uint256,bytes32,uint256)");
const ORDER = view(orders[0] as Vector);
const CHAIN = {
  txHash: `0x${"ab".repeat(32)}`,
  blockNumber: 4711,
  blockHash: `0x${"cd".repeat(32)}`,
  serial: "12",
} as ChainProgress;

const word = (value: number | string) => BigInt(value).toString(16).padStart(64, "0");

function log(amount: number, serial: number, user: Hex = ORDER.order.customer) {
  return {
    address: CONTRACT.toLowerCase(),
    topics: [TOPIC, `0x${word(user)}`, `0x${word(ORDER.tokenId)}`, ORDER.orderHash],
    data: `0x${word(amount)}${word(serial)}`,
  };
}

function receipt(change: object = {}) {
  return {
    status: "0x1",
    blockHash: CHAIN.blockHash,
    blockNumber: `0x${CHAIN.blockNumber.toString(16)}`,
    logs: [{ address: CONTRACT, topics: [`0x${"00".repeat(32)}`], data: "0x" }, log(1, 12)],
    ...change,
  };
}

function node(answer: unknown): Provider {
  return {
    async request({ method, params }) {
      assert.equal(method, "eth_getTransactionReceipt");
      assert.deepEqual(params, [CHAIN.txHash]);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
}

const check = (answer: unknown) => checkBurn(node(answer), CONTRACT, ORDER, CHAIN);

test("the order hash is the one of the golden vectors", () => {
  // The portal's numbers are JSON integers, so the vectors beyond 2^53 are the contract's affair.
  const safe = orders.filter((one) =>
    [one.tokenId, one.amount, one.expiresAt].every((text) => Number.isSafeInteger(Number(text))),
  );
  assert(safe.length >= 3);
  for (const vector of safe) {
    assert.equal(orderHash(view(vector)), vector.orderHash, vector.name);
    assert(hashMatches(view(vector)), vector.name);
  }
});

test("every field of the order is in its hash", () => {
  const changes: Partial<OrderView>[] = [
    { orderId: ORDER.orderId.replace("7KQ2", "7KQ3") },
    { tokenId: ORDER.tokenId + 1 },
    { amount: ORDER.amount + 1 },
    { siteId: `${ORDER.siteId}_` },
    { expiresAt: ORDER.expiresAt + 1 },
    { order: { ...ORDER.order, customer: CONTRACT } },
    { order: { ...ORDER.order, orderRef: ORDER.orderHash } },
  ];
  for (const change of changes) {
    assert(!hashMatches({ ...ORDER, ...change }), JSON.stringify(change));
  }
});

test("a burn as the receipt says is found among the transaction's events", async () => {
  assert.deepEqual(await check(receipt()), { kind: "read", differs: [] });
});

test("the serial picks the burn where one transaction burned for several people", async () => {
  const other = log(5, 11, CONTRACT);
  assert.deepEqual(await check(receipt({ logs: [other, log(1, 12)] })), {
    kind: "read",
    differs: [],
  });
});

test("whatever differs is named", async () => {
  const foreign = { ...log(1, 12), address: `0x${"11".repeat(20)}` };
  const cases: [object, BurnField[]][] = [
    [{ status: "0x0", logs: [] }, ["success", "event"]],
    [{ blockHash: `0x${"ee".repeat(32)}` }, ["block"]],
    [{ blockNumber: "0x1" }, ["block"]],
    [{ logs: [] }, ["event"]],
    [{ logs: [foreign] }, ["event"]],
    [{ logs: [log(2, 12)] }, ["amount"]],
    [{ logs: [log(1, 13)] }, ["serial"]],
    [{ logs: [log(1, 12, CONTRACT)] }, ["wallet"]],
  ];
  for (const [change, differs] of cases) {
    assert.deepEqual(await check(receipt(change)), { kind: "read", differs });
  }
  const order = { ...ORDER, tokenId: ORDER.tokenId + 1 };
  assert.deepEqual(await checkBurn(node(receipt()), CONTRACT, order, CHAIN), {
    kind: "read",
    differs: ["voucher"],
  });
});

test("nothing is claimed where the node knows nothing or says nothing readable", async () => {
  assert.deepEqual(await check(null), { kind: "unknown" });
  assert.deepEqual(await check(new Error("disconnected")), { kind: "failed" });
  assert.deepEqual(await check({ status: "0x1" }), { kind: "failed" });
});
