import { payloadIn } from "../shared/order-code.ts";
import { Camera, type CameraChoice, type CameraTrouble } from "./camera.ts";
import type { Look } from "./decoder.ts";
import { Decoding } from "./decoding.ts";
import { OFF } from "./late-scanner.ts";

/** What the camera page is drawn from. */
export interface ScannerState {
  /** `decoder`: there is a picture, and nothing to read codes with. */
  readonly phase: "off" | "starting" | "on" | "decoder" | CameraTrouble;
  /** Whether the light is on; null for a camera without one. */
  readonly torch: boolean | null;
  readonly cameras: readonly CameraChoice[];
  /** The camera that runs. */
  readonly deviceId: string | null;
}

/** What the scanner stands on; tests bring their own. */
export interface ScannerParts {
  readonly camera: Camera;
  readonly decoding: Decoding;
  /** Resolves when the video shows a frame that was not seen before. */
  nextFrame(video: HTMLVideoElement): Promise<void>;
  /** The frame on show, to be given away. */
  grab(video: HTMLVideoElement): Promise<Look["frame"]>;
}

/** A page out of sight for so long gives its camera back. */
const HIDDEN_MS = 60_000;

/** How long a code that is not ours must stay in view, lest it keep ours beside it from being read. */
const STRANGER_MS = 400;

/** A code just read is read again only once it was away, or if it is held for so long. */
const AWAY_MS = 800;
const INSISTENT_MS = 5000;

/**
 * Reads codes from the camera.
 *
 * The stream is opened by the first scan and kept for those that follow; `release` gives it back.
 */
export class Scanner {
  state: ScannerState = OFF;
  private readonly parts: ScannerParts;
  private view: { video: HTMLVideoElement; found: (text: string) => void } | null = null;
  /** Counts what was begun, so that what ends late changes nothing. */
  private turn = 0;
  /** The last code told. */
  private told = "";

  constructor(
    workerUrl: URL,
    private readonly changed: (state: ScannerState) => void,
    parts?: ScannerParts,
  ) {
    this.parts = parts ?? {
      camera: new Camera(() => this.retry()),
      decoding: new Decoding(() => new Worker(workerUrl, { type: "module" })),
      nextFrame,
      grab,
    };
    this.parts.camera.watch(() => void this.devicesChanged());
    let hidden: ReturnType<typeof setTimeout> | undefined;
    document.addEventListener("visibilitychange", () => {
      clearTimeout(hidden);
      if (document.visibilityState === "hidden") {
        hidden = setTimeout(() => this.parts.camera.release(), HIDDEN_MS);
      } else if (this.view) void this.retry();
    });
  }

  /** Loads the decoder ahead of its first use. */
  warm(): void {
    this.parts.decoding.warm();
  }

  /** Says that a scan is wanted; the picture follows with `show`. */
  open(): void {
    this.warm();
    this.set({ phase: "starting" });
  }

  /**
   * Shows the camera in `video`; calls `found` with the text of the first code seen, and is done.
   *
   * Never rejects: what goes wrong is in the state, and may be retried.
   */
  async show(video: HTMLVideoElement, found: (text: string) => void): Promise<void> {
    this.view = { video, found };
    await this.retry();
  }

  /** Tries again, with whatever camera there is now. */
  async retry(): Promise<void> {
    const { view } = this;
    if (!view) return;
    this.turn += 1;
    const mine = this.turn;
    const { camera } = this.parts;
    if (this.state.phase !== "on") this.set({ phase: "starting" });
    try {
      const stream = await camera.open();
      // Closed while the browser asked: the picture stays dark until it is wanted.
      if (!this.view) camera.pause();
      if (mine !== this.turn) return;
      if (view.video.srcObject !== stream) view.video.srcObject = stream;
      await view.video.play();
      const cameras = await camera.choices();
      if (mine !== this.turn) return;
      const torch = camera.hasTorch ? false : null;
      this.set({ phase: "on", torch, cameras, deviceId: camera.deviceId });
    } catch (error) {
      const phase = await camera.trouble(error);
      if (mine === this.turn) this.set({ phase, torch: null });
      return;
    }
    void this.look(view.video, mine);
  }

  /** The scan is over; the stream stays for the next. */
  close(): void {
    this.turn += 1;
    if (this.state.torch) void this.parts.camera.torch(false).catch(() => undefined);
    if (this.view) this.view.video.srcObject = null;
    this.view = null;
    this.parts.camera.pause();
    this.set({ phase: "off", torch: null });
  }

  /** The shift is over: the camera goes dark. */
  release(): void {
    this.close();
    this.told = "";
    this.parts.camera.release();
  }

  /** Goes on with this camera, now and on later days. */
  async choose(deviceId: string): Promise<void> {
    this.parts.camera.choose(deviceId);
    this.set({ phase: "starting" });
    await this.retry();
  }

  async switchTorch(): Promise<void> {
    const on = !this.state.torch;
    await this.parts.camera.torch(on).then(
      () => this.set({ torch: on }),
      () => this.set({ torch: null }),
    );
  }

  private async devicesChanged(): Promise<void> {
    if (this.state.phase === "on") this.set({ cameras: await this.parts.camera.choices() });
    else await this.retry();
  }

  /** Reads frame after frame, one at a time, until a code is found or another turn begins. */
  private async look(video: HTMLVideoElement, mine: number): Promise<void> {
    const { decoding, nextFrame, grab } = this.parts;
    let stranger = { text: "", since: 0 };
    const began = performance.now();
    let toldSeen = began;
    for (let count = 0; ; count += 1) {
      await nextFrame(video);
      if (mine !== this.turn) return;
      const frame = await grab(video).catch(() => null);
      // The camera may go between the frame and its copy; the next frame, or its end, will tell.
      if (frame === null) continue;
      const text = await decoding.decode(lookAt(frame, count));
      if (mine !== this.turn) return;
      this.set({ phase: decoding.broken ? "decoder" : "on" });
      if (decoding.pauseMs > 0) await new Promise((go) => setTimeout(go, decoding.pauseMs));
      if (!text?.trim()) continue;
      const now = performance.now();
      // The customer before still stands there with the phone.
      if (text === this.told && now - toldSeen < AWAY_MS && now - began < INSISTENT_MS) {
        toldSeen = now;
        continue;
      }
      if (text !== stranger.text) stranger = { text, since: now };
      if (payloadIn(text) === null && now - stranger.since < STRANGER_MS) continue;
      this.turn += 1;
      this.told = text;
      this.view?.found(text);
      return;
    }
  }

  private set(change: Partial<ScannerState>): void {
    const next = { ...this.state, ...change };
    const names = Object.keys(next) as (keyof ScannerState)[];
    if (names.every((name) => next[name] === this.state[name])) return;
    this.state = next;
    this.changed(next);
  }
}

/** Longest side of what is read of a whole frame: fine for small codes, coarse for noise and blur. */
const FINE = 1280;
const COARSE = 800;
/** The middle part that is read without scaling where a frame is finer than `FINE`. */
const MIDDLE = 0.8;

/** How to look at the `count`-th frame: in turn the whole, the whole coarser, the middle finer. */
export function lookAt(frame: Look["frame"], count: number): Look {
  const [width, height] =
    "displayWidth" in frame
      ? [frame.displayWidth, frame.displayHeight]
      : [frame.width, frame.height];
  const longest = Math.max(width, height);
  const ways = longest > FINE ? 3 : 2;
  if (count % ways === 2) {
    const side = Math.round(Math.min(width, height) * MIDDLE);
    const [left, top] = [Math.round((width - side) / 2), Math.round((height - side) / 2)];
    return { frame, left, top, width: side, height: side, scale: 1 };
  }
  const scale = Math.min(1, (count % ways === 0 ? FINE : COARSE) / longest);
  return { frame, left: 0, top: 0, width, height, scale };
}

function nextFrame(video: HTMLVideoElement): Promise<void> {
  return new Promise((resolve) => {
    if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(() => resolve());
    else requestAnimationFrame(() => resolve());
  });
}

/** A frame without a copy where the browser can. */
async function grab(video: HTMLVideoElement): Promise<Look["frame"]> {
  if ("VideoFrame" in globalThis) {
    try {
      return new VideoFrame(video);
    } catch {
      // Some browsers have the class and not this use of it.
    }
  }
  return createImageBitmap(video);
}
