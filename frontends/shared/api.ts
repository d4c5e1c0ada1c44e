import type {
  Catalogue,
  ChainConfig,
  DeliveryAnswer,
  NewOrder,
  OrderView,
  Page,
  PlacedOrder,
  Problem,
  QueueItem,
  ReceptionView,
  Session,
} from "./wire.ts";

const TIMEOUT_MS = 10_000;

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

/** No answer that can be trusted came back: offline, time-out, or a failing server. */
export class Unreachable extends Error {}

/** What makes the requests of one client its own. */
export interface ApiOptions {
  /** The access token for staff routes, or null while nobody is signed in. */
  readonly token?: () => string | null;
  /** Told of a 401; answers whether the request is worth repeating with a new token. */
  readonly renew?: () => Promise<boolean>;
  readonly fetch?: typeof fetch;
}

interface Request {
  readonly method?: "GET" | "POST";
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly staff?: boolean;
}

/** How a code got to the desk, for the audit of scans. */
export type InputMethod = "camera" | "wedge" | "typed";

/**
 * The order API under `/api/v1` (spec: API).
 *
 * Every method raises `ApiError` for a problem the API names and `Unreachable` when nothing
 * trustworthy came back within 10 seconds.
 */
export class Api {
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

  login(username: string, password: string): Promise<Session> {
    return this.json("/auth/login", { method: "POST", body: { username, password } });
  }

  refresh(refreshToken: string): Promise<Session> {
    return this.json("/auth/refresh", { method: "POST", body: { refreshToken } });
  }

  async logout(): Promise<void> {
    await this.send("/auth/logout", { method: "POST", staff: true });
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

  queue(siteId: string, cursor: string | null = null): Promise<Page<QueueItem>> {
    const query = new URLSearchParams({ site: siteId });
    if (cursor) query.set("cursor", cursor);
    return this.json(`/reception/orders?${query}`, { staff: true });
  }

  /** Idempotent: a repeat answers with the first delivery. */
  deliver(orderId: string, siteId: string, note: string): Promise<DeliveryAnswer> {
    return this.json(`/orders/${encodeURIComponent(orderId)}/deliver`, {
      method: "POST",
      staff: true,
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
    const response = await this.once(path, request);
    if (response.status === 401 && request.staff && (await this.options.renew?.())) {
      return this.accept(path, await this.once(path, request));
    }
    return this.accept(path, response);
  }

  private async once(path: string, request: Request): Promise<Response> {
    const headers: Record<string, string> = { ...request.headers };
    const token = request.staff ? this.options.token?.() : null;
    if (token) headers.Authorization = `Bearer ${token}`;
    if (request.body !== undefined) headers["Content-Type"] = "application/json";
    try {
      return await (this.options.fetch ?? fetch)(this.base + path, {
        method: request.method ?? "GET",
        headers,
        cache: "no-cache",
        credentials: "omit",
        referrerPolicy: "no-referrer",
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
    } catch (cause) {
      throw new Unreachable(`${path}: no answer`, { cause });
    }
  }

  private async accept(path: string, response: Response): Promise<Response> {
    if (response.ok) return response;
    let problem: Problem;
    try {
      problem = (await response.json()) as Problem;
    } catch (cause) {
      throw new Unreachable(`${path}: status ${response.status} without a problem`, { cause });
    }
    if (response.status >= 500 || typeof problem?.code !== "string") {
      throw new Unreachable(`${path}: status ${response.status}`);
    }
    const after = Number(response.headers.get("Retry-After"));
    throw new ApiError(
      { ...problem, status: response.status },
      Number.isFinite(after) && after > 0 ? after : null,
    );
  }
}
