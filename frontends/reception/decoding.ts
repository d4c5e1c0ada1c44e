import { backoff } from "../shared/poll.ts";
import type { Decoded, Look } from "./decoder.ts";

/** The parts of a worker that are used; tests bring their own. */
export type DecoderWorker = Pick<
  Worker,
  "postMessage" | "terminate" | "onmessage" | "onerror" | "onmessageerror"
>;

/** A worker that says nothing for so long has hung. */
const HUNG_MS = 5000;

/** Failures in a row after which people are told. */
const TOLD_AFTER = 3;

/** The worker that reads codes: one frame at a time, and a new worker when one has failed. */
export class Decoding {
  private worker: DecoderWorker | null = null;
  private failures = 0;
  private notBefore = 0;

  constructor(
    private readonly make: () => DecoderWorker,
    private readonly hungAfterMs = HUNG_MS,
  ) {}

  /** Starts the worker, which loads and tries its WebAssembly before the first frame comes. */
  warm(): void {
    this.worker ??= this.make();
  }

  /** Whether codes cannot be read now, for all that was tried. */
  get broken(): boolean {
    return this.failures >= TOLD_AFTER;
  }

  /** Milliseconds until it is worth trying again. */
  get pauseMs(): number {
    return Math.max(0, this.notBefore - performance.now());
  }

  /** The text in the frame, or null; null also when reading failed. The frame is given away. */
  async decode(look: Look): Promise<string | null> {
    const decoded = await this.ask(look);
    if ("text" in decoded) {
      this.failures = 0;
      return decoded.text;
    }
    this.worker?.terminate();
    this.worker = null;
    this.failures += 1;
    this.notBefore = performance.now() + backoff(this.failures, 0.5);
    return null;
  }

  private ask(look: Look): Promise<Decoded> {
    return new Promise((resolve) => {
      const hung = setTimeout(() => resolve({ failure: "no answer" }), this.hungAfterMs);
      const settle = (decoded: Decoded) => {
        clearTimeout(hung);
        resolve(decoded);
      };
      try {
        this.warm();
        const { worker } = this;
        if (!worker) return;
        worker.onmessage = ({ data }: MessageEvent<Decoded>) => settle(data);
        worker.onerror = () => settle({ failure: "the worker failed" });
        worker.onmessageerror = () => settle({ failure: "the answer could not be read" });
        worker.postMessage(look, [look.frame]);
      } catch (error) {
        settle({ failure: String(error) });
      }
    });
  }
}
