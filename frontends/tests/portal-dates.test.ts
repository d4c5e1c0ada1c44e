/** Dates on the portal's pages: nobody takes the month for the day, or noon for midnight. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry, History } from "../portal/later/history.ts";
import { historyContent } from "../portal/later/history-page.ts";
import { catalogues } from "../portal/later/messages/index.ts";
import type { Receipt } from "../portal/later/receipt.ts";
import { receiptContent } from "../portal/later/receipt-page.ts";
import type { LaterContext } from "../portal/later.ts";
import { Translator } from "../shared/i18n.ts";

Object.defineProperty(globalThis, "document", { value: { documentElement: {} } });
Object.defineProperty(globalThis, "navigator", {
  value: { languages: ["vi"] },
  configurable: true,
});
const words = await Translator.load(catalogues);
const context = {
  words: { text: (key: string) => key },
  config: { brand: { name: "" } },
  catalogue: { sites: [] },
  kept: [],
} as unknown as LaterContext;
const AFTERNOON = new Date(2026, 0, 2, 15, 4, 5);

function receipt(): string {
  const at = AFTERNOON.toISOString();
  const view = {
    orderId: "ORD_20260102_7KQ2M9XVB4TRWZ3H",
    order: {},
    deliveredAt: at,
    createdAt: at,
  };
  const shown = { fetched: { kind: "delivered", view, hashMatches: true }, asked: null };
  return JSON.stringify(receiptContent(context, shown as unknown as Receipt, "", words));
}

function list(): string {
  const entry = { orderId: "", status: "VALID", at: AFTERNOON, timed: true, siteId: "" };
  const entries = () => [{ ...entry, tokenId: 1001, service: null } as Partial<Entry>];
  const history = { phase: "list", notice: null, more: "none", entries };
  return JSON.stringify(historyContent(context, history as unknown as History, words));
}

test("the day comes first and hours go to 24, in either language", async () => {
  const today = new Date();
  today.setHours(15, 4);
  for (const [language, date, printed, day] of [
    ["vi", /\b0?2[/-]0?1[/-]2026\b/, /\b0?2[/-]0?1[/-]2026\b/, /Thứ Sáu.*2 tháng 1.*2026/],
    ["en", /\b02\/01\/2026\b/, /\b2 January 2026\b/, /Friday.* 2 January 2026/],
  ] as const) {
    await words.use(language);
    assert.match(words.moment(AFTERNOON), date);
    assert.match(words.moment(AFTERNOON), /\b15:04\b/);
    assert.equal(words.moment(today), "15:04");
    assert.match(receipt(), printed);
    assert.match(receipt(), /\b15:04:05\b/);
    assert.match(list(), day);
    assert.match(list(), /"15:04"/);
  }
});
