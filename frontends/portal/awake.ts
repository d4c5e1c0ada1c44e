/** Keeps the screen from going dark while it is wanted and the browser allows it. */
export class KeepAwake {
  private wanted = false;
  private lock: Promise<WakeLockSentinel> | null = null;

  constructor() {
    // A lock is lost with the tab out of sight.
    document.addEventListener("visibilitychange", () => {
      this.lock = null;
      this.set(this.wanted);
    });
  }

  set(wanted: boolean): void {
    this.wanted = wanted;
    if (wanted && !this.lock && document.visibilityState === "visible") {
      this.lock = navigator.wakeLock?.request("screen") ?? null;
      // Refused to save the battery: the customer's finger does it.
      this.lock?.catch(() => {});
    } else if (!wanted && this.lock) {
      this.lock.then((lock) => lock.release()).catch(() => {});
      this.lock = null;
    }
  }
}
