/**
 * Builds the static sites into frontends/dist/{portal,reception}/, prints what a browser downloads
 * and fails when a budget is exceeded (spec: Web frontends stay lean).
 *
 * Scripts and styles carry a hash of their content in their names, so that a cache may keep them
 * for ever; the page that names them, `config.json` and the service worker keep theirs.
 *
 * Usage: node frontends/build.mjs [--demo]
 *   --demo  also builds the demo wallet, which only the local demo may serve
 * FRONTENDS_DIST names another directory than frontends/dist.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { contractAbi } from "./contract-abi.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(HERE);
const DIST = resolve(process.env.FRONTENDS_DIST || join(HERE, "dist"));
/** Built beside and swapped in whole, so that a server of the old build never serves half a site. */
const DRAFT = `${DIST}-${process.pid}`;
/** What a browser loads as script before the first page is of use, gzipped. */
const SHELL_BUDGET = 30_000;
const COMPRESSED = /\.(js|css|html|svg|json|webmanifest|wasm|txt)$/;

const BUNDLE = {
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome110", "firefox115", "safari16.4"],
  metafile: true,
  logLevel: "warning",
  plugins: [contractAbi],
  absWorkingDir: ROOT,
};

/** `lazy` names the modules that are loaded on demand and stay outside the shell's budget. */
const SITES = {
  portal: { files: ["manifest.webmanifest"], lazy: ["later/index.ts"] },
  reception: {
    files: ["manifest.webmanifest", "icon-192.png", "icon-512.png", "icon-maskable-512.png"],
    lazy: ["scanner.ts"],
  },
};

const demo = process.argv.includes("--demo");
try {
  let fits = true;
  for (const [site, { files, lazy }] of Object.entries(SITES)) {
    fits = (await buildSite(site, files, lazy)) && fits;
  }
  await rm(DIST, { recursive: true, force: true });
  await rename(DRAFT, DIST);
  process.exitCode = fits ? 0 : 1;
} finally {
  await rm(DRAFT, { recursive: true, force: true });
}

/** Builds one site into the draft; answers whether its shell is within the budget. */
async function buildSite(site, files, lazy) {
  const out = join(DRAFT, site);
  await mkdir(out, { recursive: true });
  for (const file of files) await copyFile(join(HERE, site, file), join(out, file));
  await copyFile(join(HERE, "shared/icon.svg"), join(out, "icon.svg"));
  const urls = site === "reception" ? await buildDecoder(out) : {};
  const shell = await build({
    ...BUNDLE,
    entryPoints: ["main.ts", "main.css"].map((entry) => join(HERE, site, entry)),
    outdir: out,
    splitting: true,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    define: urls,
  });
  const { outputs } = shell.metafile;
  await writePage(site, out, outputs);
  if (demo && site === "portal") await buildDemoWallet(out);
  await buildServiceWorker(site, out);
  await compress(out);
  return report(site, out, outputs, lazy);
}

/** Builds the worker that decodes, with its WebAssembly; answers their addresses as definitions. */
async function buildDecoder(out) {
  const wasm = await readFile(
    fileURLToPath(import.meta.resolve("zxing-wasm/reader/zxing_reader.wasm")),
  );
  const wasmName = `zxing_reader-${contentHash(wasm)}.wasm`;
  await writeFile(join(out, wasmName), wasm);
  const wasmUrl = { WASM_URL: JSON.stringify(wasmName) };
  const { metafile } = await build({
    ...BUNDLE,
    entryPoints: [join(HERE, "reception/decoder.ts")],
    outdir: out,
    entryNames: "[name]-[hash]",
    define: wasmUrl,
  });
  const [decoder] = Object.keys(metafile.outputs);
  return { ...wasmUrl, DECODER_URL: JSON.stringify(basename(decoder)) };
}

/** Writes the page with the names that its script and style got. */
async function writePage(site, out, outputs) {
  let page = await readFile(join(HERE, site, "index.html"), "utf8");
  for (const entry of ["main.js", "main.css"]) {
    const source = `frontends/${site}/${entry.replace(".js", ".ts")}`;
    const [path] = Object.entries(outputs).find(([, output]) => output.entryPoint === source);
    const preloads = staticImports(outputs, path).map(
      (chunk) => `<link rel="modulepreload" href="${basename(chunk)}">\n`,
    );
    page = page.replace(`"${entry}"`, `"${basename(path)}"`);
    page = page.replace("<script", `${preloads.join("")}<script`);
  }
  await writeFile(join(out, "index.html"), page);
}

async function buildDemoWallet(out) {
  await build({
    ...BUNDLE,
    entryPoints: ["demo-wallet.ts", "demo-wallet.css"].map((entry) => join(HERE, "portal", entry)),
    outdir: out,
  });
}

/**
 * Builds the site's service worker, if it has one, as `service-worker.js`.
 *
 * It is given `PRECACHE`, the names of all files of the site, and `BUILD`, a hash over them all.
 */
async function buildServiceWorker(site, out) {
  const source = join(HERE, site, "service-worker.ts");
  if (!existsSync(source)) return;
  const names = (await readdir(out)).sort();
  const hash = createHash("sha256");
  for (const name of names) hash.update(name).update(await readFile(join(out, name)));
  await build({
    ...BUNDLE,
    entryPoints: [source],
    outdir: out,
    define: { PRECACHE: JSON.stringify(names), BUILD: JSON.stringify(hash.digest("hex")) },
  });
}

/** Writes a gzip and a brotli beside every file that shrinks, for servers that send them as is. */
async function compress(out) {
  for (const name of await readdir(out)) {
    if (!COMPRESSED.test(name)) continue;
    const bytes = await readFile(join(out, name));
    await writeFile(join(out, `${name}.gz`), gzipSync(bytes, { level: 9 }));
    await writeFile(join(out, `${name}.br`), brotliCompressSync(bytes));
  }
}

/** Prints every file's gzipped size; answers whether the shell is within its budget. */
async function report(site, out, outputs, lazy) {
  for (const name of (await readdir(out)).sort()) {
    if (!name.endsWith(".gz")) continue;
    console.log(
      `${`${site}/${name.slice(0, -3)}`.padEnd(44)} ${await size(join(out, name))} B gzip`,
    );
  }
  const total = await shellSize(site, outputs, lazy);
  const over = total > SHELL_BUDGET ? "  OVER BUDGET" : "";
  const shell = `${site}: script of the shell, one language`.padEnd(44);
  console.log(`${shell} ${String(total).padStart(7)} B gzip of ${SHELL_BUDGET}${over}`);
  return !over;
}

/** Bytes of script that a visitor loads: all but what `lazy` names, and the larger language. */
async function shellSize(site, outputs, lazy) {
  const sizes = new Map();
  for (const path of Object.keys(outputs)) sizes.set(path, await gzipped(join(ROOT, path)));
  const sum = (paths) => paths.reduce((bytes, path) => bytes + sizes.get(path), 0);
  const isEntry = (path, source) => outputs[path].entryPoint === `frontends/${site}/${source}`;
  const main = Object.keys(outputs).find((path) => isEntry(path, "main.ts"));
  const loaded = [main, ...staticImports(outputs, main)];
  const languages = [];
  for (const { path, kind } of loaded.flatMap((from) => outputs[from].imports)) {
    if (kind !== "dynamic-import" || loaded.includes(path)) continue;
    if (lazy.some((source) => isEntry(path, source))) continue;
    if (outputs[path].entryPoint?.includes("/messages/")) languages.push(sizes.get(path));
    else loaded.push(path, ...staticImports(outputs, path).filter((one) => !loaded.includes(one)));
  }
  return sum(loaded) + Math.max(...languages);
}

/** The chunks that the module at `path` needs before it runs, all the way down. */
function staticImports(outputs, path, found = []) {
  for (const { path: next, kind } of outputs[path].imports) {
    if (kind !== "import-statement" || found.includes(next)) continue;
    found.push(next);
    staticImports(outputs, next, found);
  }
  return found;
}

async function gzipped(path) {
  return gzipSync(await readFile(path), { level: 9 }).length;
}

async function size(path) {
  return String((await readFile(path)).length).padStart(7);
}

/** Eight characters that change with the content, as esbuild writes them. */
function contentHash(bytes) {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 8).toUpperCase();
}
