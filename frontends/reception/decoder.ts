/** The worker that finds QR codes in camera frames; its WebAssembly comes from this site. */
import { prepareZXingModule, type ReaderOptions, readBarcodes } from "zxing-wasm/reader";
import { payloadIn } from "../shared/order-code.ts";

/** A frame and where to look in it; the frame is transferred and closed here. */
export interface Look {
  readonly frame: ImageBitmap | VideoFrame;
  /** The part to read, in pixels of the frame. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Pixels read for one pixel of the frame; at most 1. */
  readonly scale: number;
}

/** What was in the frame (our code before any other, or null), or why it could not be read. */
export type Decoded = { readonly text: string | null } | { readonly failure: string };

const worker = self as unknown as {
  onmessage: (event: MessageEvent<Look>) => void;
  postMessage(message: Decoded): void;
};

/** As measured by `make bench-scan`: denoising and rotating found nothing more. */
const OPTIONS: ReaderOptions = {
  formats: ["QRCode"],
  tryHarder: true,
  tryInvert: true,
  tryRotate: false,
  tryDownscale: true,
  downscaleFactor: 2,
  maxNumberOfSymbols: 4,
};

prepareZXingModule({
  overrides: { locateFile: () => new URL(WASM_URL, self.location.href).href },
  fireImmediately: true,
});

const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });

worker.onmessage = ({ data }) => {
  read(data).then(
    (text) => worker.postMessage({ text }),
    (error: unknown) => worker.postMessage({ failure: String(error) }),
  );
};

// The first reading compiles what the others use.
readBarcodes(new ImageData(640, 640), OPTIONS).catch(() => {
  // The first frame meets the same failure and tells it.
});

async function read({ frame, left, top, width, height, scale }: Look): Promise<string | null> {
  if (!context) throw new Error("no canvas to read frames with");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  context.drawImage(frame, left, top, width, height, 0, 0, canvas.width, canvas.height);
  frame.close();
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  const texts = (await readBarcodes(image, OPTIONS)).map(({ text }) => text);
  return texts.find((text) => payloadIn(text) !== null) ?? texts[0] ?? null;
}
