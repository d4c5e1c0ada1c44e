import { type Child, h, type VNode } from "../shared/dom.ts";
import { icon, spinner } from "../shared/icons.ts";
import { banner, languageSwitch, mark } from "../shared/parts.ts";
import type { Desk } from "./desk.ts";
import { answerPage } from "./views-answer.ts";
import { deskPage } from "./views-desk.ts";
import { passwordPage, signInPage, sitePage } from "./views-enter.ts";
import { place } from "./views-parts.ts";

/** Which page is shown, as `data-screen` says. */
type Screen = "loading" | "down" | "sign-in" | "password" | "site" | "desk";

/** The whole page for the console's present state. */
export function page(desk: Desk): Child {
  const { state } = desk;
  if (state.current && state.signedIn) return answerPage(desk, state.current);
  const screen = screenOf(desk);
  return [
    header(desk),
    h(
      "main",
      { id: "main", key: screen, "data-screen": screen },
      state.ready && state.down && offline(desk),
      PAGES[screen](desk),
    ),
    screen === "desk" && footer(desk),
  ];
}

const PAGES: Readonly<Record<Screen, (desk: Desk) => Child>> = {
  loading: ({ words }) =>
    h(
      "div",
      { class: "narrow center", role: "status" },
      spinner(),
      h("h1", null, words.text("loading")),
    ),
  down: ({ words }) =>
    h(
      "div",
      { class: "narrow center", role: "status", "data-testid": "down" },
      h("div", { class: "badge" }, icon("offline")),
      h("h1", null, words.text("down.title")),
      h("p", { class: "lead" }, words.text("down.text")),
    ),
  "sign-in": signInPage,
  password: passwordPage,
  site: sitePage,
  desk: deskPage,
};

function offline({ words }: Desk): VNode {
  const text = `${words.text("down.title")}. ${words.text("down.text")}`;
  return h("div", { class: "offline" }, banner("warn", "down.title", text));
}

function screenOf(desk: Desk): Screen {
  const { state } = desk;
  if (!state.ready) return state.down ? "down" : "loading";
  if (!state.signedIn) return "sign-in";
  if (desk.session.staff?.mustChangePassword) return "password";
  return state.site ? "desk" : "site";
}

function header(desk: Desk): VNode {
  const { state, words } = desk;
  const { signedIn, site } = state;
  const name = desk.session.staff?.displayName ?? "";
  return h(
    "header",
    { class: "top" },
    h(
      "span",
      { class: "brand" },
      mark(),
      h("span", { class: site && signedIn ? "brand-name wide-only" : "brand-name" }, state.brand),
    ),
    signedIn &&
      site !== null &&
      h(
        "button",
        {
          type: "button",
          class: "chip site-chip",
          "data-testid": "change-site",
          title: words.text("site.change"),
          "aria-label": `${desk.siteName(site)}, ${words.text("site.change")}`,
          onclick: () => desk.changeSite(),
        },
        icon("pin"),
        h("span", null, place(desk.siteName(site))),
      ),
    h("span", { class: "grow" }),
    signedIn && site !== null && soundSwitch(desk),
    signedIn &&
      h(
        "button",
        {
          type: "button",
          class: "chip fixed",
          "data-testid": "sign-out",
          title: words.text("desk.signOut"),
          "aria-label": `${name}, ${words.text("desk.signOut")}`,
          onclick: () => desk.signOut(),
        },
        h("span", { class: "wide-only" }, name),
        icon("out"),
      ),
    !(signedIn && site) && languages(desk),
  );
}

/** Sound on or off; vibration stays. */
function soundSwitch(desk: Desk): VNode {
  const { words, signals } = desk;
  const { muted } = signals;
  return h(
    "button",
    {
      type: "button",
      class: "chip fixed",
      "data-testid": "sound",
      "aria-pressed": String(!muted),
      "aria-label": words.text("sound"),
      title: words.text(muted ? "sound.off" : "sound.on"),
      onclick: () => signals.toggle(),
    },
    icon(muted ? "mute" : "sound"),
  );
}

/** What is rarely needed at a desk: the language, and what this device is called in the audit. */
function footer(desk: Desk): VNode {
  const { state, words } = desk;
  return h(
    "footer",
    { class: "bottom" },
    h(
      "label",
      { class: "device" },
      h("span", null, words.text("device.name")),
      h("input", {
        "data-testid": "device-name",
        maxlength: 31,
        autocomplete: "off",
        placeholder: words.text("device.hint"),
        value: state.deviceLabel,
        onchange: (event: Event) => desk.nameDevice((event.target as HTMLInputElement).value),
      }),
    ),
    desk.app.installable &&
      h(
        "button",
        {
          type: "button",
          class: "button quiet small",
          "data-testid": "install",
          onclick: () => desk.app.install(),
        },
        words.text("app.install"),
      ),
    languages(desk),
  );
}

function languages(desk: Desk): VNode {
  const { words } = desk;
  return languageSwitch(words.text("language"), words.language, (to) => desk.useLanguage(to));
}
