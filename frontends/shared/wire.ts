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
  readonly version: number | string;
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

/** How far the burn of an order is. */
export interface ChainProgress {
  readonly txHash: Hex;
  readonly blockNumber: number;
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

/** `GET /orders/{orderId}`. `service` is null for a type that the catalogue no longer has. */
export interface OrderView {
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
  readonly deliveredAt?: string | null;
  readonly redeemable: boolean;
  readonly reason?: string | null;
  readonly chain?: ChainProgress | null;
  readonly exception?: string | null;
  readonly transactionHints: readonly string[];
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

/** `GET /reception/orders/{orderId}`. */
export interface ReceptionView
  extends Omit<OrderView, "reason" | "order" | "transactionHints" | "deliveredAt"> {
  readonly customerAddress: string;
  readonly customerMeta: Partial<Record<MetaField, string>> | null;
  readonly deliverable: boolean;
  readonly reason: { readonly code: NotDeliverable; readonly message: Localised } | null;
  readonly delivered: {
    readonly at: string;
    readonly by: string;
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
  readonly deliveredAt?: string | null;
  readonly deliveredBy?: string | null;
  readonly customerAddressMasked: string;
}

/** A page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** `POST /orders/{orderId}/deliver`. */
export interface DeliveryAnswer {
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly deliveredAt: string;
  readonly deliveredBy: string;
  readonly deliveredSite: string;
  readonly alreadyDelivered: boolean;
  readonly entitledUntil?: number | null;
}

/** Who is signed in at the console. */
export interface Staff {
  readonly username: string;
  readonly displayName: string;
  readonly role: "ADMIN" | "RECEPTION";
  readonly sites: readonly string[];
  readonly mustChangePassword: boolean;
}

/** `POST /auth/login` and `/auth/refresh`. `expiresIn` in seconds. */
export interface Session {
  readonly accessToken: string;
  readonly expiresIn: number;
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
