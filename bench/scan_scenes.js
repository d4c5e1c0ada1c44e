/**
 * What a camera at a reception desk sees, drawn on a canvas: a desk, and a customer's phone with a
 * QR code on it that is held as hands hold it.
 *
 * `makeScene(width, height)` answers `paint(view)`, which draws one frame; `view` is null for the
 * empty desk, or `{modules, kind, seed, ms}`: the code's rows as strings of 0 and 1, how it is
 * seen, which of the random hands holds it, and the milliseconds it has been held.
 */
const CODE = 464;
const EXPOSURE = 1 / 60;

globalThis.makeScene = (width, height) => {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { alpha: false });
  let [phoneName, phoneDrawn] = ["", null];
  const grains = [1, 2, 3, 4].map((seed) => grain(width, height, seed));

  /** How a code is seen; lengths in pixels of a frame 720 high, blur as a standard deviation. */
  const kinds = {
    clean: () => ({}),
    small: (random) => ({ side: 75 + 20 * random() }),
    rotated: (random) => ({ turn: (random() * 2 - 1) * Math.PI, lean: 0.5 }),
    dim: (random) => ({ light: 0.06 + 0.06 * random(), noise: 0.16 }),
    moving: (random) => ({ side: 190, speed: 350 + 250 * random() }),
    defocused: (random) => ({ side: 190, blur: 2 + 0.8 * random() }),
    inverted: () => ({ inverted: true }),
  };

  function paint(view) {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.filter = "none";
    const desk = context.createLinearGradient(0, 0, width, height);
    desk.addColorStop(0, "#b9a68c");
    desk.addColorStop(1, "#7d6a52");
    context.fillStyle = desk;
    context.fillRect(0, 0, width, height);
    context.fillStyle = "#5b6770";
    context.fillRect(0, 0, width, height * 0.22);
    context.fillStyle = "#e8e4da";
    context.fillRect(width * 0.05, height * 0.68, width * 0.2, height * 0.25);
    let look = {};
    if (view) {
      const random = randoms(view.seed);
      look = { side: 260, ...kinds[view.kind](random) };
      hold(view, look, random);
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.filter = "none";
    if (look.light) {
      context.globalCompositeOperation = "multiply";
      const level = Math.round(255 * look.light);
      context.fillStyle = `rgb(${level},${level},${level})`;
      context.fillRect(0, 0, width, height);
      context.globalCompositeOperation = "source-over";
    }
    context.globalAlpha = look.noise ?? 0.06;
    context.drawImage(grains[Math.floor((view?.ms ?? 0) / 40) % grains.length], 0, 0);
    context.globalAlpha = 1;
  }

  /** Draws the phone; a moving one as often as its exposure of 1/60 s smears it. */
  function hold(view, look, random) {
    const scale = height / 720;
    const seconds = view.ms / 1000;
    const [atX, atY, phase] = [random() - 0.5, random() - 0.5, random() * 6];
    const swing = (seconds * (look.speed ?? 0)) / 120 + phase;
    const sway = look.speed ? Math.sin(swing) * 120 : 0;
    const x = width / 2 + scale * (atX * 250 + sway + Math.sin(seconds * 7 + phase) * 3);
    const y = height / 2 + scale * (atY * 100 + Math.cos(seconds * 5 + phase) * 3);
    const smear = look.speed ? Math.abs(Math.cos(swing)) * look.speed * scale * EXPOSURE : 0;
    const copies = Math.max(1, Math.ceil(smear));
    const [turn, lean] = [look.turn ?? (random() - 0.5) * 0.3, look.lean ?? 0.1];
    const shown = phone(view.modules, look.inverted);
    const size = (look.side * scale) / CODE;
    if (look.blur) context.filter = `blur(${look.blur * scale}px)`;
    for (let copy = 0; copy < copies; copy += 1) {
      context.globalAlpha = 1 / (copy + 1);
      context.setTransform(1, 0, 0, 1, x + (copy / copies - 0.5) * smear, y);
      context.rotate(turn);
      context.transform(size, 0, lean * 0.4 * size, (1 - lean * 0.5) * size, 0, 0);
      context.drawImage(shown, -shown.width / 2, -shown.height / 2);
    }
    context.globalAlpha = 1;
  }

  /** The phone with the code in its middle, `CODE` pixels wide; drawn once. */
  function phone(modules, inverted) {
    const name = `${inverted}${modules.join("")}`;
    if (name === phoneName) return phoneDrawn;
    const drawn = Object.assign(document.createElement("canvas"), {
      width: CODE * 1.5,
      height: CODE * 2.5,
    });
    const pen = drawn.getContext("2d");
    const [paper, ink] = inverted ? ["#0b0f0e", "#eef2f1"] : ["#fbfcfb", "#101413"];
    pen.fillStyle = "#1c1f22";
    pen.fillRect(0, 0, drawn.width, drawn.height);
    pen.fillStyle = paper;
    pen.fillRect(CODE * 0.05, CODE * 0.08, CODE * 1.4, CODE * 2.34);
    pen.fillStyle = ink;
    pen.fillRect(CODE * 0.35, CODE * 0.3, CODE * 0.8, CODE * 0.07);
    pen.fillRect(CODE * 0.25, CODE * 2.05, CODE, CODE * 0.06);
    const module = CODE / modules.length;
    for (const [row, line] of modules.entries()) {
      for (const [at, bit] of [...line].entries()) {
        if (bit !== "1") continue;
        const left = Math.round(CODE * 0.25 + at * module);
        const top = Math.round(CODE * 0.75 + row * module);
        pen.fillRect(left, top, Math.ceil(module), Math.ceil(module));
      }
    }
    [phoneName, phoneDrawn] = [name, drawn];
    return drawn;
  }

  return { canvas, context, paint, kinds: Object.keys(kinds) };
};

function grain(width, height, seed) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const random = randoms(seed);
  for (let at = 0; at < image.data.length; at += 4) {
    const level = 255 * random();
    image.data.set([level, level, level, 255], at);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function randoms(seed) {
  let state = (seed * 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
