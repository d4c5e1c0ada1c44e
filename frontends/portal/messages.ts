import type { Messages } from "../shared/i18n.ts";

const en = {
  title: "Redeem your vouchers",
  language: "Language",
  loading: "One moment…",
  back: "Back",
  retry: "Try again",
  close: "Close",

  "down.title": "We cannot reach our service",
  "down.text":
    "Nothing was lost and nothing was burned. We keep trying; please check your connection.",
  "stale.text": "No connection right now. What you see is from {time}.",

  "connect.title": "Redeem a voucher",
  "connect.text":
    "Connect the wallet that holds your vouchers. You choose what to redeem and confirm it in your wallet.",
  "connect.action": "Connect wallet",
  "connect.connecting": "Confirm in your wallet…",
  "connect.choose": "Choose your wallet",
  "connect.none.title": "No wallet found in this browser",
  "connect.none.text":
    "Install MetaMask or another browser wallet and reload this page. On a phone, open this page in your wallet's own browser.",
  "connect.none.phone": "Open in MetaMask",
  "connect.none.install": "Get MetaMask",
  "connect.rejected": "The wallet did not connect. Nothing happened; you can try again.",
  "connect.how": "How it works",
  "connect.step1": "Connect your wallet",
  "connect.step2": "Choose a voucher",
  "connect.step3": "Show the code at reception",
  "connect.safe": "We never ask for your recovery phrase and cannot move anything in your wallet.",
  disconnect: "Disconnect",
  account: "Wallet",

  "network.title": "Your wallet is on another network",
  "network.text": "Your vouchers live on {chain}. Switch the wallet to it to go on.",
  "network.action": "Switch to {chain}",
  "network.failed":
    "The wallet did not switch. Choose {chain} in the wallet itself, then come back.",

  "vouchers.title": "Your vouchers",
  "vouchers.none.title": "No vouchers in this wallet",
  "vouchers.none.text":
    "This wallet holds no vouchers. If you expected some, check that the right account is selected.",
  "vouchers.failed": "Your balances could not be read from the chain.",
  "vouchers.have": "You have {n}",
  "vouchers.unit": "1 {unit}",
  "vouchers.everywhere": "All sites",
  "vouchers.redeem": "Redeem",
  "vouchers.open": "Your redemptions on this device",

  "redeem.amount": "How many?",
  "redeem.less": "One less",
  "redeem.more": "One more",
  "redeem.of": "1 {unit} each · you have {n}",
  "redeem.site": "Where will you use it?",
  "redeem.aiAccount": "Your AI Suite account",
  "redeem.aiAccount.hint": "The e-mail address of the account to extend",
  "redeem.jobProvider": "Job partner",
  "redeem.jobProvider.hint": "The partner where your posting should appear",
  "redeem.action": "Redeem {n} × {name}",
  "redeem.note":
    "Your wallet asks you to confirm. The voucher is used up then; your code works at this site's reception only.",
  "redeem.noteAnywhere": "Your wallet asks you to confirm. The voucher is used up then.",
  "redeem.required": "Please fill this in.",
  "redeem.siteRequired": "Please choose a site.",
  "redeem.amountRange": "Choose between {min} and {max}.",
  "redeem.working": "Preparing your order…",

  "step.order": "Order made",
  "step.sign": "Wallet confirmation",
  "step.chain": "On the chain",
  "step.final": "Final on the chain",
  "step.deliver": "Handed over at reception",

  "stage.unsigned": "Confirm in your wallet",
  "stage.unsigned.text":
    "Your order is waiting. Confirm the redemption in your wallet within {left}.",
  "stage.unsigned.action": "Confirm in wallet",
  "stage.signing": "Check your wallet",
  "stage.signing.text": "Confirm the redemption in your wallet. Nothing is burned before you do.",
  "stage.submitted": "Sent to the chain",
  "stage.submitted.text": "Waiting for the network to pick it up. This takes a few seconds.",
  "stage.confirming": "Being confirmed",
  "stage.confirming.text": "You can go to reception already; the code turns ready by itself.",
  "stage.ready": "Ready at reception",
  "stage.ready.text": "Show this code at the reception of {site}.",
  "stage.ready.anywhere": "Show this code at reception.",
  "stage.delivered": "Handed over",
  "stage.delivered.text": "Delivered at {time}. Enjoy, and thank you!",
  "stage.expiring": "Time is up: checking the chain",
  "stage.expiring.text": "If you confirmed in time, your voucher counts. We are making sure.",
  "stage.expired": "Order expired",
  "stage.expired.text":
    "It was not confirmed in time. Nothing was burned: your vouchers are still yours.",
  "stage.expired.action": "Make a new order",
  "stage.cancelled": "Order cancelled",
  "stage.cancelled.text": "Nothing was burned.",
  "stage.exception": "Please talk to reception",
  "stage.exception.text":
    "A burn reached us that does not fit this order. It is not lost: reception can see it and put it right.",

  "chain.count": "{n} of {required} confirmations",
  "chain.finality": "{n} of {required}, waiting for finality",
  "chain.explorer": "See the transaction",
  "code.label": "Code, if the QR cannot be scanned",
  "code.alt": "QR code for reception",
  "code.secret": "Treat this code like cash: whoever shows it gets the service.",
  "order.site": "Site",
  "order.anywhere": "Any site",
  "order.expires": "Confirm by",
  "order.made": "Ordered",
  "order.done": "Done",
  "order.another": "Redeem another voucher",
  "order.gone": "This order is not known any more.",

  "problem.rejected": "You declined in the wallet. Nothing was burned and your order is kept.",
  "problem.account": "This order was made for another account. Choose {address} in your wallet.",
  "problem.gas": "You need about {amount} {symbol} more in this wallet for the network fee.",
  "problem.gasUnknown": "There is not enough {symbol} in this wallet for the network fee.",
  "problem.reverted": "The chain refused the transaction. Nothing was burned; you can try again.",
  "problem.wallet": "The wallet could not do it: {detail}",
  "problem.api": "Not accepted: {detail}",
  "problem.offline": "No answer from our service. Your order is safe; try again.",
  "problem.limit": "Too many attempts. Try again in {n} seconds.",

  "revert.UnknownVoucherType": "The contract does not know this voucher.",
  "revert.VoucherTypeDisabled": "This voucher cannot be redeemed at the moment.",
  "revert.ZeroAmount": "At least one voucher has to be redeemed.",
  "revert.AlreadyRedeemed": "This order has been redeemed already. Nothing more was burned.",
  "revert.NotCustomer": "Another account is selected in the wallet than the order was made for.",
  "revert.OrderHashMismatch":
    "The order does not match its fingerprint. Nothing was burned; please make a new one.",
  "revert.OrderExpired": "The order's time is over. Nothing was burned; please make a new one.",
  "revert.ExpiryTooFar":
    "The order's time limit is not acceptable to the contract. Please make a new one.",
  "revert.EnforcedPause":
    "Redemptions are paused at the moment. Nothing was burned; please try again later.",
  "revert.ERC1155InsufficientBalance": "This wallet does not hold enough of this voucher.",
  "revert.other": "The contract would refuse this. Nothing was burned.",

  "status.CREATED": "Not confirmed yet",
  "status.PENDING_CHAIN": "Being confirmed",
  "status.VALID": "Ready",
  "status.DELIVERED": "Handed over",
  "status.EXPIRED": "Expired",
  "status.CANCELLED": "Cancelled",
} as const;

/** Every text of the portal. */
export type PortalKey = keyof typeof en;

const vi: Record<PortalKey, string> = {
  title: "Đổi voucher của bạn",
  language: "Ngôn ngữ",
  loading: "Xin chờ một chút…",
  back: "Quay lại",
  retry: "Thử lại",
  close: "Đóng",

  "down.title": "Chưa kết nối được tới dịch vụ",
  "down.text":
    "Không có gì bị mất và chưa có voucher nào bị đốt. Hệ thống đang thử lại; vui lòng kiểm tra mạng.",
  "stale.text": "Đang mất kết nối. Thông tin hiển thị là lúc {time}.",

  "connect.title": "Đổi voucher",
  "connect.text":
    "Kết nối ví đang giữ voucher. Bạn chọn dịch vụ muốn đổi rồi xác nhận ngay trong ví.",
  "connect.action": "Kết nối ví",
  "connect.connecting": "Hãy xác nhận trong ví…",
  "connect.choose": "Chọn ví của bạn",
  "connect.none.title": "Trình duyệt này chưa có ví",
  "connect.none.text":
    "Hãy cài MetaMask hoặc một ví khác rồi tải lại trang. Trên điện thoại, hãy mở trang này bằng trình duyệt trong ví.",
  "connect.none.phone": "Mở bằng MetaMask",
  "connect.none.install": "Tải MetaMask",
  "connect.rejected": "Ví chưa kết nối. Chưa có gì xảy ra; bạn có thể thử lại.",
  "connect.how": "Cách thực hiện",
  "connect.step1": "Kết nối ví",
  "connect.step2": "Chọn voucher",
  "connect.step3": "Đưa mã cho lễ tân",
  "connect.safe":
    "Chúng tôi không bao giờ hỏi cụm từ khôi phục và không thể di chuyển tài sản trong ví của bạn.",
  disconnect: "Ngắt kết nối",
  account: "Ví",

  "network.title": "Ví đang ở mạng khác",
  "network.text": "Voucher của bạn nằm trên {chain}. Hãy chuyển ví sang mạng này để tiếp tục.",
  "network.action": "Chuyển sang {chain}",
  "network.failed": "Ví chưa chuyển mạng. Hãy tự chọn {chain} trong ví rồi quay lại.",

  "vouchers.title": "Voucher của bạn",
  "vouchers.none.title": "Ví này chưa có voucher",
  "vouchers.none.text":
    "Ví này không giữ voucher nào. Hãy kiểm tra xem bạn đã chọn đúng tài khoản chưa.",
  "vouchers.failed": "Chưa đọc được số dư từ chuỗi.",
  "vouchers.have": "Bạn có {n}",
  "vouchers.unit": "1 {unit}",
  "vouchers.everywhere": "Mọi cơ sở",
  "vouchers.redeem": "Đổi",
  "vouchers.open": "Các lần đổi trên thiết bị này",

  "redeem.amount": "Số lượng?",
  "redeem.less": "Bớt một",
  "redeem.more": "Thêm một",
  "redeem.of": "Mỗi voucher: 1 {unit} · bạn có {n}",
  "redeem.site": "Bạn sẽ dùng ở đâu?",
  "redeem.aiAccount": "Tài khoản AI Suite của bạn",
  "redeem.aiAccount.hint": "Địa chỉ e-mail của tài khoản cần gia hạn",
  "redeem.jobProvider": "Đối tác tuyển dụng",
  "redeem.jobProvider.hint": "Đối tác sẽ đăng tin của bạn",
  "redeem.action": "Đổi {n} × {name}",
  "redeem.note":
    "Ví sẽ yêu cầu bạn xác nhận. Khi đó voucher được dùng; mã chỉ có hiệu lực tại lễ tân của cơ sở đã chọn.",
  "redeem.noteAnywhere": "Ví sẽ yêu cầu bạn xác nhận. Khi đó voucher được dùng.",
  "redeem.required": "Vui lòng điền mục này.",
  "redeem.siteRequired": "Vui lòng chọn cơ sở.",
  "redeem.amountRange": "Chọn từ {min} đến {max}.",
  "redeem.working": "Đang tạo đơn…",

  "step.order": "Tạo đơn",
  "step.sign": "Xác nhận trong ví",
  "step.chain": "Lên chuỗi",
  "step.final": "Hoàn tất trên chuỗi",
  "step.deliver": "Nhận tại lễ tân",

  "stage.unsigned": "Hãy xác nhận trong ví",
  "stage.unsigned.text": "Đơn đang chờ. Vui lòng xác nhận trong ví trong vòng {left}.",
  "stage.unsigned.action": "Xác nhận trong ví",
  "stage.signing": "Hãy xem ví của bạn",
  "stage.signing.text": "Xác nhận đổi voucher trong ví. Trước đó chưa có gì bị đốt.",
  "stage.submitted": "Đã gửi lên chuỗi",
  "stage.submitted.text": "Đang chờ mạng tiếp nhận, chỉ mất vài giây.",
  "stage.confirming": "Đang được xác nhận",
  "stage.confirming.text": "Bạn có thể đến lễ tân ngay; mã sẽ tự chuyển sang sẵn sàng.",
  "stage.ready": "Sẵn sàng tại lễ tân",
  "stage.ready.text": "Đưa mã này cho lễ tân tại {site}.",
  "stage.ready.anywhere": "Đưa mã này cho lễ tân.",
  "stage.delivered": "Đã giao dịch vụ",
  "stage.delivered.text": "Đã giao lúc {time}. Cảm ơn bạn!",
  "stage.expiring": "Hết giờ: đang kiểm tra chuỗi",
  "stage.expiring.text":
    "Nếu bạn đã xác nhận kịp giờ, voucher vẫn được tính. Chúng tôi đang kiểm tra.",
  "stage.expired": "Đơn đã hết hạn",
  "stage.expired.text":
    "Đơn không được xác nhận kịp giờ. Chưa có gì bị đốt: voucher vẫn là của bạn.",
  "stage.expired.action": "Tạo đơn mới",
  "stage.cancelled": "Đơn đã huỷ",
  "stage.cancelled.text": "Chưa có gì bị đốt.",
  "stage.exception": "Vui lòng liên hệ lễ tân",
  "stage.exception.text":
    "Có một lần đốt voucher không khớp với đơn này. Voucher không bị mất: lễ tân thấy được và sẽ xử lý.",

  "chain.count": "{n} trên {required} xác nhận",
  "chain.finality": "{n} trên {required}, đang chờ hoàn tất",
  "chain.explorer": "Xem giao dịch",
  "code.label": "Mã dùng khi không quét được QR",
  "code.alt": "Mã QR cho lễ tân",
  "code.secret": "Hãy giữ mã như tiền mặt: ai đưa mã sẽ nhận dịch vụ.",
  "order.site": "Cơ sở",
  "order.anywhere": "Mọi cơ sở",
  "order.expires": "Xác nhận trước",
  "order.made": "Tạo lúc",
  "order.done": "Xong",
  "order.another": "Đổi voucher khác",
  "order.gone": "Đơn này không còn nữa.",

  "problem.rejected": "Bạn đã từ chối trong ví. Chưa có gì bị đốt và đơn vẫn được giữ.",
  "problem.account": "Đơn này thuộc tài khoản khác. Hãy chọn {address} trong ví.",
  "problem.gas": "Ví cần thêm khoảng {amount} {symbol} để trả phí mạng.",
  "problem.gasUnknown": "Ví không đủ {symbol} để trả phí mạng.",
  "problem.reverted": "Chuỗi đã từ chối giao dịch. Chưa có gì bị đốt; bạn có thể thử lại.",
  "problem.wallet": "Ví không thực hiện được: {detail}",
  "problem.api": "Không được chấp nhận: {detail}",
  "problem.offline": "Dịch vụ chưa trả lời. Đơn của bạn vẫn an toàn; hãy thử lại.",
  "problem.limit": "Thử quá nhiều lần. Vui lòng đợi {n} giây.",

  "revert.UnknownVoucherType": "Hợp đồng không biết loại voucher này.",
  "revert.VoucherTypeDisabled": "Voucher này tạm thời không đổi được.",
  "revert.ZeroAmount": "Phải đổi ít nhất một voucher.",
  "revert.AlreadyRedeemed": "Đơn này đã được đổi. Không có gì bị đốt thêm.",
  "revert.NotCustomer": "Tài khoản đang chọn trong ví khác với tài khoản của đơn.",
  "revert.OrderHashMismatch":
    "Đơn không khớp với dấu vân tay của nó. Chưa có gì bị đốt; hãy tạo đơn mới.",
  "revert.OrderExpired": "Đơn đã quá giờ. Chưa có gì bị đốt; hãy tạo đơn mới.",
  "revert.ExpiryTooFar": "Thời hạn của đơn không được hợp đồng chấp nhận. Hãy tạo đơn mới.",
  "revert.EnforcedPause":
    "Việc đổi voucher đang tạm dừng. Chưa có gì bị đốt; vui lòng thử lại sau.",
  "revert.ERC1155InsufficientBalance": "Ví này không đủ voucher loại này.",
  "revert.other": "Hợp đồng sẽ từ chối giao dịch này. Chưa có gì bị đốt.",

  "status.CREATED": "Chưa xác nhận",
  "status.PENDING_CHAIN": "Đang xác nhận",
  "status.VALID": "Sẵn sàng",
  "status.DELIVERED": "Đã giao",
  "status.EXPIRED": "Hết hạn",
  "status.CANCELLED": "Đã huỷ",
};

export const messages: Messages<PortalKey> = { vi, en };

/** Whether there is a text of this name. */
export function isPortalKey(name: string): name is PortalKey {
  return Object.hasOwn(en, name);
}
