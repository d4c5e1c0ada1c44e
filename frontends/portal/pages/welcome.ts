import { type Child, h, type VNode } from "../../shared/dom.ts";
import { familyIcon, icon, spinner } from "../../shared/icons.ts";
import type { VoucherType } from "../../shared/wire.ts";
import type { Portal } from "../app.ts";
import { copyable, networkText, noticeBanner, primary, quiet, sheet } from "../parts.ts";
import type { Wallet } from "../wallet.ts";
import { keptList } from "./vouchers.ts";

/** Where MetaMask lives, and where its app opens a page in its own browser. */
const INSTALL = "https://metamask.io/download";
const DAPP_LINK = "https://metamask.app.link/dapp/";

/** The first page: connect, or get a wallet. */
export function welcomePage(portal: Portal): VNode {
  const { state, words } = portal;
  const none = state.wallets?.length === 0;
  return h(
    "section",
    { class: "hero", key: "welcome" },
    h(
      "div",
      { class: "hero-text" },
      h("h1", null, words.text("connect.title")),
      h("p", { class: "lead" }, words.text("connect.text")),
      noticeBanner(portal),
      none
        ? noWallet(portal)
        : primary("connect", words.text("connect.action"), () => portal.session.connect(), {
            icon: "wallet",
          }),
      h("p", { class: "hint with-icon" }, icon("shield"), words.text("connect.safe")),
    ),
    fan(portal),
    keptList(portal),
    !none && introduction(portal),
  );
}

function introduction(portal: Portal): VNode {
  return h(
    "ol",
    { class: "steps-intro", "aria-label": portal.words.text("connect.how") },
    (["wallet", "ticket", "scan"] as const).map((name, at) =>
      h(
        "li",
        null,
        h("span", { class: "step-icon" }, icon(name)),
        h("span", { class: "step-number", "aria-hidden": "true" }, at + 1),
        h("span", null, portal.words.text(`connect.step${(at + 1) as 1 | 2 | 3}`)),
      ),
    ),
  );
}

/** A few vouchers of the catalogue, fanned out: what this page is about, at a glance. */
function fan(portal: Portal): VNode {
  const { state, words } = portal;
  const families = new Map<number, VoucherType>();
  for (const type of state.catalogue?.types ?? []) {
    const family = Math.floor(type.tokenId / 1000);
    if (!families.has(family)) families.set(family, type);
  }
  return h(
    "div",
    { class: "fan", "aria-hidden": "true" },
    [...families.values()]
      .slice(0, 3)
      .map((type) =>
        h(
          "div",
          { class: "voucher", "data-family": String(type.tokenId)[0] },
          h("span", { class: "voucher-stub" }, icon(familyIcon(type.tokenId))),
          h(
            "div",
            { class: "voucher-body" },
            h("span", { class: "voucher-name" }, words.pick(type.name)),
            h(
              "span",
              { class: "hint" },
              words.text("vouchers.unit", { unit: words.pick(type.unit) }),
            ),
          ),
        ),
      ),
  );
}

/** A phone's own browser has no wallets: the wallet's app has to open the page. */
function noWallet(portal: Portal): VNode {
  const { words } = portal;
  const phone = matchMedia("(pointer: coarse)").matches;
  const link = (href: string, text: string) =>
    h(
      "a",
      {
        class: "button primary wide",
        href,
        rel: "noopener noreferrer",
        target: phone ? null : "_blank",
        "data-testid": "get-wallet",
      },
      icon("link"),
      text,
    );
  return h(
    "div",
    { class: "card", "data-testid": "no-wallet" },
    h("h2", null, words.text(phone ? "none.phoneTitle" : "none.title")),
    h("p", null, words.text(phone ? "none.phoneText" : "none.text")),
    phone
      ? [
          // The app takes the address as it is: encoded as a whole it would not be found.
          link(DAPP_LINK + location.host + location.pathname, words.text("none.phone")),
          h("p", { class: "hint" }, words.text("none.other")),
          copyable(portal, location.origin + location.pathname),
        ]
      : [
          link(INSTALL, words.text("none.install")),
          quiet("reload", words.text("none.installed"), () => location.reload(), {
            icon: "refresh",
          }),
        ],
  );
}

/** While the wallet asks. */
export function connectingPage(portal: Portal): VNode {
  const { words, state } = portal;
  const wallet = state.connecting as Wallet;
  return h(
    "section",
    { class: "narrow center", key: "connecting" },
    h("div", { class: "badge" }, walletIcon(wallet)),
    h("h1", null, words.text("connecting.title", { wallet: wallet.info.name })),
    h("p", { class: "lead", role: "status" }, words.text("connecting.text")),
    h("div", { class: "badge small" }, spinner()),
    quiet("give-up", words.text("back"), () => portal.session.giveUp(), { icon: "back" }),
  );
}

/** The wallet is on another chain than the vouchers. */
export function networkPage(portal: Portal): VNode {
  const { state, words } = portal;
  const values = { chain: state.config?.chainName ?? "" };
  return h(
    "section",
    { class: "narrow center", key: "network", "data-testid": "wrong-network" },
    h("div", { class: "badge warn" }, icon("alert")),
    h("h1", null, words.text("network.title")),
    h("p", { class: "lead" }, networkText(portal)),
    noticeBanner(portal),
    primary(
      "switch-network",
      words.text(state.switching ? "network.working" : "network.action", values),
      () => portal.session.switchChain(),
      { busy: state.switching },
    ),
  );
}

/** The wallets of this browser, to choose from (EIP-6963). */
export function walletChooser(portal: Portal): VNode {
  const { state, words } = portal;
  const { wallets } = state;
  return sheet(
    portal,
    "wallets",
    words.text(wallets?.length ? "connect.choose" : "connect.action"),
    !wallets &&
      h("p", { class: "hint with-icon", role: "status" }, spinner(), words.text("loading")),
    wallets?.length === 0 && noWallet(portal),
    wallets?.map((wallet) =>
      h(
        "button",
        {
          type: "button",
          class: "row-button",
          "data-testid": `wallet-${wallet.info.rdns}`,
          onclick: () => portal.session.join(wallet, false),
        },
        walletIcon(wallet),
        h("span", { class: "grow" }, wallet.info.name),
        icon("next"),
      ),
    ),
  );
}

/** The strict policy lets only data: images in, which is what EIP-6963 asks of wallets. */
function walletIcon({ info }: Wallet): Child {
  return info.icon ? h("img", { src: info.icon, alt: "", width: 36, height: 36 }) : icon("wallet");
}
