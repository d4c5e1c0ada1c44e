import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { Api } from "../shared/api.ts";

/** What the tests read of an OpenAPI document. */
interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
}
interface Schema {
  readonly $ref?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, unknown>>;
}
interface Operation {
  readonly parameters: readonly Parameter[];
  readonly security?: readonly unknown[];
  readonly requestBody?: { readonly content: { readonly "application/json": { schema: Schema } } };
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const document = JSON.parse(
  await readFile(`${FRONTENDS}/../docs/openapi.json`, "utf8"),
) as Document;

const ID = "ORD_20261121_ABCDEFGHJKMNPQRS";
const KEY = "A".repeat(22);
const WALLET = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const ORDER = { customerAddress: WALLET, tokenId: 1001, amount: 1, siteId: "HCM_ROX_T09" };

/** One call of every method, with everything that it may send. */
const CALLS: { readonly [Method in Exclude<keyof Api, "clock">]: (api: Api) => Promise<unknown> } =
  {
    config: (api) => api.config(),
    catalogue: (api) => api.catalogue(),
    placeOrder: (api) => api.placeOrder({ ...ORDER, customerMeta: { aiAccount: "lan" } }, KEY),
    order: (api) => api.order(ID),
    qrSvg: (api) => api.qrSvg(ID),
    hintTransaction: (api) => api.hintTransaction(ID, `0x${"1".repeat(64)}`),
    cancel: (api) => api.cancel(ID, 1_790_000_000, `0x${"2".repeat(130)}`),
    walletNonce: (api) => api.walletNonce(WALLET),
    walletVerify: (api) => api.walletVerify("message", `0x${"2".repeat(130)}`),
    walletOrders: (api) => api.walletOrders(WALLET, "token", "cursor"),
    login: (api) => api.login("lan", "password"),
    refresh: (api) => api.refresh("token"),
    logout: (api) => api.logout("t"),
    changePassword: (api) => api.changePassword("old", "new"),
    receptionOrder: (api) => api.receptionOrder(ID, "camera", "device"),
    queue: (api) =>
      api.queue("HCM_ROX_T09", {
        from: 1,
        to: 2,
        search: "c0ffee00",
        status: ["VALID", "DELIVERED"],
        cursor: "cursor",
      }),
    deliver: (api) =>
      api.deliver(ID, {
        siteId: "HCM_ROX_T09",
        note: "note",
        idempotencyKey: KEY,
        method: "wedge",
        deviceId: "device",
      }),
  };

for (const [method, call] of Object.entries(CALLS)) {
  test(`what ${method} asks is in the OpenAPI document`, async () => {
    const asked: Request[] = [];
    const api = new Api("http://api.test", {
      token: () => "token",
      fetch: async (url, init) => {
        asked.push(new Request(url, init));
        return new Response("{}");
      },
    });
    await call(api);
    assert.equal(asked.length, 1);
    const [request] = asked;
    assert(request);
    assert.deepEqual(await unknownParts(request), []);
  });
}

test("a request that the document lacks is found", async () => {
  const wrong = (path: string, init: RequestInit = {}) =>
    unknownParts(new Request(`http://api.test${path}`, init));
  const json = { "Content-Type": "application/json" };
  const post = (path: string, body: unknown, headers = {}) =>
    wrong(path, { method: "POST", body: JSON.stringify(body), headers: { ...json, ...headers } });
  assert.deepEqual(await wrong("/nothing"), ["path /nothing"]);
  assert.deepEqual(await wrong(`/orders/${ID}`, { method: "PUT" }), ["method PUT"]);
  assert.deepEqual(await wrong("/config?colour=red"), ["query colour"]);
  assert.deepEqual(await wrong("/config", { headers: { "X-Colour": "red" } }), ["header x-colour"]);
  assert.deepEqual(await wrong("/config", { headers: { Authorization: "Bearer t" } }), [
    "header authorization",
  ]);
  assert.deepEqual(await post("/orders", ORDER), ["lacks header idempotency-key"]);
  const keyed = { "Idempotency-Key": KEY };
  assert.deepEqual(await post("/orders", { ...ORDER, colour: "red" }, keyed), ["body colour"]);
  assert.deepEqual(await post("/auth/login", { username: "lan" }), ["lacks body password"]);
  assert.deepEqual(await post("/auth/logout", {}, { Authorization: "Bearer t" }), ["body"]);
});

/** The parts of a request that the document does not know, and those that it wants. */
async function unknownParts(request: Request): Promise<string[]> {
  const { pathname, searchParams } = new URL(request.url);
  const path = Object.keys(document.paths).find((template) => fits(template, pathname));
  if (path === undefined) return [`path ${pathname}`];
  const operation = document.paths[path]?.[request.method.toLowerCase()];
  if (operation === undefined) return [`method ${request.method}`];
  const text = await request.text();
  const own = (text ? ["content-type"] : []).concat(operation.security ? ["authorization"] : []);
  return [
    ...differences("query", [...searchParams.keys()], named(operation, "query")),
    ...differences("header", [...request.headers.keys()], named(operation, "header"), own),
    ...differencesOfBody(text, operation),
  ];
}

function fits(template: string, path: string): boolean {
  const parts = template.split("/");
  const given = path.split("/");
  return (
    parts.length === given.length &&
    parts.every((part, at) => part === given[at] || (part.startsWith("{") && given[at] !== ""))
  );
}

/** The operation's parameters of that kind, and whether each has to be there. */
function named(operation: Operation, kind: Parameter["in"]): Map<string, boolean> {
  const found = operation.parameters.filter((one) => one.in === kind);
  const name = (one: Parameter) => (kind === "header" ? one.name.toLowerCase() : one.name);
  return new Map(found.map((one) => [name(one), one.required ?? false]));
}

function differences(
  kind: string,
  given: readonly string[],
  known: ReadonlyMap<string, boolean>,
  own: readonly string[] = [],
): string[] {
  const lacking = [...known].filter(([name, required]) => required && !given.includes(name));
  return [
    ...given.filter((name) => !known.has(name) && !own.includes(name)).map((n) => `${kind} ${n}`),
    ...lacking.map(([name]) => `lacks ${kind} ${name}`),
  ];
}

function differencesOfBody(text: string, operation: Operation): string[] {
  if (!operation.requestBody) return text ? ["body"] : [];
  if (!text) return ["lacks body"];
  const { $ref = "" } = operation.requestBody.content["application/json"].schema;
  const schema = document.components.schemas[$ref.replace("#/components/schemas/", "")];
  assert(schema?.properties, `${$ref} is no object of the document`);
  const known = Object.keys(schema.properties).map(
    (name) => [name, schema.required?.includes(name) ?? false] as const,
  );
  return differences("body", Object.keys(JSON.parse(text)), new Map(known));
}
