/**
 * The parts of the contract's committed ABI artefact that the pages use; `contract-abi.mjs` cuts
 * them out of `contracts/abi/FiveSOfficeVouchers.json` when the sites are built.
 */
declare module "virtual:contract-abi" {
  import type { AbiParameters } from "ox/AbiParameters";

  /** A function: its 4-byte selector and what it takes and answers. */
  interface AbiCall {
    readonly selector: `0x${string}`;
    readonly inputs: AbiParameters;
    readonly outputs: AbiParameters;
  }

  export const redeemOrder: AbiCall;
  export const balanceOfBatch: AbiCall;
  export const isRedeemed: AbiCall;
  /** The 4-byte selectors alone, for pages that pack their calls themselves. */
  export const selectors: Readonly<
    Record<"redeemOrder" | "balanceOfBatch" | "isRedeemed", `0x${string}`>
  >;
  /** The fields of the order that `redeemOrder` takes, in the ABI's order; each is one word. */
  export const orderFields: readonly (
    | "orderRef"
    | "customer"
    | "tokenId"
    | "amount"
    | "siteRef"
    | "expiresAt"
  )[];
  /** First topic of the `VoucherRedeemed` event. */
  export const redeemedTopic: `0x${string}`;
  /** Error name by 4-byte selector (`0x` and 8 hexadecimal digits). */
  export const errorNames: Readonly<Record<string, string>>;
}
