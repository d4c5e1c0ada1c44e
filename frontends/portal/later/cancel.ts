import { ApiError } from "../../shared/api.ts";
import type { ChainConfig, Hex, OrderView } from "../../shared/wire.ts";
import type { LaterContext } from "../later.ts";
import { hasCode, REJECTED } from "../wallet.ts";
import { commonly, detailOf, type Telling } from "./telling.ts";

/** How long the signature is good for, in seconds; the API takes at most 600. */
const WINDOW_SECONDS = 300;

/** The typed data (EIP-712) that takes an order back; `deadline` is in unix seconds. */
export function cancelData(config: ChainConfig, orderHash: Hex, deadline: number) {
  return {
    types: {
      EIP712Domain: [
        { name: "name", type: "string" },
        { name: "version", type: "string" },
        { name: "chainId", type: "uint256" },
        { name: "verifyingContract", type: "address" },
      ],
      Cancel: [
        { name: "orderHash", type: "bytes32" },
        { name: "deadline", type: "uint64" },
      ],
    },
    primaryType: "Cancel",
    domain: {
      name: "5SOffice Vouchers",
      version: "1",
      chainId: config.chainId,
      verifyingContract: config.contractAddress,
    },
    message: { orderHash, deadline },
  } as const;
}

/**
 * Takes an order back before its burn is seen, signed by the order's own wallet.
 *
 * Answers what to tell where it did not come to that, null where it did. Never raises.
 */
export async function cancel(context: LaterContext, view: OrderView): Promise<Telling | null> {
  const { api, config, connection } = context;
  const { customer } = view.order;
  if (connection?.address.toLowerCase() !== customer.toLowerCase()) {
    return { key: "cancel.wallet", values: { address: view.customerAddressMasked } };
  }
  if (connection.chainId !== config.chainId) {
    return { key: "cancel.network", values: { chain: config.chainName } };
  }
  const deadline = Math.floor(api.clock.now() / 1000) + WINDOW_SECONDS;
  try {
    const signature = await connection.wallet.provider.request({
      method: "eth_signTypedData_v4",
      params: [connection.address, JSON.stringify(cancelData(config, view.orderHash, deadline))],
    });
    await api.cancel(view.orderId, deadline, signature as string);
    return null;
  } catch (error) {
    return refusal(error);
  }
}

function refusal(error: unknown): Telling {
  if (hasCode(error, REJECTED)) return { key: "cancel.rejected" };
  if (error instanceof ApiError) {
    if (error.status === 409) return { key: "cancel.late" };
    if (error.code === "WRONG_SIGNER") return { key: "cancel.refused" };
    if (error.problem.errors?.some(({ field }) => field === "deadline")) {
      return { key: "cancel.clock" };
    }
  }
  return commonly(error) ?? { key: "cancel.failed", values: { detail: detailOf(error) } };
}
