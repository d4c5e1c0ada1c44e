import { type Child, h, type VNode } from "../../shared/dom.ts";
import { familyIcon, type IconName, icon, spinner } from "../../shared/icons.ts";
import { banner, outsideLink } from "../../shared/parts.ts";
import type { ChainProgress, OrderView } from "../../shared/wire.ts";
import type { Portal } from "../app.ts";
import {
  backButton,
  copyable,
  message,
  minor,
  networkText,
  noticeBanner,
  primary,
  quiet,
  waiting,
} from "../parts.ts";
import {
  canCancel,
  canSign,
  LOOKS,
  type Local,
  nothingBurned,
  type Stage,
  setbackOf,
} from "../stage.ts";
import { codeCard } from "./code.ts";

/** Stages in which the customer has yet to confirm, and the time for that runs. */
const TIMED: readonly Stage[] = ["unsigned", "checking", "signing"];
const STILL: Partial<Record<Stage, IconName>> = {
  unsigned: "wallet",
  ready: "check",
  delivered: "check",
  expiring: "clock",
  expired: "clock",
  cancelled: "cross",
  exception: "alert",
};

/** Whether the page has to be drawn every second. */
export function ticks(portal: Portal): boolean {
  const stage = portal.tracker.stage();
  return stage !== null && TIMED.includes(stage);
}

/** The order on the screen: where it stands, what to do, and the code. */
export function orderPage(portal: Portal): VNode {
  const { state, words } = portal;
  const { open } = state;
  const view = open?.view;
  const stage = portal.tracker.stage();
  const back = backButton(words, () => portal.back());
  if (open?.lost) return lostOrder(portal, open.orderId, back);
  if (!open || !view || !stage) {
    return h(
      "section",
      { class: "narrow", key: "order" },
      back,
      open?.staleSince
        ? message("offline", words.text("down.title"), words.text("down.text"))
        : waiting(words.text("loading")),
    );
  }
  const local = portal.local(open.orderId);
  const { code } = LOOKS[stage];
  return h(
    "section",
    { class: code ? "order with-code" : "order", key: "order" },
    h(
      "div",
      { class: "order-head" },
      back,
      open.staleSince !== null && stale(portal, open.staleSince),
      setback(portal, view, stage, local),
      !outdated(portal, view, local) && noticeBanner(portal),
    ),
    statusCard(portal, view, stage, local),
    code && codeCard(portal, view.orderId, stage),
    h("div", { class: "order-more" }, steps(portal, view, stage), details(portal, view, stage)),
  );
}

/** What is left of an order that the API does not know: all that reception can look into it by. */
function lostOrder(portal: Portal, orderId: string, back: VNode): VNode {
  const { state, words } = portal;
  const kept = state.kept.find((one) => one.orderId === orderId);
  const service = state.catalogue?.types.find((type) => type.tokenId === kept?.tokenId);
  const hashes = portal.local(orderId).attempts.flatMap(({ txHash }) => txHash ?? []);
  return h(
    "section",
    { class: "narrow", key: "lost", "data-testid": "lost" },
    back,
    message(
      "question",
      words.text("order.lost"),
      words.text("order.lost.text"),
      kept && h("p", null, words.goods({ ...kept, service: service ?? null })),
      codeCard(portal, orderId, null),
      hashes.length > 0 && h("p", { class: "hint" }, words.text("order.transaction")),
      hashes.map((hash) => copyable(portal, hash)),
    ),
  );
}

function stale(portal: Portal, since: number): VNode {
  const time = portal.words.moment(new Date(since));
  return banner("warn", "stale.text", portal.words.text("stale.text", { time }));
}

/** Whether what was told then is not so any more: another tab or device may have sent it since. */
function outdated(portal: Portal, view: OrderView, local: Local): boolean {
  return portal.state.notice?.key === "problem.rejected" && !nothingBurned(view, local);
}

/** Whether the wallet is on another chain, where nothing can be seen of the order. */
function elsewhere({ state: { connection, config } }: Portal): boolean {
  return connection !== null && config !== null && connection.chainId !== config.chainId;
}

/** Why the customer is asked again, unless something newer is being told. */
function setback(portal: Portal, view: OrderView, stage: Stage, local: Local): Child {
  const key = portal.state.notice ? null : setbackOf(stage, view, local);
  return key && banner("warn", key, portal.words.text(key));
}

function statusCard(portal: Portal, view: OrderView, stage: Stage, local: Local): VNode {
  const { words } = portal;
  const { tone } = LOOKS[stage];
  const name = STILL[stage];
  return h(
    "div",
    { class: `card status ${tone}` },
    h("div", { class: `badge ${tone}` }, name ? icon(name) : spinner()),
    h(
      "div",
      { class: "status-words" },
      h(
        "p",
        { class: "eyebrow", "data-family": String(view.tokenId)[0] },
        icon(familyIcon(view.tokenId)),
        words.goods(view),
      ),
      h(
        "div",
        { class: "status-told", role: "status" },
        h("h1", { "data-testid": "status", "data-stage": stage }, words.text(`stage.${stage}`)),
        h("p", null, statusText(portal, view, stage, local)),
      ),
      timeLeft(portal, view, stage),
    ),
    actions(portal, view, stage, local),
  );
}

function statusText(portal: Portal, view: OrderView, stage: Stage, local: Local): string {
  const { words, state } = portal;
  switch (stage) {
    case "unsigned":
      return words.text(state.notice ? "stage.unsigned.kept" : "stage.unsigned.text");
    case "looking":
      if (elsewhere(portal)) return networkText(portal);
      return words.text(state.connection ? "stage.looking.text" : "stage.looking.connect");
    case "confirming":
      return words.text("stage.confirming.text", { count: counted(portal, view.chain) });
    case "reorged":
      return words.text(canSign(stage, local) ? "stage.reorged.again" : "stage.reorged.text");
    case "expired":
    case "cancelled":
      return words.text(`stage.${stage}.${nothingBurned(view, local) ? "text" : "unsure"}`);
    case "ready":
      return view.siteId
        ? words.text("stage.ready.text", { site: siteName(portal, view.siteId) })
        : words.text("stage.ready.anywhere");
    case "delivered": {
      const time = words.moment(new Date(view.deliveredAt ?? Date.now()));
      return words.text("stage.delivered.text", { time });
    }
    default:
      return words.text(`stage.${stage}.text`);
  }
}

/** What a clock that is wrong would have it say is left out: the API tells when the time is up. */
function timeLeft(portal: Portal, view: OrderView, stage: Stage): Child {
  const seconds = Math.floor(view.expiresAt - portal.clock.now() / 1000);
  const all = portal.state.config?.orderTtlSeconds ?? 0;
  if (!TIMED.includes(stage) || seconds <= 0 || seconds > all) return null;
  const left = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return h(
    "p",
    { class: "time-left", role: "timer", "data-testid": "time-left" },
    icon("clock"),
    portal.words.text("order.left", { left }),
  );
}

/** The one thing to do, and what else there is. */
function actions(portal: Portal, view: OrderView, stage: Stage, local: Local): Child {
  const { words, state } = portal;
  const connect = () => portal.session.connect();
  if (canSign(stage, local)) {
    const again = local.attempts.length > 0 || state.notice !== null;
    const text = again ? "stage.unsigned.again" : "stage.unsigned.action";
    return [
      primary(
        "sign",
        words.text(state.connection ? text : "stage.unsigned.connect"),
        () => portal.signing.sign(),
        { off: state.asking !== null },
      ),
      canCancel(view, local) &&
        state.connection &&
        minor(
          "cancel-order",
          words.text("order.cancel"),
          () => portal.cancelOrder("cancel-order"),
          {
            asking: state.asking,
          },
        ),
    ];
  }
  switch (stage) {
    case "checking":
    case "signing":
      return minor("stuck", words.text(`stage.${stage}.stuck`), () => portal.signing.giveUp());
    case "looking":
      if (elsewhere(portal)) {
        const text = words.text("network.action", { chain: state.config?.chainName ?? "" });
        return primary("switch-network", text, () => portal.session.switchChain());
      }
      return !state.connection && primary("connect", words.text("connect.action"), connect);
    case "expired":
    case "cancelled":
      return primary("new-order", words.text("stage.expired.action"), () => portal.orderAgain());
    case "delivered":
      return [
        primary("done", words.text("order.another"), () => portal.finishOrder()),
        quiet("receipt", words.text("order.receipt"), () => portal.openReceipt(view.orderId)),
      ];
    default:
      return null;
  }
}

/** The way of an order, as far as it has come. */
function steps(portal: Portal, view: OrderView, stage: Stage): Child {
  const { words } = portal;
  const { step } = LOOKS[stage];
  if (step === null) return null;
  const names = ["step.order", "step.sign", "step.chain", "step.final", "step.deliver"] as const;
  return h(
    "ol",
    { class: "card steps" },
    names.map((key, at) => {
      const state = at < step ? "done" : at === step ? "now" : "next";
      return h(
        "li",
        { class: state, "aria-current": state === "now" ? "step" : null },
        h("span", { class: "step-mark", "aria-hidden": "true" }, state === "done" && icon("check")),
        h(
          "span",
          { class: "step-text" },
          words.text(key),
          key === "step.final" && confirmations(portal, view),
        ),
      );
    }),
  );
}

function confirmations(portal: Portal, { chain }: OrderView): Child {
  if (!chain) return null;
  return h(
    "span",
    { class: "confirmations", "data-testid": "confirmations" },
    h("progress", {
      max: chain.required,
      value: Math.min(chain.confirmations, chain.required),
      "aria-hidden": "true",
    }),
    counted(portal, chain),
  );
}

function counted(portal: Portal, chain: ChainProgress | null | undefined): string {
  const { confirmations = 0, required = 0, final = false } = chain ?? {};
  const waits = confirmations >= required && !final;
  return portal.words.text(waits ? "chain.finality" : "chain.count", {
    n: Math.min(confirmations, required),
    required,
  });
}

function details(portal: Portal, view: OrderView, stage: Stage): VNode {
  const { words } = portal;
  const row = (text: string, value: string) => [h("dt", null, text), h("dd", null, value)];
  const site = view.siteId ? siteName(portal, view.siteId) : words.text("order.anywhere");
  return h(
    "div",
    { class: "card details" },
    h(
      "dl",
      null,
      row(words.text("order.site"), site),
      row(words.text("order.made"), words.moment(new Date(view.createdAt))),
      TIMED.includes(stage) &&
        row(words.text("order.expires"), words.moment(new Date(view.expiresAt * 1000))),
      row(words.text("account"), view.customerAddressMasked.toLowerCase()),
    ),
    outsideLink(view.chain?.explorerUrl, icon("link"), words.text("chain.explorer")),
  );
}

function siteName(portal: Portal, siteId: string): string {
  const site = portal.state.catalogue?.sites.find((known) => known.siteId === siteId);
  return site ? portal.words.pick(site.name) : siteId;
}
