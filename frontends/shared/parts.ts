import { type Child, h, type VNode } from "./dom.ts";
import { LANGUAGES, type Language } from "./i18n.ts";
import { type IconName, icon } from "./icons.ts";

/** The product's mark: five slips fanned into a ticket. */
export function mark(): VNode {
  return h(
    "svg",
    { class: "mark", viewBox: "0 0 32 32", "aria-hidden": "true", focusable: "false" },
    h("rect", { class: "mark-back", width: 32, height: 32, rx: 9 }),
    h("path", {
      class: "mark-front",
      d: "M7 11a2 2 0 0 1 2-2h14a2 2 0 0 1 2 2v2.6a2.4 2.4 0 0 0 0 4.8V21a2 2 0 0 1-2 2H9a2 2 0 0 1-2-2v-2.6a2.4 2.4 0 0 0 0-4.8z",
    }),
    h("path", { class: "mark-line", d: "M12.5 16.2l2.5 2.5 4.8-5" }),
  );
}

/** Vietnamese or English, one tap. */
export function languageSwitch(
  label: string,
  current: Language,
  choose: (language: Language) => void,
): VNode {
  return h(
    "div",
    { class: "languages", role: "group", "aria-label": label },
    LANGUAGES.map((language) =>
      h(
        "button",
        {
          type: "button",
          lang: language,
          class: "language",
          "aria-pressed": String(language === current),
          "data-testid": `language-${language}`,
          title: language === "vi" ? "Tiếng Việt" : "English",
          onclick: () => choose(language),
        },
        language.toUpperCase(),
      ),
    ),
  );
}

/** A message that stands out, announced when it appears; `key` names its text for tests. */
export function banner(
  tone: "info" | "warn" | "bad",
  key: string,
  text: string,
  ...more: Child[]
): VNode {
  const name: IconName = tone === "info" ? "info" : "alert";
  return h(
    "div",
    { class: `banner ${tone}`, role: "alert", "data-testid": "notice", "data-notice": key },
    icon(name),
    h("p", null, text),
    more,
  );
}

/** Only http and https addresses become links; anything else shows nothing. */
export function outsideLink(url: string | null | undefined, ...content: Child[]): Child {
  if (!url || !/^https?:\/\//.test(url)) return null;
  return h(
    "a",
    { href: url, target: "_blank", rel: "noopener noreferrer", class: "link" },
    content,
  );
}
