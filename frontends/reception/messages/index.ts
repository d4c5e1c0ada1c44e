import type { Catalogues } from "../../shared/i18n.ts";
import type { texts } from "./en.ts";

/** Names a text of the console. */
export type ConsoleKey = keyof typeof texts;

/** The console's texts; a browser loads the language it shows. */
export const catalogues: Catalogues<ConsoleKey> = {
  vi: () => import("./vi.ts"),
  en: () => import("./en.ts"),
};
