import assert from "node:assert/strict";
import { test } from "node:test";
import { FRESH_MS } from "../reception/answer.ts";
import { desk, FakeDevice, idOf, OTHER_SITE, SITE, scan } from "./console-world.ts";

test("a delivery is one press, told as done, and leaves nothing behind", async () => {
  const { time, device, order, tab } = await desk();
  await scan(tab);
  assert.equal(tab.answer, "deliverable");
  tab.desk.editNote("  left the key ");
  tab.desk.deliver();
  assert.equal(tab.answer, "sending");
  tab.desk.deliver();
  tab.desk.next();
  assert.equal(tab.answer, "sending", "a press is not wiped away");
  await time.pass(200);
  assert.equal(tab.answer, "done");
  assert.equal(order.delivery?.note, "left the key");
  assert.deepEqual(tab.desk.state.presses, []);
  const after = await device.reload(tab);
  await time.pass(500);
  assert.equal(after.answer, null);
});

test("a green that nobody can confirm turns neutral, and its press does not count", async () => {
  const { time, server, device, tab } = await desk();
  await scan(tab);
  device.setMood("late");
  await time.pass(FRESH_MS - 1000);
  assert.equal(tab.answer, "deliverable");
  await time.pass(1500);
  assert.equal(tab.answer, "offline");
  tab.desk.deliver();
  device.setMood("fine");
  await time.pass(30_000);
  assert.equal(tab.answer, "deliverable");
  assert.equal(server.keys.size, 0);
});

test("a device that slept does not trust the green it wakes up with", async () => {
  const { server, device, tab } = await desk();
  await scan(tab);
  // Timers and the clock that never goes back stand still while some devices sleep.
  device.clockAhead = 3_600_000;
  tab.desk.deliver();
  assert.equal(tab.answer, "offline");
  assert.equal(server.keys.size, 0);
});

test("setting the clock back does not keep a green alive", async () => {
  const { time, device, tab } = await desk();
  await scan(tab);
  device.setMood("late");
  device.clockAhead = -86_400_000;
  await time.pass(FRESH_MS + 1000);
  assert.equal(tab.answer, "offline");
});

test("the green goes when the network does, and comes back with it", async () => {
  const { time, device, tab } = await desk();
  await scan(tab);
  device.setMood("offline");
  await time.pass(3500);
  assert.equal(tab.answer, "offline");
  device.setMood("fine");
  await time.pass(3500);
  assert.equal(tab.answer, "deliverable");
});

test("a lost answer is amber until it is known, and was one delivery", async () => {
  for (const mood of ["answers-lost", "gateway", "late", "slow"] as const) {
    const { time, server, device, order, tab } = await desk();
    await scan(tab);
    device.setMood(mood);
    tab.desk.deliver();
    await time.pass(3000);
    assert.equal(tab.answer, "unsure", mood);
    assert.equal(tab.desk.state.presses.length, 1);
    await time.pass(5000);
    device.setMood("fine");
    await time.pass(20_000);
    assert.equal(tab.answer, "done", mood);
    assert.equal(new Set(server.keys.get(order.orderId)).size, 1, mood);
    assert.deepEqual(tab.desk.state.presses, []);
  }
});

test("a queued press survives reload and closing, and is sent after signing in again", async () => {
  const { time, device, order, tab } = await desk();
  await scan(tab);
  device.setMood("offline");
  tab.desk.deliver();
  await time.pass(100);
  assert.equal(tab.answer, "unsure");
  const reloaded = await device.reload(tab);
  await time.pass(500);
  assert.equal(reloaded.answer, "unsure", "the case comes back as it is, not as green");
  reloaded.desk.next();
  device.close(reloaded);
  device.setMood("fine");
  await time.pass(60_000);
  assert.equal(order.delivery, null);
  const later = await device.open();
  await time.pass(100);
  assert.equal(later.desk.state.presses.length, 1, "it is told before anybody signs in");
  await later.signIn("lan");
  await time.pass(500);
  assert.equal(order.delivery?.by, "lan");
  const [press] = later.desk.state.presses;
  assert.equal(press?.outcome?.kind, "ours");
  assert(later.told.includes("done"));
  later.desk.acknowledge(press?.key ?? "");
  assert.deepEqual(later.desk.state.presses, []);
});

test("the next customer is served while a delivery waits", async () => {
  const { time, server, device, tab } = await desk();
  server.order(idOf(2));
  await scan(tab);
  device.setMood("offline");
  tab.desk.deliver();
  await time.pass(100);
  tab.desk.next();
  device.setMood("fine");
  await scan(tab, 2);
  assert.equal(tab.answer, "deliverable");
  await time.pass(2000);
  assert.equal(tab.desk.state.presses[0]?.outcome?.kind, "ours");
  assert.equal(tab.answer, "deliverable");
});

test("an order that was pressed is never green again on this device", async () => {
  const { time, device, server, tab } = await desk();
  await scan(tab);
  device.setMood("offline");
  tab.desk.deliver();
  await time.pass(100);
  tab.desk.next();
  server.revoke("lan");
  device.setMood("fine");
  await time.pass(15_000);
  assert.equal(tab.desk.state.signedIn, false);
  await tab.signIn("minh");
  await scan(tab);
  assert.equal(tab.answer, "unsure", "pressed by somebody else");
  assert.equal(tab.desk.state.current?.press?.username, "lan");
  tab.desk.next();
  void tab.desk.signOut();
  await time.pass(200);
  await tab.signIn("lan");
  await time.pass(500);
  assert.equal(tab.desk.state.presses[0]?.outcome?.kind, "ours");
});

test("what another desk did settles a press whose person does not come back", async () => {
  const { time, device, server, order, tab } = await desk();
  const other = await new FakeDevice(time, server).open();
  await other.signIn("minh");
  await scan(tab);
  device.setMood("offline");
  tab.desk.deliver();
  await time.pass(100);
  tab.desk.next();
  await scan(other);
  other.desk.deliver();
  await time.pass(200);
  assert.equal(other.answer, "done");
  server.revoke("lan");
  device.setMood("fine");
  await time.pass(15_000);
  await tab.signIn("minh");
  await scan(tab);
  assert.equal(tab.answer, "delivered");
  const [press] = tab.desk.state.presses;
  assert(press?.outcome?.kind === "other" && press.outcome.delivery.deliveredBy === "minh");
  assert.equal(order.delivery?.by, "minh");
});

test("two desks at once: one delivery, both told the truth", async () => {
  const { time, server, order, tab } = await desk();
  const other = await new FakeDevice(time, server).open();
  await other.signIn("minh");
  await scan(tab);
  await scan(other);
  tab.desk.deliver();
  other.desk.deliver();
  await time.pass(500);
  const [winner, loser] = order.delivery?.by === "lan" ? [tab, other] : [other, tab];
  assert.equal(winner.answer, "done");
  assert.equal(loser.answer, "delivered");
  assert.equal(loser.desk.state.current?.delivery?.deliveredBy, order.delivery?.by);
  assert.equal(loser.desk.state.presses.length, 1, "kept until it was read");
  loser.desk.next();
  assert.deepEqual(loser.desk.state.presses, []);
});

test("a refusal is told with what is true now", async () => {
  const { time, order, tab } = await desk();
  await scan(tab);
  order.status = "PENDING_CHAIN";
  tab.desk.deliver();
  await time.pass(500);
  assert.equal(tab.answer, "waiting");
  assert.equal(tab.desk.state.current?.notice?.key, "deliver.refused");
  assert.match(tab.page, /Not recorded: do not hand it over\. The order is not final/);
  order.status = "VALID";
  await time.pass(5000);
  assert.equal(tab.answer, "deliverable");
  assert.match(tab.page, /Press Deliver once more/);
  assert.doesNotMatch(tab.page, /not final/);
  tab.desk.deliver();
  await time.pass(500);
  assert.equal(tab.answer, "done");
});

test("a green tells what refused the last press, where it may refuse the next as well", async () => {
  const { time, device, order, tab } = await desk();
  await scan(tab);
  const problem = { title: "t", status: 409, code: "SOMETHING_NEW", requestId: "4d1f" };
  device.answers.set(`POST /orders/${order.orderId}/deliver`, { status: 409, body: problem });
  tab.desk.deliver();
  await time.pass(500);
  assert.equal(tab.answer, "deliverable");
  assert.match(tab.page, /Press Deliver once more.*SOMETHING_NEW.*4d1f/);
});

test("signing out with deliveries that are not confirmed asks first, and keeps them", async () => {
  const { time, device, order, tab } = await desk();
  await scan(tab);
  device.setMood("offline");
  tab.desk.deliver();
  await time.pass(100);
  tab.desk.next();
  void tab.desk.signOut();
  await time.pass(100);
  assert(tab.desk.state.leaving && tab.desk.state.signedIn);
  tab.desk.stay();
  assert.equal(tab.desk.state.leaving, false);
  void tab.desk.signOut();
  void tab.desk.signOut();
  await time.pass(100);
  assert.equal(tab.desk.state.signedIn, false);
  assert.equal(tab.desk.state.presses.length, 1);
  device.setMood("fine");
  await time.pass(60_000);
  assert.equal(order.delivery, null, "nobody delivers in the name of somebody who left");
  await tab.signIn("lan");
  await time.pass(500);
  assert.equal(order.delivery?.by, "lan");
});

test("two tabs send a press once and both learn its outcome", async () => {
  const { time, server, device, order, tab } = await desk();
  const second = await device.open();
  await time.pass(100);
  await scan(tab);
  device.setMood("offline");
  tab.desk.deliver();
  await time.pass(100);
  assert.equal(second.desk.state.presses.length, 1);
  device.setMood("fine");
  await time.pass(10_000);
  assert.equal(tab.answer, "done");
  assert.equal(server.keys.get(order.orderId)?.length, 1);
  assert.deepEqual(second.desk.state.presses, []);
});

test("a late answer about an earlier code changes nothing", async () => {
  const { time, server, device, tab } = await desk();
  server.order(idOf(2), OTHER_SITE);
  device.setMood("slow");
  void tab.desk.check(idOf(1), "camera");
  await time.pass(1000);
  device.setMood("fine");
  await scan(tab, 2);
  assert.equal(tab.answer, "wrong-site");
  await time.pass(15_000);
  assert.equal(tab.desk.state.current?.orderId, idOf(2));
  assert.equal(tab.answer, "wrong-site");
});

test("a typed code finds the order of today, of yesterday, or of a slow clock's tomorrow", async () => {
  const { time, server, tab } = await desk();
  const code = "0123456789ABCDEF";
  for (const day of ["19700101", "19691231", "19700102"]) {
    server.orders.clear();
    const { orderId } = server.order(`ORD_${day}_${code}`);
    tab.desk.type("0123 4567 89ab cdef");
    void tab.desk.check(tab.desk.state.code, "typed");
    await time.pass(500);
    assert.equal(tab.answer, "deliverable", day);
    assert.equal(tab.desk.state.current?.orderId, orderId);
    tab.desk.next();
  }
  server.orders.clear();
  void tab.desk.check(code, "typed");
  await time.pass(500);
  assert.equal(tab.answer, "unknown");
});

test("a code that is not ours is told apart, whichever way it came", async () => {
  const { tab } = await desk();
  await tab.desk.check("https://example.com", "typed");
  assert.equal(tab.desk.state.notice?.key, "parse.url");
  assert.equal(tab.answer, null);
  await tab.desk.check("https://example.com", "wedge");
  assert.equal(tab.answer, "foreign");
  assert.equal(tab.desk.state.current?.notice?.key, "parse.url");
});

test("a scan that cannot be read leaves no green of the customer before", async () => {
  const { time, order, tab } = await desk();
  await tab.desk.check("7K2M", "typed");
  await scan(tab);
  assert.equal(tab.answer, "deliverable");
  tab.desk.wedgeUnreadable();
  tab.desk.deliver();
  await time.pass(5000);
  assert.equal(tab.answer, "foreign");
  assert.equal(tab.told.at(-1), "foreign");
  assert.match(tab.page, /Could not read it\nThe Vietnamese typing tool/);
  assert.doesNotMatch(tab.page, /Hand it over|Deliver|not complete/);
  assert.equal(order.delivery, null);
});

test("a code that is not ours takes away what was said before", async () => {
  const { tab } = await desk();
  await tab.desk.check("7K2M", "typed");
  assert.match(tab.page, /not complete/);
  await tab.desk.check("https://example.com", "wedge");
  assert.doesNotMatch(tab.page, /not complete/);
  tab.desk.next();
  assert.doesNotMatch(tab.page, /not complete/);
});

test("the page may be replaced between customers, and at no other time", async () => {
  const { time, device, tab } = await desk();
  assert(tab.desk.isIdle());
  tab.desk.type("0123");
  assert(!tab.desk.isIdle());
  tab.desk.type("");
  await scan(tab);
  assert(!tab.desk.isIdle());
  device.setMood("offline");
  tab.desk.deliver();
  await time.pass(100);
  assert(!tab.desk.isIdle());
  tab.desk.next();
  assert(tab.desk.isIdle(), "what is in the outbox outlives the page");
  void tab.desk.signOut();
  assert(!tab.desk.isIdle());
});

test("the input method and the device go with the look and the delivery", async () => {
  const { time, tab } = await desk();
  tab.desk.nameDevice("Quầy Đón 1");
  const seen: Record<string, string>[] = [];
  const { server } = tab.home;
  const answer = server.answer.bind(server);
  server.answer = (method, url, headers, body) => {
    if (url.includes("/orders/")) seen.push(headers);
    return answer(method, url, headers, body);
  };
  await scan(tab);
  tab.desk.deliver();
  await time.pass(200);
  assert.deepEqual(
    seen.map((headers) => headers["X-Input-Method"]),
    ["camera", "camera"],
  );
  for (const headers of seen)
    assert.match(headers["X-Device-Id"] ?? "", /^[0-9a-f]{32} Quay Don 1$/);
  assert.equal(tab.desk.state.site, SITE);
});

test("the key for the camera opens none behind a delivery that is on its way", async () => {
  const { time, device, tab } = await desk();
  await scan(tab);
  device.setMood("slow");
  tab.desk.deliver();
  tab.desk.next();
  tab.desk.openCamera();
  assert.equal(tab.answer, "sending");
  assert.equal(tab.desk.state.camera.phase, "off");
  await time.pass(20_000);
  tab.desk.next();
  tab.desk.openCamera();
  assert.equal(tab.desk.state.camera.phase, "starting");
});

test("checking nothing says what is missing", async () => {
  const { tab } = await desk();
  void tab.desk.check(" ", "typed");
  assert.equal(tab.desk.state.notice?.key, "parse.incomplete");
});

test("no newer build takes over while somebody looks through other days", async () => {
  const { tab } = await desk();
  assert(tab.desk.isIdle());
  for (const change of [{ from: "2026-11-01" }, { search: "beef" }]) {
    tab.desk.filter(change);
    assert(!tab.desk.isIdle());
    tab.desk.filter({ from: null, search: "" });
    assert(tab.desk.isIdle());
  }
});

test("a code that begins like a hexadecimal number is found by the search as well", async () => {
  const { time, server, tab } = await desk();
  const { orderId } = server.order("ORD_19700101_0X123456789ZYXWV");
  void tab.desk.search("0x12 3456 789z yxwv");
  await time.pass(600);
  assert.equal(tab.desk.state.current?.orderId, orderId);
  tab.desk.next();
  void tab.desk.search("0x123456789abcde");
  await time.pass(600);
  assert.equal(tab.desk.state.list.filter.search, "0x123456789abcde");
});

test("an order that something else was redeemed for is not listed as one without a redemption", async () => {
  const { time, device, tab } = await desk();
  const item = {
    orderHash: `0x${"1".repeat(64)}`,
    tokenId: 1001,
    amount: 1,
    siteId: "HCM_ROX_T09",
    status: "CREATED",
    createdAt: 1_790_000_000,
    customerAddressMasked: "0x7099…79C8",
  };
  const list = async (more: object) => {
    const body = { items: [{ ...item, ...more }], nextCursor: null };
    device.answers.set("GET /reception/orders", { status: 200, body });
    await time.pass(60_000);
    return tab.page;
  };
  assert.match(await list({}), /1\s*Not redeemed/);
  const misfit = await list({ exception: "WRONG_AMOUNT" });
  assert.match(misfit, /Does not match/);
  assert.doesNotMatch(misfit, /Not redeemed/);
});
