import type { SiteSettings } from "./wire.ts";

/**
 * Reads `config.json` beside the page.
 *
 * Raises `Error` when it is missing or says no `apiUrl`.
 */
export async function loadSettings(): Promise<SiteSettings> {
  const response = await fetch("config.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`config.json: status ${response.status}`);
  const settings = (await response.json()) as SiteSettings;
  if (typeof settings.apiUrl !== "string") throw new Error("config.json: apiUrl is missing");
  return settings;
}
