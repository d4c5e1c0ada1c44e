import type { Api } from "../shared/api.ts";
import { ApiError } from "../shared/api.ts";
import type { Language, Translator } from "../shared/i18n.ts";
import { easing, type Poll, poll } from "../shared/poll.ts";
import { Kept, randomKey } from "../shared/storage.ts";
import type {
  Catalogue,
  ChainConfig,
  Hex,
  MetaField,
  NewOrder,
  OrderStatus,
  OrderView,
  VoucherType,
} from "../shared/wire.ts";
import { balances, coins, errorName, missingForGas, redemption } from "./contract.ts";
import type { PortalKey } from "./messages/index.ts";
import { pace, type Stage, stageOf } from "./stage.ts";
import {
  type Connection,
  connect,
  hasCode,
  lacksFunds,
  REJECTED,
  revertData,
  switchChain,
  type Wallet,
} from "./wallet.ts";

/** Something to tell the customer, in the customer's language. */
export interface Notice {
  readonly key: PortalKey;
  readonly values?: Readonly<Record<string, string | number>>;
}

/** What the customer is filling in. */
export interface Draft {
  readonly type: VoucherType;
  readonly amount: number;
  readonly siteId: string;
  readonly meta: Partial<Record<MetaField, string>>;
  /** Field path to what is wrong with it. */
  readonly errors: Readonly<Record<string, Notice>>;
}

/** An order that this device keeps. The id is a bearer secret: it stays here and in the API. */
export interface KeptOrder {
  readonly orderId: string;
  readonly tokenId: number;
  readonly amount: number;
  readonly status: OrderStatus;
  readonly txHash: Hex | null;
}

/** The order on the screen. */
export interface OpenOrder {
  readonly orderId: string;
  readonly view: OrderView | null;
  readonly qr: string | null;
  readonly signing: boolean;
  /** When the last answer came, unix milliseconds, if the newest attempt got none. */
  readonly staleSince: number | null;
}

/** Everything the pages are drawn from. */
export interface State {
  readonly config: ChainConfig | null;
  readonly catalogue: Catalogue | null;
  readonly down: boolean;
  readonly wallets: readonly Wallet[];
  readonly choosing: boolean;
  readonly connecting: boolean;
  readonly connection: Connection | null;
  /** Vouchers held by tokenId; null while unread. */
  readonly held: ReadonlyMap<number, number> | null;
  readonly heldFailed: boolean;
  readonly draft: Draft | null;
  readonly placing: boolean;
  readonly open: OpenOrder | null;
  readonly kept: readonly KeptOrder[];
  readonly notice: Notice | null;
}

const MOST_KEPT = 12;
const HINT_TRIES = 5;
const keptOrders = new Kept<readonly KeptOrder[]>(() => localStorage, "5sov.orders", []);
const openOrder = new Kept<string | null>(() => sessionStorage, "5sov.open", null);
const lastWallet = new Kept<string | null>(() => localStorage, "5sov.wallet", null);
const lastSite = new Kept<string>(() => localStorage, "5sov.site", "");
const attempt = new Kept<{ key: string; body: string } | null>(
  () => sessionStorage,
  "5sov.attempt",
  null,
);

/** The portal: its state, and all that a customer can do. */
export class Portal {
  state: State = {
    config: null,
    catalogue: null,
    down: false,
    wallets: [],
    choosing: false,
    connecting: false,
    connection: null,
    held: null,
    heldFailed: false,
    draft: null,
    placing: false,
    open: null,
    kept: keptOrders.get(),
    notice: null,
  };
  private following: Poll | null = null;
  private readonly listening = new WeakSet<object>();

  constructor(
    private readonly api: Api,
    readonly words: Translator<PortalKey>,
    readonly redraw: () => void,
  ) {}

  /** Loads what every page needs and goes on where this device left off. */
  start(): void {
    const orderId = openOrder.get();
    if (orderId) this.openOrder(orderId);
    const loading = poll(async () => {
      try {
        const [config, catalogue] = await Promise.all([this.api.config(), this.api.catalogue()]);
        this.set({ config, catalogue, down: false });
      } catch (error) {
        this.set({ down: true });
        throw error;
      }
      void this.readHeld();
      return null;
    });
    window.addEventListener("online", () => loading.now());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && !this.state.open) void this.readHeld();
    });
  }

  /** Changes the language; one that cannot be loaded now leaves the page as it is. */
  async useLanguage(language: Language): Promise<void> {
    await this.words.use(language).catch(() => {});
    this.redraw();
  }

  /** A wallet announced itself; the one used last is connected again without asking. */
  walletsFound(wallets: readonly Wallet[]): void {
    this.set({ wallets });
    const known = wallets.find((wallet) => wallet.info.rdns === lastWallet.get());
    if (known && !this.state.connection && !this.state.connecting) void this.join(known, true);
  }

  /** Connects the only wallet, or lets the customer choose. */
  connect(): void {
    const [only, second] = this.state.wallets;
    if (only && !second) void this.join(only, false);
    else this.set({ choosing: true, notice: null });
  }

  async join(wallet: Wallet, silent: boolean): Promise<void> {
    if (!silent) this.set({ choosing: false, connecting: true, notice: null });
    try {
      const connection = await connect(wallet, silent);
      if (!connection) return;
      lastWallet.set(wallet.info.rdns);
      this.set({ connection });
      this.follow(wallet);
      void this.readHeld();
    } catch (error) {
      if (silent) return;
      this.set({
        notice: hasCode(error, REJECTED) ? { key: "connect.rejected" } : walletNotice(error),
      });
    } finally {
      this.set({ connecting: false });
    }
  }

  disconnect(): void {
    lastWallet.clear();
    this.set({ connection: null, held: null, draft: null, notice: null, choosing: false });
  }

  dismissChooser(): void {
    this.set({ choosing: false });
  }

  async switchChain(): Promise<void> {
    const { connection, config } = this.state;
    if (!connection || !config) return;
    try {
      await switchChain(connection.wallet.provider, config);
      await this.join(connection.wallet, true);
      this.set({ notice: null });
    } catch {
      this.set({ notice: { key: "network.failed", values: { chain: config.chainName } } });
    }
  }

  /** Reads from the chain, through the wallet, what the account holds. */
  async readHeld(): Promise<void> {
    const { connection, config, catalogue } = this.state;
    if (!connection || !config || !catalogue || connection.chainId !== config.chainId) return;
    const ids = catalogue.types.map((type) => type.tokenId);
    try {
      const { provider } = connection.wallet;
      const counts = await balances(provider, config.contractAddress, connection.address, ids);
      if (this.state.connection?.address !== connection.address) return;
      const held = new Map(ids.map((id, at) => [id, Number(counts[at] ?? 0n)]));
      this.set({ held, heldFailed: false });
    } catch {
      this.set({ heldFailed: true });
    }
  }

  choose(type: VoucherType): void {
    const sites = this.sitesOf(type);
    const [only, second] = sites;
    const remembered = sites.find((site) => site.siteId === lastSite.get());
    const siteId = (second ? remembered : only)?.siteId ?? "";
    this.set({
      draft: { type, amount: type.minAmount, siteId, meta: {}, errors: {} },
      notice: null,
    });
  }

  /** The sites where `type` can be redeemed. */
  sitesOf(type: VoucherType): Catalogue["sites"] {
    const sites = this.state.catalogue?.sites ?? [];
    return type.sites === null ? sites : sites.filter((site) => type.sites?.includes(site.siteId));
  }

  edit(change: Partial<Pick<Draft, "amount" | "siteId" | "meta">>): void {
    const { draft } = this.state;
    if (draft) this.set({ draft: { ...draft, ...change, errors: {} }, notice: null });
  }

  leaveDraft(): void {
    this.set({ draft: null, notice: null });
  }

  /** The most of the chosen type that can be redeemed at once. */
  most(draft: Draft): number {
    return Math.min(draft.type.maxAmount, this.state.held?.get(draft.type.tokenId) ?? 0);
  }

  /** Makes the order, then asks the wallet to redeem it. */
  async redeem(): Promise<void> {
    const { draft, connection, placing } = this.state;
    if (!draft || !connection || placing) return;
    const errors = this.check(draft);
    if (Object.keys(errors).length > 0) {
      this.set({ draft: { ...draft, errors } });
      return;
    }
    this.set({ placing: true, notice: null });
    const body: NewOrder = {
      customerAddress: connection.address,
      tokenId: draft.type.tokenId,
      amount: draft.amount,
      ...(draft.siteId ? { siteId: draft.siteId } : {}),
      ...(draft.type.requires.length > 0 ? { customerMeta: trimmed(draft) } : {}),
    };
    try {
      const placed = await this.api.placeOrder(body, keyFor(body));
      attempt.clear();
      if (draft.siteId) lastSite.set(draft.siteId);
      this.keep({
        orderId: placed.orderId,
        tokenId: draft.type.tokenId,
        amount: draft.amount,
        status: placed.status,
        txHash: null,
      });
      this.set({ draft: null });
      await this.openOrder(placed.orderId);
      await this.sign();
    } catch (error) {
      this.set(placingFailed(error, draft));
    } finally {
      this.set({ placing: false });
    }
  }

  /** Simulates, so that a refusal is told in words before anything is signed; then signs and sends. */
  async sign(): Promise<void> {
    const { open, config } = this.state;
    const view = open?.view;
    if (!open || !view || !config || open.signing) return;
    const { connection } = this.state;
    if (!connection) {
      this.connect();
      return;
    }
    const { customer } = view.order;
    if (connection.address.toLowerCase() !== customer.toLowerCase()) {
      this.set({ notice: { key: "problem.account", values: { address: shortAddress(customer) } } });
      return;
    }
    this.setOpen(open.orderId, { signing: true });
    this.set({ notice: null });
    try {
      const { provider } = connection.wallet;
      if (connection.chainId !== config.chainId) await switchChain(provider, config);
      const call = redemption(config.contractAddress, view.order, view.orderHash);
      await provider.request({ method: "eth_call", params: [call, "latest"] });
      const missing = await missingForGas(provider, call);
      if (missing > 0n) {
        const { symbol, decimals } = config.nativeCurrency;
        this.set({
          notice: { key: "problem.gas", values: { amount: coins(missing, decimals), symbol } },
        });
        return;
      }
      const txHash = (await provider.request({
        method: "eth_sendTransaction",
        params: [call],
      })) as Hex;
      this.keepChange(open.orderId, { txHash });
      this.tellTransaction(open.orderId, txHash);
    } catch (error) {
      this.set({ notice: signingFailed(error, config, this.words) });
    } finally {
      this.setOpen(open.orderId, { signing: false });
      this.following?.now();
    }
  }

  /** Shows an order and follows it until it ends. Answers when the first look is over. */
  openOrder(orderId: string): Promise<void> {
    this.following?.stop();
    openOrder.set(orderId);
    this.set({
      open: { orderId, view: null, qr: null, signing: false, staleSince: null },
      notice: null,
    });
    this.fetchQr(orderId);
    let unchanged = 0;
    let seen = "";
    let answeredAt = Date.now();
    return new Promise((looked) => {
      this.following = poll(async () => {
        try {
          const view = await this.api.order(orderId);
          answeredAt = Date.now();
          this.setOpen(orderId, { view, staleSince: null });
          this.keepChange(orderId, { status: view.status });
          await this.checkReceipt(view);
        } catch (error) {
          if (error instanceof ApiError && error.status === 404) {
            const shown = this.state.open?.orderId === orderId;
            this.forget(orderId);
            if (shown) this.set({ notice: { key: "order.gone" } });
            return null;
          }
          this.setOpen(orderId, { staleSince: answeredAt });
          throw error;
        } finally {
          looked();
        }
        const now = JSON.stringify(this.state.open?.view);
        unchanged = now === seen ? unchanged + 1 : 0;
        seen = now;
        const stage = this.stage();
        const speed = stage && pace(stage);
        return speed ? easing(speed.first, speed.limit, unchanged) : null;
      });
    });
  }

  /** The stage of the order on the screen, or null while it is not known. */
  stage(): Stage | null {
    const { open } = this.state;
    if (!open?.view) return null;
    const local = { signing: open.signing, txHash: this.keptTx(open.orderId) };
    return stageOf(open.view, local, Date.now() / 1000);
  }

  /** Back to the vouchers; the order goes on and stays on this device. */
  closeOrder(): void {
    this.following?.stop();
    this.following = null;
    openOrder.clear();
    this.set({ open: null, notice: null });
    void this.readHeld();
  }

  /** Closes an order that ended, and forgets it. */
  finishOrder(): void {
    const { open } = this.state;
    this.closeOrder();
    if (open) this.forget(open.orderId);
  }

  private check(draft: Draft): Record<string, Notice> {
    const errors: Record<string, Notice> = {};
    const max = this.most(draft);
    const { minAmount: min } = draft.type;
    if (!Number.isInteger(draft.amount) || draft.amount < min || draft.amount > max) {
      errors.amount = { key: "redeem.amountRange", values: { min, max } };
    }
    if (!draft.siteId && this.sitesOf(draft.type).length > 0) {
      errors.siteId = { key: "redeem.siteRequired" };
    }
    for (const field of draft.type.requires) {
      if (!draft.meta[field]?.trim()) errors[`customerMeta.${field}`] = { key: "redeem.required" };
    }
    return errors;
  }

  /** The hint only speeds the listener up, so a failure to give it is no failure. */
  private tellTransaction(orderId: string, txHash: Hex): void {
    let tries = 0;
    poll(async () => {
      tries += 1;
      try {
        await this.api.hintTransaction(orderId, txHash);
      } catch (error) {
        if (!(error instanceof ApiError) && tries < HINT_TRIES) throw error;
      }
      return null;
    });
  }

  /** A transaction that the chain refused burned nothing: the customer may sign again. */
  private async checkReceipt(view: OrderView): Promise<void> {
    const txHash = this.keptTx(view.orderId);
    const provider = this.state.connection?.wallet.provider;
    if (view.status !== "CREATED" || !txHash || !provider) return;
    const receipt = (await provider
      .request({ method: "eth_getTransactionReceipt", params: [txHash] })
      .catch(() => null)) as { status?: string } | null;
    if (receipt?.status === "0x0") {
      this.keepChange(view.orderId, { txHash: null });
      this.set({ notice: { key: "problem.reverted" } });
    }
  }

  private fetchQr(orderId: string): void {
    poll(async () => {
      if (this.state.open?.orderId !== orderId) return null;
      try {
        const svg = await this.api.qrSvg(orderId);
        this.setOpen(orderId, { qr: `data:image/svg+xml;base64,${btoa(svg)}` });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
      }
      return null;
    });
  }

  private follow(wallet: Wallet): void {
    const { provider } = wallet;
    if (this.listening.has(provider)) return;
    this.listening.add(provider);
    const changed = () => {
      if (this.state.connection?.wallet.provider !== provider) return;
      this.set({ held: null, draft: null });
      void connect(wallet, true).then(
        (connection) => {
          this.set({ connection });
          return this.readHeld();
        },
        () => this.set({ connection: null }),
      );
    };
    provider.on?.("accountsChanged", changed);
    provider.on?.("chainChanged", changed);
  }

  private keptTx(orderId: string): Hex | null {
    return this.state.kept.find((kept) => kept.orderId === orderId)?.txHash ?? null;
  }

  private keep(order: KeptOrder): void {
    this.setKept([order, ...this.state.kept].slice(0, MOST_KEPT));
  }

  private keepChange(orderId: string, change: Partial<KeptOrder>): void {
    this.setKept(
      this.state.kept.map((kept) => (kept.orderId === orderId ? { ...kept, ...change } : kept)),
    );
  }

  private forget(orderId: string): void {
    this.setKept(this.state.kept.filter((kept) => kept.orderId !== orderId));
    if (this.state.open?.orderId === orderId) {
      openOrder.clear();
      this.set({ open: null });
    }
  }

  private setKept(kept: readonly KeptOrder[]): void {
    keptOrders.set(kept);
    this.set({ kept });
  }

  /** Changes the order on the screen, if it is still that one. */
  private setOpen(orderId: string, change: Partial<OpenOrder>): void {
    const { open } = this.state;
    if (open?.orderId === orderId) this.set({ open: { ...open, ...change } });
  }

  private set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    this.redraw();
  }
}

/** First and last characters of an address, enough to recognise it. */
export function shortAddress(address: string): string {
  return `${address.slice(0, 6)}…${address.slice(-4)}`;
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

function placingFailed(error: unknown, draft: Draft): Partial<State> {
  if (!(error instanceof ApiError)) return { notice: { key: "problem.offline" } };
  if (error.code === "IDEMPOTENCY_KEY_REUSED") attempt.clear();
  if (error.retryAfter !== null) {
    return { notice: { key: "problem.limit", values: { n: error.retryAfter } } };
  }
  const errors: Record<string, Notice> = {};
  for (const { field, message } of error.problem.errors ?? []) {
    errors[field] = { key: "problem.api", values: { detail: message } };
  }
  return {
    notice: { key: "problem.api", values: { detail: error.message } },
    draft: { ...draft, errors },
  };
}

function signingFailed(error: unknown, config: ChainConfig, words: Translator<PortalKey>): Notice {
  if (hasCode(error, REJECTED)) return { key: "problem.rejected" };
  const data = revertData(error);
  if (data) return revertNotice(errorName(data), words);
  if (lacksFunds(error)) {
    return { key: "problem.gasUnknown", values: { symbol: config.nativeCurrency.symbol } };
  }
  return walletNotice(error);
}

function revertNotice(name: string | null, words: Translator<PortalKey>): Notice {
  const key = `revert.${name}`;
  return { key: words.has(key) ? key : "revert.other" };
}

function walletNotice(error: unknown): Notice {
  const { message } = error as { message?: unknown };
  const detail = typeof message === "string" ? message.slice(0, 160) : "?";
  return { key: "problem.wallet", values: { detail } };
}
