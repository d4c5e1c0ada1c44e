/**
 * What the order API says and takes, in JSON (spec: On the wire).
 *
 * Times are unix seconds except `createdAt`, `deliveredAt` and `delivered.at` (RFC 3339, UTC);
 * `tokenId` and `amount` are integers far below 2^53.
 */

/** A text in both languages of the product. */
export interface Localised {
  readonly vi: string;
  readonly en: string;
}

/** `0x` and hexadecimal digits. */
export type Hex = `0x${string}`;

/** Runtime settings of a static site, served beside it as `config.json`. */
export interface SiteSettings {
  /** Base of the order API, absolute or from the root of this origin, without a slash at the end. */
  readonly apiUrl: string;
  /** Only the local demo sets this. */
  readonly demoWallet?: {
    readonly rpcUrl: string;
    readonly accounts: readonly { readonly label: string; readonly privateKey: Hex }[];
  };
}

/** `GET /config`. */
export interface ChainConfig {
  readonly chainId: number;
  readonly chainName: string;
  readonly contractAddress: Hex;
  readonly confirmations: number;
  readonly explorerUrl: string | null;
  /** Public RPC URLs for `wallet_addEthereumChain`; may be empty. */
  readonly rpcUrls: readonly string[];
  readonly nativeCurrency: {
    readonly name: string;
    readonly symbol: string;
    readonly decimals: number;
  };
  /** Where to get what gas is paid with (the faucet on a test network); null where none is set. */
  readonly gasHelpUrl: string | null;
  readonly orderTtlSeconds: number;
  readonly brand: { readonly name: string };
}

/** A field the customer has to fill in for some voucher types. */
export type MetaField = "aiAccount" | "jobProvider";

/** One voucher type of the catalogue. */
export interface VoucherType {
  readonly tokenId: number;
  readonly name: Localised;
  readonly unit: Localised;
  readonly group: "A" | "B" | "C";
  /** Where it can be redeemed; null is every site. */
  readonly sites: readonly string[] | null;
  readonly requires: readonly MetaField[];
  readonly minAmount: number;
  readonly maxAmount: number;
}

/** A place with a reception. */
export interface Site {
  readonly siteId: string;
  readonly name: Localised;
}

/** `GET /catalog`. */
export interface Catalogue {
  readonly version: number;
  readonly types: readonly VoucherType[];
  readonly sites: readonly Site[];
}

export type OrderStatus =
  | "CREATED"
  | "PENDING_CHAIN"
  | "VALID"
  | "DELIVERED"
  | "EXPIRED"
  | "CANCELLED";

/** Exactly the tuple that the contract's `redeemOrder` takes. */
export interface ContractOrder {
  readonly orderRef: Hex;
  readonly customer: Hex;
  readonly tokenId: number;
  readonly amount: number;
  readonly siteRef: Hex;
  readonly expiresAt: number;
}

/** `POST /orders` takes this. */
export interface NewOrder {
  readonly customerAddress: string;
  readonly tokenId: number;
  readonly amount: number;
  readonly siteId?: string;
  readonly customerMeta?: Partial<Record<MetaField, string>>;
}

/** `POST /orders` answers this. */
export interface PlacedOrder {
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly orderHash: Hex;
  readonly expiresAt: number;
  readonly qrPayload: string;
  readonly order: ContractOrder;
}

/**
 * How far the burn of an order is, and where it is to be found: what a receipt proves.
 *
 * `serial` is the contract's own count of the redemption, in decimal (a 256-bit number);
 * `blockTime` is in unix seconds.
 */
export interface ChainProgress {
  readonly txHash: Hex;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly blockTime: number;
  readonly logIndex: number;
  readonly serial: string;
  readonly confirmations: number;
  readonly required: number;
  readonly final: boolean;
  readonly explorerUrl: string | null;
}

/** The service an order is for. */
export interface Service {
  readonly name: Localised;
  readonly unit: Localised;
  readonly group: "A" | "B" | "C";
}

/** Why the holder of an order should not burn for it now. */
export type NotRedeemable =
  | "BURN_SEEN"
  | "ALREADY_DELIVERED"
  | "EXPIRED"
  | "EXPIRY_BEING_CHECKED"
  | "CANCELLED"
  | "EXCEPTION";

/** What a burn came to (spec: Redemptions and exceptions). */
export type Outcome =
  | "MATCHED"
  | "UNKNOWN_ORDER"
  | "WRONG_WALLET"
  | "WRONG_TOKEN"
  | "WRONG_AMOUNT"
  | "LATE"
  | "DUPLICATE"
  | "ORDER_CLOSED";

/**
 * One line of `GET /wallets/{address}/orders`. `service` is null for a type that the catalogue no
 * longer has. How far the burn is, `GET /orders/{orderId}` tells.
 */
export interface OrderSummary {
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly siteId: string;
  readonly tokenId: number;
  readonly amount: number;
  readonly customerAddressMasked: string;
  readonly service: Service | null;
  readonly orderHash: Hex;
  readonly order: ContractOrder;
  readonly expiresAt: number;
  readonly createdAt: string;
  readonly deliveredAt?: string;
  readonly deliveredSite?: string;
  readonly redeemable: boolean;
  readonly reason?: NotRedeemable;
  readonly exception?: Outcome;
  readonly transactionHints: readonly string[];
}

/** `GET /orders/{orderId}`. `chain` is there once a burn is seen. */
export interface OrderView extends OrderSummary {
  readonly chain?: ChainProgress;
}

/** `POST /auth/wallet/nonce`: the exact text to sign with `personal_sign`, until `expiresAt`. */
export interface WalletNonce {
  readonly nonce: string;
  readonly message: string;
  readonly expiresAt: number;
}

/** `POST /auth/wallet/verify`: `accessToken` opens the wallet's orders for `expiresIn` seconds. */
export interface WalletSession {
  readonly accessToken: string;
  readonly expiresIn: number;
  readonly address: Hex;
}

/** Why an order cannot be delivered now. */
export type NotDeliverable =
  | "NOT_BURNED_YET"
  | "WAITING_FOR_CONFIRMATIONS"
  | "ALREADY_DELIVERED"
  | "EXPIRED"
  | "EXPIRY_BEING_CHECKED"
  | "CANCELLED"
  | "WRONG_SITE"
  | "EXCEPTION";

/**
 * Why an administrator has to look at an order. `DELIVERED_REORGED`: after the service was handed
 * over, the chain took the burn back.
 */
export type ExceptionKind = Exclude<Outcome, "MATCHED"> | "DELIVERED_REORGED";

/** `GET /reception/orders/{orderId}`. */
export interface ReceptionView
  extends Omit<
    OrderView,
    "reason" | "order" | "transactionHints" | "deliveredAt" | "deliveredSite" | "exception"
  > {
  readonly customerAddress: string;
  readonly customerMeta: Partial<Record<MetaField, string>> | null;
  readonly deliverable: boolean;
  readonly reason: { readonly code: NotDeliverable; readonly message: Localised } | null;
  readonly exception?: ExceptionKind;
  readonly delivered: {
    readonly at: string;
    /** The username; `byName` is the name to show. */
    readonly by: string;
    readonly byName: string;
    readonly site: string;
    readonly note: string;
  } | null;
}

/** One line of `GET /reception/orders`: no order id, which is a bearer secret. */
export interface QueueItem {
  readonly orderHash: Hex;
  readonly tokenId: number;
  readonly amount: number;
  readonly service: Service | null;
  readonly siteId: string;
  readonly status: OrderStatus;
  readonly createdAt: string;
  readonly expiresAt: number;
  readonly deliveredAt?: string;
  readonly deliveredBy?: string;
  readonly deliveredByName?: string;
  readonly exception?: ExceptionKind;
  readonly customerAddressMasked: string;
}

/**
 * Which of a site's orders `GET /reception/orders` lists.
 *
 * `from` and `to` bound the order's creation, in unix seconds, both included. `search` takes an
 * order hash or its first 8 or more hexadecimal digits, or a wallet address or its last 4 or more.
 * An order's id and its 16-character code open the order for whoever reads them, so they never go
 * into a query: look those up with `receptionOrder`. The API refuses them with 422, as it does
 * anything else.
 *
 * One request looks at a bounded number of orders, so that a page may be short, even empty, and
 * still have a `nextCursor`; going on takes the same filter with that cursor.
 */
export interface QueueFilter {
  readonly from?: number;
  readonly to?: number;
  readonly search?: string;
  readonly status?: readonly OrderStatus[];
  readonly cursor?: string | null;
}

/** A page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/**
 * `POST /orders/{orderId}/deliver`: the one delivery of the order.
 *
 * `alreadyDelivered` is false for the request that delivered and for every repeat of it by the same
 * person with the same key; true for everybody else.
 */
export interface DeliveryAnswer {
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly deliveredAt: string;
  /** The username; `deliveredByName` is the name to show. */
  readonly deliveredBy: string;
  readonly deliveredByName: string;
  readonly deliveredSite: string;
  readonly alreadyDelivered: boolean;
  readonly entitledUntil?: number;
}

/** Who is signed in at the console. */
export interface Staff {
  readonly username: string;
  readonly displayName: string;
  readonly role: "ADMIN" | "RECEPTION";
  readonly sites: readonly string[];
  readonly mustChangePassword: boolean;
}

/**
 * `POST /auth/login` and `/auth/refresh`. `expiresIn` is that of the access token, `sessionEndsIn`
 * that of the whole session however it is refreshed, in seconds.
 */
export interface Session {
  readonly accessToken: string;
  readonly expiresIn: number;
  readonly sessionEndsIn: number;
  readonly refreshToken: string;
  readonly staff: Staff;
}

/** RFC 9457 problem of this API. */
export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly code: string;
  readonly requestId?: string;
  readonly errors?: readonly {
    readonly field: string;
    readonly rule: string;
    readonly message: string;
  }[];
}
