import type { LaterKey } from "./index.ts";

/** Every text of the portal's later pages, in Vietnamese. */
export const texts: Readonly<Record<LaterKey, string>> = {
  "history.title": "Đơn của tôi",
  "history.device": "Đây là những đơn được lưu trên thiết bị này.",
  "history.connect.title": "Bạn đã tạo đơn trên thiết bị khác?",
  "history.connect.text": "Kết nối ví để xem mọi đơn của ví đó.",
  "history.connect.action": "Kết nối ví",
  "history.signIn.title": "Xem mọi đơn của ví này",
  "history.signIn.text":
    "Chỉ mình bạn được xem các đơn của mình. Để chứng minh ví {address} là của bạn, ví sẽ ký một đoạn văn bản ngắn.",
  "history.signIn.free":
    "Ký là miễn phí, không chuyển gì đi và không cho ai quyền dùng ví của bạn.",
  "history.signIn.hour": "Phiên đăng nhập kéo dài một giờ hoặc đến khi bạn đóng trang này.",
  "history.signIn.action": "Đăng nhập bằng ví",
  "history.signIn.again": "Đăng nhập lại",
  "history.waiting.title": "Hãy ký văn bản trong ví",
  "history.waiting.text": "Ví sẽ hiện một văn bản bắt đầu bằng địa chỉ của trang này: {site}",
  "history.waiting.again": "Không thấy gì? Yêu cầu lại",
  "history.loading": "Đang tải các đơn của bạn…",
  "history.empty.title": "Chưa có đơn nào",
  "history.empty.text": "Những gì bạn đổi bằng ví này sẽ hiện ở đây.",
  "history.empty.device": "Thiết bị này chưa lưu đơn nào.",
  "history.empty.action": "Về danh sách voucher",
  "history.failed": "Chưa tải được các đơn. Không có gì bị mất; bạn hãy thử lại.",
  "history.deviceFailed":
    "Chưa tải được thông tin mới nhất. Bạn đang xem thông tin mà thiết bị này biết lần cuối.",
  "history.more": "Xem các đơn trước đó",
  "history.retry": "Thử lại",
  "history.today": "Hôm nay",
  "history.yesterday": "Hôm qua",
  "history.receipt": "Biên nhận",
  "history.otherWallet": "ví {address}",

  "signIn.rejected": "Bạn đã từ chối trong ví. Chưa có gì xảy ra; bạn có thể thử lại.",
  "signIn.contract":
    "Ví này thuộc loại hợp đồng thông minh nên chưa đăng nhập được. Bạn vẫn đổi voucher bình thường; mỗi đơn được lưu trên thiết bị đã tạo đơn.",
  "signIn.refused":
    "Chữ ký không được chấp nhận. Chữ ký phải đến từ đúng tài khoản này, trong vòng năm phút. Bạn hãy thử lại.",
  "signIn.over": "Phiên đăng nhập đã kết thúc. Hãy đăng nhập lại để xem tất cả.",
  "signIn.switched":
    "Ví đã chuyển sang tài khoản khác. Hãy đăng nhập bằng tài khoản đó để xem các đơn của tài khoản.",
  "signIn.failed": "Chưa đăng nhập được ({detail}). Bạn hãy thử lại.",

  "receipt.title": "Biên nhận",
  "receipt.loading": "Đang tải biên nhận…",
  "receipt.gone.title": "Không có đơn này",
  "receipt.gone.text": "Có thể đơn đã quá cũ hoặc được tạo trên trang web khác.",
  "receipt.open.title": "Chưa có biên nhận",
  "receipt.open.text": "Biên nhận có sau khi dịch vụ đã được giao.",
  "receipt.open.action": "Xem đơn",
  "receipt.print": "In hoặc lưu thành PDF",
  "receipt.service": "Dịch vụ",
  "receipt.unit": "Mỗi voucher",
  "receipt.site": "Đổi để dùng tại",
  "receipt.anywhere": "Mọi cơ sở",
  "receipt.ordered": "Tạo đơn lúc",
  "receipt.delivered": "Đã giao lúc",
  "receipt.where": "Giao tại",
  "receipt.code": "Mã đơn",
  "receipt.wallet": "Ví",
  "receipt.proof": "Bằng chứng trên blockchain",
  "receipt.chain": "Mạng",
  "receipt.chainId": "{name} (chuỗi {id})",
  "receipt.contract": "Hợp đồng",
  "receipt.tx": "Giao dịch",
  "receipt.block": "Khối",
  "receipt.blockHash": "Mã băm của khối",
  "receipt.blockTime": "Thời điểm của khối",
  "receipt.serial": "Số thứ tự lần đổi",
  "receipt.orderHash": "Mã băm của đơn",
  "receipt.orderRef": "Mã tham chiếu của đơn",
  "receipt.noChain":
    "Nhân viên đã chấp nhận đơn này như một ngoại lệ. Không có giao dịch nào thuộc về đơn.",
  "receipt.explorer": "Xem giao dịch trên trình khám phá blockchain",

  "check.title": "Những gì đã được kiểm tra",
  "check.hash": "Mã băm của đơn khớp với biên nhận này. Đã kiểm tra trên thiết bị này.",
  "check.hash.differs":
    "Mã băm của đơn không khớp với biên nhận này. Đừng dựa vào biên nhận; bạn hãy đưa cho lễ tân xem.",
  "check.burn":
    "Giao dịch có trên blockchain và đã dùng đúng số voucher này cho đơn này. Đã kiểm tra trên thiết bị này, qua {wallet}.",
  "check.burn.running": "Đang hỏi {wallet} về giao dịch…",
  "check.burn.differs":
    "Những gì {wallet} tìm thấy trên blockchain không khớp với biên nhận này: {fields}. Bạn hãy đưa cho lễ tân xem.",
  "check.burn.unknown":
    "Chưa kiểm tra được: mạng mà {wallet} hỏi không biết giao dịch này. Có thể mạng đó không còn lưu; trình khám phá blockchain thì vẫn có.",
  "check.burn.failed": "Chưa kiểm tra được: {wallet} không trả lời.",
  "check.burn.none":
    "Giao dịch chưa được kiểm tra tại đây. Hãy kết nối một ví trên {chain} để kiểm tra.",
  "check.again": "Kiểm tra lại",
  "check.delivery":
    "Việc dịch vụ đã được giao là ghi nhận của lễ tân; blockchain không thể biết điều đó.",
  "field.success": "giao dịch đã thất bại",
  "field.block": "nằm ở khối khác",
  "field.event": "không có lần đổi nào như vậy",
  "field.wallet": "ví khác",
  "field.voucher": "voucher khác",
  "field.amount": "số lượng khác",
  "field.serial": "số thứ tự khác",

  "how.title": "Cách tự kiểm tra",
  "how.burn":
    "Tìm giao dịch trên bất kỳ trình khám phá nào của {chain}. Sự kiện VoucherRedeemed của hợp đồng trong giao dịch phải có ví trên là user, tokenId {tokenId}, amount {amount}, cùng mã băm của đơn và số thứ tự (serial) như trên.",
  "how.hash":
    "Mã băm của đơn là hashStruct theo EIP-712 của {type} với orderId {orderId}, siteId “{siteId}”, expiresAt {expiresAt}, còn customer, tokenId và amount như trên; mã tham chiếu của đơn là keccak256 của orderId.",

  "watch.done": "Ví đã nhận thông tin. Voucher hiện trong mục NFT của ví.",
  "watch.unsupported":
    "Ví này không hiển thị được voucher. Voucher vẫn an toàn và bạn luôn xem được ở đây.",
  "watch.notHeld":
    "Ví chưa nhận: ví chỉ hiển thị những gì tài khoản đang chọn giữ, trên mạng đang chọn.",
  "watch.failed": "Ví báo lỗi: “{detail}”",

  "cancel.wallet": "Hãy kết nối ví đã tạo đơn này: {address}.",
  "cancel.network": "Trước tiên hãy chuyển ví sang {chain}.",
  "cancel.rejected": "Bạn đã từ chối trong ví. Đơn vẫn được giữ.",
  "cancel.late": "Đơn đã được xử lý tiếp nên không huỷ được nữa. Chưa có gì thay đổi.",
  "cancel.refused":
    "Chữ ký không được chấp nhận: chỉ ví thông thường mới huỷ được đơn. Đơn không được xác nhận sẽ tự hết hạn và voucher không bị trừ.",
  "cancel.clock": "Đồng hồ của thiết bị có vẻ chưa đúng. Hãy chỉnh lại rồi thử lại.",
  "cancel.failed": "Chưa huỷ được đơn ({detail}). Bạn hãy thử lại.",

  "wallet.pending": "Ví đang có một yêu cầu chờ bạn. Hãy mở ví và trả lời yêu cầu đó trước.",
  "api.offline": "Dịch vụ chưa trả lời. Hãy kiểm tra kết nối Internet rồi thử lại.",
  "api.limit": "Thử quá nhiều lần. Bạn hãy đợi {n} giây.",
};
