import { h, type VNode } from "../shared/dom.ts";
import { icon } from "../shared/icons.ts";
import type { Desk } from "./desk.ts";
import { kbd } from "./views-parts.ts";

const CODE_LENGTH = 16;
const SPACES = /[\s-]+/g;

/** A text field's content and where its caret stands. */
export interface Typed {
  readonly text: string;
  readonly caret: number;
}

/**
 * What was typed in groups of four, its caret behind the same character as before.
 *
 * Anything that cannot be the start of a code (a scanned payload, an address, a whole order id) is
 * left as it is. `before` is what stood there before: deleting the gap between two groups deletes
 * the character in front of it, as the gap would only come back.
 */
export function inFours(before: string, typed: Typed): Typed {
  let code = typed.text.replace(SPACES, "");
  if (code.length > CODE_LENGTH || !/^[0-9a-z]*$/i.test(code)) return typed;
  let at = typed.text.slice(0, typed.caret).replace(SPACES, "").length;
  const onlyGapGone =
    before.length === typed.text.length + 1 && before.replace(SPACES, "") === code;
  if (onlyGapGone && at > 0) {
    at -= 1;
    code = code.slice(0, at) + code.slice(at + 1);
  }
  const text = (code.toUpperCase().match(/.{1,4}/g) ?? []).join(" ");
  const gaps = at === code.length ? Math.ceil(at / 4) - 1 : Math.floor(at / 4);
  return { text, caret: at + Math.max(0, gaps) };
}

/** Where a code is typed or pasted; Enter checks it. */
export function codeForm(desk: Desk): VNode {
  const { state, words } = desk;
  const typed = state.code.replace(SPACES, "").length;
  return h(
    "form",
    {
      class: "card code-card",
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        void desk.check(state.code, "typed");
      },
    },
    h(
      "div",
      { class: "field" },
      h("label", { for: "code" }, words.text("desk.code"), kbd("code")),
      h(
        "div",
        { class: "code-row" },
        h("input", {
          id: "code",
          class: "mono",
          "data-testid": "code",
          autocomplete: "off",
          autocapitalize: "characters",
          autocorrect: "off",
          spellcheck: "false",
          enterkeyhint: "go",
          placeholder: "XXXX XXXX XXXX XXXX",
          "aria-describedby": "code-hint",
          value: state.code,
          mounted: (field: HTMLInputElement) => {
            // On a phone the focus would bring up the keyboard over everything else.
            if (matchMedia("(pointer: fine)").matches) field.focus({ preventScroll: true });
          },
          oninput: (event: Event) => {
            const field = event.target as HTMLInputElement;
            const { text, caret } = inFours(state.code, {
              text: field.value,
              caret: field.selectionStart ?? field.value.length,
            });
            if (text !== field.value) {
              field.value = text;
              field.setSelectionRange(caret, caret);
            }
            desk.type(text);
          },
        }),
        h(
          "button",
          {
            type: "submit",
            class: typed >= CODE_LENGTH ? "button primary" : "button quiet",
            "data-testid": "check",
          },
          words.text("desk.check"),
        ),
      ),
      h(
        "p",
        { class: "hint with-icon", id: "code-hint" },
        icon("keyboard"),
        words.text("desk.hint"),
      ),
    ),
  );
}
