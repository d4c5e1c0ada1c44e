import { type Child, h, type VNode } from "../shared/dom.ts";
import { familyIcon, type IconName, icon, spinner } from "../shared/icons.ts";
import type { OrderStatus, QueueItem } from "../shared/wire.ts";
import type { Desk } from "./desk.ts";
import { type Filter, isToday, type List, type Stand } from "./listing.ts";
import { kbd, told } from "./views-parts.ts";

/** As a desk wants them: first those who may be standing there. */
const STATUSES: readonly OrderStatus[] = [
  "VALID",
  "PENDING_CHAIN",
  "CREATED",
  "DELIVERED",
  "EXPIRED",
  "CANCELLED",
];

const STATUS_ICONS: Readonly<Record<OrderStatus, IconName>> = {
  VALID: "check",
  PENDING_CHAIN: "clock",
  CREATED: "wallet",
  DELIVERED: "done",
  EXPIRED: "late",
  CANCELLED: "cross",
};

const STANDS: readonly Stand[] = ["all", "open", "delivered"];

/** The orders of the site: today's, with how many stand where, or those searched for. */
export function orderList(desk: Desk): VNode {
  const { words, state } = desk;
  const { list } = state;
  const today = isToday(list.filter);
  const { items } = list;
  return h(
    "section",
    {
      class: "queue",
      "data-testid": "queue",
      "aria-busy": String(list.loading),
    },
    h(
      "div",
      { class: "queue-head" },
      h("h2", null, words.text(today ? "desk.queue" : "list.found")),
      h(
        "div",
        {
          class: "stands",
          role: "group",
          "aria-label": words.text("list.stand"),
        },
        STANDS.map((stand) => standButton(desk, stand)),
      ),
    ),
    searchForm(desk, list.filter, today),
    failed(desk, list),
    today && list.filter.stand === "all" && items && items.length > 0 && counts(desk, list, items),
    rows(desk, list),
    list.more &&
      h(
        "button",
        {
          type: "button",
          class: "button quiet wide",
          "data-testid": "list-more",
          "aria-disabled": list.loading && "true",
          onclick: () => desk.moreOfList(),
        },
        list.loading && spinner(),
        words.text("list.more"),
      ),
  );
}

function standButton(desk: Desk, stand: Stand): VNode {
  return h(
    "button",
    {
      type: "button",
      class: "stand",
      "data-testid": `list-${stand}`,
      "aria-pressed": String(desk.state.list.filter.stand === stand),
      onclick: () => desk.filter({ stand }),
    },
    desk.words.text(`list.${stand}`),
  );
}

/** One line to search in; other days than today unfold. */
function searchForm(desk: Desk, filter: Filter, today: boolean): VNode {
  const { words } = desk;
  const day = (name: "from" | "to") =>
    h(
      "label",
      { class: "day" },
      h("span", null, words.text(`list.${name}`)),
      h("input", {
        type: "date",
        name,
        "data-testid": `list-${name}`,
        value: filter[name] ?? "",
        onchange: (event: Event) => {
          const day = (event.target as HTMLInputElement).value || null;
          desk.filter(period(filter, name, day));
        },
      }),
    );
  return h(
    "form",
    {
      class: "search",
      role: "search",
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        const text = new FormData(event.target as HTMLFormElement).get("search");
        desk.search(String(text ?? ""));
      },
    },
    h(
      "div",
      { class: "search-row" },
      h("label", { class: "hidden", for: "search" }, words.text("list.find")),
      h("input", {
        id: "search",
        name: "search",
        type: "search",
        "data-testid": "list-search",
        autocomplete: "off",
        autocapitalize: "none",
        spellcheck: "false",
        enterkeyhint: "search",
        placeholder: words.text("list.hint"),
        // Back from a customer, the field says what the list is of.
        mounted: (field: HTMLInputElement) => {
          field.value = filter.search;
        },
      }),
      h(
        "button",
        {
          type: "submit",
          class: "button quiet",
          "data-testid": "list-submit",
          title: words.text("list.find"),
        },
        icon("search"),
        h("span", { class: "hidden" }, words.text("list.find")),
        kbd("search"),
      ),
    ),
    h(
      "details",
      {
        class: "other-days",
        mounted: (days: HTMLDetailsElement) => {
          days.open = Boolean(filter.from || filter.to);
        },
      },
      h("summary", { "data-testid": "list-days" }, icon("calendar"), words.text("list.days")),
      h("div", { class: "days" }, day("from"), day("to")),
    ),
    !today &&
      h(
        "button",
        {
          type: "button",
          class: "button quiet small",
          "data-testid": "list-today",
          onclick: (event: Event) => {
            (event.currentTarget as HTMLButtonElement).form?.reset();
            desk.filter({ from: null, to: null, search: "" });
          },
        },
        icon("back"),
        words.text("list.today"),
      ),
  );
}

/** From and to with one of them changed; the other gives way where they would end before they begin. */
function period({ from, to }: Filter, name: "from" | "to", day: string | null): Partial<Filter> {
  if (name === "from") return { from: day, to: day && to && to < day ? day : to };
  return { from: day && from && from > day ? day : from, to: day };
}

function counts({ words }: Desk, { more }: List, items: readonly QueueItem[]): VNode {
  const shown = STATUSES.map((status) => ({
    status,
    n: items.filter((item) => item.status === status && !isMisfit(item)).length,
  })).filter(({ n }) => n > 0);
  return h(
    "ul",
    { class: "counts", "data-testid": "counts" },
    shown.map(({ status, n }) =>
      h(
        "li",
        { class: `tag ${status}`, key: status, "data-status": status },
        icon(STATUS_ICONS[status]),
        h("strong", null, more ? `${n}+` : n),
        words.text(`status.${status}`),
      ),
    ),
  );
}

function rows(desk: Desk, { items, failed, filter }: List): Child {
  const { words } = desk;
  if (!items) {
    return (
      !failed &&
      h("p", { class: "nothing", key: "loading", role: "status" }, spinner(), words.text("loading"))
    );
  }
  if (items.length === 0) {
    const text = words.text(isToday(filter) ? "desk.empty" : "list.empty");
    return h("p", { class: "nothing", key: "empty", "data-testid": "empty" }, icon("ticket"), text);
  }
  const sorted = isToday(filter) ? byStatus(items) : items;
  return h(
    "ul",
    { class: "rows", key: "rows" },
    sorted.map((item) => h("li", { key: item.orderHash }, row(desk, item))),
  );
}

function row(desk: Desk, item: QueueItem): VNode {
  const { words } = desk;
  const at = new Date(item.deliveredAt ?? item.createdAt);
  return h(
    "div",
    {
      class: "queue-row",
      "data-testid": "queue-item",
      "data-status": item.status,
    },
    icon(familyIcon(item.tokenId)),
    h(
      "div",
      { class: "grow" },
      h("strong", null, words.goods(item)),
      h(
        "span",
        { class: "hint" },
        h("span", { class: "mono" }, item.customerAddressMasked),
        item.deliveredByName && ` · ${item.deliveredByName}`,
      ),
      exception(desk, item),
    ),
    h(
      "div",
      { class: "queue-end" },
      isMisfit(item)
        ? h("span", { class: "tag CANCELLED" }, icon("alert"), words.text("answer.exception"))
        : h(
            "span",
            { class: `tag ${item.status}` },
            icon(STATUS_ICONS[item.status]),
            words.text(`status.${item.status}`),
          ),
      h("time", { class: "hint", datetime: at.toISOString() }, words.moment(at)),
    ),
  );
}

/** Whether something was redeemed for the order after all, but not what it is for. */
function isMisfit({ status, exception: kind }: QueueItem): boolean {
  return status === "CREATED" && Boolean(kind);
}

/** Why somebody has to look at the order. */
function exception({ words }: Desk, { exception: kind }: QueueItem): Child {
  const key = `exception.${kind}`;
  return (
    kind &&
    h(
      "span",
      { class: "error with-icon", "data-testid": "exception", "data-exception": kind },
      icon("alert"),
      words.text(words.has(key) ? key : "say.exception"),
    )
  );
}

function failed(desk: Desk, { failed: notice }: List): Child {
  // The page says it already.
  if (desk.state.down && notice?.key === "login.offline") return null;
  return told(
    desk,
    notice,
    // A text that nothing can be found by is none the better for asking again.
    notice?.key !== "list.search" &&
      h(
        "button",
        {
          type: "button",
          class: "button quiet small",
          "data-testid": "reload",
          onclick: () => desk.refreshList(),
        },
        icon("refresh"),
        desk.words.text("retry"),
      ),
  );
}

function byStatus(items: readonly QueueItem[]): readonly QueueItem[] {
  return [...items].sort((a, b) => STATUSES.indexOf(a.status) - STATUSES.indexOf(b.status));
}
