import { Kept } from "../shared/storage.ts";
import type { Answer } from "./answer.ts";

/** What an answer sounds and feels like. */
export type Signal = "go" | "done" | "stop" | "wait";

/** One tone: pitch in hertz, start and length in seconds. */
export interface Tone {
  readonly hz: number;
  readonly at: number;
  readonly lasts: number;
  readonly shape: OscillatorType;
}

const LOUDNESS = 0.22;
/** Long enough to take the click off a tone's edges, in seconds. */
const EDGE = 0.012;

/** Told apart by number, direction and pitch, so that a noisy desk needs none of the three alone. */
export const TONES: Readonly<Record<Signal, readonly Tone[]>> = {
  go: [
    { hz: 660, at: 0, lasts: 0.13, shape: "triangle" },
    { hz: 990, at: 0.14, lasts: 0.24, shape: "triangle" },
  ],
  done: [{ hz: 1320, at: 0, lasts: 0.09, shape: "sine" }],
  // A square wave carries overtones that small speakers can play.
  stop: [
    { hz: 196, at: 0, lasts: 0.2, shape: "square" },
    { hz: 165, at: 0.27, lasts: 0.3, shape: "square" },
  ],
  wait: [{ hz: 520, at: 0, lasts: 0.05, shape: "sine" }],
};

/** Milliseconds on, off, on … for `navigator.vibrate`. */
export const BUZZES: Readonly<Record<Signal, readonly number[]>> = {
  go: [70],
  done: [30, 50, 30],
  stop: [220, 90, 220],
  wait: [25],
};

/** The signal of an answer; null for one that is neither heard nor felt. */
export function signalOf(answer: Answer): Signal | null {
  switch (answer) {
    case "checking":
    case "sending":
      return null;
    case "deliverable":
      return "go";
    case "done":
      return "done";
    case "waiting":
    case "not-burned":
    case "expiry-check":
    case "offline":
    case "unsure":
      return "wait";
    default:
      return "stop";
  }
}

const keptMute = new Kept(() => localStorage, "5sov.mute", false);

/** Lets answers be heard and felt. Tones are made on the fly, after the first gesture on the page. */
export class Signals {
  muted = keptMute.get();
  private audio: AudioContext | null = null;

  /** `changed` is called when the sound was switched on or off. */
  constructor(private readonly changed: () => void = () => {}) {
    // Browsers let a page sound only from a gesture on, and phones take that back at times.
    for (const gesture of ["click", "keydown", "touchend"]) {
      document.addEventListener(gesture, () => this.unlock(), {
        capture: true,
        passive: true,
      });
    }
  }

  /** Sound on or off, remembered on the device. Vibration is felt by one person only and stays. */
  toggle(): void {
    this.muted = !this.muted;
    keptMute.set(this.muted);
    if (!this.muted) this.play("done");
    this.changed();
  }

  tell(answer: Answer): void {
    const signal = signalOf(answer);
    if (!signal) return;
    navigator.vibrate?.([...BUZZES[signal]]);
    if (!this.muted) this.play(signal);
  }

  private unlock(): void {
    if (this.muted || !("AudioContext" in window)) return;
    this.audio ??= new AudioContext();
    if (this.audio.state !== "running") void this.audio.resume().catch(() => {});
  }

  private play(signal: Signal): void {
    this.unlock();
    const { audio } = this;
    if (!audio) return;
    for (const { hz, at, lasts, shape } of TONES[signal]) {
      const from = audio.currentTime + at;
      const tone = new OscillatorNode(audio, { type: shape, frequency: hz });
      const volume = new GainNode(audio, { gain: 0 });
      volume.gain.linearRampToValueAtTime(0, from);
      volume.gain.linearRampToValueAtTime(LOUDNESS, from + EDGE);
      volume.gain.setValueAtTime(LOUDNESS, from + lasts - EDGE);
      volume.gain.linearRampToValueAtTime(0, from + lasts);
      tone.connect(volume).connect(audio.destination);
      tone.start(from);
      tone.stop(from + lasts);
    }
  }
}
