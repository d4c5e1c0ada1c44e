/**
 * The screens that are loaded when they are asked for: the wallet's orders, receipts, and what few
 * people do. None of it is in the way from a voucher to the code.
 */
import type { Api } from "../shared/api.ts";
import type { Child } from "../shared/dom.ts";
import type { Translator } from "../shared/i18n.ts";
import type { Catalogue, ChainConfig, OrderView } from "../shared/wire.ts";
import type { PortalKey } from "./messages/index.ts";
import type { KeptOrder, Told } from "./state.ts";
import type { Connection } from "./wallet.ts";

export type { Told } from "./state.ts";

/** What those screens stand on; made anew for every call. */
export interface LaterContext {
  readonly api: Api;
  readonly words: Translator<PortalKey>;
  readonly config: ChainConfig;
  readonly catalogue: Catalogue;
  readonly connection: Connection | null;
  readonly kept: readonly KeptOrder[];
  redraw(): void;
  connect(): void;
  openOrder(orderId: string): void;
  openReceipt(orderId: string): void;
  openHistory(): void;
  back(): void;
}

/** What `later/index.ts` offers. */
export interface LaterScreens {
  /** Loads the texts in the customer's language; before all else, and after each change of it. */
  load(context: LaterContext): Promise<void>;
  historyPage(context: LaterContext): Child;
  receiptPage(context: LaterContext, orderId: string): Child;
  /** Offers the voucher to the wallet (EIP-747); answers what to tell, null for nothing. */
  addVoucher(context: LaterContext, tokenId: number): Promise<Told | null>;
  /** Takes an unsigned order back with the customer's signature. */
  cancelOrder(context: LaterContext, view: OrderView): Promise<Told | null>;
  /** The customer left those screens, or the account is another one. */
  leave(): void;
}

/** Loads those screens once; what failed is tried again when it is asked for again. */
export class Later {
  private screens: LaterScreens | null = null;
  private language = "";
  private loading: Promise<LaterScreens> | null = null;
  failed = false;

  constructor(private readonly changed: () => void) {}

  /** The screens, ready in the customer's language; null while they are not. */
  ready(context: LaterContext): LaterScreens | null {
    if (this.screens && this.language === context.words.language) return this.screens;
    if (!this.failed) this.load(context).catch(() => {});
    return null;
  }

  /** Loads what is missing. Raises when it cannot be. */
  load(context: LaterContext): Promise<LaterScreens> {
    this.failed = false;
    this.loading ??= this.fetch(context).finally(() => {
      this.loading = null;
      this.changed();
    });
    return this.loading;
  }

  leave(): void {
    this.screens?.leave();
  }

  private async fetch(context: LaterContext): Promise<LaterScreens> {
    try {
      const { language } = context.words;
      const screens: LaterScreens = await import("./later/index.ts");
      await screens.load(context);
      this.screens = screens;
      this.language = language;
      return screens;
    } catch (error) {
      this.failed = true;
      throw error;
    }
  }
}
