import type { Localised } from "./wire.ts";

/** The languages of the product. */
export const LANGUAGES = ["vi", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Every text of one application: key to text, the same keys in each language. */
export type Messages<Key extends string> = Readonly<
  Record<Language, Readonly<Record<Key, string>>>
>;

/** An order's amount and service; the service is null where the catalogue no longer has it. */
export interface Goods {
  readonly amount: number;
  readonly tokenId: number;
  readonly service: { readonly name: Localised } | null;
}

const STORED = "5sov.language";

/** The stored choice, else the first language of the system that we speak, else English. */
export function pickLanguage(stored: string | null, system: readonly string[]): Language {
  for (const wish of [stored ?? "", ...system]) {
    const spoken = LANGUAGES.find((language) => wish.toLowerCase().split("-")[0] === language);
    if (spoken) return spoken;
  }
  return "en";
}

/** Texts, numbers and times in the language of the reader. */
export class Translator<Key extends string> {
  language: Language;

  constructor(private readonly messages: Messages<Key>) {
    this.language = pickLanguage(localStorage.getItem(STORED), navigator.languages);
    document.documentElement.lang = this.language;
  }

  use(language: Language): void {
    this.language = language;
    localStorage.setItem(STORED, language);
    document.documentElement.lang = language;
  }

  /** The text of `key`, each `{name}` in it replaced from `values`. */
  text(key: Key, values: Readonly<Record<string, string | number>> = {}): string {
    return fill(this.messages[this.language][key], values);
  }

  /** A text that came from the API in both languages. */
  pick(text: Localised): string {
    return text[this.language] || text.en || text.vi;
  }

  /** How many of which service, as on a bill. */
  goods(order: Goods): string {
    const name = order.service ? this.pick(order.service.name) : `#${order.tokenId}`;
    return `${order.amount} × ${name}`;
  }

  /** Time of day, with the date in front unless it is today. */
  moment(when: Date): string {
    const today = new Date().toDateString() === when.toDateString();
    return new Intl.DateTimeFormat(this.language, {
      hour: "2-digit",
      minute: "2-digit",
      ...(today ? {} : { day: "2-digit", month: "2-digit", year: "numeric" }),
    }).format(when);
  }
}

/** `text` with each `{name}` replaced by its value; an unknown name stays as it is. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
