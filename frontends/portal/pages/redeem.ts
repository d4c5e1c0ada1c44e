import { type Child, h, type VNode } from "../../shared/dom.ts";
import { familyIcon, icon, spinner } from "../../shared/icons.ts";
import type { MetaField } from "../../shared/wire.ts";
import type { Portal } from "../app.ts";
import type { PortalKey } from "../messages/index.ts";
import { backButton, inert, noticeBanner } from "../parts.ts";
import type { Draft } from "../state.ts";

/** Choosing how many, where, and what the service needs to know. */
export function redeemPage(portal: Portal): Child {
  const { state, words } = portal;
  const { draft } = state;
  if (!draft) return null;
  const { type, amount } = draft;
  const possible =
    Number.isInteger(amount) && amount >= type.minAmount && amount <= portal.most(draft);
  const name = words.pick(type.name);
  const sites = portal.sitesOf(type);
  const submit = async (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLElement;
    await portal.redeem();
    // What is wrong may be out of sight.
    form
      .querySelector<HTMLElement>('input[aria-invalid="true"], [aria-invalid="true"] input')
      ?.focus();
  };
  return h(
    "section",
    { class: "narrow", key: "redeem" },
    backButton(words, () => portal.back()),
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
          h("h1", { class: "voucher-name" }, name),
          h(
            "p",
            { class: "hint" },
            words.text("redeem.of", {
              unit: words.pick(type.unit),
              n: state.held?.get(type.tokenId) ?? "…",
            }),
          ),
        ),
      ),
      amountField(portal, draft),
      sites.length > 0 && siteField(portal, draft),
      type.requires.map((field) => metaField(portal, draft, field)),
      h(
        "div",
        { class: "bottom" },
        noticeBanner(portal),
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
            ...inert(state.placing),
          },
          state.placing && spinner(),
          state.placing
            ? words.text("redeem.working")
            : possible
              ? words.text("redeem.action", { n: amount, name })
              : `${words.text("vouchers.redeem")} ${name}`,
        ),
      ),
    ),
  );
}

function amountField(portal: Portal, draft: Draft): VNode {
  const { words } = portal;
  const most = portal.most(draft);
  const min = draft.type.minAmount;
  const step = (by: number, key: PortalKey, sign: string, end: boolean) =>
    h(
      "button",
      {
        type: "button",
        class: "button step",
        "aria-label": words.text(key),
        ...inert(end),
        onclick: () => end || portal.edit({ amount: draft.amount + by }),
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
  const hint = `hint-${field}`;
  const wrong = draft.errors[path] ? ` error-${path}` : "";
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
      "aria-invalid": wrong ? "true" : null,
      "aria-describedby": hint + wrong,
      oninput: (event: Event) => {
        const { value } = event.target as HTMLInputElement;
        portal.edit({ meta: { ...draft.meta, [field]: value } });
      },
    }),
    h("p", { class: "hint", id: hint }, words.text(`redeem.${field}.hint`)),
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
