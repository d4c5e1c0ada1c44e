import { Api } from "../shared/api.ts";
import { showBroken } from "../shared/broken.ts";
import { render } from "../shared/dom.ts";
import { Translator } from "../shared/i18n.ts";
import { loadSettings } from "../shared/settings.ts";
import { trustScripts } from "../shared/trusted.ts";
import { Desk } from "./desk.ts";
import { catalogues } from "./messages/index.ts";
import { Scanner } from "./scanner.ts";
import { StaffSession } from "./session.ts";
import { page } from "./views.ts";
import { listenToWedge } from "./wedge.ts";

const root = document.getElementById("app") as HTMLElement;
const trusted = trustScripts([DECODER_URL]);

try {
  await run();
} catch {
  showBroken(root);
}

async function run(): Promise<void> {
  const [words, settings] = await Promise.all([Translator.load(catalogues), loadSettings()]);
  const session: StaffSession = new StaffSession(
    () => api,
    () => desk.sessionEnded(),
  );
  const api = new Api(settings.apiUrl, { token: session.token, renew: session.renew });
  const scanner = new Scanner(trusted(DECODER_URL), (camera) => desk.cameraChanged(camera));
  const desk: Desk = new Desk(api, session, scanner, words, () => {
    document.title = `${desk.state.brand} · ${words.text("title")}`;
    render(root, page(desk));
  });
  desk.start();
  listenToWedge(document, {
    active: () => desk.state.signedIn && desk.state.site !== null,
    scanned: (text) => void desk.check(text, "wedge"),
    unreadable: () => desk.wedgeUnreadable(),
  });
}
