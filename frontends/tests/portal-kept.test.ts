import assert from "node:assert/strict";
import { test } from "node:test";
import { KeptOrders } from "../portal/kept.ts";
import type { Attempt } from "../portal/stage.ts";
import { canCancel, nothingBurned } from "../portal/stage.ts";
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
  const forgotten: Attempt = { ...SENT, fate: "dropped" };
  assert(kept.begin(ID, forgotten));
  assert(kept.begin(ID, { ...SENT, id: "again", txHash: null }));
  kept.withdraw(ID, "again");
  assert.deepEqual(kept.local(ID).attempts, [forgotten]);
});

test("while a transaction is open the wallet is not asked for another", () => {
  const { kept } = orders();
  kept.note(view());
  assert(kept.begin(ID, SENT));
  assert.equal(kept.begin(ID, { ...SENT, id: "again" }), false);
  assert.deepEqual(kept.local(ID).attempts, [SENT]);
  assert.equal(kept.begin(`${ID}9`, SENT), false, "an order that is not kept");
});

test("an order that has ended is not kept anew, the oldest are let go", () => {
  const { kept, store } = orders();
  kept.note(view({ status: "DELIVERED" }));
  assert.equal(kept.find(ID), null);
  for (let at = 0; at < 20; at += 1) kept.note(view({ orderId: `${ID}${at}` }));
  assert.equal(store.state.kept.length, 12);
  assert.equal(store.state.kept[0]?.orderId, `${ID}19`);
});

test("the first to make room are those that have ended", () => {
  const { kept } = orders();
  kept.note(view());
  kept.begin(ID, SENT);
  for (let at = 0; at < 20; at += 1) {
    kept.note(view({ orderId: `${ID}${at}` }));
    kept.note(view({ orderId: `${ID}${at}`, status: "EXPIRED" }));
  }
  assert.deepEqual(kept.local(ID).attempts, [SENT]);
});

test("only for an order made here is it known that nothing was sent for it", () => {
  const { kept } = orders();
  kept.note(view());
  assert.equal(nothingBurned(view(), kept.local(ID)), false, "another device may have");
  assert(canCancel(view(), kept.local(ID)), "which costs nothing if it has");
  const other = `${ID}2`;
  kept.made(other, { tokenId: 1001, amount: 1, siteId: "", meta: {} });
  kept.note(view({ orderId: other }));
  assert(nothingBurned(view(), kept.local(other)));
  kept.doubt(other);
  assert.equal(nothingBurned(view(), kept.local(other)), false);
});

/** The storage of a browser, which all its tabs share, for as long as `run` takes. */
function withStorage(run: (items: Map<string, string>) => void): void {
  const items = new Map<string, string>();
  const storage = {
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => void items.set(name, value),
    removeItem: (name: string) => void items.delete(name),
  };
  Object.defineProperty(globalThis, "localStorage", { value: storage, configurable: true });
  try {
    run(items);
  } finally {
    Reflect.deleteProperty(globalThis, "localStorage");
  }
}

test("two tabs do not take each other's transactions away, heard of or not", () => {
  withStorage(() => {
    const [one, two] = [orders().kept, orders().kept];
    one.note(view());
    two.read();
    assert(one.begin(ID, { ...SENT, txHash: null }));
    two.note(view({ status: "PENDING_CHAIN" }));
    one.update(ID, SENT.id, { txHash: "0xaa" });
    assert.deepEqual(one.local(ID).attempts, [SENT]);
    assert.equal(two.begin(ID, { ...SENT, id: "two" }), false);
    two.note(view({ orderId: `${ID}2` }));
    one.forget(`${ID}2`);
    two.read();
    assert.equal(two.find(`${ID}2`), null);
  });
});

test("what is known of the order on the screen outlives a storage that was cleared", () => {
  withStorage((items) => {
    const { kept, store } = orders();
    kept.note(view());
    kept.note(view({ orderId: `${ID}2` }));
    assert(kept.begin(ID, SENT));
    const open = {
      view: null,
      qr: null,
      working: null,
      redeemed: false,
      staleSince: null,
      lost: false,
    };
    store.set({ open: { orderId: ID, ...open } });
    items.clear();
    kept.read();
    assert.deepEqual(kept.local(ID).attempts, [SENT]);
    assert.equal(kept.find(`${ID}2`), null);
  });
});

test("a storage that holds anything else counts as empty", () => {
  for (const text of ["null", "{}", "7", "[null, 3, {}]", "no JSON"]) {
    withStorage((items) => {
      items.set("5sov.orders", text);
      assert.deepEqual(orders().store.state.kept, [], text);
    });
  }
});
