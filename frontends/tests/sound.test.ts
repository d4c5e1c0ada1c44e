import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, toneOf } from "../reception/answer.ts";
import { BUZZES, type Signal, signalOf, TONES } from "../reception/sound.ts";

const ANSWERS: Record<Answer, Signal | null> = {
  checking: null,
  sending: null,
  deliverable: "go",
  done: "done",
  waiting: "wait",
  "not-burned": "wait",
  "expiry-check": "wait",
  offline: "wait",
  unsure: "wait",
  delivered: "stop",
  "delivered-reorged": "stop",
  expired: "stop",
  cancelled: "stop",
  "wrong-site": "stop",
  unknown: "stop",
  foreign: "stop",
  exception: "stop",
  refused: "stop",
};

test("every answer has its signal, and a refusal never sounds like a delivery", () => {
  for (const [answer, signal] of Object.entries(ANSWERS) as [Answer, Signal | null][]) {
    assert.equal(signalOf(answer), signal, answer);
    const green = toneOf(answer) === "green";
    assert.equal(green, signal === "go" || signal === "done", `${answer}: as green as it sounds`);
    assert.equal(toneOf(answer) === "red", signal === "stop", `${answer}: as red as it sounds`);
  }
});

test("green rises, a refusal falls and is lower, the others are one short tone", () => {
  const pitches = (signal: Signal) => TONES[signal].map(({ hz }) => hz);
  const [low = 0, high = 0] = pitches("go");
  assert(low < high && pitches("go").length === 2);
  const [first = 0, second = 0] = pitches("stop");
  assert(first > second && first < low / 2 && pitches("stop").length === 2);
  assert.equal(TONES.done.length, 1);
  assert.equal(TONES.wait.length, 1);
});

test("tones of one signal follow each other, and all are over within a second", () => {
  for (const tones of Object.values(TONES)) {
    let free = 0;
    for (const { at, lasts } of tones) {
      assert(at >= free);
      free = at + lasts;
    }
    assert(free < 1);
  }
});

test("each signal feels different; a refusal is felt longest", () => {
  const felt = (signal: Signal) => BUZZES[signal].filter((_, at) => at % 2 === 0);
  const sum = (signal: Signal) => felt(signal).reduce((all, ms) => all + ms, 0);
  assert.equal(new Set(Object.values(BUZZES).map((buzz) => buzz.join())).size, 4);
  for (const signal of ["go", "done", "wait"] as const) assert(sum("stop") > 3 * sum(signal));
});
