#!/usr/bin/env node
// Lets forge and build.py use the compiler that npm pinned: answers `--version` and
// `--standard-json` (input on stdin), as the native solc would.
import { mkdirSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const packaged = require("solc/package.json").version;
const memoUrl = new URL("../node_modules/.cache/solc-version.json", import.meta.url);

/** Loading the compiler takes a third of a second and forge asks several times: remember the answer. */
function version() {
  try {
    const memo = JSON.parse(readFileSync(memoUrl, "utf8"));
    if (memo.packaged === packaged) return memo.version;
  } catch {
    // no memo yet, or an unreadable one: made below
  }
  const version = require("solc").version();
  mkdirSync(new URL(".", memoUrl), { recursive: true });
  writeFileSync(memoUrl, JSON.stringify({ packaged, version }));
  return version;
}

/** Writes all of it: a pipe may take less than a large output at once. */
function print(text) {
  const bytes = Buffer.from(text, "utf8");
  for (let offset = 0; offset < bytes.length; ) {
    try {
      offset += writeSync(1, bytes, offset);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

if (process.argv.includes("--standard-json")) {
  print(require("solc").compile(readFileSync(0, "utf8")));
} else if (process.argv.includes("--version")) {
  print(`solc, the solidity compiler commandline interface\nVersion: ${version()}\n`);
} else {
  console.error("solc-shim: only --version and --standard-json are supported");
  process.exit(1);
}
