import assert from "node:assert/strict";
import { test } from "node:test";
import { KeptOrders } from "../portal/kept.ts";
import type { Attempt } from "../portal/stage.ts";
import { EMPTY, Store } from "../portal/state.ts";
import type { OrderView } from "../shared/wire.ts";

const ID = "ORD_20261121_0000000000000000";
const SENT: Attempt = { id: "mine", txHash: "0xaa", nonce: 3, block: 100, fate: "open" };

function orders() {
  const store = new Store(EMPTY, () => {});
  return { store, kept: new KeptOrders(store) };
}

function view(change: Partial<OrderView> = {}): OrderView {
  const order = { orderId: ID, tokenId: 1001, amount: 1, siteId: "", status: "CREATED" };
  return { ...order, transactionHints: [], ...change } as unknown as OrderView;
}

test("what others told of is followed too, once, and behind what this device sent", () => {
  const { kept } = orders();
  kept.note(view());
  kept.begin(ID, SENT);
  for (let turn = 0; turn < 2; turn += 1) kept.note(view({ transactionHints: ["0xbb", "0xaa"] }));
  const { attempts } = kept.local(ID);
  assert.deepEqual(
    attempts.map(({ txHash }) => txHash),
    ["0xbb", "0xaa"],
  );
  assert.equal(attempts[0]?.nonce, null);
});

test("the furthest that an order came is remembered, until it is sent anew", () => {
  const { kept } = orders();
  for (const status of ["CREATED", "PENDING_CHAIN", "VALID", "PENDING_CHAIN", "CREATED"] as const) {
    kept.note(view({ status }));
  }
  assert.equal(kept.local(ID).reached, "VALID");
  kept.begin(ID, SENT);
  assert.equal(kept.local(ID).reached, "CREATED");
});

test("the transaction that burned takes the place of the one it replaced", () => {
  const { kept } = orders();
  kept.note(view());
  kept.begin(ID, SENT);
  kept.supersede(ID, SENT, "0xcc");
  kept.supersede(ID, SENT, "0xcc");
  assert.deepEqual(
    kept.local(ID).attempts.map(({ txHash, fate }) => [txHash, fate]),
    [
      ["0xaa", "replaced"],
      ["0xcc", "open"],
    ],
  );
});

test("what the wallet did not send is taken back, and only that", () => {
  const { kept } = orders();
  kept.note(view());
  kept.begin(ID, SENT);
  kept.begin(ID, { ...SENT, id: "again", txHash: null });
  kept.withdraw(ID, "again");
  assert.deepEqual(kept.local(ID).attempts, [SENT]);
});

test("an order that has ended is not kept anew, the oldest are let go", () => {
  const { kept, store } = orders();
  kept.note(view({ status: "DELIVERED" }));
  assert.equal(kept.find(ID), null);
  for (let at = 0; at < 20; at += 1) kept.note(view({ orderId: `${ID}${at}` }));
  assert.equal(store.state.kept.length, 12);
  assert.equal(store.state.kept[0]?.orderId, `${ID}19`);
});
