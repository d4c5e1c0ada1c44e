import type { Api, InputMethod } from "../shared/api.ts";
import { ApiError, Unreachable } from "../shared/api.ts";
import type { Language, Translator } from "../shared/i18n.ts";
import { parseCode } from "../shared/order-code.ts";
import { type Poll, poll } from "../shared/poll.ts";
import { Kept, randomKey } from "../shared/storage.ts";
import type { Catalogue, DeliveryAnswer, QueueItem, ReceptionView } from "../shared/wire.ts";
import { type Answer, answerTo, lookEvery } from "./answer.ts";
import type { ConsoleKey } from "./messages/index.ts";
import type { Scanner, ScannerState } from "./scanner.ts";
import type { StaffSession } from "./session.ts";

/** Something to tell the receptionist. */
export interface Notice {
  readonly key: ConsoleKey;
  readonly values?: Readonly<Record<string, string | number>>;
}

/** The code on the screen and what is known about it. */
export interface Case {
  readonly orderId: string | null;
  readonly method: InputMethod;
  readonly answer: Answer;
  readonly view: ReceptionView | null;
  readonly delivery: DeliveryAnswer | null;
  readonly note: string;
  readonly delivering: boolean;
  readonly notice: Notice | null;
}

/** Everything the pages are drawn from. */
export interface State {
  readonly ready: boolean;
  readonly down: boolean;
  readonly brand: string;
  readonly catalogue: Catalogue | null;
  readonly signedIn: boolean;
  readonly busy: boolean;
  readonly notice: Notice | null;
  readonly site: string | null;
  readonly code: string;
  readonly camera: ScannerState;
  readonly current: Case | null;
  readonly queue: readonly QueueItem[] | null;
  readonly queueCursor: string | null;
  readonly queueFailed: boolean;
}

const QUEUE_EVERY_MS = 10_000;
const UNSURE_EVERY_MS = 2000;
const SHORTEST_PASSWORD = 12;
const keptSite = new Kept<string | null>(() => localStorage, "5sov.desk", null);
const keptDevice = new Kept<string | null>(() => localStorage, "5sov.device", null);
/** The order on the screen with its half-written note, so that a reload loses neither. */
const keptCase = new Kept<(Pick<Case, "method" | "note"> & { orderId: string }) | null>(
  () => sessionStorage,
  "5sov.case",
  null,
);

/** The reception console: its state, and all that a receptionist can do. */
export class Desk {
  state: State = {
    ready: false,
    down: false,
    brand: "5SOffice",
    catalogue: null,
    signedIn: false,
    busy: false,
    notice: null,
    site: null,
    code: "",
    camera: { phase: "off", torch: null, cameras: [], deviceId: null },
    current: null,
    queue: null,
    queueCursor: null,
    queueFailed: false,
  };
  private looking: Poll | null = null;
  /** Counts what was looked at, so that a late answer about something else changes nothing. */
  private looked = 0;
  private queueing: Poll | null = null;

  constructor(
    private readonly api: Api,
    readonly session: StaffSession,
    readonly scanner: Scanner,
    readonly words: Translator<ConsoleKey>,
    private readonly redraw: () => void,
  ) {}

  /** Loads what every page needs and goes on where this tab left off. */
  start(): void {
    poll(async () => {
      try {
        const [config, catalogue] = await Promise.all([this.api.config(), this.api.catalogue()]);
        const signedIn = await this.session.resume();
        this.set({ brand: config.brand.name, catalogue, down: false, ready: true, signedIn });
      } catch (error) {
        this.set({ down: true });
        throw error;
      }
      if (this.state.signedIn) this.enter();
      return null;
    });
  }

  /** Changes the language; one that cannot be loaded now leaves the page as it is. */
  async useLanguage(language: Language): Promise<void> {
    await this.words.use(language).catch(() => {});
    this.redraw();
  }

  /** The sites where the person signed in may deliver. */
  sites(): Catalogue["sites"] {
    const { staff } = this.session;
    const sites = this.state.catalogue?.sites ?? [];
    return (staff?.sites ?? []).map(
      (siteId) =>
        sites.find((site) => site.siteId === siteId) ?? {
          siteId,
          name: { vi: siteId, en: siteId },
        },
    );
  }

  siteName(siteId: string): string {
    const site = this.state.catalogue?.sites.find((known) => known.siteId === siteId);
    return site ? this.words.pick(site.name) : siteId;
  }

  async signIn(username: string, password: string): Promise<void> {
    this.set({ busy: true, notice: null });
    try {
      await this.session.signIn(username.trim(), password);
      this.set({ signedIn: true });
      this.enter();
    } catch (error) {
      this.set({ notice: signInFailed(error) });
    } finally {
      this.set({ busy: false });
    }
  }

  async changePassword(current: string, wanted: string): Promise<void> {
    if (wanted.length < SHORTEST_PASSWORD) {
      this.set({ notice: { key: "password.short" } });
      return;
    }
    const username = this.session.staff?.username ?? "";
    this.set({ busy: true, notice: null });
    try {
      await this.api.changePassword(current, wanted);
      await this.session.signIn(username, wanted);
      this.enter();
    } catch (error) {
      this.set({ notice: failure(error, "password.failed") });
    } finally {
      this.set({ busy: false });
    }
  }

  async signOut(): Promise<void> {
    this.next();
    this.scanner.release();
    this.queueing?.stop();
    this.set({ signedIn: false, site: null, queue: null, code: "", notice: null });
    await this.session.signOut();
  }

  /** The session ended by itself: everything half done stays for whoever signs in again. */
  sessionEnded(): void {
    this.stopLooking();
    this.queueing?.stop();
    this.scanner.release();
    this.set({ signedIn: false, current: null, queue: null, notice: { key: "login.ended" } });
  }

  chooseSite(siteId: string): void {
    keptSite.set(siteId);
    this.set({ site: siteId, queue: null, queueCursor: null });
    this.watchQueue();
  }

  changeSite(): void {
    this.queueing?.stop();
    this.set({ site: null, queue: null });
  }

  type(code: string): void {
    this.set({ code, notice: null });
  }

  /** Checks what was scanned, typed or pasted. */
  async check(text: string, method: InputMethod): Promise<void> {
    const parsed = parseCode(text, new Date());
    if (parsed.kind === "empty") return;
    if (parsed.kind === "order") {
      this.stopCamera();
      this.set({ code: "", notice: null });
      await this.open(parsed.orderIds, method, "");
    } else if (method === "typed") {
      this.set({ notice: { key: `parse.${parsed.kind}` } });
    } else {
      this.stopCamera();
      const kind = parsed.kind === "incomplete" ? "foreign" : parsed.kind;
      this.show({ ...fresh(null, method), answer: "foreign", notice: { key: `parse.${kind}` } });
    }
  }

  editNote(note: string): void {
    const { current } = this.state;
    if (!current?.orderId) return;
    keptCase.set({ orderId: current.orderId, method: current.method, note });
    this.change({ note });
  }

  /** Hands over: once, however often the network makes us ask. */
  async deliver(): Promise<void> {
    const { current, site } = this.state;
    if (current?.answer !== "deliverable" || current.delivering || !current.orderId || !site)
      return;
    const { orderId, note } = current;
    this.stopLooking();
    const mine = this.looked;
    this.change({ delivering: true, notice: null });
    const idempotencyKey = randomKey();
    let asked = 0;
    this.looking = poll(async () => {
      asked += 1;
      try {
        const delivery = await this.api.deliver(orderId, {
          siteId: site,
          note: note.trim(),
          idempotencyKey,
          method: current.method,
          deviceId: deviceId(),
        });
        if (mine !== this.looked) return null;
        keptCase.clear();
        // After a lost answer, our own delivery comes back as one that was there already.
        const ours = asked > 1 && delivery.deliveredBy === this.session.staff?.username;
        const answer = delivery.alreadyDelivered && !ours ? "delivered" : "done";
        this.change({ delivery, answer, delivering: false });
        this.buzz(answer);
        this.queueing?.now();
        return null;
      } catch (error) {
        if (mine !== this.looked) return null;
        if (!(error instanceof ApiError)) {
          this.change({ answer: "unsure" });
          return UNSURE_EVERY_MS;
        }
        this.change({ delivering: false });
        await this.open([orderId], current.method, note);
        if (this.state.current?.orderId === orderId) {
          this.change({ notice: failure(error, "deliver.refused") });
        }
        return null;
      }
    });
  }

  /** Ready for the next customer. */
  next(): void {
    this.stopLooking();
    this.stopCamera();
    keptCase.clear();
    this.set({ current: null, notice: null });
    this.queueing?.now();
  }

  openCamera(): void {
    this.set({ notice: null });
    this.scanner.open();
  }

  /** Called with the video element once it is in the page. */
  async runCamera(video: HTMLVideoElement): Promise<void> {
    await this.scanner.show(video, (text) => void this.check(text, "camera"));
  }

  cameraChanged(camera: ScannerState): void {
    this.set({ camera });
  }

  stopCamera(): void {
    this.scanner.close();
  }

  /** A USB scanner's code came, changed by an input method. */
  wedgeUnreadable(): void {
    const notice: Notice = { key: "wedge.inputMethod" };
    if (this.state.current) this.change({ notice });
    else this.set({ notice });
  }

  refreshQueue(): void {
    this.queueing?.now();
  }

  async moreOfQueue(): Promise<void> {
    const { site, queue, queueCursor } = this.state;
    if (!site || !queue || !queueCursor) return;
    try {
      const page = await this.api.queue(site, { cursor: queueCursor });
      this.set({ queue: [...queue, ...page.items], queueCursor: page.nextCursor });
    } catch {
      this.set({ queueFailed: true });
    }
  }

  private enter(): void {
    this.scanner.warm();
    if (this.session.staff?.mustChangePassword) {
      this.redraw();
      return;
    }
    const sites = this.sites();
    const [only, second] = sites;
    const remembered = sites.find((site) => site.siteId === keptSite.get());
    const site = second ? remembered : only;
    if (site) this.chooseSite(site.siteId);
    const before = keptCase.get();
    if (before && site) void this.open([before.orderId], before.method, before.note);
    this.redraw();
  }

  /** Asks about the first of `orderIds` that exists, and follows it while it may change. */
  private async open(
    orderIds: readonly string[],
    method: InputMethod,
    note: string,
  ): Promise<void> {
    const [orderId, ...others] = orderIds;
    if (!orderId) return;
    this.stopLooking();
    const mine = this.looked;
    this.show({ ...fresh(orderId, method), note });
    keptCase.set({ orderId, method, note });
    try {
      await this.ask(orderId, method);
    } catch (error) {
      if (mine !== this.looked) return;
      if (!(error instanceof ApiError)) this.change({ answer: "offline" });
      else if (error.status === 404 && others.length > 0) {
        await this.open(others, method, note);
        return;
      } else this.refuse(error);
    }
    if (mine !== this.looked || !this.state.current) return;
    this.buzz(this.state.current.answer);
    this.watch(orderId, method);
  }

  private refuse(error: ApiError): void {
    if (error.status === 404) this.change({ answer: "unknown" });
    else this.change({ answer: "refused", notice: failure(error, "deliver.refused") });
    keptCase.clear();
  }

  private async ask(orderId: string, method: InputMethod): Promise<void> {
    const mine = this.looked;
    const view = await this.api.receptionOrder(orderId, method, deviceId());
    const { site } = this.state;
    if (mine !== this.looked || !site) return;
    this.change({ view, answer: answerTo(view, site) });
  }

  /**
   * Looks at the order until it ends. The public view is enough to see a change and leaves no scan
   * in the audit; the desk's own view is asked again only when something moved.
   */
  private watch(orderId: string, method: InputMethod): void {
    const first = this.state.current && lookEvery(this.state.current.answer);
    if (!first) return;
    const mine = this.looked;
    let turn = 0;
    this.looking = poll(async () => {
      turn += 1;
      if (turn === 1) return first;
      const before = this.state.current;
      if (before?.orderId !== orderId) return null;
      try {
        const now = await this.api.order(orderId);
        if (mine !== this.looked) return null;
        const moved = now.status !== before.view?.status || before.answer === "offline";
        if (moved || before.answer === "expiry-check") await this.ask(orderId, method);
        else if (before.view) this.change({ view: { ...before.view, chain: now.chain ?? null } });
      } catch (error) {
        if (mine !== this.looked) return null;
        if (error instanceof ApiError) this.refuse(error);
        else this.change({ answer: "offline" });
      }
      const { current } = this.state;
      if (current && current.answer !== before.answer) this.buzz(current.answer);
      return current && lookEvery(current.answer);
    });
  }

  private stopLooking(): void {
    this.looked += 1;
    this.looking?.stop();
  }

  private watchQueue(): void {
    this.queueing?.stop();
    this.queueing = poll(async () => {
      const { site, signedIn } = this.state;
      if (!site || !signedIn) return null;
      try {
        const page = await this.api.queue(site);
        this.set({ queue: page.items, queueCursor: page.nextCursor, queueFailed: false });
      } catch (error) {
        this.set({ queueFailed: true });
        if (error instanceof Unreachable) throw error;
      }
      return QUEUE_EVERY_MS;
    });
  }

  /** A short buzz for good, a long one for bad: noisy desks and busy eyes. */
  private buzz(answer: Answer): void {
    const pattern = answer === "deliverable" || answer === "done" ? [60] : [180, 80, 180];
    if (answer !== "checking" && answer !== "waiting") navigator.vibrate?.(pattern);
  }

  private show(current: Case): void {
    this.set({ current });
  }

  private change(change: Partial<Case>): void {
    const { current } = this.state;
    if (current) this.set({ current: { ...current, ...change } });
  }

  private set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    this.redraw();
  }
}

function fresh(orderId: string | null, method: InputMethod): Case {
  return {
    orderId,
    method,
    answer: "checking",
    view: null,
    delivery: null,
    note: "",
    delivering: false,
    notice: null,
  };
}

function deviceId(): string {
  const known = keptDevice.get();
  if (known) return known;
  const made = randomKey();
  keptDevice.set(made);
  return made;
}

function signInFailed(error: unknown): Notice {
  if (!(error instanceof ApiError)) return { key: "login.offline" };
  if (error.retryAfter !== null) return { key: "login.locked", values: { n: error.retryAfter } };
  return { key: "login.wrong" };
}

function failure(error: unknown, key: ConsoleKey): Notice {
  if (!(error instanceof ApiError)) return { key: "login.offline" };
  const detail = error.problem.errors?.[0]?.message ?? error.message;
  return { key, values: { detail } };
}
