/**
 * Bundles the unit tests as the sites are bundled and runs them with node's own test runner.
 *
 * Usage: node frontends/tests/run.mjs [NAME.test.ts ...] [arguments of `node --test`]
 *   NAME.test.ts  only these; without, all
 */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { contractAbi } from "../contract-abi.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const isTest = (name) => name.endsWith(".test.ts");
const chosen = process.argv.slice(2).filter(isTest);
const names = chosen.length > 0 ? chosen : (await readdir(here)).filter(isTest);
const out = await mkdtemp(join(tmpdir(), "web-tests-"));
try {
  await build({
    entryPoints: names.map((name) => join(here, name)),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: "inline",
    logLevel: "warning",
    define: { FRONTENDS: JSON.stringify(dirname(here)) },
    plugins: [contractAbi],
  });
  const files = names.map((name) => join(out, name.replace(/\.ts$/, ".mjs")));
  const options = [
    "--enable-source-maps",
    "--test",
    ...process.argv.slice(2).filter((one) => !isTest(one)),
    ...files,
  ];
  const child = spawn(process.execPath, options, { stdio: "inherit" });
  process.exitCode = await new Promise((ended) => child.on("exit", (code) => ended(code ?? 1)));
} finally {
  await rm(out, { recursive: true });
}
