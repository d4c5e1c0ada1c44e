/** Going from place to place with a browser's history, which answers a moment later. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HOME, type Place, Places } from "../portal/places.ts";

/** A browser at our first page, another site's before it. */
function browser() {
  const entries: unknown[] = ["another site", null];
  let at = 1;
  let asked = 0;
  let popstate = () => {};
  Object.assign(globalThis, {
    addEventListener: (_: string, heard: () => void) => {
      popstate = heard;
    },
    history: {
      get state() {
        return entries[at];
      },
      pushState(state: unknown) {
        at += 1;
        entries.splice(at, entries.length, state);
      },
      replaceState(state: unknown) {
        entries[at] = state;
      },
      back() {
        asked += 1;
      },
    },
  });
  return {
    get left() {
      return at === 0;
    },
    /** Does what it was asked for. */
    settle() {
      for (; asked > 0; asked -= 1) {
        at -= 1;
        if (at > 0) popstate();
      }
    },
  };
}

const REDEEM: Place = { at: "redeem", choice: { tokenId: 1001, amount: 1, siteId: "", meta: {} } };
const ORDER: Place = { at: "order", orderId: "ORD_1" };

test("pressed twice, back is one step, and the next press is the next", () => {
  const history = browser();
  const arrived: string[] = [];
  const places = new Places(({ at }) => arrived.push(at));
  places.start();
  places.go(REDEEM);
  places.go(ORDER);
  for (let press = 0; press < 2; press += 1) {
    places.back();
    places.back();
    history.settle();
  }
  places.back();
  places.back();
  history.settle();
  assert.deepEqual(arrived, ["home", "redeem", "order", "redeem", "home", "home", "home"]);
  assert(!history.left);
});

test("who goes on instead of back is led back from there", () => {
  const history = browser();
  const arrived: Place[] = [];
  const places = new Places((place) => arrived.push(place));
  places.start();
  places.go(REDEEM);
  places.back();
  places.go(ORDER);
  history.settle();
  places.back();
  history.settle();
  assert.equal(arrived.at(-1), HOME);
});
