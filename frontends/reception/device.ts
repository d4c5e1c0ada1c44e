import { browser, type PollEnvironment } from "../shared/poll.ts";

/** The parts of the browser that the desk stands on; tests bring their own. */
export interface Device extends PollEnvironment {
  /** Milliseconds since some moment; never goes back, whatever the clock is set to. */
  elapsed(): number;
  /** Unix time in milliseconds, as this device believes. */
  time(): number;
  /** What outlives the tab. */
  shared(): Storage;
  /** What lives as long as the tab. */
  own(): Storage;
  /** Calls when another tab changed what is shared. */
  onShared(listener: () => void): void;
  /** Calls when the browser believes to be online again. */
  onOnline(listener: () => void): void;
  /** Runs while no other tab runs under the same name, where the browser can see to that. */
  alone<T>(name: string, run: () => Promise<T>): Promise<T>;
  /** Whether the site is open in another tab, as far as the browser can tell. Asked once. */
  othersOpen(): Promise<boolean>;
}

const OPEN = "5sov.open";

/** The browser itself. */
export function browserDevice(): Device {
  // Undefined where the page is not on a secure origin.
  const locks = navigator.locks as LockManager | undefined;
  return {
    ...browser,
    elapsed: () => performance.now(),
    time: () => Date.now(),
    shared: () => localStorage,
    own: () => sessionStorage,
    onShared(listener) {
      addEventListener("storage", () => listener());
    },
    onOnline(listener) {
      addEventListener("online", () => listener());
    },
    alone: (name, run) => (locks ? locks.request(name, run) : run()),
    async othersOpen() {
      if (!locks) return false;
      const { held = [] } = await locks.query();
      // Held until the tab is closed.
      void locks.request(OPEN, { mode: "shared" }, () => new Promise<never>(() => {}));
      return held.some(({ name }) => name === OPEN);
    },
  };
}
