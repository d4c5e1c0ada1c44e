import { Api } from "../shared/api.ts";
import { showBroken } from "../shared/broken.ts";
import { render } from "../shared/dom.ts";
import { Translator } from "../shared/i18n.ts";
import { loadSettings } from "../shared/settings.ts";
import { Portal } from "./app.ts";
import { KeepAwake } from "./awake.ts";
import { FocusKeeper } from "./focus.ts";
import { catalogues } from "./messages/index.ts";
import { ticks } from "./pages/order.ts";
import { page, title } from "./pages/page.ts";
import { screenOf } from "./screen.ts";
import { discoverWallets } from "./wallet.ts";

/** The demo wallet is a bundle of its own, which only the local demo builds and serves. */
interface DemoWallet {
  announce(settings: unknown): void;
}

const root = document.getElementById("app") as HTMLElement;
try {
  await run();
} catch {
  showBroken(root);
}

async function run(): Promise<void> {
  const [words, settings] = await Promise.all([Translator.load(catalogues), loadSettings()]);
  const awake = new KeepAwake();
  const focus = new FocusKeeper(root);
  let drawing = false;
  const draw = () => {
    drawing = false;
    document.title = title(portal);
    focus.around(screenOf(portal.state), () => render(root, page(portal)));
    awake.set(portal.tracker.stage() === "ready");
  };
  // Many changes of one turn are drawn once.
  const portal = new Portal(new Api(settings.apiUrl), words, () => {
    if (!drawing) queueMicrotask(draw);
    drawing = true;
  });
  portal.start();
  if (settings.demoWallet) {
    const script = new URL("demo-wallet.js", document.baseURI).href;
    const demo = (await import(script)) as DemoWallet;
    demo.announce(settings.demoWallet);
  }
  discoverWallets((wallets) => portal.session.found(wallets));
  setInterval(() => {
    if (ticks(portal)) portal.redraw();
  }, 1000);
}
