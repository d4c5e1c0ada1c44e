import type { Scanner, ScannerState } from "./scanner.ts";

/** No camera is wanted. */
export const OFF: ScannerState = { phase: "off", torch: null, cameras: [], deviceId: null };

/**
 * The scanner, whose code is loaded after the page: ahead of its use by `warm`, else by `show`.
 *
 * Until it is there a scan is `starting`; where it does not come, `decoder`: nothing to read with.
 */
export class LateScanner {
  private scanner: Scanner | null = null;
  private loading: Promise<void> | null = null;
  private wanted: Parameters<Scanner["show"]> | null = null;

  constructor(
    private readonly load: (changed: (state: ScannerState) => void) => Promise<Scanner>,
    private readonly changed: (state: ScannerState) => void,
  ) {}

  warm(): void {
    void this.arrive();
  }

  open(): void {
    if (this.scanner) this.scanner.open();
    else this.changed({ ...OFF, phase: "starting" });
  }

  /** Never rejects. */
  async show(...wanted: Parameters<Scanner["show"]>): Promise<void> {
    this.wanted = wanted;
    await this.retry();
  }

  /** Tries again, to load what did not come as well. */
  async retry(): Promise<void> {
    const { wanted } = this;
    if (!this.scanner && wanted) this.changed({ ...OFF, phase: "starting" });
    await this.arrive();
    // Closed, or asked for anew, while it was loaded.
    if (!wanted || wanted !== this.wanted) return;
    if (this.scanner) await this.scanner.show(...wanted);
    else this.changed({ ...OFF, phase: "decoder" });
  }

  close(): void {
    this.wanted = null;
    if (this.scanner) this.scanner.close();
    else this.changed(OFF);
  }

  release(): void {
    this.close();
    this.scanner?.release();
  }

  async choose(deviceId: string): Promise<void> {
    await this.scanner?.choose(deviceId);
  }

  async switchTorch(): Promise<void> {
    await this.scanner?.switchTorch();
  }

  /** Loads the scanner, and with it the decoder; another call tries again what failed. */
  private arrive(): Promise<void> {
    this.loading ??= this.load(this.changed).then(
      (scanner) => {
        this.scanner = scanner;
        scanner.warm();
      },
      () => {
        this.loading = null;
      },
    );
    return this.loading;
  }
}
