/**
 * Order ids as people meet them: in a QR code, typed, pasted, or sent by a USB scanner.
 *
 * An id is `ORD_<YYYYMMDD>_<16 Crockford base-32 characters>`, its date in UTC; the QR code says
 * `5SOV://order/<id>` and nothing else (spec: API).
 */

export const QR_PREFIX = "5SOV://order/";

const RANDOM = "[0-9A-HJKMNP-TV-Z]{16}";
const ID = new RegExp(`^ORD_[0-9]{8}_${RANDOM}$`);
const RANDOM_ONLY = new RegExp(`^${RANDOM}$`);

/** What a scanned or typed text is. */
export type ParsedCode =
  /** Ours: the ids it may mean, most likely first. */
  | { readonly kind: "order"; readonly orderIds: readonly string[] }
  | { readonly kind: "empty" | "incomplete" | "address" | "url" | "foreign" };

/** Tells what `text` is. The 16 random characters alone mean an order of today or yesterday. */
export function parseCode(text: string, now: Date): ParsedCode {
  const trimmed = text.trim();
  if (!trimmed) return { kind: "empty" };
  // A keyboard with caps lock on, as wedges and phones have it, turns the letters around.
  const upper = trimmed.toUpperCase();
  const named = upper.startsWith(QR_PREFIX.toUpperCase())
    ? upper.slice(QR_PREFIX.length)
    : upper.replace(/[\s-]+/g, "");
  if (ID.test(named)) return { kind: "order", orderIds: [named] };
  if (/^(ETHEREUM:)?0X[0-9A-F]{40}/.test(upper)) return { kind: "address" };
  if (/^[A-Z][A-Z0-9+.-]*:\/\//.test(upper) || upper.startsWith("WWW.")) return { kind: "url" };
  const spoken = readable(named);
  if (RANDOM_ONLY.test(spoken)) {
    return { kind: "order", orderIds: [0, 1].map((age) => `ORD_${dayStamp(now, age)}_${spoken}`) };
  }
  return { kind: /^(ORD_?[0-9]*_?)?[0-9A-Z]{0,15}$/.test(spoken) ? "incomplete" : "foreign" };
}

/** The random part in groups of four, as the portal shows and the console takes it. */
export function groupCode(orderId: string): string {
  return (orderId.slice(-16).match(/.{4}/g) ?? []).join(" ");
}

/** Crockford's rule: O reads as zero, I and L as one. */
function readable(text: string): string {
  return text.replaceAll("O", "0").replace(/[IL]/g, "1").replace(/^0RD/, "ORD");
}

function dayStamp(now: Date, daysBack: number): string {
  const day = new Date(now.getTime() - daysBack * 86_400_000);
  return day.toISOString().slice(0, 10).replaceAll("-", "");
}
