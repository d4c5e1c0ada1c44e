import { Kept } from "./storage.ts";
import type { Localised } from "./wire.ts";

/** The languages of the product. */
export const LANGUAGES = ["vi", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

/** How dates are written: English with the day first and 24 hours, as Vietnam writes them. */
const LOCALES: Readonly<Record<Language, string>> = { vi: "vi-VN", en: "en-GB" };

/** The texts of one application in one language, by key. */
export type Texts<Key extends string> = Readonly<Record<Key, string>>;

/** Loads the texts of each language; all have the same keys. */
export type Catalogues<Key extends string> = Readonly<
  Record<Language, () => Promise<{ readonly texts: Texts<Key> }>>
>;

/** An order's amount and service; the service is null where the catalogue no longer has it. */
export interface Goods {
  readonly amount: number;
  readonly tokenId: number;
  readonly service: { readonly name: Localised } | null;
}

const chosen = new Kept<string | null>(() => localStorage, "5sov.language", null);

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
  private constructor(
    private readonly catalogues: Catalogues<Key>,
    public language: Language,
    private texts: Texts<Key>,
  ) {
    document.documentElement.lang = language;
  }

  /** Loads the language that was chosen last, else the system's. Raises when it cannot be loaded. */
  static async load<Key extends string>(catalogues: Catalogues<Key>): Promise<Translator<Key>> {
    const language = pickLanguage(chosen.get(), navigator.languages);
    const { texts } = await catalogues[language]();
    return new Translator(catalogues, language, texts);
  }

  /** The locale of dates and times. */
  get locale(): string {
    return LOCALES[this.language];
  }

  /** Changes the language and remembers it. Raises, changing nothing, when it cannot be loaded. */
  async use(language: Language): Promise<void> {
    const { texts } = await this.catalogues[language]();
    this.language = language;
    this.texts = texts;
    chosen.set(language);
    document.documentElement.lang = language;
  }

  /** The text of `key`, each `{name}` in it replaced from `values`. */
  text(key: Key, values: Readonly<Record<string, string | number>> = {}): string {
    return fill(this.texts[key], values);
  }

  /** Whether there is a text of that name. */
  has(name: string): name is Key {
    return Object.hasOwn(this.texts, name);
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
    return new Intl.DateTimeFormat(this.locale, {
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
