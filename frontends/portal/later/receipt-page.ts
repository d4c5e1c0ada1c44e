import { type Child, h, type VNode } from "../../shared/dom.ts";
import { type IconName, icon, spinner } from "../../shared/icons.ts";
import { groupCode } from "../../shared/order-code.ts";
import { mark, outsideLink } from "../../shared/parts.ts";
import type { ChainProgress, OrderView } from "../../shared/wire.ts";
import type { LaterContext } from "../later.ts";
import { backButton, primary } from "../parts.ts";
import type { Words } from "./history-page.ts";
import type { LaterKey } from "./messages/index.ts";
import { ORDER_TYPE } from "./proof.ts";
import type { Asked, Fetched, Receipt } from "./receipt.ts";

/** The receipt as it stands. */
export function receiptContent(
  context: LaterContext,
  receipt: Receipt,
  orderId: string,
  words: Words,
): VNode {
  const { fetched } = receipt;
  return h(
    "section",
    { class: "receipt-page", key: "receipt", "data-testid": "receipt", "data-state": fetched.kind },
    h(
      "div",
      { class: "no-print" },
      backButton(context.words, () => context.back()),
    ),
    fetched.kind === "delivered"
      ? paper(context, receipt, words, fetched.view, fetched.hashMatches)
      : instead(context, words, fetched.kind, orderId),
  );
}

function instead(
  context: LaterContext,
  words: Words,
  kind: Exclude<Fetched["kind"], "delivered">,
  orderId: string,
): VNode {
  const said = (look: IconName | null, title: string, text: string, ...more: Child[]) =>
    h(
      "div",
      { class: "narrow center", key: kind, role: "status" },
      h("div", { class: "badge" }, look ? icon(look) : spinner()),
      h("h1", null, title),
      h("p", { class: "lead" }, text),
      more,
    );
  const { words: common } = context;
  switch (kind) {
    case "loading":
      return said(null, words.text("receipt.title"), words.text("receipt.loading"));
    case "offline":
      return said("offline", common.text("down.title"), common.text("down.text"));
    case "gone":
      return said(
        "question",
        words.text("receipt.gone.title"),
        words.text("receipt.gone.text"),
        primary("see-orders", common.text("orders.mine"), () => context.openHistory()),
      );
    case "open":
      return said(
        "clock",
        words.text("receipt.open.title"),
        words.text("receipt.open.text"),
        primary("see-order", words.text("receipt.open.action"), () => context.openOrder(orderId)),
      );
  }
}

function paper(
  context: LaterContext,
  receipt: Receipt,
  words: Words,
  view: OrderView,
  hashMatches: boolean,
): Child {
  const { chain } = view;
  return [
    h(
      "article",
      { class: "card receipt" },
      h(
        "header",
        { class: "receipt-head" },
        h("span", { class: "brand" }, mark(), context.config.brand.name),
        h("h1", null, words.text("receipt.title")),
      ),
      rows(words, [
        ["receipt.service", words.goods(view)],
        ["receipt.unit", view.service && `1 ${words.pick(view.service.unit)}`],
        ["receipt.delivered", view.deliveredAt && instant(words, new Date(view.deliveredAt))],
        ["receipt.where", siteName(context, words, view.deliveredSite)],
        // Where it was redeemed for goes without saying where it is where it was handed over.
        view.siteId !== view.deliveredSite && [
          "receipt.site",
          siteName(context, words, view.siteId) ?? words.text("receipt.anywhere"),
        ],
        ["receipt.ordered", instant(words, new Date(view.createdAt))],
        ["receipt.code", groupCode(view.orderId), "mono"],
        ["receipt.wallet", view.order.customer, "mono"],
      ]),
      h("h2", null, words.text("check.title")),
      h(
        "ul",
        { class: "checks" },
        hashCheck(words, hashMatches),
        chain && burnCheck(context, receipt, words),
        check("delivery", "said", words.text("check.delivery")),
      ),
      h("h2", null, words.text("receipt.proof")),
      chain ? proof(context, words, view, chain) : h("p", null, words.text("receipt.noChain")),
      h(
        "details",
        { class: "how" },
        h("summary", null, words.text("how.title")),
        chain &&
          h(
            "p",
            { class: "hint" },
            words.text("how.burn", {
              chain: context.config.chainName,
              tokenId: view.tokenId,
              amount: view.amount,
            }),
          ),
        h(
          "p",
          { class: "hint" },
          words.text("how.hash", {
            type: ORDER_TYPE,
            orderId: view.orderId,
            siteId: view.siteId,
            expiresAt: view.expiresAt,
          }),
        ),
      ),
      h(
        "div",
        { class: "receipt-link" },
        outsideLink(chain?.explorerUrl, icon("link"), words.text("receipt.explorer")),
      ),
    ),
    h(
      "button",
      {
        type: "button",
        class: "button primary wide no-print",
        "data-testid": "print",
        onclick: () => window.print(),
      },
      icon("print"),
      words.text("receipt.print"),
    ),
  ];
}

function proof(context: LaterContext, words: Words, view: OrderView, chain: ChainProgress): VNode {
  const { chainName, chainId, contractAddress } = context.config;
  return rows(words, [
    ["receipt.chain", words.text("receipt.chainId", { name: chainName, id: chainId })],
    ["receipt.contract", contractAddress, "mono"],
    ["receipt.tx", chain.txHash, "mono"],
    ["receipt.block", String(chain.blockNumber), "mono"],
    ["receipt.blockHash", chain.blockHash, "mono"],
    ["receipt.blockTime", instant(words, new Date(chain.blockTime * 1000))],
    ["receipt.serial", chain.serial, "mono"],
    ["receipt.orderHash", view.orderHash, "mono"],
    ["receipt.orderRef", view.order.orderRef, "mono"],
  ]);
}

type Row = readonly [LaterKey, string | null | undefined, string?];

/** Names and values; a row without a value is left out. */
function rows(words: Words, all: readonly (Row | false)[]): VNode {
  return h(
    "dl",
    null,
    all.map((row) => row && described(words, row)),
  );
}

function described(words: Words, [key, value, look]: Row): Child {
  if (!value) return null;
  return h(
    "div",
    { "data-row": key.slice("receipt.".length) },
    h("dt", null, words.text(key)),
    h("dd", { class: look ?? null }, value),
  );
}

/** `said` is what only people vouch for. */
type Result = "ok" | "bad" | "none" | "said" | "running";

function hashCheck(words: Words, matches: boolean): VNode {
  return matches
    ? check("hash", "ok", words.text("check.hash"))
    : check("hash", "bad", words.text("check.hash.differs"));
}

function burnCheck(context: LaterContext, receipt: Receipt, words: Words): VNode {
  const { asked } = receipt;
  if (!asked) {
    const { chainName } = context.config;
    return check("burn", "none", words.text("check.burn.none", { chain: chainName }));
  }
  const [result, text] = burnFound(asked, words);
  const again = h(
    "button",
    {
      type: "button",
      class: "button quiet no-print",
      "data-testid": "check-again",
      onclick: () => void receipt.checkBurn(),
    },
    words.text("check.again"),
  );
  return check("burn", result, text, result === "none" && again);
}

function burnFound({ wallet, check }: Asked, words: Words): [Result, string] {
  const { name } = wallet.info;
  if (!check) return ["running", words.text("check.burn.running", { wallet: name })];
  if (check.kind !== "read") {
    return ["none", words.text(`check.burn.${check.kind}`, { wallet: name })];
  }
  if (check.differs.length === 0) return ["ok", words.text("check.burn", { wallet: name })];
  const fields = check.differs.map((field) => words.text(`field.${field}`)).join(", ");
  return ["bad", words.text("check.burn.differs", { wallet: name, fields })];
}

const RESULT_ICONS: Readonly<Record<Result, IconName | null>> = {
  ok: "check",
  bad: "alert",
  none: "question",
  said: "user",
  running: null,
};

function check(name: string, result: Result, text: string, ...more: Child[]): VNode {
  const look = RESULT_ICONS[result];
  return h(
    "li",
    {
      key: name,
      class: result,
      "data-check": name,
      "data-result": result,
    },
    look ? icon(look) : spinner(),
    h("div", null, h("p", { role: result === "bad" ? "alert" : null }, text), more),
  );
}

function siteName(
  context: LaterContext,
  words: Words,
  siteId: string | null | undefined,
): string | null {
  const site = context.catalogue.sites.find((known) => known.siteId === siteId);
  return site ? words.pick(site.name) : siteId || null;
}

/** Day and time to the second, with the zone, as what is printed is read elsewhere. */
function instant(words: Words, at: Date): string {
  return new Intl.DateTimeFormat(words.locale, {
    day: "numeric",
    // In English 11/12 is one day here and another there.
    month: words.language === "en" ? "long" : "2-digit",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "short",
  }).format(at);
}
