/**
 * A wallet for the local demo only: an EIP-6963 provider that signs with well-known test keys and
 * talks to the demo's own RPC. It is a bundle of its own; no other site builds or serves it.
 */

import { redeemOrder } from "virtual:contract-abi";
import * as AbiParameters from "ox/AbiParameters";
import * as Address from "ox/Address";
import * as Hex from "ox/Hex";
import * as PersonalMessage from "ox/PersonalMessage";
import * as Secp256k1 from "ox/Secp256k1";
import * as Signature from "ox/Signature";
import * as TxEnvelopeEip1559 from "ox/TxEnvelopeEip1559";
import * as TypedData from "ox/TypedData";
import { type Child, h, render } from "../shared/dom.ts";
import { icon } from "../shared/icons.ts";
import { Kept } from "../shared/storage.ts";
import type { ContractOrder, Hex as HexText, SiteSettings } from "../shared/wire.ts";

type Settings = NonNullable<SiteSettings["demoWallet"]>;
type Params = readonly never[];

interface Account {
  readonly label: string;
  readonly address: HexText;
  readonly privateKey: HexText;
}

interface Transaction {
  readonly from?: HexText;
  readonly to: HexText;
  readonly data?: HexText;
  readonly value?: HexText;
}

const NAME = "Demo wallet";
const RDNS = "vn.5soffice.demo-wallet";
const ICON =
  "data:image/svg+xml;base64," +
  btoa(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><rect width="36" height="36" rx="9" fill="#f0b455"/><path d="M9 12h16v13H11a2 2 0 0 1-2-2zm0 0a2 2 0 0 1 2-2h12v2m-1 6.5v.01" fill="none" stroke="#3a2500" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"/></svg>',
  );

/** Read-only calls and raw transactions, which the chain answers itself. */
const PASSED_ON = new Set([
  "eth_blockNumber",
  "eth_call",
  "eth_chainId",
  "eth_estimateGas",
  "eth_gasPrice",
  "eth_getBalance",
  "eth_getLogs",
  "eth_getTransactionByHash",
  "eth_getTransactionCount",
  "eth_getTransactionReceipt",
  "net_version",
]);

const TEXTS = {
  en: {
    demo: "Local demo only. This wallet signs with published test keys.",
    connect: "Connect to this page?",
    choose: "Account",
    send: "Send this transaction?",
    sign: "Sign this message?",
    contract: "Contract",
    action: "Action",
    token: "Voucher",
    amount: "Amount",
    until: "Valid until",
    account: "Account",
    reject: "Reject",
    confirm: "Confirm",
  },
  vi: {
    demo: "Chỉ dùng cho bản demo. Ví này ký bằng khoá thử nghiệm công khai.",
    connect: "Kết nối với trang này?",
    choose: "Tài khoản",
    send: "Gửi giao dịch này?",
    sign: "Ký thông điệp này?",
    contract: "Hợp đồng",
    action: "Hành động",
    token: "Voucher",
    amount: "Số lượng",
    until: "Hiệu lực đến",
    account: "Tài khoản",
    reject: "Từ chối",
    confirm: "Xác nhận",
  },
} as const;

/** Announces the demo wallet to the page, now and whenever the page asks again (EIP-6963). */
export function announce(settings: Settings): void {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = "demo-wallet.css";
  document.head.append(style);
  const info = { uuid: crypto.randomUUID(), name: NAME, icon: ICON, rdns: RDNS };
  const detail = Object.freeze({ info, provider: new DemoProvider(settings) });
  const say = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  window.addEventListener("eip6963:requestProvider", say);
  say();
}

/** An error as EIP-1193 and JSON-RPC have it. */
class RpcError extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly data?: unknown,
  ) {
    super(message);
  }
}

class DemoProvider {
  private readonly accounts: readonly Account[];
  private readonly chosen = new Kept<number | null>(
    () => localStorage,
    "demo-wallet.account",
    null,
  );
  private calls = 0;

  constructor(private readonly settings: Settings) {
    this.accounts = settings.accounts.map(({ label, privateKey }) => ({
      label,
      privateKey,
      address: Address.fromPublicKey(Secp256k1.getPublicKey({ privateKey }), { checksum: true }),
    }));
  }

  on(): void {
    // Accounts and chain change only through requests of this page, which see the answers.
  }

  async request({ method, params = [] }: { method: string; params?: Params }): Promise<unknown> {
    switch (method) {
      case "eth_accounts":
        return this.account() ? [this.account()?.address] : [];
      case "eth_requestAccounts":
        return [(await this.connect()).address];
      case "eth_sendTransaction":
        return this.send(params[0] as unknown as Transaction);
      case "personal_sign":
        return this.signMessage(params[0] as unknown as HexText);
      case "eth_signTypedData_v4":
        return this.signTypedData(params[1] as unknown as string);
      case "wallet_switchEthereumChain":
        return this.switchChain(params[0] as unknown as { chainId: HexText });
      case "wallet_revokePermissions":
        this.chosen.clear();
        return null;
      default:
        if (!PASSED_ON.has(method)) throw new RpcError(4200, `${method} is not supported`);
        return this.rpc(method, params);
    }
  }

  private account(): Account | undefined {
    const at = this.chosen.get();
    return at === null ? undefined : this.accounts[at];
  }

  private connected(): Account {
    const account = this.account();
    if (!account) throw new RpcError(4100, "connect first");
    return account;
  }

  private async connect(): Promise<Account> {
    let at = this.chosen.get() ?? 0;
    await confirm(words().connect, () =>
      h(
        "fieldset",
        { class: "field" },
        h("legend", null, words().choose),
        this.accounts.map((account, index) =>
          h(
            "label",
            { class: "choice" },
            h("input", {
              type: "radio",
              name: "demo-account",
              "data-testid": `demo-account-${index}`,
              checked: index === at,
              onchange: () => {
                at = index;
              },
            }),
            h(
              "span",
              null,
              account.label,
              h("span", { class: "hint mono demo-address" }, account.address),
            ),
          ),
        ),
      ),
    );
    this.chosen.set(at);
    return this.connected();
  }

  private async send(wanted: Transaction): Promise<unknown> {
    const account = this.connected();
    if (wanted.from && !Address.isEqual(wanted.from, account.address)) {
      throw new RpcError(4100, "the transaction is for another account");
    }
    const call = { ...wanted, from: account.address };
    const gas = await this.rpc("eth_estimateGas", [call]);
    await confirm(words().send, () => describe(wanted, account));
    const [chainId, nonce, price] = await Promise.all([
      this.rpc("eth_chainId", []),
      this.rpc("eth_getTransactionCount", [account.address, "pending"]),
      this.rpc("eth_gasPrice", []),
    ]);
    const tip = 1_000_000_000n;
    const envelope = TxEnvelopeEip1559.from({
      chainId: Number(chainId),
      nonce: BigInt(nonce as HexText),
      to: wanted.to,
      data: wanted.data ?? "0x",
      value: BigInt(wanted.value ?? 0),
      gas: (BigInt(gas as HexText) * 12n) / 10n,
      maxPriorityFeePerGas: tip,
      maxFeePerGas: BigInt(price as HexText) * 2n + tip,
    });
    const signature = Secp256k1.sign({
      payload: TxEnvelopeEip1559.getSignPayload(envelope),
      privateKey: account.privateKey,
    });
    return this.rpc("eth_sendRawTransaction", [
      TxEnvelopeEip1559.serialize(envelope, { signature }),
    ]);
  }

  private async signMessage(message: HexText): Promise<HexText> {
    const { privateKey } = this.connected();
    await confirm(words().sign, () => h("pre", { class: "demo-text" }, Hex.toString(message)));
    return signed(PersonalMessage.getSignPayload(message), privateKey);
  }

  private async signTypedData(json: string): Promise<HexText> {
    const { privateKey } = this.connected();
    const data = TypedData.serialize(JSON.parse(json));
    await confirm(words().sign, () =>
      h("pre", { class: "demo-text" }, JSON.stringify(JSON.parse(data).message, null, 2)),
    );
    return signed(TypedData.getSignPayload(JSON.parse(json)), privateKey);
  }

  private async switchChain({ chainId }: { chainId: HexText }): Promise<null> {
    const here = (await this.rpc("eth_chainId", [])) as HexText;
    if (BigInt(here) === BigInt(chainId)) return null;
    throw new RpcError(4902, "the demo wallet knows the demo's chain only");
  }

  private async rpc(method: string, params: readonly unknown[]): Promise<unknown> {
    this.calls += 1;
    const response = await fetch(this.settings.rpcUrl, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: this.calls, method, params }),
    });
    const { result, error } = (await response.json()) as {
      result?: unknown;
      error?: { code: number; message: string; data?: unknown };
    };
    if (error) throw new RpcError(error.code, error.message, error.data);
    return result;
  }
}

function signed(payload: HexText, privateKey: HexText): HexText {
  return Signature.toHex(Secp256k1.sign({ payload, privateKey }));
}

function words(): (typeof TEXTS)["en" | "vi"] {
  return document.documentElement.lang === "vi" ? TEXTS.vi : TEXTS.en;
}

/** What a transaction does, in words where the demo wallet knows the call. */
function describe(wanted: Transaction, account: Account): Child {
  const text = words();
  const rows: [string, string][] = [
    [text.account, `${account.label} · ${account.address}`],
    [text.contract, wanted.to],
  ];
  const data = wanted.data ?? "0x";
  if (data.startsWith(redeemOrder.selector)) {
    const values: HexText = `0x${data.slice(redeemOrder.selector.length)}`;
    const [order] = AbiParameters.decode(redeemOrder.inputs, values) as [ContractOrder];
    rows.push(
      [text.action, "redeemOrder"],
      [text.token, String(order.tokenId)],
      [text.amount, String(order.amount)],
      [text.until, new Date(Number(order.expiresAt) * 1000).toLocaleTimeString()],
    );
  } else rows.push([text.action, data.slice(0, 10)]);
  return h(
    "dl",
    { class: "demo-rows" },
    rows.map(([name, value]) => [h("dt", null, name), h("dd", { class: "mono" }, value)]),
  );
}

/** Asks in a dialog; raises 4001 when the answer is no. */
function confirm(title: string, body: () => Child): Promise<void> {
  const place = document.createElement("div");
  document.body.append(place);
  return new Promise((accepted, rejected) => {
    const end = (settle: () => void) => {
      place.remove();
      settle();
    };
    const no = () => end(() => rejected(new RpcError(4001, "rejected in the demo wallet")));
    const button = (testid: string, look: string, label: string, onclick: () => void) =>
      h(
        "button",
        { type: "button", class: `button ${look}`, "data-testid": testid, onclick },
        label,
      );
    render(
      place,
      h(
        "dialog",
        {
          class: "sheet demo-wallet",
          "aria-labelledby": "demo-title",
          "data-testid": "demo-dialog",
          mounted: (dialog: HTMLDialogElement) => dialog.showModal(),
          oncancel: no,
        },
        h(
          "div",
          { class: "sheet-body" },
          h("p", { class: "demo-label" }, icon("wallet"), NAME),
          h("h2", { id: "demo-title" }, title),
          body(),
          h("p", { class: "hint" }, words().demo),
          h(
            "div",
            { class: "demo-buttons" },
            button("demo-reject", "quiet", words().reject, no),
            button("demo-confirm", "primary", words().confirm, () => end(accepted)),
          ),
        ),
      ),
    );
  });
}
