import { ServerClock } from "./clock.ts";
import type {
  Catalogue,
  ChainConfig,
  DeliveryAnswer,
  NewOrder,
  OrderSummary,
  OrderView,
  Page,
  PlacedOrder,
  Problem,
  QueueFilter,
  QueueItem,
  ReceptionView,
  Session,
  WalletNonce,
  WalletSession,
} from "./wire.ts";

const TIMEOUT_MS = 10_000;
/** What a server asks beyond that, in seconds, is not meant. */
const MOST_RETRY_AFTER = 86_400;

/** The API answered with a problem (RFC 9457). `retryAfter` is in seconds. */
export class ApiError extends Error {
  constructor(
    readonly problem: Problem,
    readonly retryAfter: number | null,
  ) {
    super(problem.detail ?? problem.title);
  }

  get code(): string {
    return this.problem.code;
  }

  get status(): number {
    return this.problem.status;
  }
}

/**
 * No answer that can be trusted came back: offline, time-out, or a failing server. `retryAfter` is
 * the time in seconds that the server asked for, as one does that is overloaded.
 */
export class Unreachable extends Error {
  constructor(
    message: string,
    options?: ErrorOptions,
    readonly retryAfter: number | null = null,
  ) {
    super(message, options);
  }
}

/** What makes the requests of one client its own. */
export interface ApiOptions {
  /** The access token for staff routes, or null while nobody is signed in. */
  readonly token?: () => string | null;
  /** Told which token got a 401; answers whether the request is worth repeating with a new one. */
  readonly renew?: (refused: string | null) => Promise<boolean>;
  readonly fetch?: typeof fetch;
}

interface Request {
  readonly method?: "GET" | "POST";
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly staff?: boolean;
}

/** How a code got to the desk, for the audit of scans and deliveries. */
export type InputMethod = "camera" | "wedge" | "typed";

/**
 * One press on "deliver". The same `idempotencyKey` (`randomKey()`) goes with every repeat of it,
 * and only then does the answer tell whether this press was the delivery.
 */
export interface DeliveryRequest {
  readonly siteId: string;
  readonly note: string;
  readonly idempotencyKey: string;
  readonly method: InputMethod;
  readonly deviceId: string;
}

/**
 * The order API under `/api/v1` (spec: API).
 *
 * Every method raises `ApiError` for a problem the API names and `Unreachable` when nothing
 * trustworthy came back within 10 seconds.
 */
export class Api {
  readonly clock = new ServerClock();

  constructor(
    private readonly base: string,
    private readonly options: ApiOptions = {},
  ) {}

  config(): Promise<ChainConfig> {
    return this.json("/config");
  }

  catalogue(): Promise<Catalogue> {
    return this.json("/catalog");
  }

  /** Idempotent: the same key and body always answer with the same order. */
  placeOrder(order: NewOrder, idempotencyKey: string): Promise<PlacedOrder> {
    return this.json("/orders", {
      method: "POST",
      body: order,
      headers: { "Idempotency-Key": idempotencyKey },
    });
  }

  order(orderId: string): Promise<OrderView> {
    return this.json(`/orders/${encodeURIComponent(orderId)}`);
  }

  /** The QR code as SVG text. */
  async qrSvg(orderId: string): Promise<string> {
    return (await this.send(`/orders/${encodeURIComponent(orderId)}/qr.svg`, {})).text();
  }

  hintTransaction(orderId: string, txHash: string): Promise<unknown> {
    return this.json(`/orders/${encodeURIComponent(orderId)}/transaction`, {
      method: "POST",
      body: { txHash },
    });
  }

  /**
   * Takes an order back before its burn is seen. `signature` is the customer's, over EIP-712
   * `Cancel(bytes32 orderHash,uint64 deadline)` under the contract's domain; `deadline` is in unix
   * seconds.
   */
  cancel(orderId: string, deadline: number, signature: string): Promise<OrderView> {
    return this.json(`/orders/${encodeURIComponent(orderId)}/cancel`, {
      method: "POST",
      body: { deadline, signature },
    });
  }

  /** Begins a sign-in with Ethereum: the message that the wallet has to sign within 5 minutes. */
  walletNonce(address: string): Promise<WalletNonce> {
    return this.json("/auth/wallet/nonce", { method: "POST", body: { address } });
  }

  /** Ends it: 401 `SIGN_IN_REFUSED` where the signature is not the wallet's, or comes too late. */
  walletVerify(message: string, signature: string): Promise<WalletSession> {
    return this.json("/auth/wallet/verify", { method: "POST", body: { message, signature } });
  }

  /** The wallet's own orders, newest first; `token` is the `accessToken` of its sign-in. */
  walletOrders(
    address: string,
    token: string,
    cursor: string | null = null,
  ): Promise<Page<OrderSummary>> {
    const query = cursor ? `?${new URLSearchParams({ cursor })}` : "";
    return this.json(`/wallets/${encodeURIComponent(address)}/orders${query}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
  }

  login(username: string, password: string): Promise<Session> {
    return this.json("/auth/login", { method: "POST", body: { username, password } });
  }

  refresh(refreshToken: string): Promise<Session> {
    return this.json("/auth/refresh", { method: "POST", body: { refreshToken } });
  }

  /** Ends the session of `accessToken`, whoever is signed in by now. */
  async logout(accessToken: string): Promise<void> {
    await this.send("/auth/logout", {
      method: "POST",
      headers: { Authorization: `Bearer ${accessToken}` },
    });
  }

  async changePassword(currentPassword: string, newPassword: string): Promise<void> {
    await this.send("/auth/password", {
      method: "POST",
      staff: true,
      body: { currentPassword, newPassword },
    });
  }

  /** What the desk has to know; `method` and `deviceId` go to the audit of scans. */
  receptionOrder(orderId: string, method: InputMethod, deviceId: string): Promise<ReceptionView> {
    return this.json(`/reception/orders/${encodeURIComponent(orderId)}`, {
      staff: true,
      headers: { "X-Input-Method": method, "X-Device-Id": deviceId },
    });
  }

  queue(siteId: string, filter: QueueFilter = {}): Promise<Page<QueueItem>> {
    const { from, to, search, status, cursor } = filter;
    const query = new URLSearchParams({ site: siteId });
    if (from !== undefined) query.set("from", String(from));
    if (to !== undefined) query.set("to", String(to));
    if (search) query.set("search", search);
    if (status?.length) query.set("status", status.join(","));
    if (cursor) query.set("cursor", cursor);
    return this.json(`/reception/orders?${query}`, { staff: true });
  }

  /** Idempotent: a repeat with the same key answers as the first request would have. */
  deliver(orderId: string, delivery: DeliveryRequest): Promise<DeliveryAnswer> {
    const { siteId, note, idempotencyKey, method, deviceId } = delivery;
    return this.json(`/orders/${encodeURIComponent(orderId)}/deliver`, {
      method: "POST",
      staff: true,
      headers: {
        "Idempotency-Key": idempotencyKey,
        "X-Input-Method": method,
        "X-Device-Id": deviceId,
      },
      body: { siteId, ...(note ? { note } : {}) },
    });
  }

  private async json<T>(path: string, request: Request = {}): Promise<T> {
    const response = await this.send(path, request);
    try {
      return (await response.json()) as T;
    } catch (cause) {
      throw new Unreachable(`${path}: the answer is not JSON`, { cause });
    }
  }

  private async send(path: string, request: Request): Promise<Response> {
    const token = this.tokenFor(request);
    const response = await this.once(path, request, token);
    if (response.status === 401 && request.staff && (await this.options.renew?.(token))) {
      return this.accept(path, await this.once(path, request, this.tokenFor(request)));
    }
    return this.accept(path, response);
  }

  private tokenFor(request: Request): string | null {
    return (request.staff && this.options.token?.()) || null;
  }

  private async once(path: string, request: Request, token: string | null): Promise<Response> {
    const headers: Record<string, string> = { ...request.headers };
    if (token) headers.Authorization = `Bearer ${token}`;
    if (request.body !== undefined) headers["Content-Type"] = "application/json";
    const askedAt = Date.now();
    try {
      const response = await (this.options.fetch ?? fetch)(this.base + path, {
        method: request.method ?? "GET",
        headers,
        cache: "no-cache",
        credentials: "omit",
        referrerPolicy: "no-referrer",
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
      this.clock.hear(response.headers, askedAt);
      return response;
    } catch (cause) {
      throw new Unreachable(`${path}: no answer`, { cause });
    }
  }

  private async accept(path: string, response: Response): Promise<Response> {
    if (response.ok) return response;
    const after = retryAfter(response, this.clock.now());
    let problem: Problem;
    try {
      problem = (await response.json()) as Problem;
    } catch (cause) {
      const what = `${path}: status ${response.status} without a problem`;
      throw new Unreachable(what, { cause }, after);
    }
    if (response.status >= 500 || typeof problem?.code !== "string") {
      throw new Unreachable(`${path}: status ${response.status}`, {}, after);
    }
    throw new ApiError({ ...problem, status: response.status }, after);
  }
}

/**
 * Seconds until `Retry-After` (RFC 9110, section 10.2.3); null where it asks for none. A date is
 * counted from when the answer says that it was written, else from `now` (unix milliseconds).
 */
function retryAfter({ headers }: Response, now: number): number | null {
  const told = headers.get("Retry-After")?.trim() ?? "";
  const written = Date.parse(headers.get("Date") ?? "") || now;
  const until = / GMT$/.test(told) ? Date.parse(told) - written : Number.NaN;
  const seconds = /^\d+$/.test(told) ? Number(told) : Math.ceil(until / 1000);
  return seconds > 0 ? Math.min(seconds, MOST_RETRY_AFTER) : null;
}
