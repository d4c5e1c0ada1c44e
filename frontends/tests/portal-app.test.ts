/** The portal as a whole, without a page: people who leave midway, an API and wallets that fail. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Portal } from "../portal/app.ts";
import type { LaterScreens, Told } from "../portal/later.ts";
import type { PortalKey } from "../portal/messages/index.ts";
import { orderPage, ticks } from "../portal/pages/order.ts";
import { page } from "../portal/pages/page.ts";
import { walletChooser } from "../portal/pages/welcome.ts";
import { screenOf } from "../portal/screen.ts";
import type { Provider, Wallet } from "../portal/wallet.ts";
import { type Api, ApiError, Unreachable } from "../shared/api.ts";
import { ServerClock } from "../shared/clock.ts";
import type { Translator } from "../shared/i18n.ts";
import type { Hex, OrderView } from "../shared/wire.ts";

const ALICE = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const HASH: Hex = `0x${"ab".repeat(32)}`;
const type = (tokenId: number) => ({
  tokenId,
  name: { vi: "", en: "" },
  unit: { vi: "", en: "" },
  minAmount: 1,
  maxAmount: 5,
  sites: [],
  requires: [],
});
const CONFIG = {
  chainId: 97,
  chainName: "BNB Testnet",
  brand: { name: "5SOffice" },
  contractAddress: "0x5fbdb2315678afecb367f032d93f642f64180aa3",
  nativeCurrency: { name: "BNB", symbol: "tBNB", decimals: 18 },
  rpcUrls: [],
};
const never = () => new Promise(() => {});

/** What browsers have; each test begins with a fresh one. */
function browser(): void {
  const listening = { addEventListener: () => {}, removeEventListener: () => {} };
  const history = {
    state: null as unknown,
    pushState: (state: unknown) => {
      history.state = state;
    },
    replaceState: (state: unknown) => {
      history.state = state;
    },
    back: () => {},
  };
  Object.assign(globalThis, {
    ...listening,
    history,
    document: { ...listening, visibilityState: "visible" },
  });
}

class Around {
  readonly answers: Record<string, unknown> = {
    eth_accounts: [ALICE],
    eth_requestAccounts: [ALICE],
    eth_chainId: "0x61",
    eth_call: `0x${"0".repeat(64)}`,
    eth_estimateGas: "0x1",
    eth_gasPrice: "0x1",
    eth_getBalance: "0xffffff",
    eth_blockNumber: "0x10",
    eth_sendTransaction: never,
    eth_getTransactionCount: "0x0",
    eth_getTransactionReceipt: null,
    eth_getTransactionByHash: null,
  };
  readonly asked: string[] = [];
  placed = 0;
  readonly keys: string[] = [];
  language = "vi";
  loadedIn = "";
  config: () => Promise<unknown> = async () => CONFIG;
  place: (orderId: string) => Promise<unknown> = async (orderId) => ({ orderId });
  look: (orderId: string) => Promise<OrderView> = async (orderId) => this.view(orderId);
  qr: () => Promise<string> = async () => "<svg/>";
  readonly portal: Portal;

  constructor() {
    browser();
    const api = {
      clock: new ServerClock(),
      config: () => this.config(),
      catalogue: async () => ({ types: [type(1001), type(2001)], sites: [] }),
      placeOrder: (_: unknown, key: string) => {
        this.placed += 1;
        this.keys.push(key);
        return this.place(`ORD_20261121_000000000000000${this.placed}`);
      },
      order: (orderId: string) => this.look(orderId),
      qrSvg: () => this.qr(),
      hintTransaction: async () => {},
    } as unknown as Api;
    const words = {
      has: () => true,
      use: async (language: string) => {
        this.language = language;
      },
      text: (key: string) => key,
      pick: () => "",
      goods: () => "",
      moment: () => "",
    } as never;
    this.portal = new Portal(api, words as Translator<PortalKey>, () => {});
  }

  view(orderId: string): OrderView {
    const order = { orderRef: HASH, customer: ALICE, tokenId: 1001, amount: 1, siteRef: HASH };
    return {
      orderId,
      tokenId: 1001,
      amount: 1,
      siteId: "",
      status: "CREATED",
      orderHash: HASH,
      order: { ...order, expiresAt: 1_800_000_000 },
      transactionHints: [],
      createdAt: "2026-11-21T00:00:00Z",
      customerAddressMasked: "0x7099…79C8",
      exception: null,
    } as unknown as OrderView;
  }

  async begin(): Promise<this> {
    const provider: Provider = {
      request: async ({ method }) => {
        this.asked.push(method);
        const answer = this.answers[method];
        return typeof answer === "function" ? answer() : answer;
      },
    };
    const wallet: Wallet = { info: { uuid: "u", name: "W", icon: "", rdns: "w" }, provider };
    this.portal.start();
    await turns();
    await this.portal.session.join(wallet, false);
    this.choose(1001);
    return this;
  }

  choose(tokenId: number): void {
    this.portal.choose(type(tokenId) as never);
    const held = new Map([
      [1001, 3],
      [2001, 3],
    ]);
    // The fake node does not hold vouchers.
    Object.assign(this.portal.state, { held, heldFailed: false });
  }

  /** What is loaded later offers `cancelOrder`, its texts in the language it was loaded in. */
  cancels(cancelOrder: () => Promise<Told | null>): void {
    const screens = { cancelOrder } as unknown as LaterScreens;
    this.portal.later.load = async () => {
      this.loadedIn = this.language;
      return screens;
    };
  }

  get sends(): number {
    return this.asked.filter((method) => method === "eth_sendTransaction").length;
  }

  get stage() {
    return this.portal.tracker.stage();
  }

  /** What stands on the order's page, with the names of its buttons. */
  get page(): string {
    return JSON.stringify(orderPage(this.portal));
  }

  /** What stands on the whole page. */
  get screen(): string {
    return JSON.stringify(page(this.portal));
  }

  /** The API tells this of the order on the screen. */
  tell(change: Partial<OrderView>): void {
    const { view } = this.portal.state.open ?? {};
    this.portal.tracker.take({ ...view, ...change } as OrderView);
  }

  /** Stops all that runs on by itself. */
  end(): void {
    this.portal.tracker.close();
  }
}

const turns = async () => {
  for (let turn = 0; turn < 100; turn += 1) await null;
};

function problem(status: number): ApiError {
  return new ApiError({ title: "no", status, code: "NO" }, null);
}

/** A test that begins with a voucher chosen, and leaves nothing running. */
function walk(name: string, run: (around: Around) => Promise<void>): void {
  test(name, async () => {
    const around = await new Around().begin();
    try {
      await run(around);
    } finally {
      around.end();
    }
  });
}

walk("one press makes an order, keeps it and asks the wallet", async (around) => {
  await around.portal.redeem();
  await turns();
  assert.deepEqual([around.stage, around.sends], ["signing", 1]);
  assert.equal(around.portal.state.kept.length, 1);
});

walk("an order is kept although it cannot be looked at", async (around) => {
  around.look = async () => {
    throw new Unreachable("down");
  };
  await around.portal.redeem();
  await turns();
  assert.equal(around.portal.state.kept.length, 1);
  assert.equal(around.sends, 0);
});

walk("a wallet that never answers does not hold the next order", async (around) => {
  void around.portal.redeem();
  await turns();
  assert.equal(around.stage, "signing");
  around.portal.signing.giveUp();
  around.portal.home();
  around.choose(2001);
  assert.equal(around.portal.state.placing, false);
  await around.portal.redeem();
  assert.equal(around.placed, 2);
});

walk("who leaves while the order is made is not called back, and finds it kept", async (around) => {
  let give = (_: unknown) => {};
  around.place = (orderId) =>
    new Promise((resolve) => {
      give = () => resolve({ orderId });
    });
  const redeemed = around.portal.redeem();
  around.portal.home();
  give(null);
  await redeemed;
  await turns();
  assert.equal(around.portal.state.place.at, "home");
  assert.equal(around.portal.state.kept.length, 1);
  assert.equal(around.sends, 0);
});

walk("a refusal that comes after leaving does not bring the form back", async (around) => {
  let refuse = () => {};
  around.place = () =>
    new Promise((_, reject) => {
      refuse = () => reject(problem(422));
    });
  const redeemed = around.portal.redeem();
  around.portal.home();
  around.choose(2001);
  refuse();
  await redeemed;
  assert.equal(around.portal.state.draft?.tokenId, 2001);
  assert.equal(around.portal.state.notice, null);
});

walk(
  "who goes to another order while one is looked at is not asked to sign that",
  async (around) => {
    const waiting: (() => void)[] = [];
    around.look = (orderId) =>
      new Promise((resolve) => {
        waiting.push(() => resolve(around.view(orderId)));
      });
    await around.portal.redeem();
    around.portal.openOrder("ORD_20261121_ZZZZZZZZZZZZZZZZ");
    waiting[1]?.();
    await turns();
    waiting[0]?.();
    await turns();
    assert.deepEqual([around.stage, around.sends], ["unsigned", 0]);
  },
);

walk(
  "what was told of a declined signature is not left standing once something is sent",
  async (around) => {
    around.answers.eth_sendTransaction = () => {
      throw { code: 4001 };
    };
    await around.portal.redeem();
    await turns();
    assert.match(around.page, /"problem\.rejected"/);
    const { orderId, view } = around.portal.state.open ?? {};
    around.portal.tracker.take({ ...view, transactionHints: [HASH] } as OrderView);
    assert.equal(around.portal.local(orderId ?? "").attempts.length, 1);
    assert.doesNotMatch(around.page, /"problem\.rejected"/);
  },
);

walk("whoever waits has a next step: a silent wallet, one on another chain", async (around) => {
  around.answers.eth_estimateGas = never;
  await around.portal.redeem();
  await turns();
  assert.equal(around.stage, "checking");
  assert.match(around.page, /"stuck"/);
  around.portal.signing.giveUp();
  around.answers.eth_estimateGas = "0x1";
  void around.portal.signing.sign();
  await turns();
  around.portal.signing.giveUp();
  assert.equal(around.stage, "looking");
  assert.doesNotMatch(around.page, /"switch-network"/);
  const { connection } = around.portal.state;
  Object.assign(around.portal.state, { connection: { ...connection, chainId: 1 } });
  assert.match(around.page, /"switch-network"/);
});

walk(
  "a transaction that the wallet sent anew is followed, whoever tells of it first",
  async (around) => {
    around.answers.eth_sendTransaction = HASH;
    await around.portal.redeem();
    await turns();
    const view = around.view(around.portal.state.open?.orderId ?? "");
    const other: Hex = `0x${"cd".repeat(32)}`;
    for (const [txHash, told] of [
      [HASH, undefined],
      [other, "tx.spedUp"],
    ] as const) {
      const chain = { txHash, confirmations: 1, required: 3, final: false };
      around.portal.tracker.take({ ...view, status: "PENDING_CHAIN", chain } as OrderView);
      assert.equal(around.portal.state.notice?.key, told);
    }
    assert.equal(around.portal.local(view.orderId).attempts.at(-1)?.txHash, other);
  },
);

/** An order that waits for the customer, who declined once. */
async function declined(around: Around): Promise<string> {
  around.answers.eth_sendTransaction = () => {
    throw { code: 4001 };
  };
  await around.portal.redeem();
  await turns();
  assert.equal(around.stage, "unsigned");
  return around.portal.state.open?.orderId ?? "";
}

walk("pressed twice, taking an order back asks the wallet once", async (around) => {
  const orderId = await declined(around);
  const waiting: ((told: Told | null) => void)[] = [];
  around.cancels(() => new Promise((resolve) => waiting.push(resolve)));
  const { portal } = around;
  assert.doesNotMatch(around.page, /"aria-disabled":"true"/);
  const first = portal.cancelOrder("cancel-order");
  void portal.cancelOrder("cancel-order");
  await turns();
  assert.equal(waiting.length, 1);
  assert.equal(around.page.match(/"aria-disabled":"true"/g)?.length, 2, "and to confirm it waits");
  void portal.signing.sign();
  await turns();
  assert.equal(around.sends, 1);
  waiting[0]?.(null);
  await first;
  assert.doesNotMatch(around.page, /"aria-disabled":"true"/);
  // A wallet that never answers holds nobody who goes elsewhere and comes back.
  void portal.cancelOrder("cancel-order");
  portal.home();
  portal.openOrder(orderId);
  await turns();
  const told: Told = { tone: "warn", key: "cancel.rejected", text: () => "" };
  void portal.cancelOrder("cancel-order");
  await turns();
  waiting[1]?.(told);
  await turns();
  assert.deepEqual([waiting.length, portal.state.notice], [3, null]);
  assert.match(around.page, /"aria-disabled":"true"/);
  waiting[2]?.(told);
  await turns();
  assert.equal(portal.state.notice, told);
});

walk("what a later screen told gives way to what is newer", async (around) => {
  await declined(around);
  around.cancels(async () => ({ tone: "warn", key: "cancel.rejected", text: () => "kept" }));
  await around.portal.cancelOrder("cancel-order");
  assert.match(around.page, /"cancel\.rejected"/);
  assert.doesNotMatch(around.page, /"problem\.rejected"/);
  await around.portal.signing.sign();
  assert.match(around.page, /"problem\.rejected"/);
  assert.doesNotMatch(around.page, /"cancel\.rejected"/);
});

walk("what a later screen told changes its language with the page", async (around) => {
  await declined(around);
  const text = () => `in ${around.loadedIn}`;
  around.cancels(async () => ({ tone: "warn", key: "cancel.rejected", text }));
  await around.portal.cancelOrder("cancel-order");
  assert.match(around.page, /"in vi"/);
  await around.portal.useLanguage("en");
  assert.match(around.page, /"in en"/);
});

walk("an order that is gone is told of, also after a reload in that moment", async (around) => {
  await declined(around);
  around.look = async () => {
    throw problem(404);
  };
  around.portal.tracker.now();
  await turns();
  assert.deepEqual(
    [around.portal.state.place.at, around.portal.state.notice?.key],
    ["home", "order.gone"],
  );
  const { state } = history;
  const again = new Around();
  history.replaceState(state, "");
  again.portal.start();
  assert.equal(again.portal.state.notice?.key, "order.gone");
  again.portal.openHistory();
  assert.equal(again.portal.state.notice, null);
});

walk("a wallet without enough of it is not asked for a number that cannot be", async (around) => {
  Object.assign(around.portal.state, { held: new Map([[1001, 0]]) });
  await around.portal.redeem();
  const { amount } = around.portal.state.draft?.errors ?? {};
  assert.equal(amount?.key, "revert.ERC1155InsufficientBalance");
  assert.equal(around.placed, 0);
});

walk("a wallet that asks to connect is waited for wherever it was called", async (around) => {
  await declined(around);
  const { connection } = around.portal.state;
  const wallet = connection?.wallet as Wallet;
  around.portal.session.disconnect();
  assert.equal(screenOf(around.portal.state), "order");
  around.answers.eth_requestAccounts = never;
  void around.portal.session.join(wallet, false);
  assert.equal(screenOf(around.portal.state), "connecting");
  around.portal.session.giveUp();
  assert.equal(screenOf(around.portal.state), "order");
});

walk("who is asked for a wallet and has none is shown how to get one", async (around) => {
  const had = around.portal.state.connection?.wallet as Wallet;
  Object.assign(globalThis, {
    matchMedia: () => ({ matches: false }),
    location: { host: "portal.example", origin: "https://portal.example", pathname: "/" },
  });
  const state = { ...around.portal.state, wallets: null };
  const early = JSON.stringify(
    walletChooser(Object.create(around.portal, { state: { value: state } })),
  );
  assert.match(early, /"loading"/);
  assert.doesNotMatch(early, /"get-wallet"|"connect\.choose"/);
  const chooser = (wallets: readonly Wallet[]) => {
    around.portal.session.found(wallets);
    return JSON.stringify(walletChooser(around.portal));
  };
  assert.match(chooser([]), /"get-wallet"/);
  assert.doesNotMatch(chooser([]), /"connect\.choose"/);
  assert.match(chooser([had]), /"wallet-w"/);
  assert.match(chooser([had]), /"connect\.choose"/);
  assert.doesNotMatch(chooser([had]), /"get-wallet"/);
});

test("an order is tried again with its key until the API has taken or refused it", async () => {
  const stored = new Map<string, string>();
  const sessionStorage = {
    getItem: (name: string) => stored.get(name) ?? null,
    setItem: (name: string, value: string) => stored.set(name, value),
    removeItem: (name: string) => stored.delete(name),
  };
  Object.defineProperty(globalThis, "sessionStorage", {
    value: sessionStorage,
    configurable: true,
  });
  const around = await new Around().begin();
  try {
    const busy = new Unreachable("503", {}, 2);
    const limited = new ApiError({ title: "", status: 429, code: "RATE_LIMITED" }, 2);
    const refused = problem(409);
    for (const error of [new Unreachable("offline"), busy, limited, refused, busy]) {
      around.place = async () => {
        throw error;
      };
      await around.portal.redeem();
    }
    const [first, second, third, fourth, fifth] = around.keys;
    assert.deepEqual([second, third, fourth], [first, first, first]);
    assert(fifth !== first);
    assert.equal(around.portal.state.notice?.key, "problem.offline");
  } finally {
    around.end();
    Reflect.deleteProperty(globalThis, "sessionStorage");
  }
});

test("a service that asks for time is told to be down, and left alone for that time", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const around = new Around();
  let asked = 0;
  around.config = async () => {
    asked += 1;
    throw new Unreachable("503", {}, 60);
  };
  around.portal.start();
  await turns();
  assert.equal(screenOf(around.portal.state), "down");
  mock.timers.tick(59_000);
  await turns();
  assert.equal(asked, 1);
  around.config = async () => CONFIG;
  mock.timers.tick(1000);
  await turns();
  assert.equal(around.portal.state.config, CONFIG);
  mock.timers.reset();
});

walk("a look that began before the nonce was learned does not forget it", async (around) => {
  const waiting: ((transaction: unknown) => void)[] = [];
  around.answers.eth_sendTransaction = HASH;
  around.answers.eth_getTransactionByHash = () => new Promise((resolve) => waiting.push(resolve));
  await around.portal.redeem();
  await turns();
  const nonce = () =>
    around.portal.local(around.portal.state.open?.orderId ?? "").attempts[0]?.nonce;
  assert.equal(waiting.length, 2);
  waiting[0]?.({ nonce: "0x7" });
  await turns();
  assert.equal(nonce(), 7);
  waiting[1]?.(null);
  await turns();
  assert.equal(nonce(), 7);
});

test("only an API that does not know an order has it forgotten, and none that was sent", async () => {
  for (const [status, sent, kept] of [
    [404, false, 0],
    [404, true, 1],
    [403, false, 1],
    [429, false, 1],
    [401, true, 1],
  ] as const) {
    const around = await new Around().begin();
    around.answers.eth_sendTransaction = sent ? HASH : never;
    if (!sent) around.answers.eth_estimateGas = never;
    await around.portal.redeem();
    await turns();
    assert.equal(around.stage, sent ? "submitted" : "checking");
    around.look = async () => {
      throw problem(status);
    };
    around.portal.tracker.now();
    await turns();
    assert.equal(around.portal.state.kept.length, kept, `${status}, sent: ${sent}`);
    const place = status === 404 && !sent ? "home" : "order";
    assert.equal(around.portal.state.place.at, place);
    around.end();
  }
});

walk("a wallet that does not answer a look is asked again", async (around) => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  around.answers.eth_sendTransaction = HASH;
  around.answers.eth_getTransactionCount = never;
  await around.portal.redeem();
  await turns();
  assert.equal(around.stage, "submitted");
  around.answers.eth_getTransactionCount = "0x1";
  around.answers.eth_call = `0x${"1".padStart(64, "0")}`;
  for (let second = 0; second < 30; second += 1) {
    mock.timers.tick(1000);
    await turns();
  }
  assert.equal(around.stage, "seen");
  mock.timers.reset();
});

walk(
  "what was sent for an order keeps its code in reach when the API knows it no more",
  async (around) => {
    around.answers.eth_sendTransaction = HASH;
    await around.portal.redeem();
    await turns();
    const { portal } = around;
    const { orderId } = portal.state.open as { orderId: string };
    const known = around.look;
    around.look = async () => {
      throw problem(404);
    };
    portal.tracker.now();
    await turns();
    portal.home();
    portal.openOrder(orderId);
    await turns();
    assert.equal(portal.state.place.at, "order");
    assert.match(around.page, /"order\.lost"/);
    assert.match(around.page, new RegExp(`"data-order-id":"${orderId}"`));
    assert.match(around.page, new RegExp(HASH));
    around.look = known;
    portal.tracker.now();
    await turns();
    assert.equal(around.stage, "submitted");
    assert.doesNotMatch(around.page, /"order\.lost"/);
  },
);

walk("a QR code that is refused for good is not waited for: the code is told", async (around) => {
  around.answers.eth_sendTransaction = HASH;
  around.qr = async () => {
    throw problem(404);
  };
  await around.portal.redeem();
  await turns();
  around.tell({ status: "VALID" });
  assert.equal(around.stage, "ready");
  assert.match(around.page, /"order-code"/);
  assert.match(around.page, /"code\.only"/);
  assert.doesNotMatch(around.page, /"spinner|spinner"|"enlarge"/);
});

walk("vouchers that are read again show that they are being read", async (around) => {
  const { portal } = around;
  const spins = () => /"icon spinner"/.test(around.screen);
  portal.home();
  around.answers.eth_call = () => {
    throw new Error("no node");
  };
  await portal.session.readHeld();
  assert.match(around.screen, /"vouchers\.failed"/);
  assert(!spins());
  let fail = () => {};
  around.answers.eth_call = () =>
    new Promise((_, reject) => {
      fail = () => reject(new Error("no node"));
    });
  const read = portal.session.readHeld();
  await turns();
  assert(spins());
  fail();
  await read;
  assert(!spins());
});

walk("time to confirm is told of as long as there is something to confirm", async (around) => {
  around.answers.eth_estimateGas = never;
  await around.portal.redeem();
  await turns();
  const timed = () => [around.stage, /"order\.expires"/.test(around.page), ticks(around.portal)];
  assert.deepEqual(timed(), ["checking", true, true]);
  around.portal.signing.giveUp();
  around.answers.eth_estimateGas = "0x1";
  await turns();
  assert.deepEqual(timed(), ["unsigned", true, true]);
  around.tell({ reason: "EXPIRY_BEING_CHECKED" });
  assert.deepEqual(timed(), ["expiring", false, false]);
  // The steps told already how far it had come.
  assert.doesNotMatch(around.page, /"step\./);
});

walk("what is confirmed has no time left to confirm", async (around) => {
  around.answers.eth_sendTransaction = HASH;
  await around.portal.redeem();
  await turns();
  assert.equal(around.stage, "submitted");
  assert.doesNotMatch(around.page, /"order\.expires"/);
  assert(!ticks(around.portal));
});

walk("where something stands in the way nobody is told that one press does it", async (around) => {
  around.answers.eth_getBalance = "0x0";
  await around.portal.redeem();
  await turns();
  assert.match(around.page, /"problem\.gas"/);
  assert.match(around.page, /"stage\.unsigned\.kept"/);
  assert.doesNotMatch(around.page, /"stage\.unsigned\.text"/);
  around.portal.home();
  const { connection } = around.portal.state;
  Object.assign(around.portal.state, { connection: { ...connection, chainId: 1 } });
  assert.match(around.screen, /network\.press/);
  Object.assign(around.portal.state, { notice: { key: "network.failed" } });
  assert.doesNotMatch(around.screen, /network\.press/);
});

walk("a code that gives nobody a service is not told to be worth keeping", async (around) => {
  around.answers.eth_sendTransaction = HASH;
  await around.portal.redeem();
  await turns();
  assert.match(around.page, /"code\.secret"/);
  around.tell({ exception: "WRONG_AMOUNT" });
  assert.equal(around.stage, "exception");
  assert.match(around.page, /"order-code"/);
  assert.doesNotMatch(around.page, /"code\.secret"/);
});

walk("a number that cannot be is not on the button", async (around) => {
  assert.match(around.screen, /"redeem\.action"/);
  for (const amount of [0, 1.5, 4]) {
    around.portal.edit({ amount });
    assert.doesNotMatch(around.screen, /"redeem\.action"/, String(amount));
  }
});
