import type {
  Catalogue,
  ChainConfig,
  MetaField,
  OrderStatus,
  OrderView,
  VoucherType,
} from "../shared/wire.ts";
import type { PortalKey } from "./messages/index.ts";
import { HOME, type Place } from "./places.ts";
import type { Attempt } from "./stage.ts";
import type { Connection, Wallet } from "./wallet.ts";

/** Something to tell the customer, in the customer's language. */
export interface Notice {
  readonly key: PortalKey;
  readonly values?: Readonly<Record<string, string | number>>;
  readonly tone?: "info" | "warn";
}

/** The same from what is loaded later, which has its own texts. */
export interface Told {
  readonly tone: "info" | "warn";
  readonly key: string;
  /** Reads the text in the language that those texts are in now. */
  text(): string;
}

/** What the customer has chosen for an order. */
export interface Choice {
  readonly tokenId: number;
  readonly amount: number;
  readonly siteId: string;
  readonly meta: Partial<Record<MetaField, string>>;
}

/** A choice on the screen, with what is wrong with it by field path. */
export interface Draft extends Choice {
  readonly type: VoucherType;
  readonly errors: Readonly<Record<string, Notice>>;
}

/** An order that this device keeps. The id is a bearer secret: it stays here and in the API. */
export interface KeptOrder {
  readonly orderId: string;
  readonly tokenId: number;
  readonly amount: number;
  readonly siteId: string;
  readonly status: OrderStatus;
  /** The furthest that it was seen to be. */
  readonly reached: OrderStatus;
  /** Whether all that was sent for it is among `attempts`: it was made, and stayed, here. */
  readonly whole: boolean;
  /** Transactions that were, or may have been, sent for it; oldest first. */
  readonly attempts: readonly Attempt[];
}

/** The order on the screen. */
export interface OpenOrder {
  readonly orderId: string;
  readonly view: OrderView | null;
  /** The QR code as a data: URL; null until it is there, false where the API gives none. */
  readonly qr: string | null | false;
  readonly working: "checking" | "signing" | null;
  readonly redeemed: boolean;
  /** When the last answer came, unix milliseconds, if the newest attempt got none. */
  readonly staleSince: number | null;
  /** The API does not know it, although something was sent for it. */
  readonly lost: boolean;
}

/** Everything the pages are drawn from. */
export interface State {
  readonly config: ChainConfig | null;
  readonly catalogue: Catalogue | null;
  /** The last attempt to load them failed. */
  readonly down: boolean;
  /** Null until the wallets had time to announce themselves. */
  readonly wallets: readonly Wallet[] | null;
  /** The dialog that lies over the page. */
  readonly sheet: "wallets" | "account" | "code" | null;
  /** The wallet that is being connected. */
  readonly connecting: Wallet | null;
  /** The wallet used last is asked, without a dialog, whether it is still connected. */
  readonly restoring: boolean;
  readonly switching: boolean;
  readonly connection: Connection | null;
  /** Vouchers held by tokenId; null while unread. */
  readonly held: ReadonlyMap<number, number> | null;
  readonly heldFailed: boolean;
  /** They are being read now. */
  readonly reading: boolean;
  readonly place: Place;
  readonly draft: Draft | null;
  readonly placing: boolean;
  readonly open: OpenOrder | null;
  readonly kept: readonly KeptOrder[];
  readonly notice: Notice | Told | null;
  /** The button, by its name in the page, whose request the wallet has not answered yet. */
  readonly asking: { readonly button: string } | null;
  /** What was copied a moment ago. */
  readonly copied: string | null;
}

/** Before anything is known. */
export const EMPTY: State = {
  config: null,
  catalogue: null,
  down: false,
  wallets: null,
  sheet: null,
  connecting: null,
  restoring: false,
  switching: false,
  connection: null,
  held: null,
  heldFailed: false,
  reading: false,
  place: HOME,
  draft: null,
  placing: false,
  open: null,
  kept: [],
  notice: null,
  asking: null,
  copied: null,
};

/** The one place where the state lives; whoever changes it has it drawn. */
export class Store {
  constructor(
    public state: State,
    private readonly changed: () => void,
  ) {}

  set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    this.changed();
  }

  /** Changes the order on the screen, if it is still that one. */
  setOpen(orderId: string, change: Partial<OpenOrder>): void {
    const { open } = this.state;
    if (open?.orderId === orderId) this.set({ open: { ...open, ...change } });
  }
}
