/**
 * Random walks through what wallets, nodes and the chain may do to an order, by the portal's own
 * parts: nothing untrue is ever said, and nobody is left waiting for nothing.
 *
 * The chain of these walks knows the truth; the portal sees it through nodes that lag behind, each
 * question answered by another, as load balancers do.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { KeptOrders } from "../portal/kept.ts";
import { type Attempt, canSign, nothingBurned, type Stage, stageOf } from "../portal/stage.ts";
import { EMPTY, Store } from "../portal/state.ts";
import { type Doubts, judge, type Sight } from "../portal/watch.ts";
import type { Hex, OrderStatus, OrderView } from "../shared/wire.ts";
import { Random } from "./random.ts";

const WALKS = 500;
const STEPS = 60;
const LAG_MS = 3000;
const ORDER = "ORD_20261121_0000000000000000";

interface Transaction {
  readonly hash: Hex;
  readonly nonce: number;
  /** Whether it redeems the order; else it only uses up its nonce. */
  readonly redeems: boolean;
  where: "pool" | "forgotten" | "mined" | "failed";
}

/** What a node knows at one moment. */
interface Snapshot {
  readonly at: number;
  readonly redeemed: boolean;
  readonly mined: number;
  readonly waiting: number;
  readonly transactions: ReadonlyMap<string, Pick<Transaction, "where" | "nonce">>;
}

class World {
  readonly random: Random;
  now = 1_000_000;
  transactions: Transaction[] = [];
  snapshots: Snapshot[] = [];
  expired = false;
  view: OrderView;
  private readonly store: Store;
  private readonly kept: KeptOrders;
  private doubts: Doubts = new Map();
  /** The attempt whose dialog is open in the wallet. */
  private dialog: string | null = null;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.store = new Store(EMPTY, () => {});
    this.kept = new KeptOrders(this.store);
    this.view = this.told();
    this.store.set({
      open: {
        orderId: ORDER,
        view: this.view,
        qr: null,
        working: null,
        redeemed: false,
        staleSince: null,
        lost: false,
      },
    });
    this.kept.made(ORDER, { tokenId: 1001, amount: 1, siteId: "", meta: {} });
    this.kept.note(this.view);
    this.photograph();
  }

  // ------------------------------------------------------------ the truth

  get burned(): boolean {
    return this.transactions.some(({ redeems, where }) => redeems && where === "mined");
  }

  /** Whether a burn has been made, or may still be made without anybody asking for it again. */
  get mayBurn(): boolean {
    if (this.burned) return true;
    if (this.expired) return false;
    if (this.dialog !== null) return true;
    return this.transactions.some(
      ({ redeems, where, nonce }) =>
        redeems && (where === "pool" || where === "forgotten") && nonce >= this.mined,
    );
  }

  /** Whether a transaction waits that is, or took the place of, one that the page knows of. */
  get waits(): boolean {
    const { attempts } = this.kept.local(ORDER);
    return this.pool.some(({ hash, nonce }) =>
      attempts.some((one) => one.txHash === hash || one.nonce === nonce),
    );
  }

  /** Whether something waits that may be what the wallet did not tell of. */
  get unsure(): boolean {
    return (
      this.pool.length > 0 && this.kept.local(ORDER).attempts.some(({ nonce }) => nonce === null)
    );
  }

  private get pool(): readonly Transaction[] {
    return this.transactions.filter(({ where }) => where === "pool");
  }

  get mined(): number {
    return this.transactions.filter(({ where }) => where === "mined" || where === "failed").length;
  }

  get stage(): Stage {
    return stageOf(this.view, this.kept.local(ORDER));
  }

  get claims(): boolean {
    return nothingBurned(this.view, this.kept.local(ORDER));
  }

  get signable(): boolean {
    return canSign(this.stage, this.kept.local(ORDER));
  }

  // ------------------------------------------------------------ what happens

  step(): string {
    const steps: [string, () => void][] = [
      ["sign", () => this.sign()],
      ["answer", () => this.answer()],
      ["answer lost", () => this.answer(true)],
      ["decline", () => this.decline()],
      ["stuck", () => this.wait(false)],
      ["mine", () => this.mine()],
      ["forget", () => this.move("pool", "forgotten")],
      ["remember", () => this.move("forgotten", "pool")],
      ["speed up", () => this.replace(true)],
      ["cancel", () => this.replace(false)],
      ["look", () => this.look()],
      ["look", () => this.look()],
      ["look", () => this.look()],
      ["poll", () => this.poll()],
      ["poll", () => this.poll()],
      ["expire", () => this.expire()],
    ];
    const [name, run] = this.random.pick(steps);
    // Time is rarely over.
    if (name === "expire" && this.random.below(20) > 0) return "";
    run();
    this.photograph();
    this.now += 100 + this.random.below(1500);
    return name;
  }

  /** Nobody does anything more: the portal looks until all nodes agree, and longer than any doubt. */
  settle(): void {
    if (this.dialog !== null) this.decline();
    for (let turn = 0; turn < 12; turn += 1) {
      this.now += LAG_MS + 1000;
      this.photograph();
      this.look();
    }
  }

  private sign(): void {
    if (!this.signable || this.dialog !== null || this.expired) return;
    const id = `${this.kept.local(ORDER).attempts.length}-${this.random.hex(4)}`;
    assert(this.kept.begin(ORDER, { id, txHash: null, nonce: null, block: 1, fate: "open" }));
    this.dialog = id;
    this.wait(true);
  }

  private get next(): number {
    return this.mined + this.transactions.filter(({ where }) => where === "pool").length;
  }

  private answer(lost = false): void {
    if (this.dialog === null) return;
    const taken = this.transactions
      .filter(({ where }) => where !== "forgotten")
      .map(({ nonce }) => nonce);
    const hash = this.random.hex(32);
    const nonce = Math.max(-1, ...taken) + 1;
    this.transactions.push({ hash, nonce, redeems: true, where: "pool" });
    if (!lost) this.kept.update(ORDER, this.dialog, { txHash: hash });
    this.dialog = null;
    this.wait(false);
  }

  private decline(): void {
    if (this.dialog === null) return;
    this.kept.withdraw(ORDER, this.dialog);
    this.dialog = null;
    this.wait(false);
  }

  private wait(open: boolean): void {
    this.store.setOpen(ORDER, { working: open ? "signing" : null });
  }

  private mine(): void {
    const next = this.transactions.find(
      ({ where, nonce }) => where === "pool" && nonce === this.mined,
    );
    if (!next) return;
    next.where = next.redeems && (this.burned || this.expired) ? "failed" : "mined";
    for (const other of this.transactions) {
      if (other !== next && other.nonce === next.nonce) other.where = "forgotten";
    }
  }

  private move(from: Transaction["where"], to: Transaction["where"]): void {
    const taken = this.transactions.filter(({ where }) => where === "pool");
    const movable = this.transactions.filter(
      (one) =>
        one.where === from &&
        one.nonce >= this.mined &&
        (to !== "pool" || !taken.some(({ nonce }) => nonce === one.nonce)),
    );
    if (movable.length > 0) this.random.pick(movable).where = to;
  }

  private replace(redeems: boolean): void {
    const old = this.transactions.find(({ where }) => where === "pool");
    if (!old) return;
    old.where = "forgotten";
    this.transactions.push({ hash: this.random.hex(32), nonce: old.nonce, redeems, where: "pool" });
  }

  private expire(): void {
    this.expired = true;
  }

  private poll(): void {
    this.view = this.told();
    this.kept.note(this.view);
    this.store.setOpen(ORDER, { view: this.view });
  }

  private told(): OrderView {
    const status: OrderStatus = this.burned
      ? "PENDING_CHAIN"
      : this.expired
        ? "EXPIRED"
        : "CREATED";
    return {
      orderId: ORDER,
      status,
      transactionHints: [],
      exception: null,
    } as unknown as OrderView;
  }

  private photograph(): void {
    const { mined } = this;
    this.snapshots.push({
      at: this.now,
      redeemed: this.burned,
      mined,
      waiting: this.next,
      transactions: new Map(
        this.transactions.map(({ hash, where, nonce }) => [hash, { where, nonce }]),
      ),
    });
  }

  /** Each question goes to another node, none further behind than the lag. */
  private look(): void {
    if (this.view.status !== "CREATED") return;
    const { attempts } = this.kept.local(ORDER);
    const recent = this.snapshots.filter(
      ({ at }, index, all) => (all[index + 1]?.at ?? this.now) >= this.now - LAG_MS && at >= 0,
    );
    const node = () => this.random.pick(recent);
    const sight: Sight = {
      redeemed: node().redeemed,
      mined: node().mined,
      waiting: node().waiting,
      transactions: new Map(
        attempts.map(({ id, txHash }) => {
          const there = txHash ? node().transactions.get(txHash) : undefined;
          const known = there !== undefined && there.where !== "forgotten";
          const succeeded = { mined: true, failed: false, pool: null, forgotten: null };
          return [
            id,
            {
              succeeded: there ? succeeded[there.where] : null,
              known,
              nonce: known ? there.nonce : null,
            },
          ];
        }),
      ),
    };
    this.store.setOpen(ORDER, { redeemed: sight.redeemed });
    if (sight.redeemed) {
      this.doubts = new Map();
      return;
    }
    const judged = judge(attempts, sight, this.doubts, this.now);
    for (const { id, fate, nonce } of judged.attempts) {
      this.kept.update(ORDER, id, { fate, nonce });
    }
    this.doubts = judged.doubts;
  }

  describe(): string {
    const attempts = this.kept.local(ORDER).attempts.map((one: Attempt) => JSON.stringify(one));
    const there = this.transactions.map((one) => JSON.stringify(one));
    return [`stage ${this.stage}, status ${this.view.status}`, ...attempts, ...there].join("\n  ");
  }
}

test("nothing is said to be unused that was used or may be", () => {
  for (let seed = 1; seed <= WALKS; seed += 1) {
    const world = new World(seed);
    const path: string[] = [];
    for (let step = 0; step < STEPS; step += 1) {
      path.push(world.step());
      const lie = world.claims && world.mayBurn;
      assert(!lie, `seed ${seed}: ${path.join(", ")}\n  ${world.describe()}`);
    }
  }
});

test("when all is quiet the page shows what is, and waits only for what may come", () => {
  const reached = new Set<Stage>();
  for (let seed = 1; seed <= WALKS; seed += 1) {
    const world = new World(seed);
    for (let step = 0; step < STEPS; step += 1) {
      world.step();
      reached.add(world.stage);
    }
    world.settle();
    const { stage } = world;
    reached.add(stage);
    const why = `seed ${seed}: ${world.describe()}`;
    if (world.view.status !== "CREATED") continue;
    if (world.burned) assert.equal(stage, "seen", why);
    else if (world.waits) assert(["submitted", "looking"].includes(stage), why);
    else if (!world.unsure) assert(world.signable, why);
  }
  const expected: Stage[] = ["unsigned", "signing", "looking", "submitted", "seen"];
  for (const stage of expected) assert(reached.has(stage), stage);
});
