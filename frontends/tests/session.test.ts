import assert from "node:assert/strict";
import { test } from "node:test";
import {
  desk,
  FakeDevice,
  FakeServer,
  idOf,
  OTHER_SITE,
  SITE,
  scan,
  Time,
} from "./console-world.ts";

const QUARTER = 16 * 60_000;

function world() {
  const time = new Time();
  const server = new FakeServer(time);
  return { time, server, device: new FakeDevice(time, server) };
}

function refreshes(server: FakeServer): number {
  return server.asked.filter((request) => request === "POST /auth/refresh").length;
}

test("an access token that ran out is renewed once, for all requests and tabs", async () => {
  const { time, server, device } = world();
  const first = await device.open();
  await first.signIn();
  const second = await device.open();
  await time.pass(1000);
  assert(second.desk.state.signedIn, "another tab is signed in as well");
  await time.pass(QUARTER);
  assert.equal(refreshes(server), 1);
  await time.pass(2 * QUARTER);
  assert.equal(refreshes(server), 3);
  assert(first.desk.state.signedIn && second.desk.state.signedIn);
});

test("two tabs that are refused at the same moment do not spend the same token twice", async () => {
  const { time, server, device } = world();
  const [one, two] = [await device.open(), await device.open()];
  await one.signIn();
  await time.pass(100);
  for (const session of server.sessions) session.accessUntil = 0;
  one.desk.refreshList();
  two.desk.refreshList();
  await time.pass(1000);
  assert.equal(refreshes(server), 1);
  assert(one.desk.state.signedIn && two.desk.state.signedIn);
  assert.equal(one.desk.state.list.failed ?? two.desk.state.list.failed, null);
});

test("a request of one person is never repeated in the name of the next", async () => {
  const { time, server, device } = world();
  const order = server.order(idOf(1));
  const [one, two] = [await device.open(), await device.open()];
  await one.signIn("lan");
  await time.pass(100);
  await scan(one);
  for (const session of server.sessions) session.accessUntil = 0;
  device.moods.set(`/orders/${idOf(1)}/deliver`, "slow");
  one.desk.deliver();
  await time.pass(1000);
  void two.desk.signOut();
  void two.desk.signOut();
  await time.pass(500);
  await two.signIn("minh");
  await time.pass(15_000);
  assert.equal(one.desk.session.staff?.username, "minh");
  assert.equal(order.delivery, null);
  assert.equal(one.desk.state.presses.length, 1);
});

test("a note outlives another person's turn on another tab", async () => {
  const { time, server, device } = world();
  server.order(idOf(1));
  const [one, two] = [await device.open(), await device.open()];
  await one.signIn("lan");
  await time.pass(100);
  await scan(one);
  one.desk.editNote("kept");
  server.revoke("lan");
  await time.pass(15_000);
  await two.signIn("minh");
  await time.pass(500);
  void two.desk.signOut();
  await time.pass(500);
  await one.signIn("lan");
  await time.pass(500);
  assert.equal(one.desk.state.current?.note, "kept");
});

test("a reload goes on without asking anybody, the first tab of a day signs in", async () => {
  const { time, server, device } = world();
  const before = await device.open();
  await before.signIn();
  device.setMood("offline");
  const after = await device.reload(before);
  assert(after.desk.state.signedIn && after.desk.state.ready);
  assert.equal(after.desk.state.site, SITE);
  device.close(after);
  device.setMood("fine");
  const nextDay = await device.open();
  await time.pass(1000);
  assert.equal(nextDay.desk.state.signedIn, false);
  assert.equal(server.sessions.length, 0, "what nobody uses any more is ended");
});

test("a session that ends keeps the case and its note for the same person only", async () => {
  const { time, server, tab } = await desk();
  await scan(tab);
  tab.desk.editNote("half writ");
  server.revoke("lan");
  tab.desk.refreshList();
  await time.pass(500);
  assert.equal(tab.desk.state.signedIn, false);
  assert.equal(tab.desk.state.notice?.key, "login.ended");
  assert.equal(tab.desk.state.current, null);

  await tab.signIn("minh");
  await time.pass(500);
  assert.equal(tab.desk.state.current, null, "nobody sees another's case");
  void tab.desk.signOut();
  await time.pass(100);
  await tab.signIn("lan");
  await time.pass(500);
  assert.equal(tab.answer, "deliverable");
  assert.equal(tab.desk.state.current?.note, "half writ");
});

test("signing out wipes the case, on all tabs", async () => {
  const { time, server, device } = world();
  server.order(idOf(1));
  const [one, two] = [await device.open(), await device.open()];
  await one.signIn("lan");
  await time.pass(100);
  assert(two.desk.state.signedIn);
  await scan(two);
  two.desk.editNote("secret note");
  void one.desk.signOut();
  await time.pass(500);
  assert.equal(two.desk.state.signedIn, false);
  assert.equal(two.desk.state.notice, null);
  assert.equal(server.sessions.length, 0);
  await two.signIn("lan");
  await time.pass(500);
  assert.equal(two.desk.state.current, null);
  assert.equal(one.desk.state.signedIn, true);
});

test("another person on another tab takes the device over", async () => {
  const { time, server, device } = world();
  server.order(idOf(1));
  const one = await device.open();
  await one.signIn("lan");
  await scan(one);
  const two = await device.open();
  await time.pass(100);
  void two.desk.signOut();
  await time.pass(100);
  await two.signIn("minh");
  await time.pass(500);
  assert.equal(one.desk.session.staff?.username, "minh");
  assert.equal(one.desk.state.current, null);
});

test("a lost answer to a renewal is asked for again, and nobody notices", async () => {
  const { time, server, device, tab } = await desk();
  device.moods.set("/auth/refresh", "answers-lost");
  // Nobody has to come back to the tab for that.
  await time.pass(15 * 60_000 + 10_500);
  tab.show(false);
  await time.pass(10_000);
  assert(refreshes(server) > 1);
  device.moods.clear();
  tab.show(true);
  await time.pass(20_000);
  assert(tab.desk.state.signedIn);
  assert.equal(tab.desk.state.list.failed, null);
});

test("renewals whose answers are lost for too long cost a sign-in and nothing else", async () => {
  const { time, device, tab } = await desk();
  await scan(tab);
  tab.desk.editNote("kept");
  device.moods.set("/auth/refresh", "answers-lost");
  await time.pass(QUARTER + 60_000);
  device.moods.clear();
  await time.pass(60_000);
  assert.equal(tab.desk.state.signedIn, false);
  await tab.signIn("lan");
  await time.pass(500);
  assert.equal(tab.desk.state.current?.note, "kept");
});

test("while renewals get no answer nobody is signed out", async () => {
  const { time, device, tab } = await desk();
  device.setMood("offline");
  await time.pass(QUARTER);
  assert(tab.desk.state.signedIn);
  device.setMood("fine");
  await time.pass(60_000);
  assert(tab.desk.state.signedIn);
  assert.equal(tab.desk.state.list.failed, null);
});

test("the end of the session is told ten minutes ahead", async () => {
  const { time, tab } = await desk();
  await time.pass(7 * 3_600_000 + 49 * 60_000);
  assert.equal(tab.desk.state.endsIn, null);
  await time.pass(2 * 60_000);
  assert.equal(tab.desk.state.endsIn, 9);
  await time.pass(10 * 60_000);
  assert.equal(tab.desk.state.signedIn, false);
});

test("a site that is taken away is left, and the open case comes back with its note", async () => {
  const { time, server, tab } = await desk();
  await scan(tab);
  tab.desk.editNote("kept");
  server.change("lan", { sites: [] });
  await time.pass(11_000);
  assert.equal(tab.desk.state.site, null);
  assert.equal(tab.desk.state.notice?.key, "site.taken");
  server.change("lan", { sites: [SITE] });
  void tab.desk.session.reload();
  await time.pass(100);
  tab.desk.chooseSite(SITE);
  await time.pass(500);
  assert.equal(tab.desk.state.current?.note, "kept");
});

test("a site that was taken away is named in the language of whoever reads it", async () => {
  const { time, server, tab } = await desk();
  server.change("lan", { sites: [OTHER_SITE, "HN_5S"] });
  await time.pass(11_000);
  assert.match(tab.page, /You are no longer assigned to ROX Tower/);
  tab.language = "vi";
  assert.match(tab.page, /Bạn không còn được phân công tại Tháp ROX/);
});

test("who has no site yet looks again once one is assigned", async () => {
  const { time, server, device } = world();
  server.change("lan", { sites: [] });
  const tab = await device.open();
  await tab.signIn();
  assert.match(tab.page, /No site is assigned to you/);
  device.setMood("offline");
  void tab.desk.lookForSites();
  await time.pass(10_000);
  assert.equal(tab.desk.state.notice?.key, "login.offline");
  device.setMood("fine");
  server.change("lan", { sites: [SITE] });
  void tab.desk.lookForSites();
  await time.pass(500);
  assert.equal(tab.desk.state.site, SITE);
  assert.equal(tab.desk.state.notice, null);
});

test("too many attempts to sign in are told as that, however long they lock", async () => {
  const { time, device } = world();
  const tab = await device.open();
  const problem = { title: "t", status: 429, code: "RATE_LIMITED" };
  device.answers.set("POST /auth/login", { status: 429, body: problem });
  await tab.signIn();
  assert.match(tab.page, /Too many attempts\. Try again in some minutes\./);
  device.answers.set("POST /auth/login", { status: 429, body: problem, retryAfter: 60 });
  await tab.signIn();
  assert.match(tab.page, /Too many attempts\. Try again in 60 seconds\./);
  device.answers.delete("POST /auth/login");
  void tab.desk.signIn("lan", "wrong");
  await time.pass(100);
  assert.match(tab.page, /User name or password is wrong/);
});

test("a password that must change comes first, and the case after it", async () => {
  const { time, server, tab } = await desk();
  await scan(tab);
  tab.desk.editNote("kept");
  server.change("lan", { mustChangePassword: true });
  await time.pass(11_000);
  assert(tab.desk.session.staff?.mustChangePassword);
  assert.equal(tab.desk.state.current, null);
  void tab.desk.changePassword("secret", "correct horse battery");
  await time.pass(500);
  assert.equal(tab.answer, "deliverable");
  assert.equal(tab.desk.state.current?.note, "kept");
});

test("a password chosen on one tab is chosen on all", async () => {
  const { time, server, device } = world();
  server.order(idOf(1));
  const [one, two] = [await device.open(), await device.open()];
  await one.signIn("lan");
  await scan(two);
  two.desk.editNote("kept");
  server.change("lan", { mustChangePassword: true });
  one.desk.refreshList();
  await time.pass(500);
  assert(two.desk.session.staff?.mustChangePassword);
  assert.equal(two.desk.state.current, null, "nothing is handed over before");
  assert.equal(two.desk.state.site, null);
  void one.desk.changePassword("secret", "correct horse battery");
  await time.pass(500);
  for (const { desk } of [one, two]) {
    assert.equal(desk.session.staff?.mustChangePassword, false);
    assert.equal(desk.state.site, SITE);
  }
  assert.equal(two.answer, "deliverable");
  assert.equal(two.desk.state.current?.note, "kept");
});

test("a session that ends while a password is chosen is told as what it is", async () => {
  const { time, server, device } = world();
  server.change("lan", { mustChangePassword: true });
  const [one, two] = [await device.open(), await device.open()];
  await one.signIn("lan");
  await time.pass(100);
  server.revoke("lan");
  void one.desk.changePassword("secret", "correct horse battery");
  await time.pass(500);
  for (const { desk } of [one, two]) {
    assert.equal(desk.state.signedIn, false);
    assert.equal(desk.state.notice?.key, "login.ended");
  }
});

test("a password whose answer comes late is not taken for the next person's", async () => {
  const { time, server, device } = world();
  server.change("lan", { mustChangePassword: true });
  server.change("minh", { mustChangePassword: true });
  const [one, two] = [await device.open(), await device.open()];
  await one.signIn("lan");
  await time.pass(100);
  device.moods.set("/auth/password", "slow");
  void one.desk.changePassword("secret", "correct horse battery");
  await time.pass(100);
  void two.desk.signOut();
  await time.pass(100);
  await two.signIn("minh");
  await time.pass(10_000);
  for (const { desk } of [one, two]) {
    assert(desk.session.staff?.mustChangePassword, "minh has chosen none yet");
    assert.equal(desk.state.notice, null);
  }
  assert(!server.asked.some((asked) => asked.includes("/reception")), "nobody is at the desk");
});
