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
