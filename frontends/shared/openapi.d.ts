// Generated from docs/openapi.json by `node frontends/openapi/generate.mjs`.

export interface paths {
    readonly "/health": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Whether the process answers; asks nothing else */
        readonly get: operations["get_health"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/health/ready": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Whether store, listener and RPC are well, each named; 503 when one is not */
        readonly get: operations["get_readiness"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/config": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Chain, contract, confirmations, brand: what the frontends need to know */
        readonly get: operations["get_config"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/catalog": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Voucher types and sites; 304 while nothing changed */
        readonly get: operations["get_catalog"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/metadata/{tokenId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** ERC-1155 metadata JSON; takes the id in decimal or as the standard's 64 hex digits */
        readonly get: operations["get_metadata"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/orders": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Make an order; a repeat with the same `Idempotency-Key` answers 200 with the same order */
        readonly post: operations["create_order"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/orders/{orderId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Status, service and confirmations, for whoever holds the id; never `customerMeta` */
        readonly get: operations["get_order"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/orders/{orderId}/qr.svg": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** The QR code `5SOV://order/<orderId>` as SVG */
        readonly get: operations["get_order_qr_svg"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/orders/{orderId}/qr.png": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** The QR code `5SOV://order/<orderId>` as PNG */
        readonly get: operations["get_order_qr_png"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/orders/{orderId}/transaction": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Tell the listener where the burn will be found; it never moves an order */
        readonly post: operations["add_transaction_hint"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/orders/{orderId}/cancel": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Take an order back before its burn is seen, by a signature that is good for this only */
        readonly post: operations["cancel"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/auth/wallet/nonce": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** The exact EIP-4361 message for the wallet to sign within five minutes */
        readonly post: operations["begin_sign_in"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/auth/wallet/verify": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** A session for the wallet that signed the message; each message is good once */
        readonly post: operations["finish_sign_in"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/wallets/{address}/orders": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** The wallet's own orders, newest first */
        readonly get: operations["list_wallet_orders"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/auth/login": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * A session of at most eight hours
         * @description Too many failures lock the account for a while.
         */
        readonly post: operations["login"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/auth/refresh": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * New tokens; the old ones are spent
         * @description Whoever gets no answer, or a 503, sends the same token again: within 60 seconds of its first use it is good for other tokens, and those that got lost are void. Any other token that is spent or void was copied, and ends the session.
         */
        readonly post: operations["refresh"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/auth/logout": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** End this session */
        readonly post: operations["logout"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/auth/password": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** A new password; this session goes on, every other one of this person ends */
        readonly post: operations["set_password"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/reception/orders/{orderId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * What is needed to deliver, and if not deliverable, why
         * @description Every look is an audit item.
         */
        readonly get: operations["get_reception_order"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/reception/orders": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * A site's queue and history
         * @description `site` may be left out by who serves one site only. `search` looks for orders by hash or wallet. An order's id, or its 16-character code, is a bearer secret and stands in no query: for that there is `GET /reception/orders/{orderId}`. One request looks at a bounded number of orders; `nextCursor` goes on with the same parameters.
         */
        readonly get: operations["list_reception_orders"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/orders/{orderId}/deliver": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Hand over the service, once
         * @description A repeat answers with the first delivery and says so. With an `Idempotency-Key`, all attempts of one press by one member of staff get the same answer, so that a desk whose answer was lost learns whether it was the one that delivered.
         */
        readonly post: operations["deliver_order"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Bilingual
         * @description A text in Vietnamese and English.
         */
        readonly Bilingual: {
            readonly vi: string;
            readonly en: string;
        };
        /**
         * Brand
         * @description Whose vouchers these are.
         */
        readonly Brand: {
            readonly name: string;
        };
        /**
         * CallOrder
         * @description Exactly what `redeemOrder` takes.
         */
        readonly CallOrder: {
            readonly orderRef: string;
            readonly customer: string;
            readonly tokenId: number;
            readonly amount: number;
            readonly siteRef: string;
            readonly expiresAt: number;
        };
        /**
         * Cancellation
         * @description EIP-712 `Cancel(bytes32 orderHash,uint64 deadline)`, signed; good until `deadline`.
         */
        readonly Cancellation: {
            readonly deadline: number;
            readonly signature: string;
        };
        /**
         * Catalog
         * @description All voucher types and sites.
         */
        readonly Catalog: {
            readonly version: number;
            readonly types: readonly components["schemas"]["CatalogType"][];
            readonly sites: readonly components["schemas"]["CatalogSite"][];
        };
        /**
         * CatalogSite
         * @description A site that takes orders.
         */
        readonly CatalogSite: {
            readonly siteId: string;
            readonly name: components["schemas"]["Bilingual"];
        };
        /**
         * CatalogType
         * @description A voucher type. `sites` is `null` where every site serves it.
         */
        readonly CatalogType: {
            readonly tokenId: number;
            readonly name: components["schemas"]["Bilingual"];
            readonly unit: components["schemas"]["Bilingual"];
            /** @enum {string} */
            readonly group: "A" | "B" | "C";
            readonly sites: readonly string[] | null;
            readonly requires: readonly string[];
            readonly minAmount: number;
            readonly maxAmount: number;
        };
        /**
         * ChainProgress
         * @description Where the burn stands, and what proves it; `confirmations` counts its own block.
         *
         *     `serial` is the contract's gap-free count of the redemption, in decimal; `logIndex` its log's
         *     place in the block; `blockTime` is in unix seconds.
         */
        readonly ChainProgress: {
            readonly txHash: string;
            readonly blockNumber: number;
            readonly blockHash: string;
            readonly blockTime: number;
            readonly logIndex: number;
            readonly serial: string;
            readonly confirmations: number;
            readonly required: number;
            readonly final: boolean;
            readonly explorerUrl: string | null;
        };
        /**
         * Config
         * @description What the frontends need to know of this system.
         *
         *     `gasHelpUrl` is where to get what gas is paid with: the faucet on a test network.
         */
        readonly Config: {
            readonly chainId: number;
            readonly chainName: string;
            readonly contractAddress: string;
            readonly confirmations: number;
            readonly finalityFallbackBlocks: number;
            readonly explorerUrl: string | null;
            readonly rpcUrls: readonly string[];
            readonly nativeCurrency: components["schemas"]["NativeCurrency"];
            readonly gasHelpUrl: string | null;
            readonly orderTtlSeconds: number;
            readonly brand: components["schemas"]["Brand"];
            readonly eip712: components["schemas"]["Eip712Domain"];
        };
        /**
         * CustomerMeta
         * @description What some services need to know of the customer; kept encrypted.
         */
        readonly CustomerMeta: {
            readonly aiAccount?: string;
            readonly jobProvider?: string;
        };
        /**
         * DeliverRequest
         * @description `siteId` is where the desk stands; needed where the order has no site and the member of
         *     staff has several.
         */
        readonly DeliverRequest: {
            readonly note?: string;
            readonly siteId?: string;
        };
        /**
         * DeliveryDone
         * @description The one delivery, and whether another request than this one made it.
         *
         *     A repeat with the same `Idempotency-Key` by the same member of staff is the same request.
         *     `entitledUntil` (unix seconds) is what delivery grants for services of group C.
         */
        readonly DeliveryDone: {
            readonly orderId: string;
            readonly status: components["schemas"]["OrderStatus"];
            /** Format: date-time */
            readonly deliveredAt: string;
            readonly deliveredBy: string;
            readonly deliveredByName: string;
            readonly deliveredSite: string;
            readonly alreadyDelivered: boolean;
            readonly entitledUntil?: number;
        };
        /**
         * DeliveryView
         * @description The one delivery of an order: by whom (`by` is the username), when and at which site.
         */
        readonly DeliveryView: {
            /** Format: date-time */
            readonly at: string;
            readonly by: string;
            readonly byName: string;
            readonly site: string;
            readonly note: string;
        };
        /**
         * DependencyHealth
         * @description One dependency; `detail` says what is wrong.
         */
        readonly DependencyHealth: {
            readonly ok: boolean;
            readonly detail: string;
        };
        /**
         * Eip712Domain
         * @description Name and version of the contract's EIP-712 domain.
         */
        readonly Eip712Domain: {
            readonly name: string;
            readonly version: string;
        };
        /**
         * ExceptionKind
         * @description Why a person has to look: the burn's outcome, or what a fork did to a delivered order.
         * @enum {string}
         */
        readonly ExceptionKind: "UNKNOWN_ORDER" | "WRONG_WALLET" | "WRONG_TOKEN" | "WRONG_AMOUNT" | "LATE" | "DUPLICATE" | "ORDER_CLOSED" | "DELIVERED_REORGED";
        /**
         * Health
         * @description The process answers.
         */
        readonly Health: {
            /** @constant */
            readonly status: "ok";
        };
        /**
         * HintAccepted
         * @description The hints the listener will look at, oldest first.
         */
        readonly HintAccepted: {
            readonly orderId: string;
            readonly transactionHints: readonly string[];
        };
        /**
         * Login
         * @description Who signs in.
         */
        readonly Login: {
            readonly username: string;
            readonly password: string;
        };
        /**
         * MetaView
         * @description What the service needs to know of the customer.
         */
        readonly MetaView: {
            readonly aiAccount?: string;
            readonly jobProvider?: string;
        };
        /**
         * Metadata
         * @description ERC-1155 metadata of one token type.
         */
        readonly Metadata: {
            readonly name: string;
            readonly description: string;
            readonly decimals: number;
            readonly properties: components["schemas"]["MetadataProperties"];
        };
        /**
         * MetadataProperties
         * @description What a voucher stands for.
         */
        readonly MetadataProperties: {
            readonly tokenId: number;
            readonly unit: components["schemas"]["Bilingual"];
            /** @enum {string} */
            readonly group: "A" | "B" | "C";
            readonly name: components["schemas"]["Bilingual"];
        };
        /**
         * NativeCurrency
         * @description What gas is paid in (EIP-3085).
         */
        readonly NativeCurrency: {
            readonly name: string;
            readonly symbol: string;
            readonly decimals: number;
        };
        /**
         * NewOrder
         * @description An order to be made. `siteId` is needed where sites are enforced.
         */
        readonly NewOrder: {
            readonly customerAddress: string;
            readonly tokenId: number;
            readonly amount: number;
            readonly siteId?: string;
            readonly customerMeta?: components["schemas"]["CustomerMeta"];
        };
        /**
         * Nonce
         * @description The exact EIP-4361 text for `personal_sign`, good until `expiresAt`.
         */
        readonly Nonce: {
            readonly nonce: string;
            readonly message: string;
            readonly expiresAt: number;
        };
        /**
         * NonceRequest
         * @description The wallet that wants to sign in.
         */
        readonly NonceRequest: {
            readonly address: string;
        };
        /**
         * NotDeliverable
         * @description Why an order must not be delivered now, at this desk.
         * @enum {string}
         */
        readonly NotDeliverable: "NOT_BURNED_YET" | "WAITING_FOR_CONFIRMATIONS" | "ALREADY_DELIVERED" | "EXPIRED" | "EXPIRY_BEING_CHECKED" | "CANCELLED" | "WRONG_SITE" | "EXCEPTION";
        /**
         * NotDeliverableReason
         * @description Why an order must not be delivered now, in one sentence.
         */
        readonly NotDeliverableReason: {
            readonly code: components["schemas"]["NotDeliverable"];
            readonly message: components["schemas"]["Bilingual"];
        };
        /**
         * NotRedeemable
         * @description Why the holder of an order should not burn for it now.
         * @enum {string}
         */
        readonly NotRedeemable: "BURN_SEEN" | "ALREADY_DELIVERED" | "EXPIRED" | "EXPIRY_BEING_CHECKED" | "CANCELLED" | "EXCEPTION";
        /**
         * OrderDetails
         * @description An order as the holder of its id sees it; `chain` appears once a burn is seen.
         */
        readonly OrderDetails: {
            readonly orderId: string;
            readonly status: components["schemas"]["OrderStatus"];
            readonly orderHash: string;
            readonly siteId: string;
            readonly tokenId: number;
            readonly amount: number;
            readonly customerAddressMasked: string;
            readonly service: components["schemas"]["ServiceView"] | null;
            /** Format: date-time */
            readonly createdAt: string;
            readonly expiresAt: number;
            readonly redeemable: boolean;
            readonly reason?: components["schemas"]["NotRedeemable"];
            /** Format: date-time */
            readonly deliveredAt?: string;
            readonly deliveredSite?: string;
            readonly exception?: components["schemas"]["Outcome"];
            readonly transactionHints: readonly string[];
            readonly order: components["schemas"]["CallOrder"];
            readonly chain?: components["schemas"]["ChainProgress"];
        };
        /**
         * OrderStatus
         * @description Where an order stands (spec: The order).
         * @enum {string}
         */
        readonly OrderStatus: "CREATED" | "PENDING_CHAIN" | "VALID" | "DELIVERED" | "EXPIRED" | "CANCELLED";
        /**
         * OrderSummary
         * @description An order as the holder of its id, or of its wallet, sees it in a list.
         */
        readonly OrderSummary: {
            readonly orderId: string;
            readonly status: components["schemas"]["OrderStatus"];
            readonly orderHash: string;
            readonly siteId: string;
            readonly tokenId: number;
            readonly amount: number;
            readonly customerAddressMasked: string;
            readonly service: components["schemas"]["ServiceView"] | null;
            /** Format: date-time */
            readonly createdAt: string;
            readonly expiresAt: number;
            readonly redeemable: boolean;
            readonly reason?: components["schemas"]["NotRedeemable"];
            /** Format: date-time */
            readonly deliveredAt?: string;
            readonly deliveredSite?: string;
            readonly exception?: components["schemas"]["Outcome"];
            readonly transactionHints: readonly string[];
            readonly order: components["schemas"]["CallOrder"];
        };
        /**
         * Outcome
         * @description What a burn came to (spec: Redemptions and exceptions).
         * @enum {string}
         */
        readonly Outcome: "MATCHED" | "UNKNOWN_ORDER" | "WRONG_WALLET" | "WRONG_TOKEN" | "WRONG_AMOUNT" | "LATE" | "DUPLICATE" | "ORDER_CLOSED";
        /**
         * PasswordChange
         * @description From the current password to a new one.
         */
        readonly PasswordChange: {
            readonly currentPassword: string;
            /** @description 12 to 128 characters */
            readonly newPassword: string;
        };
        /**
         * PlacedOrder
         * @description An order that was accepted, and what to call the contract with.
         */
        readonly PlacedOrder: {
            readonly orderId: string;
            readonly status: components["schemas"]["OrderStatus"];
            readonly orderHash: string;
            readonly expiresAt: number;
            readonly qrPayload: string;
            readonly order: components["schemas"]["CallOrder"];
        };
        /**
         * ProblemBody
         * @description RFC 9457 problem details, with a stable machine-readable `code`.
         */
        readonly ProblemBody: {
            readonly type: string;
            readonly title: string;
            readonly status: number;
            readonly detail: string;
            readonly code: string;
            readonly requestId: string;
            readonly errors?: readonly components["schemas"]["ProblemField"][];
        };
        /**
         * ProblemField
         * @description One field that breaks one rule.
         */
        readonly ProblemField: {
            readonly field: string;
            readonly rule: string;
            readonly message: string;
        };
        /**
         * Queue
         * @description A site's orders, latest expiry first. A page may be short, even empty, and still have a next
         *     one.
         */
        readonly Queue: {
            readonly items: readonly components["schemas"]["QueueItem"][];
            readonly nextCursor: string | null;
        };
        /**
         * QueueItem
         * @description An order in a list: by its hash, never by its id. `exception` is as in `ReceptionOrder`.
         */
        readonly QueueItem: {
            readonly orderHash: string;
            readonly tokenId: number;
            readonly amount: number;
            readonly service: components["schemas"]["ServiceView"] | null;
            readonly siteId: string;
            readonly status: components["schemas"]["OrderStatus"];
            /** Format: date-time */
            readonly createdAt: string;
            readonly expiresAt: number;
            /** Format: date-time */
            readonly deliveredAt?: string;
            readonly deliveredBy?: string;
            readonly deliveredByName?: string;
            readonly exception?: components["schemas"]["ExceptionKind"];
            readonly customerAddressMasked: string;
        };
        /**
         * Readiness
         * @description Whether the system is fit to serve, and what is wrong if not.
         *
         *     `lagSeconds` is the age of the listener's last good pass, `lagBlocks` how far the proven height
         *     trails the head.
         */
        readonly Readiness: {
            readonly ready: boolean;
            readonly checks: {
                readonly [key: string]: components["schemas"]["DependencyHealth"];
            };
            readonly lagSeconds: number | null;
            readonly lagBlocks: number | null;
            readonly head: number | null;
            readonly proven: number | null;
        };
        /**
         * ReceptionOrder
         * @description All that is needed to deliver, and if the order is not deliverable, why.
         *
         *     `exception` is why an administrator has to look at it. `DELIVERED_REORGED`: after the service
         *     was handed over, the chain took the burn back; `chain` is missing then.
         */
        readonly ReceptionOrder: {
            readonly orderId: string;
            readonly status: components["schemas"]["OrderStatus"];
            readonly orderHash: string;
            readonly siteId: string;
            readonly tokenId: number;
            readonly amount: number;
            readonly customerAddress: string;
            readonly customerAddressMasked: string;
            readonly customerMeta: components["schemas"]["MetaView"] | null;
            readonly service: components["schemas"]["ServiceView"] | null;
            /** Format: date-time */
            readonly createdAt: string;
            readonly expiresAt: number;
            readonly redeemable: boolean;
            readonly deliverable: boolean;
            readonly reason: components["schemas"]["NotDeliverableReason"] | null;
            readonly delivered: components["schemas"]["DeliveryView"] | null;
            readonly exception?: components["schemas"]["ExceptionKind"];
            readonly chain?: components["schemas"]["ChainProgress"];
        };
        /**
         * RefreshRequest
         * @description The latest refresh token that the client has got.
         */
        readonly RefreshRequest: {
            readonly refreshToken: string;
        };
        /**
         * Role
         * @description What a member of staff may do.
         * @enum {string}
         */
        readonly Role: "RECEPTION" | "ADMIN";
        /**
         * ServiceView
         * @description The service an order is for.
         */
        readonly ServiceView: {
            readonly name: components["schemas"]["Bilingual"];
            readonly unit: components["schemas"]["Bilingual"];
            /** @enum {string} */
            readonly group: "A" | "B" | "C";
        };
        /**
         * SignedMessage
         * @description That text, signed.
         */
        readonly SignedMessage: {
            readonly message: string;
            readonly signature: string;
        };
        /**
         * StaffSession
         * @description A session's tokens. `expiresIn` is that of the access token, `sessionEndsIn` that of the
         *     session however often it is refreshed, both in seconds.
         */
        readonly StaffSession: {
            readonly accessToken: string;
            readonly expiresIn: number;
            readonly sessionEndsIn: number;
            readonly refreshToken: string;
            readonly staff: components["schemas"]["StaffView"];
        };
        /**
         * StaffView
         * @description A member of staff.
         */
        readonly StaffView: {
            readonly username: string;
            readonly displayName: string;
            readonly role: components["schemas"]["Role"];
            readonly sites: readonly string[];
            readonly mustChangePassword: boolean;
        };
        /**
         * TransactionHint
         * @description The transaction that burns for the order.
         */
        readonly TransactionHint: {
            readonly txHash: string;
        };
        /**
         * WalletOrders
         * @description A wallet's orders, newest first.
         */
        readonly WalletOrders: {
            readonly items: readonly components["schemas"]["OrderSummary"][];
            readonly nextCursor: string | null;
        };
        /**
         * WalletSession
         * @description A wallet's session. `expiresIn` in seconds.
         */
        readonly WalletSession: {
            readonly accessToken: string;
            readonly expiresIn: number;
            readonly address: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: {
        /** @description names the request in logs and history */
        readonly "X-Request-Id": string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    readonly get_health: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Health"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: STORE_UNAVAILABLE, UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly get_readiness: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Readiness"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: STORE_UNAVAILABLE, UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Readiness"];
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly get_config: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Config"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: STORE_UNAVAILABLE, UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly get_catalog: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description the ETag of an earlier answer */
                readonly "If-None-Match"?: string;
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    /** @description changes with the content */
                    readonly ETag?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Catalog"];
                };
            };
            /** @description Not Modified */
            readonly 304: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    /** @description changes with the content */
                    readonly ETag?: string;
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: CATALOGUE_MISSING, STORE_UNAVAILABLE, UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly get_metadata: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly tokenId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Metadata"];
                };
            };
            /** @description Not Found: NOT_FOUND */
            readonly 404: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: CATALOGUE_MISSING, STORE_UNAVAILABLE, UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly create_order: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description required: 22 to 128 of A-Z a-z 0-9 _ -, 128 random bits */
                readonly "Idempotency-Key": string;
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["NewOrder"];
            };
        };
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    /** @description `true` with 200: an earlier request made the order */
                    readonly "Idempotency-Replayed"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["PlacedOrder"];
                };
            };
            /** @description Created */
            readonly 201: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    /** @description `true` with 200: an earlier request made the order */
                    readonly "Idempotency-Replayed"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["PlacedOrder"];
                };
            };
            /** @description Bad Request: MALFORMED_JSON */
            readonly 400: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Conflict: IDEMPOTENCY_KEY_REUSED */
            readonly 409: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unsupported Media Type: UNSUPPORTED_MEDIA_TYPE */
            readonly 415: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unprocessable Content: INVALID_INPUT */
            readonly 422: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Too Many Requests: RATE_LIMITED */
            readonly 429: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: CATALOGUE_MISSING, UNAVAILABLE, STORE_UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly get_order: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly orderId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OrderDetails"];
                };
            };
            /** @description Not Found: ORDER_NOT_FOUND */
            readonly 404: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: STORE_UNAVAILABLE, UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly get_order_qr_svg: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly orderId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "image/svg+xml": unknown;
                };
            };
            /** @description Not Found: ORDER_NOT_FOUND */
            readonly 404: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: STORE_UNAVAILABLE, UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly get_order_qr_png: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly orderId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "image/png": unknown;
                };
            };
            /** @description Not Found: ORDER_NOT_FOUND */
            readonly 404: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: STORE_UNAVAILABLE, UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly add_transaction_hint: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly orderId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["TransactionHint"];
            };
        };
        readonly responses: {
            /** @description Accepted */
            readonly 202: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["HintAccepted"];
                };
            };
            /** @description Bad Request: MALFORMED_JSON */
            readonly 400: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Not Found: ORDER_NOT_FOUND */
            readonly 404: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Conflict: ORDER_VALID, ORDER_DELIVERED, ORDER_EXPIRED */
            readonly 409: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unsupported Media Type: UNSUPPORTED_MEDIA_TYPE */
            readonly 415: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unprocessable Content: INVALID_INPUT */
            readonly 422: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Too Many Requests: RATE_LIMITED */
            readonly 429: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: UNAVAILABLE, STORE_UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly cancel: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly orderId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["Cancellation"];
            };
        };
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OrderDetails"];
                };
            };
            /** @description Bad Request: MALFORMED_JSON */
            readonly 400: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Forbidden: WRONG_SIGNER */
            readonly 403: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Not Found: ORDER_NOT_FOUND */
            readonly 404: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Conflict: ORDER_PENDING_CHAIN, ORDER_VALID, ORDER_DELIVERED, ORDER_EXPIRED */
            readonly 409: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unsupported Media Type: UNSUPPORTED_MEDIA_TYPE */
            readonly 415: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unprocessable Content: INVALID_INPUT */
            readonly 422: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Too Many Requests: RATE_LIMITED */
            readonly 429: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: UNAVAILABLE, STORE_UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly begin_sign_in: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["NonceRequest"];
            };
        };
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Nonce"];
                };
            };
            /** @description Bad Request: MALFORMED_JSON */
            readonly 400: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unsupported Media Type: UNSUPPORTED_MEDIA_TYPE */
            readonly 415: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unprocessable Content: INVALID_INPUT */
            readonly 422: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Too Many Requests: RATE_LIMITED */
            readonly 429: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: STORE_UNAVAILABLE, UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly finish_sign_in: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["SignedMessage"];
            };
        };
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["WalletSession"];
                };
            };
            /** @description Bad Request: MALFORMED_JSON */
            readonly 400: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unauthorized: SIGN_IN_REFUSED */
            readonly 401: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unsupported Media Type: UNSUPPORTED_MEDIA_TYPE */
            readonly 415: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unprocessable Content: INVALID_INPUT */
            readonly 422: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Too Many Requests: RATE_LIMITED */
            readonly 429: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: STORE_UNAVAILABLE, UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly list_wallet_orders: {
        readonly parameters: {
            readonly query?: {
                readonly cursor?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly address: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["WalletOrders"];
                };
            };
            /** @description Unauthorized: UNAUTHENTICATED */
            readonly 401: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Forbidden: FORBIDDEN_WALLET */
            readonly 403: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unprocessable Content: INVALID_INPUT */
            readonly 422: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: STORE_UNAVAILABLE, UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly login: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["Login"];
            };
        };
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["StaffSession"];
                };
            };
            /** @description Bad Request: MALFORMED_JSON */
            readonly 400: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unauthorized: LOGIN_REFUSED */
            readonly 401: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unsupported Media Type: UNSUPPORTED_MEDIA_TYPE */
            readonly 415: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unprocessable Content: INVALID_INPUT */
            readonly 422: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Too Many Requests: RATE_LIMITED, LOCKED_OUT */
            readonly 429: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: UNAVAILABLE, STORE_UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly refresh: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["RefreshRequest"];
            };
        };
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["StaffSession"];
                };
            };
            /** @description Bad Request: MALFORMED_JSON */
            readonly 400: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unauthorized: UNAUTHENTICATED */
            readonly 401: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unsupported Media Type: UNSUPPORTED_MEDIA_TYPE */
            readonly 415: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unprocessable Content: INVALID_INPUT */
            readonly 422: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: UNAVAILABLE, STORE_UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly logout: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description No Content */
            readonly 204: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized: UNAUTHENTICATED */
            readonly 401: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: UNAVAILABLE, STORE_UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly set_password: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["PasswordChange"];
            };
        };
        readonly responses: {
            /** @description No Content */
            readonly 204: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Bad Request: MALFORMED_JSON */
            readonly 400: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unauthorized: UNAUTHENTICATED */
            readonly 401: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unsupported Media Type: UNSUPPORTED_MEDIA_TYPE */
            readonly 415: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unprocessable Content: INVALID_INPUT */
            readonly 422: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Too Many Requests: LOCKED_OUT */
            readonly 429: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: UNAVAILABLE, STORE_UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly get_reception_order: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description how the code was read: camera, wedge or typed */
                readonly "X-Input-Method"?: string;
                /** @description which device read it, at most 64 characters */
                readonly "X-Device-Id"?: string;
            };
            readonly path: {
                readonly orderId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ReceptionOrder"];
                };
            };
            /** @description Unauthorized: UNAUTHENTICATED */
            readonly 401: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Forbidden: PASSWORD_CHANGE_REQUIRED, FORBIDDEN_ROLE */
            readonly 403: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Not Found: ORDER_NOT_FOUND */
            readonly 404: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unprocessable Content: INVALID_INPUT */
            readonly 422: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: STORE_UNAVAILABLE, UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly list_reception_orders: {
        readonly parameters: {
            readonly query?: {
                readonly site?: string;
                readonly status?: string;
                readonly from?: number;
                readonly to?: number;
                readonly search?: string;
                readonly cursor?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Queue"];
                };
            };
            /** @description Unauthorized: UNAUTHENTICATED */
            readonly 401: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Forbidden: FORBIDDEN_SITE, PASSWORD_CHANGE_REQUIRED, FORBIDDEN_ROLE */
            readonly 403: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unprocessable Content: INVALID_INPUT */
            readonly 422: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: STORE_UNAVAILABLE, UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly deliver_order: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description 22 to 128 of A-Z a-z 0-9 _ -, 128 random bits, for one press on one desk: repeats of it are answered as the first was */
                readonly "Idempotency-Key"?: string;
                /** @description how the code was read: camera, wedge or typed */
                readonly "X-Input-Method"?: string;
                /** @description which device read it, at most 64 characters */
                readonly "X-Device-Id"?: string;
            };
            readonly path: {
                readonly orderId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: {
            readonly content: {
                readonly "application/json": components["schemas"]["DeliverRequest"];
            };
        };
        readonly responses: {
            /** @description OK */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    /** @description `true`: an earlier attempt of this request delivered */
                    readonly "Idempotency-Replayed"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["DeliveryDone"];
                };
            };
            /** @description Bad Request: MALFORMED_JSON */
            readonly 400: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unauthorized: UNAUTHENTICATED */
            readonly 401: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Forbidden: FORBIDDEN_SITE, PASSWORD_CHANGE_REQUIRED, FORBIDDEN_ROLE */
            readonly 403: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Not Found: ORDER_NOT_FOUND */
            readonly 404: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Conflict: ORDER_NOT_VALID, ORDER_EXPIRED, ORDER_CANCELLED */
            readonly 409: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Content Too Large: BODY_TOO_LARGE */
            readonly 413: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unsupported Media Type: UNSUPPORTED_MEDIA_TYPE */
            readonly 415: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Unprocessable Content: INVALID_INPUT */
            readonly 422: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Internal Server Error: INTERNAL */
            readonly 500: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description Service Unavailable: UNAVAILABLE, STORE_UNAVAILABLE */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
}
