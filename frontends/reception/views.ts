import { type Child, h, type VNode } from "../shared/dom.ts";
import type { Translator } from "../shared/i18n.ts";
import { familyIcon, type IconName, icon, spinner } from "../shared/icons.ts";
import { banner, languageSwitch, mark } from "../shared/parts.ts";
import type { QueueItem, ReceptionView } from "../shared/wire.ts";
import { type Answer, toneOf } from "./answer.ts";
import type { Case } from "./case.ts";
import type { Desk } from "./desk.ts";
import type { ConsoleKey } from "./messages/index.ts";
import type { Notice } from "./notice.ts";

/** The whole page for the console's present state. */
export function page(desk: Desk): Child {
  const { state } = desk;
  if (state.current && state.signedIn) return answerPage(desk, state.current);
  return [
    header(desk),
    h("main", { id: "main" }, content(desk)),
    state.camera.phase !== "off" && cameraPage(desk),
  ];
}

function down(words: Translator<ConsoleKey>): VNode {
  return h(
    "div",
    { class: "narrow center", role: "status", "data-testid": "down" },
    h("div", { class: "badge" }, icon("offline")),
    h("h1", null, words.text("down.title")),
    h("p", { class: "lead" }, words.text("down.text")),
  );
}

function content(desk: Desk): Child {
  const { state, words } = desk;
  if (!state.ready) {
    return state.down
      ? down(words)
      : h("div", { class: "narrow center" }, spinner(), h("p", null, words.text("loading")));
  }
  if (!state.signedIn) return signInPage(desk);
  if (desk.session.staff?.mustChangePassword) return passwordPage(desk);
  if (!state.site) return sitePage(desk);
  return deskPage(desk, state.site);
}

function header(desk: Desk): VNode {
  const { state, words } = desk;
  const working = state.signedIn && state.site !== null;
  return h(
    "header",
    { class: "top" },
    h(
      "span",
      { class: "brand" },
      mark(),
      h("span", { class: working ? "brand-name wide-only" : "brand-name" }, state.brand),
    ),
    working &&
      h(
        "button",
        {
          type: "button",
          class: "chip",
          "data-testid": "change-site",
          title: words.text("site.change"),
          "aria-label": `${desk.siteName(state.site ?? "")}, ${words.text("site.change")}`,
          onclick: () => desk.changeSite(),
        },
        icon("pin"),
        h("span", { class: "chip-text" }, desk.siteName(state.site ?? "")),
      ),
    h("span", { class: "grow" }),
    state.signedIn &&
      h(
        "button",
        {
          type: "button",
          class: "chip fixed",
          "data-testid": "sign-out",
          title: words.text("desk.signOut"),
          "aria-label": `${desk.session.staff?.displayName ?? ""}, ${words.text("desk.signOut")}`,
          onclick: () => desk.signOut(),
        },
        h("span", { class: "wide-only" }, desk.session.staff?.displayName ?? ""),
        icon("out"),
      ),
    languageSwitch(words.text("language"), words.language, (to) => desk.useLanguage(to)),
  );
}

function signInPage(desk: Desk): VNode {
  const { words, state } = desk;
  return h(
    "section",
    { class: "narrow sign-in", key: "sign-in" },
    h("div", { class: "badge" }, icon("user")),
    h("h1", { class: "center" }, words.text("login.title")),
    h(
      "form",
      {
        class: "card",
        onsubmit: (event: SubmitEvent) => {
          event.preventDefault();
          const form = new FormData(event.target as HTMLFormElement);
          void desk.signIn(String(form.get("username")), String(form.get("password")));
        },
      },
      told(desk, state.notice),
      input(words.text("login.username"), {
        name: "username",
        autocomplete: "username",
        autocapitalize: "none",
        spellcheck: "false",
        "data-testid": "username",
      }),
      input(words.text("login.password"), {
        name: "password",
        type: "password",
        autocomplete: "current-password",
        "data-testid": "password",
      }),
      submit("sign-in", words.text("login.action"), state.busy),
    ),
  );
}

function passwordPage(desk: Desk): VNode {
  const { words, state } = desk;
  return h(
    "section",
    { class: "narrow", key: "password" },
    h("h1", null, words.text("password.title")),
    h("p", { class: "lead" }, words.text("password.text")),
    h(
      "form",
      {
        class: "card",
        onsubmit: (event: SubmitEvent) => {
          event.preventDefault();
          const form = new FormData(event.target as HTMLFormElement);
          void desk.changePassword(String(form.get("current")), String(form.get("new")));
        },
      },
      told(desk, state.notice),
      input(words.text("password.current"), {
        name: "current",
        type: "password",
        autocomplete: "current-password",
        "data-testid": "current-password",
      }),
      input(words.text("password.new"), {
        name: "new",
        type: "password",
        autocomplete: "new-password",
        minlength: 12,
        "data-testid": "new-password",
      }),
      h("p", { class: "hint" }, words.text("password.hint")),
      submit("change-password", words.text("password.action"), state.busy),
    ),
  );
}

function sitePage(desk: Desk): VNode {
  const { words } = desk;
  const sites = desk.sites();
  return h(
    "section",
    { class: "narrow", key: "site", "data-testid": "site" },
    h("h1", null, words.text("site.title")),
    h("p", { class: "lead" }, words.text(sites.length > 0 ? "site.text" : "site.none")),
    h(
      "ul",
      { class: "rows" },
      sites.map((site) =>
        h(
          "li",
          null,
          h(
            "button",
            {
              type: "button",
              class: "row-button",
              "data-testid": `site-${site.siteId}`,
              onclick: () => desk.chooseSite(site.siteId),
            },
            icon("pin"),
            h("span", { class: "grow" }, words.pick(site.name)),
            icon("next"),
          ),
        ),
      ),
    ),
  );
}

function deskPage(desk: Desk, site: string): VNode {
  const { state, words } = desk;
  return h(
    "section",
    { class: "desk", key: "desk" },
    h(
      "div",
      { class: "desk-check" },
      h("h1", { class: "hidden" }, `${words.text("title")} · ${desk.siteName(site)}`),
      h(
        "button",
        {
          type: "button",
          class: "button primary scan",
          "data-testid": "camera",
          onclick: () => desk.openCamera(),
        },
        icon("scan"),
        words.text("desk.scan"),
      ),
      h(
        "form",
        {
          class: "card",
          onsubmit: (event: SubmitEvent) => {
            event.preventDefault();
            void desk.check(state.code, "typed");
          },
        },
        h(
          "div",
          { class: "field" },
          h("label", { for: "code" }, words.text("desk.code")),
          h(
            "div",
            { class: "code-row" },
            h("input", {
              id: "code",
              class: "mono",
              "data-testid": "code",
              autocomplete: "off",
              autocapitalize: "characters",
              spellcheck: "false",
              placeholder: "XXXX XXXX XXXX XXXX",
              "aria-describedby": "code-hint",
              value: state.code,
              oninput: (event: Event) => desk.type((event.target as HTMLInputElement).value),
            }),
            h(
              "button",
              { type: "submit", class: "button quiet", "data-testid": "check" },
              words.text("desk.check"),
            ),
          ),
          h("p", { class: "hint", id: "code-hint" }, words.text("desk.hint")),
        ),
        told(desk, state.notice),
      ),
    ),
    queue(desk),
  );
}

function queue(desk: Desk): VNode {
  const { state, words } = desk;
  const today = new Date().toDateString();
  const items = state.list.items?.filter((item) =>
    [item.createdAt, item.deliveredAt].some((at) => at && new Date(at).toDateString() === today),
  );
  return h(
    "section",
    { class: "queue", "data-testid": "queue" },
    h(
      "div",
      { class: "queue-head" },
      h("h2", null, words.text("desk.queue")),
      h(
        "button",
        {
          type: "button",
          class: "button quiet small",
          "aria-label": words.text("desk.refresh"),
          title: words.text("desk.refresh"),
          onclick: () => desk.refreshList(),
        },
        icon("refresh"),
      ),
    ),
    told(desk, state.list.failed),
    items?.length === 0 && h("p", { class: "hint" }, words.text("desk.empty")),
    h(
      "ul",
      { class: "rows" },
      items?.map((item) => h("li", { key: item.orderHash }, queueRow(desk, item))),
    ),
    state.list.more &&
      h(
        "button",
        { type: "button", class: "button quiet wide", onclick: () => desk.moreOfList() },
        words.text("desk.more"),
      ),
  );
}

function queueRow(desk: Desk, item: QueueItem): VNode {
  const { words } = desk;
  const at = new Date(item.deliveredAt ?? item.createdAt);
  return h(
    "div",
    { class: "queue-row", "data-testid": "queue-item", "data-status": item.status },
    icon(familyIcon(item.tokenId)),
    h(
      "div",
      { class: "grow" },
      h("strong", null, words.goods(item)),
      h("span", { class: "hint mono" }, item.customerAddressMasked),
    ),
    h(
      "div",
      { class: "queue-end" },
      h("span", { class: `tag ${item.status}` }, words.text(`status.${item.status}`)),
      h("span", { class: "hint" }, words.moment(at)),
    ),
  );
}

function cameraPage(desk: Desk): VNode {
  const { state, words } = desk;
  const { phase, torch, cameras, deviceId } = state.camera;
  const trouble = phase === "on" || phase === "starting" || phase === "off" ? null : phase;
  return h(
    "dialog",
    {
      class: "camera",
      key: "camera",
      "data-testid": "camera-view",
      "data-camera": phase,
      "aria-label": words.text("desk.scan"),
      mounted: (dialog: HTMLDialogElement) => dialog.showModal(),
      oncancel: () => desk.stopCamera(),
    },
    h("video", {
      muted: true,
      playsinline: true,
      mounted: (video: HTMLVideoElement) => desk.runCamera(video),
    }),
    h("div", { class: "viewfinder", "aria-hidden": "true" }),
    h(
      "p",
      { class: "camera-text", role: "status" },
      words.text(
        trouble ? `camera.${trouble}` : phase === "starting" ? "camera.starting" : "camera.title",
      ),
    ),
    h(
      "div",
      { class: "camera-buttons" },
      trouble &&
        h(
          "button",
          {
            type: "button",
            class: "button quiet",
            "data-testid": "camera-retry",
            onclick: () => desk.scanner.retry(),
          },
          icon("refresh"),
          words.text("retry"),
        ),
      cameras.length > 1 &&
        h(
          "select",
          {
            class: "button quiet",
            "data-testid": "camera-choice",
            "aria-label": words.text("camera.choice"),
            value: deviceId,
            onchange: (event: Event) =>
              desk.scanner.choose((event.target as HTMLSelectElement).value),
          },
          cameras.map(({ deviceId, label }) => h("option", { value: deviceId }, label)),
        ),
      torch !== null &&
        h(
          "button",
          {
            type: "button",
            class: "button quiet",
            "aria-pressed": String(torch),
            onclick: () => desk.scanner.switchTorch(),
          },
          icon("torch"),
          words.text("camera.torch"),
        ),
      h(
        "button",
        {
          type: "button",
          class: "button quiet",
          "data-testid": "camera-cancel",
          onclick: () => desk.stopCamera(),
        },
        words.text("cancel"),
      ),
    ),
  );
}

const ICONS: Readonly<Record<Answer, IconName | null>> = {
  checking: null,
  deliverable: "check",
  done: "check",
  waiting: "clock",
  "not-burned": "wallet",
  delivered: "cross",
  expired: "cross",
  "expiry-check": "clock",
  cancelled: "cross",
  "wrong-site": "pin",
  unknown: "question",
  foreign: "question",
  exception: "alert",
  offline: "offline",
  sending: null,
  unsure: "alert",
  refused: "cross",
};

function answerPage(desk: Desk, current: Case): VNode {
  const { words } = desk;
  const { answer, view } = current;
  const deliverable = answer === "deliverable";
  return h(
    "main",
    {
      class: `answer ${toneOf(answer)}`,
      key: "answer",
      "data-testid": "answer",
      "data-state": answer,
    },
    h(
      "div",
      { class: "answer-head", role: "status", "aria-live": "assertive" },
      h(
        "div",
        { class: "answer-icon" },
        ICONS[answer] ? icon(ICONS[answer] as IconName) : spinner(),
      ),
      h("h1", { "data-testid": "answer-title" }, words.text(`answer.${answer}`)),
      h("p", { class: "answer-say" }, say(desk, current)),
      told(desk, current.notice),
    ),
    view && answer !== "offline" && about(desk, view),
    h(
      "div",
      { class: "answer-foot" },
      deliverable && deliveryForm(desk, current),
      answer !== "sending" &&
        h(
          "button",
          {
            type: "button",
            key: "next",
            class: deliverable ? "button on-color quiet-color" : "button on-color",
            "data-testid": "next",
            mounted: (button: HTMLButtonElement) => !deliverable && button.focus(),
            onclick: () => desk.next(),
          },
          words.text(deliverable ? "cancel" : "next"),
        ),
    ),
  );
}

function deliveryForm(desk: Desk, current: Case): VNode {
  const { words } = desk;
  return h(
    "form",
    {
      class: "deliver",
      key: "deliver",
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        void desk.deliver();
      },
    },
    h(
      "label",
      { class: "note" },
      h("span", null, words.text("deliver.note")),
      h("input", {
        "data-testid": "note",
        maxlength: 500,
        autocomplete: "off",
        value: current.note,
        oninput: (event: Event) => desk.editNote((event.target as HTMLInputElement).value),
      }),
    ),
    h(
      "button",
      {
        type: "submit",
        class: "button on-color big",
        "data-testid": "deliver",
        mounted: (button: HTMLButtonElement) => button.focus(),
      },
      icon("check"),
      words.text("deliver.action"),
    ),
  );
}

function say(desk: Desk, current: Case): string {
  const { words } = desk;
  const { answer, view, delivery, notice } = current;
  switch (answer) {
    case "checking":
      return "";
    case "waiting": {
      const { confirmations = 0, required = 0 } = view?.chain ?? {};
      const n = Math.min(confirmations, required);
      const key = required > 0 && n >= required ? "say.finality" : "say.waiting";
      return words.text(key, { n, required });
    }
    case "delivered":
      return deliveredText(desk, current);
    case "done":
      return delivery?.entitledUntil
        ? words.text("say.until", { time: words.moment(new Date(delivery.entitledUntil * 1000)) })
        : words.text("say.done");
    case "wrong-site":
      return words.text("say.wrong-site", { site: desk.siteName(view?.siteId ?? "") });
    case "foreign":
      return notice ? "" : words.text("parse.foreign");
    case "refused":
      return view?.reason ? words.pick(view.reason.message) : "";
    default:
      return words.text(`say.${answer}`);
  }
}

function deliveredText(desk: Desk, { view, delivery }: Case): string {
  const { words } = desk;
  const [at, by, site] = delivery
    ? [delivery.deliveredAt, delivery.deliveredByName, delivery.deliveredSite]
    : [view?.delivered?.at, view?.delivered?.byName, view?.delivered?.site];
  return words.text(delivery ? "say.already" : "say.delivered", {
    time: at ? words.moment(new Date(at)) : "?",
    by: by ?? "?",
    site: desk.siteName(site ?? ""),
  });
}

function about(desk: Desk, view: ReceptionView): VNode {
  const { words } = desk;
  const row = (key: ConsoleKey, value: string | null | undefined) =>
    value ? [h("dt", null, words.text(key)), h("dd", null, value)] : null;
  return h(
    "div",
    { class: "answer-card" },
    h(
      "div",
      { class: "answer-service" },
      icon(familyIcon(view.tokenId)),
      h("strong", { "data-testid": "service" }, words.goods(view)),
    ),
    h(
      "dl",
      null,
      row("meta.aiAccount", view.customerMeta?.aiAccount),
      row("meta.jobProvider", view.customerMeta?.jobProvider),
      row("detail.note", view.delivered?.note),
      row("detail.customer", view.customerAddressMasked),
    ),
  );
}

function input(label: string, props: Record<string, unknown>): VNode {
  const id = `field-${props.name}`;
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    h("input", { id, required: true, ...props }),
  );
}

function submit(testid: string, label: string, busy: boolean): VNode {
  return h(
    "button",
    { type: "submit", class: "button primary wide", "data-testid": testid, disabled: busy },
    busy && spinner(),
    label,
  );
}

function told(desk: Desk, notice: Notice | null): Child {
  return notice && banner("warn", notice.key, desk.words.text(notice.key, notice.values));
}
