import { type Child, h, type VNode } from "../shared/dom.ts";
import { familyIcon, type IconName, icon, spinner } from "../shared/icons.ts";
import { groupCode } from "../shared/order-code.ts";
import { banner, languageSwitch, mark, outsideLink } from "../shared/parts.ts";
import type { MetaField, OrderView, VoucherType } from "../shared/wire.ts";
import { type Draft, type KeptOrder, type Notice, type Portal, shortAddress } from "./app.ts";
import type { PortalKey } from "./messages/index.ts";
import type { Stage } from "./stage.ts";
import type { Wallet } from "./wallet.ts";

/** The whole page for the portal's present state. */
export function page(portal: Portal): Child {
  return [header(portal), h("main", { id: "main" }, content(portal)), chooser(portal)];
}

function content(portal: Portal): Child {
  const { state, words } = portal;
  const { config, connection } = state;
  if (state.open) return orderPage(portal);
  if (state.down && !config) {
    return notice("offline", words.text("down.title"), words.text("down.text"), "down");
  }
  if (!config || !state.catalogue) return waiting(words.text("loading"));
  if (!connection) return connectPage(portal);
  if (connection.chainId !== config.chainId) return networkPage(portal);
  if (state.draft) return redeemPage(portal, state.draft);
  return vouchersPage(portal);
}

function header(portal: Portal): VNode {
  const { state, words } = portal;
  return h(
    "header",
    { class: "top" },
    h(
      "a",
      { class: "brand", href: "./", "aria-label": state.config?.brand.name ?? "5SOffice" },
      mark(),
      h("span", null, state.config?.brand.name ?? "5SOffice"),
    ),
    h("span", { class: "grow" }),
    state.connection &&
      h(
        "button",
        {
          type: "button",
          class: "chip",
          "data-testid": "account",
          title: words.text("disconnect"),
          "aria-label": `${words.text("account")} ${shortAddress(state.connection.address)}, ${words.text("disconnect")}`,
          onclick: () => portal.disconnect(),
        },
        h("span", { class: "dot", "aria-hidden": "true" }),
        h("span", { class: "mono" }, shortAddress(state.connection.address)),
        icon("out"),
      ),
    languageSwitch(words.text("language"), words.language, (to) => portal.useLanguage(to)),
  );
}

function connectPage(portal: Portal): VNode {
  const { state, words } = portal;
  const none = state.wallets.length === 0;
  return h(
    "section",
    { class: "hero", key: "connect" },
    h(
      "div",
      { class: "hero-text" },
      h("h1", null, words.text("connect.title")),
      h("p", { class: "lead" }, words.text("connect.text")),
      noticeBanner(portal),
      none
        ? noWallet(portal)
        : h(
            "button",
            {
              type: "button",
              class: "button primary wide",
              "data-testid": "connect",
              disabled: state.connecting,
              onclick: () => portal.connect(),
            },
            state.connecting ? spinner() : icon("wallet"),
            words.text(state.connecting ? "connect.connecting" : "connect.action"),
          ),
      h("p", { class: "hint with-icon" }, icon("shield"), words.text("connect.safe")),
    ),
    fan(portal),
    keptList(portal),
    h(
      "ol",
      { class: "steps-intro", "aria-label": words.text("connect.how") },
      (["wallet", "ticket", "scan"] as const).map((name, at) =>
        h(
          "li",
          null,
          h("span", { class: "step-icon" }, icon(name)),
          h("span", { class: "step-number", "aria-hidden": "true" }, at + 1),
          h("span", null, words.text(`connect.step${(at + 1) as 1 | 2 | 3}`)),
        ),
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

function noWallet(portal: Portal): VNode {
  const { words } = portal;
  const phone = matchMedia("(pointer: coarse)").matches;
  const here = location.host + location.pathname;
  return h(
    "div",
    { class: "card", "data-testid": "no-wallet" },
    h("h2", null, words.text("connect.none.title")),
    h("p", null, words.text("connect.none.text")),
    h(
      "a",
      {
        class: "button primary wide",
        rel: "noopener noreferrer",
        href: phone ? `https://link.metamask.io/dapp/${here}` : "https://metamask.io/download",
      },
      icon("link"),
      words.text(phone ? "connect.none.phone" : "connect.none.install"),
    ),
  );
}

function chooser(portal: Portal): Child {
  const { state, words } = portal;
  if (!state.choosing) return null;
  return h(
    "dialog",
    {
      class: "sheet",
      key: "chooser",
      "aria-labelledby": "chooser-title",
      mounted: (dialog: HTMLDialogElement) => dialog.showModal(),
      onclose: () => portal.dismissChooser(),
      onclick: (event: MouseEvent) => {
        if (event.target === event.currentTarget) portal.dismissChooser();
      },
    },
    h(
      "div",
      { class: "sheet-body" },
      h("h2", { id: "chooser-title" }, words.text("connect.choose")),
      state.wallets.map((wallet) => walletButton(portal, wallet)),
      h(
        "button",
        { type: "button", class: "button quiet wide", onclick: () => portal.dismissChooser() },
        words.text("close"),
      ),
    ),
  );
}

function walletButton(portal: Portal, wallet: Wallet): VNode {
  const { info } = wallet;
  return h(
    "button",
    {
      type: "button",
      class: "row-button",
      "data-testid": `wallet-${info.rdns}`,
      onclick: () => portal.join(wallet, false),
    },
    // The strict policy lets only data: images in, which is what EIP-6963 asks of wallets.
    info.icon.startsWith("data:image/")
      ? h("img", { src: info.icon, alt: "", width: 36, height: 36 })
      : icon("wallet"),
    h("span", { class: "grow" }, info.name),
    icon("next"),
  );
}

function networkPage(portal: Portal): VNode {
  const { state, words } = portal;
  const chain = state.config?.chainName ?? "";
  return h(
    "section",
    { class: "narrow center", key: "network", "data-testid": "wrong-network" },
    h("div", { class: "badge warn" }, icon("alert")),
    h("h1", null, words.text("network.title")),
    h("p", { class: "lead" }, words.text("network.text", { chain })),
    noticeBanner(portal),
    h(
      "button",
      {
        type: "button",
        class: "button primary wide",
        "data-testid": "switch-network",
        onclick: () => portal.switchChain(),
      },
      words.text("network.action", { chain }),
    ),
  );
}

function vouchersPage(portal: Portal): VNode {
  const { state, words } = portal;
  const { held, catalogue } = state;
  const types = (catalogue?.types ?? []).filter((type) => (held?.get(type.tokenId) ?? 0) > 0);
  return h(
    "section",
    { key: "vouchers" },
    h("h1", null, words.text("vouchers.title")),
    noticeBanner(portal),
    state.heldFailed &&
      banner("warn", "vouchers.failed", words.text("vouchers.failed"), retry(portal)),
    !held && !state.heldFailed && skeletons(words.text("loading")),
    held && types.length === 0 && nothing(portal),
    h(
      "ul",
      { class: "vouchers" },
      types.map((type) => h("li", null, voucherCard(portal, type, held?.get(type.tokenId) ?? 0))),
    ),
    keptList(portal),
  );
}

function voucherCard(portal: Portal, type: VoucherType, count: number): VNode {
  const { words } = portal;
  const sites =
    type.sites === null
      ? words.text("vouchers.everywhere")
      : portal
          .sitesOf(type)
          .map((site) => words.pick(site.name))
          .join(" · ");
  return h(
    "button",
    {
      type: "button",
      class: "voucher",
      "data-family": String(type.tokenId)[0],
      "data-testid": `voucher-${type.tokenId}`,
      onclick: () => portal.choose(type),
    },
    h("span", { class: "voucher-stub" }, icon(familyIcon(type.tokenId))),
    h(
      "span",
      { class: "voucher-body" },
      h("span", { class: "voucher-name" }, words.pick(type.name)),
      h("span", { class: "hint" }, words.text("vouchers.unit", { unit: words.pick(type.unit) })),
      h("span", { class: "hint with-icon" }, icon("pin"), sites),
      h(
        "span",
        { class: "voucher-foot" },
        h(
          "span",
          { class: "count", "data-testid": `held-${type.tokenId}` },
          words.text("vouchers.have", { n: count }),
        ),
        h("span", { class: "go" }, words.text("vouchers.redeem"), icon("next")),
      ),
    ),
  );
}

function nothing(portal: Portal): VNode {
  const { words } = portal;
  return h(
    "div",
    { class: "card center", "data-testid": "no-vouchers" },
    h("div", { class: "badge" }, icon("ticket")),
    h("h2", null, words.text("vouchers.none.title")),
    h("p", { class: "hint" }, words.text("vouchers.none.text")),
    retry(portal),
  );
}

function retry(portal: Portal): VNode {
  return h(
    "button",
    { type: "button", class: "button quiet", onclick: () => portal.readHeld() },
    icon("refresh"),
    portal.words.text("retry"),
  );
}

function keptList(portal: Portal): Child {
  const { state, words } = portal;
  const services = new Map(state.catalogue?.types.map((type) => [type.tokenId, type]));
  if (state.kept.length === 0) return null;
  return h(
    "section",
    { class: "kept" },
    h("h2", null, words.text("vouchers.open")),
    h(
      "ul",
      { class: "rows" },
      state.kept.map((order) =>
        h(
          "li",
          { key: order.orderId },
          keptRow(portal, order, services.get(order.tokenId) ?? null),
        ),
      ),
    ),
  );
}

function keptRow(portal: Portal, order: KeptOrder, service: VoucherType | null): VNode {
  const { words } = portal;
  return h(
    "button",
    { type: "button", class: "row-button", onclick: () => portal.openOrder(order.orderId) },
    icon(familyIcon(order.tokenId)),
    h("span", { class: "grow" }, words.goods({ ...order, service })),
    h("span", { class: `tag ${order.status}` }, words.text(`status.${order.status}`)),
    icon("next"),
  );
}

function redeemPage(portal: Portal, draft: Draft): VNode {
  const { state, words } = portal;
  const { type } = draft;
  const sites = portal.sitesOf(type);
  const submit = (event: Event) => {
    event.preventDefault();
    void portal.redeem();
  };
  return h(
    "section",
    { class: "narrow", key: "redeem" },
    backButton(portal, () => portal.leaveDraft()),
    h(
      "form",
      { class: "form", novalidate: true, onsubmit: submit },
      h(
        "div",
        { class: "voucher flat", "data-family": String(type.tokenId)[0] },
        h("span", { class: "voucher-stub" }, icon(familyIcon(type.tokenId))),
        h(
          "div",
          { class: "voucher-body" },
          h("h1", { class: "voucher-name" }, words.pick(type.name)),
          h(
            "p",
            { class: "hint" },
            words.text("redeem.of", {
              unit: words.pick(type.unit),
              n: state.held?.get(type.tokenId) ?? 0,
            }),
          ),
        ),
      ),
      noticeBanner(portal),
      amountField(portal, draft),
      sites.length > 0 && siteField(portal, draft),
      type.requires.map((field) => metaField(portal, draft, field)),
      h(
        "div",
        { class: "bottom" },
        h(
          "p",
          { class: "hint" },
          words.text(sites.length > 0 ? "redeem.note" : "redeem.noteAnywhere"),
        ),
        h(
          "button",
          {
            type: "submit",
            class: "button primary wide",
            "data-testid": "redeem",
            disabled: state.placing,
          },
          state.placing && spinner(),
          state.placing
            ? words.text("redeem.working")
            : words.text("redeem.action", { n: draft.amount, name: words.pick(type.name) }),
        ),
      ),
    ),
  );
}

function amountField(portal: Portal, draft: Draft): VNode {
  const { words } = portal;
  const most = portal.most(draft);
  const min = draft.type.minAmount;
  const step = (by: number, key: PortalKey, sign: string, disabled: boolean) =>
    h(
      "button",
      {
        type: "button",
        class: "button step",
        "aria-label": words.text(key),
        disabled,
        onclick: () => portal.edit({ amount: draft.amount + by }),
      },
      sign,
    );
  return h(
    "div",
    { class: "field" },
    h("label", { for: "amount" }, words.text("redeem.amount")),
    h(
      "div",
      { class: "stepper" },
      step(-1, "redeem.less", "−", draft.amount <= min),
      h("input", {
        id: "amount",
        "data-testid": "amount",
        type: "number",
        inputmode: "numeric",
        min,
        max: most,
        value: String(draft.amount || ""),
        ...described(draft, "amount"),
        oninput: (event: Event) =>
          portal.edit({ amount: Number((event.target as HTMLInputElement).value) }),
      }),
      step(1, "redeem.more", "+", draft.amount >= most),
    ),
    fieldError(portal, draft, "amount"),
  );
}

function siteField(portal: Portal, draft: Draft): VNode {
  const { words } = portal;
  return h(
    "fieldset",
    { class: "field", "data-testid": "site", ...described(draft, "siteId") },
    h("legend", null, words.text("redeem.site")),
    portal.sitesOf(draft.type).map((site) =>
      h(
        "label",
        { class: "choice", key: site.siteId },
        h("input", {
          type: "radio",
          name: "site",
          value: site.siteId,
          "data-testid": `site-${site.siteId}`,
          checked: draft.siteId === site.siteId,
          onchange: () => portal.edit({ siteId: site.siteId }),
        }),
        icon("pin"),
        h("span", null, words.pick(site.name)),
      ),
    ),
    fieldError(portal, draft, "siteId"),
  );
}

function metaField(portal: Portal, draft: Draft, field: MetaField): VNode {
  const { words } = portal;
  const path = `customerMeta.${field}`;
  return h(
    "div",
    { class: "field", key: field },
    h("label", { for: field }, words.text(`redeem.${field}`)),
    h("input", {
      id: field,
      "data-testid": field,
      type: field === "aiAccount" ? "email" : "text",
      autocomplete: field === "aiAccount" ? "email" : "organization",
      maxlength: 200,
      value: draft.meta[field] ?? "",
      ...described(draft, path),
      oninput: (event: Event) => {
        const { value } = event.target as HTMLInputElement;
        portal.edit({ meta: { ...draft.meta, [field]: value } });
      },
    }),
    h("p", { class: "hint" }, words.text(`redeem.${field}.hint`)),
    fieldError(portal, draft, path),
  );
}

function described(draft: Draft, path: string): Record<string, unknown> {
  return draft.errors[path]
    ? { "aria-invalid": "true", "aria-describedby": `error-${path}` }
    : { "aria-invalid": null, "aria-describedby": null };
}

function fieldError(portal: Portal, draft: Draft, path: string): Child {
  const error = draft.errors[path];
  return (
    error &&
    h(
      "p",
      { class: "error", id: `error-${path}`, role: "alert" },
      portal.words.text(error.key, error.values),
    )
  );
}

const LOOKS: Readonly<Record<Stage, { tone: string; icon: IconName | null }>> = {
  unsigned: { tone: "warn", icon: "wallet" },
  signing: { tone: "info", icon: null },
  submitted: { tone: "info", icon: null },
  confirming: { tone: "info", icon: null },
  ready: { tone: "good", icon: "check" },
  delivered: { tone: "good", icon: "check" },
  expiring: { tone: "info", icon: "clock" },
  expired: { tone: "bad", icon: "clock" },
  cancelled: { tone: "bad", icon: "cross" },
  exception: { tone: "warn", icon: "alert" },
};

const WITH_CODE: readonly Stage[] = ["submitted", "confirming", "ready", "exception"];

function orderPage(portal: Portal): VNode {
  const { state, words } = portal;
  const { open } = state;
  const view = open?.view;
  const stage = portal.stage();
  if (!open || !view || !stage) {
    return h(
      "section",
      { class: "narrow", key: "order" },
      backButton(portal, () => portal.closeOrder()),
      open?.staleSince
        ? notice("offline", words.text("down.title"), words.text("down.text"), "down")
        : waiting(words.text("loading")),
    );
  }
  const withCode = WITH_CODE.includes(stage);
  return h(
    "section",
    { class: withCode ? "order with-code" : "order", key: "order", "data-stage": stage },
    h(
      "div",
      { class: "order-head" },
      backButton(portal, () => portal.closeOrder()),
      open.staleSince !== null &&
        banner(
          "warn",
          "stale.text",
          words.text("stale.text", { time: words.moment(new Date(open.staleSince)) }),
        ),
      noticeBanner(portal),
    ),
    statusCard(portal, view, stage),
    withCode && codeCard(portal, view, stage),
    steps(portal, view, stage),
    details(portal, view),
  );
}

function statusCard(portal: Portal, view: OrderView, stage: Stage): VNode {
  const { words } = portal;
  const look = LOOKS[stage];
  return h(
    "div",
    { class: `card status ${look.tone}` },
    h("div", { class: `badge ${look.tone}` }, look.icon ? icon(look.icon) : spinner()),
    h(
      "div",
      { class: "status-words", role: "status" },
      h(
        "p",
        { class: "eyebrow", "data-family": String(view.tokenId)[0] },
        icon(familyIcon(view.tokenId)),
        words.goods(view),
      ),
      h("h1", { "data-testid": "status", "data-stage": stage }, words.text(`stage.${stage}`)),
      h("p", null, statusText(portal, view, stage)),
    ),
    action(portal, stage),
  );
}

function statusText(portal: Portal, view: OrderView, stage: Stage): Child {
  const { words } = portal;
  switch (stage) {
    case "unsigned":
      return words.text("stage.unsigned.text", { left: timeLeft(view.expiresAt) });
    case "ready":
      return view.siteId
        ? words.text("stage.ready.text", { site: siteName(portal, view.siteId) })
        : words.text("stage.ready.anywhere");
    case "delivered": {
      const at = new Date(view.deliveredAt ?? Date.now());
      return words.text("stage.delivered.text", { time: words.moment(at) });
    }
    default:
      return words.text(`stage.${stage}.text`);
  }
}

function action(portal: Portal, stage: Stage): Child {
  const { words } = portal;
  const button = (key: PortalKey, testid: string, run: () => void) =>
    h(
      "button",
      { type: "button", class: "button primary wide", "data-testid": testid, onclick: run },
      words.text(key),
    );
  switch (stage) {
    case "unsigned":
      return button("stage.unsigned.action", "sign", () => portal.sign());
    case "expired":
    case "cancelled":
      return button("stage.expired.action", "new-order", () => portal.finishOrder());
    case "delivered":
      return button("order.another", "done", () => portal.finishOrder());
    default:
      return null;
  }
}

/** How many of the five steps are behind, by stage. */
const DONE: Readonly<Record<Stage, number>> = {
  unsigned: 1,
  signing: 1,
  submitted: 2,
  confirming: 3,
  ready: 4,
  delivered: 5,
  expiring: 1,
  expired: 1,
  cancelled: 1,
  exception: 3,
};

function steps(portal: Portal, view: OrderView, stage: Stage): Child {
  const { words } = portal;
  if (stage === "expired" || stage === "cancelled" || stage === "exception") return null;
  const names = ["step.order", "step.sign", "step.chain", "step.final", "step.deliver"] as const;
  return h(
    "ol",
    { class: "steps" },
    names.map((key, at) => {
      const state = at < DONE[stage] ? "done" : at === DONE[stage] ? "now" : "next";
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

function confirmations(portal: Portal, view: OrderView): Child {
  const { chain } = view;
  if (!chain) return null;
  const { confirmations: n, required, final } = chain;
  const waits = n >= required && !final;
  return h(
    "span",
    { class: "confirmations", "data-testid": "confirmations" },
    h("progress", { max: required, value: Math.min(n, required), "aria-hidden": "true" }),
    portal.words.text(waits ? "chain.finality" : "chain.count", {
      n: Math.min(n, required),
      required,
    }),
  );
}

function codeCard(portal: Portal, view: OrderView, stage: Stage): VNode {
  const { words, state } = portal;
  return h(
    "div",
    { class: stage === "ready" ? "card code ready" : "card code" },
    h(
      "div",
      { class: "qr" },
      state.open?.qr
        ? h("img", {
            src: state.open.qr,
            alt: words.text("code.alt"),
            width: 260,
            height: 260,
            "data-testid": "qr",
          })
        : spinner(),
    ),
    h("p", { class: "hint" }, words.text("code.label")),
    h(
      "p",
      { class: "order-code mono", "data-testid": "order-code", "data-order-id": view.orderId },
      groupCode(view.orderId)
        .split(" ")
        .map((group) => h("span", null, group)),
    ),
    h("p", { class: "hint with-icon" }, icon("shield"), words.text("code.secret")),
  );
}

function details(portal: Portal, view: OrderView): VNode {
  const { words } = portal;
  const row = (key: PortalKey, value: string) => [
    h("dt", null, words.text(key)),
    h("dd", null, value),
  ];
  return h(
    "div",
    { class: "card details" },
    h(
      "dl",
      null,
      row("order.site", view.siteId ? siteName(portal, view.siteId) : words.text("order.anywhere")),
      row("order.made", words.moment(new Date(view.createdAt))),
      view.status === "CREATED" &&
        row("order.expires", words.moment(new Date(view.expiresAt * 1000))),
      row("account", view.customerAddressMasked),
    ),
    outsideLink(view.chain?.explorerUrl, icon("link"), words.text("chain.explorer")),
  );
}

function siteName(portal: Portal, siteId: string): string {
  const site = portal.state.catalogue?.sites.find((known) => known.siteId === siteId);
  return site ? portal.words.pick(site.name) : siteId;
}

function timeLeft(expiresAt: number): string {
  const seconds = Math.max(0, Math.floor(expiresAt - Date.now() / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function backButton(portal: Portal, go: () => void): VNode {
  return h(
    "button",
    { type: "button", class: "back", "data-testid": "back", onclick: go },
    icon("back"),
    portal.words.text("back"),
  );
}

function noticeBanner(portal: Portal): Child {
  const told: Notice | null = portal.state.notice;
  return told && banner("warn", told.key, portal.words.text(told.key, told.values));
}

function notice(name: IconName, title: string, text: string, testid: string): VNode {
  return h(
    "div",
    { class: "narrow center", "data-testid": testid, role: "status" },
    h("div", { class: "badge" }, icon(name)),
    h("h1", null, title),
    h("p", { class: "lead" }, text),
  );
}

function waiting(text: string): VNode {
  return h("div", { class: "narrow center", role: "status" }, spinner(), h("p", null, text));
}

function skeletons(text: string): VNode {
  return h(
    "div",
    { class: "vouchers", role: "status", "aria-label": text },
    [1, 2, 3].map(() => h("div", { class: "skeleton" })),
  );
}
