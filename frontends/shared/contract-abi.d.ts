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
  /** Error name by 4-byte selector (`0x` and 8 hexadecimal digits). */
  export const errorNames: Readonly<Record<string, string>>;
}
