import { ApiError } from "../shared/api.ts";
import type { Translator } from "../shared/i18n.ts";
import type { ChainConfig } from "../shared/wire.ts";
import { errorName } from "./contract.ts";
import type { PortalKey } from "./messages/index.ts";
import type { Draft, Notice, State } from "./state.ts";
import { hasCode, lacksFunds, PENDING, REJECTED, revertData } from "./wallet.ts";

/** The contract's error that says that the order was burned for already. */
const ALREADY = "AlreadyRedeemed";

/** Whether the contract refuses because it has burned for this order already. */
export function isAlreadyRedeemed(error: unknown): boolean {
  return errorName(revertData(error)) === ALREADY;
}

/** Why the wallet did not connect. */
export function connectNotice(error: unknown): Notice {
  if (hasCode(error, REJECTED)) return { key: "connect.rejected" };
  if (hasCode(error, PENDING)) return { key: "connect.pending", tone: "info" };
  return walletNotice(error);
}

/** Why the wallet did not change to the project's chain. */
export function networkNotice(error: unknown, config: ChainConfig): Notice {
  if (hasCode(error, PENDING)) return { key: "network.pending", tone: "info" };
  const values = { chain: config.chainName };
  return { key: hasCode(error, REJECTED) ? "network.rejected" : "network.failed", values };
}

/**
 * Why a redemption was not sent. `clean` tells whether nothing was ever sent for the order: only
 * then is it said that nothing was burned.
 */
export function signingNotice(
  error: unknown,
  clean: boolean,
  config: ChainConfig,
  words: Translator<PortalKey>,
): Notice {
  if (hasCode(error, REJECTED)) {
    return { key: clean ? "problem.rejected" : "problem.rejectedAgain" };
  }
  if (hasCode(error, PENDING)) return { key: "problem.pending", tone: "info" };
  const data = revertData(error);
  if (data) return revertNotice(errorName(data), words);
  if (lacksFunds(error)) {
    return { key: "problem.gasUnknown", values: { symbol: config.nativeCurrency.symbol } };
  }
  return walletNotice(error);
}

/** Says that the wallet failed, in the wallet's own words. */
export function walletNotice(error: unknown): Notice {
  const message = typeof error === "string" ? error : (error as { message?: unknown })?.message;
  const detail = typeof message === "string" ? message.slice(0, 160).replace(/\.$/, "") : "?";
  return { key: "problem.wallet", values: { detail } };
}

/** The fields of an order that the customer fills in. */
const ON_THE_PAGE = /^(amount|siteId|customerMeta\..+)$/;

/**
 * What of the page changes because the API did not take the order. Its sentences are English only:
 * a field is marked, and any other refusal is told by its code.
 */
export function placingFailed(error: unknown, draft: Draft): Partial<State> {
  if (!(error instanceof ApiError)) return { notice: { key: "problem.offline" } };
  if (error.retryAfter !== null) {
    return { notice: { key: "problem.limit", values: { n: error.retryAfter } } };
  }
  const { code, errors: wrong = [] } = error.problem;
  if (wrong.some(({ field }) => field === "tokenId")) {
    return { notice: { key: "revert.VoucherTypeDisabled" } };
  }
  const fields = wrong.map(({ field }) => field).filter((field) => ON_THE_PAGE.test(field));
  if (fields.length === 0) return { notice: { key: "problem.api", values: { code } } };
  const refused = { key: "redeem.refused" } as const;
  const errors = Object.fromEntries(fields.map((field) => [field, refused]));
  return { notice: { key: "redeem.check" }, draft: { ...draft, errors } };
}

/** A contract's error in words; one without words of its own is named, for those who help. */
function revertNotice(name: string | null, words: Translator<PortalKey>): Notice {
  const key = `revert.${name}`;
  if (words.has(key)) return { key };
  return { key: "revert.other", values: { name: name ?? "?" } };
}
