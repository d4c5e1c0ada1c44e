/**
 * What has become of an order's transactions, told from what the wallet's node says about them.
 *
 * One look proves little: providers spread their nodes over many machines, some behind the others,
 * and one question may be answered by another than the next. So bad news counts once it was the
 * same on several looks over some time; good news counts at once.
 */
import type { ChainConfig, Hex, OrderView } from "../shared/wire.ts";
import { isRedeemed } from "./contract.ts";
import type { Attempt, Fate } from "./stage.ts";
import { chainOf, type Provider } from "./wallet.ts";

/** What the node says at one moment. */
export interface Sight {
  /** Whether the contract has burned for the order, by whatever transaction. */
  readonly redeemed: boolean;
  /** Transactions of the account that were mined. */
  readonly mined: number;
  /** The same with those that wait. */
  readonly waiting: number;
  /** Of each attempt, by its `id`. */
  readonly transactions: ReadonlyMap<string, TransactionSight>;
}

export interface TransactionSight {
  /** Whether it was mined and succeeded (true), failed (false), or neither (null). */
  readonly succeeded: boolean | null;
  /** Whether the node knows it at all. */
  readonly known: boolean;
  /** The account's nonce that it has, where the node tells. */
  readonly nonce: number | null;
}

/** A suspicion that grows with every look that says the same. */
interface Doubt {
  readonly fate: Fate;
  /** Unix milliseconds of the first such look. */
  readonly since: number;
  readonly looks: number;
}

/** By the attempt's `id`; none where the last look gave no reason to doubt. */
export type Doubts = ReadonlyMap<string, Doubt>;

/** When a suspicion becomes a belief. The time is longer than nodes lag behind each other. */
const SURE: Readonly<Record<Exclude<Fate, "open">, { looks: number; ms: number }>> = {
  reverted: { looks: 3, ms: 4000 },
  replaced: { looks: 3, ms: 4000 },
  dropped: { looks: 4, ms: 12_000 },
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
  attempts: readonly Attempt[],
): Promise<Sight | null> {
  const ask = (method: string, ...params: unknown[]) => provider.request({ method, params });
  if ((await chainOf(provider)) !== config.chainId) return null;
  const [redeemed, mined, waiting, ...transactions] = await Promise.all([
    isRedeemed(provider, config.contractAddress, order.customer, orderHash),
    ask("eth_getTransactionCount", order.customer, "latest"),
    ask("eth_getTransactionCount", order.customer, "pending"),
    ...attempts.map(async ({ id, txHash }) => [id, await lookAt(provider, txHash)] as const),
  ]);
  if ((await chainOf(provider)) !== config.chainId) return null;
  return {
    redeemed,
    mined: Number(mined),
    waiting: Number(waiting),
    transactions: new Map(transactions),
  };
}

/** What the node says about one transaction; nothing where the wallet has not told its hash. */
export async function lookAt(provider: Provider, txHash: Hex | null): Promise<TransactionSight> {
  if (!txHash) return { succeeded: null, known: false, nonce: null };
  const [receipt, transaction] = await Promise.all(
    ["eth_getTransactionReceipt", "eth_getTransactionByHash"].map((method) =>
      provider.request({ method, params: [txHash] }),
    ),
  );
  const status = (receipt as { status?: Hex } | null)?.status;
  const nonce = (transaction as { nonce?: Hex } | null)?.nonce;
  return {
    succeeded: status ? BigInt(status) === 1n : null,
    known: Boolean(receipt || transaction),
    nonce: nonce ? Number(nonce) : null,
  };
}

/** What to believe of each after one more look at `now` (unix milliseconds), and the doubts left. */
export function judge(
  attempts: readonly Attempt[],
  sight: Sight,
  before: Doubts,
  now: number,
): { readonly attempts: readonly Attempt[]; readonly doubts: Doubts } {
  const doubts = new Map<string, Doubt>();
  const believed = attempts.map((one) => {
    const seen = sight.transactions.get(one.id);
    const attempt = { ...one, nonce: seen?.nonce ?? one.nonce };
    const fate = impression(attempt, sight, seen);
    if (fate === "open" || fate === attempt.fate) return { ...attempt, fate };
    const old = before.get(attempt.id);
    const doubt =
      old?.fate === fate ? { ...old, looks: old.looks + 1 } : { fate, since: now, looks: 1 };
    const { looks, ms } = SURE[fate];
    if (doubt.looks >= looks && now - doubt.since >= ms) return { ...attempt, fate };
    doubts.set(attempt.id, doubt);
    // What was believed dead and looks otherwise now may be alive: so it is until that is sure.
    const meanwhile: Fate = attempt.fate === "dropped" ? "dropped" : "open";
    return { ...attempt, fate: meanwhile };
  });
  return { attempts: believed, doubts };
}

/** What one look alone says about a transaction; "open" is also said where it says nothing. */
function impression({ nonce }: Attempt, sight: Sight, seen?: TransactionSight): Fate {
  if (!seen || sight.redeemed) return "open";
  // Mined for an account that is a contract, it may have failed within; or it was never for this
  // order. What the contract does not know is not waited for.
  if (seen.succeeded) return "dropped";
  if (seen.succeeded === false) return "reverted";
  if (seen.known) return "open";
  if (nonce !== null && sight.mined > nonce) return "replaced";
  // Another transaction waits with its nonce, sped up perhaps; or, where its nonce was never seen,
  // with any: which one, the wallet alone knew.
  return sight.waiting > (nonce ?? sight.mined) ? "open" : "dropped";
}
