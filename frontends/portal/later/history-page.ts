import { type Child, h, type VNode } from "../../shared/dom.ts";
import type { Translator } from "../../shared/i18n.ts";
import { familyIcon, icon, spinner } from "../../shared/icons.ts";
import { banner } from "../../shared/parts.ts";
import type { LaterContext } from "../later.ts";
import { backButton, inert } from "../parts.ts";
import type { Entry, History } from "./history.ts";
import type { LaterKey } from "./messages/index.ts";

/** What the pages of this chunk are drawn with. */
export type Words = Translator<LaterKey>;

/** The history as it stands. */
export function historyContent(context: LaterContext, history: History, words: Words): VNode {
  const { phase, notice } = history;
  const entries = history.entries();
  return h(
    "section",
    { class: "history", key: "history", "data-testid": "history", "data-state": phase },
    backButton(context.words, () => context.back()),
    h("h1", null, words.text("history.title")),
    notice && banner("warn", notice.key, words.text(notice.key, notice.values)),
    above(context, history, words),
    history.deviceFailed &&
      banner(
        "warn",
        "history.deviceFailed",
        words.text("history.deviceFailed"),
        retry(words, () => void history.refresh()),
      ),
    phase === "failed" &&
      banner(
        "warn",
        "history.failed",
        words.text("history.failed"),
        retry(words, () => void history.refresh()),
      ),
    entries.length > 0
      ? list(context, words, entries, phase === "list")
      : nothing(context, history, words),
    below(history, words),
  );
}

/** What stands between the customer and the whole list. */
function above(context: LaterContext, history: History, words: Words): Child {
  switch (history.phase) {
    case "device":
      return card(
        words,
        "history.connect.title",
        h("p", null, words.text("history.connect.text")),
        action(words, "history.connect.action", "connect", () => context.connect()),
      );
    case "sign-in":
      if (unable(history)) return null;
      return card(
        words,
        "history.signIn.title",
        h(
          "p",
          null,
          words.text("history.signIn.text", { address: short(context.connection?.address ?? "") }),
        ),
        h("p", { class: "hint with-icon" }, icon("shield"), words.text("history.signIn.free")),
        h("p", { class: "hint with-icon" }, icon("clock"), words.text("history.signIn.hour")),
        action(
          words,
          history.notice?.key === "signIn.over" ? "history.signIn.again" : "history.signIn.action",
          "history-sign-in",
          () => void history.signIn(),
        ),
      );
    case "waiting":
      return h(
        "div",
        { class: "card asks", role: "status" },
        h("div", { class: "badge info" }, spinner()),
        h("h2", null, words.text("history.waiting.title")),
        h("p", null, words.text("history.waiting.text", { site: location.origin })),
        h(
          "button",
          {
            type: "button",
            class: "button quiet",
            "data-testid": "history-sign-in",
            onclick: () => void history.signIn(),
          },
          words.text("history.waiting.again"),
        ),
      );
    case "loading":
      return h(
        "p",
        { class: "with-spinner", role: "status" },
        spinner(),
        words.text("history.loading"),
      );
    default:
      return null;
  }
}

function list(
  context: LaterContext,
  words: Words,
  entries: readonly Entry[],
  whole: boolean,
): Child {
  const days = new Map<string, Entry[]>();
  for (const entry of entries) {
    const key = entry.at.toDateString();
    days.set(key, [...(days.get(key) ?? []), entry]);
  }
  return [
    !whole && h("p", { class: "hint" }, words.text("history.device")),
    ...[...days].map(([key, ofDay]) =>
      h(
        "section",
        { class: "day", key },
        h("h2", null, dayName(words, new Date(key))),
        h(
          "ul",
          { class: "rows" },
          ofDay.map((entry) => h("li", { key: entry.orderId }, row(context, words, entry))),
        ),
      ),
    ),
  ];
}

function row(context: LaterContext, words: Words, entry: Entry): VNode {
  const delivered = entry.status === "DELIVERED";
  const { siteId } = entry;
  const site = context.catalogue.sites.find((one) => one.siteId === siteId);
  const where = site ? words.pick(site.name) : siteId;
  const notes = [
    entry.timed && time(words, entry.at),
    where,
    entry.otherWallet && words.text("history.otherWallet", { address: entry.otherWallet }),
  ].filter(Boolean);
  return h(
    "button",
    {
      type: "button",
      class: "row-button history-row",
      "data-testid": "history-row",
      "data-order-id": entry.orderId,
      "data-family": String(entry.tokenId)[0],
      onclick: () =>
        delivered ? context.openReceipt(entry.orderId) : context.openOrder(entry.orderId),
    },
    icon(familyIcon(entry.tokenId)),
    h(
      "span",
      { class: "grow history-what" },
      h("span", null, words.goods(entry)),
      notes.length > 0 && h("span", { class: "hint" }, notes.join(" · ")),
    ),
    h(
      "span",
      { class: "history-state" },
      h("span", { class: `tag ${entry.status}` }, context.words.text(`status.${entry.status}`)),
      delivered && h("span", { class: "hint" }, words.text("history.receipt")),
    ),
    icon("next"),
  );
}

function nothing(context: LaterContext, history: History, words: Words): Child {
  switch (history.phase) {
    case "list":
      return card(
        words,
        "history.empty.title",
        h("p", { class: "hint" }, words.text("history.empty.text")),
        action(words, "history.empty.action", "history-back", () => context.back()),
      );
    case "device":
    case "sign-in":
      return [
        h("p", { class: "hint center" }, words.text("history.empty.device")),
        unable(history) &&
          action(words, "history.empty.action", "history-back", () => context.back()),
      ];
    default:
      return null;
  }
}

function below(history: History, words: Words): Child {
  const { more } = history;
  if (more === "none") return null;
  if (more === "failed") {
    return banner(
      "warn",
      "history.failed",
      words.text("history.failed"),
      retry(words, () => void history.loadMore()),
    );
  }
  return h(
    "button",
    {
      type: "button",
      class: "button quiet wide",
      "data-testid": "history-more",
      ...inert(more === "loading"),
      onclick: () => void history.loadMore(),
    },
    more === "loading" && spinner(),
    words.text("history.more"),
  );
}

function card(words: Words, title: LaterKey, ...content: Child[]): VNode {
  return h("div", { class: "card asks", key: title }, h("h2", null, words.text(title)), content);
}

function action(words: Words, key: LaterKey, testid: string, run: () => void): VNode {
  return h(
    "button",
    { type: "button", class: "button primary wide", "data-testid": testid, onclick: run },
    words.text(key),
  );
}

function retry(words: Words, run: () => void): VNode {
  return h(
    "button",
    { type: "button", class: "button quiet", "data-testid": "history-retry", onclick: run },
    words.text("history.retry"),
  );
}

/** Whether this wallet cannot sign in, however often it is asked. */
function unable(history: History): boolean {
  return history.notice?.key === "signIn.contract";
}

/** First and last characters of an address, enough to recognise it. */
function short(address: string): string {
  return `${address.slice(0, 6)}…${address.slice(-4)}`;
}

function time(words: Words, at: Date): string {
  return new Intl.DateTimeFormat(words.locale, { hour: "2-digit", minute: "2-digit" }).format(at);
}

function dayName(words: Words, day: Date): string {
  const today = new Date();
  const daysAgo = (days: number) =>
    new Date(today.getFullYear(), today.getMonth(), today.getDate() - days).toDateString();
  if (day.toDateString() === daysAgo(0)) return words.text("history.today");
  if (day.toDateString() === daysAgo(1)) return words.text("history.yesterday");
  const style = { weekday: "long", day: "numeric", month: "long", year: "numeric" } as const;
  const name = new Intl.DateTimeFormat(words.locale, style).format(day);
  return name.charAt(0).toLocaleUpperCase(words.language) + name.slice(1);
}
