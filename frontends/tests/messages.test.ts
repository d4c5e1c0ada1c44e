import assert from "node:assert/strict";
import { test } from "node:test";
import { texts as laterEn } from "../portal/later/messages/en.ts";
import { texts as laterVi } from "../portal/later/messages/vi.ts";
import { texts as portalEn } from "../portal/messages/en.ts";
import { texts as portalVi } from "../portal/messages/vi.ts";
import { texts as receptionEn } from "../reception/messages/en.ts";
import { texts as receptionVi } from "../reception/messages/vi.ts";
import { fill, LANGUAGES, type Language, pickLanguage, type Texts } from "../shared/i18n.ts";

const catalogues: Record<string, Record<Language, Texts<string>>> = {
  portal: { vi: portalVi, en: portalEn },
  later: { vi: laterVi, en: laterEn },
  reception: { vi: receptionVi, en: receptionEn },
};

function placeholders(text: string): string[] {
  return (text.match(/\{\w+\}/g) ?? []).sort();
}

for (const [site, catalogue] of Object.entries(catalogues)) {
  test(`${site}: every text exists in every language`, () => {
    const keys = Object.keys(catalogue.en).sort();
    assert(keys.length > 50);
    for (const language of LANGUAGES) {
      assert.deepEqual(Object.keys(catalogue[language]).sort(), keys, language);
      for (const key of keys) assert(catalogue[language][key]?.trim(), `${language}: ${key}`);
    }
  });

  test(`${site}: a text takes the same values in every language`, () => {
    for (const key of Object.keys(catalogue.en)) {
      const [vi, en] = [catalogue.vi[key] ?? "", catalogue.en[key] ?? ""];
      assert.deepEqual(placeholders(vi), placeholders(en), key);
    }
  });
}

test("values are filled in; an unknown name stays", () => {
  assert.equal(fill("{n} of {m}, {x}", { n: 2, m: "3" }), "2 of 3, {x}");
});

test("the stored choice wins, then the system's first language that we speak", () => {
  assert.equal(pickLanguage("vi", ["en-GB"]), "vi");
  assert.equal(pickLanguage(null, ["fr-FR", "vi-VN", "en"]), "vi");
  assert.equal(pickLanguage("xx", ["en-US"]), "en");
  assert.equal(pickLanguage(null, ["fr"]), "en");
});
