import { ApiError } from "../shared/api.ts";
import type { ConsoleKey } from "./messages/index.ts";

/** Something to tell the receptionist. */
export interface Notice {
  readonly key: ConsoleKey;
  readonly values?: Readonly<Record<string, string | number>>;
}

/** What to tell when the API refused something, or nothing came back. */
export function failure(error: unknown, key: ConsoleKey): Notice {
  if (!(error instanceof ApiError)) return { key: "login.offline" };
  const detail = error.problem.errors?.[0]?.message ?? error.message;
  return { key, values: { detail } };
}

/** The rules of `POST /auth/password` that have words of their own. */
const PASSWORD_RULES: Readonly<Partial<Record<string, ConsoleKey>>> = {
  length: "password.short",
  different: "password.rule.other",
  username: "password.rule.name",
  match: "password.wrong",
};

/** What to tell when a new password was not taken. */
export function passwordFailure(error: unknown): Notice {
  const rule = error instanceof ApiError ? error.problem.errors?.[0]?.rule : undefined;
  const key = PASSWORD_RULES[rule ?? ""];
  return key ? { key } : failure(error, "password.failed");
}
