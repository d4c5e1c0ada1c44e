/**
 * The portal's later pages, loaded on demand: the wallet's order history, the receipt of a
 * delivered order, a voucher shown in the wallet, an order taken back.
 */

import type { Child } from "../../shared/dom.ts";
import { Translator } from "../../shared/i18n.ts";
import type { OrderView } from "../../shared/wire.ts";
import type { LaterContext, Told } from "../later.ts";
import { cancel } from "./cancel.ts";
import { History } from "./history.ts";
import { historyContent, type Words } from "./history-page.ts";
import { catalogues } from "./messages/index.ts";
import { Receipt } from "./receipt.ts";
import { receiptContent } from "./receipt-page.ts";
import type { Telling } from "./telling.ts";
import { watch } from "./watch.ts";

const history = new History();
const receipt = new Receipt();
let words: Words | null = null;

/** Loads the texts in the page's language; to be called before the first page and after a change. */
export async function load(context: LaterContext): Promise<void> {
  words ??= await Translator.load(catalogues);
  if (words.language !== context.words.language) await words.use(context.words.language);
}

/** The wallet's orders. */
export function historyPage(context: LaterContext): Child {
  history.follow(context);
  return historyContent(context, history, loaded());
}

/** The receipt of a delivered order. */
export function receiptPage(context: LaterContext, orderId: string): Child {
  receipt.follow(context, orderId);
  return receiptContent(context, receipt, orderId, loaded());
}

/** Asks the wallet to show a voucher; answers what to tell, null where the customer declined. */
export async function addVoucher(context: LaterContext, tokenId: number): Promise<Told | null> {
  const { connection, config } = context;
  if (!connection) return null;
  return inWords(await watch(connection.wallet.provider, config.contractAddress, tokenId));
}

/** Takes an order back before its burn is seen; answers what to tell where it was not. */
export async function cancelOrder(context: LaterContext, view: OrderView): Promise<Told | null> {
  return inWords(await cancel(context, view));
}

/** The customer left these pages, or the wallet's account changed. */
export function leave(): void {
  history.leave();
  receipt.leave();
}

function inWords(telling: Telling | null): Told | null {
  if (!telling) return null;
  const { key, values } = telling;
  const tone = key === "watch.done" ? "info" : "warn";
  return { tone, key, text: () => loaded().text(key, values) };
}

function loaded(): Words {
  if (!words) throw new Error("load() has to end before the first page is drawn");
  return words;
}
