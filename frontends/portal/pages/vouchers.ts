import { type Child, h, type VNode } from "../../shared/dom.ts";
import { familyIcon, icon } from "../../shared/icons.ts";
import { banner } from "../../shared/parts.ts";
import type { VoucherType } from "../../shared/wire.ts";
import type { Portal } from "../app.ts";
import { copyable, message, minor, noticeBanner, quiet } from "../parts.ts";
import type { KeptOrder } from "../state.ts";

/** What the wallet holds, as cards. */
export function vouchersPage(portal: Portal): VNode {
  const { state, words } = portal;
  const { held, catalogue } = state;
  const types = (catalogue?.types ?? []).filter((type) => (held?.get(type.tokenId) ?? 0) > 0);
  return h(
    "section",
    { key: "vouchers" },
    h("h1", null, words.text("vouchers.title")),
    noticeBanner(portal),
    state.heldFailed && banner("warn", "vouchers.failed", words.text("vouchers.failed")),
    state.heldFailed && lookAgain(portal, "retry"),
    held && h("p", { class: "lead" }, words.text("vouchers.text")),
    !held && !state.heldFailed && skeletons(words.text("loading")),
    h(
      "ul",
      { class: "vouchers" },
      types.map((type) =>
        h(
          "li",
          { key: String(type.tokenId) },
          voucherCard(portal, type, held?.get(type.tokenId) ?? 0),
        ),
      ),
    ),
    keptList(portal),
  );
}

/** The wallet holds no voucher. */
export function nothingPage(portal: Portal): Child {
  const { state, words } = portal;
  return [
    h(
      "div",
      { "data-testid": "no-vouchers" },
      message(
        "ticket",
        words.text("vouchers.none.title"),
        words.text("vouchers.none.text"),
        noticeBanner(portal),
        lookAgain(portal, "vouchers.again"),
        state.connection && [
          h(
            "p",
            { class: "hint none-address" },
            words.text("vouchers.none.address", { brand: state.config?.brand.name ?? "" }),
          ),
          copyable(portal, state.connection.address),
        ],
      ),
    ),
    keptList(portal),
  ];
}

/** The orders of this device, the newest first. */
export function keptList(portal: Portal): Child {
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
    {
      type: "button",
      class: "row-button",
      "data-testid": "kept-order",
      onclick: () => portal.openOrder(order.orderId),
    },
    icon(familyIcon(order.tokenId)),
    h("span", { class: "grow" }, words.goods({ ...order, service })),
    h("span", { class: `tag ${order.status}` }, words.text(`status.${order.status}`)),
    icon("next"),
  );
}

function voucherCard(portal: Portal, type: VoucherType, count: number): Child {
  const { words } = portal;
  const add = `add-${type.tokenId}`;
  const sites = portal.sitesOf(type).map((site) => words.pick(site.name));
  return [
    h(
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
        h(
          "span",
          { class: "hint with-icon" },
          icon("pin"),
          type.sites === null ? words.text("vouchers.everywhere") : sites.join(" · "),
        ),
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
    ),
    minor(add, words.text("vouchers.add"), () => portal.addVoucher(add, type.tokenId), {
      asking: portal.state.asking,
      label: `${words.text("vouchers.add")}: ${words.pick(type.name)}`,
    }),
  ];
}

function lookAgain({ state, words, session }: Portal, key: "retry" | "vouchers.again"): VNode {
  const look = { busy: state.reading, icon: "refresh" } as const;
  return quiet("retry", words.text(key), () => session.readHeld(), look);
}

function skeletons(text: string): VNode {
  return h(
    "div",
    { class: "vouchers", role: "status", "aria-label": text },
    [1, 2, 3].map(() => h("div", { class: "skeleton" })),
  );
}
