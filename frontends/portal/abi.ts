/**
 * The little of the contract ABI that the portal needs: words of 32 bytes, and arrays of them.
 *
 * A general encoder would be half of all that a visitor downloads, for three calls. The tests hold
 * these functions to `ox` on random values.
 */
import type { Hex } from "../shared/wire.ts";

/** What fits one word: a number, or hexadecimal of at most 32 bytes (an address, a hash). */
export type Word = number | bigint | Hex;

const DIGITS = 64;

/** A call's data: the selector and its arguments, an array standing for a dynamic one. */
export function encodeCall(selector: Hex, args: readonly (Word | readonly Word[])[]): Hex {
  let tail = "";
  const heads = args.map((arg) => {
    if (!isArray(arg)) return word(arg);
    const offset = args.length * 32 + tail.length / 2;
    tail += word(arg.length) + arg.map(word).join("");
    return word(offset);
  });
  return `${selector}${heads.join("")}${tail}`;
}

/** The numbers in an answer that is one `uint256[]`. Raises `RangeError` when it is not. */
export function decodeNumbers(answer: Hex): readonly bigint[] {
  const words = (answer.slice(2).match(/.{64}/g) ?? []).map((digits) => BigInt(`0x${digits}`));
  const [offset, length, ...numbers] = words;
  if (offset !== 32n || length === undefined || BigInt(numbers.length) < length) {
    throw new RangeError("the contract's answer is not a list of numbers");
  }
  return numbers.slice(0, Number(length));
}

/** 64 hexadecimal digits. Raises `RangeError` for what does not fit an unsigned word. */
function word(value: Word): string {
  const digits = typeof value === "string" ? value.slice(2).toLowerCase() : value.toString(16);
  if (!/^[0-9a-f]{0,64}$/.test(digits)) throw new RangeError(`${value} does not fit a word`);
  return digits.padStart(DIGITS, "0");
}

function isArray(arg: Word | readonly Word[]): arg is readonly Word[] {
  return Array.isArray(arg);
}
