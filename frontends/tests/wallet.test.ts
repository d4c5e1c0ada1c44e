import assert from "node:assert/strict";
import { test } from "node:test";
import { balances, coins, errorName, missingForGas, redemption } from "../portal/contract.ts";
import { texts } from "../portal/messages/en.ts";
import {
  hasCode,
  lacksFunds,
  neverSent,
  type Provider,
  REJECTED,
  revertData,
  switchChain,
} from "../portal/wallet.ts";
import type { ChainConfig, Hex } from "../shared/wire.ts";

const CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const CUSTOMER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const word = (digits: string): Hex => `0x${digits.repeat(32)}`;

/** A wallet that answers from a list and remembers what it was asked. */
function scripted(answers: Record<string, unknown | ((params: readonly unknown[]) => unknown)>) {
  const asked: string[] = [];
  const provider: Provider = {
    async request({ method, params }) {
      asked.push(method);
      const answer = answers[method];
      return typeof answer === "function" ? answer((params ?? []) as readonly unknown[]) : answer;
    },
  };
  return { provider, asked };
}

test("the redemption is encoded as `cast calldata` encodes it", () => {
  const order = {
    orderRef: word("11"),
    customer: CUSTOMER as Hex,
    tokenId: 1001,
    amount: 2,
    siteRef: word("22"),
    expiresAt: 1764000000,
  };
  const call = redemption(CONTRACT, order, word("33"));
  assert.equal(call.from, CUSTOMER);
  assert.equal(call.to, CONTRACT);
  assert.equal(
    call.data,
    "0x0c8bc607" +
      "1111111111111111111111111111111111111111111111111111111111111111" +
      "00000000000000000000000070997970c51812dc3a010c7d01b50e0d17dc79c8" +
      "00000000000000000000000000000000000000000000000000000000000003e9" +
      "0000000000000000000000000000000000000000000000000000000000000002" +
      "2222222222222222222222222222222222222222222222222222222222222222" +
      "0000000000000000000000000000000000000000000000000000000069248100" +
      "3333333333333333333333333333333333333333333333333333333333333333",
  );
});

test("balances are asked for and read as `cast` encodes them", async () => {
  const { provider } = scripted({
    eth_call: ([call]: readonly { data: string }[]) => {
      assert.equal(
        call?.data,
        "0x4e1273f4" +
          "0000000000000000000000000000000000000000000000000000000000000040" +
          "00000000000000000000000000000000000000000000000000000000000000a0" +
          "0000000000000000000000000000000000000000000000000000000000000002" +
          "00000000000000000000000070997970c51812dc3a010c7d01b50e0d17dc79c8" +
          "00000000000000000000000070997970c51812dc3a010c7d01b50e0d17dc79c8" +
          "0000000000000000000000000000000000000000000000000000000000000002" +
          "00000000000000000000000000000000000000000000000000000000000003e9" +
          "0000000000000000000000000000000000000000000000000000000000001771",
      );
      const words = ["20", "2", "7", "0"].map((digits) => digits.padStart(64, "0"));
      return `0x${words.join("")}`;
    },
  });
  assert.deepEqual(await balances(provider, CONTRACT, CUSTOMER, [1001, 6001]), [7n, 0n]);
});

test("errors are named by selector, and each that a redemption can meet has words", () => {
  assert.equal(errorName(`0xbd5c334e${"0".repeat(64)}`), "OrderExpired");
  assert.equal(errorName(`0x03dee4c5${"0".repeat(256)}`), "ERC1155InsufficientBalance");
  assert.equal(errorName("0xdeadbeef"), null);
  assert.equal(errorName(null), null);
  for (const name of [
    "UnknownVoucherType",
    "VoucherTypeDisabled",
    "ZeroAmount",
    "AlreadyRedeemed",
    "NotCustomer",
    "OrderHashMismatch",
    "OrderExpired",
    "ExpiryTooFar",
    "EnforcedPause",
    "ERC1155InsufficientBalance",
  ]) {
    assert(Object.hasOwn(texts, `revert.${name}`), name);
  }
});

test("revert data is found wherever a wallet nests it", () => {
  const data = "0xbd5c334e00000000";
  const shapes = [
    { code: 3, message: "execution reverted", data },
    { code: -32603, message: "Internal JSON-RPC error.", data: { code: 3, data } },
    { code: -32603, data: { originalError: { code: 3, data, message: "reverted" } } },
    { code: -32015, data: `Reverted ${data}` },
    { cause: { cause: { data } } },
  ];
  for (const shape of shapes) assert.equal(revertData(shape), data, JSON.stringify(shape));
  assert.equal(revertData({ code: 4001, message: "0xbd5c334e00000000" }), null);
  assert.equal(revertData(undefined), null);
});

test("an error that holds itself ends the search", () => {
  const circular: Record<string, unknown> = { code: -32603 };
  circular.cause = circular;
  assert.equal(revertData(circular), null);
  assert.equal(hasCode(circular, REJECTED), false);
});

test("codes are found at the top and nested", () => {
  assert(hasCode({ code: 4001 }, REJECTED));
  assert(hasCode({ code: -32603, data: { originalError: { code: 4902 } } }, 4902));
  assert.equal(hasCode(new Error("no code"), REJECTED), false);
});

test("lack of funds is told from other failures", () => {
  assert(lacksFunds({ code: -32000, message: "insufficient funds for gas * price + value" }));
  assert(lacksFunds({ code: -32603, data: { message: "Insufficient funds" } }));
  assert.equal(lacksFunds({ message: "execution reverted" }), false);
});

test("only an error that comes before sending proves that nothing was sent", () => {
  const before = [
    { code: 4001 },
    { code: -32002, message: "already pending" },
    { code: 4100 },
    { code: -32603, data: { originalError: { code: 4902 } } },
    { code: 3, data: "0xbd5c334e00000000" },
    { code: -32603, data: { code: -32000, message: "insufficient funds for gas" } },
  ];
  for (const error of before) assert(neverSent(error), JSON.stringify(error));
  const unclear = [
    { code: -32603, message: "Internal JSON-RPC error." },
    { code: -32000, message: "nonce too low" },
    { code: -32005, message: "Request limit exceeded" },
    new Error("timeout"),
    undefined,
  ];
  for (const error of unclear) assert.equal(neverSent(error), false, JSON.stringify(error));
});

test("what is missing for gas allows for the wallet's margin, and is zero when there is enough", async () => {
  const call = { from: CUSTOMER as Hex, to: CONTRACT as Hex, data: "0x" as Hex };
  const rich = { eth_estimateGas: "0x64", eth_gasPrice: "0x0a", eth_getBalance: "0x4e2" };
  assert.equal(await missingForGas(scripted(rich).provider, call), 0n);
  const poor = { ...rich, eth_getBalance: "0x3e7" };
  assert.equal(await missingForGas(scripted(poor).provider, call), 251n);
});

test("coins are rounded up, never down", () => {
  assert.equal(coins(1n, 18), "0.000001");
  assert.equal(coins(10n ** 18n, 18), "1");
  assert.equal(coins(1_500_000_000_000_000n, 18), "0.0015");
});

const CONFIG = {
  chainId: 97,
  chainName: "BNB Testnet",
  rpcUrls: ["https://rpc.example"],
  nativeCurrency: { name: "BNB", symbol: "tBNB", decimals: 18 },
  explorerUrl: null,
} as unknown as ChainConfig;

test("a chain that the wallet lacks is added, then switched to", async () => {
  let known = false;
  const { provider, asked } = scripted({
    wallet_switchEthereumChain: () => {
      if (known) return null;
      throw Object.assign(new Error("internal"), {
        code: -32603,
        data: { originalError: { code: 4902 } },
      });
    },
    wallet_addEthereumChain: ([chain]: readonly { chainId: string }[]) => {
      assert.equal(chain?.chainId, "0x61");
      known = true;
      return null;
    },
  });
  await switchChain(provider, CONFIG);
  assert.deepEqual(asked, [
    "wallet_switchEthereumChain",
    "wallet_addEthereumChain",
    "wallet_switchEthereumChain",
  ]);
});

test("a refusal to switch is not answered by adding", async () => {
  const { provider, asked } = scripted({
    wallet_switchEthereumChain: () => {
      throw Object.assign(new Error("no"), { code: 4001 });
    },
  });
  await assert.rejects(switchChain(provider, CONFIG), (error) => hasCode(error, REJECTED));
  assert.deepEqual(asked, ["wallet_switchEthereumChain"]);
});
