/** The portal's way from a press to the wallet, with wallets that answer oddly, late or not at all. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { KeptOrders } from "../portal/kept.ts";
import type { PortalKey } from "../portal/messages/index.ts";
import { WalletSession } from "../portal/session.ts";
import { Signing } from "../portal/signing.ts";
import { nothingBurned, stageOf } from "../portal/stage.ts";
import { EMPTY, Store } from "../portal/state.ts";
import type { OrderTracker } from "../portal/tracker.ts";
import type { Connection, Provider, Wallet } from "../portal/wallet.ts";
import type { Translator } from "../shared/i18n.ts";
import type { ChainConfig, Hex, OrderView } from "../shared/wire.ts";

const ALICE = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const BOB = "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc";
const ID = "ORD_20261121_0000000000000000";
const HASH: Hex = `0x${"ab".repeat(32)}`;
const NO: Hex = `0x${"0".repeat(64)}`;
const CONFIG = {
  chainId: 97,
  chainName: "BNB Testnet",
  contractAddress: "0x5fbdb2315678afecb367f032d93f642f64180aa3",
  nativeCurrency: { name: "BNB", symbol: "tBNB", decimals: 18 },
  rpcUrls: [],
} as unknown as ChainConfig;
const VIEW = {
  orderId: ID,
  orderHash: HASH,
  order: {
    orderRef: HASH,
    customer: ALICE,
    tokenId: 1001,
    amount: 1,
    siteRef: HASH,
    expiresAt: 1_800_000_000,
  },
  status: "CREATED",
  transactionHints: [],
  exception: null,
} as unknown as OrderView;

type Answer = unknown | ((params: readonly unknown[]) => unknown);

/** An order on the screen, and a wallet that answers by method. */
class Around {
  readonly asked: string[] = [];
  readonly hints: string[] = [];
  sent: Record<string, unknown> | null = null;
  answers: Record<string, Answer> = {
    eth_chainId: "0x61",
    eth_accounts: [ALICE],
    eth_call: NO,
    eth_estimateGas: "0x5208",
    eth_gasPrice: "0x1",
    eth_getBalance: "0xffffff",
    eth_blockNumber: "0x10",
    eth_sendTransaction: HASH,
    eth_getTransactionReceipt: null,
    eth_getTransactionByHash: { nonce: "0x7" },
  };
  readonly store = new Store(EMPTY, () => {});
  readonly kept = new KeptOrders(this.store);
  readonly session: WalletSession;
  readonly signing: Signing;

  constructor() {
    const provider: Provider = {
      request: async ({ method, params }) => {
        this.asked.push(method);
        const given = (params ?? []) as readonly Record<string, unknown>[];
        if (method === "eth_sendTransaction") this.sent = given[0] ?? null;
        const answer = this.answers[method];
        return typeof answer === "function" ? answer(given) : answer;
      },
    };
    const wallet: Wallet = { info: { uuid: "u", name: "W", icon: "", rdns: "w" }, provider };
    const connection: Connection = { wallet, address: ALICE, chainId: 97 };
    this.session = new WalletSession(this.store, () => {});
    const tracker = {
      now: () => {},
      hint: (_: string, txHash: string) => this.hints.push(txHash),
    } as unknown as OrderTracker;
    const words = { has: () => true } as unknown as Translator<PortalKey>;
    this.signing = new Signing(this.store, words, this.kept, this.session, tracker);
    this.store.set({ config: CONFIG, connection });
    this.show(ID);
    this.kept.made(ID, { tokenId: 1001, amount: 1, siteId: "", meta: {} });
    this.kept.note(VIEW);
  }

  show(orderId: string): void {
    const rest = { qr: null, working: null, redeemed: false, staleSince: null, lost: false };
    this.store.set({ open: { orderId, view: { ...VIEW, orderId }, ...rest } });
  }

  get stage() {
    return stageOf(VIEW, this.kept.local(ID));
  }

  get notice() {
    return this.store.state.notice?.key ?? null;
  }

  get claims() {
    return nothingBurned(VIEW, this.kept.local(ID));
  }
}

/** An answer that is given when the test wants it. */
function later() {
  let give: (answer: unknown) => void = () => {};
  const answer = new Promise((resolve) => {
    give = resolve;
  });
  return { answer: () => answer, give: (value: unknown) => give(value) };
}

const turns = async () => {
  for (let turn = 0; turn < 50; turn += 1) await null;
};
const fails = (error: unknown) => () => {
  throw error;
};

test("what is sent names its account and its chain, and is kept before the wallet is asked", async () => {
  const around = new Around();
  around.answers.eth_sendTransaction = () => {
    const [attempt] = around.kept.local(ID).attempts;
    assert.deepEqual([attempt?.txHash, attempt?.fate, attempt?.block], [null, "open", 16]);
    assert.equal(around.claims, false);
    return HASH;
  };
  await around.signing.sign();
  await turns();
  assert.equal(around.sent?.from, ALICE);
  assert.equal(around.sent?.chainId, "0x61");
  assert.equal(around.kept.local(ID).attempts[0]?.nonce, 7);
  assert.deepEqual(around.hints, [HASH]);
  assert.equal(around.stage, "submitted");
});

test("an account or chain changed while it was checked is not asked to sign", async () => {
  const changes: [string, Answer, string][] = [
    ["eth_accounts", [BOB, ALICE], "problem.account"],
    ["eth_chainId", "0x38", "network.failed"],
  ];
  for (const [method, answer, notice] of changes) {
    const around = new Around();
    around.answers.eth_estimateGas = () => {
      around.answers[method] = answer;
      return "0x5208";
    };
    await around.signing.sign();
    assert.equal(around.notice, notice);
    assert.equal(around.sent, null);
    assert.equal(around.stage, "unsigned");
  }
});

test("nobody is asked to sign an order that they left while it was checked", async () => {
  for (const leave of [
    (around: Around) => around.store.set({ open: null }),
    (around: Around) => around.show("ORD_20261121_1111111111111111"),
    (around: Around) => around.signing.giveUp(),
  ]) {
    const around = new Around();
    const gas = later();
    around.answers.eth_estimateGas = gas.answer;
    const signed = around.signing.sign();
    await turns();
    assert.equal(around.store.state.open?.working, "checking");
    leave(around);
    gas.give("0x5208");
    await signed;
    assert.equal(around.sent, null);
    assert.deepEqual(around.kept.local(ID).attempts, []);
  }
});

test("pressed again after giving up, the wallet is asked once", async () => {
  const around = new Around();
  const gas = later();
  around.answers.eth_estimateGas = gas.answer;
  const first = around.signing.sign();
  await turns();
  around.signing.giveUp();
  const second = around.signing.sign();
  gas.give("0x5208");
  await Promise.all([first, second]);
  assert.equal(around.asked.filter((method) => method === "eth_sendTransaction").length, 1);
});

test("an answer that is no transaction's hash is looked for on the chain", async () => {
  for (const answer of [null, undefined, "", "ok", { hash: HASH }, true]) {
    const around = new Around();
    around.answers.eth_sendTransaction = () => answer;
    await around.signing.sign();
    assert.equal(around.stage, "looking", JSON.stringify(answer));
    assert.equal(around.claims, false);
    assert.deepEqual(around.hints, []);
  }
});

test("only what proves that nothing was sent is believed to", async () => {
  const unclear = [
    "User closed",
    undefined,
    new Error("no code"),
    { code: -32002, message: "request timed out" },
    { code: -32603, data: { code: -32002, message: "Request timeout" } },
    { code: -32603, message: "not mined within 50 blocks", data: HASH },
  ];
  for (const error of unclear) {
    const around = new Around();
    around.answers.eth_sendTransaction = fails(error);
    await around.signing.sign();
    assert.equal(around.stage, "looking", JSON.stringify(error));
    assert.equal(around.claims, false);
  }
  const clear: [unknown, string][] = [
    [{ code: "4001" }, "problem.rejected"],
    [{ code: -32002, message: "already pending" }, "problem.pending"],
    [{ code: 3, data: `0xbd5c334e${"0".repeat(64)}` }, "revert.OrderExpired"],
  ];
  for (const [error, notice] of clear) {
    const around = new Around();
    around.answers.eth_sendTransaction = fails(error);
    await around.signing.sign();
    assert.equal(around.notice, notice);
    assert.equal(around.stage, "unsigned");
    assert(around.claims);
  }
});

test("once the contract said that it has burned, nothing is said to be unused ever after", async () => {
  const around = new Around();
  around.answers.eth_call = `0x${"1".padStart(64, "0")}`;
  await around.signing.sign();
  assert.equal(around.notice, "revert.AlreadyRedeemed");
  assert.equal(around.stage, "seen");
  around.show(ID);
  assert.equal(around.claims, false);
});

test("a node that cannot be asked after sending does not hold the page", async () => {
  const around = new Around();
  around.answers.eth_getTransactionReceipt = later().answer;
  await around.signing.sign();
  assert.equal(around.store.state.open?.working, null);
  assert.equal(around.stage, "submitted");
});
