import type { ChainConfig, Hex } from "../shared/wire.ts";
import { errorName } from "./contract.ts";

/** An Ethereum provider (EIP-1193). */
export interface Provider {
  request(call: { method: string; params?: readonly unknown[] | object }): Promise<unknown>;
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

const LEGACY = { uuid: "legacy", name: "Wallet", icon: "", rdns: "legacy" };

/** Where a connected wallet stands. `address` is in lower case. */
export interface Connection {
  readonly wallet: Wallet;
  readonly address: Hex;
  readonly chainId: number;
}

/** EIP-1193 and wallet error codes that the portal tells apart. */
export const REJECTED = 4001;
/** A request of this site is open in the wallet already. */
export const PENDING = -32002;
const UNKNOWN_CHAIN = 4902;
/** The wallet did not take the request up: unauthorised, unsupported, bad parameters, no chain. */
const NOT_TAKEN_UP = [REJECTED, PENDING, 4100, 4200, 4900, 4901, UNKNOWN_CHAIN, -32601, -32602];
/** Revert data with the selector of an error of the contract, of `Error(string)` or `Panic`. */
const isRevert = (data: Hex | null) =>
  errorName(data) !== null || /^0x(08c379a0|4e487b71)/i.test(data ?? "");
/** Icons are drawn at 36 pixels: a longer one only costs memory. */
const MOST_ICON = 200_000;
/** How long wallets that do not announce themselves are left to announce themselves. */
const LEGACY_MS = 400;

/**
 * Listens for wallets (EIP-6963) and asks those already there to announce themselves.
 *
 * Some browsers inside wallets only know the older `window.ethereum`: it stands in when no wallet
 * has announced itself. `found` is called at the latest then, with none if there is none.
 */
export function discoverWallets(found: (wallets: readonly Wallet[]) => void): void {
  const wallets: Wallet[] = [];
  window.addEventListener("eip6963:announceProvider", (event) => {
    const announced = announcedBy((event as CustomEvent<unknown>).detail);
    if (!announced) return;
    const { info, provider } = announced;
    if (wallets.some((one) => one.provider === provider || one.info.uuid === info.uuid)) return;
    wallets.push(announced);
    found([...wallets]);
  });
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  setTimeout(() => {
    const { ethereum } = window as { ethereum?: Provider };
    if (wallets.length > 0) return;
    found(ethereum ? [{ info: LEGACY, provider: ethereum }] : []);
  }, LEGACY_MS);
}

/**
 * Connects, asking the person unless `silent`.
 *
 * Answers null when a silent attempt finds no account; raises what the wallet raises.
 */
export async function connect(wallet: Wallet, silent: boolean): Promise<Connection | null> {
  const method = silent ? "eth_accounts" : "eth_requestAccounts";
  const accounts = await wallet.provider.request({ method });
  const account: unknown = Array.isArray(accounts) ? accounts[0] : null;
  if (typeof account !== "string" || !/^0x[0-9a-f]{40}$/i.test(account)) return null;
  const chainId = await chainOf(wallet.provider);
  return { wallet, address: account.toLowerCase() as Hex, chainId };
}

/** A wallet's announcement, made safe to draw; null for what is none. */
function announcedBy(detail: unknown): Wallet | null {
  const { info, provider } = (detail ?? {}) as Partial<Wallet>;
  if (typeof info?.rdns !== "string" || typeof provider?.request !== "function") return null;
  const { rdns, uuid, name, icon } = info;
  const drawn = typeof icon === "string" && icon.startsWith("data:image/");
  return {
    info: {
      rdns,
      uuid: String(uuid ?? rdns),
      name: String(name || rdns).slice(0, 60),
      icon: drawn && icon.length <= MOST_ICON ? icon : "",
    },
    provider,
  };
}

/** The chain that the wallet is on now. */
export async function chainOf(provider: Provider): Promise<number> {
  return Number(await provider.request({ method: "eth_chainId" }));
}

/** Switches the wallet to the project's chain, adding the chain where the wallet lacks it. */
export async function switchChain(provider: Provider, config: ChainConfig): Promise<void> {
  const chainId = `0x${config.chainId.toString(16)}`;
  const switching = { method: "wallet_switchEthereumChain", params: [{ chainId }] };
  try {
    await provider.request(switching);
  } catch (error) {
    if (!hasCode(error, UNKNOWN_CHAIN) || config.rpcUrls.length === 0) throw error;
    // Adding may switch by itself; wallets differ, and switching twice does no harm.
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
  // Some wallets tell the number as a text.
  return nested(error).some((layer) => layer.code === code || layer.code === String(code));
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

/** Whether `error` proves that the wallet sent nothing: any other may come after sending. */
export function neverSent(error: unknown): boolean {
  // Nodes use a code of the list for a request that timed out, which may have gone through.
  const late = nested(error).some(({ message }) => /time(d )?-?out/i.test(String(message ?? "")));
  const refused = !late && NOT_TAKEN_UP.some((code) => hasCode(error, code));
  return refused || isRevert(revertData(error)) || lacksFunds(error);
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
