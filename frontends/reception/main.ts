import { Api } from "../shared/api.ts";
import { showBroken } from "../shared/broken.ts";
import { render } from "../shared/dom.ts";
import { Translator } from "../shared/i18n.ts";
import { loadSettings } from "../shared/settings.ts";
import { trustScripts } from "../shared/trusted.ts";
import { Desk } from "./desk.ts";
import { browserDevice } from "./device.ts";
import { Installation } from "./installation.ts";
import { commandOf } from "./keys.ts";
import { LateScanner } from "./late-scanner.ts";
import { catalogues } from "./messages/index.ts";
import { StaffSession } from "./session.ts";
import { Signals } from "./sound.ts";
import { page } from "./views.ts";
import { keepFocus } from "./views-parts.ts";
import { listenToWedge } from "./wedge.ts";

const SERVICE_WORKER = "service-worker.js";
const root = document.getElementById("app") as HTMLElement;
const trusted = trustScripts([DECODER_URL, SERVICE_WORKER]);

try {
  await run();
} catch {
  showBroken(root);
}

async function run(): Promise<void> {
  const [words, settings] = await Promise.all([Translator.load(catalogues), loadSettings()]);
  const device = browserDevice();
  const session: StaffSession = new StaffSession(
    () => api,
    device,
    (change) => desk.sessionChanged(change),
  );
  const api = new Api(settings.apiUrl, { token: session.token, renew: session.renew });
  const scanner = new LateScanner(
    async (changed) => {
      const { Scanner } = await import("./scanner.ts");
      return new Scanner(trusted(DECODER_URL), changed);
    },
    (camera) => desk.cameraChanged(camera),
  );
  const redraw = () => {
    document.title = `${desk.state.brand} · ${words.text("title")}`;
    render(root, page(desk));
  };
  const signals = new Signals(redraw);
  const app = new Installation(() => desk.isIdle(), redraw);
  const desk: Desk = new Desk({ api, session, scanner, words, signals, device, app, redraw });
  listenToWedge(document, {
    active: () => desk.state.signedIn && desk.state.site !== null,
    scanned: (text) => void desk.check(text, "wedge"),
    unreadable: () => desk.wedgeUnreadable(),
  });
  document.addEventListener("keydown", (event) => {
    // An Enter that is held down presses once, lest it confirm what only appears meanwhile.
    const held = event.repeat && event.key === "Enter";
    if (!event.defaultPrevented && (held || obey(desk, event))) event.preventDefault();
  });
  await desk.start();
  await app.start(trusted(SERVICE_WORKER)).catch(() => {
    // The browser refuses: the console works, online only.
  });
}

/** Does what a key stands for; false where it stands for nothing now. */
function obey(desk: Desk, event: KeyboardEvent): boolean {
  const { signedIn, site, current, camera, leaving } = desk.state;
  const command = commandOf(event);
  // An open dialog closes by itself on Escape.
  if (!command || !signedIn || !site || leaving) return false;
  if (command === "next") {
    if (current) desk.next();
    else if (camera.phase !== "off") {
      desk.stopCamera();
      keepFocus();
    } else return false;
    return true;
  }
  if (current) desk.next();
  if (command === "camera") desk.openCamera();
  else document.getElementById(command)?.focus();
  return true;
}
