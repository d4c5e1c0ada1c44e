import type { State } from "./state.ts";

/** The pages of the portal, as `data-screen` names them. */
export type Screen =
  | "loading"
  | "down"
  | "no-wallet"
  | "welcome"
  | "connecting"
  | "wrong-network"
  | "no-vouchers"
  | "vouchers"
  | "redeem"
  | "order"
  | "history"
  | "receipt";

/** The page that the state is to be shown on. */
export function screenOf(state: State): Screen {
  const { config, catalogue, connection, place, wallets, held } = state;
  // Wherever it was asked for: its dialog may be out of sight, and has to be given up somewhere.
  if (state.connecting) return "connecting";
  if (place.at === "order") return "order";
  if (!config || !catalogue) return state.down ? "down" : "loading";
  if (place.at === "history" || place.at === "receipt") return place.at;
  if (!connection) {
    if (state.restoring || !wallets) return "loading";
    return wallets.length > 0 ? "welcome" : "no-wallet";
  }
  if (connection.chainId !== config.chainId) return "wrong-network";
  if (state.draft) return "redeem";
  return held && [...held.values()].every((count) => count === 0) ? "no-vouchers" : "vouchers";
}
