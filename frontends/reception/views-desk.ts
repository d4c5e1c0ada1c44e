import { type Child, h, type VNode } from "../shared/dom.ts";
import { banner } from "../shared/parts.ts";
import type { Desk } from "./desk.ts";
import { orderList } from "./queue.ts";
import { cameraPanel } from "./views-camera.ts";
import { codeForm } from "./views-code.ts";
import { told } from "./views-parts.ts";
import { leavingDialog, pressStrip } from "./views-presses.ts";

/** Where the next customer is served: scan, type, and see who is expected today. */
export function deskPage(desk: Desk): VNode {
  const { state, words } = desk;
  return h(
    "section",
    { class: "desk" },
    h("h1", { class: "hidden" }, `${words.text("title")} · ${desk.siteName(state.site ?? "")}`),
    h(
      "div",
      { class: "desk-check" },
      sessionEnds(desk),
      desk.app.updating && banner("info", "app.updating", words.text("app.updating")),
      pressStrip(desk),
      told(desk, state.notice),
      cameraPanel(desk),
      codeForm(desk),
    ),
    orderList(desk),
    leavingDialog(desk),
  );
}

function sessionEnds({ state, words }: Desk): Child {
  const n = state.endsIn;
  return n !== null && banner("info", "session.ends", words.text("session.ends", { n }));
}
