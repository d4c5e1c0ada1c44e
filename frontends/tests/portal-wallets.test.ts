/** Wallets that announce themselves and connect in ways that no standard foresees. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { WalletSession } from "../portal/session.ts";
import { EMPTY, type State, Store } from "../portal/state.ts";
import { connect, discoverWallets, type Provider, type Wallet } from "../portal/wallet.ts";
import type { Hex } from "../shared/wire.ts";

const ALICE = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const BOB = "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc";

/** A provider that answers by method. */
function provider(answers: Record<string, unknown>): Provider & { emit(event: string): void } {
  const listeners = new Map<string, () => void>();
  return {
    async request({ method }) {
      const answer = answers[method];
      return typeof answer === "function" ? answer() : answer;
    },
    on: (event, listener) => void listeners.set(event, listener as () => void),
    emit: (event) => listeners.get(event)?.(),
  };
}

function wallet(of: Provider): Wallet {
  return { info: { uuid: "u", name: "W", icon: "", rdns: "w" }, provider: of };
}

/** What is found when wallets announce `details`. */
function found(...details: unknown[]): readonly Wallet[] {
  const page = new EventTarget();
  Object.defineProperty(globalThis, "window", { value: page, configurable: true });
  try {
    let wallets: readonly Wallet[] = [];
    discoverWallets((all) => {
      wallets = all;
    });
    for (const detail of details) {
      page.dispatchEvent(Object.assign(new Event("eip6963:announceProvider"), { detail }));
    }
    return wallets;
  } finally {
    setTimeout(() => Reflect.deleteProperty(globalThis, "window"), 500);
  }
}

const info = { uuid: "1", name: "One", icon: "data:image/svg+xml,x", rdns: "one.example" };

test("a wallet that announces itself twice is listed once, whatever it calls itself", () => {
  const one = provider({});
  const wallets = found(
    { info, provider: one },
    { info, provider: one },
    { info: { ...info, uuid: "2" }, provider: one },
    { info: { ...info, uuid: undefined, rdns: "two.example" }, provider: provider({}) },
    { info: { ...info, uuid: undefined, rdns: "three.example" }, provider: provider({}) },
  );
  assert.deepEqual(
    wallets.map(({ info: { rdns } }) => rdns),
    ["one.example", "two.example", "three.example"],
  );
});

test("what is announced can be drawn, whatever it is", () => {
  const nothing = [null, 7, {}, { info: null }, { info }, { info, provider: {} }];
  assert.deepEqual(found(...nothing, { info: { ...info, rdns: 7 }, provider: provider({}) }), []);
  const icons = [
    ["data:image/png;base64,AA==", true],
    ["https://tracker.example/pixel.png", false],
    ["javascript:alert(1)", false],
    ["data:text/html,<script>", false],
    [`data:image/png;base64,${"A".repeat(300_000)}`, false],
    [{}, false],
    [undefined, false],
  ] as const;
  for (const [icon, kept] of icons) {
    const [listed] = found({ info: { ...info, icon, name: { a: 1 } }, provider: provider({}) });
    assert.equal(listed?.info.icon, kept ? icon : "");
    assert.equal(typeof listed?.info.name, "string");
  }
});

test("chain ids are read as wallets tell them; no account is no connection", async () => {
  for (const id of ["0x61", 97, "97", 97n]) {
    const answers = { eth_accounts: [ALICE.toUpperCase().replace("0X", "0x")], eth_chainId: id };
    const connection = await connect(wallet(provider(answers)), true);
    assert.deepEqual([connection?.address, connection?.chainId], [ALICE, 97]);
  }
  for (const accounts of [[], null, undefined, {}, [null], ["alice"], [7]]) {
    assert.equal(await connect(wallet(provider({ eth_accounts: accounts })), true), null);
  }
});

test("a wallet that connects no account leaves nobody without an answer", async () => {
  const store = new Store(EMPTY, () => {});
  const session = new WalletSession(store, () => {});
  await session.join(wallet(provider({ eth_requestAccounts: [] })), false);
  assert.equal(store.state.notice?.key, "connect.rejected");
  assert.equal(store.state.connecting, null);
});

const turns = async () => {
  for (let turn = 0; turn < 20; turn += 1) await null;
};

test("of two answers about the vouchers the one to the later question counts", async () => {
  const answers: Record<string, unknown> = { eth_requestAccounts: [ALICE], eth_chainId: "0x61" };
  const waiting: ((count: number) => void)[] = [];
  const words = (...numbers: number[]) =>
    `0x${numbers.map((number) => number.toString(16).padStart(64, "0")).join("")}`;
  answers.eth_call = () =>
    new Promise((resolve) => waiting.push((count) => resolve(words(32, 1, count))));
  const config = { chainId: 97, contractAddress: `0x${"12".repeat(20)}` };
  const catalogue = { types: [{ tokenId: 1001 }], sites: [] };
  const store = new Store({ ...EMPTY, config, catalogue } as unknown as State, () => {});
  const session = new WalletSession(store, () => {});
  await session.join(wallet(provider(answers)), false);
  void session.readHeld();
  void session.readHeld();
  const held = async (question: number, count: number) => {
    waiting[question]?.(count);
    await turns();
    return store.state.held?.get(1001);
  };
  assert.equal(await held(0, 3), 3);
  assert.equal(await held(2, 2), 2);
  assert.equal(await held(1, 3), 2);
});

test("a wallet that is left is not waited for", async () => {
  const store = new Store(EMPTY, () => {});
  const session = new WalletSession(store, () => {});
  await session.join(wallet(provider({ eth_requestAccounts: [ALICE], eth_chainId: 97 })), false);
  store.set({ asking: { button: "cancel-order" } });
  session.disconnect();
  assert.equal(store.state.asking, null);
});

test("an answer that was overtaken, or comes after disconnecting, is not taken", async () => {
  const waiting: ((accounts: readonly Hex[]) => void)[] = [];
  const answers: Record<string, unknown> = { eth_requestAccounts: [ALICE], eth_chainId: "0x61" };
  answers.eth_accounts = () => new Promise((resolve) => waiting.push(resolve));
  const given = provider(answers);
  const store = new Store(EMPTY, () => {});
  const session = new WalletSession(store, () => {});
  await session.join(wallet(given), false);
  given.emit("accountsChanged");
  given.emit("accountsChanged");
  waiting[1]?.([BOB]);
  await turns();
  waiting[0]?.([ALICE]);
  await turns();
  assert.equal(store.state.connection?.address, BOB);
  given.emit("accountsChanged");
  session.disconnect();
  waiting[2]?.([BOB]);
  await turns();
  assert.equal(store.state.connection, null);
});
