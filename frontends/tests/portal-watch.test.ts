import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attempt, Fate } from "../portal/stage.ts";
import type { Provider } from "../portal/wallet.ts";
import { type Doubts, judge, look, type Sight, type TransactionSight } from "../portal/watch.ts";
import type { ChainConfig, Hex, OrderView } from "../shared/wire.ts";

const SENT: Attempt = { id: "a", txHash: "0xaa", nonce: 7, block: 100, fate: "open" };
const UNTOLD: Attempt = { ...SENT, txHash: null, nonce: null };
const UNKNOWN: TransactionSight = { succeeded: null, known: false, nonce: null };

function sight(change: Partial<Sight>, transaction: Partial<TransactionSight> = {}): Sight {
  const transactions = new Map([["a", { ...UNKNOWN, ...transaction }]]);
  return { redeemed: false, mined: 7, waiting: 7, transactions, ...change };
}

/** The fate believed after looks at the same, `every` milliseconds apart. */
function after(attempt: Attempt, seen: Sight, looks: number, every = 2000): Fate | undefined {
  let attempts: readonly Attempt[] = [attempt];
  let doubts: Doubts = new Map();
  for (let turn = 0; turn < looks; turn += 1) {
    ({ attempts, doubts } = judge(attempts, seen, doubts, 1_000_000 + turn * every));
  }
  return attempts[0]?.fate;
}

test("bad news counts when it stays the same for a while, good news at once", () => {
  const failed = sight({ mined: 8, waiting: 8 }, { succeeded: false, known: true });
  const replaced = sight({ mined: 8, waiting: 8 });
  const dropped = sight({});
  const cases: [Sight, Fate, number][] = [
    [failed, "reverted", 3],
    [replaced, "replaced", 3],
    [dropped, "dropped", 7],
  ];
  for (const [seen, fate, looks] of cases) {
    assert.equal(after(SENT, seen, looks - 1), "open", `${fate} too early`);
    assert.equal(after(SENT, seen, looks), fate);
    assert.equal(after(SENT, seen, looks, 10), "open", `${fate} on looks of one moment`);
    assert.equal(after({ ...SENT, fate }, sight({}, { known: true }), 1), "open", "it is back");
  }
});

test("a transaction that was mined and burned nothing is not waited for for ever", () => {
  const mined = sight({ mined: 8, waiting: 8 }, { succeeded: true, known: true });
  assert.equal(after(SENT, mined, 6), "open");
  assert.equal(after(SENT, mined, 7), "dropped");
  assert.equal(after(SENT, { ...mined, redeemed: true }, 20), "open");
});

test("a doubt that changes begins anew", () => {
  let attempts: readonly Attempt[] = [SENT];
  let doubts: Doubts = new Map();
  for (let turn = 0; turn < 10; turn += 1) {
    const seen = turn % 2 ? sight({}) : sight({ mined: 8, waiting: 8 });
    ({ attempts, doubts } = judge(attempts, seen, doubts, turn * 5000));
    assert.equal(attempts[0]?.fate, "open");
  }
});

test("what waits is waited for: itself, queued behind a gap, or what took its nonce", () => {
  assert.equal(after(SENT, sight({ waiting: 8 }, { known: true }), 20), "open");
  assert.equal(after(SENT, sight({ mined: 5, waiting: 5 }, { known: true }), 20), "open");
  assert.equal(after(SENT, sight({ waiting: 8 }), 20), "open");
});

test("a transaction of unknown nonce is never believed dead", () => {
  assert.equal(after(UNTOLD, sight({ mined: 9, waiting: 9 }), 20), "dropped");
  assert.equal(after(UNTOLD, sight({ mined: 8, waiting: 9 }), 20), "open");
});

test("the nonce is learned from the node", () => {
  const seen = sight({ waiting: 13 }, { known: true, nonce: 12 });
  const { attempts } = judge([{ ...SENT, nonce: null }], seen, new Map(), 0);
  assert.equal(attempts[0]?.nonce, 12);
});

const CONFIG = { chainId: 97, contractAddress: "0x5fbdb2315678afecb367f032d93f642f64180aa3" };
const ORDER = {
  order: { customer: "0x70997970c51812dc3a010c7d01b50e0d17dc79c8" },
  orderHash: `0x${"33".repeat(32)}`,
} as unknown as OrderView;

/** A node's answers by method; `chains` are those the wallet is on, one for each time it is asked. */
function node(chains: number[], answers: Record<string, unknown>): Provider {
  return {
    async request({ method }) {
      if (method === "eth_chainId") return `0x${(chains.shift() ?? 0).toString(16)}`;
      return answers[method];
    },
  };
}

const word = (value: number): Hex => `0x${value.toString(16).padStart(64, "0")}`;
const MINED = {
  eth_call: word(1),
  eth_getTransactionCount: "0x8",
  eth_getTransactionReceipt: { status: "0x1" },
  eth_getTransactionByHash: { nonce: "0x7" },
};

test("a look tells what the node says", async () => {
  const seen = await look(node([97, 97], MINED), CONFIG as ChainConfig, ORDER, [SENT]);
  assert.equal(seen?.redeemed, true);
  assert.equal(seen?.mined, 8);
  assert.deepEqual(seen?.transactions.get("a"), { succeeded: true, known: true, nonce: 7 });
});

test("a wallet on another chain, before or after, says nothing", async () => {
  for (const chains of [
    [1, 97],
    [97, 1],
  ]) {
    const seen = await look(node(chains, MINED), CONFIG as ChainConfig, ORDER, [SENT]);
    assert.equal(seen, null);
  }
});

test("a node without the contract does not say that nothing was redeemed", async () => {
  const empty = { ...MINED, eth_call: "0x" };
  const asked = look(node([97, 97], empty), CONFIG as ChainConfig, ORDER, [SENT]);
  await assert.rejects(asked, (error) => error instanceof RangeError);
});
