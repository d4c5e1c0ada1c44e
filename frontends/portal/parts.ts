import { type Child, h, type VNode } from "../shared/dom.ts";
import type { Translator } from "../shared/i18n.ts";
import { type IconName, icon, spinner } from "../shared/icons.ts";
import { banner, outsideLink } from "../shared/parts.ts";
import type { Portal } from "./app.ts";
import type { PortalKey } from "./messages/index.ts";
import type { Notice, State } from "./state.ts";

/** One step back, as the browser's own button. */
export function backButton(words: Translator<PortalKey>, go: () => void): VNode {
  return h(
    "button",
    { type: "button", class: "back", "data-testid": "back", onclick: go },
    icon("back"),
    words.text("back"),
  );
}

/** The one thing to press on a page. */
export function primary(
  testid: string,
  text: string,
  run: () => unknown,
  options: { readonly busy?: boolean; readonly off?: boolean; readonly icon?: IconName } = {},
): VNode {
  return h(
    "button",
    {
      type: "button",
      class: "button primary wide",
      "data-testid": testid,
      ...inert(options.busy || options.off),
      onclick: run,
    },
    options.busy ? spinner() : options.icon && icon(options.icon),
    text,
  );
}

/** Something less: beside or below the one thing to press. */
export function quiet(
  testid: string,
  text: string,
  run: () => unknown,
  options: { readonly busy?: boolean; readonly icon?: IconName } = {},
): VNode {
  return h(
    "button",
    { type: "button", class: "button quiet", "data-testid": testid, onclick: run },
    options.busy ? spinner() : options.icon && icon(options.icon),
    text,
  );
}

/** What few people need: looks like a link. While the wallet is `asking` it waits with it. */
export function minor(
  testid: string,
  text: string,
  run: () => unknown,
  options: { readonly asking?: State["asking"]; readonly label?: string } = {},
): VNode {
  return h(
    "button",
    {
      type: "button",
      class: "minor",
      "data-testid": testid,
      "aria-label": options.label ?? text,
      ...inert(Boolean(options.asking)),
      onclick: run,
    },
    options.asking?.button === testid && spinner(),
    text,
  );
}

/**
 * What a button has that does nothing now. It is not `disabled`: the keyboard would lose its place.
 * Whoever handles the press has to leave it without effect.
 */
export function inert(now: boolean | undefined): { readonly "aria-disabled": "true" | null } {
  return { "aria-disabled": now ? "true" : null };
}

/** What the customer was told last, with what helps where there is something that does. */
export function noticeBanner(portal: Portal): Child {
  const { notice } = portal.state;
  const { words } = portal;
  if (!notice) return null;
  if ("text" in notice) return banner(notice.tone, notice.key, notice.text());
  const gas = notice.key === "problem.gas" || notice.key === "problem.gasUnknown";
  return [
    banner(notice.tone ?? "warn", notice.key, words.text(notice.key, readable(portal, notice))),
    gas && gasHelp(portal),
  ];
}

/** Where the vouchers are, and how to get there unless something is told of that already. */
export function networkText({ state, words }: Portal): string {
  const where = words.text("network.text", { chain: state.config?.chainName ?? "" });
  return state.notice || state.switching ? where : `${where} ${words.text("network.press")}`;
}

/** A notice's values with its amount of coins written as the language writes numbers. */
function readable({ words }: Portal, { values }: Notice): Notice["values"] {
  if (values?.amount === undefined) return values;
  const written = new Intl.NumberFormat(words.language, { maximumSignificantDigits: 6 });
  return { ...values, amount: written.format(Number(values.amount)) };
}

/** How to get what the network's fee is paid with. */
function gasHelp(portal: Portal): Child {
  const { config, connection } = portal.state;
  if (!config || !connection) return null;
  const values = { symbol: config.nativeCurrency.symbol, chain: config.chainName };
  return h(
    "div",
    { class: "card help", "data-testid": "gas-help" },
    h("p", { class: "hint" }, portal.words.text("gas.send", values)),
    copyable(portal, connection.address),
    outsideLink(config.gasHelpUrl, icon("link"), portal.words.text("gas.help", values)),
  );
}

/** A text that people take along, with a button that copies it or at least selects it. */
export function copyable(portal: Portal, text: string): VNode {
  const copied = portal.state.copied === text;
  const take = async ({ currentTarget }: { readonly currentTarget: Element }) => {
    const shown = currentTarget.previousElementSibling as Element;
    if (!(await portal.copy(text))) getSelection()?.selectAllChildren(shown);
  };
  return h(
    "div",
    { class: "copyable" },
    h("span", { class: "mono" }, text),
    h(
      "button",
      {
        type: "button",
        class: "button quiet",
        "data-testid": "copy",
        onclick: take,
      },
      copied && icon("check"),
      h("span", { role: "status" }, portal.words.text(copied ? "copied" : "copy")),
    ),
  );
}

/** A page that says one thing. */
export function message(name: IconName, title: string, text: string, ...more: Child[]): VNode {
  return h(
    "section",
    { class: "narrow center" },
    h("div", { class: "badge" }, icon(name)),
    h("h1", null, title),
    h("p", { class: "lead", role: "status" }, text),
    more,
  );
}

/** Something that does not take long. */
export function waiting(text: string): VNode {
  return h(
    "div",
    { class: "narrow center", role: "status" },
    spinner(),
    h("h1", { class: "modest" }, text),
  );
}

/** A dialog over the page; Escape, its button and a press beside it close it. */
export function sheet(portal: Portal, testid: string, title: string, ...body: Child[]): VNode {
  const close = () => portal.show(null);
  return h(
    "dialog",
    {
      class: `sheet ${testid}`,
      key: testid,
      "data-testid": testid,
      "aria-labelledby": "sheet-title",
      mounted: (dialog: HTMLDialogElement) => dialog.showModal(),
      onclose: close,
      onclick: (event: MouseEvent) => {
        if (event.target === event.currentTarget) close();
      },
    },
    h(
      "div",
      { class: "sheet-body" },
      h("h2", { id: "sheet-title" }, title),
      body,
      quiet("close", portal.words.text("close"), close),
    ),
  );
}
