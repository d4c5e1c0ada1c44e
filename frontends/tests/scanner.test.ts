import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Camera, type CameraEnvironment } from "../reception/camera.ts";
import type { Decoded, Look } from "../reception/decoder.ts";
import { type DecoderWorker, Decoding } from "../reception/decoding.ts";
import { LateScanner } from "../reception/late-scanner.ts";
import { lookAt, Scanner, type ScannerState } from "../reception/scanner.ts";

const PAYLOAD = "5SOV://order/ORD_20261121_0123456789ABCDEF";

class FakeTrack {
  enabled = true;
  readyState = "live";
  onended: (() => void) | null = null;
  lit = false;
  constructor(
    readonly deviceId: string,
    readonly torch: boolean,
  ) {}
  stop() {
    this.readyState = "ended";
  }
  getSettings() {
    return { deviceId: this.deviceId };
  }
  getCapabilities() {
    return { torch: this.torch };
  }
  async applyConstraints({ advanced: [light] }: { advanced: [{ torch: boolean }] }) {
    this.lit = light.torch;
  }
}

/** Cameras that can be plugged, taken, refused and unplugged. */
class FakeDevices extends EventTarget {
  cameras = ["back", "front"];
  refusal: DOMException | null = null;
  opened: FakeTrack[] = [];
  async getUserMedia({ video }: { video: { deviceId?: { exact: string } } }) {
    await Promise.resolve();
    if (this.refusal) throw this.refusal;
    const wanted = video.deviceId?.exact ?? this.cameras[0];
    if (wanted === undefined) throw new DOMException("none", "NotFoundError");
    if (!this.cameras.includes(wanted)) throw new DOMException("gone", "OverconstrainedError");
    const track = new FakeTrack(wanted, wanted === "back");
    this.opened.push(track);
    return { getTracks: () => [track], getVideoTracks: () => [track] };
  }
  async enumerateDevices() {
    return this.cameras.map((deviceId) => ({ kind: "videoinput", deviceId, label: deviceId }));
  }
}

/** A worker that answers each look with the next of `answers`, or never. */
class FakeWorker {
  static made: FakeWorker[] = [];
  static answers: (Decoded | "silence")[] = [];
  onmessage: ((event: MessageEvent) => void) | null = null;
  onerror: (() => void) | null = null;
  onmessageerror: (() => void) | null = null;
  terminated = false;
  looks = 0;
  constructor() {
    FakeWorker.made.push(this);
  }
  postMessage() {
    this.looks += 1;
    const answer = FakeWorker.answers.shift() ?? { text: null };
    if (answer !== "silence") {
      queueMicrotask(() => this.onmessage?.({ data: answer } as MessageEvent));
    }
  }
  terminate() {
    this.terminated = true;
  }
}

const FRAME = { width: 1280, height: 720 } as ImageBitmap;
const LOOK: Look = { frame: FRAME, left: 0, top: 0, width: 1280, height: 720, scale: 1 };

function decoding(hungAfterMs = 5000): Decoding {
  return new Decoding(() => new FakeWorker() as unknown as DecoderWorker, hungAfterMs);
}

interface Rig {
  devices: FakeDevices;
  environment: CameraEnvironment & { state: PermissionState };
  scanner: Scanner;
  states: ScannerState["phase"][];
  /** Lets the camera deliver one frame, and everything that follows from it happen. */
  frame(): Promise<void>;
  settle(): Promise<void>;
}

function rig(): Rig {
  const devices = new FakeDevices();
  let kept: string | null = null;
  const permission = Object.assign(new EventTarget(), { state: "granted" as PermissionState });
  const environment = {
    devices: devices as unknown as MediaDevices,
    secure: true,
    state: "granted" as PermissionState,
    async permission() {
      permission.state = environment.state;
      return permission as unknown as PermissionStatus;
    },
    kept: {
      get: () => kept,
      set(value: string | null) {
        kept = value;
        return true;
      },
      clear() {
        kept = null;
      },
    },
  };
  const states: ScannerState["phase"][] = [];
  let waiting: (() => void)[] = [];
  const settle = async () => {
    for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
  };
  const scanner: Scanner = new Scanner(
    new URL("https://desk.example/decoder.js"),
    ({ phase }) => {
      if (states.at(-1) !== phase) states.push(phase);
    },
    {
      camera: new Camera(() => void scanner.retry(), environment),
      decoding: decoding(),
      nextFrame: () => new Promise((resolve) => waiting.push(resolve)),
      grab: async () => FRAME,
    },
  );
  return {
    devices,
    environment,
    scanner,
    states,
    settle,
    async frame() {
      const now = waiting;
      waiting = [];
      for (const resolve of now) resolve();
      await settle();
    },
  };
}

function video(): HTMLVideoElement {
  return { srcObject: null, play: async () => undefined } as unknown as HTMLVideoElement;
}

beforeEach(() => {
  const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  Object.assign(globalThis, { document: page });
  FakeWorker.made = [];
  FakeWorker.answers = [];
  mock.timers.reset();
});

async function scan(rig: Rig): Promise<string[]> {
  const found: string[] = [];
  rig.scanner.open();
  await rig.scanner.show(video(), (text) => found.push(text));
  return found;
}

test("one stream serves all scans of a shift, dark between them, given back at the end", async () => {
  const all = rig();
  for (let scans = 0; scans < 3; scans += 1) {
    const payload = `${PAYLOAD.slice(0, -1)}${scans}`;
    FakeWorker.answers = [{ text: null }, { text: payload }];
    const found = await scan(all);
    await all.frame();
    assert.deepEqual(found, []);
    await all.frame();
    assert.deepEqual(found, [payload]);
    all.scanner.close();
    assert.equal(all.devices.opened[0]?.enabled, false);
  }
  assert.equal(all.devices.opened.length, 1);
  assert.equal(FakeWorker.made.length, 1);
  all.scanner.release();
  assert.equal(all.devices.opened[0]?.readyState, "ended");
  assert.deepEqual(all.states.slice(0, 4), ["starting", "on", "off", "starting"]);
});

test("a code that stays in view after its scan is not read again until it was away", async () => {
  const all = rig();
  let clock = 1000;
  const now = mock.method(performance, "now", () => clock);
  const see = async (text: string | null, afterMs: number) => {
    clock += afterMs;
    FakeWorker.answers = [{ text }];
    await all.frame();
  };
  const first = await scan(all);
  await see(PAYLOAD, 0);
  assert.deepEqual(first, [PAYLOAD]);
  all.scanner.close();
  clock += 4000;
  const next = await scan(all);
  for (let looks = 0; looks < 6; looks += 1) await see(PAYLOAD, 300);
  assert.deepEqual(next, []);
  await see(null, 500);
  await see(PAYLOAD, 500);
  assert.deepEqual(next, [PAYLOAD]);
  all.scanner.close();
  const insisted = await scan(all);
  for (let looks = 0; looks < 18; looks += 1) await see(PAYLOAD, 300);
  assert.deepEqual(insisted, [PAYLOAD]);
  now.mock.restore();
});

test("a code is told once, and nothing after the scan was closed", async () => {
  const all = rig();
  FakeWorker.answers = [{ text: PAYLOAD }, { text: PAYLOAD }];
  const found = await scan(all);
  await all.frame();
  await all.frame();
  assert.deepEqual(found, [PAYLOAD]);
  FakeWorker.answers = [{ text: PAYLOAD }];
  const later = await scan(all);
  all.scanner.close();
  await all.frame();
  assert.deepEqual(later, []);
});

test("one frame is read at a time", async () => {
  const all = rig();
  FakeWorker.answers = ["silence"];
  await scan(all);
  await all.frame();
  await all.frame();
  await all.frame();
  assert.equal(FakeWorker.made[0]?.looks, 1);
});

test("a stranger's code is told only when it stays, ours beside it at once", async () => {
  const all = rig();
  const now = mock.method(performance, "now", () => clock);
  let clock = 1000;
  FakeWorker.answers = [{ text: "https://x" }, { text: "https://x" }, { text: "https://x" }];
  const found = await scan(all);
  await all.frame();
  clock += 200;
  await all.frame();
  assert.deepEqual(found, []);
  clock += 250;
  await all.frame();
  assert.deepEqual(found, ["https://x"]);
  FakeWorker.answers = [{ text: "https://x" }, { text: PAYLOAD }];
  const ours = await scan(all);
  await all.frame();
  await all.frame();
  assert.deepEqual(ours, [PAYLOAD]);
  now.mock.restore();
});

test("every trouble has its own name, and trying again is enough once it is gone", async () => {
  const troubles: [DOMException, PermissionState, ScannerState["phase"]][] = [
    [new DOMException("Permission denied", "NotAllowedError"), "denied", "denied"],
    [new DOMException("Permission dismissed", "NotAllowedError"), "prompt", "dismissed"],
    [new DOMException("Permission denied by system", "NotAllowedError"), "granted", "system"],
    [new DOMException("policy", "SecurityError"), "denied", "denied"],
    [new DOMException("none", "NotFoundError"), "granted", "missing"],
    [new DOMException("in use", "NotReadableError"), "granted", "busy"],
    [new DOMException("odd", "OperationError"), "granted", "failed"],
  ];
  for (const [refusal, permission, phase] of troubles) {
    const all = rig();
    all.devices.refusal = refusal;
    all.environment.state = permission;
    await scan(all);
    assert.equal(all.scanner.state.phase, phase);
    all.devices.refusal = null;
    await all.scanner.retry();
    assert.equal(all.scanner.state.phase, "on");
  }
});

test("a page without camera access says whether the page or the browser is the cause", async () => {
  for (const [secure, trouble] of [
    [true, "unsupported"],
    [false, "insecure"],
  ] as const) {
    const { environment } = rig();
    const camera = new Camera(() => undefined, { ...environment, devices: undefined, secure });
    const error = await camera.open().catch((failure: unknown) => failure);
    assert.equal(await camera.trouble(error), trouble);
    assert.deepEqual(await camera.choices(), []);
  }
});

test("an unplugged camera is replaced by the one that is left, and taken up when plugged in", async () => {
  const all = rig();
  await scan(all);
  assert.equal(all.scanner.state.deviceId, "back");
  all.devices.cameras = ["front"];
  all.devices.opened[0]?.onended?.();
  await all.settle();
  assert.equal(all.scanner.state.deviceId, "front");
  all.devices.cameras = [];
  all.devices.opened[1]?.onended?.();
  await all.settle();
  assert.equal(all.scanner.state.phase, "missing");
  all.devices.cameras = ["back"];
  all.devices.dispatchEvent(new Event("devicechange"));
  await all.settle();
  assert.equal(all.scanner.state.phase, "on");
});

test("the chosen camera is used from then on, and another when it is not there", async () => {
  const all = rig();
  await scan(all);
  assert.equal(all.scanner.state.torch, false);
  await all.scanner.choose("front");
  assert.equal(all.scanner.state.deviceId, "front");
  assert.equal(all.scanner.state.torch, null);
  assert.equal(all.devices.opened[0]?.readyState, "ended");
  all.scanner.release();
  await scan(all);
  assert.equal(all.scanner.state.deviceId, "front");
  all.scanner.release();
  all.devices.cameras = ["back"];
  await scan(all);
  assert.equal(all.scanner.state.deviceId, "back");
});

test("the light goes out with the scan", async () => {
  const all = rig();
  await scan(all);
  await all.scanner.switchTorch();
  assert.equal(all.scanner.state.torch, true);
  assert.equal(all.devices.opened[0]?.lit, true);
  all.scanner.close();
  await all.settle();
  assert.equal(all.devices.opened[0]?.lit, false);
});

test("a camera that comes after the scan was closed stays dark, and is there for the next", async () => {
  const all = rig();
  all.scanner.open();
  const shown = all.scanner.show(video(), () => undefined);
  all.scanner.close();
  await shown;
  assert.equal(all.devices.opened[0]?.enabled, false);
  await scan(all);
  assert.equal(all.devices.opened.length, 1);
  assert.equal(all.devices.opened[0]?.enabled, true);
});

test("a camera that comes after the shift ended is given back", async () => {
  const all = rig();
  all.scanner.open();
  const shown = all.scanner.show(video(), () => undefined);
  all.scanner.release();
  await shown;
  await all.settle();
  assert.equal(all.devices.opened[0]?.readyState, "ended");
  assert.equal(all.scanner.state.phase, "off");
});

test("a page that is hidden for long gives the camera back and takes it again", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const all = rig();
  await scan(all);
  Object.assign(document, { visibilityState: "hidden" });
  document.dispatchEvent(new Event("visibilitychange"));
  mock.timers.tick(59_000);
  assert.equal(all.devices.opened[0]?.readyState, "live");
  mock.timers.tick(2000);
  assert.equal(all.devices.opened[0]?.readyState, "ended");
  Object.assign(document, { visibilityState: "visible" });
  document.dispatchEvent(new Event("visibilitychange"));
  await all.settle();
  assert.equal(all.devices.opened.length, 2);
  assert.equal(all.scanner.state.phase, "on");
  mock.timers.reset();
});

test("a decoder that fails is replaced, later each time, and said to be broken", async () => {
  const reader = decoding();
  for (let failures = 1; failures <= 3; failures += 1) {
    FakeWorker.answers = [{ failure: "no WebAssembly" }];
    assert.equal(reader.broken, false);
    const before = reader.pauseMs;
    assert.equal(await reader.decode(LOOK), null);
    assert(reader.pauseMs > before);
  }
  assert(reader.broken);
  FakeWorker.answers = [{ text: PAYLOAD }];
  assert.equal(await reader.decode(LOOK), PAYLOAD);
  assert.equal(reader.broken, false);
  assert.equal(FakeWorker.made.length, 4);
  assert(FakeWorker.made.slice(0, 3).every(({ terminated }) => terminated));
});

test("a decoder that hangs or cannot be made has failed", async () => {
  FakeWorker.answers = ["silence"];
  const reader = decoding(5);
  assert.equal(await reader.decode(LOOK), null);
  assert(FakeWorker.made[0]?.terminated);
  const none = new Decoding(() => {
    throw new Error("no workers here");
  });
  for (let failures = 0; failures < 3; failures += 1) await none.decode(LOOK);
  assert(none.broken);
});

test("frames are looked at whole and coarser in turn, large ones in their middle too", () => {
  const looks = (width: number, height: number) =>
    [0, 1, 2, 3].map((count) => {
      const { frame: _, ...look } = lookAt({ width, height } as ImageBitmap, count);
      return look;
    });
  const [fine, coarse, again] = looks(1280, 720);
  assert.deepEqual(fine, { left: 0, top: 0, width: 1280, height: 720, scale: 1 });
  assert.deepEqual(coarse, { ...fine, scale: 800 / 1280 });
  assert.deepEqual(again, fine);
  const [large, , middle, next] = looks(1080, 1920);
  assert.deepEqual(large, { left: 0, top: 0, width: 1080, height: 1920, scale: 1280 / 1920 });
  assert.deepEqual(middle, { left: 108, top: 528, width: 864, height: 864, scale: 1 });
  assert.deepEqual(next, large);
});

/** A scanner that comes when told to, or not; what it is asked is noted. */
function late() {
  const phases: string[] = [];
  const asked: string[] = [];
  let loads = 0;
  const arrivals: { come: () => void; fail: () => void }[] = [];
  const note = (name: string) => async (): Promise<void> => {
    asked.push(name);
  };
  const scanner = {
    warm: note("warm"),
    open: note("open"),
    show: note("show"),
    close: note("close"),
    release: note("release"),
  } as unknown as Scanner;
  const made = new LateScanner(
    () => {
      loads += 1;
      return new Promise((come, fail) => {
        arrivals.push({ come: () => come(scanner), fail: () => fail(new TypeError("offline")) });
      });
    },
    ({ phase }) => phases.push(phase),
  );
  return { scanner: made, phases, asked, arrivals, loads: () => loads };
}

const VIDEO = {} as HTMLVideoElement;

test("a scan that is wanted before the scanner is there starts once it is", async () => {
  const { scanner, phases, asked, arrivals, loads } = late();
  scanner.warm();
  scanner.open();
  const shown = scanner.show(VIDEO, () => {});
  assert.equal(phases.at(-1), "starting");
  arrivals[0]?.come();
  await shown;
  assert.deepEqual(asked, ["warm", "show"]);
  assert.equal(loads(), 1);
  scanner.close();
  scanner.open();
  assert.deepEqual(asked.slice(2), ["close", "open"]);
});

test("a scan that was closed before the scanner is there opens no camera", async () => {
  const { scanner, phases, asked, arrivals } = late();
  scanner.open();
  const shown = scanner.show(VIDEO, () => {});
  scanner.release();
  assert.equal(phases.at(-1), "off");
  arrivals[0]?.come();
  await shown;
  assert.deepEqual(asked, ["warm"]);
});

test("a scanner that does not come is told, and comes when tried again", async () => {
  const { scanner, phases, asked, arrivals } = late();
  scanner.open();
  const shown = scanner.show(VIDEO, () => {});
  arrivals[0]?.fail();
  await shown;
  assert.equal(phases.at(-1), "decoder");
  const again = scanner.retry();
  assert.equal(phases.at(-1), "starting");
  arrivals[1]?.come();
  await again;
  assert.deepEqual(asked, ["warm", "show"]);
});
