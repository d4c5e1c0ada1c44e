import { ApiError, Unreachable } from "../../shared/api.ts";
import { hasCode, PENDING } from "../wallet.ts";
import type { LaterKey } from "./messages/index.ts";

/** Something to tell the customer, by the name of its text. */
export interface Telling {
  readonly key: LaterKey;
  readonly values?: Readonly<Record<string, string | number>>;
}

/** What is told of a failure that means the same whatever was tried; else null. */
export function commonly(error: unknown): Telling | null {
  if (hasCode(error, PENDING)) return { key: "wallet.pending" };
  if (error instanceof Unreachable) return { key: "api.offline" };
  if (error instanceof ApiError && error.retryAfter !== null) {
    return { key: "api.limit", values: { n: error.retryAfter } };
  }
  return null;
}

/** A refusal of the API by its code, as its sentence is English only; else the wallet's words. */
export function detailOf(error: unknown): string {
  if (error instanceof ApiError) return error.code;
  const { message } = (error ?? {}) as { message?: unknown };
  return typeof message === "string" ? message.slice(0, 160) : "?";
}
