import { ApiError } from "../../shared/api.ts";
import { type Poll, poll } from "../../shared/poll.ts";
import type { ChainProgress, OrderView } from "../../shared/wire.ts";
import type { LaterContext } from "../later.ts";
import type { Wallet } from "../wallet.ts";
import { type BurnCheck, checkBurn, hashMatches } from "./proof.ts";

/** A receipt's order, as far as it is there. */
export type Fetched =
  | { readonly kind: "loading" }
  /** The API cannot be reached; asking goes on. */
  | { readonly kind: "offline" }
  /** There is no such order. */
  | { readonly kind: "gone" }
  /** It is not delivered. */
  | { readonly kind: "open" }
  | { readonly kind: "delivered"; readonly view: OrderView; readonly hashMatches: boolean };

/** The check of the burn through one wallet; `check` is null while it runs. */
export interface Asked {
  readonly wallet: Wallet;
  readonly check: BurnCheck | null;
}

/** The receipt of a delivered order, and what of it this device could check itself. */
export class Receipt {
  fetched: Fetched = { kind: "loading" };
  asked: Asked | null = null;
  private context: LaterContext | null = null;
  private orderId: string | null = null;
  private fetching: Poll | null = null;

  /** Takes up the page's present state; to be called before each drawing of the page. */
  follow(context: LaterContext, orderId: string): void {
    this.context = context;
    if (this.orderId !== orderId) {
      this.leave();
      this.orderId = orderId;
      // Not within the drawing that asked for it.
      queueMicrotask(() => this.fetch(orderId));
    }
    const wallet = this.wallet();
    if (!wallet) this.asked = null;
    else if (wallet !== this.asked?.wallet && this.burn()) {
      queueMicrotask(() => void this.checkBurn());
    }
  }

  /** The customer left the page. */
  leave(): void {
    this.fetching?.stop();
    this.fetching = null;
    this.orderId = null;
    this.fetched = { kind: "loading" };
    this.asked = null;
  }

  /** Asks the connected wallet's node for the burn. */
  async checkBurn(): Promise<void> {
    const { context, orderId } = this;
    const [wallet, burn] = [this.wallet(), this.burn()];
    if (!context || !wallet || !burn) return;
    if (this.asked?.wallet === wallet && this.asked.check === null) return;
    this.asked = { wallet, check: null };
    context.redraw();
    const { contractAddress } = context.config;
    const check = await checkBurn(wallet.provider, contractAddress, burn.view, burn.chain);
    if (this.orderId !== orderId || this.asked?.wallet !== wallet) return;
    this.asked = { wallet, check };
    this.context?.redraw();
  }

  /** The delivered order with its burn. */
  private burn(): { readonly view: OrderView; readonly chain: ChainProgress } | null {
    const { fetched } = this;
    const view = fetched.kind === "delivered" ? fetched.view : null;
    return view?.chain ? { view, chain: view.chain } : null;
  }

  /** The wallet that can be asked: connected, and on the contract's chain. */
  private wallet(): Wallet | null {
    const { connection, config } = this.context ?? {};
    return connection && connection.chainId === config?.chainId ? connection.wallet : null;
  }

  private fetch(orderId: string): void {
    const { context } = this;
    if (!context || this.orderId !== orderId) return;
    const show = (fetched: Fetched) => {
      if (this.orderId !== orderId) return;
      this.fetched = fetched;
      this.context?.redraw();
    };
    this.fetching = poll(async () => {
      try {
        const view = await context.api.order(orderId);
        if (view.status !== "DELIVERED") show({ kind: "open" });
        else show({ kind: "delivered", view, hashMatches: hashMatches(view) });
      } catch (error) {
        if (!(error instanceof ApiError)) show({ kind: "offline" });
        else if (error.status === 404) {
          show({ kind: "gone" });
          return null;
        } else show({ kind: error.retryAfter === null ? "offline" : "loading" });
        throw error;
      }
      return null;
    });
  }
}
