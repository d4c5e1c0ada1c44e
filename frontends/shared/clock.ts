/** Longer on its way, and an answer's `Date` tells too little. */
const PROMPT_MS = 2000;
/** Less than that is not worth a jump on the screen; `Date` itself is in whole seconds. */
const TOLERANCE_MS = 5000;

/** The API's clock, as far as its answers tell it (RFC 9110, section 6.6.1); else the device's. */
export class ServerClock {
  private ahead = 0;

  /** Takes in the headers of an answer to what was asked at `askedAt` (unix milliseconds). */
  hear(headers: Headers, askedAt: number): void {
    const now = Date.now();
    const ahead = Date.parse(headers.get("Date") ?? "") - now;
    // What a cache answers was written before.
    if (Number.isNaN(ahead) || headers.has("Age") || Math.abs(now - askedAt) > PROMPT_MS) return;
    if (Math.abs(ahead - this.ahead) < TOLERANCE_MS) return;
    this.ahead = Math.abs(ahead) < TOLERANCE_MS ? 0 : ahead;
  }

  /** Unix milliseconds. */
  now(): number {
    return Date.now() + this.ahead;
  }
}
