import { h, render } from "./dom.ts";
import { icon } from "./icons.ts";

const TEXTS = [
  ["vi", "Chưa mở được trang này", "Chưa có gì bị mất. Hãy kiểm tra mạng rồi thử lại.", "Thử lại"],
  [
    "en",
    "This page could not be opened",
    "Nothing was lost. Please check your connection and try again.",
    "Try again",
  ],
] as const;

/** Says in every language that the site's own files could not be loaded, and offers a reload. */
export function showBroken(root: Element): void {
  render(
    root,
    h(
      "main",
      { id: "main", class: "narrow center", "data-testid": "down", "data-screen": "broken" },
      h("div", { class: "badge" }, icon("offline")),
      TEXTS.map(([lang, title, text, retry], at) => [
        h(at === 0 ? "h1" : "h2", { lang }, title),
        h("p", { lang, class: "lead" }, text),
        h(
          "button",
          { type: "button", lang, class: "button primary", onclick: () => location.reload() },
          retry,
        ),
      ]),
    ),
  );
}
