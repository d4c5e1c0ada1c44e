import { Kept } from "../shared/storage.ts";
import type { ChainConfig } from "../shared/wire.ts";
import { balances } from "./contract.ts";
import { connectNotice, networkNotice } from "./notices.ts";
import type { State, Store } from "./state.ts";
import { type Connection, chainOf, connect, switchChain, type Wallet } from "./wallet.ts";

/** How long a wallet may take to say whether it is still connected, before people are asked. */
const RESTORE_MS = 2500;

const lastWallet = new Kept<string | null>(() => localStorage, "5sov.wallet", null);

/** The wallet that is connected: choosing, following what its owner does in it, its vouchers. */
export class WalletSession {
  private readonly listening = new WeakSet<object>();
  /** Grows with every attempt to connect: an answer to an older one comes too late. */
  private turn = 0;
  /** How often the vouchers were asked for, and which of that was answered last. */
  private reads = 0;
  private answered = 0;

  constructor(
    private readonly store: Store,
    /** The account is another one from now on, or none. */
    private readonly accountChanged: () => void,
  ) {}

  /** Wallets announced themselves; the one used last is connected again without asking. */
  found(wallets: readonly Wallet[]): void {
    const { connection, connecting, restoring } = this.store.state;
    this.store.set({ wallets });
    const known = wallets.find((wallet) => wallet.info.rdns === lastWallet.get());
    if (!known || connection || connecting || restoring) return;
    this.store.set({ restoring: true });
    const done = () => this.store.set({ restoring: false });
    setTimeout(done, RESTORE_MS);
    void this.join(known, true).then(done);
  }

  /** Connects the only wallet, or lets the customer choose. */
  async connect(): Promise<void> {
    const [only, second] = this.store.state.wallets ?? [];
    if (only && !second) await this.join(only, false);
    else this.store.set({ sheet: "wallets", notice: null });
  }

  async join(wallet: Wallet, silent: boolean): Promise<void> {
    this.turn += 1;
    const turn = this.turn;
    if (!silent) this.store.set({ sheet: null, connecting: wallet, notice: null });
    try {
      const connection = await connect(wallet, silent);
      if (turn !== this.turn) return;
      if (!connection) {
        if (!silent) this.store.set({ notice: { key: "connect.rejected" } });
        return;
      }
      lastWallet.set(wallet.info.rdns);
      this.listen(wallet);
      this.adopt(connection);
    } catch (error) {
      if (!silent && turn === this.turn) this.store.set({ notice: connectNotice(error) });
    } finally {
      if (turn === this.turn) this.store.set({ connecting: null });
    }
  }

  /** Stops waiting for the wallet's dialog; an answer that still comes is not taken. */
  giveUp(): void {
    this.turn += 1;
    this.store.set({ connecting: null });
  }

  disconnect(): void {
    this.turn += 1;
    lastWallet.clear();
    this.adopt(null);
  }

  async switchChain(): Promise<void> {
    const { connection, config, switching } = this.store.state;
    if (!connection || !config || switching) return;
    this.store.set({ switching: true, notice: null });
    try {
      await this.ensureChain(connection, config);
    } catch (error) {
      this.store.set({ notice: networkNotice(error, config) });
    } finally {
      this.store.set({ switching: false });
    }
  }

  /** Brings the wallet to the project's chain, whatever it last said. Raises what it raises. */
  async ensureChain(connection: Connection, config: ChainConfig): Promise<void> {
    const { provider } = connection.wallet;
    if ((await chainOf(provider)) !== config.chainId) await switchChain(provider, config);
    const chainId = await chainOf(provider);
    if (this.store.state.connection?.wallet === connection.wallet) {
      this.store.set({ connection: { ...this.store.state.connection, chainId } });
    }
    if (chainId !== config.chainId) throw new Error(`the wallet stays on chain ${chainId}`);
    void this.readHeld();
  }

  /** Reads from the chain, through the wallet, what the account holds. */
  async readHeld(): Promise<void> {
    const { connection, config, catalogue } = this.store.state;
    if (!connection || !config || !catalogue || connection.chainId !== config.chainId) return;
    const ids = catalogue.types.map((type) => type.tokenId);
    const { provider } = connection.wallet;
    this.reads += 1;
    const read = this.reads;
    this.store.set({ reading: true });
    // Answers may overtake each other, and the account may be another one by then.
    const take = (change: Partial<State>) => {
      const late = read < this.answered;
      if (late || this.store.state.connection?.address !== connection.address) return;
      this.answered = read;
      this.store.set(change);
    };
    try {
      const counts = await balances(provider, config.contractAddress, connection.address, ids);
      take({
        held: new Map(ids.map((id, at) => [id, Number(counts[at] ?? 0n)])),
        heldFailed: false,
      });
    } catch {
      take({ heldFailed: true });
    } finally {
      if (read === this.reads) this.store.set({ reading: false });
    }
  }

  private listen(wallet: Wallet): void {
    const { provider } = wallet;
    if (this.listening.has(provider)) return;
    this.listening.add(provider);
    let heard = 0;
    const changed = () => {
      heard += 1;
      const turn = heard;
      const connected = () => this.store.state.connection?.wallet.provider === provider;
      // Answers may overtake each other, and the customer may have disconnected meanwhile.
      const take = (connection: Connection | null) => {
        if (turn === heard && connected()) this.adopt(connection);
      };
      if (connected()) connect(wallet, true).then(take, () => take(null));
    };
    provider.on?.("accountsChanged", changed);
    provider.on?.("chainChanged", changed);
  }

  private adopt(connection: Connection | null): void {
    const before = this.store.state.connection;
    this.store.set({ connection });
    if (before && before.address !== connection?.address) {
      this.store.set({ held: null, heldFailed: false, asking: null, notice: null });
      this.accountChanged();
    }
    void this.readHeld();
  }
}
