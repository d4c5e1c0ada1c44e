import { type Child, h, type VNode } from "../shared/dom.ts";
import { icon, spinner } from "../shared/icons.ts";
import type { Desk } from "./desk.ts";
import type { Press } from "./outbox.ts";
import { keepFocus, why } from "./views-parts.ts";

/** The deliveries of this device that nobody knows of yet, and outcomes that nobody read yet. */
export function pressStrip(desk: Desk): Child {
  const { words, state, session } = desk;
  const { presses } = state;
  const waiting = presses.filter(({ outcome }) => !outcome);
  const own = waiting.some(({ username }) => username === session.staff?.username);
  if (presses.length === 0) return null;
  return h(
    "section",
    { class: "presses", "data-testid": "presses", "aria-live": "polite" },
    waiting.length > 0 && [
      h("h2", null, spinner(), words.text("presses.title", { n: waiting.length })),
      own && h("p", { class: "hint" }, words.text("presses.text")),
      absent(desk, waiting),
    ],
    h(
      "ul",
      { class: "rows" },
      presses.map((press) => h("li", { key: press.key }, pressRow(desk, press))),
    ),
    own &&
      h(
        "button",
        {
          type: "button",
          class: "button quiet small",
          "data-testid": "send-now",
          onclick: () => desk.sendNow(),
        },
        icon("refresh"),
        words.text("presses.send"),
      ),
  );
}

/** Whose deliveries wait on this device, told to whoever is about to sign in. */
export function pressesWaiting(desk: Desk): Child {
  const { words, state } = desk;
  const waiting = state.presses.filter(({ outcome }) => !outcome);
  if (waiting.length === 0) return null;
  return h(
    "section",
    { class: "presses", "data-testid": "presses" },
    h("h2", null, icon("send"), words.text("presses.title", { n: waiting.length })),
    absent(desk, waiting),
  );
}

/** Who has to sign in here for those of these deliveries that are not the present person's. */
function absent({ words, session, state }: Desk, waiting: readonly Press[]): Child {
  // The page for signing in is drawn before the session has ended.
  const present = state.signedIn ? session.staff?.username : null;
  const others = waiting.filter(({ username }) => username !== present);
  const names = [...new Set(others.map(({ displayName }) => displayName))].join(", ");
  return names && h("p", { class: "hint" }, words.text("presses.signIn", { names }));
}

/** Asked when somebody signs out while deliveries are not confirmed. */
export function leavingDialog(desk: Desk): Child {
  const { words, state, session } = desk;
  if (!state.leaving) return null;
  const username = session.staff?.username;
  const own = state.presses.filter((one) => !one.outcome && one.username === username);
  return h(
    "dialog",
    {
      class: "sheet",
      key: "leaving",
      "data-testid": "leaving",
      "aria-labelledby": "leaving-title",
      mounted: (dialog: HTMLDialogElement) => dialog.showModal(),
      onclose: () => desk.stay(),
    },
    h(
      "div",
      { class: "sheet-body" },
      h("h2", { id: "leaving-title" }, words.text("leaving.title")),
      h("p", null, words.text("leaving.text", { n: own.length })),
      h(
        "button",
        {
          type: "button",
          class: "button primary",
          "data-testid": "stay",
          // Closed by itself, the dialog gives the focus back.
          onclick: (event: Event) => (event.currentTarget as Element).closest("dialog")?.close(),
        },
        words.text("leaving.stay"),
      ),
      h(
        "button",
        {
          type: "button",
          class: "button quiet",
          "data-testid": "leave",
          onclick: () => desk.signOut(),
        },
        words.text("leaving.leave"),
      ),
    ),
  );
}

function pressRow(desk: Desk, press: Press): VNode {
  const { words } = desk;
  const { outcome, goods, key, orderId } = press;
  return h(
    "div",
    {
      class: `queue-row press ${outcome?.kind ?? "waiting"}`,
      "data-testid": "press",
      "data-outcome": outcome?.kind ?? "none",
    },
    icon(outcome ? (outcome.kind === "ours" ? "done" : "alert") : "send"),
    h(
      "div",
      { class: "grow" },
      h("strong", null, words.goods(goods)),
      // The whole code is the customer's secret; whoever pressed knows it by its end.
      h("span", { class: "hint" }, `…${orderId.slice(-4)} · `, becameOf(desk, press)),
    ),
    outcome &&
      h(
        "button",
        {
          type: "button",
          class: "button quiet small",
          "data-testid": "acknowledge",
          onclick: () => {
            desk.acknowledge(key);
            keepFocus();
          },
        },
        words.text("presses.read"),
      ),
  );
}

function becameOf(desk: Desk, { outcome, pressedAt, displayName }: Press): string {
  const { words } = desk;
  const pressed = words.moment(new Date(pressedAt));
  if (!outcome) return words.text("presses.pressed", { time: pressed, by: displayName });
  if (outcome.kind === "refused") {
    return words.text("presses.refused", { time: pressed, why: why(words, outcome) });
  }
  const { deliveredAt, deliveredByName, deliveredSite } = outcome.delivery;
  return words.text(`presses.${outcome.kind}`, {
    time: words.moment(new Date(deliveredAt)),
    by: deliveredByName,
    site: desk.siteName(deliveredSite),
  });
}
