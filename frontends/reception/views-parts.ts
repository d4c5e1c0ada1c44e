import { type Child, h, type VNode } from "../shared/dom.ts";
import { banner } from "../shared/parts.ts";
import type { Desk } from "./desk.ts";
import { type Command, KEYS } from "./keys.ts";
import type { Notice, Refusal } from "./notice.ts";

/** A notice of the desk, in words. */
export function told({ words }: Desk, notice: Notice | null, ...more: Child[]): Child {
  return notice && banner("warn", notice.key, inWords(words, notice), ...more);
}

/** The same without a frame around it. */
export function inWords(words: Desk["words"], { key, values, refusal }: Notice): string {
  return words.text(key, refusal ? { ...values, why: why(words, refusal) } : values);
}

/** Why the API refused, in words; for a code without any, what to tell the administrator. */
export function why(
  words: Pick<Desk["words"], "has" | "text">,
  { code, requestId }: Refusal,
): string {
  const key = `why.${code}`;
  return words.has(key) ? words.text(key) : words.text("why.other", { code, requestId });
}

/** The key that does the same, told where there is a keyboard to press it on. */
export function kbd(command: Command | "Enter"): VNode {
  const key = command === "Enter" ? command : KEYS[command];
  return h("kbd", { "aria-hidden": "true" }, key === "Escape" ? "Esc" : key);
}
