import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { Api, ApiError, Unreachable } from "../shared/api.ts";
import { backoff, easing, type PollEnvironment, poll } from "../shared/poll.ts";
import { randomKey } from "../shared/storage.ts";

/** A fetch that answers from a list, in order, and keeps what was asked. */
function answering(...answers: (Response | Error)[]) {
  const asked: { url: string; headers: Record<string, string>; body: string | null }[] = [];
  const fake = async (url: string, init: RequestInit) => {
    asked.push({
      url,
      headers: init.headers as Record<string, string>,
      body: (init.body as string | undefined) ?? null,
    });
    const answer = answers.shift();
    assert(answer, `nobody expected ${url}`);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { asked, fetch: fake as unknown as typeof fetch };
}

function problem(status: number, code: string, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify({ title: code, status, code }), { status, headers });
}

test("a problem of the API is raised with its code and when to come back", async () => {
  const { fetch } = answering(problem(429, "RATE_LIMITED", { "Retry-After": "7" }));
  await assert.rejects(
    new Api("/api/v1", { fetch }).order("ORD_1"),
    (error) => error instanceof ApiError && error.code === "RATE_LIMITED" && error.retryAfter === 7,
  );
});

test("no answer, a failing server and a foreign answer are all unreachable", async () => {
  const answers = [
    new TypeError("Failed to fetch"),
    problem(503, "UNAVAILABLE"),
    new Response("<html>Bad gateway</html>", { status: 502 }),
    new Response("<html>Sign in to this Wi-Fi</html>", { status: 200 }),
    new Response("{}", { status: 404 }),
  ];
  for (const answer of answers) {
    const { fetch } = answering(answer);
    await assert.rejects(
      new Api("", { fetch }).order("ORD_1"),
      (error) => error instanceof Unreachable,
    );
  }
});

test("when to come back is told as RFC 9110 has it, with 429 and 503 alike", async () => {
  const soon = new Date(Date.now() + 60_000).toUTCString();
  const rfc850 = soon.replace(/^(\w+), (\d+) (\w+) \d\d(\d\d)/, "$1day, $2-$3-$4");
  const told: [string | null, number | null][] = [
    ["7", 7],
    [" 7 ", 7],
    [soon, 60],
    [rfc850, 60],
    ["99999999999", 86_400],
    [new Date(0).toUTCString(), null],
    ...[null, "", "0", "-7", "7.5", "1e3", "soon", "year 3000"].map(
      (text) => [text, null] as [string | null, null],
    ),
  ];
  const body = JSON.stringify({ title: "wait", status: 0, code: "WAIT" });
  for (const [text, seconds] of told) {
    const headers: Record<string, string> = text === null ? {} : { "Retry-After": text };
    for (const [status, content] of [
      [429, body],
      [503, body],
      [503, "<h1>Busy</h1>"],
    ] as const) {
      const { fetch } = answering(new Response(content, { status, headers }));
      await assert.rejects(new Api("", { fetch }).order("ORD_1"), (error) => {
        assert(status === 429 ? error instanceof ApiError : error instanceof Unreachable);
        const { retryAfter } = error as ApiError | Unreachable;
        assert(retryAfter === seconds || (seconds === 60 && retryAfter === 59), `${text}`);
        return true;
      });
    }
  }
});

test("a date to come back at is counted from the answer's own, however wrong the device's clock", async () => {
  const written = Date.UTC(2020, 0, 1);
  const headers = {
    Date: new Date(written).toUTCString(),
    "Retry-After": new Date(written + 42_000).toUTCString(),
  };
  const { fetch } = answering(problem(429, "RATE_LIMITED", headers));
  await assert.rejects(
    new Api("", { fetch }).order("ORD_1"),
    (error) => error instanceof ApiError && error.retryAfter === 42,
  );
});

test("the idempotency key goes with the order", async () => {
  const { asked, fetch } = answering(new Response("{}"));
  const order = { customerAddress: "0x1", tokenId: 1001, amount: 1 };
  await new Api("/api/v1", { fetch }).placeOrder(order, "k".repeat(32));
  assert.equal(asked[0]?.url, "/api/v1/orders");
  assert.equal(asked[0]?.headers["Idempotency-Key"], "k".repeat(32));
  assert.deepEqual(JSON.parse(asked[0]?.body ?? ""), order);
});

test("a delivery says whose press it is, how the code was read and where", async () => {
  const { asked, fetch } = answering(new Response("{}"), new Response("{}"));
  const api = new Api("/api/v1", { fetch, token: () => "t1" });
  const press = {
    siteId: "A",
    idempotencyKey: "k".repeat(32),
    method: "wedge",
    deviceId: "d1",
  } as const;
  await api.deliver("ORD_1", { ...press, note: "" });
  await api.deliver("ORD_1", { ...press, note: "two cups" });
  assert.deepEqual(
    asked.map(({ url, body }) => [url, JSON.parse(body ?? "")]),
    [
      ["/api/v1/orders/ORD_1/deliver", { siteId: "A" }],
      ["/api/v1/orders/ORD_1/deliver", { siteId: "A", note: "two cups" }],
    ],
  );
  for (const { headers } of asked) {
    assert.equal(headers["Idempotency-Key"], "k".repeat(32));
    assert.equal(headers["X-Input-Method"], "wedge");
    assert.equal(headers["X-Device-Id"], "d1");
    assert.equal(headers.Authorization, "Bearer t1");
  }
});

test("a queue is asked for by what is looked for, and by nothing else", async () => {
  const { asked, fetch } = answering(new Response("{}"), new Response("{}"));
  const api = new Api("", { fetch });
  await api.queue("A");
  await api.queue("A", {
    from: 0,
    to: 9,
    search: "0x12345678",
    status: ["VALID", "DELIVERED"],
    cursor: "c",
  });
  assert.deepEqual(
    asked.map(({ url }) =>
      [...new URLSearchParams(url.split("?")[1])].map(([name, value]) => `${name}=${value}`),
    ),
    [
      ["site=A"],
      ["site=A", "from=0", "to=9", "search=0x12345678", "status=VALID,DELIVERED", "cursor=c"],
    ],
  );
});

test("a wallet's orders are asked for with the wallet's own token", async () => {
  const { asked, fetch } = answering(new Response("{}"), new Response("{}"));
  const api = new Api("", { fetch, token: () => "staff" });
  await api.walletOrders("0xabc", "w1");
  await api.walletOrders("0xabc", "w1", "5.0xdef");
  assert.deepEqual(
    asked.map(({ url, headers }) => [url, headers.Authorization]),
    [
      ["/wallets/0xabc/orders", "Bearer w1"],
      ["/wallets/0xabc/orders?cursor=5.0xdef", "Bearer w1"],
    ],
  );
});

test("keys carry 128 random bits in the characters that the API takes", () => {
  const keys = new Set(Array.from({ length: 100 }, randomKey));
  assert.equal(keys.size, 100);
  for (const key of keys) assert.match(key, /^[0-9a-f]{32}$/);
});

/** A browser whose time moves by hand. */
function world() {
  const timers: { run: () => void; ms: number }[] = [];
  const listeners: (() => void)[] = [];
  const state = { visible: true };
  const environment: PollEnvironment = {
    visible: () => state.visible,
    onVisible(listener) {
      listeners.push(listener);
      return () => listeners.splice(listeners.indexOf(listener), 1);
    },
    later(run, ms) {
      const timer = { run, ms };
      timers.push(timer);
      return () => {
        if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1);
      };
    },
    random: () => 0.5,
  };
  const settle = async () => {
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  };
  return {
    environment,
    settle,
    delays: () => timers.map(({ ms }) => ms),
    listeners,
    async tick() {
      timers.shift()?.run();
      await settle();
    },
    async show(visible: boolean) {
      state.visible = visible;
      if (visible) for (const listener of [...listeners]) listener();
      await settle();
    },
  };
}

test("a poll backs off while it fails and recovers at once", async () => {
  const time = world();
  let broken = true;
  poll(async () => {
    if (broken) throw new Error("down");
    return 1500;
  }, time.environment);
  await time.settle();
  assert.deepEqual(time.delays(), [1000]);
  await time.tick();
  assert.deepEqual(time.delays(), [2000]);
  broken = false;
  await time.tick();
  assert.deepEqual(time.delays(), [1500]);
});

test("a poll leaves a server alone for as long as it asks to, up to 5 minutes", async () => {
  const time = world();
  const failures = [
    new Unreachable("busy", {}, 20),
    new ApiError({ title: "", status: 429, code: "RATE_LIMITED" }, 20),
    new Unreachable("busy", {}, 1),
    new Unreachable("busy", {}, 86_400),
  ];
  poll(async () => {
    throw failures.shift();
  }, time.environment);
  await time.settle();
  const delays = time.delays();
  for (let turn = 0; turn < 3; turn += 1) {
    await time.tick();
    delays.push(...time.delays());
  }
  assert.deepEqual(delays, [20_000, 20_000, 4000, 300_000]);
});

test("a hidden tab asks nothing, and asks at once when it is back", async () => {
  const time = world();
  let asked = 0;
  poll(async () => {
    asked += 1;
    return 1000;
  }, time.environment);
  await time.settle();
  await time.show(false);
  await time.tick();
  assert.equal(asked, 1);
  await time.show(true);
  assert.equal(asked, 2);
});

test("a poll that ends leaves nothing behind", async () => {
  const time = world();
  poll(async () => null, time.environment);
  await time.settle();
  assert.deepEqual(time.delays(), []);
  assert.deepEqual(time.listeners, []);
});

test("delays have limits", () => {
  assert.equal(backoff(1, 0.5), 1000);
  assert.equal(backoff(40, 0.5), 30_000);
  assert(backoff(3, 0) < backoff(3, 0.99));
  assert.equal(easing(1500, 6000, 0), 1500);
  assert.equal(easing(1500, 6000, 100), 6000);
});

test("the security headers allow nothing inline and nobody else's scripts", async () => {
  const { headers } = JSON.parse(await readFile(`${FRONTENDS}/headers.json`, "utf8"));
  const policy: string = headers["Content-Security-Policy"];
  assert.doesNotMatch(policy, /unsafe-inline|'unsafe-eval'|\*|https?:/);
  assert.match(policy, /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; /);
  assert.match(policy, /require-trusted-types-for 'script'; trusted-types app$/);
  for (const site of ["portal", "reception"]) {
    const page = await readFile(`${FRONTENDS}/${site}/index.html`, "utf8");
    assert.doesNotMatch(page, /<style|style=|\son\w+=|<script(?![^>]*\ssrc=)|https?:\/\//);
  }
});
