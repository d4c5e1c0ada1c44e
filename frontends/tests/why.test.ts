import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { texts as en } from "../reception/messages/en.ts";
import type { ConsoleKey } from "../reception/messages/index.ts";
import { texts as vi } from "../reception/messages/vi.ts";
import { failure, refusalOf } from "../reception/notice.ts";
import { why } from "../reception/views-parts.ts";
import { ApiError, Unreachable } from "../shared/api.ts";
import { fill } from "../shared/i18n.ts";

declare const FRONTENDS: string;
interface Documented {
  readonly paths: Record<
    string,
    Record<string, { readonly responses: Record<string, { readonly description: string }> }>
  >;
}
const api = JSON.parse(
  await readFile(`${FRONTENDS}/../docs/openapi.json`, "utf8"),
) as unknown as Documented;

/** What the console asks for whose refusals are told in words. */
const ASKED = [
  ["/orders/{orderId}/deliver", "post"],
  ["/reception/orders/{orderId}", "get"],
  ["/reception/orders", "get"],
  ["/auth/password", "post"],
] as const;
/** Refusals that depend on the state of things; of the others the page itself would be the cause. */
const OF_PEOPLE = ["403", "404", "409", "429"];
/** Leads to the page for a new password instead. */
const NOT_TOLD = "PASSWORD_CHANGE_REQUIRED";

function words(texts: Readonly<Record<string, string>>) {
  return {
    has: (name: string): name is ConsoleKey => Object.hasOwn(texts, name),
    text: (key: string, values = {}) => fill(texts[key] ?? "", values),
  };
}

function refused(code: string): ApiError {
  const detail = "An English sentence.";
  return new ApiError({ title: "t", status: 409, code, detail, requestId: "4d1f-77" }, null);
}

test("every refusal that the API documents for a desk has words in both languages", () => {
  const codes = new Set<string>();
  for (const [path, method] of ASKED) {
    for (const [status, { description }] of Object.entries(
      api.paths[path]?.[method]?.responses ?? {},
    )) {
      if (!OF_PEOPLE.includes(status)) continue;
      for (const [code] of description.matchAll(/\b[A-Z]+(_[A-Z]+)+\b/g)) codes.add(code);
    }
  }
  assert(codes.delete(NOT_TOLD));
  assert(codes.size >= 6, [...codes].join());
  for (const code of codes) {
    const refusal = refusalOf(refused(code));
    const [inVi, inEn] = [why(words(vi), refusal), why(words(en), refusal)];
    assert(inVi !== inEn, code);
    for (const text of [inVi, inEn]) assert.doesNotMatch(text, /4d1f|English|[{}]/, code);
  }
});

test("an unknown refusal is told by its code and the request's id, never by the API's sentence", () => {
  for (const texts of [vi, en]) {
    const text = why(words(texts), refusalOf(refused("SOMETHING_NEW")));
    assert.match(text, /SOMETHING_NEW.*4d1f-77/);
    assert.doesNotMatch(text, /English|[{}]/);
  }
});

test("no answer is told as that, whatever was asked", () => {
  assert.deepEqual(failure(new Unreachable("x"), "list.refused"), { key: "login.offline" });
  const { key, refusal } = failure(refused("FORBIDDEN_SITE"), "list.refused");
  assert.deepEqual([key, refusal?.code], ["list.refused", "FORBIDDEN_SITE"]);
});
