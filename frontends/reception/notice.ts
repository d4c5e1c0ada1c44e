import { ApiError } from "../shared/api.ts";
import type { ConsoleKey } from "./messages/index.ts";

/** Something to tell the receptionist. */
export interface Notice {
  readonly key: ConsoleKey;
  readonly values?: Readonly<Record<string, string | number>>;
  /** A site's id, whose name fills `{site}`. */
  readonly site?: string;
  /** Fills `{why}`. */
  readonly refusal?: Refusal;
}

/** Why the API refused: its code, which has words in each language, and where the logs tell more. */
export interface Refusal {
  readonly code: string;
  readonly requestId: string;
}

/** What an error of the API says, without its sentence: that is English only. */
export function refusalOf({ code, problem }: ApiError): Refusal {
  return { code, requestId: problem.requestId ?? "" };
}

/** What to tell when the API refused something, or nothing came back. */
export function failure(error: unknown, key: ConsoleKey): Notice {
  if (!(error instanceof ApiError)) return { key: "login.offline" };
  return { key, refusal: refusalOf(error) };
}

/** Whether asking again may bring another answer: nothing came back, or a "not now" did. */
export function isPassing(error: unknown): boolean {
  return !(error instanceof ApiError) || [408, 425, 429].includes(error.status);
}

/** The rules of `POST /auth/password` that have words of their own. */
const PASSWORD_RULES: Readonly<Partial<Record<string, ConsoleKey>>> = {
  length: "password.short",
  different: "password.other",
  username: "password.name",
  match: "password.wrong",
};

/** What to tell when a new password was not taken. */
export function passwordFailure(error: unknown): Notice {
  const rule = error instanceof ApiError ? error.problem.errors?.[0]?.rule : undefined;
  const key = PASSWORD_RULES[rule ?? ""];
  return key ? { key } : failure(error, "password.failed");
}
