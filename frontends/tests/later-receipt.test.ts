import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Receipt } from "../portal/later/receipt.ts";
import type { LaterContext } from "../portal/later.ts";
import { ApiError, Unreachable } from "../shared/api.ts";

const ORDER = "ORD_20261121_0000000000000000";

const turns = async () => {
  for (let turn = 0; turn < 100; turn += 1) await null;
};

test("a service that asks for patience is reachable: the receipt is waited for", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const listening = { addEventListener: () => {}, removeEventListener: () => {} };
  Object.assign(globalThis, { document: { ...listening, visibilityState: "visible" } });
  let error: unknown = new ApiError({ title: "", status: 429, code: "RATE_LIMITED" }, 7);
  let asked = 0;
  const order = async () => {
    asked += 1;
    throw error;
  };
  const context = { api: { order }, redraw: () => {} } as unknown as LaterContext;
  const receipt = new Receipt();
  receipt.follow(context, ORDER);
  await turns();
  assert.deepEqual([receipt.fetched.kind, asked], ["loading", 1]);
  error = new Unreachable("no answer");
  mock.timers.tick(7000);
  await turns();
  assert.deepEqual([receipt.fetched.kind, asked], ["offline", 2]);
  receipt.leave();
  mock.timers.reset();
});
