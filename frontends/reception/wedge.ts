/**
 * USB scanners that type like a keyboard ("wedges"), told from people by the pace of their keys.
 *
 * A scanner types wherever the focus is, in a layout of its own, with or without a prefix and a
 * last Enter or Tab, and through whatever input method is on.
 */
import { payloadIn, QR_PREFIX } from "../shared/order-code.ts";

/** Longest pause between two keys of a scanner, in milliseconds; people are slower. */
const FAST_MS = 60;
/** A scanner in the middle of a code may be held up so long, and in the middle of ours so long. */
const HICCUP_MS = 300;
const OURS_HICCUP_MS = 1000;
/** The part of the pauses that must be fast. */
const FAST_SHARE = 0.8;
/** Keys after which a run of them is a scanner's for the time being. */
const BURST = 3;
/** Keys of the shortest code, if a key as fast as they ends it, and if none does. */
const SHORTEST_ENDED = 4;
const SHORTEST_OPEN = 12;
/** Silence that ends a code without a last key: once it is complete, and while more must come. */
const IDLE_MS = 120;
const IDLE_UNFINISHED_MS = OURS_HICCUP_MS;
/** After a code its scanner may still send another Enter, a line feed or a Tab. */
const AFTERMATH_MS = 500;
/** So long its only Enter is waited for, lest it press a button of the answer. */
const OVERDUE_MS = 1500;

const BEGINNING = QR_PREFIX.slice(0, "5SOV://".length);

/** The parts of a keydown that count; `timeStamp` in milliseconds. */
export type Stroke = Pick<
  KeyboardEvent,
  "key" | "code" | "shiftKey" | "ctrlKey" | "altKey" | "metaKey" | "repeat" | "timeStamp"
>;

/** What a key was. */
export type Heard =
  /** A person's, or nobody can tell yet. */
  | "pass"
  /** A scanner's, in the middle of its code or right after it. */
  | "machine"
  /** The last of a code. */
  | Scan;

/** A code; its text is null where an input method has changed it beyond recovery. */
export interface Scan {
  readonly text: string | null;
}

interface Letter {
  /** The character typed; null for a key that an input method took or made. */
  readonly typed: string | null;
  /** The character of that key on a US keyboard; null for a key without a place. */
  readonly placed: string | null;
  /** False for what an input method made of other keys. */
  readonly pressed: boolean;
}

/** Hears one key after another and tells what they are. */
export class Wedge {
  private run: Letter[] = [];
  private fast = 0;
  private last = Number.NEGATIVE_INFINITY;
  /** Until then, an Enter is the last scan's. */
  private quietUntil = Number.NEGATIVE_INFINITY;

  key(stroke: Stroke): Heard {
    const at = stroke.timeStamp;
    const pause = at - this.last;
    if (stroke.ctrlKey || stroke.altKey || stroke.metaKey) return this.after(at);
    if (stroke.key === "Enter" || stroke.key === "Tab") {
      if (this.ends(pause)) return this.finish(at, AFTERMATH_MS);
      const held = this.after(at);
      this.forget();
      return held;
    }
    const letter = letterOf(stroke);
    if (letter === "modifier") return "pass";
    if (letter === null || stroke.repeat) {
      this.forget();
      return "pass";
    }
    if (!this.goesOn(pause)) this.forget();
    else if (pause <= FAST_MS) this.fast += 1;
    this.run.push(letter);
    this.last = at;
    return this.run.length > BURST ? "machine" : "pass";
  }

  /** Whether the last key was the first of a run. */
  get begins(): boolean {
    return this.run.length === 1;
  }

  /** Whether keys at `at` may still belong to a scanner, so that they must not press anything. */
  busy(at: number): boolean {
    return at - this.last < HICCUP_MS || at < this.quietUntil;
  }

  /** Milliseconds of silence that end the run without a last key; null for a person's. */
  get idleMs(): number | null {
    if (this.pressed < SHORTEST_OPEN) return null;
    const { text } = this.read();
    const unfinished = this.isOurs && (text === null || payloadIn(text) === null);
    return unfinished ? IDLE_UNFINISHED_MS : IDLE_MS;
  }

  /** Ends the run, for its silence unless a key did; keys that press are its own for `quietMs`. */
  finish(at: number, quietMs = OVERDUE_MS): Scan {
    const scan = this.read();
    this.forget();
    this.quietUntil = at + quietMs;
    return scan;
  }

  private after(at: number): Heard {
    return at < this.quietUntil ? "machine" : "pass";
  }

  private get patience(): number {
    return this.isOurs ? OURS_HICCUP_MS : HICCUP_MS;
  }

  private ends(pause: number): boolean {
    if (pause <= FAST_MS) return this.pressed >= SHORTEST_ENDED;
    return pause <= this.patience && this.pressed >= SHORTEST_OPEN;
  }

  /** What does not go on at a scanner's pace begins a new run: a long run is a scanner's. */
  private goesOn(pause: number): boolean {
    if (pause <= FAST_MS) return true;
    return pause <= this.patience && (this.isOurs || (this.run.length > BURST && this.isMachine));
  }

  /** An input method writes whole syllables in a burst; what nobody pressed proves nothing. */
  private get pressed(): number {
    return this.run.filter((letter) => letter.pressed).length;
  }

  /** By its pace, or because nobody types by hand what our codes begin with. */
  private get isMachine(): boolean {
    return this.fast >= FAST_SHARE * (this.run.length - 1) || this.isOurs;
  }

  private get isOurs(): boolean {
    return [this.run.map(({ typed }) => typed), this.run.map(({ placed }) => placed)].some(
      (letters) => {
        const text = letters.join("").toUpperCase();
        return text.includes(BEGINNING) || (text !== "" && BEGINNING.startsWith(text));
      },
    );
  }

  /** What was typed, or else the keys' places: both are tried, ours wins. */
  private read(): Scan {
    const texts = [
      joined(this.run.map(({ typed }) => typed)),
      joined(this.run.map(({ placed }) => placed)),
    ].filter((text) => text !== null);
    const ours = texts.map(payloadIn).find((text) => text !== null);
    return { text: ours ?? texts[0] ?? null };
  }

  private forget(): void {
    this.run = [];
    this.fast = 0;
    this.last = Number.NEGATIVE_INFINITY;
  }
}

function joined(letters: readonly (string | null)[]): string | null {
  return letters.includes(null) ? null : letters.join("");
}

/** Null for keys that no code has in it. */
function letterOf({ key, code, shiftKey }: Stroke): Letter | "modifier" | null {
  if (["Shift", "CapsLock", "AltGraph", "NumLock"].includes(key)) return "modifier";
  const placed = placeOf(code, shiftKey);
  const pressed = code !== "" && key !== "Backspace";
  if (key.length === 1) return { typed: isAscii(key) ? key : null, placed, pressed };
  // An input method takes keys, and takes back what it made of those before.
  return ["Process", "Unidentified", "Dead", "Backspace"].includes(key)
    ? { typed: null, placed, pressed }
    : null;
}

function isAscii(key: string): boolean {
  return key.charCodeAt(0) < 0x80;
}

/** Where codes are typed with no letter or digit key: plain, and with Shift. */
const SIGNS: Readonly<Record<string, string>> = {
  Minus: "-_",
  Equal: "=+",
  Semicolon: ";:",
  Slash: "/?",
  Period: ".>",
  Comma: ",<",
  Quote: "'\"",
  Space: "  ",
};
const SHIFTED_DIGITS = ")!@#$%^&*(";

function placeOf(code: string, shift: boolean): string | null {
  const [, letter, digit, pad] = /^(?:Key([A-Z])|Digit(\d)|Numpad(\d))$/.exec(code) ?? [];
  if (letter) return shift ? letter : letter.toLowerCase();
  if (digit) return shift ? (SHIFTED_DIGITS[Number(digit)] ?? null) : digit;
  return pad ?? SIGNS[code]?.[shift ? 1 : 0] ?? null;
}

/** What a page does with scans. */
export interface WedgeHooks {
  /** Whether scans are taken now. */
  active(): boolean;
  scanned(text: string): void;
  /** A code came, changed beyond recovery by an input method. */
  unreadable(): void;
}

type Field = HTMLInputElement | HTMLTextAreaElement;

/** The field where codes are typed and pasted by people; they may stay there. */
const CODE_FIELD = "code";

/**
 * Hears scanners on the whole page.
 *
 * A code never stays in the field that had the focus, and its last key presses nothing.
 */
export function listenToWedge(page: Document, hooks: WedgeHooks): void {
  const wedge = new Wedge();
  let before: { field: Field; value: string; from: number | null } | null = null;
  let idle: ReturnType<typeof setTimeout> | undefined;
  let spaceStopped = false;

  const take = ({ text }: Scan) => {
    clearTimeout(idle);
    if (before) putBack(before.field, before.value, before.from);
    before = null;
    if (text === null) hooks.unreadable();
    else hooks.scanned(text);
  };
  const stop = (event: Event) => {
    event.preventDefault();
    event.stopPropagation();
  };

  page.addEventListener(
    "keydown",
    (event) => {
      if (!hooks.active()) return;
      const field = fieldOf(event.target);
      const wasBusy = wedge.busy(event.timeStamp);
      const heard = wedge.key(event);
      if (wedge.begins) {
        before = field && { field, value: field.value, from: field.selectionStart };
      }
      clearTimeout(idle);
      const { idleMs } = wedge;
      if (idleMs !== null) {
        idle = setTimeout(() => take(wedge.finish(performance.now())), idleMs);
      }
      const held = heard === "machine" || (wasBusy && isPress(event) && !field);
      spaceStopped = held && !field && event.key === " ";
      if (typeof heard === "object") {
        stop(event);
        take(heard);
      } else if (held && (!field || isEnd(event))) stop(event);
    },
    { capture: true },
  );

  // Some browsers press a button when the space bar comes up again.
  page.addEventListener(
    "keyup",
    (event) => {
      if (event.key !== " " || !spaceStopped) return;
      spaceStopped = false;
      stop(event);
    },
    { capture: true },
  );

  // What came without keys, or too slowly: our code alone has this form.
  page.addEventListener("input", ({ target }) => {
    const field = fieldOf(target);
    if (!field || field.id === CODE_FIELD || !hooks.active()) return;
    const payload = payloadIn(field.value);
    if (payload === null) return;
    putBack(field, field.value.replace(payload, ""), null);
    before = null;
    clearTimeout(idle);
    hooks.scanned(payload);
  });
}

/** The text field that `target` is; other inputs have no selection. */
function fieldOf(target: EventTarget | null): Field | null {
  const isField = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
  return isField && target.selectionStart !== null ? target : null;
}

function isPress({ key }: KeyboardEvent): boolean {
  return key === "Enter" || key === " ";
}

function isEnd({ key, ctrlKey }: KeyboardEvent): boolean {
  return key === "Enter" || key === "Tab" || ctrlKey;
}

/** Undoes what came into the field; an input method's half-made word would come after, so it ends. */
function putBack(field: Field, value: string, from: number | null): void {
  const focused = document.activeElement === field;
  field.blur();
  field.value = value;
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  if (!focused) return;
  field.focus();
  if (from !== null) field.setSelectionRange(from, from);
}
