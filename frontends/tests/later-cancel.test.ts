import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import * as TypedData from "ox/TypedData";
import { cancel, cancelData } from "../portal/later/cancel.ts";
import type { LaterContext } from "../portal/later.ts";
import { ApiError, Unreachable } from "../shared/api.ts";
import { ServerClock } from "../shared/clock.ts";
import type { ChainConfig, ContractOrder, Hex, OrderView } from "../shared/wire.ts";

interface Vectors {
  readonly domain: { readonly chainId: string; readonly verifyingContract: Hex };
  readonly cancels: readonly {
    readonly name: string;
    readonly orderHash: Hex;
    readonly deadline: string;
    readonly digest: Hex;
  }[];
}

const { domain, cancels } = JSON.parse(
  await readFile(`${FRONTENDS}/../tests/vectors/cancel.json`, "utf8"),
) as Vectors;

const CONFIG = {
  chainId: Number(domain.chainId),
  chainName: "BNB",
  contractAddress: domain.verifyingContract,
} as ChainConfig;

const CUSTOMER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const VIEW = {
  orderId: "ORD_20261121_7KQ2M9XVB4TRWZ3H",
  orderHash: `0x${"ab".repeat(32)}`,
  order: { customer: CUSTOMER } as Partial<ContractOrder> as ContractOrder,
  customerAddressMasked: "0x7099…79C8",
} as Partial<OrderView> as OrderView;

/** A page whose wallet answers by `sign` and whose API by `take`. */
function page(
  sign: (params: readonly unknown[]) => unknown,
  take: (...given: unknown[]) => unknown,
  change: object = {},
): LaterContext {
  const provider = {
    request: async ({ method, params }: { method: string; params: readonly unknown[] }) => {
      assert.equal(method, "eth_signTypedData_v4");
      return sign(params);
    },
  };
  const connection = { wallet: { provider }, address: CUSTOMER.toLowerCase(), chainId: 31337 };
  const api = { clock: new ServerClock(), cancel: async (...given: unknown[]) => take(...given) };
  return { api, config: CONFIG, connection: { ...connection, ...change } } as never;
}

const raise = (error: unknown) => () => {
  throw error;
};
const problem = (status: number, code: string, field = "") =>
  new ApiError({ title: code, status, code, errors: [{ field, rule: "", message: "" }] }, null);

test("what is signed has the digest of the golden vectors", () => {
  const safe = cancels.filter(({ deadline }) => Number.isSafeInteger(Number(deadline)));
  assert(safe.length >= 2);
  for (const { name, orderHash, deadline, digest } of safe) {
    const data = cancelData(CONFIG, orderHash, Number(deadline));
    assert.equal(TypedData.getSignPayload(data as never), digest, name);
  }
});

test("the order's own wallet signs, and the API gets what it signed", async () => {
  let signed = { message: { orderHash: "", deadline: 0 } };
  let taken: unknown[] = [];
  const context = page(
    ([address, data]) => {
      assert.equal(address, CUSTOMER.toLowerCase());
      signed = JSON.parse(data as string) as typeof signed;
      return "0xsigned";
    },
    (...given) => {
      taken = given;
    },
  );
  assert.equal(await cancel(context, VIEW), null);
  const { orderHash, deadline } = signed.message;
  assert.equal(orderHash, VIEW.orderHash);
  const ahead = deadline - Date.now() / 1000;
  assert(ahead > 0 && ahead <= 600, `${ahead} s`);
  assert.deepEqual(taken, [VIEW.orderId, deadline, "0xsigned"]);
});

test("a device whose clock is wrong signs a time that the API takes", async () => {
  let deadline = 0;
  const context = page(
    () => "0xsigned",
    (_, given) => {
      deadline = given as number;
    },
  );
  const hours = 3 * 3600_000;
  const headers = new Headers({ Date: new Date(Date.now() - hours).toUTCString() });
  context.api.clock.hear(headers, Date.now());
  assert.equal(await cancel(context, VIEW), null);
  const ahead = deadline - (Date.now() - hours) / 1000;
  assert(ahead > 0 && ahead <= 600, `${ahead} s`);
});

test("every way it can fail is told by its reason", async () => {
  const signs = () => "0xsigned";
  const cases: [LaterContext, string][] = [
    [page(signs, raise(null), { address: `0x${"11".repeat(20)}` }), "cancel.wallet"],
    [page(signs, raise(null), { chainId: 1 }), "cancel.network"],
    [page(raise({ code: 4001 }), signs), "cancel.rejected"],
    [page(raise({ code: -32002 }), signs), "wallet.pending"],
    [page(raise(new Error("oops")), signs), "cancel.failed"],
    [page(signs, raise(problem(409, "ORDER_PENDING_CHAIN"))), "cancel.late"],
    [page(signs, raise(problem(403, "WRONG_SIGNER"))), "cancel.refused"],
    [page(signs, raise(problem(422, "INVALID_INPUT", "deadline"))), "cancel.clock"],
    [page(signs, raise(new Unreachable("no answer"))), "api.offline"],
  ];
  for (const [context, key] of cases) assert.equal((await cancel(context, VIEW))?.key, key);
});
