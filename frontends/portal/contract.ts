import { type AbiCall, balanceOfBatch, errorNames, redeemOrder } from "virtual:contract-abi";
import * as AbiParameters from "ox/AbiParameters";
import type { ContractOrder, Hex } from "../shared/wire.ts";
import type { Provider } from "./wallet.ts";

/** A transaction as wallets take it; quantities in wei, hexadecimal. */
export interface Call {
  readonly from: Hex;
  readonly to: Hex;
  readonly data: Hex;
}

/** How many vouchers of each type `owner` holds, in the order of `tokenIds`. */
export async function balances(
  provider: Provider,
  contract: Hex,
  owner: Hex,
  tokenIds: readonly number[],
): Promise<readonly bigint[]> {
  const data = encode(balanceOfBatch, [tokenIds.map(() => owner), tokenIds.map(BigInt)]);
  const call = { to: contract, data };
  const answer = await provider.request({ method: "eth_call", params: [call, "latest"] });
  const [counts] = AbiParameters.decode(balanceOfBatch.outputs, answer as Hex);
  return counts as readonly bigint[];
}

/** The transaction that redeems `order`. */
export function redemption(contract: Hex, order: ContractOrder, orderHash: Hex): Call {
  const tuple = {
    ...order,
    tokenId: BigInt(order.tokenId),
    amount: BigInt(order.amount),
    expiresAt: BigInt(order.expiresAt),
  };
  const data = encode(redeemOrder, [tuple, orderHash]);
  return { from: order.customer, to: contract, data };
}

/** What is missing to pay for gas, in wei; 0n when the account can pay. */
export async function missingForGas(provider: Provider, call: Call): Promise<bigint> {
  const [gas, price, balance] = await Promise.all([
    provider.request({ method: "eth_estimateGas", params: [call] }),
    provider.request({ method: "eth_gasPrice" }),
    provider.request({ method: "eth_getBalance", params: [call.from, "latest"] }),
  ]);
  const missing = BigInt(gas as Hex) * BigInt(price as Hex) - BigInt(balance as Hex);
  return missing > 0n ? missing : 0n;
}

/** The contract error that `data` encodes, by its selector; null for one the contract has not. */
export function errorName(data: Hex | null): string | null {
  return data ? (errorNames[data.slice(0, 10).toLowerCase()] ?? null) : null;
}

/** Wei as a decimal number of whole coins, rounded up to `digits` places. */
export function coins(wei: bigint, decimals: number, digits = 6): string {
  const step = 10n ** BigInt(decimals - digits);
  const rounded = (wei + step - 1n) / step;
  const text = rounded.toString().padStart(digits + 1, "0");
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`.replace(/\.?0+$/, "");
}

function encode(call: AbiCall, values: readonly unknown[]): Hex {
  const encoded = AbiParameters.encode(call.inputs, values as never);
  return `${call.selector}${encoded.slice(2)}`;
}
