import assert from "node:assert/strict";
import { test } from "node:test";
import { answerTo, lookEvery, toneOf } from "../reception/answer.ts";
import type { NotDeliverable, OrderStatus, OrderView, ReceptionView } from "../shared/wire.ts";

function order(change: Partial<OrderView> = {}): OrderView {
  return {
    status: "CREATED",
    siteId: "HCM_ROX_T09",
    redeemable: false,
    transactionHints: [],
    ...change,
  } as OrderView;
}

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

test("a delivery whose burn the chain took back is told as both", () => {
  const taken = { ...because("ALREADY_DELIVERED", "DELIVERED"), exception: "DELIVERED_REORGED" };
  for (const site of ["HCM_ROX_T09", "HCM_IMC_T04"]) {
    assert.equal(answerTo(taken as ReceptionView, site), "delivered-reorged");
  }
  assert.equal(toneOf("delivered-reorged"), "red");
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
