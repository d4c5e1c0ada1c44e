import type { Choice } from "./state.ts";

/**
 * Where the customer is. It lives in the browser's history, so that its back button and a reload
 * work; never in the address, which an order id must not get into (it is a bearer secret).
 */
export type Place =
  /** `gone`: the order that was on the screen is not known any more, as a reload has to tell too. */
  | { readonly at: "home"; readonly gone?: boolean }
  | { readonly at: "redeem"; readonly choice: Choice }
  | { readonly at: "order"; readonly orderId: string; readonly choice?: Choice }
  | { readonly at: "history" }
  | { readonly at: "receipt"; readonly orderId: string };

export const HOME: Place = { at: "home" };

interface Entry {
  readonly place: Place;
  /** How many entries of ours lie before this one. */
  readonly depth: number;
}

/** Goes from place to place; `arrived` is told of each arrival, by whatever way. */
export class Places {
  /** Asked to go back: browsers do that a moment later, once for each time that they are asked. */
  private leaving = false;

  constructor(private readonly arrived: (place: Place) => void) {}

  /** Goes to where this tab was before a reload, and follows the browser's buttons from then on. */
  start(): void {
    addEventListener("popstate", () => {
      this.leaving = false;
      this.arrived(this.entry().place);
    });
    this.arrived(this.entry().place);
  }

  go(place: Place): void {
    const entry: Entry = { place, depth: this.entry().depth + 1 };
    this.leaving = false;
    history.pushState(entry, "");
    this.arrived(place);
  }

  /** Goes there so that "back" does not lead here again. */
  swap(place: Place): void {
    this.note(place);
    this.arrived(place);
  }

  /** Remembers how the present place looks now, without going anywhere. */
  note(place: Place): void {
    const entry: Entry = { place, depth: this.entry().depth };
    history.replaceState(entry, "");
  }

  /** One step, however often it is pressed before the page has changed. */
  back(): void {
    if (this.entry().depth === 0) this.swap(HOME);
    else if (!this.leaving) {
      this.leaving = true;
      history.back();
    }
  }

  private entry(): Entry {
    const state = history.state as Partial<Entry> | null;
    return state?.place ? (state as Entry) : { place: HOME, depth: 0 };
  }
}
