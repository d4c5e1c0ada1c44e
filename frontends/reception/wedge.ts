/** Longest pause between two keys of a USB scanner, in milliseconds; people are slower. */
const FASTEST_PERSON_MS = 60;
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
    const fast = at - this.last <= FASTEST_PERSON_MS;
    this.last = at;
    if (key === "Enter") {
      const scanned = fast && this.text.length >= SHORTEST_CODE ? this.text : null;
      this.text = "";
      return scanned;
    }
    if (key.length !== 1) return null;
    this.text = fast ? this.text + key : key;
    return null;
  }
}
