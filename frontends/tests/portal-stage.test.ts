import assert from "node:assert/strict";
import { test } from "node:test";
import { texts as en } from "../portal/messages/en.ts";
import type { PortalKey } from "../portal/messages/index.ts";
import { texts as vi } from "../portal/messages/vi.ts";
import { signingNotice } from "../portal/notices.ts";
import {
  type Attempt,
  canSign,
  type Fate,
  LOOKS,
  type Local,
  nothingBurned,
  type Stage,
  setbackOf,
  stageOf,
} from "../portal/stage.ts";
import type { Translator } from "../shared/i18n.ts";
import type { ChainConfig, ChainProgress, OrderStatus, OrderView } from "../shared/wire.ts";

const IDLE: Local = {
  working: null,
  redeemed: false,
  reached: "CREATED",
  whole: true,
  attempts: [],
};

function order(change: Partial<OrderView> = {}): OrderView {
  return { status: "CREATED", transactionHints: [], ...change } as OrderView;
}

function attempt(fate: Fate, change: Partial<Attempt> = {}): Attempt {
  return { id: fate, txHash: "0x1", nonce: 7, block: 100, fate, ...change };
}

function seen(confirmations: number): Partial<OrderView> {
  const chain = { confirmations, required: 3, final: false } as ChainProgress;
  return { status: "PENDING_CHAIN", chain };
}

test("an order goes through its stages", () => {
  const stages: [Partial<OrderView>, Partial<Local>, Stage][] = [
    [{}, {}, "unsigned"],
    [{}, { working: "checking" }, "checking"],
    [{}, { working: "signing", attempts: [attempt("open", { txHash: null })] }, "signing"],
    [{}, { attempts: [attempt("open", { txHash: null })] }, "looking"],
    [{}, { attempts: [attempt("open")] }, "submitted"],
    [{}, { attempts: [attempt("open")], redeemed: true }, "seen"],
    [seen(0), {}, "seen"],
    [seen(1), {}, "confirming"],
    [seen(3), { reached: "PENDING_CHAIN" }, "confirming"],
    [{ status: "VALID" }, {}, "ready"],
    [{ status: "DELIVERED" }, {}, "delivered"],
    [{ reason: "EXPIRY_BEING_CHECKED" }, {}, "expiring"],
    [{ status: "EXPIRED" }, {}, "expired"],
    [{ status: "CANCELLED" }, {}, "cancelled"],
  ];
  for (const [change, local, stage] of stages) {
    assert.equal(stageOf(order(change), { ...IDLE, ...local }), stage, JSON.stringify(change));
  }
});

test("a transaction that is dead or forgotten lets the customer sign again, and says why", () => {
  const setbacks: [Fate, string][] = [
    ["dropped", "tx.dropped"],
    ["replaced", "tx.cancelled"],
    ["reverted", "tx.reverted"],
  ];
  for (const [fate, key] of setbacks) {
    const local = { ...IDLE, attempts: [attempt(fate)] };
    assert.equal(stageOf(order(), local), "unsigned");
    assert(canSign("unsigned", local));
    assert.equal(setbackOf("unsigned", order(), local), key);
  }
  const unsure = { ...IDLE, attempts: [attempt("dropped"), attempt("reverted")] };
  assert.equal(setbackOf("unsigned", order(), unsure), "tx.unsure");
  assert.equal(setbackOf("unsigned", order(), IDLE), null);
});

test("what was on the chain and is not any more is told as such", () => {
  const back = { ...IDLE, reached: "PENDING_CHAIN" as const, attempts: [attempt("open")] };
  assert.equal(stageOf(order(), back), "reorged");
  assert.equal(canSign("reorged", back), false);
  assert.equal(stageOf(order(seen(1)), { ...back, reached: "VALID" }), "reorged");
  const lost = { ...back, attempts: [attempt("dropped")] };
  assert(canSign("reorged", lost));
  assert.equal(setbackOf("reorged", order(), lost), "tx.dropped");
});

test("past its time nobody is asked to sign, and what the chain proved wins", () => {
  const late = order({ reason: "EXPIRY_BEING_CHECKED" });
  assert.equal(stageOf(late, { ...IDLE, working: "signing" }), "expiring");
  assert.equal(stageOf(late, { ...IDLE, redeemed: true }), "seen");
  const busy: Local = { ...IDLE, working: "signing", attempts: [attempt("open")] };
  assert.equal(stageOf(order({ status: "VALID" }), busy), "ready");
  assert.equal(stageOf(order({ status: "EXPIRED" }), busy), "expired");
});

test("a burn that does not fit sends the customer to people", () => {
  assert.equal(stageOf(order({ exception: "WRONG_AMOUNT" }), IDLE), "exception");
  assert.equal(stageOf(order({ status: "EXPIRED", exception: "LATE" }), IDLE), "exception");
  assert.equal(stageOf(order({ status: "VALID", exception: "DUPLICATE" }), IDLE), "ready");
});

test("nothing is said to be unused once something was sent that is not proven dead", () => {
  assert(nothingBurned(order(), IDLE));
  for (const fate of ["replaced", "reverted"] as const) {
    assert(nothingBurned(order(), { ...IDLE, attempts: [attempt(fate)] }), fate);
  }
  for (const fate of ["open", "dropped"] as const) {
    const local = { ...IDLE, attempts: [attempt(fate)] };
    assert.equal(nothingBurned(order(), local), false, fate);
    assert.equal(nothingBurned(order({ status: "CANCELLED" }), local), false, fate);
    assert(nothingBurned(order({ status: "EXPIRED" }), local), "the chain has proved it");
  }
  for (const status of ["PENDING_CHAIN", "VALID", "DELIVERED"] as OrderStatus[]) {
    assert.equal(nothingBurned(order({ status }), IDLE), false, status);
  }
});

test("only what has ended is left alone", () => {
  const ended: Stage[] = ["delivered", "expired"];
  for (const [stage, { pace }] of Object.entries(LOOKS)) {
    assert.equal(pace === null, ended.includes(stage as Stage), stage);
  }
});

test("the texts that say that nothing was used are those shown only when it is known", () => {
  // Each is guarded by `nothingBurned`, in setbackOf, signingNotice and the order's page.
  const guarded = [
    "problem.rejected",
    "stage.cancelled.text",
    "stage.expired.text",
    "tx.cancelled",
    "tx.reverted",
  ];
  const claim = (texts: Readonly<Record<string, string>>, words: RegExp) =>
    Object.keys(texts)
      .filter((key) => words.test(texts[key] ?? ""))
      .sort();
  assert.deepEqual(claim(en, /not used|nothing was used|still yours/i), guarded);
  assert.deepEqual(claim(vi, /chưa (có gì )?bị trừ|vẫn là của bạn/i), guarded);
});

test("a declined signature says so only when nothing else may burn", () => {
  const declined = { code: 4001 };
  const words = { has: () => true } as unknown as Translator<PortalKey>;
  const config = { nativeCurrency: { symbol: "BNB" } } as ChainConfig;
  assert.equal(signingNotice(declined, true, config, words).key, "problem.rejected");
  assert.equal(signingNotice(declined, false, config, words).key, "problem.rejectedAgain");
});
