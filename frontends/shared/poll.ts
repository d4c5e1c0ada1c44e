/** A running poll. */
export interface Poll {
  /** Asks at once, whatever the delay was. */
  now(): void;
  stop(): void;
}

/** The parts of the browser a poll stands on; tests bring their own. */
export interface PollEnvironment {
  visible(): boolean;
  onVisible(listener: () => void): () => void;
  later(run: () => void, ms: number): () => void;
  random(): number;
}

const MAX_BACKOFF_MS = 30_000;
/** However long a server wants to be left alone: pages that never look again help nobody. */
const MAX_ASKED_MS = 300_000;

export const browser: PollEnvironment = {
  visible: () => document.visibilityState === "visible",
  onVisible(listener) {
    const heard = () => {
      if (document.visibilityState === "visible") listener();
    };
    document.addEventListener("visibilitychange", heard);
    return () => document.removeEventListener("visibilitychange", heard);
  },
  later(run, ms) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

/**
 * Runs `task` again and again while the tab is visible, at once on return to it.
 *
 * `task` answers the milliseconds until its next turn, or null to end. When it raises, the delay
 * doubles from 1 s to 30 s, with jitter, until it succeeds again; where the error has a `retryAfter`
 * in seconds it is no shorter than that, up to 5 minutes.
 */
export function poll(
  task: () => Promise<number | null>,
  environment: PollEnvironment = browser,
): Poll {
  let failures = 0;
  let running = false;
  let again = false;
  let stopped = false;
  let cancel = () => {};

  const stop = () => {
    stopped = true;
    cancel();
    forget();
  };
  const turn = async () => {
    cancel();
    if (stopped) return;
    if (running) {
      again = true;
      return;
    }
    if (!environment.visible()) return;
    running = true;
    let delay: number | null;
    try {
      delay = await task();
      failures = 0;
    } catch (error) {
      failures += 1;
      delay = Math.max(backoff(failures, environment.random()), pauseOf(error));
    }
    running = false;
    if (delay === null) stop();
    if (stopped) return;
    if (again) {
      again = false;
      void turn();
    } else if (delay !== null) cancel = environment.later(turn, delay);
  };
  const forget = environment.onVisible(() => void turn());
  void turn();
  return { now: () => void turn(), stop };
}

/** Milliseconds to wait after the n-th failure in a row; `random` in [0, 1) spreads the clients. */
export function backoff(failures: number, random: number): number {
  const full = Math.min(MAX_BACKOFF_MS, 1000 * 2 ** (failures - 1));
  return Math.round(full * (0.75 + random / 2));
}

/** Milliseconds that whoever raised `error` wants to be left alone, at most 5 minutes. */
export function pauseOf(error: unknown): number {
  const { retryAfter } = (error ?? {}) as { readonly retryAfter?: unknown };
  return typeof retryAfter === "number" ? Math.min(MAX_ASKED_MS, retryAfter * 1000) : 0;
}

/** Milliseconds between looks at something unchanged for `unchanged` looks: slower, to a limit. */
export function easing(firstMs: number, limitMs: number, unchanged: number): number {
  return Math.min(limitMs, Math.round(firstMs * 1.2 ** unchanged));
}
