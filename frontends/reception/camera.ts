import { Kept } from "../shared/storage.ts";

/** Why there is no picture; each has its own words and its own way out. */
export type CameraTrouble =
  /** The page may not use the camera. */
  | "denied"
  /** The browser's question was closed without an answer. */
  | "dismissed"
  /** The device's own privacy settings keep the browser from it. */
  | "system"
  | "missing"
  /** Another program holds it. */
  | "busy"
  /** The page did not come over https. */
  | "insecure"
  | "unsupported"
  | "failed";

/** A camera to choose. */
export interface CameraChoice {
  readonly deviceId: string;
  readonly label: string;
}

/** What the browser gives; tests bring their own. */
export interface CameraEnvironment {
  readonly devices: MediaDevices | undefined;
  readonly secure: boolean;
  /** Whether the page may use the camera, or null where the browser does not tell. */
  permission(): Promise<PermissionStatus | null>;
  readonly kept: Pick<Kept<string | null>, "get" | "set" | "clear">;
}

function browser(): CameraEnvironment {
  return {
    devices: navigator.mediaDevices,
    secure: globalThis.isSecureContext,
    async permission() {
      try {
        return await navigator.permissions.query({ name: "camera" as PermissionName });
      } catch {
        return null;
      }
    },
    kept: new Kept<string | null>(() => localStorage, "5sov.camera", null),
  };
}

/** Larger frames are cut and scaled before they are read; small codes want the detail. */
const PICTURE: MediaTrackConstraints = {
  width: { ideal: 1920 },
  height: { ideal: 1080 },
  frameRate: { ideal: 30 },
};

type Lamp = MediaTrackCapabilities & { torch?: boolean; focusMode?: string[] };

/** The one camera stream of a shift: opened once, dark between scans, given back on `release`. */
export class Camera {
  private stream: MediaStream | null = null;
  private opening: Promise<MediaStream> | null = null;
  /** Counts releases, so that a stream which comes after one is not kept. */
  private releases = 0;

  constructor(
    /** Told when the running camera is gone: unplugged, or taken away by the system. */
    private readonly lost: () => void,
    private readonly environment: CameraEnvironment = browser(),
  ) {}

  /**
   * The running stream, opened if need be, its picture on.
   *
   * Raises what getUserMedia raises; `trouble` says what that means.
   */
  async open(): Promise<MediaStream> {
    if (this.stream) {
      this.light(this.stream, true);
      return this.stream;
    }
    this.opening ??= this.acquire();
    const { opening } = this;
    try {
      return await opening;
    } finally {
      if (this.opening === opening) this.opening = null;
    }
  }

  /** No picture until the next `open`, which then has it at once. */
  pause(): void {
    if (this.stream) this.light(this.stream, false);
  }

  /** Gives the camera back. */
  release(): void {
    this.releases += 1;
    this.opening = null;
    const { stream } = this;
    this.stream = null;
    for (const track of stream?.getTracks() ?? []) track.stop();
  }

  /** Uses this camera from the next `open` on, now and on later days. */
  choose(deviceId: string): void {
    this.environment.kept.set(deviceId);
    this.release();
  }

  /** The cameras there are; without their names until one of them was opened. */
  async choices(): Promise<readonly CameraChoice[]> {
    const devices = (await this.environment.devices?.enumerateDevices()) ?? [];
    return devices
      .filter(({ kind, deviceId }) => kind === "videoinput" && deviceId !== "")
      .map(({ deviceId, label }) => ({ deviceId, label }));
  }

  get deviceId(): string | null {
    return this.track?.getSettings().deviceId ?? null;
  }

  /** Whether the running camera has a light. */
  get hasTorch(): boolean {
    return Boolean(this.abilities.torch);
  }

  async torch(on: boolean): Promise<void> {
    const light = { advanced: [{ torch: on } as MediaTrackConstraintSet] };
    await this.track?.applyConstraints(light);
  }

  /** What an error of `open` means. */
  async trouble(error: unknown): Promise<CameraTrouble> {
    if (!this.environment.devices) return this.environment.secure ? "unsupported" : "insecure";
    const { name, message } = error as DOMException;
    switch (name) {
      case "NotAllowedError":
        if (/system/i.test(message)) return "system";
        return (await this.environment.permission())?.state === "prompt" ? "dismissed" : "denied";
      case "SecurityError":
        return "denied";
      case "NotFoundError":
      case "OverconstrainedError":
        return "missing";
      case "NotReadableError":
      case "AbortError":
        return "busy";
      default:
        return "failed";
    }
  }

  /** Calls `changed` when cameras come or go, and when the page is allowed to use them. */
  watch(changed: () => void): void {
    this.environment.devices?.addEventListener?.("devicechange", changed);
    void this.environment.permission().then((status) => {
      status?.addEventListener("change", () => {
        if (status.state === "granted") changed();
      });
    });
  }

  private get track(): MediaStreamTrack | undefined {
    return this.stream?.getVideoTracks()[0];
  }

  private get abilities(): Lamp {
    return this.track?.getCapabilities?.() ?? {};
  }

  private light(stream: MediaStream, on: boolean): void {
    for (const track of stream.getVideoTracks()) track.enabled = on;
  }

  private async acquire(): Promise<MediaStream> {
    const { releases } = this;
    const stream = await this.ask();
    if (releases !== this.releases) {
      for (const track of stream.getTracks()) track.stop();
      throw new DOMException("the camera was released", "AbortError");
    }
    this.stream = stream;
    const { track } = this;
    if (track) {
      track.onended = () => {
        this.release();
        this.lost();
      };
    }
    if (this.abilities.focusMode?.includes("continuous")) {
      const focus = { advanced: [{ focusMode: "continuous" } as MediaTrackConstraintSet] };
      await track?.applyConstraints(focus).catch(() => {
        // A camera that takes back what it offered still gives a picture.
      });
    }
    return stream;
  }

  /** The camera chosen before if it is there, else the one that looks away from the screen. */
  private async ask(): Promise<MediaStream> {
    const { devices, kept } = this.environment;
    if (!devices) throw new DOMException("no camera access", "NotSupportedError");
    const chosen = kept.get();
    if (chosen !== null) {
      try {
        const video = { ...PICTURE, deviceId: { exact: chosen } };
        return await devices.getUserMedia({ audio: false, video });
      } catch (error) {
        const { name } = error as DOMException;
        if (name !== "OverconstrainedError" && name !== "NotFoundError") throw error;
      }
    }
    const video = { ...PICTURE, facingMode: "environment" };
    return devices.getUserMedia({ audio: false, video });
  }
}
