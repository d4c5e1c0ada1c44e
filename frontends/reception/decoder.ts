/** The worker that finds QR codes in camera frames; its WebAssembly comes from this site. */
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";

/** A frame to look at; the bitmap is transferred and closed here. */
export type Frame = { readonly frame: ImageBitmap };

/** What was in the frame (the text of the first code, or null), or why decoding is not possible. */
export type Decoded = { readonly text: string | null } | { readonly failure: string };

const worker = self as unknown as {
  onmessage: (event: MessageEvent<Frame>) => void;
  postMessage(message: Decoded): void;
};

prepareZXingModule({
  overrides: { locateFile: () => new URL(WASM_URL, self.location.href).href },
  fireImmediately: true,
});

const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { willReadFrequently: true });

worker.onmessage = ({ data }) => {
  decode(data.frame).then(
    (text) => worker.postMessage({ text }),
    (error: unknown) => worker.postMessage({ failure: String(error) }),
  );
};

async function decode(frame: ImageBitmap): Promise<string | null> {
  if (!context) throw new Error("no canvas to read frames with");
  canvas.width = frame.width;
  canvas.height = frame.height;
  context.drawImage(frame, 0, 0);
  frame.close();
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  const [code] = await readBarcodes(image, {
    formats: ["QRCode"],
    tryHarder: true,
    tryInvert: true,
    maxNumberOfSymbols: 1,
  });
  return code?.text ?? null;
}
