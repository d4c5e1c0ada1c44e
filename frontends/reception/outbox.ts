import type { Api, InputMethod } from "../shared/api.ts";
import { ApiError, Unreachable } from "../shared/api.ts";
import type { Goods } from "../shared/i18n.ts";
import { backoff, pauseOf } from "../shared/poll.ts";
import { randomKey } from "../shared/storage.ts";
import type { DeliveryAnswer, ReceptionView, Staff } from "../shared/wire.ts";
import type { Device } from "./device.ts";
import { isPassing, type Refusal, refusalOf } from "./notice.ts";

/** The one delivery of an order, as the API told it. */
export type Delivery = Pick<
  DeliveryAnswer,
  "deliveredAt" | "deliveredBy" | "deliveredByName" | "deliveredSite" | "entitledUntil"
>;

/** What became of a press on "deliver". */
export type Outcome =
  /** It was the delivery. */
  | { readonly kind: "ours"; readonly delivery: Delivery }
  /** The order had been delivered before. */
  | { readonly kind: "other"; readonly delivery: Delivery }
  /** The API refused it for good. */
  | ({ readonly kind: "refused" } & Refusal);

/** A press on "deliver", kept on the device until its outcome is known and read. */
export interface Press {
  /** 128 random bits, the same with every request for this press. */
  readonly key: string;
  readonly orderId: string;
  readonly siteId: string;
  readonly note: string;
  readonly method: InputMethod;
  readonly goods: Goods;
  /** In unix milliseconds, as the device believed. */
  readonly pressedAt: number;
  readonly username: string;
  readonly displayName: string;
  /** Null while nobody knows. */
  readonly outcome: Outcome | null;
}

/** What a press says; the rest is known here. */
export type NewPress = Pick<Press, "orderId" | "siteId" | "note" | "method" | "goods">;

const PREFIX = "5sov.outbox.";
/** The pause between tries stops growing here, so that "not sure" does not last. */
const SLOWEST_STEP = 4;

/**
 * The deliveries pressed on this device: each is written down before it is sent, and sent with the
 * same key until the API has said what became of it (spec: Reception console).
 *
 * Each press has a place of its own in the storage that all tabs share, so that two tabs never
 * overwrite one another, and one tab at a time sends it. It goes out only in the name of the person
 * who pressed, as the API records who delivered.
 */
export class Outbox {
  /** Oldest first. */
  presses: readonly Press[] = [];
  /** Pressed on this page and not known yet, or refused by the storage: it may lose what it has. */
  private readonly held = new Map<string, Press>();
  /** Keys of presses whose last request brought no answer. */
  private readonly troubled = new Set<string>();
  /** The API wants no delivery before that moment of the device's `elapsed`. */
  private notBefore = 0;
  private failures = 0;
  private rounding = false;
  private cancel = () => {};

  constructor(
    private readonly api: Pick<Api, "deliver">,
    private readonly device: Device,
    private readonly who: () => Staff | null,
    private readonly deviceName: () => string,
    private readonly changed: () => void,
  ) {
    this.presses = this.read();
    device.onShared(() => this.refresh());
    device.onOnline(() => this.flush());
    device.onVisible(() => this.flush());
  }

  /** Writes a press down and sends it. */
  press(what: NewPress): Press {
    const staff = this.who();
    if (!staff) throw new Error("nobody is signed in");
    const press: Press = {
      ...what,
      key: randomKey(),
      pressedAt: this.device.time(),
      username: staff.username,
      displayName: staff.displayName,
      outcome: null,
    };
    this.write(press);
    this.refresh();
    void this.attempt(press.key).then((known) => known || this.later());
    return press;
  }

  /** Sends what waits, now. */
  flush(): void {
    this.cancel();
    void this.round();
  }

  /** Forgets a press whose outcome was read; one without an outcome stays. */
  acknowledge(key: string): void {
    if (!this.find(key)?.outcome) return;
    this.held.delete(key);
    try {
      this.device.shared().removeItem(PREFIX + key);
    } catch {
      // Nothing was stored.
    }
    this.refresh();
  }

  find(key: string): Press | null {
    return this.presses.find((press) => press.key === key) ?? null;
  }

  /** The press on one of these orders whose outcome nobody knows yet. */
  unsettled(orderIds: readonly string[]): Press | null {
    const fits = ({ orderId, outcome }: Press) => !outcome && orderIds.includes(orderId);
    return this.presses.find(fits) ?? null;
  }

  /** The presses of that person whose outcome nobody knows yet. */
  waitingFor(username: string): readonly Press[] {
    return this.presses.filter((press) => !press.outcome && press.username === username);
  }

  /** Whether all presses outlive the page. */
  isKept(): boolean {
    return this.presses.every((press) => this.isStored(press));
  }

  /** Whether the last request for this press brought no answer. */
  isTroubled(key: string): boolean {
    return this.troubled.has(key);
  }

  /**
   * Learns from what the API says about an order of somebody else's press: that person need not
   * come back to find out.
   */
  learn({ orderId, delivered }: ReceptionView): void {
    if (!delivered) return;
    const me = this.who()?.username;
    for (const press of this.presses) {
      if (press.orderId !== orderId || press.outcome || press.username === me) continue;
      const delivery = {
        deliveredAt: delivered.at,
        deliveredBy: delivered.by,
        deliveredByName: delivered.byName,
        deliveredSite: delivered.site,
      };
      const kind = delivered.by === press.username ? "ours" : "other";
      this.write({ ...press, outcome: { kind, delivery } });
    }
    this.refresh();
  }

  /** Tries every press of the person signed in once; comes back later for what stays unknown. */
  private async round(): Promise<void> {
    if (this.rounding) return;
    this.rounding = true;
    this.refresh();
    let allKnown = true;
    for (const { key } of this.mine()) allKnown = (await this.attempt(key)) && allKnown;
    this.rounding = false;
    if (allKnown) this.failures = 0;
    if (this.mine().length > 0) this.later();
  }

  private later(): void {
    this.cancel();
    this.failures = Math.min(this.failures + 1, SLOWEST_STEP);
    const pause = backoff(this.failures, this.device.random());
    const wanted = this.notBefore - this.device.elapsed();
    this.cancel = this.device.later(() => this.flush(), Math.max(pause, wanted));
  }

  /** Sends a press once; answers whether its outcome is known. */
  private async attempt(key: string): Promise<boolean> {
    // Browsers may refuse a lock to a page that goes; the key alone makes it once.
    const known = await this.device
      .alone(PREFIX + key, () => this.attemptAlone(key))
      .catch(() => false);
    if (known) this.troubled.delete(key);
    else this.troubled.add(key);
    this.changed();
    return known;
  }

  private async attemptAlone(key: string): Promise<boolean> {
    this.refresh();
    const press = this.find(key);
    if (!press || press.outcome) return true;
    if (this.who()?.username !== press.username) return false;
    if (!this.isStored(press)) this.write(press);
    if (this.device.elapsed() < this.notBefore) return false;
    try {
      this.settle(press, await this.send(press));
    } catch (error) {
      this.notBefore = this.device.elapsed() + pauseOf(error);
      if (!(error instanceof ApiError && isFinal(error))) return false;
      this.settle(press, { kind: "refused", ...refusalOf(error) });
    }
    return true;
  }

  private async send(press: Press): Promise<Outcome> {
    const { orderId, siteId, note, method, key } = press;
    const answer = await this.api.deliver(orderId, {
      siteId,
      note,
      method,
      idempotencyKey: key,
      deviceId: this.deviceName(),
    });
    // A portal that wants a sign-in to its Wi-Fi may answer anything.
    if (answer.orderId !== orderId || typeof answer.alreadyDelivered !== "boolean") {
      throw new Unreachable("the answer is about something else");
    }
    const { deliveredAt, deliveredBy, deliveredByName, deliveredSite, entitledUntil } = answer;
    return {
      kind: answer.alreadyDelivered ? "other" : "ours",
      delivery: {
        deliveredAt,
        deliveredBy,
        deliveredByName,
        deliveredSite,
        ...(entitledUntil === undefined ? {} : { entitledUntil }),
      },
    };
  }

  private mine(): readonly Press[] {
    const username = this.who()?.username;
    return username === undefined ? [] : this.waitingFor(username);
  }

  private settle(press: Press, outcome: Outcome): void {
    this.write({ ...press, outcome });
    this.refresh();
  }

  private write(press: Press): void {
    this.held.set(press.key, press);
    try {
      this.device.shared().setItem(PREFIX + press.key, JSON.stringify(press));
      if (press.outcome) this.held.delete(press.key);
    } catch {
      // It lives as long as the page, or until there is room.
    }
  }

  private isStored({ key }: Press): boolean {
    try {
      return this.device.shared().getItem(PREFIX + key) !== null;
    } catch {
      return false;
    }
  }

  /** Takes over what the storage has, and what other tabs made of it. */
  refresh(): void {
    this.presses = this.read();
    this.changed();
  }

  private read(): Press[] {
    const found = new Map(this.held);
    try {
      const store = this.device.shared();
      for (let at = 0; at < store.length; at += 1) {
        const name = store.key(at);
        const press = name?.startsWith(PREFIX) ? parsePress(store.getItem(name)) : null;
        if (!press || found.get(press.key)?.outcome) continue;
        found.set(press.key, press);
        if (press.outcome) this.held.delete(press.key);
      }
    } catch {
      // A browser that refuses storage has only what lives in the page.
    }
    return [...found.values()].sort((a, b) => a.pressedAt - b.pressedAt);
  }
}

/**
 * Whether the API will say the same however often it is asked. Of those it does not let in, it has
 * not looked whether they delivered.
 */
function isFinal(error: ApiError): boolean {
  const { status, code } = error;
  if (status === 404) return code === "ORDER_NOT_FOUND";
  if (status === 403) return code === "FORBIDDEN_SITE";
  return status !== 401 && !isPassing(error);
}

function parsePress(text: string | null): Press | null {
  try {
    return text === null ? null : (JSON.parse(text) as Press);
  } catch {
    return null;
  }
}
