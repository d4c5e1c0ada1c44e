import type { Hex } from "../../shared/wire.ts";
import { hasCode, type Provider, REJECTED } from "../wallet.ts";
import { detailOf, type Telling } from "./telling.ts";

/** What wallets answer to a method or a kind of token that they do not have. */
const UNSUPPORTED = [-32601, 4200, -32602];
/** What MetaMask answers for a token that the selected account or network does not have. */
const NOT_HELD = [-32000, -32002];

/**
 * Asks the wallet to show a voucher (EIP-747 with MetaMask's `ERC1155`).
 *
 * Answers what to tell the customer; null where the customer declined. Never raises.
 */
export async function watch(
  provider: Provider,
  contract: Hex,
  tokenId: number,
): Promise<Telling | null> {
  const params = {
    type: "ERC1155",
    options: { address: contract, tokenId: String(tokenId) },
  };
  try {
    const taken = await provider.request({ method: "wallet_watchAsset", params });
    return taken ? { key: "watch.done" } : null;
  } catch (error) {
    if (hasCode(error, REJECTED)) return null;
    if (UNSUPPORTED.some((code) => hasCode(error, code))) return { key: "watch.unsupported" };
    if (NOT_HELD.some((code) => hasCode(error, code))) return { key: "watch.notHeld" };
    return { key: "watch.failed", values: { detail: detailOf(error) } };
  }
}
