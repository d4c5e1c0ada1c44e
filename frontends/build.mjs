/**
 * Builds the static sites into frontends/dist/{portal,reception}/, prints what a browser downloads
 * and fails when a budget is exceeded (spec: Web frontends stay lean).
 *
 * Usage: node frontends/build.mjs [--demo]
 *   --demo  also builds the demo wallet, which only the local demo may serve
 */
import { copyFile, mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { contractAbi } from "./contract-abi.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(HERE, "dist");
/** Built beside and swapped in whole, so that a server of the old build never serves half a site. */
const DRAFT = join(HERE, `dist-${process.pid}`);
const SHELL_BUDGET = 30_000;

const SITES = {
  portal: {
    bundles: ["main.ts", "main.css"],
    files: ["index.html", "manifest.webmanifest"],
  },
  reception: {
    bundles: ["main.ts", "main.css", "decoder.ts"],
    files: ["index.html", "manifest.webmanifest"],
  },
};

const demo = process.argv.includes("--demo");
try {
  const fits = await buildSites();
  await rm(DIST, { recursive: true, force: true });
  await rename(DRAFT, DIST);
  process.exitCode = fits ? 0 : 1;
} finally {
  await rm(DRAFT, { recursive: true, force: true });
}

/** Builds every site into the draft; answers whether all shells are within their budget. */
async function buildSites() {
  let fits = true;
  for (const [site, { bundles, files }] of Object.entries(SITES)) {
    const out = join(DRAFT, site);
    await mkdir(out, { recursive: true });
    const entries =
      demo && site === "portal" ? [...bundles, "demo-wallet.ts", "demo-wallet.css"] : bundles;
    const { metafile } = await build({
      entryPoints: entries.map((entry) => join(HERE, site, entry)),
      outdir: out,
      bundle: true,
      minify: true,
      format: "esm",
      target: ["es2022", "chrome110", "firefox115", "safari16.4"],
      metafile: true,
      logLevel: "warning",
      plugins: [contractAbi],
    });
    for (const file of files) await copyFile(join(HERE, site, file), join(out, file));
    await copyFile(join(HERE, "shared/icon.svg"), join(out, "icon.svg"));
    if (site === "reception") {
      const wasm = fileURLToPath(import.meta.resolve("zxing-wasm/reader/zxing_reader.wasm"));
      await copyFile(wasm, join(out, "zxing_reader.wasm"));
    }
    for (const path of Object.keys(metafile.outputs)) fits = (await report(path)) && fits;
  }
  return fits;
}

/** Prints one file's gzipped size; answers whether it is within its budget. */
async function report(path) {
  const bytes = gzipSync(await readFile(path), { level: 9 }).length;
  const limited = path.endsWith("/main.js");
  const over = limited && bytes > SHELL_BUDGET;
  const budget = limited ? ` of ${SHELL_BUDGET}${over ? "  OVER BUDGET" : ""}` : "";
  console.log(
    `${path.replace(/.*dist[^/]*\//, "").padEnd(28)} ${String(bytes).padStart(7)} B gzip${budget}`,
  );
  return !over;
}
