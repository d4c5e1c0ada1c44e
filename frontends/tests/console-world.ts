/**
 * A world for the console's tests: devices with tabs, a network that fails on demand, and an API
 * that keeps its promises, all on one clock that moves only when told to.
 */
import { Desk } from "../reception/desk.ts";
import type { Device } from "../reception/device.ts";
import { texts as en } from "../reception/messages/en.ts";
import { texts as vi } from "../reception/messages/vi.ts";
import type { ScannerState } from "../reception/scanner.ts";
import { StaffSession } from "../reception/session.ts";
import { page } from "../reception/views.ts";
import { Api } from "../shared/api.ts";
import type { Child } from "../shared/dom.ts";
import { fill, type Language } from "../shared/i18n.ts";
import type { Localised, Problem, Staff } from "../shared/wire.ts";

const TIMEOUT_MS = 10_000;
const SESSION_SECONDS = 8 * 3600;
const ACCESS_MS = 900_000;
const REPLAY_MS = 60_000;
export const SITE = "HCM_ROX_T09";
export const OTHER_SITE = "HCM_IMC_T04";
const SITES = [
  { siteId: SITE, name: { vi: "Tháp ROX", en: "ROX Tower" } },
  { siteId: OTHER_SITE, name: { vi: "Tháp IMC", en: "IMC Tower" } },
];

/** Moves only by `pass`; everything that waits, waits here. */
export class Time {
  now = 0;
  private waiting: { at: number; order: number; run: () => void }[] = [];
  private count = 0;

  later(run: () => void, ms: number): () => void {
    this.count += 1;
    const entry = { at: this.now + Math.max(0, ms), order: this.count, run };
    this.waiting.push(entry);
    return () => {
      this.waiting = this.waiting.filter((one) => one !== entry);
    };
  }

  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    await settle();
    for (;;) {
      this.waiting.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.waiting[0];
      if (!next || next.at > end) break;
      this.waiting.shift();
      this.now = Math.max(this.now, next.at);
      next.run();
      await settle();
    }
    this.now = end;
  }
}

/** Lets everything run that waits for nothing. */
function settle(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

class MemoryStorage {
  /** Takes nothing more, as a browser does whose disk is full. */
  full = false;
  private readonly values = new Map<string, string>();
  constructor(private readonly written: () => void = () => {}) {}
  get length(): number {
    return this.values.size;
  }
  key(at: number): string | null {
    return [...this.values.keys()][at] ?? null;
  }
  getItem(name: string): string | null {
    return this.values.get(name) ?? null;
  }
  setItem(name: string, value: string): void {
    if (this.full) throw new Error("QuotaExceededError");
    this.values.set(name, value);
    this.written();
  }
  removeItem(name: string): void {
    this.values.delete(name);
    this.written();
  }
  clear(): void {
    this.values.clear();
  }
}

interface FakeSession {
  username: string;
  access: string;
  accessUntil: number;
  refresh: string;
  /** The token spent last, which may come again until then. */
  spent: string | null;
  spentUntil: number;
  until: number;
}

/** The first delivery of an order. */
export interface FakeDelivery {
  readonly key: string;
  readonly by: string;
  readonly site: string;
  readonly note: string;
  readonly at: number;
}

export interface FakeOrder {
  readonly orderId: string;
  readonly site: string;
  status: "VALID" | "PENDING_CHAIN" | "CANCELLED" | "DELIVERED";
  delivery: FakeDelivery | null;
}

export type Answer = { status: number; body: unknown; retryAfter?: number };

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly retryAfter?: number,
  ) {
    super(code);
  }
}

/** The API, as far as the console uses it: rights, rotation and deliveries as the real one. */
export class FakeServer {
  readonly orders = new Map<string, FakeOrder>();
  readonly staff = new Map<string, Staff>();
  sessions: FakeSession[] = [];
  /** Every request that arrived, as `POST /path`. */
  readonly asked: string[] = [];
  /** Keys of all delivery requests that arrived, by order. */
  readonly keys = new Map<string, string[]>();
  private count = 0;

  constructor(private readonly time: Time) {
    for (const username of ["lan", "minh"]) {
      this.staff.set(username, {
        username,
        displayName: username.toUpperCase(),
        role: "RECEPTION",
        sites: [SITE],
        mustChangePassword: false,
      });
    }
  }

  order(orderId: string, site = SITE): FakeOrder {
    const made: FakeOrder = { orderId, site, status: "VALID", delivery: null };
    this.orders.set(orderId, made);
    return made;
  }

  /** Ends all sessions of a person, as a revocation does. */
  revoke(username: string): void {
    this.sessions = this.sessions.filter((session) => session.username !== username);
  }

  change(username: string, change: Partial<Staff>): void {
    const staff = this.staff.get(username);
    if (staff) this.staff.set(username, { ...staff, ...change });
  }

  answer(method: string, url: string, headers: Record<string, string>, text: string): Answer {
    this.asked.push(`${method} ${url}`);
    try {
      const body = text ? JSON.parse(text) : {};
      return { status: 200, body: this.handle(`${method} ${url.split("?")[0]}`, headers, body) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { status, code, retryAfter } = error;
      const problem: Problem = { title: code, status, code };
      return { status, body: problem, ...(retryAfter ? { retryAfter } : {}) };
    }
  }

  private handle(
    route: string,
    headers: Record<string, string>,
    body: Record<string, string>,
  ): unknown {
    if (route === "GET /config") return { brand: { name: "5SOffice" } };
    if (route === "GET /catalog") return { version: 1, types: [], sites: SITES };
    if (route === "POST /auth/login") return this.login(body.username ?? "", body.password ?? "");
    if (route === "POST /auth/refresh") return this.refresh(body.refreshToken ?? "");
    const [, seen] = /^GET \/orders\/(\w+)$/.exec(route) ?? [];
    if (seen) return this.view(seen, null);
    const { session, staff } = this.who(headers);
    if (route === "POST /auth/logout") {
      this.sessions = this.sessions.filter((one) => one !== session);
      return {};
    }
    if (route === "POST /auth/password") {
      this.change(staff.username, { mustChangePassword: false });
      return {};
    }
    if (staff.mustChangePassword) throw new Refusal(403, "PASSWORD_CHANGE_REQUIRED");
    if (route === "GET /reception/orders") {
      if (!staff.sites.includes(SITE)) throw new Refusal(403, "FORBIDDEN_SITE");
      return { items: [], nextCursor: null };
    }
    const [, looked] = /^GET \/reception\/orders\/(\w+)$/.exec(route) ?? [];
    if (looked) return this.view(looked, staff);
    const [, delivered] = /^POST \/orders\/(\w+)\/deliver$/.exec(route) ?? [];
    if (delivered) return this.deliver(delivered, staff, headers, body);
    throw new Refusal(404, "NOT_FOUND");
  }

  private login(username: string, password: string): unknown {
    const staff = this.staff.get(username);
    if (!staff || password !== "secret") throw new Refusal(401, "LOGIN_REFUSED");
    const session = this.renew({
      username,
      access: "",
      accessUntil: 0,
      refresh: "",
      spent: null,
      spentUntil: 0,
      until: this.time.now + SESSION_SECONDS * 1000,
    });
    this.sessions.push(session);
    return this.tokens(session, staff);
  }

  private refresh(token: string): unknown {
    const [id] = token.split("-");
    const session = this.sessions.find(({ refresh }) => refresh.split("-")[0] === id);
    if (!session || this.time.now >= session.until) throw new Refusal(401, "UNAUTHENTICATED");
    if (session.refresh === token) {
      Object.assign(session, { spent: token, spentUntil: this.time.now + REPLAY_MS });
    } else if (session.spent !== token || this.time.now >= session.spentUntil) {
      this.sessions = this.sessions.filter((one) => one !== session);
      throw new Refusal(401, "UNAUTHENTICATED");
    }
    return this.tokens(this.renew(session), this.staff.get(session.username) as Staff);
  }

  private renew(session: FakeSession): FakeSession {
    this.count += 1;
    const id = session.refresh.split("-")[0] || `s${this.count}`;
    return Object.assign(session, {
      access: `a${this.count}`,
      accessUntil: Math.min(session.until, this.time.now + ACCESS_MS),
      refresh: `${id}-${this.count}`,
    });
  }

  private tokens(session: FakeSession, staff: Staff): unknown {
    const { access, refresh, accessUntil, until } = session;
    return {
      accessToken: access,
      refreshToken: refresh,
      expiresIn: (accessUntil - this.time.now) / 1000,
      sessionEndsIn: (until - this.time.now) / 1000,
      staff,
    };
  }

  private who(headers: Record<string, string>): { session: FakeSession; staff: Staff } {
    const token = headers.Authorization?.replace("Bearer ", "");
    const session = this.sessions.find(
      ({ access, accessUntil }) => access === token && this.time.now < accessUntil,
    );
    const staff = session && this.staff.get(session.username);
    if (!session || !staff) throw new Refusal(401, "UNAUTHENTICATED");
    return { session, staff };
  }

  private find(orderId: string): FakeOrder {
    const order = this.orders.get(orderId);
    if (!order) throw new Refusal(404, "ORDER_NOT_FOUND");
    return order;
  }

  private view(orderId: string, staff: Staff | null): unknown {
    const order = this.find(orderId);
    const { site, status, delivery } = order;
    const deliverable = status === "VALID" && (staff?.sites.includes(site) ?? false);
    const codes = {
      VALID: "WRONG_SITE",
      PENDING_CHAIN: "WAITING_FOR_CONFIRMATIONS",
      CANCELLED: "CANCELLED",
      DELIVERED: "ALREADY_DELIVERED",
    } as const;
    const reason = { code: codes[status], message: { vi: "", en: "" } };
    return {
      orderId,
      siteId: site,
      status,
      amount: 1,
      tokenId: 1001,
      service: null,
      redeemable: status === "VALID",
      chain: null,
      exception: null,
      deliverable,
      reason: deliverable ? null : reason,
      delivered: delivery && {
        at: new Date(delivery.at).toISOString(),
        by: delivery.by,
        byName: delivery.by.toUpperCase(),
        site: delivery.site,
        note: delivery.note,
      },
    };
  }

  private deliver(
    orderId: string,
    staff: Staff,
    headers: Record<string, string>,
    body: Record<string, string>,
  ): unknown {
    const order = this.find(orderId);
    const key = headers["Idempotency-Key"] ?? "";
    this.keys.set(orderId, [...(this.keys.get(orderId) ?? []), key]);
    const isRepeat = order.delivery?.key === key && order.delivery.by === staff.username;
    if (!isRepeat) {
      if (!staff.sites.includes(order.site)) throw new Refusal(403, "FORBIDDEN_SITE");
      if (order.status === "CANCELLED") throw new Refusal(409, "ORDER_CANCELLED");
      if (order.status === "PENDING_CHAIN") throw new Refusal(409, "ORDER_NOT_VALID");
    }
    const first = order.delivery ?? {
      key,
      by: staff.username,
      site: body.siteId ?? "",
      note: body.note ?? "",
      at: this.time.now,
    };
    const alreadyDelivered = order.delivery !== null && !isRepeat;
    order.delivery = first;
    order.status = "DELIVERED";
    return {
      orderId,
      status: "DELIVERED",
      deliveredAt: new Date(first.at).toISOString(),
      deliveredBy: first.by,
      deliveredByName: first.by.toUpperCase(),
      deliveredSite: first.site,
      alreadyDelivered,
    };
  }
}

/** What the network does to requests while it is in this mood. */
export type Mood =
  | "fine"
  /** Requests do not arrive. */
  | "offline"
  /** They arrive; their answers do not. */
  | "answers-lost"
  /** They arrive, and a proxy answers 502 for the API. */
  | "gateway"
  /** They arrive at once; the answers take 9 s. */
  | "slow"
  /** They arrive after 12 s, when nobody listens any more. */
  | "late";

/** A tablet or a PC at a desk: what its tabs share. */
export class FakeDevice {
  mood: Mood = "fine";
  /** What happens to requests for one path instead. */
  readonly moods = new Map<string, Mood>();
  /** What something between here and the API answers instead, by method and path. */
  readonly answers = new Map<string, Answer>();
  /** How many more times the browser refuses a lock. */
  locksRefused = 0;
  /** What somebody set the clock of this device forward by, in milliseconds. */
  clockAhead = 0;
  readonly tabs: FakeTab[] = [];
  readonly shared: MemoryStorage;
  private readonly locks = new Map<string, { tab: FakeTab; start: () => void }[]>();

  constructor(
    readonly time: Time,
    readonly server: FakeServer,
    readonly random: () => number = () => 0.5,
  ) {
    this.shared = new MemoryStorage(() => this.tellTabs());
  }

  /** Opens a tab; `own` is what the browser brings back of an earlier one. */
  async open(
    check: (tab: FakeTab) => void = () => {},
    own = new MemoryStorage(),
  ): Promise<FakeTab> {
    const tab = new FakeTab(this, own, check);
    this.tabs.push(tab);
    await tab.desk.start();
    return tab;
  }

  /** As the browser loads a page anew: all that is in memory goes. */
  async reload(tab: FakeTab): Promise<FakeTab> {
    this.close(tab);
    return this.open(tab.check, tab.own);
  }

  close(tab: FakeTab): void {
    tab.alive = false;
    this.tabs.splice(this.tabs.indexOf(tab), 1);
    for (const [name, queue] of this.locks) {
      const held = queue[0]?.tab === tab;
      const left = queue.filter((waiting) => waiting.tab !== tab);
      this.locks.set(name, left);
      if (held) left[0]?.start();
    }
  }

  setMood(mood: Mood): void {
    const before = this.mood;
    this.mood = mood;
    if (before !== "offline" || mood === "offline") return;
    for (const tab of this.tabs) for (const listener of tab.onlineListeners) listener();
  }

  async alone<T>(tab: FakeTab, name: string, run: () => Promise<T>): Promise<T> {
    if (this.locksRefused > 0) {
      this.locksRefused -= 1;
      throw new Error("InvalidStateError");
    }
    const queue = this.locks.get(name) ?? [];
    this.locks.set(name, queue);
    await new Promise<void>((start) => {
      queue.push({ tab, start });
      if (queue.length === 1) start();
    });
    try {
      return await run();
    } finally {
      if (tab.alive) {
        const now = this.locks.get(name) ?? [];
        now.shift();
        now[0]?.start();
      }
    }
  }

  private tellTabs(): void {
    for (const tab of this.tabs) {
      this.time.later(() => {
        if (!tab.alive || tab.suspended) return;
        for (const listener of tab.sharedListeners) listener();
      }, 1);
    }
  }
}

/** One tab with the console in it. */
export class FakeTab {
  alive = true;
  visible = true;
  /** Put aside by the browser: what happens in other tabs is not heard. */
  suspended = false;
  language: Language = "en";
  readonly told: string[] = [];
  readonly sharedListeners: (() => void)[] = [];
  readonly onlineListeners: (() => void)[] = [];
  private visibleListeners: (() => void)[] = [];
  readonly device: Device;
  readonly desk: Desk;

  constructor(
    readonly home: FakeDevice,
    readonly own: MemoryStorage,
    readonly check: (tab: FakeTab) => void,
  ) {
    const device = this.makeDevice();
    this.device = device;
    const session: StaffSession = new StaffSession(
      () => api,
      device,
      (change) => this.desk.sessionChanged(change),
    );
    const api = new Api("", {
      token: session.token,
      renew: session.renew,
      fetch: ((url: string, init: RequestInit) => this.fetch(url, init)) as typeof fetch,
    });
    const off: ScannerState = { phase: "off", torch: null, cameras: [], deviceId: null };
    const nothing = () => {};
    const never = async () => {};
    this.desk = new Desk({
      api,
      session,
      device,
      app: { installable: false, updating: false, install: async () => {} },
      scanner: {
        warm: nothing,
        open: () => this.desk.cameraChanged({ ...off, phase: "starting" }),
        close: () => this.desk.cameraChanged(off),
        release: nothing,
        show: never,
        retry: never,
        choose: never,
        switchTorch: never,
      },
      words: this.makeWords(),
      signals: { muted: true, toggle: nothing, tell: (answer) => this.told.push(answer) },
      redraw: () => {
        // The desk draws while it is being made.
        if (this.alive && this.desk) this.check(this);
      },
    });
  }

  /** What fills the screen, or null. */
  get answer(): string | null {
    return this.desk.state.current?.answer ?? null;
  }

  /** All that stands on the page, in its present language. */
  get page(): string {
    return textOf(page(this.desk)).trim();
  }

  show(visible: boolean): void {
    this.visible = visible;
    if (visible) for (const listener of [...this.visibleListeners]) listener();
  }

  async signIn(username = "lan"): Promise<void> {
    const done = this.desk.signIn(username, "secret");
    await this.home.time.pass(100);
    await Promise.race([done, settle()]);
  }

  private makeWords(): Desk["words"] {
    const texts = (): Readonly<Record<string, string>> => (this.language === "vi" ? vi : en);
    return {
      text: (key: string, values = {}) => fill(texts()[key] ?? "", values),
      has: (name: string) => Object.hasOwn(texts(), name),
      pick: (text: Localised) => text[this.language],
      goods: ({ amount, tokenId }: { amount: number; tokenId: number }) =>
        `${amount} × #${tokenId}`,
      moment: (when: Date) => when.toISOString(),
    } as unknown as Desk["words"];
  }

  private makeDevice(): Device {
    const { home } = this;
    const { time } = home;
    return {
      visible: () => this.visible,
      onVisible: (listener) => {
        this.visibleListeners.push(listener);
        return () => {
          this.visibleListeners = this.visibleListeners.filter((one) => one !== listener);
        };
      },
      later: (run, ms) =>
        time.later(() => {
          if (this.alive) run();
        }, ms),
      random: home.random,
      elapsed: () => time.now,
      time: () => time.now + home.clockAhead,
      shared: () => home.shared as unknown as Storage,
      own: () => this.own as unknown as Storage,
      onShared: (listener) => this.sharedListeners.push(listener),
      onOnline: (listener) => this.onlineListeners.push(listener),
      alone: (name, run) => home.alone(this, name, run),
      othersOpen: async () => home.tabs.some((tab) => tab !== this),
    };
  }

  /** The promise of a closed tab never comes true. */
  private fetch(url: string, init: RequestInit): Promise<Response> {
    const { time, server, moods } = this.home;
    const mood = moods.get(url) ?? this.home.mood;
    const method = init.method ?? "GET";
    const instead = this.home.answers.get(`${method} ${url.split("?")[0]}`);
    const answer = () =>
      instead ??
      server.answer(
        method,
        url,
        init.headers as Record<string, string>,
        (init.body as string | undefined) ?? "",
      );
    return new Promise((resolve, reject) => {
      const later = (run: () => void, ms: number) =>
        time.later(() => {
          if (this.alive) run();
        }, ms);
      const fail = () => reject(new TypeError("Failed to fetch"));
      const reply = (given: Answer) => resolve(responseOf(given));
      switch (mood) {
        case "offline":
          later(fail, 5);
          break;
        case "answers-lost":
          time.later(answer, 20);
          later(fail, 400);
          break;
        case "gateway":
          time.later(answer, 20);
          later(() => reply({ status: 502, body: null }), 40);
          break;
        case "slow":
          time.later(() => {
            const given = answer();
            later(() => reply(given), 9000);
          }, 20);
          break;
        case "late":
          time.later(answer, 12_000);
          later(fail, TIMEOUT_MS);
          break;
        default:
          time.later(() => {
            const given = answer();
            later(() => reply(given), 20);
          }, 20);
      }
    });
  }
}

function responseOf({ status, body, retryAfter }: Answer): Response {
  const headers = new Headers(retryAfter ? { "Retry-After": String(retryAfter) } : {});
  const json = async () => {
    if (body === null) throw new SyntaxError("no JSON");
    return body;
  };
  return { ok: status < 300, status, headers, json } as unknown as Response;
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function textOf(child: Child): string {
  if (Array.isArray(child)) return child.map(textOf).join("");
  if (child && typeof child === "object" && "tag" in child) return `${textOf(child.children)}\n`;
  return child ? String(child) : "";
}

/** The order id of a number. */
export function idOf(number: number): string {
  return `ORD_19700101_${String(number).padStart(16, "0")}`;
}

/** The order of number 1, and a tab on a device where "lan" is at the desk. */
export async function desk() {
  const time = new Time();
  const server = new FakeServer(time);
  const device = new FakeDevice(time, server);
  const order = server.order(idOf(1));
  const tab = await device.open();
  await tab.signIn("lan");
  return { time, server, device, order, tab };
}

/** The code of the order of that number is read, and its answer looked at. */
export async function scan(tab: FakeTab, number = 1): Promise<void> {
  void tab.desk.check(`5SOV://order/${idOf(number)}`, "camera");
  await tab.home.time.pass(600);
}
