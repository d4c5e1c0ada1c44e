/**
 * A small stand-in for API, chain and static server on one port, to look at the pages without the
 * real stack: `node frontends/tests/fake-stack.mjs <portal|reception> [port]`.
 *
 * Orders move by time after their transaction was sent: seen after 1.5 s, one confirmation a
 * second, final at three. Typed codes name a state: `WA1T…` and so on are seeded below.
 */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import * as AbiParameters from "ox/AbiParameters";
import * as Hash from "ox/Hash";
import * as Hex from "ox/Hex";
import { prepareZXingModule, writeBarcode } from "zxing-wasm/writer";

const [site = "portal", port = "0"] = process.argv.slice(2);
const dist = fileURLToPath(new URL(`../dist/${site}/`, import.meta.url));
const { headers, contentTypes } = JSON.parse(
  await readFile(new URL("../headers.json", import.meta.url), "utf8"),
);
const wasm = await readFile(
  fileURLToPath(import.meta.resolve("zxing-wasm/writer/zxing_writer.wasm")),
);
prepareZXingModule({ overrides: { wasmBinary: wasm.buffer } });

const KEYS = [
  "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
  "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
];
const CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const text = (vi, en) => ({ vi, en });
const type = (tokenId, vi, en, unitVi, unitEn, group, requires = [], sites = null) => ({
  tokenId,
  name: text(vi, en),
  unit: text(unitVi, unitEn),
  group,
  sites,
  requires,
  minAmount: 1,
  maxAmount: 10,
});
const catalogue = {
  version: 1,
  types: [
    type(1001, "Phòng họp 1 giờ", "Meeting Room 1 h", "giờ", "hour", "A"),
    type(
      2001,
      "In màu 10 trang",
      "Colour Print 10 pages",
      "gói 10 trang",
      "pack of 10 pages",
      "A",
      [],
      ["HCM_ROX_T09"],
    ),
    type(3001, "Vé ngày Coworking", "Coworking Day Pass", "ngày", "day", "A"),
    type(5001, "Tin tuyển dụng VIP 1 lần", "Job VIP Posting 1×", "tin", "posting", "A", [
      "jobProvider",
    ]),
    type(6001, "AI Suite 1 tháng", "AI Suite 1 month", "tháng", "month", "C", ["aiAccount"]),
  ],
  sites: [
    {
      siteId: "HCM_ROX_T09",
      name: text("ROX Tower, tầng 9, TP. Hồ Chí Minh", "ROX Tower, floor 9, Ho Chi Minh City"),
    },
    {
      siteId: "HCM_IMC_T04",
      name: text("IMC Tower, tầng 4, TP. Hồ Chí Minh", "IMC Tower, floor 4, Ho Chi Minh City"),
    },
  ],
};
const held = { 1001: 3, 2001: 1, 3001: 2, 6001: 1 };
const config = {
  chainId: 31337,
  chainName: "BNB local demo",
  contractAddress: CONTRACT,
  confirmations: 3,
  finalityFallbackBlocks: 240,
  explorerUrl: null,
  rpcUrls: [],
  nativeCurrency: { name: "BNB", symbol: "BNB", decimals: 18 },
  orderTtlSeconds: 1800,
  brand: { name: "5SOffice" },
};

const orders = new Map();
const day = new Date().toISOString().slice(0, 10).replaceAll("-", "");
const now = () => Date.now() / 1000;

function make(orderId, { tokenId = 1001, amount = 1, siteId = "HCM_ROX_T09", ...rest }) {
  const order = {
    orderId,
    tokenId,
    amount,
    siteId,
    customer: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    createdAt: now(),
    expiresAt: Math.floor(now()) + 1800,
    sentAt: null,
    delivered: null,
    forced: null,
    meta: null,
    hints: [],
    ...rest,
  };
  orders.set(orderId, order);
  return order;
}
const seed = (code, rest) => make(`ORD_${day}_${code}`, rest);
seed("VA11D00000000000", { forced: "VALID", amount: 2 });
seed("VA11D00000000001", {
  forced: "VALID",
  tokenId: 6001,
  meta: { aiAccount: "lan.nguyen@example.com" },
});
seed("WA1T000000000000", { sentAt: now() + 3600 });
seed("CREATED000000000", {});
seed("EXP1RED000000000", { forced: "EXPIRED" });
seed("CANCE11ED0000000", { forced: "CANCELLED" });
seed("0THERS1TE0000000", { forced: "VALID", siteId: "HCM_IMC_T04" });
seed("DE11VERED0000000", {
  delivered: {
    at: new Date(Date.now() - 600_000).toISOString(),
    by: "minh",
    site: "HCM_ROX_T09",
    note: null,
  },
});

function state(order) {
  const confirmations = order.sentAt === null ? -1 : Math.floor(now() - order.sentAt - 1.5);
  const chain =
    order.forced === "VALID" || confirmations >= 0 || order.sentAt > now()
      ? {
          txHash: order.hints[0] ?? `0x${"ab".repeat(32)}`,
          blockNumber: 123,
          confirmations: order.sentAt > now() ? 2 : Math.min(Math.max(confirmations, 0), 3),
          required: 3,
          final: confirmations >= 4,
          explorerUrl: "https://testnet.bscscan.com/tx/0xab",
        }
      : null;
  const moved = confirmations >= 4 ? "VALID" : chain ? "PENDING_CHAIN" : "CREATED";
  const status = order.delivered ? "DELIVERED" : (order.forced ?? moved);
  return { status, chain };
}

function view(order) {
  const { status, chain } = state(order);
  const { name, unit, group } = catalogue.types.find(({ tokenId }) => tokenId === order.tokenId);
  return {
    orderId: order.orderId,
    status,
    siteId: order.siteId,
    tokenId: order.tokenId,
    amount: order.amount,
    customerAddressMasked: `${order.customer.slice(0, 6)}…${order.customer.slice(-4)}`,
    service: { name, unit, group },
    orderHash: Hash.keccak256(Hex.fromString(order.orderId)),
    order: {
      orderRef: Hash.keccak256(Hex.fromString(order.orderId)),
      customer: order.customer,
      tokenId: order.tokenId,
      amount: order.amount,
      siteRef: Hash.keccak256(Hex.fromString(order.siteId)),
      expiresAt: order.expiresAt,
    },
    expiresAt: order.expiresAt,
    createdAt: new Date(order.createdAt * 1000).toISOString(),
    deliveredAt: order.delivered?.at ?? null,
    redeemable: status === "VALID",
    chain,
    exception: null,
    transactionHints: order.hints,
  };
}

const REASONS = {
  CREATED: "NOT_BURNED_YET",
  PENDING_CHAIN: "WAITING_FOR_CONFIRMATIONS",
  DELIVERED: "ALREADY_DELIVERED",
  EXPIRED: "EXPIRED",
  CANCELLED: "CANCELLED",
};
const receptionView = (order) => {
  const seen = view(order);
  const code = REASONS[seen.status];
  return {
    ...seen,
    customerAddress: order.customer,
    customerMeta: order.meta,
    deliverable: seen.status === "VALID",
    reason: code ? { code, message: text(code, code) } : null,
    delivered: order.delivered,
  };
};

const staff = {
  username: "lan",
  displayName: "Lan Nguyễn",
  role: "RECEPTION",
  sites: ["HCM_ROX_T09", "HCM_IMC_T04"],
  mustChangePassword: false,
};
const session = () => ({
  accessToken: crypto.randomUUID(),
  refreshToken: crypto.randomUUID(),
  expiresIn: 900,
  staff,
});

class Problem extends Error {
  constructor(status, code, detail = code) {
    super(detail);
    Object.assign(this, { status, code });
  }
}
const find = (orderId) => {
  const order = orders.get(orderId);
  if (!order) throw new Problem(404, "ORDER_NOT_FOUND", "There is no such order.");
  return order;
};

const routes = [
  ["GET", /^\/config$/, () => config],
  ["GET", /^\/catalog$/, () => catalogue],
  [
    "POST",
    /^\/orders$/,
    (_, body) => {
      const random = Array.from(
        { length: 16 },
        () => "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[Math.floor(Math.random() * 32)],
      );
      const order = make(`ORD_${day}_${random.join("")}`, {
        ...body,
        customer: body.customerAddress,
        meta: body.customerMeta ?? null,
      });
      return { ...view(order), qrPayload: `5SOV://order/${order.orderId}` };
    },
  ],
  ["GET", /^\/orders\/([^/]+)$/, ([id]) => view(find(id))],
  [
    "POST",
    /^\/orders\/([^/]+)\/transaction$/,
    ([id], { txHash }) => {
      const order = find(id);
      order.hints = [txHash];
      order.sentAt ??= now();
      return { orderId: id, transactionHints: order.hints };
    },
  ],
  [
    "POST",
    /^\/orders\/([^/]+)\/deliver$/,
    ([id], { note = null, siteId }) => {
      const order = find(id);
      const alreadyDelivered = order.delivered !== null;
      order.delivered ??= { at: new Date().toISOString(), by: staff.username, site: siteId, note };
      return {
        orderId: id,
        status: "DELIVERED",
        deliveredAt: order.delivered.at,
        deliveredBy: order.delivered.by,
        deliveredSite: order.delivered.site,
        alreadyDelivered,
      };
    },
  ],
  [
    "POST",
    /^\/auth\/login$/,
    (_, { password }) => {
      if (password !== "correct horse") throw new Problem(401, "UNAUTHENTICATED");
      return session();
    },
  ],
  ["POST", /^\/auth\/refresh$/, () => session()],
  ["POST", /^\/auth\/(logout|password)$/, () => ({})],
  ["GET", /^\/reception\/orders\/([^/]+)$/, ([id]) => receptionView(find(id))],
  [
    "GET",
    /^\/reception\/orders$/,
    () => ({
      items: [...orders.values()].reverse().map((order) => ({
        ...view(order),
        orderId: undefined,
        deliveredBy: order.delivered?.by,
      })),
      nextCursor: null,
    }),
  ],
];

async function api(request, path, body) {
  const qr = /^\/orders\/([^/]+)\/qr\.svg$/.exec(path);
  if (qr) {
    const { svg } = await writeBarcode(`5SOV://order/${find(qr[1]).orderId}`, { format: "QRCode" });
    return svg;
  }
  for (const [method, pattern, answer] of routes) {
    const match = request.method === method && pattern.exec(path);
    if (match) return answer(match.slice(1), body);
  }
  throw new Problem(404, "NOT_FOUND");
}

function rpc({ method, params }) {
  switch (method) {
    case "eth_chainId":
      return "0x7a69";
    case "eth_call": {
      if (!params[0].data.startsWith("0x4e1273f4")) return "0x";
      const [, ids] = AbiParameters.decode(
        [{ type: "address[]" }, { type: "uint256[]" }],
        `0x${params[0].data.slice(10)}`,
      );
      return AbiParameters.encode(
        [{ type: "uint256[]" }],
        [ids.map((id) => BigInt(held[id] ?? 0))],
      );
    }
    case "eth_estimateGas":
      return "0x15f90";
    case "eth_gasPrice":
      return "0x3b9aca00";
    case "eth_getBalance":
      return "0x8ac7230489e80000";
    case "eth_getTransactionCount":
      return "0x0";
    case "eth_sendRawTransaction":
      return Hash.keccak256(params[0]);
    default:
      return null;
  }
}

async function file(path) {
  if (path === "/config.json") {
    const accounts = KEYS.map((privateKey, at) => ({ label: `Customer ${at + 1}`, privateKey }));
    return JSON.stringify({ apiUrl: "/api/v1", demoWallet: { rpcUrl: "/rpc", accounts } });
  }
  return readFile(dist + (path === "/" ? "index.html" : path.slice(1)));
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  let raw = "";
  for await (const chunk of request) raw += chunk;
  try {
    if (pathname === "/rpc") {
      const call = JSON.parse(raw);
      response.end(JSON.stringify({ jsonrpc: "2.0", id: call.id, result: rpc(call) }));
    } else if (pathname.startsWith("/api/v1")) {
      const answer = await api(request, pathname.slice(7), raw ? JSON.parse(raw) : {});
      response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
    } else {
      const content = await file(pathname);
      const extension = /\.\w+$/.exec(pathname)?.[0] ?? ".html";
      const all = { ...headers, "Content-Type": contentTypes[extension] ?? "text/plain" };
      for (const [name, value] of Object.entries(all)) {
        response.setHeader(name, value.replace("{connect}", ""));
      }
      response.end(content);
    }
  } catch (error) {
    response.statusCode = error.status ?? (error.code === "ENOENT" ? 404 : 500);
    const problem = {
      title: "Problem",
      status: response.statusCode,
      code: error.code,
      detail: error.message,
    };
    response.end(JSON.stringify(problem));
  }
});
server.listen(Number(port), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
