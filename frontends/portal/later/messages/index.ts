import type { Catalogues } from "../../../shared/i18n.ts";
import type { texts } from "./en.ts";

/** Names a text of the portal's later pages. */
export type LaterKey = keyof typeof texts;

/** Their texts; a browser loads the language it shows. */
export const catalogues: Catalogues<LaterKey> = {
  vi: () => import("./vi.ts"),
  en: () => import("./en.ts"),
};
