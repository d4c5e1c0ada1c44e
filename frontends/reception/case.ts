import type { Api, InputMethod } from "../shared/api.ts";
import { ApiError } from "../shared/api.ts";
import { type Poll, pauseOf, poll } from "../shared/poll.ts";
import { Kept } from "../shared/storage.ts";
import type { ReceptionView } from "../shared/wire.ts";
import { type Answer, answerTo, FRESH_MS, lookEvery } from "./answer.ts";
import type { Device } from "./device.ts";
import { failure, isPassing, type Notice } from "./notice.ts";
import type { Delivery, Outbox, Press } from "./outbox.ts";

/** The code on the screen and what is known about it. */
export interface Case {
  readonly orderId: string | null;
  /** What the code may mean instead, while no order was found. */
  readonly others: readonly string[];
  readonly method: InputMethod;
  readonly answer: Answer;
  readonly view: ReceptionView | null;
  /** The one delivery of the order, where a press on this device led to it or met it. */
  readonly delivery: Delivery | null;
  /** The press on "deliver" that this case waits for, or is about. */
  readonly press: Press | null;
  readonly note: string;
  readonly notice: Notice | null;
  /** Whether the green has been there for long enough that a press was meant for it. */
  readonly seen: boolean;
}

/** What a case needs to know of the desk around it. */
export interface Surroundings {
  site(): string | null;
  username(): string | null;
  deviceName(): string;
  /** Told of every refusal; answers whether the desk goes elsewhere because of it. */
  refused(error: ApiError): boolean;
  /** Told what fills the screen now, for those who listen rather than look. */
  tell(answer: Answer): void;
  changed(): void;
}

interface KeptCase {
  readonly orderIds: readonly string[];
  readonly method: InputMethod;
  readonly note: string;
}

/** How long a press may wait for its answer before the screen says that nothing is sure. */
const PATIENCE_MS = 2500;
const AGE_CHECK_MS = 1000;
/** A press so soon after the screen turned green was meant for what was there before. */
const SEEING_MS = 300;

/**
 * The order on the screen: asked about, followed while it may change, delivered.
 *
 * Green is shown only for what the API answered less than `FRESH_MS` ago, by a clock that setting
 * the time cannot turn back; a press counts on that green alone.
 */
export class Counter {
  current: Case | null = null;
  private looking: Poll | null = null;
  /** Counts what was looked at, so that a late answer about something else changes nothing. */
  private looked = 0;
  /** When the answer on the screen was asked for. */
  private askedAt = { elapsed: Number.NEGATIVE_INFINITY, time: 0 };
  private cancelTimer = () => {};

  constructor(
    private readonly api: Pick<Api, "order" | "receptionOrder">,
    private readonly device: Device,
    private readonly outbox: Outbox,
    private readonly desk: Surroundings,
  ) {
    device.onVisible(() => this.checkAge());
  }

  /** Asks about the first of `orderIds` that exists, and follows it while it may change. */
  async open(
    orderIds: readonly string[],
    method: InputMethod,
    // A code that is read twice is still the same customer's.
    note = orderIds.includes(this.current?.orderId ?? "") ? (this.current?.note ?? "") : "",
    notice: Notice | null = null,
  ): Promise<void> {
    const [orderId, ...others] = orderIds;
    if (!orderId) return;
    this.stop();
    const pressed = this.outbox.unsettled(orderIds);
    if (pressed && pressed.username === this.desk.username()) {
      const { note: told } = pressed;
      this.show({
        ...fresh(pressed.orderId, method),
        answer: "unsure",
        press: pressed,
        note: told,
      });
      this.desk.tell("unsure");
      this.outbox.flush();
      return;
    }
    const mine = this.looked;
    this.show({ ...fresh(orderId, method), others, note, notice });
    this.keep();
    let pause = 0;
    try {
      await this.ask(orderId, method);
    } catch (error) {
      if (mine !== this.looked || !(await this.fail(error))) return;
      pause = pauseOf(error);
    }
    if (mine !== this.looked || !this.current) return;
    this.desk.tell(this.current.answer);
    this.follow(orderId, method, pause);
  }

  /** Shows a code that is none of ours. */
  showForeign(method: InputMethod, notice: Notice): void {
    this.stop();
    this.show({ ...fresh(null, method), answer: "foreign", notice });
    this.desk.tell("foreign");
  }

  /** Opens what this person had on the screen when the session or the page ended. */
  reopen(): void {
    const before = this.kept()?.get();
    if (before && !this.current) void this.open(before.orderIds, before.method, before.note);
  }

  editNote(note: string): void {
    if (!this.current?.orderId) return;
    this.change({ note });
    this.keep();
  }

  /** Hands over, if the green on the screen is still true as far as anyone can tell. */
  deliver(): void {
    // Another tab may have been faster while this one was put aside.
    this.outbox.refresh();
    const { current } = this;
    const site = this.desk.site();
    if (current?.answer !== "deliverable" || !current.seen || !current.view || !site) return;
    if (!this.isFresh()) {
      this.checkAge();
      return;
    }
    this.stop();
    const { view, method, note } = current;
    const { amount, tokenId, service } = view;
    this.change({ answer: "sending", notice: null });
    const press = this.outbox.press({
      orderId: view.orderId,
      siteId: site,
      note: note.trim(),
      method,
      goods: { amount, tokenId, service },
    });
    this.change({ press });
    this.cancelTimer = this.device.later(() => this.unsure(), PATIENCE_MS);
    this.pressesChanged();
  }

  /** Takes over what the outbox has learned about the press on the screen. */
  pressesChanged(): void {
    const { current } = this;
    if (current?.answer === "deliverable" && current.orderId) {
      // Another tab of this device was faster.
      const pressed = this.outbox.unsettled([current.orderId]);
      if (pressed) void this.open([current.orderId], current.method, current.note);
      return;
    }
    if (!current?.press || current.press.outcome) return;
    const { key, orderId } = current.press;
    const press = this.outbox.find(key);
    if (!press) void this.open([orderId], current.method, current.note);
    else if (press.outcome) this.finish(current, press);
    else if (current.answer === "sending" && this.outbox.isTroubled(key)) this.unsure();
  }

  /** Whether something on the screen must not be wiped away yet. */
  isBusy(): boolean {
    return this.current?.answer === "sending";
  }

  /** Ready for the next customer: what was told about a press counts as read. */
  close(): void {
    const press = this.current?.press;
    this.wipe();
    if (press) this.outbox.acknowledge(press.key);
  }

  /** Leaves nothing of the case behind; what became of a press is still to be read. */
  wipe(): void {
    this.kept()?.clear();
    this.hide();
  }

  /** Leaves the screen, and keeps the case for the same person. */
  hide(): void {
    this.stop();
    this.show(null);
  }

  private finish(current: Case, press: Press): void {
    const { outcome } = press;
    if (!outcome) return;
    this.stop();
    if (outcome.kind === "refused") {
      const notice: Notice = { key: "deliver.refused", refusal: outcome };
      void this.open([press.orderId], current.method, current.note, notice);
      this.change({ press });
      return;
    }
    const ours = outcome.kind === "ours" && press.username === this.desk.username();
    const answer = ours ? "done" : "delivered";
    this.kept()?.clear();
    this.change({ press, delivery: outcome.delivery, answer, notice: null });
    this.desk.tell(answer);
    // The screen says it now; a bad outcome stays until somebody has read it.
    if (answer === "done") this.outbox.acknowledge(press.key);
  }

  private unsure(): void {
    if (this.current?.answer !== "sending") return;
    this.change({ answer: "unsure" });
    this.desk.tell("unsure");
  }

  /** Shows why there is no answer; answers false where something else is shown now. */
  private async fail(error: unknown): Promise<boolean> {
    const { others, method, note, notice } = this.current ?? fresh(null, "typed");
    if (isPassing(error)) this.change({ answer: "offline" });
    else if (!(error instanceof ApiError)) return false;
    else if (error.status !== 404 || others.length === 0) return this.refuse(error);
    else {
      await this.open(others, method, note, notice);
      return false;
    }
    return true;
  }

  /** Shows a refusal; answers false where the desk goes elsewhere. */
  private refuse(error: ApiError): boolean {
    if (error.status === 401 || this.desk.refused(error)) return false;
    if (error.status === 404) this.change({ answer: "unknown" });
    else this.change({ answer: "refused", notice: failure(error, "say.refused") });
    return true;
  }

  private async ask(orderId: string, method: InputMethod): Promise<void> {
    const mine = this.looked;
    const askedAt = this.now();
    const view = await this.api.receptionOrder(orderId, method, this.desk.deviceName());
    if (mine !== this.looked) return;
    if (view.orderId !== orderId) throw new TypeError("the answer is about something else");
    this.outbox.learn(view);
    this.see(view, askedAt);
  }

  /** Shows what the API said when asked at `askedAt`. */
  private see(view: ReceptionView, askedAt: Counter["askedAt"]): void {
    const site = this.desk.site();
    if (!site) return;
    this.askedAt = askedAt;
    this.change({ others: [] });
    const answer = answerTo(view, site);
    if (answer !== "deliverable") {
      this.change({ view, answer });
      return;
    }
    const pressed = this.outbox.unsettled([view.orderId]);
    if (pressed) this.change({ view, press: pressed, answer: "unsure" });
    else if (this.isFresh()) this.turnGreen(view);
    else this.change({ view, answer: "offline" });
    this.cancelTimer();
    this.cancelTimer = this.device.later(() => this.checkAge(), AGE_CHECK_MS);
  }

  private turnGreen(view: ReceptionView): void {
    const before = this.current;
    const seen = before?.answer === "deliverable" && before.seen;
    this.change({ view, answer: "deliverable", seen });
    if (before?.answer === "deliverable") return;
    const mine = this.looked;
    this.device.later(() => {
      if (mine === this.looked) this.change({ seen: true });
    }, SEEING_MS);
  }

  /** Takes a green away that nobody has confirmed for too long. */
  private checkAge(): void {
    this.cancelTimer();
    if (this.current?.answer !== "deliverable") return;
    if (this.isFresh()) {
      this.cancelTimer = this.device.later(() => this.checkAge(), AGE_CHECK_MS);
      return;
    }
    this.change({ answer: "offline" });
    this.desk.tell("offline");
    this.looking?.now();
  }

  /**
   * Looks at the order until it ends. The public view is enough to see a change and leaves no scan
   * in the audit; the desk's own view is asked again only when something moved.
   */
  private follow(orderId: string, method: InputMethod, pause: number): void {
    const first = this.current && lookEvery(this.current.answer);
    if (!first) return;
    const mine = this.looked;
    let turn = 0;
    this.looking = poll(async () => {
      turn += 1;
      if (turn === 1) return Math.max(first, pause);
      pause = 0;
      const before = this.current;
      if (mine !== this.looked || before?.orderId !== orderId) return null;
      try {
        await this.lookAgain(orderId, method, before.view);
      } catch (error) {
        if (mine !== this.looked || !(await this.fail(error))) return null;
        pause = pauseOf(error);
      }
      if (mine !== this.looked || !this.current) return null;
      if (this.current.answer !== before.answer) this.desk.tell(this.current.answer);
      const next = lookEvery(this.current.answer);
      return next && Math.max(next, pause);
    }, this.device);
  }

  private async lookAgain(
    orderId: string,
    method: InputMethod,
    before: ReceptionView | null,
  ): Promise<void> {
    const mine = this.looked;
    const askedAt = this.now();
    const now = await this.api.order(orderId);
    if (mine !== this.looked) return;
    const stayed =
      before &&
      now.orderId === orderId &&
      now.status === before.status &&
      now.redeemable === before.redeemable &&
      (now.exception ?? null) === (before.exception ?? null) &&
      before.reason?.code !== "EXPIRY_BEING_CHECKED";
    if (!stayed) return this.ask(orderId, method);
    const { chain: _before, ...view } = before;
    this.see(now.chain ? { ...view, chain: now.chain } : view, askedAt);
  }

  private isFresh(): boolean {
    const { elapsed, time } = this.now();
    // The clock of the day tells of a device that slept, where the other one may have stood still.
    const age = Math.max(elapsed - this.askedAt.elapsed, time - this.askedAt.time);
    return age < FRESH_MS;
  }

  private now(): Counter["askedAt"] {
    return { elapsed: this.device.elapsed(), time: this.device.time() };
  }

  private stop(): void {
    this.looked += 1;
    this.looking?.stop();
    this.looking = null;
    this.cancelTimer();
  }

  /** Where this person's order and half-written note outlive a reload and a session. */
  private kept(): Kept<KeptCase | null> | null {
    const username = this.desk.username();
    return username === null
      ? null
      : new Kept<KeptCase | null>(() => this.device.own(), `5sov.case.${username}`, null);
  }

  private keep(): void {
    if (!this.current?.orderId) return;
    const { orderId, others, method, note } = this.current;
    this.kept()?.set({ orderIds: [orderId, ...others], method, note });
  }

  private show(current: Case | null): void {
    this.current = current;
    this.desk.changed();
  }

  private change(change: Partial<Case>): void {
    if (this.current) this.show({ ...this.current, ...change });
  }
}

function fresh(orderId: string | null, method: InputMethod): Case {
  return {
    orderId,
    others: [],
    method,
    answer: "checking",
    view: null,
    delivery: null,
    press: null,
    note: "",
    notice: null,
    seen: false,
  };
}
