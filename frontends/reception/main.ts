import { Api } from "../shared/api.ts";
import { render } from "../shared/dom.ts";
import { Translator } from "../shared/i18n.ts";
import { loadSettings } from "../shared/settings.ts";
import { trustScripts } from "../shared/trusted.ts";
import { Desk } from "./desk.ts";
import { messages } from "./messages.ts";
import { Scanner } from "./scanner.ts";
import { StaffSession } from "./session.ts";
import { brokenPage, page } from "./views.ts";
import { Wedge } from "./wedge.ts";

const DECODER = "decoder.js";

const root = document.getElementById("app") as HTMLElement;
const words = new Translator(messages);
const trusted = trustScripts([DECODER]);
document.title = words.text("title");

try {
  await run();
} catch {
  render(root, brokenPage(words));
}

async function run(): Promise<void> {
  const settings = await loadSettings();
  const session: StaffSession = new StaffSession(
    () => api,
    () => desk.sessionEnded(),
  );
  const api = new Api(settings.apiUrl, { token: session.token, renew: session.renew });
  const desk = new Desk(api, session, new Scanner(trusted(DECODER)), words, () => {
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
