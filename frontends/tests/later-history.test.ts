import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "../portal/later/history.ts";
import { watch } from "../portal/later/watch.ts";
import type { LaterContext } from "../portal/later.ts";
import type { Connection, Provider } from "../portal/wallet.ts";
import { ApiError, Unreachable } from "../shared/api.ts";
import type { Hex, OrderStatus, OrderSummary, Page } from "../shared/wire.ts";

const ALICE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const BOB = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
const MESSAGE = "http://portal wants you to sign in…";

type Answers = Readonly<Record<string, (params: readonly unknown[]) => unknown>>;

/** A wallet's provider that answers by method; what is missing there is refused. */
function provider(answers: Answers): Provider {
  return {
    async request({ method, params }) {
      const answer = answers[method];
      if (!answer) throw Object.assign(new Error("unsupported"), { code: 4200 });
      return answer(params as readonly unknown[]);
    },
  };
}

const SIGNS: Answers = { personal_sign: () => "0xsigned" };
const no = (code: number, message = "no") => {
  throw Object.assign(new Error(message), { code });
};

function problem(status: number, code: string, retryAfter: number | null = null): ApiError {
  return new ApiError({ title: code, status, code }, retryAfter);
}

function order(at: number, change: Partial<OrderSummary> = {}): OrderSummary {
  return {
    orderId: `ORD_20261120_${String(at).padStart(16, "0")}`,
    status: "VALID",
    tokenId: 1001,
    amount: 1,
    service: null,
    siteId: "HCM_ROX_T09",
    createdAt: new Date(Date.UTC(2026, 10, 20, 0, at)).toISOString(),
    customerAddressMasked: "0x7099…79C8",
    order: { customer: ALICE },
    ...change,
  } as OrderSummary;
}

/** The API and the portal around a history, and what they were asked. */
class Around {
  redraws = 0;
  asked: unknown[] = [];
  pages: Record<string, Page<OrderSummary>> = { "": { items: [], nextCursor: null } };
  known: Record<string, OrderSummary> = {};
  kept: { orderId: string; status: OrderStatus; attempts?: readonly unknown[] }[] = [];
  connection: Connection | null = null;
  fail: unknown = null;

  readonly api = {
    walletNonce: async (address: string) => {
      this.asked.push(["nonce", address]);
      if (this.fail) throw this.fail;
      return { nonce: "n", message: MESSAGE, expiresAt: 0 };
    },
    walletVerify: async (message: string, signature: string) => {
      this.asked.push(["verify", message, signature]);
      if (this.fail) throw this.fail;
      return { accessToken: "token", expiresIn: 3600, address: this.connection?.address ?? ALICE };
    },
    walletOrders: async (address: string, token: string, cursor: string | null) => {
      this.asked.push(["orders", address, token, cursor]);
      if (this.fail) throw this.fail;
      return this.pages[cursor ?? ""];
    },
    order: async (orderId: string) => {
      this.asked.push(["order", orderId]);
      if (this.fail) throw this.fail;
      const found = this.known[orderId];
      if (!found) throw problem(404, "ORDER_NOT_FOUND");
      return found;
    },
  };

  connect(address: string, answers: Answers = SIGNS): void {
    const wallet = { info: { name: "Test" }, provider: provider(answers) };
    this.connection = { wallet, address: address as Hex, chainId: 31337 } as Connection;
  }

  get context(): LaterContext {
    return {
      api: this.api,
      catalogue: { types: [], sites: [] },
      connection: this.connection,
      kept: this.kept.map((kept) => ({
        tokenId: 1001,
        amount: 2,
        siteId: "",
        attempts: [],
        ...kept,
      })),
      redraw: () => {
        this.redraws += 1;
      },
    } as unknown as LaterContext;
  }
}

const settled = () => new Promise((done) => setTimeout(done, 0));

async function opened(around: Around): Promise<History> {
  const history = new History();
  history.follow(around.context);
  await settled();
  return history;
}

async function signedIn(around: Around): Promise<History> {
  around.connect(ALICE);
  const history = await opened(around);
  await history.signIn();
  assert.equal(history.phase, "list");
  return history;
}

const ids = (history: History) => history.entries().map(({ orderId }) => orderId);

test("the wallet signs the API's very message, and the token opens the list", async () => {
  const around = new Around();
  around.pages[""] = { items: [order(2), order(1)], nextCursor: null };
  const signed: unknown[] = [];
  around.connect(ALICE, {
    personal_sign: (params) => {
      signed.push(params);
      return "0xsigned";
    },
  });
  const history = await opened(around);
  assert.equal(history.phase, "sign-in");
  assert.deepEqual(around.asked, [], "nothing is asked before the customer wants to sign in");
  const signing = history.signIn();
  assert.equal(history.phase, "waiting");
  await signing;
  const hex = `0x${Array.from(new TextEncoder().encode(MESSAGE), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  assert.deepEqual(signed, [[hex, ALICE]]);
  assert.deepEqual(around.asked, [
    ["nonce", ALICE],
    ["verify", MESSAGE, "0xsigned"],
    ["orders", ALICE, "token", null],
  ]);
  assert.equal(history.phase, "list");
  assert.deepEqual(ids(history), [order(2).orderId, order(1).orderId]);
});

test("every refusal is told by its reason, and can be tried again", async () => {
  const cases: [Answers, unknown, string][] = [
    [{ personal_sign: () => no(4001) }, null, "signIn.rejected"],
    [{ personal_sign: () => no(-32002) }, null, "wallet.pending"],
    [{ personal_sign: () => no(-32603, "oops") }, null, "signIn.failed"],
    [SIGNS, new Unreachable("no answer"), "api.offline"],
    [SIGNS, problem(429, "RATE_LIMITED", 30), "api.limit"],
    [SIGNS, problem(401, "SIGN_IN_REFUSED"), "signIn.refused"],
    [{ ...SIGNS, eth_getCode: () => "0x" }, problem(401, "SIGN_IN_REFUSED"), "signIn.refused"],
    [
      { ...SIGNS, eth_getCode: () => `0xef0100${"11".repeat(20)}` },
      problem(401, "SIGN_IN_REFUSED"),
      "signIn.refused",
    ],
    [{ ...SIGNS, eth_getCode: () => "0x6080" }, problem(401, "SIGN_IN_REFUSED"), "signIn.contract"],
  ];
  for (const [answers, fail, key] of cases) {
    const around = new Around();
    around.connect(ALICE, answers);
    const history = await opened(around);
    around.fail = fail;
    await history.signIn();
    assert.equal(history.phase, "sign-in", key);
    assert.equal(history.notice?.key, key);
    around.fail = null;
    around.connect(ALICE);
    history.follow(around.context);
    await history.signIn();
    assert.equal(history.phase, "list", `after ${key}`);
    assert.equal(history.notice, null);
  }
});

test("asking again leaves the earlier request without effect", async () => {
  const around = new Around();
  const answers: ((signature: string) => void)[] = [];
  around.connect(ALICE, { personal_sign: () => new Promise((done) => answers.push(done)) });
  const history = await opened(around);
  const first = history.signIn();
  const second = history.signIn();
  await settled();
  answers[1]?.("0xsecond");
  await second;
  assert.equal(history.phase, "list");
  around.fail = problem(401, "SIGN_IN_REFUSED");
  answers[0]?.("0xfirst");
  await first;
  assert.equal(history.phase, "list");
  assert.equal(history.notice, null);
});

test("another account ends the session and is told; no token goes to it", async () => {
  const around = new Around();
  around.pages[""] = { items: [order(1)], nextCursor: null };
  const history = await signedIn(around);
  around.connect(BOB);
  history.follow(around.context);
  assert.equal(history.phase, "sign-in");
  assert.equal(history.notice?.key, "signIn.switched");
  assert.deepEqual(ids(history), []);
  around.connection = null;
  history.follow(around.context);
  assert.equal(history.phase, "device");
});

test("an account switched while the wallet signs gets nothing of the other's", async () => {
  const around = new Around();
  around.connect(ALICE, {
    personal_sign: () => {
      around.connect(BOB);
      history.follow(around.context);
      return "0xsigned";
    },
  });
  const history = await opened(around);
  await history.signIn();
  assert.equal(history.phase, "sign-in");
});

test("a session that is over asks to sign in again", async () => {
  const around = new Around();
  around.pages[""] = { items: [order(1)], nextCursor: null };
  const history = await signedIn(around);
  around.fail = problem(401, "UNAUTHENTICATED");
  await history.refresh();
  assert.equal(history.phase, "sign-in");
  assert.equal(history.notice?.key, "signIn.over");
  assert.deepEqual(ids(history), []);
});

test("pages follow each other without doubles, and a failed one is fetched again", async () => {
  const around = new Around();
  around.pages[""] = { items: [order(9), order(8)], nextCursor: "a" };
  around.pages.a = { items: [order(8), order(7)], nextCursor: null };
  const history = await signedIn(around);
  assert.equal(history.more, "some");
  around.fail = new Unreachable("no answer");
  await history.loadMore();
  assert.equal(history.more, "failed");
  assert.deepEqual(ids(history).length, 2);
  around.fail = null;
  await history.loadMore();
  assert.equal(history.more, "none");
  assert.deepEqual(
    ids(history),
    [9, 8, 7].map((at) => order(at).orderId),
  );
  // Coming back renews the newest and keeps what was fetched after them.
  around.pages[""] = {
    items: [order(10), order(9, { status: "DELIVERED" })],
    nextCursor: "b",
  };
  history.leave();
  history.follow(around.context);
  await settled();
  assert.deepEqual(
    ids(history),
    [10, 9, 8, 7].map((at) => order(at).orderId),
  );
  assert.equal(history.entries()[1]?.status, "DELIVERED");
  assert.equal(history.more, "none");
});

test("this device's orders are shown before signing in, and none twice after", async () => {
  const around = new Around();
  const [mine, other, gone] = [order(5), order(3, { order: { customer: BOB } as never }), order(1)];
  around.kept = [mine, other, gone].map(({ orderId }) => ({ orderId, status: "CREATED" }));
  around.known = { [mine.orderId]: mine, [other.orderId]: other };
  around.connect(ALICE);
  const history = new History();
  history.follow(around.context);
  assert.deepEqual(
    history.entries().map(({ status, timed }) => [status, timed]),
    [
      ["CREATED", false],
      ["CREATED", false],
      ["CREATED", false],
    ],
    "as the device remembers them, before the API has answered",
  );
  await settled();
  assert.deepEqual(
    history.entries().map((one) => [one.orderId, one.status, one.otherWallet]),
    [
      [mine.orderId, "VALID", null],
      [other.orderId, "VALID", other.customerAddressMasked],
    ],
    "what the API does not know any more is left out",
  );
  around.pages[""] = { items: [mine, order(4)], nextCursor: "more" };
  await history.signIn();
  assert.deepEqual(ids(history), [mine.orderId, order(4).orderId], "the rest may be on page two");
  around.pages.more = { items: [], nextCursor: null };
  await history.loadMore();
  assert.deepEqual(ids(history), [mine.orderId, order(4).orderId, other.orderId]);
});

test("without the API this device's orders stay, and it is said that they may be old", async () => {
  const around = new Around();
  around.kept = [{ orderId: order(5).orderId, status: "VALID" }];
  around.fail = new Unreachable("no answer");
  const history = await opened(around);
  assert(history.deviceFailed);
  assert.equal(history.entries().length, 1);
  assert.equal(history.entries()[0]?.at.toISOString(), "2026-11-20T00:00:00.000Z");
});

test("a voucher is offered to the wallet as EIP-747 says, and the answer told", async () => {
  const asked: unknown[] = [];
  const wallet = provider({
    wallet_watchAsset: (params) => {
      asked.push(params);
      return true;
    },
  });
  assert.equal((await watch(wallet, ALICE, 1001))?.key, "watch.done");
  assert.deepEqual(asked, [{ type: "ERC1155", options: { address: ALICE, tokenId: "1001" } }]);
  const answers: [() => unknown, string | null][] = [
    [() => false, null],
    [() => no(4001), null],
    [() => no(4200), "watch.unsupported"],
    [() => no(-32601), "watch.unsupported"],
    [() => no(-32602), "watch.unsupported"],
    [() => no(-32000), "watch.notHeld"],
    [() => no(-32002), "watch.notHeld"],
    [() => no(-32603), "watch.failed"],
  ];
  for (const [answer, key] of answers) {
    const told = await watch(provider({ wallet_watchAsset: answer }), ALICE, 1001);
    assert.equal(told?.key ?? null, key);
  }
});

test("an order that the API does not know is listed if something was sent for it", async () => {
  const around = new Around();
  const [sent, unsent] = [order(1), order(2)];
  around.kept = [
    { orderId: sent.orderId, status: "CREATED", attempts: [{}] },
    { orderId: unsent.orderId, status: "CREATED" },
  ];
  const history = await opened(around);
  assert.deepEqual(ids(history), [sent.orderId]);
});
