import assert from "node:assert/strict";
import { test } from "node:test";
import { pace, type Stage, stageOf } from "../portal/stage.ts";
import { answerTo, lookEvery, toneOf } from "../reception/answer.ts";
import type { NotDeliverable, OrderStatus, OrderView, ReceptionView } from "../shared/wire.ts";

const NOW = 1_764_000_000;
const IDLE = { signing: false, txHash: null };

function order(change: Partial<OrderView> = {}): OrderView {
  return {
    status: "CREATED",
    siteId: "HCM_ROX_T09",
    expiresAt: NOW + 60,
    redeemable: false,
    transactionHints: [],
    ...change,
  } as OrderView;
}

test("an order of this page goes through its stages", () => {
  const stages: [Partial<OrderView>, { signing: boolean; txHash: string | null }, Stage][] = [
    [{}, IDLE, "unsigned"],
    [{}, { signing: true, txHash: null }, "signing"],
    [{}, { signing: false, txHash: "0x1" }, "submitted"],
    [{ transactionHints: ["0x1"] }, IDLE, "submitted"],
    [{ status: "PENDING_CHAIN" }, IDLE, "confirming"],
    [{ status: "VALID" }, IDLE, "ready"],
    [{ status: "DELIVERED" }, IDLE, "delivered"],
    [{ status: "EXPIRED" }, IDLE, "expired"],
    [{ status: "CANCELLED" }, IDLE, "cancelled"],
  ];
  for (const [change, local, stage] of stages) {
    assert.equal(stageOf(order(change), local, NOW), stage, JSON.stringify([change, local]));
  }
});

test("past its time an order is being checked, not expired, until the chain proved it", () => {
  const late = order({ expiresAt: NOW - 1 });
  assert.equal(stageOf(late, IDLE, NOW), "expiring");
  assert.equal(stageOf(late, { signing: false, txHash: "0x1" }, NOW), "expiring");
  assert.equal(stageOf(order({ expiresAt: NOW }), IDLE, NOW), "unsigned");
  assert.equal(stageOf(order({ reason: "EXPIRY_BEING_CHECKED" }), IDLE, NOW), "expiring");
});

test("what the chain proved wins over what the page believes", () => {
  const busy = { signing: true, txHash: "0x1" };
  assert.equal(stageOf(order({ status: "VALID" }), busy, NOW), "ready");
  assert.equal(stageOf(order({ status: "EXPIRED" }), busy, NOW), "expired");
});

test("a burn that does not fit sends the customer to people", () => {
  assert.equal(stageOf(order({ exception: "WRONG_AMOUNT" }), IDLE, NOW), "exception");
  assert.equal(stageOf(order({ status: "EXPIRED", exception: "LATE" }), IDLE, NOW), "exception");
  assert.equal(stageOf(order({ status: "VALID", exception: "DUPLICATE" }), IDLE, NOW), "ready");
});

test("only ended orders are left alone", () => {
  for (const stage of ["delivered", "expired", "cancelled"] as const)
    assert.equal(pace(stage), null);
  for (const stage of ["unsigned", "submitted", "confirming", "ready", "expiring"] as const) {
    assert(pace(stage), stage);
  }
});

function seen(change: Partial<ReceptionView> = {}): ReceptionView {
  return { ...order(), deliverable: false, reason: null, ...change } as ReceptionView;
}

function because(code: NotDeliverable, status: OrderStatus = "CREATED"): ReceptionView {
  return seen({ status, reason: { code, message: { vi: "", en: "" } } });
}

test("green means deliverable at this desk and nothing else", () => {
  const valid = seen({ status: "VALID", deliverable: true });
  assert.equal(answerTo(valid, "HCM_ROX_T09"), "deliverable");
  assert.equal(answerTo(valid, "HCM_IMC_T04"), "wrong-site");
  assert.equal(answerTo({ ...valid, siteId: "" }, "HCM_IMC_T04"), "deliverable");
  assert.equal(answerTo({ ...valid, status: "DELIVERED" }, "HCM_ROX_T09"), "delivered");
  assert.equal(answerTo(seen({ status: "VALID" }), "HCM_ROX_T09"), "refused");
});

test("every reason has its answer, none of them green", () => {
  const answers: [NotDeliverable, string][] = [
    ["NOT_BURNED_YET", "not-burned"],
    ["WAITING_FOR_CONFIRMATIONS", "waiting"],
    ["ALREADY_DELIVERED", "delivered"],
    ["EXPIRED", "expired"],
    ["EXPIRY_BEING_CHECKED", "expiry-check"],
    ["CANCELLED", "cancelled"],
    ["WRONG_SITE", "wrong-site"],
  ];
  for (const [code, expected] of answers) {
    const answer = answerTo(because(code), "HCM_ROX_T09");
    assert.equal(answer, expected);
    assert(toneOf(answer) !== "green", answer);
  }
});

test("nothing that was not told online just now is green", () => {
  for (const answer of ["checking", "offline", "unsure"] as const) {
    assert(toneOf(answer) !== "green", answer);
  }
  assert(lookEvery("deliverable"), "a green answer keeps being checked");
  assert(lookEvery("offline"), "an offline answer keeps trying");
  assert.equal(lookEvery("delivered"), null);
});
