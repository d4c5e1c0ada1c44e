import type { Api, InputMethod } from "../shared/api.ts";
import { ApiError } from "../shared/api.ts";
import type { Language, Translator } from "../shared/i18n.ts";
import { parseCode } from "../shared/order-code.ts";
import { type Poll, poll } from "../shared/poll.ts";
import { Kept, randomKey } from "../shared/storage.ts";
import type { Catalogue } from "../shared/wire.ts";
import type { Answer } from "./answer.ts";
import { type Case, Counter } from "./case.ts";
import type { Device } from "./device.ts";
import type { Installation } from "./installation.ts";
import { OFF } from "./late-scanner.ts";
import { isToday, type List, Listing, NO_LIST } from "./listing.ts";
import type { ConsoleKey } from "./messages/index.ts";
import { type Notice, passwordFailure } from "./notice.ts";
import { Outbox, type Outcome, type Press } from "./outbox.ts";
import type { Scanner, ScannerState } from "./scanner.ts";
import type { SessionChange, StaffSession } from "./session.ts";

/** Everything the pages are drawn from. */
export interface State {
  readonly ready: boolean;
  /** The API has not been reached since the page was opened. */
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
  /** What was pressed on this device and is not known, or not read yet; oldest first. */
  readonly presses: readonly Press[];
  /** Signing out was wanted while deliveries of this person are not confirmed. */
  readonly leaving: boolean;
  readonly list: List;
  /** Minutes until the session ends, once it is near. */
  readonly endsIn: number | null;
  /** What people call this device, for the audit; may be empty. */
  readonly deviceLabel: string;
}

/** What a desk is made of. */
export interface DeskParts {
  readonly api: Api;
  readonly session: StaffSession;
  readonly scanner: Pick<
    Scanner,
    "warm" | "open" | "show" | "close" | "release" | "retry" | "choose" | "switchTorch"
  >;
  readonly words: Translator<ConsoleKey>;
  readonly signals: { muted: boolean; toggle(): void; tell(answer: Answer): void };
  readonly device: Device;
  readonly app: Pick<Installation, "installable" | "updating" | "install">;
  readonly redraw: () => void;
}

const SHORTEST_PASSWORD = 12;
const WARN_MINUTES = 10;
const WARN_EVERY_MS = 20_000;
const LONGEST_LABEL = 31;
const MINUTE_MS = 60_000;

/** The reception console: its state, and all that a receptionist can do. */
export class Desk {
  state: State;
  readonly session: StaffSession;
  readonly scanner: DeskParts["scanner"];
  readonly words: Translator<ConsoleKey>;
  readonly signals: DeskParts["signals"];
  readonly app: DeskParts["app"];
  private readonly api: Api;
  private readonly device: Device;
  private readonly redraw: () => void;
  private readonly outbox: Outbox;
  private readonly counter: Counter;
  private readonly listing: Listing;
  /** Who worked here last, while their session ends elsewhere. */
  private person: string | null = null;
  private loading: Poll | null = null;
  private cancelWarning = () => {};
  private readonly keptSite: Kept<string | null>;
  private readonly keptDevice: Kept<string | null>;
  private readonly keptLabel: Kept<string>;
  private readonly keptShell: Kept<Pick<State, "brand" | "catalogue"> | null>;

  constructor(parts: DeskParts) {
    const { api, device } = parts;
    this.api = api;
    this.device = device;
    this.session = parts.session;
    this.scanner = parts.scanner;
    this.words = parts.words;
    this.signals = parts.signals;
    this.app = parts.app;
    this.redraw = parts.redraw;
    const shared = () => device.shared();
    this.keptSite = new Kept<string | null>(shared, "5sov.desk", null);
    this.keptDevice = new Kept<string | null>(shared, "5sov.device", null);
    this.keptLabel = new Kept(shared, "5sov.label", "");
    this.keptShell = new Kept<Pick<State, "brand" | "catalogue"> | null>(
      shared,
      "5sov.shell",
      null,
    );
    this.outbox = new Outbox(
      api,
      device,
      () => (this.session.staff?.mustChangePassword ? null : this.session.staff),
      () => this.deviceName(),
      () => this.pressesChanged(),
    );
    const refused = (error: ApiError) => this.refused(error);
    this.counter = new Counter(api, device, this.outbox, {
      site: () => this.state.site,
      username: () => this.person,
      deviceName: () => this.deviceName(),
      refused,
      tell: (answer) => this.signals.tell(answer),
      changed: () => this.set({ current: this.counter.current }),
    });
    this.listing = new Listing(api, device, refused, () => this.listChanged());
    this.state = {
      ready: false,
      down: false,
      brand: "5SOffice",
      catalogue: null,
      signedIn: false,
      busy: false,
      notice: null,
      site: null,
      code: "",
      camera: OFF,
      current: null,
      presses: this.outbox.presses,
      leaving: false,
      list: NO_LIST,
      endsIn: null,
      deviceLabel: this.keptLabel.get(),
    };
    device.onOnline(() => this.loading?.now());
  }

  /** Goes on where this device left off, and loads what every page needs. */
  async start(): Promise<void> {
    const before = this.keptShell.get();
    if (before) this.set({ ...before, ready: true });
    else this.redraw();
    if (await this.session.resume()) this.enter();
    this.loading = poll(async () => {
      try {
        const [config, catalogue] = await Promise.all([this.api.config(), this.api.catalogue()]);
        const shell = { brand: config.brand.name, catalogue };
        this.keptShell.set(shell);
        this.set({ ...shell, down: false, ready: true });
      } catch (error) {
        this.set({ down: true });
        throw error;
      }
      return null;
    }, this.device);
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
    if (this.state.busy) return;
    this.set({ busy: true, notice: null });
    try {
      await this.session.signIn(username.trim(), password);
      this.enter();
    } catch (error) {
      this.set({ notice: signInFailed(error) });
    } finally {
      this.set({ busy: false });
    }
  }

  async changePassword(current: string, wanted: string): Promise<void> {
    if (this.state.busy) return;
    if (wanted.length < SHORTEST_PASSWORD) {
      this.set({ notice: { key: "password.short" } });
      return;
    }
    this.set({ busy: true, notice: null });
    const { person } = this;
    try {
      await this.api.changePassword(current, wanted);
      if (person !== this.person) return;
      this.session.passwordChanged();
      this.enter();
    } catch (error) {
      // Where the session ended meanwhile, the page says so already.
      if (person === this.person) this.set({ notice: passwordFailure(error) });
    } finally {
      this.set({ busy: false });
    }
  }

  /**
   * Signs out on all tabs of this device and wipes what the person left there, but for deliveries
   * that are not confirmed: with such, the first call only asks (`leaving`), the second one goes.
   */
  async signOut(): Promise<void> {
    const username = this.session.staff?.username ?? "";
    if (!this.state.leaving && this.outbox.waitingFor(username).length > 0) {
      this.set({ leaving: true });
      return;
    }
    this.leave("signed-out");
    await this.session.signOut();
  }

  /** Does not sign out after all. */
  stay(): void {
    this.set({ leaving: false });
  }

  /** The session ended by itself, or on another tab. */
  sessionChanged(change: SessionChange): void {
    if (change !== "signed-in") {
      this.leave(change);
      return;
    }
    this.enter();
  }

  /** Asks where this person may deliver now, as somebody may just have assigned a site. */
  async lookForSites(): Promise<void> {
    if (this.state.busy) return;
    this.set({ busy: true, notice: null });
    try {
      await this.session.reload();
      this.enter();
    } catch {
      this.set({ notice: { key: "login.offline" } });
    } finally {
      this.set({ busy: false });
    }
  }

  chooseSite(siteId: string): void {
    this.keptSite.set(siteId);
    this.set({ site: siteId, notice: null });
    this.listing.open(siteId);
    this.counter.reopen();
  }

  changeSite(): void {
    this.scanner.release();
    this.listing.close();
    this.set({ site: null });
  }

  /** Names this device for the audit of scans and deliveries. */
  nameDevice(label: string): void {
    this.keptLabel.set(label.trim());
    this.set({ deviceLabel: label.trim() });
  }

  type(code: string): void {
    this.set({ code, notice: null });
  }

  /** Checks what was scanned, typed or pasted. */
  async check(text: string, method: InputMethod): Promise<void> {
    const parsed = parseCode(text, new Date(this.device.time()));
    if (parsed.kind === "order") {
      this.scanner.close();
      this.set({ code: "", notice: null, leaving: false });
      await this.counter.open(parsed.orderIds, method);
    } else if (method === "typed") {
      const kind = parsed.kind === "empty" ? "incomplete" : parsed.kind;
      this.set({ notice: { key: `parse.${kind}` } });
    } else if (parsed.kind !== "empty") {
      const kind = parsed.kind === "incomplete" ? "foreign" : parsed.kind;
      this.showForeign(method, `parse.${kind}`);
    }
  }

  editNote(note: string): void {
    this.counter.editNote(note);
  }

  /** Hands over: once, however often the network makes us ask. */
  deliver(): void {
    this.counter.deliver();
  }

  /** Ready for the next customer. */
  next(): void {
    if (this.counter.isBusy()) return;
    this.scanner.close();
    this.counter.close();
    this.set({ notice: null });
    if (this.state.site) this.listing.refresh();
  }

  /** Sends deliveries that are not confirmed, now rather than soon. */
  sendNow(): void {
    this.outbox.flush();
  }

  /** The outcome of a press was read. */
  acknowledge(key: string): void {
    this.outbox.acknowledge(key);
  }

  openCamera(): void {
    if (this.counter.isBusy()) return;
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

  /**
   * A USB scanner's code came, changed by an input method. It was another customer's: what the
   * screen said of the one before, perhaps green, goes.
   */
  wedgeUnreadable(): void {
    this.showForeign("wedge", "wedge.inputMethod");
  }

  /** Finds an order by its code, or lists those of a hash or wallet. */
  async search(text: string): Promise<void> {
    const isHex = /^0x[0-9a-f]*$/i.test(text.trim());
    if (!isHex && parseCode(text, new Date(this.device.time())).kind === "order") {
      await this.check(text, "typed");
    } else this.listing.search(text);
  }

  filter(change: Parameters<Listing["choose"]>[0]): void {
    this.listing.choose(change);
  }

  refreshList(): void {
    this.listing.refresh();
  }

  async moreOfList(): Promise<void> {
    await this.listing.more();
  }

  /** Whether the page may be loaded anew without anybody losing anything. */
  isIdle(): boolean {
    const { busy, current, code, camera, leaving, list } = this.state;
    const atWork = busy || current !== null || code !== "" || camera.phase !== "off" || leaving;
    return !atWork && isToday(list.filter) && this.outbox.isKept();
  }

  private showForeign(method: InputMethod, key: ConsoleKey): void {
    this.scanner.close();
    this.set({ notice: null, leaving: false });
    this.counter.showForeign(method, { key });
  }

  private enter(): void {
    const { staff } = this.session;
    if (!staff) return;
    const { person } = this;
    if (person !== null && person !== staff.username) this.leave("signed-out", false);
    this.person = staff.username;
    this.set({ signedIn: true, notice: null });
    this.warn();
    if (staff.mustChangePassword) {
      this.leaveSite();
      return;
    }
    this.scanner.warm();
    this.outbox.flush();
    const sites = this.sites();
    const [only, second] = sites;
    const remembered = sites.find((site) => site.siteId === this.keptSite.get());
    const site = second ? remembered : only;
    if (site) this.chooseSite(site.siteId);
  }

  /** Shows the sign-in page. What was half done stays only for a person whose session ended. */
  private leave(over: Exclude<SessionChange, "signed-in">, told = true): void {
    const ended = over === "ended";
    if (ended) this.counter.hide();
    else this.counter.wipe();
    this.cancelWarning();
    this.scanner.release();
    this.listing.close();
    this.person = null;
    this.set({
      signedIn: false,
      site: null,
      code: "",
      leaving: false,
      endsIn: null,
      notice: ended && told ? { key: "login.ended" } : null,
    });
  }

  /** Serves nobody until a site is chosen; what is half done comes back then. */
  private leaveSite(): void {
    this.counter.hide();
    this.changeSite();
  }

  /** Answers whether the desk shows another page because of this refusal. */
  private refused(error: ApiError): boolean {
    if (error.code === "PASSWORD_CHANGE_REQUIRED") {
      this.session.passwordExpired();
      this.leaveSite();
      return true;
    }
    if (error.status === 403) void this.lookAtRights();
    return false;
  }

  /** Asks where this person may deliver now; leaves a site that was taken away. */
  private async lookAtRights(): Promise<void> {
    await this.session.reload().catch(() => {
      // Nobody can tell now; the next refusal asks again.
    });
    const { site } = this.state;
    if (!site || !this.session.staff || this.session.staff.sites.includes(site)) return;
    this.leaveSite();
    this.set({ notice: { key: "site.taken", site } });
  }

  private listChanged(): void {
    const { list } = this.listing;
    this.set({ list });
    // Where the list answers, so may the rest.
    if (this.state.down && list.at !== null && !list.loading && !list.failed) this.loading?.now();
  }

  private pressesChanged(): void {
    const before = this.state.presses;
    const { presses } = this.outbox;
    this.state = { ...this.state, presses };
    this.counter.pressesChanged();
    const shown = this.counter.current?.press?.key;
    for (const { key, outcome } of presses) {
      const wasOpen = before.some((press) => press.key === key && !press.outcome);
      // Good news of an earlier customer must not sound like the answer to the present one.
      const heard = outcome?.kind !== "ours" || !this.state.current;
      if (outcome && wasOpen && key !== shown && heard) this.signals.tell(answerOf(outcome));
    }
    this.redraw();
  }

  /** Says some minutes ahead that the session will end. */
  private warn(): void {
    this.cancelWarning();
    const { endsAt } = this.session;
    if (endsAt === null) return;
    this.session.seen();
    const left = Math.max(0, Math.ceil((endsAt - this.device.time()) / MINUTE_MS));
    const endsIn = left <= WARN_MINUTES ? left : null;
    if (endsIn !== this.state.endsIn) this.set({ endsIn });
    this.cancelWarning = this.device.later(() => this.warn(), WARN_EVERY_MS);
  }

  /** Identifies this device in the audit: a random id, and what people call it. */
  private deviceName(): string {
    let id = this.keptDevice.get();
    if (!id) {
      id = randomKey();
      this.keptDevice.set(id);
    }
    return `${id} ${plain(this.state.deviceLabel)}`.trim();
  }

  private set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    this.redraw();
  }
}

/** The answer that tells of what became of a press. */
export function answerOf(outcome: Outcome): Answer {
  if (outcome.kind === "ours") return "done";
  return outcome.kind === "other" ? "delivered" : "refused";
}

/** What a header takes of a name: ASCII, with Vietnamese letters written without their marks. */
function plain(label: string): string {
  return label
    .normalize("NFD")
    .replace(/[đĐ]/g, (letter) => (letter === "đ" ? "d" : "D"))
    .replace(/[^\x20-\x7e]/g, "")
    .slice(0, LONGEST_LABEL);
}

function signInFailed(error: unknown): Notice {
  if (!(error instanceof ApiError)) return { key: "login.offline" };
  if (error.retryAfter !== null) return { key: "login.locked", values: { n: error.retryAfter } };
  return { key: error.status === 429 ? "why.LOCKED_OUT" : "login.wrong" };
}
