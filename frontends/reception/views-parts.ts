import { type Child, h, type VNode } from "../shared/dom.ts";
import { banner } from "../shared/parts.ts";
import type { Desk } from "./desk.ts";
import { type Command, SHORTCUTS } from "./keys.ts";
import type { Notice } from "./notice.ts";

/** A notice of the desk, in words. */
export function told(desk: Desk, notice: Notice | null): Child {
  return notice && banner("warn", notice.key, desk.words.text(notice.key, notice.values));
}

/** The key that does the same, told where there is a keyboard to press it on. */
export function kbd(command: Command | "Enter"): VNode {
  const key = SHORTCUTS.find((shortcut) => shortcut.command === command)?.key ?? command;
  return h("kbd", { "aria-hidden": "true" }, key === "Escape" ? "Esc" : key);
}
