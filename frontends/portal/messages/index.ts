import type { Catalogues } from "../../shared/i18n.ts";
import type { texts } from "./en.ts";

/** Names a text of the portal. */
export type PortalKey = keyof typeof texts;

/** The portal's texts; a browser loads the language it shows. */
export const catalogues: Catalogues<PortalKey> = {
  vi: () => import("./vi.ts"),
  en: () => import("./en.ts"),
};
