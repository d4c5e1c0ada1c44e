import type { Translator } from "../shared/i18n.ts";
import { randomKey } from "../shared/storage.ts";
import type { ChainConfig, Hex, OrderView } from "../shared/wire.ts";
import { coins, isRedeemed, missingForGas, redemption } from "./contract.ts";
import type { KeptOrders } from "./kept.ts";
import type { PortalKey } from "./messages/index.ts";
import { isAlreadyRedeemed, networkNotice, signingNotice } from "./notices.ts";
import type { WalletSession } from "./session.ts";
import { type Attempt, nothingBurned } from "./stage.ts";
import type { Notice, Store } from "./state.ts";
import type { OrderTracker } from "./tracker.ts";
import { type Connection, connect, neverSent } from "./wallet.ts";
import { lookAt } from "./watch.ts";

/** Asks the wallet to redeem the order on the screen, after all that can be checked was. */
export class Signing {
  /** Grows with every request to the wallet: what comes of one that was given up is not told. */
  private turn = 0;

  constructor(
    private readonly store: Store,
    private readonly words: Translator<PortalKey>,
    private readonly kept: KeptOrders,
    private readonly session: WalletSession,
    private readonly tracker: OrderTracker,
  ) {}

  /** Simulates, so that a refusal is told in words before anything is signed; then sends. */
  async sign(): Promise<void> {
    if (this.store.state.asking) return;
    if (!this.store.state.connection) await this.session.connect();
    const { open, config, connection } = this.store.state;
    if (!open?.view || !config || !connection || open.working) return;
    const { orderId, view } = open;
    this.turn += 1;
    const turn = this.turn;
    this.store.setOpen(orderId, { working: "checking" });
    this.store.set({ notice: null });
    try {
      const wanted = () => turn === this.turn && this.store.state.open?.orderId === orderId;
      const notice = await this.attempt(view, config, connection, wanted);
      if (turn === this.turn && this.store.state.open?.orderId === orderId) {
        this.store.set({ notice });
      }
    } finally {
      if (turn === this.turn) this.store.setOpen(orderId, { working: null });
      this.tracker.now();
    }
  }

  /** The wallet shows nothing: no longer waits for its answer, which is taken if it still comes. */
  giveUp(): void {
    const { open } = this.store.state;
    this.turn += 1;
    if (open) this.store.setOpen(open.orderId, { working: null });
    this.tracker.now();
  }

  /**
   * Answers what to tell where it went no further; null where it was sent, or is not `wanted` any
   * more: nobody is asked to sign an order that they have left.
   */
  private async attempt(
    view: OrderView,
    config: ChainConfig,
    connection: Connection,
    wanted: () => boolean,
  ): Promise<Notice | null> {
    const { orderId, order, orderHash } = view;
    const { provider } = connection.wallet;
    const customer = order.customer.toLowerCase() as Hex;
    if (connection.address !== customer) return otherAccount(customer);
    try {
      await this.session.ensureChain(connection, config);
    } catch (error) {
      return networkNotice(error, config);
    }
    const call = redemption(config.contractAddress, order, orderHash);
    const failed = (error: unknown) => {
      // The dialog may have been open for long: what is known now counts.
      const { open } = this.store.state;
      const clean = nothingBurned(open?.view ?? view, this.kept.local(orderId));
      return signingNotice(error, clean, config, this.words);
    };
    let block: number;
    try {
      if (await isRedeemed(provider, config.contractAddress, order.customer, orderHash)) {
        return this.redeemed(orderId);
      }
      await provider.request({ method: "eth_call", params: [call, "latest"] });
      const missing = await missingForGas(provider, call);
      if (missing > 0n) return lackOfGas(missing, config);
      block = Number(await provider.request({ method: "eth_blockNumber" }));
      // Whoever changed the account or the network meanwhile is not asked to sign there.
      const now = await connect(connection.wallet, true);
      if (now && now.address !== customer) return otherAccount(customer);
      if (now && now.chainId !== config.chainId) {
        return { key: "network.failed", values: { chain: config.chainName } };
      }
    } catch (error) {
      return isAlreadyRedeemed(error) ? this.redeemed(orderId) : failed(error);
    }
    if (!wanted()) return null;
    const id = randomKey();
    const attempt: Attempt = { id, txHash: null, nonce: null, block, fate: "open" };
    if (!this.kept.begin(orderId, attempt)) return null;
    this.store.setOpen(orderId, { working: "signing" });
    try {
      // Where the network is changed after all, the wallet itself refuses.
      const params = [{ ...call, chainId: `0x${config.chainId.toString(16)}` }];
      const txHash = await provider.request({ method: "eth_sendTransaction", params });
      if (!isHash(txHash)) return null;
      this.kept.update(orderId, id, { txHash });
      this.tracker.hint(orderId, txHash);
      // Known from the start, the nonce tells later whether another transaction took its place.
      const learn = ({ nonce }: { nonce: number | null }) => {
        if (nonce !== null) this.kept.update(orderId, id, { nonce });
      };
      lookAt(provider, txHash).then(learn, () => {});
      return null;
    } catch (error) {
      if (isAlreadyRedeemed(error)) {
        this.kept.withdraw(orderId, id);
        return this.redeemed(orderId);
      }
      // Anything else may have come after the transaction went out: the chain will tell.
      if (!neverSent(error)) return null;
      this.kept.withdraw(orderId, id);
      return failed(error);
    }
  }

  private redeemed(orderId: string): Notice {
    this.store.setOpen(orderId, { redeemed: true });
    this.kept.doubt(orderId);
    return { key: "revert.AlreadyRedeemed", tone: "info" };
  }
}

function isHash(answer: unknown): answer is Hex {
  return typeof answer === "string" && /^0x[0-9a-f]{64}$/i.test(answer);
}

function otherAccount(customer: Hex): Notice {
  return { key: "problem.account", values: { address: shortAddress(customer) } };
}

/** First and last characters of an address, enough to recognise it. */
export function shortAddress(address: string): string {
  return `${address.slice(0, 6)}…${address.slice(-4)}`;
}

function lackOfGas(missing: bigint, config: ChainConfig): Notice {
  const { symbol, decimals } = config.nativeCurrency;
  return { key: "problem.gas", values: { amount: coins(missing, decimals), symbol } };
}
