/** What a key does at the desk. Enter presses whatever has the focus, as everywhere. */
export type Command = "code" | "camera" | "search" | "next";

/** The key of each command. No printable one among them: a USB scanner types those. */
export const KEYS: Readonly<Record<Command, string>> = {
  code: "F2",
  camera: "F4",
  search: "F8",
  next: "Escape",
};

/** The command of a key press, or null; keys that are held down or combined are the browser's. */
export function commandOf(
  event: Pick<KeyboardEvent, "key" | "altKey" | "ctrlKey" | "metaKey" | "shiftKey" | "repeat">,
): Command | null {
  const { key, altKey, ctrlKey, metaKey, shiftKey, repeat } = event;
  if (altKey || ctrlKey || metaKey || shiftKey || repeat) return null;
  const commands = Object.keys(KEYS) as Command[];
  return commands.find((command) => KEYS[command] === key) ?? null;
}
