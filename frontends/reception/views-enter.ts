import { type Child, h, type VNode } from "../shared/dom.ts";
import { icon, spinner } from "../shared/icons.ts";
import type { Desk } from "./desk.ts";
import { place, told } from "./views-parts.ts";
import { pressesWaiting } from "./views-presses.ts";

/** Who is at the desk. */
export function signInPage(desk: Desk): VNode {
  const { words, state } = desk;
  return h(
    "section",
    { class: "narrow sign-in" },
    h("div", { class: "badge" }, icon("user")),
    h("h1", { class: "center" }, words.text("login.title")),
    pressesWaiting(desk),
    h(
      "form",
      {
        class: "card",
        onsubmit: (event: SubmitEvent) => {
          const form = sent(event);
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
      secret(desk, words.text("login.password"), {
        name: "password",
        autocomplete: "current-password",
        "data-testid": "password",
      }),
      submit("sign-in", words.text("login.action"), state.busy),
    ),
    h("p", { class: "hint with-icon" }, icon("shield"), words.text("login.shared")),
  );
}

/** The password that came from somebody else is replaced before anything else. */
export function passwordPage(desk: Desk): VNode {
  const { words, state, session } = desk;
  return h(
    "section",
    { class: "narrow" },
    h("div", { class: "badge" }, icon("access")),
    h("h1", { class: "center" }, words.text("password.title")),
    h("p", { class: "lead center" }, words.text("password.text")),
    h(
      "form",
      {
        class: "card",
        onsubmit: (event: SubmitEvent) => {
          const form = sent(event);
          void desk.changePassword(String(form.get("current")), String(form.get("new")));
        },
      },
      told(desk, state.notice),
      // Password managers save the new password under this name.
      h("input", {
        class: "hidden",
        autocomplete: "username",
        value: session.staff?.username ?? "",
        tabindex: -1,
        "aria-hidden": "true",
        readonly: true,
      }),
      secret(desk, words.text("password.current"), {
        name: "current",
        autocomplete: "current-password",
        "data-testid": "current-password",
      }),
      secret(desk, words.text("password.new"), {
        name: "new",
        autocomplete: "new-password",
        minlength: 12,
        "aria-describedby": "password-rules",
        "data-testid": "new-password",
      }),
      h(
        "ul",
        { class: "rules hint", id: "password-rules" },
        (["password.rule.length", "password.rule.other", "password.rule.name"] as const).map(
          (key) => h("li", null, words.text(key)),
        ),
      ),
      submit("change-password", words.text("password.action"), state.busy),
    ),
  );
}

/** At which desk, for who serves several sites. */
export function sitePage(desk: Desk): VNode {
  const { words, state } = desk;
  const sites = desk.sites();
  const none = sites.length === 0;
  return h(
    "section",
    { class: "narrow", "data-testid": "site" },
    h("div", { class: "badge" }, icon("pin")),
    h("h1", { class: "center" }, words.text(none ? "site.none" : "site.title")),
    h("p", { class: "lead center" }, words.text(none ? "site.ask" : "site.text")),
    // With no other site there is none to choose.
    told(desk, none && state.notice?.key === "site.taken" ? null : state.notice),
    none && [
      h(
        "button",
        {
          type: "button",
          class: "button primary wide",
          "data-testid": "look-for-sites",
          "aria-disabled": state.busy && "true",
          onclick: () => desk.lookForSites(),
        },
        state.busy ? spinner() : icon("refresh"),
        words.text("retry"),
      ),
      h(
        "button",
        {
          type: "button",
          class: "button quiet wide",
          onclick: () => desk.signOut(),
        },
        icon("out"),
        words.text("desk.signOut"),
      ),
    ],
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
            h("span", { class: "grow" }, place(words.pick(site.name))),
            icon("next"),
          ),
        ),
      ),
    ),
  );
}

function sent(event: SubmitEvent): FormData {
  event.preventDefault();
  return new FormData(event.target as HTMLFormElement);
}

function input(label: string, props: Record<string, unknown>, ...more: Child[]): VNode {
  const id = `field-${props.name}`;
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    h("div", { class: "with-button" }, h("input", { id, required: true, ...props }), more),
  );
}

/** A password, which can be looked at: typing it blind on a phone locks people out. */
function secret({ words }: Desk, label: string, props: Record<string, unknown>): VNode {
  const look = (event: Event) => {
    const button = event.currentTarget as HTMLButtonElement;
    const field = button.previousElementSibling as HTMLInputElement;
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  };
  return input(
    label,
    { type: "password", ...props },
    h(
      "button",
      {
        type: "button",
        class: "look",
        "aria-pressed": "false",
        "aria-label": words.text("password.show"),
        title: words.text("password.show"),
        onclick: look,
      },
      icon("eye"),
    ),
  );
}

function submit(testid: string, label: string, busy: boolean): VNode {
  return h(
    "button",
    {
      type: "submit",
      class: "button primary wide",
      "data-testid": testid,
      // Not `disabled`, which would take the focus away.
      "aria-disabled": busy && "true",
    },
    busy && spinner(),
    label,
  );
}
