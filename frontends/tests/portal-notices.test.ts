import assert from "node:assert/strict";
import { test } from "node:test";
import { texts } from "../portal/messages/en.ts";
import { placingFailed } from "../portal/notices.ts";
import type { Draft } from "../portal/state.ts";
import { ApiError, Unreachable } from "../shared/api.ts";

const DRAFT = { tokenId: 1001, amount: 1, siteId: "A", meta: {}, errors: {} } as unknown as Draft;
const SENTENCE = "the API's own words";

function refused(code: string, fields: readonly string[] = []): ApiError {
  const errors = fields.map((field) => ({ field, rule: "known", message: SENTENCE }));
  return new ApiError({ title: SENTENCE, detail: SENTENCE, status: 422, code, errors }, null);
}

test("fields of the page are marked where the API refuses them", () => {
  const { notice, draft } = placingFailed(
    refused("INVALID_INPUT", ["siteId", "customerMeta.aiAccount"]),
    DRAFT,
  );
  assert.equal(notice?.key, "redeem.check");
  assert.deepEqual(draft?.errors, {
    siteId: { key: "redeem.refused" },
    "customerMeta.aiAccount": { key: "redeem.refused" },
  });
});

test("a voucher that is no longer offered is told as that", () => {
  const { notice, draft } = placingFailed(refused("INVALID_INPUT", ["amount", "tokenId"]), DRAFT);
  assert.equal(notice?.key, "revert.VoucherTypeDisabled");
  assert.equal(draft, undefined, "there is nothing to correct");
});

test("any other refusal is told by its code, never by the API's English sentence", () => {
  for (const error of [
    refused("IDEMPOTENCY_KEY_REUSED"),
    refused("INVALID_INPUT", ["customerAddress"]),
  ]) {
    const { notice } = placingFailed(error, DRAFT);
    assert.deepEqual(notice, { key: "problem.api", values: { code: error.code } });
    assert(!JSON.stringify(notice).includes(SENTENCE));
  }
});

test("no answer and too many attempts are told as what they are", () => {
  assert.equal(placingFailed(new Unreachable("gone"), DRAFT).notice?.key, "problem.offline");
  const limited = new ApiError({ title: "", status: 429, code: "RATE_LIMITED" }, 42);
  assert.deepEqual(placingFailed(limited, DRAFT).notice, {
    key: "problem.limit",
    values: { n: 42 },
  });
  assert(texts["problem.limit"].includes("{n}"));
});
