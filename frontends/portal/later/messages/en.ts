/** Every text of the portal's later pages, in English; its keys are the catalogue's. */
export const texts = {
  "history.title": "My orders",
  "history.device": "These are the orders kept on this device.",
  "history.connect.title": "Ordered on another device?",
  "history.connect.text": "Connect your wallet to see all of its orders.",
  "history.connect.action": "Connect wallet",
  "history.signIn.title": "See all orders of this wallet",
  "history.signIn.text":
    "Only you get to see your orders. To prove that the wallet {address} is yours, it signs a short text.",
  "history.signIn.free":
    "Signing is free. It sends nothing and gives nobody access to your wallet.",
  "history.signIn.hour": "You stay signed in for an hour, or until you close this page.",
  "history.signIn.action": "Sign in with wallet",
  "history.signIn.again": "Sign in again",
  "history.waiting.title": "Sign the text in your wallet",
  "history.waiting.text":
    "Your wallet shows a text that begins with the address of this page: {site}",
  "history.waiting.again": "Nothing to see? Ask again",
  "history.loading": "Fetching your orders…",
  "history.empty.title": "No orders yet",
  "history.empty.text": "What you redeem with this wallet will be listed here.",
  "history.empty.device": "No order is kept on this device.",
  "history.empty.action": "To your vouchers",
  "history.failed": "Your orders could not be fetched. Nothing is lost; please try again.",
  "history.deviceFailed":
    "The newest could not be fetched. What you see is what this device last knew.",
  "history.more": "Show earlier orders",
  "history.retry": "Try again",
  "history.today": "Today",
  "history.yesterday": "Yesterday",
  "history.receipt": "Receipt",
  "history.otherWallet": "wallet {address}",

  "signIn.rejected": "You declined in the wallet. Nothing happened; you can try again.",
  "signIn.contract":
    "This is a smart-contract wallet, which cannot sign in here. It redeems as usual; each order stays on the device that made it.",
  "signIn.refused":
    "The signature was not accepted. It has to come from this account, within five minutes. Please try again.",
  "signIn.over": "Your sign-in has ended. Sign in again to see everything.",
  "signIn.switched":
    "Another account is selected in the wallet now. Sign in with it to see its orders.",
  "signIn.failed": "Signing in did not work ({detail}). Please try again.",

  "receipt.title": "Receipt",
  "receipt.loading": "Fetching the receipt…",
  "receipt.gone.title": "There is no such order",
  "receipt.gone.text": "It may have been made too long ago, or on another website.",
  "receipt.open.title": "No receipt yet",
  "receipt.open.text": "There is a receipt once the service has been handed over.",
  "receipt.open.action": "See the order",
  "receipt.print": "Print or save as PDF",
  "receipt.service": "Service",
  "receipt.unit": "One voucher",
  "receipt.site": "Redeemed for",
  "receipt.anywhere": "Any site",
  "receipt.ordered": "Ordered",
  "receipt.delivered": "Handed over on",
  "receipt.where": "Place",
  "receipt.code": "Order code",
  "receipt.wallet": "Wallet",
  "receipt.proof": "Proof on the blockchain",
  "receipt.chain": "Network",
  "receipt.chainId": "{name} (chain {id})",
  "receipt.contract": "Contract",
  "receipt.tx": "Transaction",
  "receipt.block": "Block",
  "receipt.blockHash": "Block hash",
  "receipt.blockTime": "Block time",
  "receipt.serial": "Redemption serial",
  "receipt.orderHash": "Order hash",
  "receipt.orderRef": "Order reference",
  "receipt.noChain":
    "Our staff accepted this order as an exception. There is no transaction that belongs to it.",
  "receipt.explorer": "See the transaction in the explorer",

  "check.title": "What was checked",
  "check.hash": "The order hash matches this receipt. Checked on this device.",
  "check.hash.differs":
    "The order hash does not match this receipt. Do not rely on this receipt; please show it to reception.",
  "check.burn":
    "The transaction is on the blockchain and used exactly these vouchers for this order. Checked on this device, through {wallet}.",
  "check.burn.running": "Asking {wallet} for the transaction…",
  "check.burn.differs":
    "What {wallet} finds on the blockchain does not match this receipt: {fields}. Please show it to reception.",
  "check.burn.unknown":
    "Not checked: the network that {wallet} asks does not know the transaction. It may no longer keep it; an explorer does.",
  "check.burn.failed": "Not checked: {wallet} did not answer.",
  "check.burn.none": "The transaction was not checked here. Connect a wallet on {chain} to do it.",
  "check.again": "Check again",
  "check.delivery":
    "That the service was handed over is what our reception recorded; a blockchain cannot know it.",
  "field.success": "the transaction failed",
  "field.block": "it is in another block",
  "field.event": "it holds no such redemption",
  "field.wallet": "another wallet",
  "field.voucher": "another voucher",
  "field.amount": "another amount",
  "field.serial": "another serial",

  "how.title": "How anyone can check it",
  "how.burn":
    "Look the transaction up in any explorer of {chain}. The contract's event VoucherRedeemed in it must show this wallet as user, tokenId {tokenId}, amount {amount}, and this order hash and serial.",
  "how.hash":
    "The order hash is the EIP-712 hashStruct of {type} with orderId {orderId}, siteId “{siteId}”, expiresAt {expiresAt}, and customer, tokenId and amount as above; the order reference is keccak256 of the orderId.",

  "watch.done": "Your wallet has taken it. Look for it there under NFTs.",
  "watch.unsupported":
    "This wallet cannot show vouchers. They are safe all the same, and you see them here.",
  "watch.notHeld":
    "The wallet did not take it: it shows only what the selected account holds, on the selected network.",
  "watch.failed": "Your wallet says: “{detail}”",

  "cancel.wallet": "Connect the wallet that made this order: {address}.",
  "cancel.network": "Switch the wallet to {chain} first.",
  "cancel.rejected": "You declined in the wallet. The order is kept.",
  "cancel.late": "This order has gone on and cannot be cancelled any more. Nothing was changed.",
  "cancel.refused":
    "The signature was not accepted: only ordinary wallets can cancel. An order that is not confirmed ends by itself, and no voucher is used.",
  "cancel.clock": "The clock of this device seems to be wrong. Set it right and try again.",
  "cancel.failed": "Cancelling did not work ({detail}). Please try again.",

  "wallet.pending": "Your wallet has a request open already. Open the wallet and answer it first.",
  "api.offline": "No answer from our service. Check your connection and try again.",
  "api.limit": "Too many attempts. Try again in {n} seconds.",
} as const;
