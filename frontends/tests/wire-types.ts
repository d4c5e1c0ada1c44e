/**
 * Holds `shared/wire.ts` to the OpenAPI document through the types made of it: where they differ,
 * this file does not compile.
 */
import type { components } from "../shared/openapi.d.ts";
import type * as wire from "../shared/wire.ts";

type Api = components["schemas"];

/** Stands for "not there", so that a field is missed where only one side has it, even optional. */
interface Absent {
  readonly absent: true;
}

/** The type without what OpenAPI cannot say: that a string is hexadecimal. */
type Plain<T> = T extends wire.Hex
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Plain<Item>[]
    : T extends object
      ? { readonly [K in keyof T]-?: Plain<T[K]> | (object extends Pick<T, K> ? Absent : never) }
      : T;

type Same<One, Other> = [One, Other] extends [Other, One] ? true : false;
type At<T, Key> = Key extends keyof T ? T[Key] : Absent;
type Different<One, Other> = {
  [Key in keyof One | keyof Other]: Same<At<One, Key>, At<Other, Key>> extends true ? never : Key;
}[keyof One | keyof Other];

/** True where both say the same, else the names of the fields in which they differ. */
type Answer<Schema, Wire> =
  Same<Plain<Schema>, Plain<Wire>> extends true ? true : Different<Plain<Schema>, Plain<Wire>>;

/** True where what one side gives is all that the other takes. */
type Given<Wanted, Given> = [Given] extends [Wanted] ? true : Different<Wanted, Given>;

type Holds<Check extends true> = Check;

/** The catalogue admits these names only (META_FIELDS); the document says strings. */
type Known<Type> = Omit<Type, "requires"> & { requires: readonly wire.MetaField[] };

export type Wire = [
  Holds<Answer<Api["Bilingual"], wire.Localised>>,
  // What only scripts and the listener need is left out.
  Holds<Answer<Omit<Api["Config"], "eip712" | "finalityFallbackBlocks">, wire.ChainConfig>>,
  Holds<Answer<Omit<Api["Catalog"], "types">, Omit<wire.Catalogue, "types">>>,
  Holds<Answer<Known<Api["CatalogType"]>, wire.VoucherType>>,
  Holds<Answer<Api["CatalogSite"], wire.Site>>,
  Holds<Given<Api["NewOrder"], wire.NewOrder>>,
  Holds<Answer<Api["PlacedOrder"], wire.PlacedOrder>>,
  Holds<Answer<Api["CallOrder"], wire.ContractOrder>>,
  Holds<Answer<Api["ServiceView"], wire.Service>>,
  Holds<Answer<Api["ChainProgress"], wire.ChainProgress>>,
  Holds<Answer<Api["OrderSummary"], wire.OrderSummary>>,
  Holds<Answer<Api["OrderDetails"], wire.OrderView>>,
  Holds<Answer<Api["WalletOrders"], wire.Page<wire.OrderSummary>>>,
  Holds<Answer<Api["Nonce"], wire.WalletNonce>>,
  Holds<Answer<Api["WalletSession"], wire.WalletSession>>,
  Holds<Answer<Api["ReceptionOrder"], wire.ReceptionView>>,
  Holds<Answer<Api["QueueItem"], wire.QueueItem>>,
  Holds<Answer<Api["Queue"], wire.Page<wire.QueueItem>>>,
  Holds<Answer<Api["DeliveryDone"], wire.DeliveryAnswer>>,
  Holds<Answer<Api["StaffView"], wire.Staff>>,
  Holds<Answer<Api["StaffSession"], wire.Session>>,
  // A proxy's problem may say less.
  Holds<Given<wire.Problem, Api["ProblemBody"]>>,
];
