import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, desk, FakeDevice, idOf, scan } from "./console-world.ts";

const REPLAY = 16 * 60_000;

function tooMany(retryAfter?: number, status = 429): Answer {
  const body = { title: "Not now", status, code: "NOT_NOW" };
  return { status, body, ...(retryAfter ? { retryAfter } : {}) };
}

test("too many looks are no refusal: the screen goes neutral, and the note stays", async () => {
  const { time, device, tab } = await desk();
  await scan(tab);
  tab.desk.editNote("half writ");
  device.answers.set(`GET /orders/${idOf(1)}`, tooMany());
  await time.pass(4000);
  assert.equal(tab.answer, "offline");
  device.answers.clear();
  await time.pass(4000);
  assert.equal(tab.answer, "deliverable");
  assert.equal(tab.desk.state.current?.note, "half writ");
});

test("a look that is told to wait comes back when it may", async () => {
  for (const status of [429, 503]) {
    const { time, server, device, tab } = await desk();
    device.answers.set(`GET /reception/orders/${idOf(1)}`, tooMany(20, status));
    await scan(tab);
    assert.equal(tab.answer, "offline");
    device.answers.clear();
    const before = server.asked.length;
    await time.pass(9000);
    const looks = server.asked.slice(before).filter((asked) => asked.includes(idOf(1)));
    assert.deepEqual(looks, [], `${status}`);
    await time.pass(12_000);
    assert.equal(tab.answer, "deliverable");
  }
});

test("a page that says there is no network says so no longer once anything answers", async () => {
  const { time, device, tab } = await desk();
  device.setMood("offline");
  const after = await device.reload(tab);
  await time.pass(60_000);
  assert(after.desk.state.down);
  // Browsers do not always tell.
  device.mood = "fine";
  after.desk.refreshList();
  await time.pass(100);
  assert.equal(after.desk.state.list.failed, null);
  assert(!after.desk.state.down);
});

test("a delivery that is told to wait does, however often somebody wants it sent", async () => {
  for (const status of [429, 503]) {
    const { time, server, device, order, tab } = await desk();
    await scan(tab);
    const path = `POST /orders/${idOf(1)}/deliver`;
    device.answers.set(path, tooMany(30, status));
    tab.desk.deliver();
    await time.pass(200);
    assert.equal(tab.answer, "unsure");
    device.answers.clear();
    for (let second = 0; second < 29; second += 1) {
      tab.desk.sendNow();
      tab.show(true);
      await time.pass(1000);
    }
    assert.equal(server.keys.size, 0, `${status}`);
    await time.pass(10_000);
    assert.equal(tab.answer, "done");
    assert.equal(server.keys.get(order.orderId)?.length, 1);
  }
});

test("the queue goes on after it was asked for too often", async () => {
  const { time, device, tab } = await desk();
  device.answers.set("GET /reception/orders", tooMany(15));
  await time.pass(11_000);
  assert(tab.desk.state.list.failed);
  device.answers.clear();
  await time.pass(20_000);
  assert.equal(tab.desk.state.list.failed, null);
});

test("a typed code of yesterday is found also when the network was away at first", async () => {
  for (const reloads of [false, true]) {
    const { time, server, device, tab } = await desk();
    const { orderId } = server.order("ORD_19691231_0123456789ABCDEF");
    device.setMood("offline");
    void tab.desk.check("0123456789ABCDEF", "typed");
    await time.pass(500);
    assert.equal(tab.answer, "offline");
    const after = reloads ? await device.reload(tab) : tab;
    device.setMood("fine");
    await time.pass(10_000);
    assert.equal(after.answer, "deliverable", `reloaded: ${reloads}`);
    assert.equal(after.desk.state.current?.orderId, orderId);
  }
});

test("a scan takes the question away whether to sign out", async () => {
  const { time, server, device, tab } = await desk();
  server.order(idOf(2));
  await scan(tab);
  device.setMood("offline");
  tab.desk.deliver();
  await time.pass(100);
  tab.desk.next();
  void tab.desk.signOut();
  assert(tab.desk.state.leaving);
  device.setMood("fine");
  await scan(tab, 2);
  assert(!tab.desk.state.leaving && tab.answer === "deliverable");
});

test("a press that was on its way when the screen turned green does not count", async () => {
  const { time, server, order, tab } = await desk();
  order.status = "PENDING_CHAIN";
  await scan(tab);
  order.status = "VALID";
  while (tab.answer !== "deliverable") await time.pass(10);
  await time.pass(200);
  tab.desk.deliver();
  await time.pass(50);
  assert.equal(tab.answer, "deliverable");
  assert.equal(server.keys.size, 0);
  await time.pass(200);
  tab.desk.deliver();
  await time.pass(200);
  assert.equal(tab.answer, "done");
});

test("scanning the same code once more does not wipe the note", async () => {
  const { tab } = await desk();
  await scan(tab);
  tab.desk.editNote("half writ");
  await scan(tab);
  assert.equal(tab.answer, "deliverable");
  assert.equal(tab.desk.state.current?.note, "half writ");
});

test("the note of a press that is refused after a reload is still there", async () => {
  const { time, device, order, tab } = await desk();
  await scan(tab);
  tab.desk.editNote("Room 3");
  device.setMood("offline");
  tab.desk.deliver();
  await time.pass(100);
  const after = await device.reload(tab);
  order.status = "PENDING_CHAIN";
  device.setMood("fine");
  await time.pass(10_000);
  assert.equal(after.answer, "waiting");
  order.status = "VALID";
  await time.pass(10_000);
  assert.equal(after.answer, "deliverable");
  assert.equal(after.desk.state.current?.note, "Room 3");
});

test("a press that the browser cannot keep keeps the page, and is kept once there is room", async () => {
  const { time, device, order, tab } = await desk();
  await scan(tab);
  device.shared.full = true;
  device.setMood("offline");
  tab.desk.deliver();
  await time.pass(100);
  tab.desk.next();
  assert.equal(tab.desk.state.presses.length, 1);
  assert(!tab.desk.isIdle(), "a newer build would take the press with it");
  device.shared.full = false;
  await time.pass(20_000);
  assert(tab.desk.isIdle());
  const after = await device.reload(tab);
  device.setMood("fine");
  await time.pass(20_000);
  assert.equal(after.desk.state.presses[0]?.outcome?.kind, "ours");
  assert.equal(order.delivery?.by, "lan");
});

test("a press outlives that somebody clears the storage", async () => {
  const { time, server, device, order, tab } = await desk();
  await scan(tab);
  device.setMood("answers-lost");
  tab.desk.deliver();
  device.shared.clear();
  for (const listener of tab.sharedListeners) listener();
  await time.pass(1000);
  assert.equal(tab.answer, "unsure");
  assert.equal(tab.desk.state.presses.length, 1);
  device.setMood("fine");
  await time.pass(20_000);
  assert.equal(tab.answer, "done");
  assert.equal(new Set(server.keys.get(order.orderId)).size, 1);
  assert.deepEqual(tab.desk.state.presses, []);
});

test("what became of a press is not read by signing out on another tab", async () => {
  const { time, server, device, tab } = await desk();
  const other = await device.open();
  await time.pass(100);
  const far = await new FakeDevice(time, server).open();
  await far.signIn("minh");
  await scan(far);
  await scan(tab);
  far.desk.deliver();
  tab.desk.deliver();
  await time.pass(500);
  const [loser, elsewhere] = tab.answer === "delivered" ? [tab, other] : [far, null];
  assert(elsewhere && loser.answer === "delivered");
  void elsewhere.desk.signOut();
  await time.pass(500);
  assert.equal(loser.desk.state.signedIn, false);
  await loser.signIn("lan");
  assert.equal(loser.desk.state.presses[0]?.outcome?.kind, "other");
});

test("a tab that was put aside shows nothing of who signed out meanwhile", async () => {
  const { time, device, tab } = await desk();
  const other = await device.open();
  await time.pass(100);
  await scan(tab);
  tab.suspended = true;
  tab.show(false);
  void other.desk.signOut();
  await time.pass(500);
  await other.signIn("minh");
  tab.suspended = false;
  tab.show(true);
  assert.equal(tab.desk.state.current, null);
  assert.equal(tab.desk.session.staff?.username, "minh");
});

test("a tab that was put aside takes no green for new over another tab's press", async () => {
  const { time, server, device, tab } = await desk();
  const other = await device.open();
  await time.pass(100);
  await scan(tab);
  await scan(other);
  tab.suspended = true;
  device.setMood("offline");
  other.desk.deliver();
  await time.pass(100);
  tab.suspended = false;
  tab.desk.deliver();
  assert(tab.answer !== "deliverable");
  device.setMood("fine");
  await time.pass(20_000);
  assert.equal(new Set(server.keys.get(idOf(1))).size, 1);
});

test("a browser that refuses a lock once does not keep a press from being sent", async () => {
  for (const refused of [1, 2, 3]) {
    const { time, device, tab } = await desk();
    await scan(tab);
    device.locksRefused = refused;
    tab.desk.deliver();
    await time.pass(20_000);
    assert.equal(tab.answer, "done", `${refused} times`);
  }
});

test("signing out ends the session at the API also when the access token ran out", async () => {
  const { time, server, tab } = await desk();
  tab.show(false);
  await time.pass(REPLAY);
  void tab.desk.signOut();
  await time.pass(1000);
  assert.equal(server.sessions.length, 0);
});

test("the first tab of a day ends at the API what nobody ended", async () => {
  const { time, server, device, tab } = await desk();
  device.close(tab);
  await time.pass(REPLAY);
  await device.open();
  await time.pass(1000);
  assert.equal(server.sessions.length, 0);
});

test("a closed tab that the browser brings back later asks for a password", async () => {
  for (const [minutes, signedIn] of [
    [2, true],
    [20, false],
  ] as const) {
    const { time, device, tab } = await desk();
    await time.pass(3_600_000);
    device.close(tab);
    await time.pass(minutes * 60_000);
    const again = await device.open(() => {}, tab.own);
    assert.equal(again.desk.state.signedIn, signedIn, `after ${minutes} min`);
  }
});

test("what became of an earlier press does not sound like the case on the screen", async () => {
  const { time, server, device, tab } = await desk();
  server.order(idOf(2)).status = "CANCELLED";
  await scan(tab);
  device.setMood("offline");
  tab.desk.deliver();
  await time.pass(100);
  tab.desk.next();
  device.setMood("fine");
  tab.told.length = 0;
  await scan(tab, 2);
  await time.pass(10_000);
  assert.equal(tab.answer, "cancelled");
  assert.equal(tab.desk.state.presses[0]?.outcome?.kind, "ours");
  assert.deepEqual(tab.told, ["cancelled"]);
});

test("losing the role does not turn a delivery whose answer was lost into none", async () => {
  const { time, device, order, tab } = await desk();
  await scan(tab);
  device.setMood("answers-lost");
  tab.desk.deliver();
  await time.pass(300);
  assert.equal(order.delivery?.by, "lan");
  device.setMood("fine");
  const body = { title: "no", status: 403, code: "FORBIDDEN_ROLE" };
  device.answers.set(`POST /orders/${idOf(1)}/deliver`, { status: 403, body });
  await time.pass(20_000);
  assert.equal(tab.answer, "unsure");
  device.answers.clear();
  await time.pass(20_000);
  assert.equal(tab.answer, "done");
});

test("a sign-in whose answer comes late shows nothing of who came before", async () => {
  const { time, device, tab } = await desk();
  void tab.desk.signOut();
  await time.pass(200);
  const other = await device.open();
  device.moods.set("/auth/login", "slow");
  void tab.desk.signIn("lan", "secret");
  await time.pass(100);
  device.moods.clear();
  await other.signIn("minh");
  await time.pass(100);
  assert.equal(tab.desk.session.staff?.username, "minh");
  await scan(tab);
  tab.desk.editNote("of minh");
  await time.pass(9000);
  assert.equal(tab.desk.session.staff?.username, "lan");
  assert.equal(tab.desk.state.current, null);
});

test("a full disk keeps no token that was spent, and none after signing out", async () => {
  const { time, device, tab } = await desk();
  device.shared.full = true;
  await time.pass(40 * 60_000);
  assert(tab.desk.state.signedIn);
  void tab.desk.signOut();
  await time.pass(500);
  assert.equal(tab.desk.state.signedIn, false);
  assert.doesNotMatch(device.shared.getItem("5sov.session") ?? "", /refreshToken/);
});

test("pages of a Wi-Fi portal are no answer, whatever they are about", async () => {
  for (const body of [null, {}, [], "x", { orderId: idOf(2), alreadyDelivered: false }]) {
    const { time, device, order, tab } = await desk();
    await scan(tab);
    const answer = { status: 200, body };
    for (const path of [
      `POST /orders/${idOf(1)}/deliver`,
      `GET /orders/${idOf(1)}`,
      `GET /reception/orders/${idOf(1)}`,
      "GET /reception/orders",
      "POST /auth/refresh",
    ]) {
      device.answers.set(path, answer);
    }
    tab.desk.deliver();
    await time.pass(REPLAY);
    assert.equal(tab.answer, "unsure", JSON.stringify(body));
    tab.desk.next();
    await scan(tab, 3);
    assert(tab.desk.state.signedIn);
    device.answers.clear();
    await time.pass(60_000);
    assert.equal(order.delivery?.by, "lan");
  }
});
