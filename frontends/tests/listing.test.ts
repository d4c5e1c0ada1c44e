import assert from "node:assert/strict";
import { test } from "node:test";
import { commandOf, KEYS } from "../reception/keys.ts";
import { type Filter, Listing, queryOf, TODAY } from "../reception/listing.ts";
import { ApiError, Unreachable } from "../shared/api.ts";
import type { Page, QueueFilter, QueueItem } from "../shared/wire.ts";
import { FakeDevice, FakeServer, SITE, Time } from "./console-world.ts";

type Given = Page<QueueItem> | Error;

/** A listing whose API answers from a list, in order, each after 50 ms. */
async function listing(...answers: Given[]) {
  const time = new Time();
  const tab = await new FakeDevice(time, new FakeServer(time)).open();
  const asked: QueueFilter[] = [];
  const api = {
    queue(_site: string, filter: QueueFilter = {}) {
      asked.push(filter);
      const answer = answers.shift() ?? page([]);
      return new Promise<Page<QueueItem>>((resolve, reject) => {
        time.later(() => (answer instanceof Error ? reject(answer) : resolve(answer)), 50);
      });
    },
  };
  const refused: string[] = [];
  const told = (error: ApiError) => refused.push(error.code) > 1;
  const made = new Listing(api, tab.device, told, () => {});
  return { time, tab, asked, refused, made };
}

function page(names: readonly string[], nextCursor: string | null = null): Page<QueueItem> {
  return { items: names.map((orderHash) => ({ orderHash }) as QueueItem), nextCursor };
}

function names(made: Listing): string[] | undefined {
  return made.list.items?.map(({ orderHash }) => orderHash);
}

const NOW = new Date(2026, 10, 21, 14, 30);
const MIDNIGHT = new Date(2026, 10, 21).getTime() / 1000;

test("a filter says exactly what the API is asked for", () => {
  const asked = (change: Partial<Filter>) => queryOf({ ...TODAY, ...change }, NOW);
  assert.deepEqual(asked({}), { from: MIDNIGHT });
  assert.deepEqual(asked({ stand: "delivered" }), { status: ["DELIVERED"], from: MIDNIGHT });
  assert.deepEqual(asked({ stand: "open" }), { status: ["CREATED", "PENDING_CHAIN", "VALID"] });
  assert.deepEqual(asked({ search: "beef" }), { search: "beef" });
  const day = asked({ from: "2026-11-20", to: "2026-11-20" });
  assert.deepEqual(day, { from: MIDNIGHT - 86_400, to: MIDNIGHT - 1 });
});

test("today's first page keeps itself up to date while somebody can see it", async () => {
  const { time, tab, asked, made } = await listing(page(["a"]), page(["b", "a"]));
  made.open(SITE);
  await time.pass(100);
  assert.deepEqual(names(made), ["a"]);
  await time.pass(10_100);
  assert.deepEqual(names(made), ["b", "a"]);
  tab.show(false);
  await time.pass(60_000);
  assert.equal(asked.length, 2);
  tab.show(true);
  await time.pass(100);
  assert.equal(asked.length, 3);
});

test("what was searched or paged through stands still", async () => {
  const { time, asked, made } = await listing(page(["a"], "1"), page(["b"], "2"), page(["c"]));
  made.open(SITE);
  await time.pass(100);
  void made.more();
  void made.more();
  await time.pass(60_000);
  assert.deepEqual(names(made), ["a", "b"]);
  assert(made.list.more);
  made.search(" BEEF ");
  await time.pass(60_000);
  assert.deepEqual(names(made), ["c"]);
  assert.deepEqual(
    asked.map(({ cursor, search }) => [cursor, search]),
    [
      [null, undefined],
      ["1", undefined],
      [null, "BEEF"],
    ],
  );
});

test("empty pages are passed over, a few at a time", async () => {
  const some = await listing(page([], "1"), page([], "2"), page(["a"], "3"));
  some.made.open(SITE);
  await some.time.pass(1000);
  assert.deepEqual(names(some.made), ["a"]);
  const none = await listing(...Array.from({ length: 9 }, (_, at) => page([], String(at))));
  none.made.choose({ search: "beef" });
  none.made.open(SITE);
  await none.time.pass(1000);
  assert.equal(none.asked.length, 5);
  assert(none.made.list.more && !none.made.list.loading);
});

test("a list that cannot be loaded stays, and says so", async () => {
  const lost = new Unreachable("no answer");
  const { time, made } = await listing(page(["a"]), lost, lost, page(["b"]));
  made.open(SITE);
  await time.pass(10_200);
  assert.deepEqual(names(made), ["a"]);
  assert.equal(made.list.failed?.key, "login.offline");
  await time.pass(10_000);
  assert.deepEqual(names(made), ["b"]);
  assert.equal(made.list.failed, null);
});

test("a refusal is told, and not asked for again and again", async () => {
  const problem = { title: "no", status: 403, code: "FORBIDDEN_SITE" };
  const { time, asked, refused, made } = await listing(new ApiError(problem, null));
  made.open(SITE);
  await time.pass(60_000);
  assert.deepEqual(refused, ["FORBIDDEN_SITE"]);
  assert.equal(made.list.failed?.key, "list.refused");
  assert.equal(asked.length, 1);
});

test("a text that nothing can be found by is not sent", async () => {
  const { time, asked, made } = await listing();
  made.open(SITE);
  await time.pass(100);
  // The API takes 8 digits of an order hash, and 4 of a wallet, without a prefix: its last ones.
  for (const text of ["Mr Minh", "0x12ab", "0x12ab34c", "12a"]) {
    made.search(text);
    await time.pass(100);
    assert.equal(made.list.failed?.key, "list.search", text);
  }
  assert.equal(asked.length, 1);
  for (const text of ["0x12ab34cd", "12ab"]) {
    made.search(text);
    await time.pass(100);
    assert.equal(asked.at(-1)?.search, text);
  }
});

test("an answer to an earlier question changes nothing", async () => {
  const { time, made } = await listing(page(["old"]), page(["new"]));
  made.open(SITE);
  made.choose({ stand: "open" });
  await time.pass(100);
  assert.deepEqual(names(made), ["new"]);
  made.close();
  await time.pass(100);
  assert.equal(made.list.items, null);
});

test("shortcuts are single keys that no scanner types and no browser needs", () => {
  const plain = { altKey: false, ctrlKey: false, metaKey: false, shiftKey: false, repeat: false };
  for (const [command, key] of Object.entries(KEYS)) {
    assert(key.length > 1, key);
    assert.equal(commandOf({ ...plain, key }), command);
    assert.equal(commandOf({ ...plain, key, ctrlKey: true }), null);
    assert.equal(commandOf({ ...plain, key, repeat: true }), null);
  }
  assert.equal(commandOf({ ...plain, key: "a" }), null);
});

test("what cannot be searched for is told until something else is asked for", async () => {
  const { time, made } = await listing();
  made.open(SITE);
  await time.pass(100);
  made.search("Lan Nguyen");
  await time.pass(60_000);
  assert.equal(made.list.failed?.key, "list.search");
  made.refresh();
  await time.pass(100);
  assert.equal(made.list.failed, null);
});
