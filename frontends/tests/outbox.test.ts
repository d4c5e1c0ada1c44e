import assert from "node:assert/strict";
import { test } from "node:test";
import { FRESH_MS, toneOf } from "../reception/answer.ts";
import {
  dice,
  FakeDevice,
  FakeServer,
  type FakeTab,
  idOf,
  type Mood,
  Time,
} from "./console-world.ts";

const PEOPLE = ["lan", "minh"] as const;
const MOODS: readonly Mood[] = ["fine", "offline", "answers-lost", "gateway", "slow", "late"];
const ORDERS = 3;
const STEPS = 60;
const WALKS = 80;
/** Green may be seen so long after it stopped being true: what `FRESH_MS` says, and a tick. */
const GRACE_MS = FRESH_MS + 1000;

/** A press as the receptionist remembers it. */
interface Remembered {
  readonly orderId: string;
  readonly username: string;
  readonly device: FakeDevice;
}

/** Two devices, two people and a few orders, pushed about at random; checked at every redraw. */
class Walk {
  readonly time = new Time();
  readonly server = new FakeServer(this.time);
  readonly devices: readonly FakeDevice[];
  readonly pressed = new Map<string, Remembered>();
  readonly log: string[] = [];
  greens = 0;

  constructor(private readonly random: () => number) {
    this.devices = [0, 1].map(() => new FakeDevice(this.time, this.server, random));
    for (let number = 0; number < ORDERS; number += 1) this.server.order(idOf(number));
  }

  private pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)] as T;
  }

  private note(text: string): void {
    this.log.push(`${this.time.now} ${text}`);
  }

  /** What must hold whenever something is drawn. */
  readonly check = (tab: FakeTab): void => {
    const { current, presses } = tab.desk.state;
    for (const press of presses) {
      const { key, orderId, username } = press;
      const first = this.server.orders.get(orderId)?.delivery;
      if (!this.pressed.has(key)) {
        this.pressed.set(key, { orderId, username, device: tab.home });
        this.note(`${username} pressed ${key.slice(0, 4)} on ${orderId.slice(-1)}`);
      }
      if (press.outcome?.kind === "ours") {
        const byThem = first?.by === username;
        assert(first?.key === key || byThem, "told as ours, delivered by somebody else");
      }
      if (press.outcome?.kind === "other") assert(first && first.key !== key, "not another's");
      assert(press.outcome?.kind !== "refused", "nothing here is ever refused");
    }
    if (!current || !tab.desk.state.signedIn || toneOf(current.answer) !== "green") return;
    this.greens += 1;
    const order = this.server.orders.get(current.orderId ?? "");
    const username = tab.desk.session.staff?.username;
    if (current.answer === "done") {
      assert.equal(order?.delivery?.key, current.press?.key, "done, but not by this press");
      assert.equal(order?.delivery?.by, username);
      return;
    }
    const since = order?.delivery ? this.time.now - order.delivery.at : 0;
    assert(since <= GRACE_MS, `green ${since} ms after somebody delivered`);
    const waiting = presses.some((press) => press.orderId === current.orderId && !press.outcome);
    assert(!waiting, "green over a press that is not confirmed");
  };

  /** Anything that may happen at a desk. */
  async step(): Promise<void> {
    const device = this.pick(this.devices);
    const tab = device.tabs.length > 0 ? this.pick(device.tabs) : null;
    if (!tab) {
      await device.open(this.check);
      return;
    }
    const chance = this.random();
    if (!tab.desk.state.signedIn && chance < 0.6) await tab.signIn(this.pick(PEOPLE));
    else if (tab.answer === "deliverable" && chance < 0.5) tab.desk.deliver();
    else if (chance < 0.4) {
      const orderId = idOf(Math.floor(this.random() * ORDERS));
      void tab.desk.check(`5SOV://order/${orderId}`, "camera");
      await this.time.pass(this.random() * 800);
    } else if (chance < 0.5) tab.desk.next();
    else if (chance < 0.65) device.setMood(this.random() < 0.5 ? "fine" : this.pick(MOODS));
    else if (chance < 0.72) await device.reload(tab);
    else if (chance < 0.75) device.close(tab);
    else if (chance < 0.78 && device.tabs.length < 3) await device.open(this.check);
    else if (chance < 0.81) this.server.revoke(this.pick(PEOPLE));
    else if (chance < 0.84) void tab.desk.signOut();
    else if (chance < 0.86) tab.show(!tab.visible);
    else if (chance < 0.87) this.putAside(tab);
    else if (chance < 0.89) device.clockAhead = (this.random() - 0.5) * 7_200_000;
    else if (chance < 0.9) await this.time.pass(15 * 60_000);
    else if (chance < 0.92) this.crowd(device);
    else this.read(tab);
    const pauses = [10, 300, 2500, 12_000];
    await this.time.pass(this.pick(pauses) * this.random() * 2);
    for (const one of device.tabs) this.check(one);
  }

  /** The browser puts a hidden tab aside, or takes one up again. */
  private putAside(tab: FakeTab): void {
    tab.suspended = !tab.suspended;
    tab.show(!tab.suspended);
  }

  /** The API wants to be left alone, by everybody on that device, or no longer. */
  private crowd(device: FakeDevice): void {
    if (device.answers.size > 0) {
      device.answers.clear();
      return;
    }
    const body = { title: "Too many requests", status: 429, code: "TOO_MANY_REQUESTS" };
    const order = idOf(Math.floor(this.random() * ORDERS));
    for (const path of [`POST /orders/${order}/deliver`, `GET /orders/${order}`]) {
      device.answers.set(path, { status: 429, body, retryAfter: 20 });
    }
  }

  /** Somebody reads what became of a press. */
  private read(tab: FakeTab): void {
    for (const { key } of tab.desk.state.presses) tab.desk.acknowledge(key);
  }

  /** The network comes back, and everybody comes back to their device and signs in. */
  async settle(): Promise<void> {
    for (const device of this.devices) {
      device.setMood("fine");
      device.answers.clear();
      device.clockAhead = 0;
      for (const tab of [...device.tabs]) device.close(tab);
      for (const username of PEOPLE) {
        const tab = await device.open(this.check);
        await this.time.pass(500);
        assert.equal(tab.desk.state.signedIn, false);
        await tab.signIn(username);
        await this.time.pass(60_000);
        assert.deepEqual(
          tab.desk.state.presses.filter((press) => !press.outcome && press.username === username),
          [],
          "a press that is never confirmed",
        );
        device.close(tab);
      }
    }
  }

  /** What must hold in the end. */
  checkEnd(): void {
    for (const { orderId, delivery } of this.server.orders.values()) {
      const presses = [...this.pressed].filter(([, press]) => press.orderId === orderId);
      assert.equal(delivery !== null, presses.length > 0, "delivered if, and only if, pressed");
      const winner = presses.find(([key]) => key === delivery?.key);
      if (delivery) assert.equal(winner?.[1].username, delivery.by, "in the presser's own name");
    }
    for (const keys of this.server.keys.values()) {
      for (const key of keys) assert(this.pressed.has(key), "sent without a press on record");
    }
  }
}

test("whatever happens: one delivery, no lie, nothing forgotten", async () => {
  let [presses, greens, repeats] = [0, 0, 0];
  for (let seed = 1; seed <= WALKS; seed += 1) {
    const walk = new Walk(dice(seed));
    try {
      for (let step = 0; step < STEPS; step += 1) await walk.step();
      await walk.settle();
      walk.checkEnd();
    } catch (error) {
      throw new Error(`walk ${seed}: ${error}\n${walk.log.join("\n")}`, { cause: error });
    }
    presses += walk.pressed.size;
    greens += walk.greens;
    for (const keys of walk.server.keys.values()) repeats += keys.length - new Set(keys).size;
  }
  assert(presses > WALKS && greens > 10 * WALKS, `walks are too dull: ${presses}, ${greens}`);
  assert(repeats > WALKS / 5, `hardly anything was sent twice: ${repeats}`);
});
