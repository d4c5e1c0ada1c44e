import type { Decoded, Frame } from "./decoder.ts";

/** Why a camera cannot be used. */
export type CameraTrouble = "denied" | "missing" | "failed";

const LONGEST_SIDE = 1280;

/** The camera and the decoder behind it. Made once; started and stopped as the desk needs it. */
export class Scanner {
  private worker: Worker | null = null;
  private stream: MediaStream | null = null;
  private generation = 0;

  constructor(private readonly workerUrl: URL) {}

  /** Loads the decoder ahead of its first use. */
  warm(): void {
    this.worker ??= new Worker(this.workerUrl, { type: "module" });
  }

  /**
   * Shows the camera in `video` and calls `found` with the text of each code seen, until stopped.
   *
   * Answers null once frames flow, or why they cannot.
   */
  async start(
    video: HTMLVideoElement,
    found: (text: string) => void,
  ): Promise<CameraTrouble | null> {
    this.stop();
    const mine = this.generation;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } },
      });
      if (mine !== this.generation) {
        for (const track of stream.getTracks()) track.stop();
        return null;
      }
      this.stream = stream;
      this.warm();
      video.srcObject = stream;
      await video.play();
    } catch (error) {
      const { name } = error as DOMException;
      if (name === "NotAllowedError") return "denied";
      return name === "NotFoundError" ? "missing" : "failed";
    }
    void this.look(video, found, mine);
    return null;
  }

  stop(): void {
    this.generation += 1;
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
  }

  /** Whether the running camera has a light. */
  hasTorch(): boolean {
    const track = this.stream?.getVideoTracks()[0];
    return Boolean((track?.getCapabilities?.() as { torch?: boolean } | undefined)?.torch);
  }

  async torch(on: boolean): Promise<void> {
    const light = { advanced: [{ torch: on } as MediaTrackConstraintSet] };
    await this.stream?.getVideoTracks()[0]?.applyConstraints(light);
  }

  private async look(
    video: HTMLVideoElement,
    found: (text: string) => void,
    mine: number,
  ): Promise<void> {
    while (mine === this.generation) {
      const text = video.videoWidth > 0 ? await this.decode(video) : null;
      if (mine !== this.generation) return;
      if (text) found(text);
      await new Promise(requestAnimationFrame);
    }
  }

  private async decode(video: HTMLVideoElement): Promise<string | null> {
    const { worker } = this;
    if (!worker) return null;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight));
    const frame = await createImageBitmap(video, {
      resizeWidth: Math.round(video.videoWidth * scale),
      resizeHeight: Math.round(video.videoHeight * scale),
    });
    const answer = new Promise<Decoded>((resolve) => {
      worker.onmessage = ({ data }: MessageEvent<Decoded>) => resolve(data);
      worker.onerror = () => resolve({ failure: "the decoder could not be loaded" });
    });
    worker.postMessage({ frame } satisfies Frame, [frame]);
    const decoded = await answer;
    return "text" in decoded ? decoded.text : null;
  }
}
