/**
 * What has become of a transaction, told from what the wallet's node says about it.
 *
 * One look proves little: providers spread their nodes over many machines, some behind the others.
 * So bad news counts once it was the same on several looks over some time; good news at once.
 */
import type { ChainConfig, Hex, OrderView } from "../shared/wire.ts";
import { isRedeemed } from "./contract.ts";
import type { Attempt, Fate } from "./stage.ts";
import { chainOf, type Provider } from "./wallet.ts";

/** What the node says at one moment. */
export interface Sight {
  /** Whether the contract has burned for the order, by whatever transaction. */
  readonly redeemed: boolean;
  /** Whether the transaction was mined and succeeded (true), failed (false), or neither (null). */
  readonly succeeded: boolean | null;
  /** Whether the node knows the transaction at all. */
  readonly known: boolean;
  /** Transactions of the account that were mined. */
  readonly mined: number;
  /** The same with those that wait. */
  readonly waiting: number;
}

/** A suspicion that grows with every look that says the same. */
export interface Doubt {
  readonly fate: Fate;
  /** Unix milliseconds of the first such look. */
  readonly since: number;
  readonly looks: number;
}

const SURE: Readonly<Record<Exclude<Fate, "open">, { looks: number; ms: number }>> = {
  reverted: { looks: 2, ms: 0 },
  replaced: { looks: 2, ms: 1000 },
  dropped: { looks: 3, ms: 12_000 },
};

/**
 * Asks the node behind `provider`.
 *
 * Answers null when the wallet is on another chain, before or after: nothing can be said then.
 * Raises what the wallet raises.
 */
export async function look(
  provider: Provider,
  config: ChainConfig,
  { order, orderHash }: OrderView,
  { txHash }: Attempt,
): Promise<Sight | null> {
  const ask = (method: string, ...params: unknown[]) => provider.request({ method, params });
  if ((await chainOf(provider)) !== config.chainId) return null;
  const [redeemed, receipt, transaction, mined, waiting] = await Promise.all([
    isRedeemed(provider, config.contractAddress, order.customer, orderHash),
    txHash && ask("eth_getTransactionReceipt", txHash),
    txHash && ask("eth_getTransactionByHash", txHash),
    ask("eth_getTransactionCount", order.customer, "latest"),
    ask("eth_getTransactionCount", order.customer, "pending"),
  ]);
  if ((await chainOf(provider)) !== config.chainId) return null;
  const status = (receipt as { status?: Hex } | null)?.status;
  return {
    redeemed,
    succeeded: status ? BigInt(status) === 1n : null,
    known: Boolean(receipt || transaction),
    mined: Number(mined),
    waiting: Number(waiting),
  };
}

/** What one look alone says about the transaction; "open" is also said where it says nothing. */
export function impression({ nonce }: Attempt, sight: Sight): Fate {
  if (sight.redeemed || sight.succeeded) return "open";
  if (sight.succeeded === false) return "reverted";
  if (sight.known) return "open";
  if (nonce === null) return "dropped";
  if (sight.mined > nonce) return "replaced";
  return sight.waiting > nonce ? "open" : "dropped";
}

/** The doubt after one more look at `now` (unix milliseconds); null when there is none. */
export function doubtAfter(before: Doubt | null, fate: Fate, now: number): Doubt | null {
  if (fate === "open") return null;
  if (before?.fate !== fate) return { fate, since: now, looks: 1 };
  return { ...before, looks: before.looks + 1 };
}

/** The fate to believe after the looks so far; `attempt` keeps its own until a doubt is sure. */
export function believed(attempt: Attempt, doubt: Doubt | null, now: number): Fate {
  if (!doubt) return "open";
  if (doubt.fate === "open") return "open";
  const { looks, ms } = SURE[doubt.fate];
  return doubt.looks >= looks && now - doubt.since >= ms ? doubt.fate : attempt.fate;
}
