import { type Api, ApiError } from "../shared/api.ts";
import type { ServerClock } from "../shared/clock.ts";
import type { Language, Translator } from "../shared/i18n.ts";
import { poll } from "../shared/poll.ts";
import { Kept, randomKey } from "../shared/storage.ts";
import type { Catalogue, MetaField, NewOrder, VoucherType } from "../shared/wire.ts";
import { KeptOrders } from "./kept.ts";
import { Later, type LaterContext, type LaterScreens } from "./later.ts";
import type { PortalKey } from "./messages/index.ts";
import { placingFailed } from "./notices.ts";
import { HOME, type Place, Places } from "./places.ts";
import { WalletSession } from "./session.ts";
import { Signing } from "./signing.ts";
import type { Local } from "./stage.ts";
import { type Choice, type Draft, EMPTY, type Notice, type State, Store } from "./state.ts";
import { OrderTracker } from "./tracker.ts";

const COPIED_MS = 2500;
const GONE: Notice = { key: "order.gone" };
const lastSite = new Kept<string>(() => localStorage, "5sov.site", "");
const attempt = new Kept<{ key: string; body: string } | null>(
  () => sessionStorage,
  "5sov.attempt",
  null,
);

/** The portal: its state, and all that a customer can do. */
export class Portal {
  readonly session: WalletSession;
  readonly tracker: OrderTracker;
  readonly signing: Signing;
  readonly later: Later;
  private readonly store: Store;
  private readonly kept: KeptOrders;
  private readonly places = new Places((place) => this.arrive(place));

  constructor(
    private readonly api: Api,
    readonly words: Translator<PortalKey>,
    readonly redraw: () => void,
  ) {
    this.store = new Store(EMPTY, redraw);
    this.kept = new KeptOrders(this.store);
    this.session = new WalletSession(this.store, () => this.accountChanged());
    this.tracker = new OrderTracker(this.store, api, this.kept, () => {
      this.places.swap({ at: "home", gone: true });
      this.store.set({ notice: GONE });
    });
    this.signing = new Signing(this.store, words, this.kept, this.session, this.tracker);
    this.later = new Later(redraw);
  }

  /** What the API's answers told of the time; a device's own may be wrong by minutes. */
  get clock(): ServerClock {
    return this.api.clock;
  }

  get state(): State {
    return this.store.state;
  }

  /** Loads what every page needs and goes on where this tab left off. */
  start(): void {
    this.places.start();
    const { place } = this.state;
    if (place.at === "home" && place.gone) this.store.set({ notice: GONE });
    const loading = poll(async () => {
      try {
        const [config, catalogue] = await Promise.all([this.api.config(), this.api.catalogue()]);
        this.store.set({ config, catalogue, down: false });
      } catch (error) {
        this.store.set({ down: true });
        throw error;
      }
      const { place } = this.state;
      if (place.at === "redeem") this.fill(place.choice);
      void this.session.readHeld();
      return null;
    });
    addEventListener("online", () => {
      loading.now();
      this.tracker.now();
    });
    addEventListener("storage", () => this.kept.read());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "visible") return;
      // A page that was put aside hears nothing of what other tabs write.
      this.kept.read();
      if (!this.state.open) void this.session.readHeld();
    });
  }

  /** Changes the language; one that cannot be loaded now leaves the page as it is. */
  async useLanguage(language: Language): Promise<void> {
    await this.words.use(language).catch(() => {});
    const { notice } = this.state;
    const context = this.laterContext();
    if (notice && "text" in notice && context) await this.later.load(context).catch(() => {});
    this.redraw();
  }

  /** Back to the vouchers; an order goes on and stays on this device. */
  home(): void {
    if (this.state.place.at !== "home") this.places.swap(HOME);
  }

  back(): void {
    this.places.back();
  }

  openOrder(orderId: string): void {
    this.places.go({ at: "order", orderId });
  }

  openReceipt(orderId: string): void {
    this.places.go({ at: "receipt", orderId });
  }

  openHistory(): void {
    if (this.state.place.at !== "history") this.places.go({ at: "history" });
  }

  show(sheet: State["sheet"]): void {
    this.store.set({ sheet });
  }

  /** Answers whether the browser allowed it. */
  async copy(text: string): Promise<boolean> {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      return false;
    }
    this.store.set({ copied: text });
    setTimeout(() => this.store.set({ copied: null }), COPIED_MS);
    return true;
  }

  // ------------------------------------------------------------ choosing

  choose(type: VoucherType): void {
    const sites = this.sitesOf(type);
    const [only, second] = sites;
    const remembered = sites.find((site) => site.siteId === lastSite.get());
    const siteId = (second ? remembered : only)?.siteId ?? "";
    const choice = { tokenId: type.tokenId, amount: type.minAmount, siteId, meta: {} };
    this.places.go({ at: "redeem", choice });
  }

  /** The sites where `type` can be redeemed. */
  sitesOf(type: VoucherType): Catalogue["sites"] {
    const sites = this.state.catalogue?.sites ?? [];
    return type.sites === null ? sites : sites.filter((site) => type.sites?.includes(site.siteId));
  }

  edit(change: Partial<Pick<Draft, "amount" | "siteId" | "meta">>): void {
    const { draft, placing } = this.state;
    if (!draft) return;
    if (placing) {
      this.redraw();
      return;
    }
    const next = { ...draft, ...change, errors: {} };
    this.places.note({ at: "redeem", choice: choiceOf(next) });
    this.store.set({ draft: next, notice: null });
  }

  /** The most of the chosen type that can be redeemed at once. */
  most(draft: Draft): number {
    const held = this.state.held?.get(draft.type.tokenId) ?? (this.state.held ? 0 : Infinity);
    return Math.min(draft.type.maxAmount, held);
  }

  /** Makes the order, then asks the wallet to redeem it. */
  async redeem(): Promise<void> {
    const { draft, connection, placing, place } = this.state;
    if (!draft || !connection || placing) return;
    const errors = this.check(draft);
    if (Object.keys(errors).length > 0) {
      this.store.set({ draft: { ...draft, errors } });
      return;
    }
    this.store.set({ placing: true, notice: null });
    const body: NewOrder = {
      customerAddress: connection.address,
      tokenId: draft.type.tokenId,
      amount: draft.amount,
      ...(draft.siteId ? { siteId: draft.siteId } : {}),
      ...(draft.type.requires.length > 0 ? { customerMeta: trimmed(draft) } : {}),
    };
    try {
      const { orderId } = await this.api.placeOrder(body, keyFor(body));
      attempt.clear();
      this.kept.made(orderId, draft);
      if (draft.siteId) lastSite.set(draft.siteId);
      // Who has left meanwhile finds it among the orders of this device.
      if (this.state.place !== place) return;
      this.places.swap({ at: "order", orderId, choice: choiceOf(draft) });
      void this.looked.then(() => {
        if (this.state.open?.orderId === orderId) void this.signing.sign();
      });
    } catch (error) {
      // After no answer the same key has to go with the next attempt; a refused one is of no use.
      if (error instanceof ApiError && error.retryAfter === null) attempt.clear();
      if (this.state.place === place) this.store.set(placingFailed(error, draft));
    } finally {
      this.store.set({ placing: false });
    }
  }

  // ------------------------------------------------------------ the order on the screen

  /** What this device knows of the order on the screen. */
  local(orderId: string): Local {
    return this.kept.local(orderId);
  }

  /** Closes an order that ended, and forgets it. */
  finishOrder(): void {
    const { open } = this.state;
    this.places.back();
    if (open) this.kept.forget(open.orderId);
  }

  /** Closes an order that ended, and begins a new one with the same choice. */
  orderAgain(): void {
    const { open, place } = this.state;
    if (!open?.view || place.at !== "order") return;
    const { tokenId, amount, siteId } = open.view;
    const choice = place.choice ?? { tokenId, amount, siteId, meta: {} };
    this.kept.forget(open.orderId);
    this.places.swap({ at: "redeem", choice });
  }

  // ------------------------------------------------------------ screens that are loaded later

  /** What those screens stand on; null until config and catalogue are there. */
  laterContext(): LaterContext | null {
    const { config, catalogue, connection, kept } = this.state;
    if (!config || !catalogue) return null;
    return {
      api: this.api,
      words: this.words,
      config,
      catalogue,
      connection,
      kept,
      redraw: this.redraw,
      connect: () => void this.session.connect(),
      openOrder: (orderId) => this.openOrder(orderId),
      openReceipt: (orderId) => this.openReceipt(orderId),
      openHistory: () => this.openHistory(),
      back: () => this.back(),
    };
  }

  /** `button` is the one that was pressed. */
  async addVoucher(button: string, tokenId: number): Promise<void> {
    await this.askWallet(button, (screens, context) => screens.addVoucher(context, tokenId));
  }

  /** `button` is the one that was pressed. */
  async cancelOrder(button: string): Promise<void> {
    const view = this.state.open?.view;
    if (!view) return;
    await this.askWallet(button, (screens, context) => screens.cancelOrder(context, view));
    this.tracker.now();
  }

  private looked: Promise<void> = Promise.resolve();

  /**
   * Asks the wallet for something beside the redemption, one thing at a time: until it answers, or
   * the customer goes elsewhere.
   */
  private async askWallet(
    button: string,
    run: (screens: LaterScreens, context: LaterContext) => Promise<State["notice"]>,
  ): Promise<void> {
    const context = this.laterContext();
    if (!context || this.state.asking) return;
    const asking = { button };
    this.store.set({ asking, notice: null });
    let notice: State["notice"];
    try {
      notice = await run(await this.later.load(context), context);
    } catch {
      notice = { key: "problem.later" };
    }
    if (this.state.asking === asking) this.store.set({ asking: null, notice });
  }

  private arrive(place: Place): void {
    const { open, draft } = this.state;
    this.store.set({ place, sheet: null, asking: null, notice: null });
    if (place.at !== "history" && place.at !== "receipt") this.later.leave();
    if (place.at === "redeem") {
      if (!draft || draft.tokenId !== place.choice.tokenId) this.fill(place.choice);
    } else if (draft) this.store.set({ draft: null });
    if (place.at !== "order") this.tracker.close();
    else if (open?.orderId !== place.orderId) this.looked = this.tracker.open(place.orderId);
    if (place.at === "home") void this.session.readHeld();
  }

  /** Puts a choice on the screen, once the catalogue is there to tell what it is of. */
  private fill(choice: Choice): void {
    const { catalogue } = this.state;
    if (!catalogue) return;
    const type = catalogue.types.find(({ tokenId }) => tokenId === choice.tokenId);
    if (type) this.store.set({ draft: { ...choice, type, errors: {} } });
    else this.home();
  }

  private accountChanged(): void {
    this.later.leave();
    if (this.state.place.at !== "redeem") return;
    this.home();
    if (this.state.connection) {
      this.store.set({ notice: { key: "account.changed", tone: "info" } });
    }
  }

  private check(draft: Draft): Record<string, Notice> {
    const errors: Record<string, Notice> = {};
    const max = this.most(draft);
    const { minAmount: min } = draft.type;
    if (!Number.isInteger(draft.amount) || draft.amount < min || draft.amount > max) {
      errors.amount =
        max < min
          ? { key: "revert.ERC1155InsufficientBalance" }
          : { key: "redeem.amountRange", values: { min, max } };
    }
    if (!draft.siteId && this.sitesOf(draft.type).length > 0) {
      errors.siteId = { key: "redeem.siteRequired" };
    }
    for (const field of draft.type.requires) {
      if (!draft.meta[field]?.trim()) errors[`customerMeta.${field}`] = { key: "redeem.required" };
    }
    return errors;
  }
}

function choiceOf({ tokenId, amount, siteId, meta }: Choice): Choice {
  return { tokenId, amount, siteId, meta };
}

/** The key of this attempt: kept while the same order is tried again, even after a reload. */
function keyFor(body: NewOrder): string {
  const text = JSON.stringify(body);
  const before = attempt.get();
  if (before?.body === text) return before.key;
  const key = randomKey();
  attempt.set({ key, body: text });
  return key;
}

function trimmed(draft: Draft): Partial<Record<MetaField, string>> {
  return Object.fromEntries(
    draft.type.requires.map((field) => [field, draft.meta[field]?.trim() ?? ""]),
  );
}
