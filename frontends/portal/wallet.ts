import * as Address from "ox/Address";
import type { ChainConfig, Hex } from "../shared/wire.ts";

/** An Ethereum provider (EIP-1193). */
export interface Provider {
  request(call: { method: string; params?: readonly unknown[] }): Promise<unknown>;
  on?(event: string, listener: (value: never) => void): void;
}

/** A wallet as it announces itself (EIP-6963). */
export interface Wallet {
  readonly info: {
    readonly uuid: string;
    readonly name: string;
    readonly icon: string;
    readonly rdns: string;
  };
  readonly provider: Provider;
}

/** Where a connected wallet stands. `address` is checksummed (ERC-55). */
export interface Connection {
  readonly wallet: Wallet;
  readonly address: Hex;
  readonly chainId: number;
}

/** EIP-1193 and wallet error codes that the portal tells apart. */
export const REJECTED = 4001;
const UNKNOWN_CHAIN = 4902;

/** Listens for wallets (EIP-6963) and asks those already there to announce themselves. */
export function discoverWallets(found: (wallets: readonly Wallet[]) => void): void {
  const wallets: Wallet[] = [];
  window.addEventListener("eip6963:announceProvider", (event) => {
    const announced = (event as CustomEvent<Wallet>).detail;
    if (!announced?.info?.rdns || !announced.provider) return;
    if (wallets.some((known) => known.info.uuid === announced.info.uuid)) return;
    wallets.push(announced);
    found([...wallets]);
  });
  window.dispatchEvent(new Event("eip6963:requestProvider"));
}

/**
 * Connects, asking the person unless `silent`.
 *
 * Answers null when a silent attempt finds no account; raises what the wallet raises.
 */
export async function connect(wallet: Wallet, silent: boolean): Promise<Connection | null> {
  const method = silent ? "eth_accounts" : "eth_requestAccounts";
  const accounts = (await wallet.provider.request({ method })) as readonly string[];
  const [account] = accounts;
  if (!account) return null;
  const chainId = Number(await wallet.provider.request({ method: "eth_chainId" }));
  return { wallet, address: Address.checksum(account as Hex), chainId };
}

/** Switches the wallet to the project's chain, adding the chain where the wallet lacks it. */
export async function switchChain(provider: Provider, config: ChainConfig): Promise<void> {
  const chainId = `0x${config.chainId.toString(16)}`;
  const switching = { method: "wallet_switchEthereumChain", params: [{ chainId }] };
  try {
    await provider.request(switching);
  } catch (error) {
    if (!hasCode(error, UNKNOWN_CHAIN) || config.rpcUrls.length === 0) throw error;
    await provider.request({
      method: "wallet_addEthereumChain",
      params: [
        {
          chainId,
          chainName: config.chainName,
          nativeCurrency: config.nativeCurrency,
          rpcUrls: config.rpcUrls,
          ...(config.explorerUrl ? { blockExplorerUrls: [config.explorerUrl] } : {}),
        },
      ],
    });
    await provider.request(switching);
  }
}

/** Whether `error`, or an error nested in it as mobile wallets nest them, carries `code`. */
export function hasCode(error: unknown, code: number): boolean {
  return nested(error).some((layer) => layer.code === code);
}

/** The revert data inside a wallet's error, wherever that wallet puts it; null when there is none. */
export function revertData(error: unknown): Hex | null {
  for (const layer of nested(error)) {
    const { data } = layer;
    if (typeof data === "string") {
      const found = /0x(?:[0-9a-fA-F]{2}){4,}/.exec(data);
      if (found) return found[0] as Hex;
    }
  }
  return null;
}

/** Whether the wallet or its node says that the account cannot pay for gas. */
export function lacksFunds(error: unknown): boolean {
  return nested(error).some((layer) => /insufficient funds/i.test(String(layer.message ?? "")));
}

/** The error and those inside it (`data`, `originalError`, `cause`, `error`), outermost first. */
function nested(error: unknown): Record<string, unknown>[] {
  const layers: Record<string, unknown>[] = [];
  const waiting = [error];
  while (waiting.length > 0 && layers.length < 12) {
    const layer = waiting.shift();
    if (typeof layer !== "object" || layer === null) continue;
    const fields = layer as Record<string, unknown>;
    layers.push(fields);
    waiting.push(fields.data, fields.originalError, fields.cause, fields.error);
  }
  return layers;
}
