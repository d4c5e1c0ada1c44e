/**
 * Runs Lighthouse on pages that are served, and writes what it found.
 *
 * Usage: node frontends/lighthouse.mjs PLAN OUT
 *   PLAN  a JSON file: `chromium` (the program), `spki` (hash of the certificate's key to trust) and
 *         `audits`: [{name, url, profile: "mobile" | "3g", runs, signIn?: {username, password}}]
 *   OUT   directory for NAME.PROFILE.html and .json of each median run
 *
 * Prints a JSON array: of every audit its name, its profile, the median run's scores (0 to 100),
 * times (milliseconds) and transfers (bytes), what lost points, what keeps it from being installed,
 * and of all runs performance, time to interactive and the machine's benchmark index. The browser
 * is a Vietnamese one; it resolves no name but those of this machine.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import lighthouse from "lighthouse";
import { throttling } from "lighthouse/core/config/constants.js";
import puppeteer from "puppeteer-core";

const TIMES = {
  interactive: "interactive",
  firstContentfulPaint: "first-contentful-paint",
  largestContentfulPaint: "largest-contentful-paint",
  totalBlockingTime: "total-blocking-time",
  speedIndex: "speed-index",
};

const ATTEMPTS = 4;

/** Lighthouse's own default, and its regular 3G with a processor six times slower than this one. */
const PROFILES = {
  mobile: { onlyCategories: ["performance", "accessibility", "best-practices", "seo"] },
  "3g": {
    onlyCategories: ["performance"],
    throttling: { ...throttling.mobileRegular3G, cpuSlowdownMultiplier: 6 },
  },
};

const [planFile, out] = process.argv.slice(2);
const plan = JSON.parse(await readFile(planFile, "utf8"));
await mkdir(out, { recursive: true });
const told = [];
for (const audit of plan.audits) told.push(await measure(audit));
process.stdout.write(JSON.stringify(told));

/** Audits a page `runs` times, each in a browser of its own; tells of the median run. */
async function measure({ name, url, profile, runs, signIn }) {
  const results = [];
  for (let run = 0; run < runs; run++) results.push(await audited(url, profile, signIn));
  results.sort((one, other) => interactive(one.lhr) - interactive(other.lhr));
  const { lhr, report, hindrances } = results[Math.floor((runs - 1) / 2)];
  const [json, html] = report;
  await writeFile(join(out, `${name}.${profile}.json`), json);
  await writeFile(join(out, `${name}.${profile}.html`), html);
  return {
    name,
    profile,
    hindrances,
    ...summary(lhr),
    runs: results.map((one) => ({
      performance: score(one.lhr.categories.performance),
      interactive: Math.round(interactive(one.lhr)),
      speed: Math.round(one.lhr.environment.benchmarkIndex),
    })),
  };
}

/** Lighthouse itself asks to be run again where a trace lacks what it looks for. */
async function audited(url, profile, signIn) {
  for (let attempt = 1; ; attempt++) {
    const result = await inBrowser(url, profile, signIn);
    const { runtimeError, finalDisplayedUrl } = result.lhr;
    if (runtimeError === undefined) {
      if (new URL(finalDisplayedUrl).origin === new URL(url).origin) return result;
      throw new Error(`${url}: ended at ${finalDisplayedUrl}`);
    }
    console.error(`${url}: ${runtimeError.code}`);
    if (attempt === ATTEMPTS) throw new Error(`${url}: ${runtimeError.message}`);
  }
}

async function inBrowser(url, profile, signIn) {
  const userDataDir = await mkdtemp(join(tmpdir(), "lighthouse-"));
  const browser = await puppeteer.launch({
    executablePath: plan.chromium,
    userDataDir,
    args: [
      "--no-sandbox",
      "--accept-lang=vi-VN,vi",
      `--ignore-certificate-errors-spki-list=${plan.spki}`,
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost, EXCLUDE 127.0.0.1",
    ],
  });
  try {
    const [page] = await browser.pages();
    if (signIn) await throughSignIn(page, url, signIn);
    const settings = { ...PROFILES[profile], disableStorageReset: Boolean(signIn) };
    const config = { extends: "lighthouse:default", settings };
    const flags = { output: ["json", "html"], logLevel: "error" };
    const result = await lighthouse(url, flags, config, page);
    return { ...result, hindrances: await hindrances(page) };
  } finally {
    await browser.close();
    await rm(userDataDir, { recursive: true, force: true });
  }
}

/** What keeps the browser from installing the page, which Lighthouse itself no longer tells. */
async function hindrances(page) {
  const session = await page.createCDPSession();
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
  const { errors } = await session.send("Page.getAppManifest");
  return [...installabilityErrors.map((one) => one.errorId), ...errors.map((one) => one.message)];
}

/** Signs in at the console; the tab's session then outlives the audit's own navigation. */
async function throughSignIn(page, url, { username, password }) {
  await page.goto(url);
  await page.waitForSelector('[data-testid="username"]');
  await page.type('[data-testid="username"]', username);
  await page.type('[data-testid="password"]', password);
  await page.click('[type="submit"]');
  await page.waitForSelector('[data-testid="camera"]');
  const session = await page.createCDPSession();
  await session.send("Network.clearBrowserCache");
  await session.detach();
}

function interactive(lhr) {
  return lhr.audits.interactive.numericValue;
}

function score(category) {
  return Math.round(category.score * 100);
}

function summary(lhr) {
  const requests = lhr.audits["network-requests"].details.items;
  const bytes = (type) =>
    requests
      .filter((one) => type === undefined || one.resourceType === type)
      .reduce((sum, one) => sum + one.transferSize, 0);
  return {
    scores: Object.fromEntries(
      Object.values(lhr.categories).map((category) => [category.id, score(category)]),
    ),
    times: Object.fromEntries(
      Object.entries(TIMES).map(([key, id]) => [key, Math.round(lhr.audits[id].numericValue)]),
    ),
    layoutShift: lhr.audits["cumulative-layout-shift"].numericValue,
    bytes: { all: bytes(), script: bytes("Script"), style: bytes("Stylesheet") },
    requests: requests.map(({ url, statusCode, transferSize }) => ({
      url,
      statusCode,
      transferSize,
    })),
    lost: Object.values(lhr.categories).flatMap((category) =>
      category.auditRefs
        .filter(({ id, weight }) => weight > 0 && (lhr.audits[id].score ?? 1) < 0.9)
        .map(
          ({ id }) =>
            `${category.id}: ${lhr.audits[id].title} (${lhr.audits[id].displayValue ?? ""})`,
        ),
    ),
  };
}
