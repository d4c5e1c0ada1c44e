/**
 * A camera that a benchmark holds codes in front of, and a stop-watch for the answers.
 *
 * Injected into the console before its own scripts, after scan_scenes.js. After `benchCamera.fake()`
 * the page's camera is a canvas, painted 30 times a second; else the browser's own camera serves,
 * and a white corner of its film says that the code is in view.
 */
globalThis.benchCamera = (() => {
  const FRAME_MS = 1000 / 30;
  const CORNER = 24;
  let scene = null;
  let view = null;
  let timing = null;

  function paint() {
    const now = performance.now();
    scene.paint(view && { ...view, ms: view.from + now - view.at });
    if (view && timing && timing.seen === null) timing.seen = now;
  }

  async function open() {
    if (!scene) {
      scene = globalThis.makeScene(1280, 720);
      paint();
      setInterval(paint, FRAME_MS);
    }
    return scene.canvas.captureStream(30);
  }

  /** Notes when the film's corner turns white: then the code is in view. */
  function watchFilm(video) {
    const canvas = new OffscreenCanvas(1, 1);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const look = (now) => {
      context.drawImage(video, 0, 0, CORNER, CORNER, 0, 0, 1, 1);
      const [level] = context.getImageData(0, 0, 1, 1).data;
      if (timing?.blank && timing.seen === null && level > 160) timing.seen = now;
      if (timing && level < 96) timing.blank = true;
      if (video.isConnected) video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  }

  /** Resolves with milliseconds from sight: code read, asked, told by the API, answer painted. */
  function answered() {
    return new Promise((resolve) => {
      const observer = new MutationObserver(async () => {
        const shown = document.querySelector('[data-testid="answer"]');
        if (!shown) return;
        timing.read ??= performance.now();
        if (shown.dataset.state === "checking") return;
        observer.disconnect();
        await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
        const { seen, read } = timing;
        const asked = performance
          .getEntriesByType("resource")
          .filter(({ name, startTime }) => /\/reception\/orders\//.test(name) && startTime >= seen)
          .at(-1);
        const since = (at) => (at === undefined ? null : at - seen);
        resolve({
          state: shown.dataset.state,
          read: since(read),
          asked: since(asked?.startTime),
          told: since(asked?.responseEnd),
          painted: since(performance.now()),
        });
      });
      observer.observe(document, { subtree: true, childList: true, attributes: true });
    });
  }

  return {
    CORNER,
    fake() {
      navigator.mediaDevices.getUserMedia = open;
    },
    /** Holds a code in front of the canvas and waits for the answer; null after `limit` ms. */
    async hold(held, limit) {
      performance.clearResourceTimings();
      timing = { seen: null };
      const answer = answered();
      view = { ...held, from: held.ms, at: performance.now() };
      const late = new Promise((resolve) => setTimeout(resolve, limit, null));
      const told = await Promise.race([answer, late]);
      view = null;
      return told;
    },
    /** Waits until the film shows its code and the answer is there; null after `limit` ms. */
    async film(limit) {
      performance.clearResourceTimings();
      timing = { seen: null, blank: false };
      const answer = answered();
      watchFilm(document.querySelector("video"));
      return Promise.race([answer, new Promise((resolve) => setTimeout(resolve, limit, null))]);
    },
  };
})();
