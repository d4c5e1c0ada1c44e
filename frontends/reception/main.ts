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
import { Wedge } from "./wedge.ts";

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
  const desk = new Desk(api, session, new Scanner(trusted(DECODER_URL)), words, () => {
    document.title = `${desk.state.brand} · ${words.text("title")}`;
    render(root, page(desk));
  });
  desk.start();
  listenToScanner(desk);
}

/** A USB scanner types wherever the focus is, at the desk and on an answer. */
function listenToScanner(desk: Desk): void {
  const wedge = new Wedge();
  document.addEventListener(
    "keydown",
    (event) => {
      const typing = wedge.typing(event.timeStamp);
      const text = wedge.key(event.key, event.timeStamp);
      const inText = event.target instanceof HTMLInputElement;
      if (text === null && (event.key !== "Enter" || !typing || inText)) return;
      // The Enter of a scanner must never press the button that has the focus.
      event.preventDefault();
      event.stopPropagation();
      if (text && desk.state.signedIn && desk.state.site) void desk.check(text, "wedge");
    },
    { capture: true },
  );
}
