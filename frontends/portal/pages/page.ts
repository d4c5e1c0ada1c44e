import { type Child, h, type VNode } from "../../shared/dom.ts";
import { icon } from "../../shared/icons.ts";
import { banner, languageSwitch, mark } from "../../shared/parts.ts";
import type { Portal } from "../app.ts";
import { backButton, copyable, message, primary, sheet, waiting } from "../parts.ts";
import { type Screen, screenOf } from "../screen.ts";
import { shortAddress } from "../signing.ts";
import type { Connection } from "../wallet.ts";
import { largeCode } from "./code.ts";
import { orderPage } from "./order.ts";
import { redeemPage } from "./redeem.ts";
import { nothingPage, vouchersPage } from "./vouchers.ts";
import { connectingPage, networkPage, walletChooser, welcomePage } from "./welcome.ts";

/** The whole page for the portal's present state. */
export function page(portal: Portal): Child {
  const screen = screenOf(portal.state);
  return [
    header(portal),
    h("main", { id: "main", "data-screen": screen }, content(portal, screen)),
    overlay(portal),
  ];
}

/** What the tab is called: where the customer stands, then whose portal it is. */
export function title(portal: Portal): string {
  const { words, state } = portal;
  const brand = state.config?.brand.name ?? "5SOffice";
  const stage = portal.tracker.stage();
  const screen = screenOf(state);
  if (screen === "order" && stage) return `${words.text(`stage.${stage}`)} · ${brand}`;
  if (screen === "vouchers") return `${words.text("vouchers.title")} · ${brand}`;
  return `${brand} · ${words.text("title")}`;
}

function content(portal: Portal, screen: Screen): Child {
  const { words } = portal;
  switch (screen) {
    case "loading":
      return waiting(words.text("loading"));
    case "down":
      return h(
        "div",
        { "data-testid": "down" },
        message("offline", words.text("down.title"), words.text("down.text")),
      );
    case "no-wallet":
    case "welcome":
      return welcomePage(portal);
    case "connecting":
      return connectingPage(portal);
    case "wrong-network":
      return networkPage(portal);
    case "no-vouchers":
      return nothingPage(portal);
    case "vouchers":
      return vouchersPage(portal);
    case "redeem":
      return redeemPage(portal);
    case "order":
      return orderPage(portal);
    case "history":
    case "receipt":
      return laterPage(portal);
  }
}

function laterPage(portal: Portal): Child {
  const { words, later } = portal;
  const { place } = portal.state;
  const context = portal.laterContext();
  const screens = context && later.ready(context);
  if (screens) {
    if (place.at === "receipt") return screens.receiptPage(context, place.orderId);
    return screens.historyPage(context);
  }
  const failed = later.failed && context;
  const name = words.text(place.at === "receipt" ? "order.receipt" : "orders.mine");
  return h(
    "section",
    { class: "narrow", key: "later" },
    backButton(words, () => portal.back()),
    failed
      ? [
          h("h1", null, name),
          banner("warn", "problem.later", words.text("problem.later")),
          primary("retry", words.text("retry"), () => later.load(context).catch(() => {})),
        ]
      : waiting(words.text("loading")),
  );
}

function header(portal: Portal): VNode {
  const { state, words } = portal;
  const home = (event: Event) => {
    event.preventDefault();
    portal.home();
  };
  return h(
    "header",
    { class: "top" },
    h(
      "a",
      {
        class: "brand",
        href: "./",
        "aria-label": state.config?.brand.name ?? "5SOffice",
        onclick: home,
      },
      mark(),
      h("span", null, state.config?.brand.name ?? "5SOffice"),
    ),
    h("span", { class: "grow" }),
    h(
      "button",
      {
        type: "button",
        class: "chip orders",
        "data-testid": "my-orders",
        "aria-label": words.text("orders.mine"),
        onclick: () => portal.openHistory(),
      },
      icon("list"),
      h("span", null, words.text("orders.mine")),
    ),
    state.connection && accountChip(portal, state.connection),
    languageSwitch(words.text("language"), words.language, (to) => portal.useLanguage(to)),
  );
}

function accountChip(portal: Portal, { address, chainId }: Connection): VNode {
  const short = shortAddress(address);
  const { config } = portal.state;
  const elsewhere = config !== null && chainId !== config.chainId;
  return h(
    "button",
    {
      type: "button",
      class: "chip account",
      "data-testid": "account",
      "aria-label": portal.words.text("account.open", { address: short }),
      onclick: () => portal.show("account"),
    },
    h("span", { class: elsewhere ? "dot warn" : "dot", "aria-hidden": "true" }),
    h("span", { class: "mono" }, short),
  );
}

function overlay(portal: Portal): Child {
  const { state } = portal;
  if (state.sheet === "wallets") return walletChooser(portal);
  if (state.sheet === "account" && state.connection) return accountSheet(portal);
  if (state.sheet === "code" && portal.tracker.stage() === "ready") return largeCode(portal);
  return null;
}

function accountSheet(portal: Portal): VNode {
  const { words } = portal;
  const { connection } = portal.state;
  const leave = () => {
    portal.show(null);
    portal.session.disconnect();
  };
  return sheet(
    portal,
    "account-sheet",
    words.text("account.title"),
    h("p", { class: "hint" }, connection?.wallet.info.name),
    copyable(portal, connection?.address ?? ""),
    h(
      "button",
      { type: "button", class: "button quiet", "data-testid": "disconnect", onclick: leave },
      icon("out"),
      words.text("disconnect"),
    ),
  );
}
