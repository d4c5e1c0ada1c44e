/**
 * An esbuild plugin that answers `virtual:contract-abi` with the few parts of the committed ABI
 * artefact that the pages use, so that no page carries the whole of it and no selector is computed
 * in a browser.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import * as AbiError from "ox/AbiError";
import * as AbiEvent from "ox/AbiEvent";
import * as AbiFunction from "ox/AbiFunction";

const ARTEFACT = fileURLToPath(
  new URL("../contracts/abi/FiveSOfficeVouchers.json", import.meta.url),
);
const FUNCTIONS = ["redeemOrder", "balanceOfBatch", "isRedeemed"];

export const contractAbi = {
  name: "contract-abi",
  setup(build) {
    build.onResolve({ filter: /^virtual:contract-abi$/ }, ({ path }) => ({
      path,
      namespace: "contract-abi",
    }));
    build.onLoad({ filter: /.*/, namespace: "contract-abi" }, async () => ({
      contents: await source(),
      watchFiles: [ARTEFACT],
    }));
  },
};

async function source() {
  const { abi } = JSON.parse(await readFile(ARTEFACT, "utf8"));
  const item = (type, name) => {
    const found = abi.find((one) => one.type === type && one.name === name);
    if (!found) throw new Error(`${ARTEFACT}: ${type} ${name} is missing`);
    return found;
  };
  const functions = FUNCTIONS.map((name) => {
    const found = item("function", name);
    const { inputs, outputs } = found;
    const call = {
      selector: AbiFunction.getSelector(found),
      inputs: lean(inputs),
      outputs: lean(outputs),
    };
    return `export const ${name} = ${JSON.stringify(call)};`;
  });
  const selectors = FUNCTIONS.map((name) => [
    name,
    AbiFunction.getSelector(item("function", name)),
  ]);
  const errors = abi
    .filter(({ type }) => type === "error")
    .map((error) => [AbiError.getSelector(error), error.name]);
  const redeemed = AbiEvent.getSelector(item("event", "VoucherRedeemed"));
  const [order] = item("function", "redeemOrder").inputs;
  const orderFields = order.components.map(({ name }) => name);
  return [
    ...functions,
    `export const orderFields = ${JSON.stringify(orderFields)};`,
    `export const selectors = ${JSON.stringify(Object.fromEntries(selectors))};`,
    `export const redeemedTopic = ${JSON.stringify(redeemed)};`,
    `export const errorNames = ${JSON.stringify(Object.fromEntries(errors))};`,
  ].join("\n");
}

/** Parameters without the compiler's own names for types, which no encoder reads. */
function lean(parameters) {
  return parameters.map(({ name, type, components }) => ({
    name,
    type,
    ...(components && { components: lean(components) }),
  }));
}
