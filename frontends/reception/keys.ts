import type { ConsoleKey } from "./messages/index.ts";

/** What a key does at the desk. Enter presses whatever has the focus, as everywhere. */
export type Command = "code" | "camera" | "search" | "next";

/** One shortcut; its text says what it does. */
export interface Shortcut {
  readonly key: string;
  readonly command: Command;
  readonly text: ConsoleKey;
}

/** No printable key among them: a USB scanner types those. */
export const SHORTCUTS: readonly Shortcut[] = [
  { key: "F2", command: "code", text: "keys.code" },
  { key: "F4", command: "camera", text: "keys.camera" },
  { key: "F8", command: "search", text: "keys.search" },
  { key: "Escape", command: "next", text: "keys.next" },
];

/** The command of a key press, or null; keys that are held down or combined are the browser's. */
export function commandOf(
  event: Pick<KeyboardEvent, "key" | "altKey" | "ctrlKey" | "metaKey" | "shiftKey" | "repeat">,
): Command | null {
  const { key, altKey, ctrlKey, metaKey, shiftKey, repeat } = event;
  if (altKey || ctrlKey || metaKey || shiftKey || repeat) return null;
  return SHORTCUTS.find((shortcut) => shortcut.key === key)?.command ?? null;
}
