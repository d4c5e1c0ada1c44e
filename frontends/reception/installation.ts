/** Chromium's event that offers to install the page. */
interface InstallOffer extends Event {
  prompt(): Promise<unknown>;
}

const LOOK_EVERY_MS = 5000;
/** Nobody touched the page for so long: nobody is in the middle of something. */
const QUIET_MS = 10_000;
const UPDATE_EVERY_MS = 1_800_000;

/**
 * The console as an app: opens without a network, can be installed, and replaces itself by a newer
 * build between two customers.
 */
export class Installation {
  /** Whether the browser would install the page now. */
  installable = false;
  /** Whether a newer build waits to take over. */
  updating = false;
  private offer: InstallOffer | null = null;
  private touchedAt = performance.now();
  private registration: ServiceWorkerRegistration | null = null;
  /** Whether the newer build runs already and this page is the older one's. */
  private outdated = false;

  constructor(
    private readonly isIdle: () => boolean,
    private readonly changed: () => void,
  ) {
    addEventListener("beforeinstallprompt", (event) => {
      event.preventDefault();
      this.setOffer(event as InstallOffer);
    });
    addEventListener("appinstalled", () => this.setOffer(null));
    for (const touch of ["keydown", "pointerdown"]) {
      addEventListener(touch, () => {
        this.touchedAt = performance.now();
      });
    }
  }

  /** Registers the service worker at `url`; without one the page works, online only. */
  async start(url: URL): Promise<void> {
    const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
    if (!workers) return;
    const isFirst = workers.controller === null;
    workers.addEventListener("controllerchange", () => {
      this.outdated = !isFirst;
    });
    const registration = await workers.register(url, { updateViaCache: "none" });
    this.registration = registration;
    setInterval(() => this.look(), LOOK_EVERY_MS);
    setInterval(() => void registration.update().catch(() => {}), UPDATE_EVERY_MS);
  }

  /** Asks the person whether to install the page. */
  async install(): Promise<void> {
    const { offer } = this;
    this.setOffer(null);
    await offer?.prompt();
  }

  private look(): void {
    const waiting = this.registration?.waiting;
    const updating = this.outdated || Boolean(waiting && navigator.serviceWorker.controller);
    if (updating !== this.updating) {
      this.updating = updating;
      this.changed();
    }
    const quiet = performance.now() - this.touchedAt > QUIET_MS;
    if (!updating || !quiet || isTyped(document.activeElement) || !this.isIdle()) return;
    if (this.outdated) location.reload();
    else waiting?.postMessage("take over");
  }

  private setOffer(offer: InstallOffer | null): void {
    this.offer = offer;
    this.installable = offer !== null;
    this.changed();
  }
}

/** Whether somebody stopped in the middle of a field. */
function isTyped(focused: Element | null): boolean {
  return focused instanceof HTMLInputElement && focused.value !== "";
}
