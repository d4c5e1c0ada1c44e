import { Kept } from "../shared/storage.ts";
import type { Hex, OrderStatus, OrderView } from "../shared/wire.ts";
import type { Attempt, Local } from "./stage.ts";
import type { Choice, KeptOrder, Store } from "./state.ts";

const MOST_KEPT = 12;
const RANK: readonly OrderStatus[] = ["CREATED", "PENDING_CHAIN", "VALID"];
const ENDED: readonly OrderStatus[] = ["DELIVERED", "EXPIRED", "CANCELLED"];

/** The orders that this device keeps, newest first: in the state and in the browser's storage. */
export class KeptOrders {
  /** The browser took the last writing not: this page alone knows. */
  private alone = false;
  private readonly stored = new Kept<readonly KeptOrder[]>(() => localStorage, "5sov.orders", []);

  constructor(private readonly store: Store) {
    this.read();
  }

  /** Reads the storage again: another tab may have written to it. */
  read(): void {
    if (this.alone) return;
    const stored: unknown = this.stored.get();
    // What an older portal has kept differently is left out: the wallet's history still has it.
    const kept: KeptOrder[] = Array.isArray(stored)
      ? stored.filter((one) => Array.isArray(one?.attempts))
      : [];
    // What is known of the order on the screen outlives a storage that was cleared.
    const { open } = this.store.state;
    const shown = open && this.find(open.orderId);
    if (shown && !kept.some(({ orderId }) => orderId === shown.orderId)) kept.unshift(shown);
    this.store.set({ kept });
  }

  find(orderId: string): KeptOrder | null {
    return this.store.state.kept.find((kept) => kept.orderId === orderId) ?? null;
  }

  /** Keeps an order that was made here just now. */
  made(orderId: string, { tokenId, amount, siteId }: Choice): void {
    this.read();
    if (this.find(orderId)) return;
    const begun = { status: "CREATED", reached: "CREATED", whole: true, attempts: [] } as const;
    this.add({ orderId, tokenId, amount, siteId, ...begun });
  }

  /** Takes in what the API says; an order that has ended is not taken in anew. */
  note(view: OrderView): void {
    this.read();
    const { orderId, tokenId, amount, siteId, status } = view;
    const known = this.find(orderId);
    if (!known && ENDED.includes(status)) return;
    const attempts = known?.attempts ?? [];
    const hashes = attempts.map(({ txHash }) => txHash);
    const told = view.transactionHints
      .filter((hash) => !hashes.includes(hash as Hex))
      .map((hash) => foreign(hash as Hex));
    const next: KeptOrder = {
      orderId,
      tokenId,
      amount,
      siteId,
      status,
      reached: further(known?.reached ?? "CREATED", status),
      whole: known?.whole ?? false,
      // What others told of comes first: the newest of this device's own is what the page follows.
      attempts: [...told, ...attempts],
    };
    if (known) this.replace(next);
    else this.add(next);
  }

  /**
   * Notes a transaction before the wallet is asked for it: its answer may be lost. Answers whether
   * it may be asked: not while one is open, from another tab perhaps.
   */
  begin(orderId: string, attempt: Attempt): boolean {
    this.read();
    const known = this.find(orderId);
    if (!known || known.attempts.some(({ fate }) => fate === "open")) return false;
    // A new attempt begins anew where an earlier burn was taken back by the chain.
    this.replace({ ...known, reached: "CREATED", attempts: [...known.attempts, attempt] });
    return true;
  }

  /** Something was sent for the order that is not known here. */
  doubt(orderId: string): void {
    this.read();
    const known = this.find(orderId);
    if (known) this.replace({ ...known, whole: false });
  }

  /** Takes a transaction back: the wallet did not send it. */
  withdraw(orderId: string, id: string): void {
    this.change(orderId, (attempts) => attempts.filter((one) => one.id !== id));
  }

  update(orderId: string, id: string, change: Partial<Attempt>): void {
    this.change(orderId, (attempts) =>
      attempts.map((one) => (one.id === id ? { ...one, ...change } : one)),
    );
  }

  /** Notes that `txHash` is the transaction that burned, not `attempt`. */
  supersede(orderId: string, attempt: Attempt, txHash: Hex): void {
    this.update(orderId, attempt.id, { fate: "replaced" });
    this.change(orderId, (attempts) =>
      attempts.some((one) => one.txHash === txHash)
        ? attempts
        : [...attempts, { ...attempt, id: txHash, txHash, nonce: null, fate: "open" }],
    );
  }

  forget(orderId: string): void {
    this.read();
    this.write(this.store.state.kept.filter((kept) => kept.orderId !== orderId));
  }

  /** What this device knows about the order on the screen. */
  local(orderId: string): Local {
    const { open } = this.store.state;
    const kept = this.find(orderId);
    return {
      working: open?.working ?? null,
      redeemed: open?.redeemed ?? false,
      reached: kept?.reached ?? "CREATED",
      whole: kept?.whole ?? false,
      attempts: kept?.attempts ?? [],
    };
  }

  private change(orderId: string, next: (before: readonly Attempt[]) => readonly Attempt[]): void {
    this.read();
    const known = this.find(orderId);
    if (known) this.replace({ ...known, attempts: next(known.attempts) });
  }

  private replace(order: KeptOrder): void {
    const known = this.find(order.orderId);
    if (JSON.stringify(known) === JSON.stringify(order)) return;
    this.write(
      this.store.state.kept.map((kept) => (kept.orderId === order.orderId ? order : kept)),
    );
  }

  /** Where there is no room the oldest are let go, those first that have ended. */
  private add(order: KeptOrder): void {
    const { kept } = this.store.state;
    const ended = ({ status }: KeptOrder) => ENDED.includes(status);
    const leaving = [...kept.filter((one) => !ended(one)), ...kept.filter(ended)];
    const left = new Set(leaving.slice(MOST_KEPT - 1));
    this.write([order, ...kept.filter((one) => !left.has(one))]);
  }

  private write(kept: readonly KeptOrder[]): void {
    this.alone = !this.stored.set(kept);
    this.store.set({ kept });
  }
}

/** A transaction that this device did not send, or has forgotten. */
function foreign(txHash: Hex): Attempt {
  return { id: txHash, txHash, nonce: null, block: null, fate: "open" };
}

/** The further of two on the way to VALID; what lies beside that way changes nothing. */
function further(reached: OrderStatus, status: OrderStatus): OrderStatus {
  return RANK.indexOf(status) > RANK.indexOf(reached) ? status : reached;
}
