import assert from "node:assert/strict";
import { test } from "node:test";
import { type Heard, type Scan, type Stroke, Wedge } from "../reception/wedge.ts";

const PAYLOAD = "5SOV://order/ORD_20261121_0123456789ABCDEF";
const SHIFTED = ')!@#$%^&*(_+:?><"~{}|';

function stroke(key: string, code: string, timeStamp: number, shiftKey = false): Stroke {
  const none = { ctrlKey: false, altKey: false, metaKey: false, repeat: false };
  return { key, code, shiftKey, timeStamp, ...none };
}

/** The place of a character on a US keyboard, as scanners press it, and whether with Shift. */
function placed(character: string): [code: string, shift: boolean] {
  const shift = /[A-Z]/.test(character) || SHIFTED.includes(character);
  if (/[a-z]/i.test(character)) return [`Key${character.toUpperCase()}`, shift];
  if (/\d/.test(character)) return [`Digit${character}`, shift];
  const signs: Record<string, string> = {
    ":": "Semicolon",
    "/": "Slash",
    _: "Minus",
    "-": "Minus",
    " ": "Space",
    "~": "Backquote",
    "]": "BracketRight",
    ".": "Period",
  };
  return [signs[character] ?? "", shift];
}

/** What a scanner sends for `text`: Shift where needed, one key every `every` milliseconds. */
function sent(
  text: string,
  { every = 8, from = 0, last = "Enter", as = (character: string) => character } = {},
): Stroke[] {
  const strokes = [...text].flatMap((character, at) => {
    const [code, shift] = placed(character);
    const down = stroke(as(character), code, from + at * every, shift);
    return shift ? [stroke("Shift", "ShiftLeft", down.timeStamp, true), down] : [down];
  });
  const end = from + text.length * every;
  return last ? [...strokes, stroke(last, last, end)] : strokes;
}

function scans(strokes: readonly Stroke[], wedge = new Wedge()): (string | null)[] {
  return strokes
    .map((one) => wedge.key(one))
    .filter((heard): heard is Scan => typeof heard === "object")
    .map(({ text }) => text);
}

function heard(strokes: readonly Stroke[], wedge = new Wedge()): Heard[] {
  return strokes.map((one) => wedge.key(one));
}

test("a scanner is told from a person by its pace", () => {
  assert.deepEqual(scans(sent(PAYLOAD)), [PAYLOAD]);
  assert.deepEqual(scans(sent(PAYLOAD, { every: 45 })), [PAYLOAD]);
  assert.deepEqual(scans(sent("0123456789ABCDEF", { every: 120 })), []);
});

test("somebody else's short code is a scan as well, and a person's short word is none", () => {
  assert.deepEqual(scans(sent("12345670")), ["12345670"]);
  assert.deepEqual(scans(sent("ok")), []);
  assert.deepEqual(scans(sent("done", { every: 130 })), []);
});

test("a slow scanner is known by what our codes begin with", () => {
  assert.deepEqual(scans(sent(PAYLOAD, { every: 200 })), [PAYLOAD]);
  assert.deepEqual(scans(sent("5 stars to order/ORD_20261121", { every: 200 })), []);
});

test("keys before a scan are not part of it", () => {
  const keys = [...sent("hi", { every: 150, last: "" }), ...sent(PAYLOAD, { from: 900 })];
  assert.deepEqual(scans(keys), [PAYLOAD]);
});

test("Tab ends a code too, and what comes right after a code presses nothing", () => {
  const wedge = new Wedge();
  assert.deepEqual(scans(sent(PAYLOAD, { last: "Tab" }), wedge), [PAYLOAD]);
  const end = PAYLOAD.length * 8;
  assert.equal(wedge.key(stroke("Enter", "Enter", end + 10)), "machine");
  const lineFeed = { ...stroke("j", "KeyJ", end + 20), ctrlKey: true };
  assert.equal(wedge.key(lineFeed), "machine");
  assert.equal(wedge.key(stroke("Enter", "Enter", end + 900)), "pass");
});

test("silence ends a code without a last key, and waits longer while ours is incomplete", () => {
  const wedge = new Wedge();
  assert.deepEqual(scans(sent(PAYLOAD.slice(0, 30), { last: "" }), wedge), []);
  const unfinished = wedge.idleMs;
  assert.deepEqual(scans(sent(PAYLOAD.slice(30), { from: 300, last: "" }), wedge), []);
  assert(unfinished !== null && wedge.idleMs !== null && wedge.idleMs < unfinished);
  assert.deepEqual(wedge.finish(800), { text: PAYLOAD });
  assert.equal(wedge.idleMs, null);
  // Its Enter comes late: it must not press what the answer offers.
  assert.equal(wedge.key(stroke("Enter", "Enter", 1900)), "machine");
  assert.equal(wedge.key(stroke("Enter", "Enter", 2400)), "pass");
});

test("prefix and suffix are left out of ours, and symbology marks too", () => {
  assert.deepEqual(scans(sent(`]Q1${PAYLOAD}~~`)), [PAYLOAD]);
});

test("caps lock turns letters around and the code stays ours", () => {
  const turned = (character: string) =>
    character === character.toUpperCase() ? character.toLowerCase() : character.toUpperCase();
  const [text] = scans(sent(PAYLOAD, { as: turned }));
  assert.equal(text?.toUpperCase(), PAYLOAD.toUpperCase());
});

test("a keyboard layout that differs from the scanner's is read by the keys' places", () => {
  const french: Record<string, string> = { A: "Q", Q: "A", ":": "M", "/": "!", _: "°" };
  for (const [digit, sign] of [..."à&é\"'(-è_ç"].entries()) french[digit] = sign;
  assert.deepEqual(scans(sent(PAYLOAD, { as: (typed) => french[typed] ?? typed })), [PAYLOAD]);
});

test("somebody else's code is read by the keys' places where the layout has no such letters", () => {
  const vietnamese = [..."đăâêô\u0300\u0309\u0303\u0301\u0323"];
  assert.deepEqual(scans(sent("12345670", { as: (digit) => vietnamese[Number(digit)] ?? "" })), [
    "12345670",
  ]);
});

test("an input method that takes every key leaves their places", () => {
  assert.deepEqual(scans(sent(PAYLOAD, { as: () => "Process" })), [PAYLOAD]);
  const letters = (typed: string) => (/[a-z]/i.test(typed) ? "Process" : typed);
  assert.deepEqual(scans(sent(PAYLOAD, { as: letters })), [PAYLOAD]);
});

/** As Unikey does under Windows: it swallows a tone key and types the word's vowel anew. */
function throughTelex(strokes: readonly Stroke[]): Stroke[] {
  return strokes.flatMap((one, at) => {
    const vowel = strokes[at - 1]?.key.toLowerCase() === "o" && one.key.toLowerCase() === "r";
    if (!vowel) return [one];
    return [stroke("Backspace", "Backspace", one.timeStamp), stroke("ỏ", "", one.timeStamp + 1)];
  });
}

test("a code that Unikey has rewritten is a scan that cannot be read", () => {
  const plain = sent(PAYLOAD).filter(({ key }) => key !== "Shift");
  assert.deepEqual(scans(throughTelex(plain)), [null]);
});

test("Unikey rewriting a person's words is no scan", () => {
  const wedge = new Wedge();
  for (let word = 0; word < 20; word += 1) {
    const at = word * 400;
    wedge.key(stroke("g", "KeyG", at));
    for (let back = 0; back < 7; back += 1) {
      wedge.key(stroke("Backspace", "Backspace", at + 1 + back));
    }
    for (const [place, key] of [..."nghiêng"].entries()) {
      wedge.key(stroke(key, "", at + 8 + place));
    }
    assert.equal(wedge.idleMs, null);
    assert.equal(wedge.key(stroke("Enter", "Enter", at + 200)), "pass");
  }
});

test("a key held down is a person's", () => {
  const held = Array.from({ length: 60 }, (_, at) => ({
    ...stroke("x", "KeyX", at * 30),
    repeat: at > 0,
  }));
  const wedge = new Wedge();
  assert(heard(held, wedge).every((one) => one === "pass"));
  assert.equal(wedge.idleMs, null);
});

test("from the fourth key on a scanner's keys are known as such", () => {
  const known = heard(sent("12345678", { last: "" }));
  assert.deepEqual(known, [...Array(3).fill("pass"), ...Array(5).fill("machine")]);
});

test("whatever people type around them, scans come out whole and people's words never do", () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  for (let round = 0; round < 300; round += 1) {
    const wedge = new Wedge();
    const expected: string[] = [];
    const found: (string | null)[] = [];
    let now = 1000;
    const press = (one: Stroke) => {
      if (wedge.idleMs !== null && one.timeStamp - now > wedge.idleMs) {
        found.push(wedge.finish(now + wedge.idleMs).text);
      }
      now = one.timeStamp;
      const told = wedge.key(one);
      if (typeof told === "object") found.push(told.text);
    };
    for (let part = 0; part < 6; part += 1) {
      if (random(2) === 0) {
        for (let count = random(30); count > 0; count -= 1) {
          const [code, shift] = placed("a");
          press(stroke("a", code, now + 75 + random(300), shift));
        }
        if (random(2) === 0) press(stroke("Enter", "Enter", now + 75 + random(300)));
      } else {
        const id = Array.from({ length: 16 }, () => crockford[random(32)]).join("");
        const payload = `5SOV://order/ORD_20261121_${id}`;
        const text = ["", "]Q1", "~"][random(3)] + payload;
        let at = now + 400;
        for (const [place, character] of [...text].entries()) {
          const hiccup = place > 9 && random(12) === 0 ? 60 + random(200) : 0;
          at += 1 + random(40) + hiccup;
          press(stroke(character, placed(character)[0], at));
        }
        const last = ["Enter", "Tab", ""][random(3)];
        if (last) press(stroke(last, last, now + 1 + random(40)));
        expected.push(payload);
        // People take their hands off while they scan.
        const quiet = stroke("Shift", "ShiftLeft", now + 700);
        press(quiet);
      }
    }
    assert.deepEqual(found, expected, `round ${round}`);
  }
});
