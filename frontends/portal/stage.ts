import type { OrderView } from "../shared/wire.ts";

/** Where a redemption stands from the customer's point of view; each has its own page. */
export type Stage =
  /** The order waits for the customer to sign in the wallet. */
  | "unsigned"
  /** The wallet's dialog is open, or the check before it runs. */
  | "signing"
  /** Sent; not seen on the chain yet. */
  | "submitted"
  /** On the chain, counting confirmations or waiting for finality. */
  | "confirming"
  /** Ready for reception. */
  | "ready"
  | "delivered"
  /** Past its time; whether a burn was made in time is being proved. */
  | "expiring"
  | "expired"
  | "cancelled"
  /** A burn that does not fit its order: people have to look at it. */
  | "exception";

/** What only this page knows about its order. */
export interface Local {
  readonly signing: boolean;
  /** The transaction that this page sent and that did not fail. */
  readonly txHash: string | null;
}

/** Tells the stage of `order` at `now` (unix seconds). What the chain proved wins over the page. */
export function stageOf(order: OrderView, local: Local, now: number): Stage {
  switch (order.status) {
    case "DELIVERED":
      return "delivered";
    case "VALID":
      return "ready";
    case "EXPIRED":
      return order.exception ? "exception" : "expired";
    case "CANCELLED":
      return order.exception ? "exception" : "cancelled";
    case "PENDING_CHAIN":
      return order.reason === "EXPIRY_BEING_CHECKED" ? "expiring" : "confirming";
    case "CREATED":
      if (order.exception) return "exception";
      if (local.signing) return "signing";
      if (order.reason === "EXPIRY_BEING_CHECKED" || now > order.expiresAt) return "expiring";
      return local.txHash || order.transactionHints.length > 0 ? "submitted" : "unsigned";
  }
}

/** Milliseconds from one look to the first next one, and at most, while nothing changes. */
export function pace(stage: Stage): { readonly first: number; readonly limit: number } | null {
  switch (stage) {
    case "submitted":
    case "confirming":
      return { first: 1500, limit: 6000 };
    case "ready":
      return { first: 3000, limit: 10_000 };
    case "unsigned":
    case "signing":
    case "expiring":
      return { first: 4000, limit: 15_000 };
    case "exception":
      return { first: 10_000, limit: 60_000 };
    case "delivered":
    case "expired":
    case "cancelled":
      return null;
  }
}
