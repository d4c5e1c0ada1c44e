import type { ReceptionView } from "../shared/wire.ts";

/** What the screen says about a code; one of these fills it. */
export type Answer =
  /** Asking. */
  | "checking"
  /** The only green before a delivery: final on the chain, at this desk, told online just now. */
  | "deliverable"
  /** This desk just delivered it. */
  | "done"
  | "waiting"
  | "not-burned"
  | "delivered"
  /** Delivered, and the chain took the burn back afterwards. */
  | "delivered-reorged"
  | "expired"
  | "expiry-check"
  | "cancelled"
  | "wrong-site"
  | "unknown"
  | "foreign"
  | "exception"
  /** The order cannot be asked about now. */
  | "offline"
  /** A delivery was pressed; its answer is on the way. */
  | "sending"
  /** A delivery was pressed, and whether it is recorded is not known yet. */
  | "unsure"
  /** Not deliverable for a reason that this page does not know yet. */
  | "refused";

export type Tone = "green" | "amber" | "red" | "neutral";

/** What the API's view of an order means at the desk of `deskSite`. */
export function answerTo(view: ReceptionView, deskSite: string): Answer {
  if (view.status === "DELIVERED") {
    return view.exception === "DELIVERED_REORGED" ? "delivered-reorged" : "delivered";
  }
  if (view.siteId && view.siteId !== deskSite) return "wrong-site";
  if (view.deliverable) return "deliverable";
  switch (view.reason?.code) {
    case "NOT_BURNED_YET":
      return "not-burned";
    case "WAITING_FOR_CONFIRMATIONS":
      return "waiting";
    case "ALREADY_DELIVERED":
      return "delivered";
    case "EXPIRED":
      return "expired";
    case "EXPIRY_BEING_CHECKED":
      return "expiry-check";
    case "CANCELLED":
      return "cancelled";
    case "WRONG_SITE":
      return "wrong-site";
    case "EXCEPTION":
      return "exception";
    // Also a reason that a newer API has and this page does not know.
    default:
      return "refused";
  }
}

/** The colour that fills the screen. */
export function toneOf(answer: Answer): Tone {
  switch (answer) {
    case "deliverable":
    case "done":
      return "green";
    case "waiting":
    case "not-burned":
    case "expiry-check":
    case "unsure":
      return "amber";
    case "checking":
    case "offline":
    case "sending":
      return "neutral";
    default:
      return "red";
  }
}

/**
 * For how many milliseconds an answer that came online may be shown as green. Counted from when it
 * was asked for, as nothing is known about the time after that.
 */
export const FRESH_MS = 9000;

/** Milliseconds between looks at an order that may still change; null for an answer that stays. */
export function lookEvery(answer: Answer): number | null {
  switch (answer) {
    case "waiting":
      return 1000;
    case "not-burned":
    case "expiry-check":
    case "offline":
    case "exception":
    case "deliverable":
    case "unsure":
      return 3000;
    default:
      return null;
  }
}
