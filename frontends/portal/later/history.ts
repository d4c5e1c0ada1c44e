import * as HexText from "ox/Hex";
import { ApiError } from "../../shared/api.ts";
import type { Localised, OrderStatus, OrderSummary, Page } from "../../shared/wire.ts";
import type { LaterContext } from "../later.ts";
import { type Connection, hasCode, REJECTED } from "../wallet.ts";
import { commonly, detailOf, type Telling } from "./telling.ts";

/** One line of the list: from the API, or only as this device remembers it. */
export interface Entry {
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly tokenId: number;
  readonly amount: number;
  readonly service: { readonly name: Localised } | null;
  readonly siteId: string;
  readonly at: Date;
  /** Whether `at` is more than the day. */
  readonly timed: boolean;
  /** The wallet's address, short, where it is not the connected one. */
  readonly otherWallet: string | null;
}

/**
 * Where the page stands: `device` without a wallet, `sign-in` (a notice says why once more),
 * `waiting` for the wallet, `loading`, `failed`, or the `list`, which may be empty.
 */
export type Phase = "device" | "sign-in" | "waiting" | "loading" | "failed" | "list";

/** A sign-in; the token is kept in memory and nowhere else. */
interface SignedIn {
  readonly address: string;
  readonly token: string;
}

const DELEGATED = /^0xef0100/i;

/**
 * The wallet's order history: Sign-In with Ethereum (EIP-4361) and the list it opens, with the
 * orders that this device keeps.
 */
export class History {
  notice: Telling | null = null;
  /** Whether the API could not be reached for what this device keeps. */
  deviceFailed = false;
  private context: LaterContext | null = null;
  private entered = false;
  private session: SignedIn | null = null;
  /** The sign-in that waits for the wallet. */
  private asking: { readonly address: string } | null = null;
  /** The page being fetched, and the one that did not come, by its cursor. */
  private loading: { readonly cursor: string | null } | null = null;
  private failed: { readonly cursor: string | null } | null = null;
  private orders: readonly OrderSummary[] | null = null;
  private cursor: string | null = null;
  /** What the API said of this device's orders; null where it knows none. */
  private readonly looked = new Map<string, OrderSummary | null>();

  /** Takes up the page's present state; to be called before each drawing of the page. */
  follow(context: LaterContext): void {
    this.context = context;
    const { connection } = context;
    if (this.session && !sameAccount(this.session, connection)) {
      this.end(connection ? { key: "signIn.switched" } : null);
    }
    if (this.asking && !sameAccount(this.asking, connection)) this.asking = null;
    if (this.entered) return;
    this.entered = true;
    // Not within the drawing that asked for it.
    queueMicrotask(() => void this.refresh());
  }

  /** The customer left the page, or chose another account. A sign-in stays for its account. */
  leave(): void {
    this.entered = false;
    this.asking = null;
    this.notice = null;
  }

  get phase(): Phase {
    if (this.session) {
      if (this.orders) return "list";
      return this.failed ? "failed" : "loading";
    }
    if (this.asking) return "waiting";
    return this.context?.connection ? "sign-in" : "device";
  }

  /** Whether there is more to fetch, and whether it is being fetched or did not come. */
  get more(): "none" | "some" | "loading" | "failed" {
    if (!this.orders) return "none";
    if (this.loading?.cursor) return "loading";
    if (this.failed) return "failed";
    return this.cursor ? "some" : "none";
  }

  /** Asks the wallet to sign the API's message and opens the list with it. */
  async signIn(): Promise<void> {
    const { context } = this;
    const connection = context?.connection;
    if (!context || !connection) return;
    const attempt = { address: connection.address };
    this.asking = attempt;
    this.notice = null;
    context.redraw();
    let told: Telling | null = null;
    let session: SignedIn | null = null;
    try {
      const { message } = await context.api.walletNonce(connection.address);
      const signature = (await connection.wallet.provider.request({
        method: "personal_sign",
        params: [HexText.fromString(message), connection.address],
      })) as string;
      const { accessToken, address } = await context.api.walletVerify(message, signature);
      session = { address, token: accessToken };
    } catch (error) {
      told = await this.why(error, connection);
    }
    // Asked again, left, or another account: what came of this attempt is nobody's business now.
    if (this.asking !== attempt) return;
    this.asking = null;
    this.notice = told;
    this.session = session;
    this.context?.redraw();
    if (session) await this.load(null);
  }

  /** Fetches the newest orders again, and what is known of this device's. */
  async refresh(): Promise<void> {
    await this.load(null);
    await this.lookUp();
  }

  /** Fetches the page that did not come, else the next one. */
  async loadMore(): Promise<void> {
    await this.load(this.failed ? this.failed.cursor : this.cursor);
  }

  /** The wallet's orders and this device's, each once, newest first. */
  entries(): Entry[] {
    const context = this.context;
    if (!context) return [];
    const listed = this.orders ?? [];
    const known = new Set(listed.map(({ orderId }) => orderId));
    // Beyond what was fetched there is more of the wallet; until that is here, neither is ours.
    const reach = this.cursor && listed.length > 0 ? (listed.at(-1)?.createdAt ?? "") : "";
    const entries = listed.map((order) => entryOf(order, context.connection));
    for (const kept of context.kept) {
      if (known.has(kept.orderId)) continue;
      const order = this.looked.get(kept.orderId);
      // What was sent for one that the API has forgotten is found again by nothing but this line.
      if (order === null && kept.attempts.length === 0) continue;
      if (order && Date.parse(order.createdAt) < Date.parse(reach)) continue;
      if (order) entries.push(entryOf(order, context.connection));
      else {
        const service = context.catalogue.types.find((type) => type.tokenId === kept.tokenId);
        entries.push({
          orderId: kept.orderId,
          status: kept.status,
          tokenId: kept.tokenId,
          amount: kept.amount,
          service: service ?? null,
          siteId: kept.siteId,
          at: dayOf(kept.orderId),
          timed: false,
          otherWallet: null,
        });
      }
    }
    return entries.sort((a, b) => b.at.getTime() - a.at.getTime());
  }

  private async load(cursor: string | null): Promise<void> {
    const { session, context } = this;
    if (!session || !context || this.loading) return;
    const ticket = { cursor };
    this.loading = ticket;
    this.failed = null;
    context.redraw();
    try {
      const page = await context.api.walletOrders(session.address, session.token, cursor);
      if (this.loading === ticket) this.take(page, cursor);
    } catch (error) {
      if (this.loading !== ticket) return;
      const over = error instanceof ApiError && (error.status === 401 || error.status === 403);
      if (over) this.end({ key: "signIn.over" });
      else this.failed = ticket;
    } finally {
      if (this.loading === ticket) this.loading = null;
      this.context?.redraw();
    }
  }

  /** The first page renews what it holds and leaves the pages after it as they are. */
  private take(page: Page<OrderSummary>, cursor: string | null): void {
    const before = this.orders ?? [];
    const fresh = new Set(page.items.map(({ orderId }) => orderId));
    const others = before.filter(({ orderId }) => !fresh.has(orderId));
    const overlaps = others.length < before.length;
    if (cursor) this.orders = [...others, ...page.items];
    // With nothing in common there may be a gap between the old pages and this one.
    else this.orders = overlaps ? [...page.items, ...others] : page.items;
    if (cursor || !overlaps) this.cursor = page.nextCursor;
  }

  /** Reads anew what this device keeps and the wallet's list does not hold. */
  private async lookUp(): Promise<void> {
    const { context } = this;
    if (!context) return;
    const listed = new Set(this.orders?.map(({ orderId }) => orderId));
    this.deviceFailed = false;
    for (const { orderId } of context.kept) {
      if (listed.has(orderId) || !this.entered) continue;
      try {
        this.looked.set(orderId, await context.api.order(orderId));
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) this.looked.set(orderId, null);
        else {
          this.deviceFailed = true;
          break;
        }
      }
    }
    this.context?.redraw();
  }

  private end(notice: Telling | null): void {
    this.session = null;
    this.orders = null;
    this.cursor = null;
    this.loading = null;
    this.failed = null;
    this.notice = notice;
  }

  private async why(error: unknown, connection: Connection): Promise<Telling> {
    if (hasCode(error, REJECTED)) return { key: "signIn.rejected" };
    if (error instanceof ApiError && error.code === "SIGN_IN_REFUSED") {
      return { key: (await isContract(connection)) ? "signIn.contract" : "signIn.refused" };
    }
    return commonly(error) ?? { key: "signIn.failed", values: { detail: detailOf(error) } };
  }
}

/** Whether the account has code of its own; one that only delegates (EIP-7702) signs as ever. */
async function isContract({ wallet, address }: Connection): Promise<boolean> {
  try {
    const params = [address, "latest"];
    const code = await wallet.provider.request({ method: "eth_getCode", params });
    return typeof code === "string" && code.length > 2 && !DELEGATED.test(code);
  } catch {
    return false;
  }
}

function sameAccount(
  a: { readonly address: string },
  b: { readonly address: string } | null | undefined,
): boolean {
  return a.address.toLowerCase() === b?.address.toLowerCase();
}

function entryOf(order: OrderSummary, connection: Connection | null): Entry {
  const { orderId, status, tokenId, amount, service, siteId } = order;
  const own = !connection || sameAccount({ address: order.order.customer }, connection);
  return {
    orderId,
    status,
    tokenId,
    amount,
    service,
    siteId,
    at: new Date(order.createdAt),
    timed: true,
    otherWallet: own ? null : order.customerAddressMasked,
  };
}

/** The day in an order's id, `ORD_<YYYYMMDD>_…`, in UTC. */
function dayOf(orderId: string): Date {
  const day = orderId.slice(4, 12);
  return new Date(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00Z`);
}
