/** Longest pause between two keys of a USB scanner, in milliseconds; people are slower. */
const FASTEST_PERSON_MS = 60;
/** A slow scanner's last key and its Enter are closer than this. */
const SETTLED_MS = 500;
const SHORTEST_CODE = 12;

/**
 * Tells a USB scanner (keyboard wedge) from a person by the pace of its keys.
 *
 * Feed it every key with its time in milliseconds; it answers the scanned text when Enter ends a
 * burst that only a machine can type, else null.
 */
export class Wedge {
  private text = "";
  private last = 0;

  key(key: string, at: number): string | null {
    if (key.length !== 1 && key !== "Enter") return null;
    const fast = at - this.last <= FASTEST_PERSON_MS;
    this.last = at;
    if (key === "Enter") {
      const scanned = fast && this.text.length >= SHORTEST_CODE ? this.text : null;
      this.text = "";
      return scanned;
    }
    this.text = fast ? this.text + key : key;
    return null;
  }

  /** Whether a text may still be coming in at `at`, so that Enter must not press anything. */
  typing(at: number): boolean {
    return this.text !== "" && at - this.last < SETTLED_MS;
  }
}
