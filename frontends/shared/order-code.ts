/**
 * Order ids as people meet them: in a QR code, typed, pasted, or sent by a USB scanner.
 *
 * An id is `ORD_<YYYYMMDD>_<16 Crockford base-32 characters>`, its date in UTC; the QR code says
 * `5SOV://order/<id>` and nothing else (spec: API).
 */

export const QR_PREFIX = "5SOV://order/";

const DIGIT = "[0-9A-HJKMNP-TV-Z]";
const PAYLOAD = `${QR_PREFIX}(ORD_[0-9]{8}_${DIGIT}{16})`;
const WHOLE_PAYLOAD = new RegExp(`^${PAYLOAD}$`, "i");
const PAYLOAD_WITHIN = new RegExp(PAYLOAD, "i");
const TYPED = new RegExp(`^(?:0RD([0-9]{8}))?(${DIGIT}{16})$`);
const BEGUN = new RegExp(`^(?:0(?:R(?:D[0-9]{0,8})?)?)?${DIGIT}{0,15}$`);
/** What stands between the groups of a typed code, and what pasting leaves there unseen. */
const SEPARATORS = /[\s\p{Pd}_\u200B-\u200D\uFEFF]+/gu;

/** A text that is not an order's code, by what else it is. */
export type OtherCode =
  | "empty"
  | "incomplete"
  | "address"
  | "transaction"
  /** A request to pay in a cryptocurrency (EIP-681, BIP-21). */
  | "request"
  /** A WalletConnect pairing. */
  | "connect"
  /** A bank's or card scheme's payment code (EMVCo, as VietQR is). */
  | "payment"
  | "wifi"
  | "contact"
  | "url"
  | "foreign";

/** What a scanned or typed text is. */
export type ParsedCode =
  /** Ours: the ids it may mean, most likely first. */
  { readonly kind: "order"; readonly orderIds: readonly string[] } | { readonly kind: OtherCode };

/** In the order of asking: the first that fits is what the text is. */
const OTHERS: readonly (readonly [RegExp, OtherCode])[] = [
  [/^0X[0-9A-F]{64}$/, "transaction"],
  [/^(ETHEREUM:|[A-Z]{2,6}:)?0X[0-9A-F]{40}$/, "address"],
  [/^(ETHEREUM|BITCOIN|BNB):/, "request"],
  [/^WC:/, "connect"],
  [/^000201[0-9]{4}/, "payment"],
  [/^WIFI:/, "wifi"],
  [/^(BEGIN:VCARD|MECARD:|BIZCARD:)/, "contact"],
  [/^([A-Z][A-Z0-9+.-]*:\/\/|WWW\.)/, "url"],
];

/**
 * Tells what `text` is.
 *
 * Capitals or not makes no difference, as wedges with caps lock on turn them around. The 16 random
 * characters alone mean an order of today, of yesterday, or, where this clock is slow, of tomorrow.
 */
export function parseCode(text: string, now: Date): ParsedCode {
  const upper = text.normalize("NFKC").trim().toUpperCase();
  const scanned = WHOLE_PAYLOAD.exec(upper)?.[1];
  if (scanned) return { kind: "order", orderIds: [scanned] };
  const other = OTHERS.find(([pattern]) => pattern.test(upper));
  if (other) return { kind: other[1] };
  const typed = readable(upper.replace(SEPARATORS, ""));
  if (!typed) return { kind: "empty" };
  const [, day, random] = TYPED.exec(typed) ?? [];
  if (!random) return { kind: BEGUN.test(typed) ? "incomplete" : "foreign" };
  const days = day ? [day] : [0, -1, 1].map((ahead) => dayStamp(now, ahead));
  return { kind: "order", orderIds: days.map((stamp) => `ORD_${stamp}_${random}`) };
}

/** Our QR code's payload where it stands in `text`, whatever a scanner put around it; else null. */
export function payloadIn(text: string): string | null {
  return PAYLOAD_WITHIN.exec(text)?.[0] ?? null;
}

/** The random part in groups of four, as the portal shows and the console takes it. */
export function groupCode(orderId: string): string {
  return (orderId.slice(-16).match(/.{4}/g) ?? []).join(" ");
}

/** Crockford's rule: O reads as zero, I and L as one. */
function readable(text: string): string {
  return text.replaceAll("O", "0").replace(/[IL]/g, "1");
}

function dayStamp(now: Date, daysAhead: number): string {
  const day = new Date(now.getTime() + daysAhead * 86_400_000);
  return day.toISOString().slice(0, 10).replaceAll("-", "");
}
