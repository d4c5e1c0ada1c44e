import { Api } from "../shared/api.ts";
import { showBroken } from "../shared/broken.ts";
import { render } from "../shared/dom.ts";
import { Translator } from "../shared/i18n.ts";
import { loadSettings } from "../shared/settings.ts";
import { Portal } from "./app.ts";
import { catalogues } from "./messages/index.ts";
import { page } from "./views.ts";
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
  const portal = new Portal(new Api(settings.apiUrl), words, () => {
    document.title = `${portal.state.config?.brand.name ?? "5SOffice"} · ${words.text("title")}`;
    render(root, page(portal));
  });
  portal.start();
  discoverWallets((wallets) => portal.walletsFound(wallets));
  if (settings.demoWallet) {
    const script = new URL("demo-wallet.js", document.baseURI).href;
    const demo = (await import(script)) as DemoWallet;
    demo.announce(settings.demoWallet);
  }
  // The time left to sign is the only thing on the page that moves by itself.
  setInterval(() => {
    if (portal.stage() === "unsigned") portal.redraw();
  }, 1000);
}
