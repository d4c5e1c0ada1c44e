import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Api } from "../shared/api.ts";
import { ServerClock } from "../shared/clock.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const MINUTE = 60_000;

beforeEach(() => mock.timers.enable({ apis: ["Date"], now: NOON }));
afterEach(() => mock.timers.reset());

function told(at: number, more: Record<string, string> = {}): Headers {
  return new Headers({ Date: new Date(at).toUTCString(), ...more });
}

test("the server's clock goes on from what an answer told", () => {
  for (const wrong of [-90 * MINUTE, 7 * MINUTE]) {
    const clock = new ServerClock();
    clock.hear(told(NOON + wrong), NOON);
    assert.equal(clock.now(), NOON + wrong);
    mock.timers.tick(MINUTE);
    assert.equal(clock.now(), NOON + MINUTE + wrong);
    mock.timers.setTime(NOON);
  }
});

test("a device that is right to the second keeps its own time", () => {
  const clock = new ServerClock();
  for (const off of [-4000, -1000, 0, 4000]) {
    clock.hear(told(NOON + off), NOON);
    assert.equal(clock.now(), NOON);
  }
});

test("whole seconds of a later answer do not make the countdown stutter", () => {
  const clock = new ServerClock();
  clock.hear(told(NOON + MINUTE), NOON);
  for (const off of [-1000, 1000]) {
    clock.hear(told(NOON + MINUTE + off), NOON);
    assert.equal(clock.now(), NOON + MINUTE);
  }
});

test("a clock that was put right is taken as it is", () => {
  const clock = new ServerClock();
  clock.hear(told(NOON + MINUTE), NOON);
  clock.hear(told(NOON), NOON);
  assert.equal(clock.now(), NOON);
});

test("what is slow, cached, missing or no date tells nothing", () => {
  const clock = new ServerClock();
  clock.hear(told(NOON + MINUTE), NOON - 3000);
  // The device's clock was set while the answer was on its way.
  clock.hear(told(NOON + MINUTE), NOON + 3000);
  clock.hear(told(NOON - MINUTE, { Age: "60" }), NOON);
  clock.hear(new Headers(), NOON);
  clock.hear(new Headers({ Date: "soon" }), NOON);
  assert.equal(clock.now(), NOON);
});

test("the API's answers set it, also when they are refusals", async () => {
  const fetch = async () => new Response("{}", { status: 404, headers: told(NOON + MINUTE) });
  const api = new Api("", { fetch: fetch as never });
  await assert.rejects(api.order("ORD_1"));
  assert.equal(api.clock.now(), NOON + MINUTE);
});
