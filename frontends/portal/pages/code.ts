import { h, type VNode } from "../../shared/dom.ts";
import { icon, spinner } from "../../shared/icons.ts";
import { groupCode } from "../../shared/order-code.ts";
import type { Portal } from "../app.ts";
import { quiet } from "../parts.ts";
import type { Stage } from "../stage.ts";

/**
 * The code for reception: as a QR code where there is one, and as text for when it cannot be
 * scanned. `stage` is null where it is not known.
 */
export function codeCard(portal: Portal, orderId: string, stage: Stage | null): VNode {
  const { words } = portal;
  const ready = stage === "ready";
  // It goes to reception as it is, and gives nobody the service.
  const odd = stage === "exception" || stage === null;
  const told = portal.state.open?.qr === false ? "code.only" : "code.label";
  const image = told === "code.label" && h("span", { class: "qr" }, qr(portal));
  return h(
    "div",
    { class: ready ? "card code ready" : "card code" },
    ready && image
      ? h(
          "button",
          {
            type: "button",
            class: "qr-button",
            "aria-label": words.text("code.larger"),
            "data-testid": "enlarge",
            onclick: () => portal.show("code"),
          },
          image,
        )
      : image,
    h("p", { class: "hint" }, words.text(ready || odd ? told : "code.early")),
    digits(orderId, true),
    !odd && h("p", { class: "hint with-icon" }, icon("shield"), words.text("code.secret")),
  );
}

/** The same over the whole screen, white for the scanner whatever the colour scheme. */
export function largeCode(portal: Portal): VNode {
  const { words, state } = portal;
  const close = () => portal.show(null);
  return h(
    "dialog",
    {
      class: "large-code",
      key: "large-code",
      "data-testid": "large-code",
      "aria-label": words.text("code.alt"),
      mounted: (dialog: HTMLDialogElement) => dialog.showModal(),
      onclose: close,
      onclick: close,
    },
    h("div", { class: "qr" }, qr(portal)),
    state.open?.view && h("p", { class: "large-goods" }, words.goods(state.open.view)),
    digits(state.open?.orderId ?? "", false),
    quiet("close", words.text("close"), close),
  );
}

function qr(portal: Portal): VNode {
  const { open, sheet } = portal.state;
  if (!open?.qr) return spinner();
  return h("img", {
    src: open.qr,
    alt: portal.words.text("code.alt"),
    width: 260,
    height: 260,
    "data-testid": sheet === "code" ? null : "qr",
  });
}

/** The random part in groups of four, as the console takes it. */
function digits(orderId: string, named: boolean): VNode {
  return h(
    "p",
    {
      class: "order-code mono",
      ...(named ? { "data-testid": "order-code", "data-order-id": orderId } : {}),
    },
    groupCode(orderId)
      .split(" ")
      .map((group) => h("span", null, group)),
  );
}
