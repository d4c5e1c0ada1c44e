// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessControlDefaultAdminRules} from
    "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {ERC1155URIStorage} from "@openzeppelin/contracts/token/ERC1155/extensions/ERC1155URIStorage.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

/// @title 5SOffice vouchers
/// @notice Promotional vouchers: one token is one unit of a service. A customer redeems vouchers by
/// burning them for one order; the service is handed over once the burn is final.
/// @dev ERC-1155, not upgradeable. What holds at all times:
/// - per type, minted <= maxSupply, and the sum of balances is minted - redeemed: a burn frees no supply;
/// - an (account, orderHash) pair is redeemed at most once, whichever function is called;
/// - every burn emits exactly one {VoucherRedeemed}; its serials are 1, 2, 3 ... without gap;
/// - vouchers are burned only by their holder's transaction or EIP-712 signature.
/// The admin is the single holder of `DEFAULT_ADMIN_ROLE` and moves in two steps, after a delay.
contract FiveSOfficeVouchers is ERC1155URIStorage, AccessControlDefaultAdminRules, EIP712, Pausable {
    /// @notice An order as calls carry it. The order id and the site id travel as hashes: the id is a
    /// bearer secret, and calldata is public.
    /// @param orderRef keccak256 of the order id's UTF-8 bytes
    /// @param customer account whose vouchers are burned
    /// @param tokenId voucher type
    /// @param amount vouchers to burn
    /// @param siteRef keccak256 of the site id's UTF-8 bytes; of the empty string where no site is enforced
    /// @param expiresAt unix time in seconds; the last second in which the order can be redeemed
    struct Order {
        bytes32 orderRef;
        address customer;
        uint256 tokenId;
        uint256 amount;
        bytes32 siteRef;
        uint64 expiresAt;
    }

    /// @notice The books of one voucher type; one storage slot.
    /// @param maxSupply most that can ever be minted
    /// @param minted total ever minted
    /// @param redeemed total ever redeemed, that is burned
    /// @param exists whether the type has been created
    /// @param enabled whether it can be minted and redeemed
    struct VoucherType {
        uint64 maxSupply;
        uint64 minted;
        uint64 redeemed;
        bool exists;
        bool enabled;
    }

    /// @notice A voucher type was created, enabled.
    event VoucherTypeCreated(uint256 indexed tokenId, uint256 maxSupply, string uri);

    /// @notice Minting and redeeming a voucher type was switched on or off.
    event VoucherTypeEnabledSet(uint256 indexed tokenId, bool enabled);

    /// @notice The metadata URI of a voucher type was replaced.
    event TokenURIUpdated(uint256 indexed tokenId, string uri);

    /// @notice `amount` vouchers were minted to `to`.
    event VoucherMinted(address indexed to, uint256 indexed tokenId, uint256 amount);

    /// @notice An airdrop batch was minted, completely.
    event BatchMinted(bytes32 indexed batchId, uint256 indexed tokenId, uint256 recipients);

    /// @notice `user` burned `amount` vouchers for the order with `orderHash`.
    /// @param serial number of this redemption over the whole contract: 1, 2, 3 ... without gap
    event VoucherRedeemed(
        address indexed user, uint256 indexed tokenId, uint256 amount, bytes32 indexed orderHash, uint256 serial
    );

    /// @notice The voucher type was created before.
    error VoucherTypeExists(uint256 tokenId);

    /// @notice The voucher type was never created.
    error UnknownVoucherType(uint256 tokenId);

    /// @notice The voucher type is disabled: neither minted nor redeemed.
    error VoucherTypeDisabled(uint256 tokenId);

    /// @notice A voucher type needs a max supply of at least 1.
    error ZeroMaxSupply();

    /// @notice `amount` is more than the `available` rest of the type's max supply.
    error MaxSupplyExceeded(uint256 tokenId, uint256 amount, uint256 available);

    /// @notice The amount is 0.
    error ZeroAmount();

    /// @notice The order hash is 0.
    error ZeroOrderHash();

    /// @notice The account has redeemed this order hash before.
    error AlreadyRedeemed(address user, bytes32 orderHash);

    /// @notice The caller is not the order's customer.
    error NotCustomer(address caller, address customer);

    /// @notice The order's fields hash to `expected`, not to the `given` hash.
    error OrderHashMismatch(bytes32 expected, bytes32 given);

    /// @notice The order's last second, `expiresAt`, has passed.
    error OrderExpired(uint64 expiresAt);

    /// @notice `expiresAt` is after `latest`, the last one accepted now. Milliseconds instead of seconds?
    error ExpiryTooFar(uint64 expiresAt, uint256 latest);

    /// @notice The signature over the order is not the customer's.
    error InvalidSignature(address customer);

    /// @notice The batch's contents hash to `expected`, not to the `given` batch id.
    error BatchIdMismatch(bytes32 expected, bytes32 given);

    /// @notice The batch was minted before.
    error BatchAlreadyMinted(bytes32 batchId);

    /// @notice Creates, enables and disables voucher types, sets URIs, pauses, resumes, grants roles.
    bytes32 public constant ADMIN_ROLE = DEFAULT_ADMIN_ROLE;

    /// @notice Mints vouchers.
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");

    /// @notice Pauses the contract, and cannot resume it.
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");

    /// @notice EIP-712 type hash of the order that the customer knows, strings included.
    bytes32 public constant ORDER_TYPEHASH = keccak256(
        "Order(string orderId,address customer,uint256 tokenId,uint256 amount,string siteId,uint64 expiresAt)"
    );

    /// @notice An order that expires later than this many seconds from now is refused.
    uint256 public constant MAX_ORDER_LIFETIME = 7 days;

    /// @dev Shares a storage slot with Pausable's flag, which every redemption reads anyway.
    uint64 private _redemptionCount;

    mapping(uint256 tokenId => VoucherType) private _voucherTypes;

    mapping(address user => mapping(bytes32 orderHash => bool)) private _redeemed;

    mapping(bytes32 batchId => bool) private _batchMinted;

    /// @param admin first holder of the admin role
    /// @param adminDelay seconds between proposing a new admin and its acceptance
    constructor(address admin, uint48 adminDelay)
        ERC1155("")
        EIP712("5SOffice Vouchers", "1")
        AccessControlDefaultAdminRules(adminDelay, admin)
    {}

    // ------------------------------------------------------------------------------------- admin

    /// @notice Creates a voucher type, enabled. Its max supply is final.
    /// @dev Admin only. Emits {VoucherTypeCreated} and ERC-1155's `URI`. Reverts with
    /// {VoucherTypeExists} or {ZeroMaxSupply}.
    /// @param tokenId id of the new type
    /// @param maxSupply_ most vouchers that can ever be minted, at least 1
    /// @param tokenURI address of the type's metadata
    function createVoucherType(uint256 tokenId, uint64 maxSupply_, string calldata tokenURI)
        external
        onlyRole(ADMIN_ROLE)
    {
        if (_voucherTypes[tokenId].exists) revert VoucherTypeExists(tokenId);
        if (maxSupply_ == 0) revert ZeroMaxSupply();
        _voucherTypes[tokenId] =
            VoucherType({maxSupply: maxSupply_, minted: 0, redeemed: 0, exists: true, enabled: true});
        emit VoucherTypeCreated(tokenId, maxSupply_, tokenURI);
        _setURI(tokenId, tokenURI);
    }

    /// @notice Switches minting and redeeming of a voucher type on or off. Transfers stay possible.
    /// @dev Admin only. Emits {VoucherTypeEnabledSet}. Reverts with {UnknownVoucherType}.
    function setVoucherTypeEnabled(uint256 tokenId, bool enabled) external onlyRole(ADMIN_ROLE) {
        _existingType(tokenId).enabled = enabled;
        emit VoucherTypeEnabledSet(tokenId, enabled);
    }

    /// @notice Replaces the metadata URI of a voucher type.
    /// @dev Admin only. Emits {TokenURIUpdated} and ERC-1155's `URI`. Reverts with {UnknownVoucherType}.
    function setTokenURI(uint256 tokenId, string calldata tokenURI) external onlyRole(ADMIN_ROLE) {
        _existingType(tokenId);
        emit TokenURIUpdated(tokenId, tokenURI);
        _setURI(tokenId, tokenURI);
    }

    /// @notice Stops minting, transfers and redemptions. Roles, types and URIs can still be changed.
    /// @dev Pauser or admin. Emits `Paused`. Reverts with `EnforcedPause` if already paused.
    function pause() external {
        if (!hasRole(ADMIN_ROLE, msg.sender)) _checkRole(PAUSER_ROLE);
        _pause();
    }

    /// @notice Resumes what {pause} stopped.
    /// @dev Admin only. Emits `Unpaused`. Reverts with `ExpectedPause` if not paused.
    function unpause() external onlyRole(ADMIN_ROLE) {
        _unpause();
    }

    // -------------------------------------------------------------------------------------- mint

    /// @notice Mints `amount` vouchers of one type to `to`.
    /// @dev Minter only, not while paused. Emits {VoucherMinted} and `TransferSingle`. Reverts with
    /// {UnknownVoucherType}, {VoucherTypeDisabled}, {ZeroAmount}, {MaxSupplyExceeded}, or
    /// `ERC1155InvalidReceiver` if `to` is zero or a contract that does not accept ERC-1155.
    function mint(address to, uint256 tokenId, uint256 amount) external onlyRole(MINTER_ROLE) {
        _recordMint(to, tokenId, amount);
        _mint(to, tokenId, amount, "");
    }

    /// @notice Mints several voucher types to `to`, all or none. A type may occur more than once.
    /// @dev Minter only, not while paused. Emits {VoucherMinted} for each entry and `TransferBatch`
    /// (`TransferSingle` for one entry). Reverts as {mint} does, and with
    /// `ERC1155InvalidArrayLength` if the arrays differ in length.
    function mintBatch(address to, uint256[] calldata tokenIds, uint256[] calldata amounts)
        external
        onlyRole(MINTER_ROLE)
    {
        if (tokenIds.length != amounts.length) revert ERC1155InvalidArrayLength(tokenIds.length, amounts.length);
        for (uint256 i = 0; i < tokenIds.length; ++i) {
            _recordMint(to, tokenIds[i], amounts[i]);
        }
        _mintBatch(to, tokenIds, amounts, "");
    }

    /// @notice Mints one voucher type to many recipients, all or none, and exactly once: the batch id
    /// is the hash of the batch's contents, and a minted batch is refused.
    /// @dev Minter only, not while paused. Emits {BatchMinted}, and {VoucherMinted} and
    /// `TransferSingle` for each recipient. Reverts as {mint} does, and with {BatchIdMismatch},
    /// {BatchAlreadyMinted}, or `ERC1155InvalidArrayLength` if the arrays differ in length.
    /// @param batchId what {batchIdOf} gives for the other arguments
    /// @param salt tells apart batches that are otherwise equal
    function airdrop(
        bytes32 batchId,
        uint256 tokenId,
        address[] calldata recipients,
        uint256[] calldata amounts,
        bytes32 salt
    ) external onlyRole(MINTER_ROLE) {
        if (recipients.length != amounts.length) {
            revert ERC1155InvalidArrayLength(recipients.length, amounts.length);
        }
        bytes32 expected = batchIdOf(tokenId, recipients, amounts, salt);
        if (batchId != expected) revert BatchIdMismatch(expected, batchId);
        if (_batchMinted[batchId]) revert BatchAlreadyMinted(batchId);
        _batchMinted[batchId] = true;
        emit BatchMinted(batchId, tokenId, recipients.length);
        for (uint256 i = 0; i < recipients.length; ++i) {
            _recordMint(recipients[i], tokenId, amounts[i]);
            _mint(recipients[i], tokenId, amounts[i], "");
        }
    }

    // ------------------------------------------------------------------------------------ redeem

    /// @notice Burns the caller's vouchers for an order, if and only if the order is the one that
    /// `orderHash` stands for, the caller's own, and not expired.
    /// @dev Not while paused. Emits {VoucherRedeemed} and `TransferSingle`. Reverts with
    /// {NotCustomer}, {OrderHashMismatch}, {OrderExpired}, {ExpiryTooFar}, or as {redeemAndBurn} does.
    function redeemOrder(Order calldata order, bytes32 orderHash) external {
        if (msg.sender != order.customer) revert NotCustomer(msg.sender, order.customer);
        _checkOrder(order, orderHash);
        _redeem(order.customer, order.tokenId, order.amount, orderHash);
    }

    /// @notice Does what {redeemOrder} does for a customer who signed the order, whoever submits it.
    /// @dev The signature is over the EIP-712 `Order` under this contract's domain: by the customer's
    /// key (plain and EIP-7702 accounts), or accepted by the customer's contract (ERC-1271). Not while
    /// paused. Emits {VoucherRedeemed} and `TransferSingle`. Reverts with {InvalidSignature}, or as
    /// {redeemOrder} does.
    function redeemOrderBySig(Order calldata order, bytes32 orderHash, bytes calldata signature) external {
        _checkOrder(order, orderHash);
        if (!_isSignedBy(order.customer, _hashTypedDataV4(orderHash), signature)) {
            revert InvalidSignature(order.customer);
        }
        _redeem(order.customer, order.tokenId, order.amount, orderHash);
    }

    /// @notice Burns the caller's vouchers for `orderHash`, which is taken as given: {redeemOrder}
    /// checks what this cannot.
    /// @dev Not while paused. Emits {VoucherRedeemed} and `TransferSingle`. Reverts with
    /// {ZeroOrderHash}, {ZeroAmount}, {UnknownVoucherType}, {VoucherTypeDisabled}, {AlreadyRedeemed}, or
    /// `ERC1155InsufficientBalance`.
    function redeemAndBurn(uint256 tokenId, uint256 amount, bytes32 orderHash) external {
        _redeem(msg.sender, tokenId, amount, orderHash);
    }

    // ------------------------------------------------------------------------------------- views

    /// @notice Number of redemptions so far, which is the serial of the last one.
    function redemptionCount() external view returns (uint256) {
        return _redemptionCount;
    }

    /// @notice The books of a voucher type at one block; all zero if it was never created.
    function voucherType(uint256 tokenId) external view returns (VoucherType memory) {
        return _voucherTypes[tokenId];
    }

    /// @notice Most vouchers of the type that can ever be minted; 0 if it was never created.
    function maxSupply(uint256 tokenId) external view returns (uint256) {
        return _voucherTypes[tokenId].maxSupply;
    }

    /// @notice Total of the type ever minted.
    function minted(uint256 tokenId) external view returns (uint256) {
        return _voucherTypes[tokenId].minted;
    }

    /// @notice Total of the type ever redeemed.
    function redeemed(uint256 tokenId) external view returns (uint256) {
        return _voucherTypes[tokenId].redeemed;
    }

    /// @notice Whether `user` has redeemed `orderHash`.
    function isRedeemed(address user, bytes32 orderHash) external view returns (bool) {
        return _redeemed[user][orderHash];
    }

    /// @notice Whether the airdrop batch has been minted.
    function isBatchMinted(bytes32 batchId) external view returns (bool) {
        return _batchMinted[batchId];
    }

    /// @notice EIP-712 `hashStruct` of the order.
    function orderHashOf(Order calldata order) public pure returns (bytes32) {
        return keccak256(
            abi.encode(
                ORDER_TYPEHASH,
                order.orderRef,
                order.customer,
                order.tokenId,
                order.amount,
                order.siteRef,
                order.expiresAt
            )
        );
    }

    /// @notice Batch id of an airdrop: keccak256 of the ABI encoding of these arguments.
    function batchIdOf(uint256 tokenId, address[] calldata recipients, uint256[] calldata amounts, bytes32 salt)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(tokenId, recipients, amounts, salt));
    }

    /// @inheritdoc ERC1155
    function supportsInterface(bytes4 interfaceId)
        public
        view
        override(ERC1155, AccessControlDefaultAdminRules)
        returns (bool)
    {
        return super.supportsInterface(interfaceId);
    }

    // ---------------------------------------------------------------------------------- internal

    /// @dev Every mint, transfer and burn passes here.
    function _update(address from, address to, uint256[] memory ids, uint256[] memory values)
        internal
        override
        whenNotPaused
    {
        super._update(from, to, ids, values);
    }

    /// @dev An admin can hand over but not vanish: without one the contract could never be resumed.
    function _beginDefaultAdminTransfer(address newAdmin) internal override {
        if (newAdmin == address(0)) revert AccessControlInvalidDefaultAdmin(address(0));
        super._beginDefaultAdminTransfer(newAdmin);
    }

    /// @dev Enters a mint into the books. Comes before the receiver is called, so that a receiver that
    /// calls back finds the books true.
    function _recordMint(address to, uint256 tokenId, uint256 amount) private {
        VoucherType storage books = _enabledType(tokenId);
        if (amount == 0) revert ZeroAmount();
        uint64 alreadyMinted = books.minted;
        uint64 available = books.maxSupply - alreadyMinted;
        if (amount > available) revert MaxSupplyExceeded(tokenId, amount, available);
        books.minted = alreadyMinted + uint64(amount);
        emit VoucherMinted(to, tokenId, amount);
    }

    /// @dev The only way to burn. Calls no other contract: a burn has no receiver.
    function _redeem(address user, uint256 tokenId, uint256 amount, bytes32 orderHash) private {
        if (orderHash == 0) revert ZeroOrderHash();
        if (amount == 0) revert ZeroAmount();
        VoucherType storage books = _enabledType(tokenId);
        if (_redeemed[user][orderHash]) revert AlreadyRedeemed(user, orderHash);
        _redeemed[user][orderHash] = true;
        _burn(user, tokenId, amount);
        // The burn succeeded, so amount <= minted - redeemed, which fits uint64.
        books.redeemed += uint64(amount);
        uint64 serial = ++_redemptionCount;
        emit VoucherRedeemed(user, tokenId, amount, orderHash, serial);
    }

    function _checkOrder(Order calldata order, bytes32 orderHash) private view {
        bytes32 expected = orderHashOf(order);
        if (orderHash != expected) revert OrderHashMismatch(expected, orderHash);
        if (block.timestamp > order.expiresAt) revert OrderExpired(order.expiresAt);
        uint256 latest = block.timestamp + MAX_ORDER_LIFETIME;
        if (order.expiresAt > latest) revert ExpiryTooFar(order.expiresAt, latest);
    }

    /// @dev The key comes first: an EIP-7702 account has code, which need not know ERC-1271.
    function _isSignedBy(address signer, bytes32 digest, bytes calldata signature) private view returns (bool) {
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && recovered == signer) return true;
        return SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature);
    }

    function _existingType(uint256 tokenId) private view returns (VoucherType storage books) {
        books = _voucherTypes[tokenId];
        if (!books.exists) revert UnknownVoucherType(tokenId);
    }

    function _enabledType(uint256 tokenId) private view returns (VoucherType storage books) {
        books = _existingType(tokenId);
        if (!books.enabled) revert VoucherTypeDisabled(tokenId);
    }
}
