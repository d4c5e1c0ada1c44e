import { type Api, ApiError } from "../shared/api.ts";
import { easing, type Poll, poll } from "../shared/poll.ts";
import type { ChainConfig, Hex, OrderStatus, OrderView } from "../shared/wire.ts";
import { findBurn } from "./contract.ts";
import type { KeptOrders } from "./kept.ts";
import { type Attempt, LOOKS, type Stage, stageOf } from "./stage.ts";
import type { Store } from "./state.ts";
import type { Provider } from "./wallet.ts";
import { type Doubts, judge, look } from "./watch.ts";

const ON_THE_WAY: readonly OrderStatus[] = ["CREATED", "PENDING_CHAIN"];
const HINT_TRIES = 5;
const WATCH_FIRST_MS = 1000;
const WATCH_LIMIT_MS = 6000;
/** How often an order is asked for that the API has forgotten: it may have been put back in time. */
const LOST_MS = 60_000;
/** How long a wallet may take for one look; then it is asked again. */
const LOOK_MS = 20_000;

interface Watched {
  readonly view: OrderView;
  readonly provider: Provider;
  readonly config: ChainConfig;
  readonly attempts: readonly Attempt[];
}

/** Follows the order on the screen: what the API says of it, and the wallet's node. */
export class OrderTracker {
  private following: Poll | null = null;
  private watching: Poll | null = null;

  constructor(
    private readonly store: Store,
    private readonly api: Api,
    private readonly kept: KeptOrders,
    /** The API does not know the order on the screen, and nothing was sent for it. */
    private readonly gone: () => void,
  ) {}

  /** Shows an order and follows it until it ends. Answers when the first look is over. */
  open(orderId: string): Promise<void> {
    this.close();
    const open = { orderId, view: null, qr: null, working: null, redeemed: false };
    this.store.set({ open: { ...open, staleSince: null, lost: false } });
    this.fetchQr(orderId);
    let unchanged = 0;
    let seen = "";
    let answeredAt = Date.now();
    return new Promise((looked) => {
      this.following = poll(async () => {
        try {
          const view = await this.api.order(orderId);
          answeredAt = Date.now();
          this.take(view);
        } catch (error) {
          if (!(error instanceof ApiError) || error.status !== 404) {
            // Who asks too often is answered, if not with the order.
            const answered = error instanceof ApiError && error.retryAfter !== null;
            if (!answered) this.store.setOpen(orderId, { staleSince: answeredAt });
            throw error;
          }
          // Who has sent something keeps the code and the transaction, which reception can look at
          // whatever has become of the API's memory.
          if (this.kept.local(orderId).attempts.length > 0) {
            this.store.setOpen(orderId, { view: null, staleSince: null, lost: true });
            return LOST_MS;
          }
          this.kept.forget(orderId);
          if (this.store.state.open?.orderId === orderId) this.gone();
          return null;
        } finally {
          looked();
        }
        const now = JSON.stringify(this.store.state.open?.view);
        unchanged = now === seen ? unchanged + 1 : 0;
        seen = now;
        const stage = this.stage();
        const pace = stage && LOOKS[stage].pace;
        return pace ? easing(pace.first, pace.limit, unchanged) : null;
      });
    });
  }

  close(): void {
    this.following?.stop();
    this.watching?.stop();
    this.following = null;
    this.watching = null;
    if (this.store.state.open) this.store.set({ open: null });
  }

  /** Looks at once. */
  now(): void {
    this.following?.now();
    this.watching?.now();
    this.watch();
  }

  /** The stage of the order on the screen, or null while it is not known. */
  stage(): Stage | null {
    const { open } = this.store.state;
    return open?.view ? stageOf(open.view, this.kept.local(open.orderId)) : null;
  }

  /** Takes in what the API says of the order on the screen. */
  take(view: OrderView): void {
    const { open } = this.store.state;
    if (open?.orderId !== view.orderId) return;
    this.kept.note(view);
    if (view.chain) this.supersede(view.orderId, view.chain.txHash as Hex);
    this.store.setOpen(view.orderId, { view, staleSince: null, lost: false });
    // What was told on the way is over once the order is where it was to go.
    const arrived = !ON_THE_WAY.includes(view.status) && open.view?.status !== view.status;
    if (arrived && open.view) this.store.set({ notice: null });
    this.watch();
  }

  /** Tells the API of a transaction. It only speeds the listener up: failing is no failure. */
  hint(orderId: string, txHash: Hex): void {
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

  /** Follows the order's transactions through the wallet's node, as long as there is need. */
  watch(): void {
    if (this.watching || !this.watched()) return;
    let doubts: Doubts = new Map();
    let looks = 0;
    const watching: Poll = poll(async () => {
      const wanted = this.watched();
      if (!wanted) {
        if (this.watching === watching) this.watching = null;
        return null;
      }
      doubts = await within(this.look(wanted, doubts), LOOK_MS);
      looks += 1;
      return easing(WATCH_FIRST_MS, WATCH_LIMIT_MS, looks);
    });
    this.watching = watching;
  }

  /** Looks once; answers the doubts that are left. */
  private async look(
    { view, provider, config, attempts }: Watched,
    doubts: Doubts,
  ): Promise<Doubts> {
    const sight = await look(provider, config, view, attempts);
    const { orderId } = view;
    if (!sight || this.store.state.open?.orderId !== orderId) return doubts;
    this.store.setOpen(orderId, { redeemed: sight.redeemed });
    if (sight.redeemed) {
      const own = attempts.some(({ id }) => sight.transactions.get(id)?.succeeded);
      if (!own) await this.followBurn({ view, provider, config, attempts });
      return new Map();
    }
    const judged = judge(attempts, sight, doubts, Date.now());
    for (const { id, fate, nonce } of judged.attempts) {
      // It may have been learned elsewhere since this look began.
      this.kept.update(orderId, id, nonce === null ? { fate } : { fate, nonce });
    }
    return judged.doubts;
  }

  /** The burn was made by a transaction that is not known here: the wallet sped one up. */
  private async followBurn({ view, provider, config, attempts }: Watched): Promise<void> {
    const { orderId, order, orderHash } = view;
    const last = attempts.findLast(({ block }) => block !== null);
    if (!last) return;
    // Some nodes do not search events; the API's listener finds the burn without being told.
    const txHash = await findBurn(
      provider,
      config.contractAddress,
      order.customer,
      orderHash,
      last.block as number,
    ).catch(() => null);
    if (txHash && this.supersede(orderId, txHash)) this.hint(orderId, txHash);
  }

  /** Takes `txHash` for the one that burned; answers whether that is news. */
  private supersede(orderId: string, txHash: Hex): boolean {
    const { attempts } = this.kept.local(orderId);
    const last = attempts.findLast(({ block }) => block !== null);
    if (!last || attempts.some((one) => one.txHash === txHash)) return false;
    this.kept.supersede(orderId, last, txHash);
    if (last.txHash) this.store.set({ notice: { key: "tx.spedUp", tone: "info" } });
    return true;
  }

  /** What there is to be watched now; null when there is nothing, or no way to. */
  private watched(): Watched | null {
    const { open, connection, config } = this.store.state;
    if (!open?.view || !connection || !config || connection.chainId !== config.chainId) return null;
    if (open.view.status !== "CREATED" && open.view.status !== "CANCELLED") return null;
    // Those that are dead are watched too: a fork may bring them back.
    const { attempts, whole } = this.kept.local(open.orderId);
    if (attempts.length === 0 && whole) return null;
    return { view: open.view, provider: connection.wallet.provider, config, attempts };
  }

  private fetchQr(orderId: string): void {
    poll(async () => {
      if (this.store.state.open?.orderId !== orderId) return null;
      try {
        const svg = await this.api.qrSvg(orderId);
        this.store.setOpen(orderId, { qr: `data:image/svg+xml;base64,${btoa(svg)}` });
      } catch (error) {
        if (!(error instanceof ApiError) || error.retryAfter !== null) throw error;
        this.store.setOpen(orderId, { qr: false });
      }
      return null;
    });
  }
}

function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the wallet does not answer")), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
