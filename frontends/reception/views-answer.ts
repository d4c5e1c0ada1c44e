import { type Child, h, type VNode } from "../shared/dom.ts";
import { familyIcon, type IconName, icon, spinner } from "../shared/icons.ts";
import { groupCode, type OtherCode } from "../shared/order-code.ts";
import type { ReceptionView } from "../shared/wire.ts";
import { type Answer, toneOf } from "./answer.ts";
import type { Case } from "./case.ts";
import type { Desk } from "./desk.ts";
import type { ConsoleKey } from "./messages/index.ts";
import type { Notice } from "./notice.ts";
import { inWords, kbd, place, told } from "./views-parts.ts";

const ICONS: Readonly<Record<Answer, IconName | null>> = {
  checking: null,
  deliverable: "check",
  done: "done",
  waiting: "clock",
  "not-burned": "wallet",
  delivered: "again",
  "delivered-reorged": "alert",
  expired: "late",
  "expiry-check": "clock",
  cancelled: "cross",
  "wrong-site": "pin",
  unknown: "question",
  foreign: "foreign",
  exception: "alert",
  offline: "offline",
  sending: null,
  unsure: "question",
  refused: "hand",
};

const FOREIGN_ICONS: Readonly<Partial<Record<OtherCode, IconName>>> = {
  address: "wallet",
  request: "wallet",
  connect: "wallet",
  payment: "bank",
  wifi: "wifi",
  contact: "user",
  url: "link",
};

/** The answer to one code: it fills the screen, and says the same in colour, shape and words. */
export function answerPage(desk: Desk, current: Case): VNode {
  const { answer, view } = current;
  return h(
    "main",
    {
      class: `answer ${toneOf(answer)}`,
      key: "answer",
      "data-screen": "answer",
      "data-testid": "answer",
      "data-state": answer,
    },
    h(
      "div",
      { class: "answer-bar" },
      icon("pin"),
      h("span", { class: "grow" }, place(desk.siteName(desk.state.site ?? ""))),
      current.orderId && h("span", { class: "mono" }, groupCode(current.orderId)),
      pressCount(desk),
    ),
    h(
      "div",
      { class: "answer-head", role: "status", "aria-live": "assertive" },
      sign(current),
      h("h1", { "data-testid": "answer-title" }, desk.words.text(titleOf(current))),
      h("p", { class: "answer-say", "data-notice": saidBy(current)?.key }, say(desk, current)),
      isIncident(answer) && toTell(desk, "tell.administrator"),
      answer === "exception" &&
        toTell(desk, "tell.title", h("q", null, desk.words.text("tell.exception"))),
    ),
    h(
      "div",
      { class: "answer-side" },
      told(desk, noticeOf(current)),
      view && about(desk, current, view),
      isWritten(current) && noteForm(desk, current),
    ),
    h("div", { class: "answer-foot" }, actions(desk, current)),
  );
}

function titleOf({ answer, notice }: Case): ConsoleKey {
  return notice?.key === "wedge.inputMethod" ? "answer.unreadable" : `answer.${answer}`;
}

/** Whether an administrator has to put it right, and finds it by the reference. */
function isIncident(answer: Answer): boolean {
  return answer === "exception" || answer === "delivered-reorged";
}

/** Whether there is a note to write; what was begun goes on while the network is away. */
function isWritten({ answer, view }: Case): boolean {
  return answer === "deliverable" || (answer === "offline" && view?.deliverable === true);
}

/** Answers that turn into another one by themselves: staying is better than going on. */
const PASSING: readonly Answer[] = ["waiting", "not-burned", "expiry-check", "offline"];

function actions(desk: Desk, { answer, method, seen }: Case): Child {
  if (answer === "sending") return null;
  if (answer === "deliverable") return [deliverButton(desk, seen), backButton(desk)];
  if (answer === "checking") return backButton(desk);
  return nextButton(desk, method, answer);
}

/** How many earlier deliveries are not confirmed: the present customer must not hide them. */
function pressCount({ state, words }: Desk): Child {
  const n = state.presses.filter((one) => !one.outcome && one.key !== state.current?.press?.key);
  return (
    n.length > 0 &&
    h("span", { class: "press-count" }, icon("send"), words.text("presses.short", { n: n.length }))
  );
}

/** A circle for go, a stop sign for stop, a ring that fills for wait: told apart without colour. */
function sign(current: Case): VNode {
  const { answer, view, notice } = current;
  const { confirmations = 0, required = 0 } = view?.chain ?? {};
  if (answer === "waiting" && required > 0)
    return ring(Math.min(confirmations, required), required);
  const name = answer === "foreign" ? foreignIcon(notice?.key) : ICONS[answer];
  return h("div", { class: "answer-sign", key: answer }, name ? icon(name) : spinner());
}

function foreignIcon(key: string | undefined): IconName {
  return FOREIGN_ICONS[key?.replace("parse.", "") as OtherCode] ?? "foreign";
}

function ring(done: number, of: number): VNode {
  const circle = (name: string, more: Record<string, unknown> = {}) =>
    h("circle", {
      class: name,
      cx: 50,
      cy: 50,
      r: 43,
      pathLength: of,
      ...more,
    });
  return h(
    "div",
    { class: "answer-sign ring", key: "ring" },
    h(
      "svg",
      { viewBox: "0 0 100 100", "aria-hidden": "true", focusable: "false" },
      circle("ring-track"),
      circle("ring-done", { "stroke-dasharray": `${done} ${of}` }),
      circle("ring-turn", { "stroke-dasharray": `${of / 12} ${of}` }),
    ),
    h("strong", { "data-testid": "confirmations" }, `${done}/${of}`),
  );
}

/**
 * What else there is to say. On a green, what the order was when the last press was refused is over,
 * but that the press does not count is not; other reasons may refuse the next one too.
 */
function noticeOf(current: Case): Notice | null {
  const { answer, notice } = current;
  if (!notice || saidBy(current)) return null;
  const { refusal } = notice;
  if (answer !== "deliverable" || !refusal) return notice;
  const isOver = refusal.code.startsWith("ORDER_");
  return { key: "deliver.again", ...(isOver ? {} : { refusal }) };
}

/** The notice that this answer itself says in full. */
function saidBy({ answer, notice }: Case): Notice | null {
  return answer === "foreign" || notice?.key === "say.refused" ? notice : null;
}

function say(desk: Desk, current: Case): string {
  const { words } = desk;
  const said = saidBy(current);
  if (said) return inWords(desk, said);
  const { answer, view, delivery, press } = current;
  switch (answer) {
    case "checking":
      return "";
    case "unsure": {
      const other = press && press.username !== desk.session.staff?.username;
      if (!other) return words.text("say.unsure");
      const time = words.moment(new Date(press.pressedAt));
      return words.text("say.unsure-other", { by: press.displayName, time });
    }
    case "waiting": {
      const { confirmations = 0, required = 0 } = view?.chain ?? {};
      const n = Math.min(confirmations, required);
      const key = required > 0 && n >= required ? "say.finality" : "say.waiting";
      return words.text(key, { n, required });
    }
    case "delivered":
      return words.text(delivery ? "say.already" : "say.delivered");
    case "delivered-reorged":
      return `${words.text("say.delivered")} ${words.text("exception.DELIVERED_REORGED")}`;
    case "done":
      return delivery?.entitledUntil
        ? words.text("say.until", {
            time: words.moment(new Date(delivery.entitledUntil * 1000)),
          })
        : words.text("say.done");
    case "not-burned":
      return words.text("say.not-burned", {
        time: words.moment(new Date((view?.expiresAt ?? 0) * 1000)),
      });
    case "wrong-site":
      return words.text("say.wrong-site", {
        site: desk.siteName(view?.siteId ?? ""),
      });
    case "exception": {
      const key = `exception.${view?.exception}`;
      return `${words.text("answer.refused")}. ${words.text(words.has(key) ? key : "say.exception")}`;
    }
    case "foreign":
    case "refused":
      return view?.reason ? words.pick(view.reason.message) : "";
    default:
      return words.text(`say.${answer}`);
  }
}

function toTell({ words }: Desk, key: ConsoleKey, ...what: Child[]): VNode {
  return h(
    "div",
    { class: "answer-tell", "data-testid": "tell" },
    h("strong", null, words.text(key)),
    what,
  );
}

function about(desk: Desk, { answer, delivery }: Case, view: ReceptionView): VNode {
  const { words } = desk;
  const { aiAccount, jobProvider } = view.customerMeta ?? {};
  const isDelivered = answer === "delivered" || answer === "delivered-reorged";
  const first = isDelivered ? handedOver(delivery, view) : null;
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
      first && [
        fact(desk, "detail.when", words.moment(new Date(first.at)), "big"),
        fact(desk, "detail.by", first.by, "big"),
        fact(desk, "detail.where", desk.siteName(first.site), "big line"),
        fact(desk, "detail.note", first.note, "line"),
      ],
      fact(desk, "meta.aiAccount", aiAccount, "big line"),
      fact(desk, "meta.jobProvider", jobProvider, "big line"),
      fact(desk, "detail.customer", view.customerAddressMasked),
      isIncident(answer) && fact(desk, "detail.reference", view.orderHash.slice(0, 10)),
    ),
  );
}

function fact(desk: Desk, key: ConsoleKey, value: string | undefined, more = ""): Child {
  if (!value) return null;
  return h(
    "div",
    { class: `fact ${more}` },
    h("dt", null, desk.words.text(key)),
    h("dd", null, value),
  );
}

function handedOver(delivery: Case["delivery"], { delivered }: ReceptionView) {
  if (!delivery) return delivered && { ...delivered, by: delivered.byName };
  const { deliveredAt, deliveredByName, deliveredSite } = delivery;
  return {
    at: deliveredAt,
    by: deliveredByName,
    site: deliveredSite,
    note: delivered?.note ?? "",
  };
}

function noteForm(desk: Desk, { note }: Case): VNode {
  const { words } = desk;
  return h(
    "form",
    {
      id: "deliver",
      key: "deliver",
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        desk.deliver();
      },
    },
    h(
      "label",
      { class: "note" },
      icon("note"),
      h("span", { class: "hidden" }, words.text("deliver.note")),
      h("input", {
        "data-testid": "note",
        maxlength: 500,
        autocomplete: "off",
        placeholder: words.text("deliver.note"),
        value: note,
        oninput: (event: Event) => desk.editNote((event.target as HTMLInputElement).value),
      }),
    ),
  );
}

function deliverButton({ words }: Desk, seen: boolean): VNode {
  return h(
    "button",
    {
      type: "submit",
      form: "deliver",
      key: "deliver",
      class: "button on-color big",
      "data-testid": "deliver",
      // Not `disabled`, which would take the focus away.
      "aria-disabled": !seen && "true",
      mounted: focus,
      // The second tap of a double tap was meant for what was here before.
      onclick: (event: MouseEvent) => {
        if (event.detail > 1) event.preventDefault();
      },
    },
    icon("check"),
    words.text("deliver.action"),
    kbd("Enter"),
  );
}

function backButton(desk: Desk): VNode {
  return h(
    "button",
    {
      type: "button",
      key: "back",
      class: "button on-color quiet-color",
      "data-testid": "next",
      onclick: () => desk.next(),
    },
    desk.words.text("back"),
    kbd("next"),
  );
}

function nextButton(desk: Desk, method: Case["method"], answer: Answer): VNode {
  const quiet = PASSING.includes(answer);
  // The customer is still there, and looks for another code.
  const same = answer === "foreign" || answer === "unknown";
  return h(
    "button",
    {
      type: "button",
      key: `next ${quiet}`,
      class: quiet ? "button on-color quiet-color" : "button on-color big",
      "data-testid": "next",
      mounted: focus,
      // The second tap of a double tap on "deliver" must not take the answer away unseen.
      onclick: (event: MouseEvent) => event.detail < 2 && proceed(desk, method),
    },
    icon(same ? "scan" : "next"),
    desk.words.text(same ? "again" : "next"),
    kbd("next"),
  );
}

/**
 * Enter is enough from here, except for who writes a note: the next key would press. The answer
 * stays in view on screens that are too small for all.
 */
function focus(button: HTMLButtonElement): void {
  if (document.activeElement instanceof HTMLInputElement) return;
  button.focus({ preventScroll: true });
}

/** On to the next customer, with the camera open again for those who scan with it. */
function proceed(desk: Desk, method: Case["method"]): void {
  desk.next();
  if (method === "camera") desk.openCamera();
}
