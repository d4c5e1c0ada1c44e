import assert from "node:assert/strict";
import { test } from "node:test";
import { inFours } from "../reception/views-code.ts";

/** What stands in the field after `typed`, its caret shown as `|`. */
function after(before: string, typed: string): string {
  const caret = typed.indexOf("|");
  const now = inFours(before, { text: typed.replace("|", ""), caret });
  return `${now.text.slice(0, now.caret)}|${now.text.slice(now.caret)}`;
}

test("a code appears in fours while it is typed", () => {
  let field = { text: "", caret: 0 };
  for (const key of "7k2m9qxr4tvb8wne") {
    field = inFours(field.text, { text: `${field.text}${key}`, caret: field.text.length + 1 });
    assert.equal(field.caret, field.text.length, "the caret stays at the end");
  }
  assert.equal(field.text, "7K2M 9QXR 4TVB 8WNE");
  assert.equal(after("", "7k2m-9qxr 4tvb8wne|"), "7K2M 9QXR 4TVB 8WNE|");
});

test("the caret stays behind the character that was typed or deleted", () => {
  assert.equal(after("7K2M 9QXR", "7K2MA| 9QXR"), "7K2M A|9QX R");
  assert.equal(after("7K2M 9QXR", "A|7K2M 9QXR"), "A|7K2 M9QX R");
  assert.equal(after("7K2M 9QXR", "7K2| 9QXR"), "7K2|9 QXR");
  assert.equal(after("7K2M 9", "7K2M |"), "7K2M|");
});

test("deleting the gap deletes the character in front of it", () => {
  assert.equal(after("7K2M 9QXR", "7K2M|9QXR"), "7K2|9 QXR");
  assert.equal(after("7K2M 9", "7K2M|9"), "7K2|9");
});

test("what cannot be a code is left as it is", () => {
  for (const text of [
    "5SOV://order/ORD_20261121_7K2M9QXR4TVB8WNE",
    "ORD_20261121_7K2M9QXR4TVB8WNE",
    "https://example.com",
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "7K2M 9QXR 4TVB 8WNE1",
  ]) {
    const typed = { text, caret: 3 };
    assert.deepEqual(inFours("", typed), typed);
  }
});
