import assert from "node:assert/strict";
import { test } from "node:test";
import { groupCode, parseCode } from "../shared/order-code.ts";

const NOON = new Date("2026-11-21T12:00:00Z");
const ID = "ORD_20261121_0123456789ABCDEF";

function ids(text: string, now = NOON): readonly string[] {
  const parsed = parseCode(text, now);
  assert(parsed.kind === "order", `${text} is ${parsed.kind}`);
  return parsed.orderIds;
}

test("the QR payload and the id mean one order", () => {
  assert.deepEqual(ids(`5SOV://order/${ID}`), [ID]);
  assert.deepEqual(ids(ID), [ID]);
  assert.deepEqual(ids(`  ${ID}\r\n`), [ID]);
});

test("a keyboard that turns capitals around changes nothing", () => {
  assert.deepEqual(ids(`5sov://ORDER/${ID.toLowerCase()}`), [ID]);
});

test("the sixteen characters alone mean today, then yesterday, in UTC", () => {
  const expected = ["ORD_20261121_0123456789ABCDEF", "ORD_20261120_0123456789ABCDEF"];
  assert.deepEqual(ids("0123456789ABCDEF"), expected);
  assert.deepEqual(ids("0123 4567 89ab cdef"), expected);
  assert.deepEqual(ids("0123-4567-89AB-CDEF"), expected);
  const newYear = new Date("2027-01-01T00:10:00+07:00");
  assert.deepEqual(ids("0123456789ABCDEF", newYear), [
    "ORD_20261231_0123456789ABCDEF",
    "ORD_20261230_0123456789ABCDEF",
  ]);
});

test("letters that Crockford leaves out read as the digits they look like", () => {
  assert.equal(ids("OIL3456789ABCDEF")[0], "ORD_20261121_0113456789ABCDEF");
});

test("what is grouped for reading is read back", () => {
  assert.equal(groupCode(ID), "0123 4567 89AB CDEF");
  assert.equal(ids(groupCode(ID))[0], ID);
});

test("what is not our code is told apart", () => {
  const kinds: [string, string][] = [
    ["", "empty"],
    ["   ", "empty"],
    ["0123 4567", "incomplete"],
    ["ORD_20261121_0123", "incomplete"],
    ["0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "address"],
    ["ethereum:0x70997970C51812dc3A010C7d01b50e0d17dc79C8@56", "address"],
    ["https://example.com/pay", "url"],
    ["www.example.com", "url"],
    ["5SOV://refund/ORD_20261121_0123456789ABCDEF", "foreign"],
    ["5SOV://order/ORD_20261121_0123456789ABCDEF?x=1", "foreign"],
    ["00020101021138570010A000000727", "foreign"],
    ["0123456789ABCDEFG", "foreign"],
    ["U123456789ABCDEF", "foreign"],
  ];
  for (const [text, kind] of kinds) assert.equal(parseCode(text, NOON).kind, kind, text);
});
