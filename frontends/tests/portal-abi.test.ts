import assert from "node:assert/strict";
import { test } from "node:test";
import { balanceOfBatch, isRedeemed, redeemOrder, selectors } from "virtual:contract-abi";
import * as AbiParameters from "ox/AbiParameters";
import { decodeNumbers, encodeCall, type Word } from "../portal/abi.ts";
import { redemption } from "../portal/contract.ts";
import type { Hex } from "../shared/wire.ts";
import { Random } from "./random.ts";

const RUNS = 300;

function oracle(call: { selector: Hex; inputs: AbiParameters.AbiParameters }, values: unknown[]) {
  return `${call.selector}${AbiParameters.encode(call.inputs, values as never).slice(2)}`;
}

test("calls are packed as ox packs them", () => {
  const random = new Random(1);
  for (let run = 0; run < RUNS; run += 1) {
    const owner = random.hex(20);
    const ids = random.list(12, () => random.below(10_000));
    assert.equal(
      encodeCall(selectors.balanceOfBatch, [ids.map(() => owner), ids]),
      oracle(balanceOfBatch, [ids.map(() => owner), ids.map(BigInt)]),
    );
    const hash = random.hex(32);
    assert.equal(
      encodeCall(selectors.isRedeemed, [owner, hash]),
      oracle(isRedeemed, [owner, hash]),
    );
  }
});

test("a redemption is packed as ox packs it", () => {
  const random = new Random(2);
  for (let run = 0; run < RUNS; run += 1) {
    const order = {
      orderRef: random.hex(32),
      customer: random.hex(20),
      tokenId: random.below(2 ** 53),
      amount: random.below(2 ** 53),
      siteRef: random.hex(32),
      expiresAt: random.below(2 ** 40),
    };
    const hash = random.hex(32);
    const tuple = {
      ...order,
      tokenId: BigInt(order.tokenId),
      amount: BigInt(order.amount),
      expiresAt: BigInt(order.expiresAt),
    };
    assert.equal(redemption(random.hex(20), order, hash).data, oracle(redeemOrder, [tuple, hash]));
  }
});

test("numbers are read as ox wrote them, whatever stands behind", () => {
  const random = new Random(3);
  for (let run = 0; run < RUNS; run += 1) {
    const numbers = random.list(12, () => BigInt(random.hex(32)));
    const answer = AbiParameters.encode([{ type: "uint256[]" }], [numbers]);
    assert.deepEqual(decodeNumbers(answer), numbers);
  }
});

test("an answer that is no list of numbers is refused", () => {
  const word = (value: number) => value.toString(16).padStart(64, "0");
  for (const bad of ["0x", `0x${word(32)}`, `0x${word(32)}${word(2)}${word(1)}`, `0x${word(1)}`]) {
    assert.throws(() => decodeNumbers(bad as Hex), bad);
  }
});

test("what does not fit a word is refused", () => {
  const bad: Word[] = [-1, 1.5, Number.NaN, 2n ** 256n, "0xzz", `0x${"1".repeat(65)}`];
  for (const value of bad) assert.throws(() => encodeCall("0x00000000", [value]), String(value));
});
