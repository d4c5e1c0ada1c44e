import { redeemedTopic } from "virtual:contract-abi";
import * as Hash from "ox/Hash";
import * as HexText from "ox/Hex";
import type { ChainProgress, Hex, OrderView } from "../../shared/wire.ts";
import { encodeCall } from "../abi.ts";
import type { Provider } from "../wallet.ts";

/** How an order is hashed: EIP-712 `hashStruct` of this type (spec: The contract). */
export const ORDER_TYPE =
  "Order(string orderId,address customer,uint256 tokenId,uint256 amount,string siteId,uint64 expiresAt)";

/** `keccak256` of a text's UTF-8, as order ids and site ids appear in calls. */
export function textRef(text: string): Hex {
  return Hash.keccak256(HexText.fromString(text));
}

/** The order hash that follows from what `order` says. */
export function orderHash(
  order: Pick<OrderView, "orderId" | "tokenId" | "amount" | "siteId" | "expiresAt"> & {
    readonly order: { readonly customer: Hex };
  },
): Hex {
  return Hash.keccak256(
    encodeCall("0x", [
      textRef(ORDER_TYPE),
      textRef(order.orderId),
      order.order.customer,
      order.tokenId,
      order.amount,
      textRef(order.siteId),
      order.expiresAt,
    ]),
  );
}

/** Whether hash and reference of `order` are those that its own fields give. */
export function hashMatches(order: OrderView): boolean {
  return (
    equal(orderHash(order), order.orderHash) && equal(textRef(order.orderId), order.order.orderRef)
  );
}

/** What of a burn can differ from what the receipt says. */
export type BurnField = "success" | "block" | "event" | "wallet" | "voucher" | "amount" | "serial";

/** What came of asking a node for the burn. */
export type BurnCheck =
  /** It was looked at; `differs` is empty when all is as the receipt says. */
  | { readonly kind: "read"; readonly differs: readonly BurnField[] }
  /** The node does not know the transaction. */
  | { readonly kind: "unknown" }
  /** The node did not answer, or nothing that can be read. */
  | { readonly kind: "failed" };

/** An event of a transaction receipt, as JSON-RPC tells it. */
interface Log {
  readonly address: Hex;
  readonly topics: readonly Hex[];
  readonly data: Hex;
}

/** The parts of a transaction receipt that are read. */
interface TransactionReceipt {
  readonly status: Hex;
  readonly blockHash: Hex;
  readonly blockNumber: Hex;
  readonly logs: readonly Log[];
}

/** Asks the node behind `provider` for the transaction, and compares what it says; never raises. */
export async function checkBurn(
  provider: Provider,
  contract: Hex,
  order: OrderView,
  chain: ChainProgress,
): Promise<BurnCheck> {
  try {
    const receipt = (await provider.request({
      method: "eth_getTransactionReceipt",
      params: [chain.txHash],
    })) as TransactionReceipt | null;
    if (!receipt) return { kind: "unknown" };
    return { kind: "read", differs: differences(receipt, contract, order, chain) };
  } catch {
    return { kind: "failed" };
  }
}

/** In what `receipt` is not what `order` and `chain` say; raises when it is not a receipt. */
function differences(
  receipt: TransactionReceipt,
  contract: Hex,
  order: OrderView,
  chain: ChainProgress,
): BurnField[] {
  const differs: BurnField[] = [];
  if (BigInt(receipt.status) !== 1n) differs.push("success");
  const sameBlock =
    equal(receipt.blockHash, chain.blockHash) &&
    BigInt(receipt.blockNumber) === BigInt(chain.blockNumber);
  if (!sameBlock) differs.push("block");
  const burns = receipt.logs
    .filter(
      ({ address, topics }) =>
        equal(address, contract) &&
        equal(topics[0], redeemedTopic) &&
        equal(topics[3], order.orderHash),
    )
    .map(burned);
  // One transaction may burn for several people; the serial says which of them is meant.
  const burn = burns.find(({ serial }) => serial === BigInt(chain.serial)) ?? burns[0];
  if (!burn) return [...differs, "event"];
  if (burn.wallet !== BigInt(order.order.customer)) differs.push("wallet");
  if (burn.voucher !== BigInt(order.tokenId)) differs.push("voucher");
  if (burn.amount !== BigInt(order.amount)) differs.push("amount");
  if (burn.serial !== BigInt(chain.serial)) differs.push("serial");
  return differs;
}

/** What a `VoucherRedeemed` event says. */
function burned({ topics, data }: Log) {
  const word = (at: number) => BigInt(`0x${data.slice(2 + 64 * at, 66 + 64 * at)}`);
  return {
    wallet: BigInt(topics[1] as Hex),
    voucher: BigInt(topics[2] as Hex),
    amount: word(0),
    serial: word(1),
  };
}

/** Whether two hexadecimal texts are the same, capitals or not. */
function equal(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && a.toLowerCase() === b?.toLowerCase();
}
