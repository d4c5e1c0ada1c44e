import type { Api } from "../shared/api.ts";
import { ApiError } from "../shared/api.ts";
import { type Poll, poll } from "../shared/poll.ts";
import type { OrderStatus, QueueFilter, QueueItem } from "../shared/wire.ts";
import type { Device } from "./device.ts";
import { failure, isPassing, type Notice } from "./notice.ts";

/** Which orders are wanted: those that still wait, those handed over, or all. */
export type Stand = "open" | "delivered" | "all";

/** Days are `YYYY-MM-DD` where the device stands; null is today, or any day in a search. */
export interface Filter {
  readonly stand: Stand;
  readonly from: string | null;
  readonly to: string | null;
  readonly search: string;
}

/** What the list shows. */
export interface List {
  readonly filter: Filter;
  /** Null until the first answer. */
  readonly items: readonly QueueItem[] | null;
  /** Whether the API has more of them. */
  readonly more: boolean;
  readonly loading: boolean;
  readonly failed: Notice | null;
  /** When the API last answered, in unix milliseconds; null if it did not yet. */
  readonly at: number | null;
}

const EVERY_MS = 10_000;
/** A page may be empty and still not the last; so many are asked for before people are. */
const MOST_EMPTY_PAGES = 5;
const STATUSES: Readonly<Record<Stand, readonly OrderStatus[]>> = {
  open: ["CREATED", "PENDING_CHAIN", "VALID"],
  delivered: ["DELIVERED"],
  all: [],
};

/** A wallet's last 4 digits or more, or an order hash's first 8 or more, with 0x or without. */
const SEARCHABLE = /^(0x[0-9a-f]{8,64}|[0-9a-f]{4,64})$/i;

export const TODAY: Filter = { stand: "all", from: null, to: null, search: "" };
export const NO_LIST: List = {
  filter: TODAY,
  items: null,
  more: false,
  loading: false,
  failed: null,
  at: null,
};

/**
 * The orders of a site: today's queue, which keeps itself up to date while somebody can see it, and
 * the history, which stays as it was asked for.
 */
export class Listing {
  list: List = NO_LIST;
  private site: string | null = null;
  private cursor: string | null = null;
  private polling: Poll | null = null;
  /** Counts what was asked for, so that a late answer to something else changes nothing. */
  private asked = 0;

  constructor(
    private readonly api: Pick<Api, "queue">,
    private readonly device: Device,
    /** Told of a refusal; answers whether the desk goes elsewhere because of it. */
    private readonly refused: (error: ApiError) => boolean,
    private readonly changed: () => void,
  ) {}

  /** Shows today's orders of `site`. */
  open(site: string): void {
    this.site = site;
    this.list = NO_LIST;
    this.load();
  }

  /** Forgets everything. */
  close(): void {
    this.site = null;
    this.asked += 1;
    this.polling?.stop();
    this.list = NO_LIST;
    this.changed();
  }

  /** Changes what is wanted, and asks for it. */
  choose(change: Partial<Filter>): void {
    const filter = { ...this.list.filter, ...change };
    this.list = { ...NO_LIST, filter };
    this.load();
  }

  /** Looks for an order hash or a wallet, or parts of them; an empty text ends the search. */
  search(text: string): void {
    const search = text.replace(/\s/g, "");
    if (search === "" || SEARCHABLE.test(search)) this.choose({ search });
    else this.set({ failed: { key: "list.search" } });
  }

  /** Asks again from the newest on. */
  refresh(): void {
    if (this.isMistyped()) this.set({ failed: null });
    if (this.site) this.load();
  }

  /** Asks for the next page. */
  async more(): Promise<void> {
    const { site, cursor } = this;
    if (!site || !cursor || this.list.loading) return;
    // What was paged through stands still, or the pages would move under the reader.
    this.polling?.stop();
    this.asked += 1;
    const mine = this.asked;
    this.set({ loading: true, failed: null });
    try {
      await this.ask(site, cursor, this.list.items ?? [], mine);
    } catch (error) {
      this.fail(error, mine);
    }
  }

  private load(): void {
    this.polling?.stop();
    this.asked += 1;
    const mine = this.asked;
    this.set({ loading: true });
    this.polling = poll(async () => {
      const { site } = this;
      if (!site || mine !== this.asked) return null;
      try {
        await this.ask(site, null, [], mine);
      } catch (error) {
        this.fail(error, mine);
        if (!isPassing(error)) return null;
        throw error;
      }
      return isToday(this.list.filter) ? EVERY_MS : null;
    }, this.device);
  }

  private async ask(
    site: string,
    from: string | null,
    before: readonly QueueItem[],
    mine: number,
  ): Promise<void> {
    const query = queryOf(this.list.filter, new Date(this.device.time()));
    let cursor = from;
    for (let pages = 0; pages < MOST_EMPTY_PAGES; pages += 1) {
      const page = await this.api.queue(site, { ...query, cursor });
      if (mine !== this.asked) return;
      cursor = page.nextCursor;
      if (page.items.length === 0 && cursor) continue;
      before = [...before, ...page.items];
      break;
    }
    this.cursor = cursor;
    const at = this.device.time();
    const failed = this.isMistyped() ? this.list.failed : null;
    this.set({ items: before, more: cursor !== null, loading: false, failed, at });
  }

  /** Whether what was wrong was a search that asked for nothing; today's queue goes on below it. */
  private isMistyped(): boolean {
    return this.list.failed?.key === "list.search";
  }

  private fail(error: unknown, mine: number): void {
    if (mine !== this.asked) return;
    if (error instanceof ApiError && (error.status === 401 || this.refused(error))) return;
    this.set({ loading: false, failed: failure(error, "list.refused") });
  }

  private set(change: Partial<List>): void {
    this.list = { ...this.list, ...change };
    this.changed();
  }
}

/** Whether the filter is that of today's queue, whatever the status. */
export function isToday({ from, to, search }: Filter): boolean {
  return from === null && to === null && search === "";
}

/** What the API is asked for; days begin and end where the device stands. */
export function queryOf(filter: Filter, now: Date): QueueFilter {
  const { stand, search } = filter;
  // What still waits may have been ordered on any day.
  const today = isToday(filter) && stand !== "open";
  const begin = filter.from ? midnight(filter.from) : today ? startOf(now) : null;
  const end = filter.to ? midnight(filter.to, 1) : null;
  return {
    ...(STATUSES[stand].length > 0 ? { status: STATUSES[stand] } : {}),
    ...(search ? { search } : {}),
    ...(begin ? { from: seconds(begin) } : {}),
    ...(end ? { to: seconds(end) - 1 } : {}),
  };
}

function startOf(moment: Date): Date {
  return new Date(moment.getFullYear(), moment.getMonth(), moment.getDate());
}

/** The first moment of a day `YYYY-MM-DD`, or of one `daysLater`. */
function midnight(day: string, daysLater = 0): Date {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + daysLater);
}

function seconds(moment: Date): number {
  return Math.floor(moment.getTime() / 1000);
}
