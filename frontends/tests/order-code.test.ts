import assert from "node:assert/strict";
import { test } from "node:test";
import { groupCode, parseCode, payloadIn, QR_PREFIX } from "../shared/order-code.ts";

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

test("the sixteen characters alone mean today, then yesterday, then tomorrow, in UTC", () => {
  const expected = ["20261121", "20261120", "20261122"].map((day) => `ORD_${day}_0123456789ABCDEF`);
  assert.deepEqual(ids("0123456789ABCDEF"), expected);
  assert.deepEqual(ids("0123 4567 89ab cdef"), expected);
  assert.deepEqual(ids("0123-4567-89AB-CDEF"), expected);
  assert.deepEqual(ids("0123\u20134567\u00a089AB_CDEF\u200b"), expected);
  assert.deepEqual(ids("\uff10\uff11\uff12\uff13456789ABCDE\uff26"), expected);
});

test("the day of an order is the day in UTC, around midnight as around noon", () => {
  const days = (now: string) => ids("0123456789ABCDEF", new Date(now)).map((id) => id.slice(4, 12));
  assert.deepEqual(days("2027-01-01T00:10:00+07:00"), ["20261231", "20261230", "20270101"]);
  assert.deepEqual(days("2026-12-31T23:59:59.999Z"), ["20261231", "20261230", "20270101"]);
  assert.deepEqual(days("2027-01-01T00:00:00Z"), ["20270101", "20261231", "20270102"]);
  assert.deepEqual(days("2028-03-01T00:00:00Z"), ["20280301", "20280229", "20280302"]);
});

test("an id typed whole needs neither its underscores nor the right O", () => {
  assert.deepEqual(ids("ord 20261121 0123 4567 89ab cdef"), [ID]);
  assert.deepEqual(ids("0RD_2O26I121_0123-4567-89AB-CDEF"), [ID]);
});

test("letters that Crockford leaves out read as the digits they look like", () => {
  assert.equal(ids("OIL3456789ABCDEF")[0], "ORD_20261121_0113456789ABCDEF");
});

test("what is grouped for reading is read back", () => {
  assert.equal(groupCode(ID), "0123 4567 89AB CDEF");
  assert.equal(ids(groupCode(ID))[0], ID);
});

test("our code is found in what a scanner puts around it", () => {
  const payload = `5SOV://order/${ID}`;
  assert.equal(payloadIn(`]Q1${payload}~`), payload);
  assert.equal(payloadIn(`\x02${payload.toLowerCase()}\x03`), payload.toLowerCase());
  assert.equal(payloadIn(payload.slice(0, -1)), null);
  assert.equal(payloadIn(`https://example.com/?${ID}`), null);
});

test("what is not our code is told apart", () => {
  const address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
  const kinds: Readonly<Record<string, readonly string[]>> = {
    empty: ["", "   ", "\u200b", "---"],
    incomplete: ["0123 4567", "ORD_20261121_0123", "ORD_2026", "ORD", "0123456789ABCDE"],
    address: [address, `ethereum:${address}`, `bnb:${address}`, address.toLowerCase()],
    transaction: [`0x${"ab".repeat(32)}`],
    request: [
      `ethereum:${address}@56`,
      `ethereum:${address}@56/transfer?address=${address}&uint256=1`,
      "bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4?amount=1",
    ],
    connect: ["wc:7f6e504bfad60b485450578e05678ed3e8e8c4751d3c6160be17160d63ec90f9@2?relay=irn"],
    payment: ["00020101021138570010A00000072701270006970403", "000201010212"],
    wifi: ["WIFI:T:WPA;S:5SOffice;P:secret;;"],
    contact: ["BEGIN:VCARD\nVERSION:3.0\nN:Lan\nEND:VCARD", "MECARD:N:Lan;;"],
    url: ["https://example.com/pay", "www.example.com"],
    foreign: [
      "5SOV://refund/ORD_20261121_0123456789ABCDEF",
      `5SOV://order/${ID}?x=1`,
      `5SOV://order/${ID.slice(0, -1)}`,
      "0123456789ABCDEFG",
      "U123456789ABCDEF",
      "Xin chào",
      `${ID}0`,
    ],
  };
  for (const [kind, texts] of Object.entries(kinds)) {
    for (const text of texts) assert.equal(parseCode(text, NOON).kind, kind, text);
  }
});

test("whatever is read names at most three ids, each of them well formed", () => {
  const alphabet = "0O1IlLUuAaZz9_- :/5SOVorderORD\u0110\uff10\n";
  let seed = 42;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 20_000; round += 1) {
    const letters = Array.from({ length: random(20) }, () => alphabet[random(alphabet.length)]);
    const text = ["", "ORD_20261121_", QR_PREFIX, ID.slice(0, 25)][random(4)] + letters.join("");
    const parsed = parseCode(text, NOON);
    if (parsed.kind !== "order") continue;
    assert(parsed.orderIds.length <= 3, text);
    for (const id of parsed.orderIds) {
      assert.match(id, /^ORD_[0-9]{8}_[0-9A-HJKMNP-TV-Z]{16}$/, text);
      assert.deepEqual(parseCode(QR_PREFIX + id, NOON), { kind: "order", orderIds: [id] });
    }
  }
});
