import { errorNames, orderFields, redeemedTopic, selectors } from "virtual:contract-abi";
import type { ContractOrder, Hex } from "../shared/wire.ts";
import { decodeNumbers, encodeCall } from "./abi.ts";
import type { Provider } from "./wallet.ts";

/** A transaction as wallets take it. */
export interface Call {
  readonly from: Hex;
  readonly to: Hex;
  readonly data: Hex;
}

/** Wallets allow for more gas than the node estimates; what an account needs is told the same way. */
const GAS_MARGIN_PERCENT = 125n;

/** How many vouchers of each type `owner` holds, in the order of `tokenIds`. */
export async function balances(
  provider: Provider,
  contract: Hex,
  owner: Hex,
  tokenIds: readonly number[],
): Promise<readonly bigint[]> {
  const data = encodeCall(selectors.balanceOfBatch, [tokenIds.map(() => owner), tokenIds]);
  return decodeNumbers(await read(provider, contract, data));
}

/** Whether the contract has burned for that order, whatever the transaction was. */
export async function isRedeemed(
  provider: Provider,
  contract: Hex,
  customer: Hex,
  orderHash: Hex,
): Promise<boolean> {
  const data = encodeCall(selectors.isRedeemed, [customer, orderHash]);
  const answer = await read(provider, contract, data);
  // A node that does not have the contract answers nothing, which is not "no".
  if (!/^0x[0-9a-f]{64}$/i.test(answer))
    throw new RangeError("the node does not know the contract");
  return BigInt(answer) === 1n;
}

/** The transaction that burned for an order, looked for from block `from` on; null: not found. */
export async function findBurn(
  provider: Provider,
  contract: Hex,
  customer: Hex,
  orderHash: Hex,
  from: number,
): Promise<Hex | null> {
  const toBlock = await provider.request({ method: "eth_blockNumber" });
  const topics = [redeemedTopic, `0x${customer.slice(2).padStart(64, "0")}`, null, orderHash];
  const wanted = { address: contract, fromBlock: `0x${from.toString(16)}`, toBlock, topics };
  const logs = await provider.request({ method: "eth_getLogs", params: [wanted] });
  return (logs as readonly { transactionHash: Hex }[])[0]?.transactionHash ?? null;
}

/** The transaction that redeems `order`. */
export function redemption(contract: Hex, order: ContractOrder, orderHash: Hex): Call {
  const words = [...orderFields.map((field) => order[field]), orderHash];
  return { from: order.customer, to: contract, data: encodeCall(selectors.redeemOrder, words) };
}

/** What is missing to pay for gas, in wei; 0n when the account can pay. */
export async function missingForGas(provider: Provider, call: Call): Promise<bigint> {
  const [gas, price, balance] = await Promise.all([
    provider.request({ method: "eth_estimateGas", params: [call] }),
    provider.request({ method: "eth_gasPrice" }),
    provider.request({ method: "eth_getBalance", params: [call.from, "latest"] }),
  ]);
  const needed = (BigInt(gas as Hex) * BigInt(price as Hex) * GAS_MARGIN_PERCENT) / 100n;
  const missing = needed - BigInt(balance as Hex);
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

async function read(provider: Provider, to: Hex, data: Hex): Promise<Hex> {
  return (await provider.request({ method: "eth_call", params: [{ to, data }, "latest"] })) as Hex;
}
