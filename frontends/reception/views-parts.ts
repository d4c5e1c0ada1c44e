import { type Child, h, type VNode } from "../shared/dom.ts";
import { banner } from "../shared/parts.ts";
import type { Desk } from "./desk.ts";
import { type Command, KEYS } from "./keys.ts";
import type { Notice, Refusal } from "./notice.ts";

/** A notice of the desk, in words. */
export function told(desk: Desk, notice: Notice | null, ...more: Child[]): Child {
  return notice && banner("warn", notice.key, inWords(desk, notice), ...more);
}

/** The same without a frame around it. */
export function inWords(desk: Desk, { key, values, site, refusal }: Notice): string {
  const { words } = desk;
  return words.text(key, {
    site: desk.siteName(site ?? ""),
    why: refusal ? why(words, refusal) : "",
    ...values,
  });
}

/** Why the API refused, in words; for a code without any, what to tell the administrator. */
export function why(
  words: Pick<Desk["words"], "has" | "text">,
  { code, requestId }: Refusal,
): string {
  const key = `why.${code}`;
  return words.has(key) ? words.text(key) : words.text("why.other", { code, requestId });
}

/** A site's name, which breaks between its parts rather than within them. */
export function place(name: string): Child {
  const parts = name.replaceAll(", ", ",\n").split("\n");
  return parts.map((part) => [h("span", { class: "part" }, part), " "]);
}

/** Keeps the keyboard's place at the desk when what had the focus is gone. */
export function keepFocus(): void {
  const isLost = document.activeElement === document.body;
  if (isLost) document.querySelector<HTMLElement>(".scan, .close")?.focus();
}

/** The key that does the same, told where there is a keyboard to press it on. */
export function kbd(command: Command | "Enter"): VNode {
  const key = command === "Enter" ? command : KEYS[command];
  return h("kbd", { "aria-hidden": "true" }, key === "Escape" ? "Esc" : key);
}
