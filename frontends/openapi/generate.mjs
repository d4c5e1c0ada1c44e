/**
 * Writes frontends/shared/openapi.d.ts, the types of docs/openapi.json.
 *
 * Usage: node frontends/openapi/generate.mjs [--check]
 *   --check  writes nothing; fails when the committed file is not what would be written
 */
import { readFile, writeFile } from "node:fs/promises";
import openapiTypes, { astToString } from "openapi-typescript";

const DOCUMENT = new URL("../../docs/openapi.json", import.meta.url);
const TYPES = new URL("../shared/openapi.d.ts", import.meta.url);
const HEAD = "// Generated from docs/openapi.json by `node frontends/openapi/generate.mjs`.\n\n";

const document = JSON.parse(await readFile(DOCUMENT, "utf8"));
const types = HEAD + astToString(await openapiTypes(document, { immutable: true }));
if (!process.argv.includes("--check")) {
  await writeFile(TYPES, types);
} else if (types !== (await readFile(TYPES, "utf8").catch(() => ""))) {
  console.error(
    "frontends/shared/openapi.d.ts differs from docs/openapi.json;" +
      " run: node frontends/openapi/generate.mjs",
  );
  process.exitCode = 1;
}
