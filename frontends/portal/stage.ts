/**
 * The state chart of a redemption, as data: which stage an order is in, and what each stage is.
 *
 * Nothing here reads a clock or asks anybody: what is known comes in, so that the tests can walk
 * through it at random and find no stage that claims what is not so.
 */
import type { Hex, OrderStatus, OrderView } from "../shared/wire.ts";

/** Where a redemption stands from the customer's point of view; each has its own page. */
export type Stage =
  /** The order waits for the customer to confirm in the wallet. */
  | "unsigned"
  /** The contract is asked whether it would accept, before anything is signed. */
  | "checking"
  /** The wallet's own dialog is open. */
  | "signing"
  /** The wallet's answer was lost: whether it sent anything is being found out. */
  | "looking"
  /** Sent; not seen on the chain yet. */
  | "submitted"
  /** On the chain, as the wallet's node sees it. */
  | "seen"
  /** Counting confirmations or waiting for finality. */
  | "confirming"
  /** Was on the chain already, and the chain took it back: normally it comes again by itself. */
  | "reorged"
  /** Ready for reception. */
  | "ready"
  | "delivered"
  /** Past its time; whether a burn was made in time is being proved. */
  | "expiring"
  | "expired"
  | "cancelled"
  /** A burn that does not fit its order: people have to look at it. */
  | "exception";

/** What has become of a transaction, as far as is known. */
export type Fate =
  /** It may be mined any moment, or has been. */
  | "open"
  /** The node has forgotten it, and its nonce is unused: it may come back, but hardly will. */
  | "dropped"
  /** Another transaction took its nonce, and the contract has not burned: it never can. */
  | "replaced"
  /** It was mined and failed: it burned nothing. */
  | "reverted";

/** One transaction that was, or may have been, sent for an order. */
export interface Attempt {
  readonly id: string;
  /** Null while the wallet has not told. */
  readonly txHash: Hex | null;
  /** The account's nonce it has, once a node has told: what the wallet gave it is not known before. */
  readonly nonce: number | null;
  /** The newest block when it was sent; null where unknown. */
  readonly block: number | null;
  readonly fate: Fate;
}

/** What only this device knows about an order. */
export interface Local {
  readonly working: "checking" | "signing" | null;
  /** The contract said so through the wallet's node, at the last look. */
  readonly redeemed: boolean;
  /** The furthest that the order was seen to be. */
  readonly reached: OrderStatus;
  /** Whether all that was sent for it is known here; else another device may have sent something. */
  readonly whole: boolean;
  /** Oldest first. */
  readonly attempts: readonly Attempt[];
}

/** Whether a transaction may still burn, or may have burned already. */
export function alive({ fate }: Attempt): boolean {
  return fate === "open" || fate === "dropped";
}

/**
 * Whether it is known that nothing was burned for the order. False is "may have been", and then
 * no text may say that nothing was.
 */
export function nothingBurned(order: OrderView, local: Local): boolean {
  if (order.exception || local.redeemed) return false;
  // The chain itself has proved it by then: no burn was made in time.
  if (order.status === "EXPIRED") return true;
  const open = order.status === "CREATED" || order.status === "CANCELLED";
  return open && local.whole && local.reached === "CREATED" && !sent(local);
}

/** Whether the order may be taken back: nothing is known to have been sent. It costs no voucher. */
export function canCancel(order: OrderView, local: Local): boolean {
  return nothingBurned(order, { ...local, whole: true });
}

/** Whether something was sent that is not proven dead. */
export function sent(local: Local): boolean {
  return local.attempts.some(alive);
}

interface Facts {
  readonly order: OrderView;
  readonly local: Local;
  /** The transaction that the page waits for. */
  readonly waitsFor: Attempt | undefined;
}

type Rule = readonly [Stage, (facts: Facts) => unknown];

const always = () => true;
const exception: Rule = ["exception", ({ order }) => order.exception];
const late = ({ order }: Facts) => order.reason === "EXPIRY_BEING_CHECKED";

/** By the order's status; the first that fits is the stage. What the chain proved wins. */
const CHART: Readonly<Record<OrderStatus, readonly Rule[]>> = {
  DELIVERED: [["delivered", always]],
  VALID: [["ready", always]],
  EXPIRED: [exception, ["expired", always]],
  CANCELLED: [exception, ["seen", ({ local }) => local.redeemed], ["cancelled", always]],
  PENDING_CHAIN: [
    ["expiring", late],
    ["reorged", ({ local }) => local.reached === "VALID"],
    ["seen", ({ order }) => !order.chain?.confirmations],
    ["confirming", always],
  ],
  CREATED: [
    exception,
    ["seen", ({ local }) => local.redeemed],
    ["expiring", late],
    ["signing", ({ local }) => local.working === "signing"],
    ["checking", ({ local }) => local.working],
    ["reorged", ({ local }) => local.reached !== "CREATED"],
    ["looking", ({ waitsFor }) => waitsFor && !waitsFor.txHash],
    ["submitted", ({ waitsFor }) => waitsFor],
    ["unsigned", always],
  ],
};

/** Tells the stage of `order`. */
export function stageOf(order: OrderView, local: Local): Stage {
  const waitsFor = local.attempts.findLast(({ fate }) => fate === "open");
  const facts = { order, local, waitsFor };
  const rule = CHART[order.status].find(([, fits]) => fits(facts));
  return (rule as Rule)[0];
}

/** Whether the customer may ask the wallet (again). The contract burns for an order only once. */
export function canSign(stage: Stage, local: Local): boolean {
  const waits = local.attempts.some(({ fate }) => fate === "open");
  return stage === "unsigned" || (stage === "reorged" && local.attempts.length > 0 && !waits);
}

/** What has become of the newest transaction, where that is why the customer is asked again. */
export type Setback = "tx.dropped" | "tx.cancelled" | "tx.reverted" | "tx.unsure";

/** Tells it; null where there is nothing to tell. */
export function setbackOf(stage: Stage, order: OrderView, local: Local): Setback | null {
  const fate = local.attempts.at(-1)?.fate;
  if (!canSign(stage, local) || !fate) return null;
  if (fate === "dropped") return "tx.dropped";
  if (!nothingBurned(order, local)) return "tx.unsure";
  return fate === "reverted" ? "tx.reverted" : "tx.cancelled";
}

/** Milliseconds from one look to the first next one, and at most, while nothing changes. */
interface Pace {
  readonly first: number;
  readonly limit: number;
}

interface Look {
  readonly tone: "info" | "good" | "warn";
  /** How many of the five steps are behind; null where the steps do not apply. */
  readonly step: number | null;
  /** Whether the code for reception stands on the page. */
  readonly code: boolean;
  /** How often to look; null where nothing changes any more. */
  readonly pace: Pace | null;
}

const BRISK = { first: 1500, limit: 6000 };
const STEADY = { first: 3000, limit: 10_000 };
const CALM = { first: 4000, limit: 15_000 };
const SLOW = { first: 10_000, limit: 60_000 };

/** What each stage is on the page. */
export const LOOKS: Readonly<Record<Stage, Look>> = {
  unsigned: { tone: "info", step: 1, code: false, pace: CALM },
  checking: { tone: "info", step: 1, code: false, pace: CALM },
  signing: { tone: "info", step: 1, code: false, pace: CALM },
  looking: { tone: "warn", step: 1, code: false, pace: BRISK },
  submitted: { tone: "info", step: 2, code: true, pace: BRISK },
  seen: { tone: "info", step: 3, code: true, pace: BRISK },
  confirming: { tone: "info", step: 3, code: true, pace: BRISK },
  reorged: { tone: "warn", step: 2, code: true, pace: BRISK },
  ready: { tone: "good", step: 4, code: true, pace: STEADY },
  delivered: { tone: "good", step: 5, code: false, pace: null },
  expiring: { tone: "info", step: null, code: false, pace: CALM },
  expired: { tone: "info", step: null, code: false, pace: null },
  cancelled: { tone: "info", step: null, code: false, pace: SLOW },
  exception: { tone: "warn", step: null, code: true, pace: SLOW },
};
