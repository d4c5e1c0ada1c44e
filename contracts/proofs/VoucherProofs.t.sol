// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";
import {FiveSOfficeVouchers} from "../src/FiveSOfficeVouchers.sol";
import {SVM, Vm} from "./Cheatcodes.sol";

/// @dev A contract that takes vouchers and accepts, as its signature, anything over one digest.
contract Wallet is ERC1155Holder, IERC1271 {
    bytes32 public accepted;

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return digest == accepted ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @dev Proofs by symbolic execution (halmos; run contracts/proofs.sh halmos). Each starts from a contract whose
/// whole storage, caller, time, chain id and arguments are unknowns: what holds here holds for every
/// state, not only for those that tests reach. Where a proof needs an invariant to begin with
/// (`assumeBooks`), another one shows that every call keeps it.
///
/// `anyCall` is a call of any function with any arguments. Bounds: arrays of 0 to 2 entries, signatures
/// and URIs of 65 bytes. The receivers are accounts without code and a contract that calls nobody
/// back: re-entry is for the tests (test/Reentry.t.sol).
contract VoucherProofs {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    SVM internal constant svm = SVM(address(uint160(uint256(keccak256("svm cheat code")))));

    /// @dev Storage slot of ERC1155URIStorage's mapping of URIs.
    uint256 internal constant URI_SLOT = 4;

    FiveSOfficeVouchers internal vouchers;
    Wallet internal wallet;
    bytes32 internal adminRole;
    bytes32 internal minterRole;
    bytes32 internal pauserRole;
    uint256 internal chainOfDeployment;
    bytes32 internal separatorOfDeployment;

    function setUp() public {
        vouchers = new FiveSOfficeVouchers(address(0xA11CE), 1 days);
        wallet = new Wallet();
        (adminRole, minterRole, pauserRole) =
            (vouchers.ADMIN_ROLE(), vouchers.MINTER_ROLE(), vouchers.PAUSER_ROLE());
        (chainOfDeployment, separatorOfDeployment) = (block.chainid, domainSeparator());
        svm.enableSymbolicStorage(address(vouchers));
        svm.enableSymbolicStorage(address(wallet));
        vm.warp(svm.createUint(64, "now"));
        vm.chainId(svm.createUint(64, "chainId"));
    }

    // --------------------------------------------------------------------------- building blocks

    /// @dev Calls any function but a view as `caller`; tells which one, and whether it succeeded.
    function anyCall(address caller) internal returns (bytes4 selector, bool done) {
        bytes memory data = svm.createCalldata("FiveSOfficeVouchers");
        selector = bytes4(data);
        if (
            selector == FiveSOfficeVouchers.createVoucherType.selector
                || selector == FiveSOfficeVouchers.setTokenURI.selector
        ) {
            // A replaced URI is one that fits its slot: clearing a longer one takes a loop without bound.
            uint256 tokenId;
            assembly {
                tokenId := mload(add(data, 36))
            }
            uint256 stored = uint256(vm.load(address(vouchers), keccak256(abi.encode(tokenId, URI_SLOT))));
            vm.assume(stored & 1 == 0);
        }
        vm.prank(caller);
        (done,) = address(vouchers).call(data);
    }

    function isTransfer(bytes4 selector) internal view returns (bool) {
        return selector == vouchers.safeTransferFrom.selector || selector == vouchers.safeBatchTransferFrom.selector;
    }

    function booksOf(uint256 tokenId) internal view returns (FiveSOfficeVouchers.VoucherType memory) {
        return vouchers.voucherType(tokenId);
    }

    /// @dev The invariant of a type's books; kept by every call: see `check_anyCall_keepsTheBooks`.
    function hold(FiveSOfficeVouchers.VoucherType memory books) internal pure returns (bool) {
        if (!books.exists) return books.maxSupply == 0 && books.minted == 0 && books.redeemed == 0;
        return books.minted <= books.maxSupply;
    }

    /// @dev Assumes the invariant, and that a holder has no more than was minted and not redeemed.
    function assumeBooks(uint256 tokenId, address holder)
        internal
        view
        returns (FiveSOfficeVouchers.VoucherType memory books)
    {
        books = booksOf(tokenId);
        vm.assume(hold(books));
        vm.assume(books.redeemed <= books.minted);
        vm.assume(vouchers.balanceOf(holder, tokenId) <= books.minted - books.redeemed);
    }

    // ------------------------------------------------------------------- supply (properties 1, 2)

    function check_anyCall_keepsTheBooks(address caller, uint256 tokenId) public {
        FiveSOfficeVouchers.VoucherType memory before = booksOf(tokenId);
        vm.assume(hold(before));
        anyCall(caller);
        FiveSOfficeVouchers.VoucherType memory later = booksOf(tokenId);
        assert(hold(later));
        assert(later.minted >= before.minted);
        if (before.exists) assert(later.exists && later.maxSupply == before.maxSupply);
    }

    function check_mint_countsWhatItGives(
        address caller,
        address to,
        uint256 tokenId,
        uint256 amount,
        address other
    ) public {
        vm.assume(other != to);
        FiveSOfficeVouchers.VoucherType memory before = assumeBooks(tokenId, to);
        (uint256 balance, uint256 others) = (vouchers.balanceOf(to, tokenId), vouchers.balanceOf(other, tokenId));
        vm.prank(caller);
        vouchers.mint(to, tokenId, amount);
        FiveSOfficeVouchers.VoucherType memory later = booksOf(tokenId);
        assert(before.enabled && amount > 0);
        assert(amount <= before.maxSupply - before.minted);
        assert(later.minted == before.minted + amount);
        assert(later.redeemed == before.redeemed);
        assert(vouchers.balanceOf(to, tokenId) == balance + amount);
        assert(vouchers.balanceOf(other, tokenId) == others);
    }

    function check_mintBatch_addsUpATypeNamedTwice(address caller, address to, uint256 tokenId, uint256[2] memory amounts)
        public
    {
        FiveSOfficeVouchers.VoucherType memory before = assumeBooks(tokenId, to);
        uint256 balance = vouchers.balanceOf(to, tokenId);
        (uint256[] memory tokenIds, uint256[] memory values) = (new uint256[](2), new uint256[](2));
        (tokenIds[0], tokenIds[1]) = (tokenId, tokenId);
        (values[0], values[1]) = (amounts[0], amounts[1]);
        vm.prank(caller);
        vouchers.mintBatch(to, tokenIds, values);
        uint256 room = before.maxSupply - before.minted;
        assert(values[0] <= room && values[1] <= room - values[0]);
        assert(booksOf(tokenId).minted == before.minted + values[0] + values[1]);
        assert(vouchers.balanceOf(to, tokenId) == balance + values[0] + values[1]);
    }

    // ----------------------------------------------------------------------- airdrop (property 9)

    function check_airdrop_mintsOnce(
        address caller,
        uint256 tokenId,
        address[2] memory to,
        uint256[2] memory amounts,
        bytes32 batchId,
        bytes32 salt
    ) public {
        FiveSOfficeVouchers.VoucherType memory before = assumeBooks(tokenId, to[0]);
        (address[] memory recipients, uint256[] memory values) = (new address[](2), new uint256[](2));
        (recipients[0], recipients[1], values[0], values[1]) = (to[0], to[1], amounts[0], amounts[1]);
        bool mintedBefore = vouchers.isBatchMinted(batchId);
        vm.prank(caller);
        vouchers.airdrop(batchId, tokenId, recipients, values, salt);
        assert(!mintedBefore);
        assert(vouchers.isBatchMinted(batchId));
        assert(batchId == keccak256(abi.encode(tokenId, recipients, values, salt)));
        uint256 room = before.maxSupply - before.minted;
        assert(values[0] <= room && values[1] <= room - values[0]);
        assert(booksOf(tokenId).minted == before.minted + values[0] + values[1]);

        vm.prank(caller);
        try vouchers.airdrop(batchId, tokenId, recipients, values, salt) {
            assert(false);
        } catch {}
    }

    function check_anyCall_forgetsNoBatch(address caller, bytes32 batchId) public {
        bool before = vouchers.isBatchMinted(batchId);
        (bytes4 selector,) = anyCall(caller);
        if (before) assert(vouchers.isBatchMinted(batchId));
        if (selector != vouchers.airdrop.selector) assert(vouchers.isBatchMinted(batchId) == before);
    }

    // ------------------------------------------------------------ redemption (properties 2 to 6, 10)

    struct Redemption {
        address user;
        uint256 tokenId;
        uint256 amount;
        bytes32 orderHash;
    }

    struct World {
        FiveSOfficeVouchers.VoucherType books;
        uint256 balance;
        uint256 count;
        bool spent;
        address other;
        uint256 otherBalance;
        bytes32 otherHash;
        bool otherSpent;
    }

    /// @dev What is looked at before a redemption: the user's books, and those of anyone else.
    function lookAt(Redemption memory r) internal view returns (World memory w) {
        w.books = assumeBooks(r.tokenId, r.user);
        w.balance = vouchers.balanceOf(r.user, r.tokenId);
        w.count = vouchers.redemptionCount();
        w.spent = vouchers.isRedeemed(r.user, r.orderHash);
        (w.other, w.otherHash) = (svm.createAddress("other"), svm.createBytes32("otherHash"));
        vm.assume(w.other != r.user);
        w.otherBalance = vouchers.balanceOf(w.other, r.tokenId);
        w.otherSpent = vouchers.isRedeemed(w.other, w.otherHash);
    }

    /// @dev The redemption that has just succeeded burned what it should, once, and nothing else.
    function assertBurned(Redemption memory r, World memory w) internal view {
        FiveSOfficeVouchers.VoucherType memory later = booksOf(r.tokenId);
        assert(r.orderHash != 0 && r.amount > 0 && w.books.exists && w.books.enabled && !w.spent);
        assert(r.amount <= w.balance);
        assert(vouchers.balanceOf(r.user, r.tokenId) == w.balance - r.amount);
        assert(later.redeemed == w.books.redeemed + r.amount);
        assert(later.minted == w.books.minted && later.maxSupply == w.books.maxSupply);
        assert(vouchers.redemptionCount() == w.count + 1);
        assert(vouchers.isRedeemed(r.user, r.orderHash));
        assert(vouchers.balanceOf(w.other, r.tokenId) == w.otherBalance);
        assert(vouchers.isRedeemed(w.other, w.otherHash) == w.otherSpent);
    }

    function check_redeemAndBurn_burnsTheCallersOnly(Redemption memory r) public {
        World memory w = lookAt(r);
        vm.prank(r.user);
        vouchers.redeemAndBurn(r.tokenId, r.amount, r.orderHash);
        assertBurned(r, w);
    }

    function orderHashOf(FiveSOfficeVouchers.Order memory order) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Order(string orderId,address customer,uint256 tokenId,uint256 amount,string siteId,uint64 expiresAt)"
                ),
                order.orderRef,
                order.customer,
                order.tokenId,
                order.amount,
                order.siteRef,
                order.expiresAt
            )
        );
    }

    /// @dev The order that has just been redeemed was the one of the hash, and in time.
    function assertOrder(FiveSOfficeVouchers.Order memory order, bytes32 orderHash) internal view {
        assert(orderHash == orderHashOf(order));
        assert(block.timestamp <= order.expiresAt && order.expiresAt <= block.timestamp + 7 days);
    }

    function check_redeemOrder_burnsTheCallersOwnOrderInTime(
        address caller,
        FiveSOfficeVouchers.Order memory order,
        bytes32 orderHash
    ) public {
        Redemption memory r = Redemption(order.customer, order.tokenId, order.amount, orderHash);
        World memory w = lookAt(r);
        vm.prank(caller);
        vouchers.redeemOrder(order, orderHash);
        assert(caller == order.customer);
        assertOrder(order, orderHash);
        assertBurned(r, w);
    }

    function check_redeemOrderBySig_burnsTheSignersOrderInTime(
        address caller,
        FiveSOfficeVouchers.Order memory order,
        bytes32 orderHash
    ) public {
        Redemption memory r = Redemption(order.customer, order.tokenId, order.amount, orderHash);
        World memory w = lookAt(r);
        bytes memory signature = svm.createBytes(65, "signature");
        vm.prank(caller);
        vouchers.redeemOrderBySig(order, orderHash, signature);
        assertOrder(order, orderHash);
        assertSigned(order.customer, orderHash, signature);
        assertBurned(r, w);
    }

    function domainSeparator() internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("5SOffice Vouchers"),
                keccak256("1"),
                block.chainid,
                address(vouchers)
            )
        );
    }

    /// @dev By the customer's key, or accepted by the customer's contract, under this chain and contract.
    function assertSigned(address customer, bytes32 orderHash, bytes memory signature) internal view {
        // The same hash either way; the prover does not equate the hash of a constant with that of an unknown.
        bytes32 separator = block.chainid == chainOfDeployment ? separatorOfDeployment : domainSeparator();
        bytes32 digest = keccak256(bytes.concat(hex"1901", separator, orderHash));
        (bytes32 r, bytes32 s, uint8 v) = (bytes32(0), bytes32(0), uint8(signature[64]));
        assembly {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
        }
        bool byKey = customer != address(0) && ecrecover(digest, v, r, s) == customer;
        bool byContract = customer == address(wallet) && digest == wallet.accepted();
        assert(byKey || byContract);
    }

    function check_redeem_failsIfRedeemedBefore(
        address caller,
        FiveSOfficeVouchers.Order memory order,
        bytes32 orderHash,
        uint256 door
    ) public {
        vm.assume(vouchers.isRedeemed(order.customer, orderHash));
        bytes memory signature = svm.createBytes(65, "signature");
        if (door == 0) {
            vm.prank(order.customer);
            vouchers.redeemAndBurn(order.tokenId, order.amount, orderHash);
        } else if (door == 1) {
            vm.prank(caller);
            vouchers.redeemOrder(order, orderHash);
        } else if (door == 2) {
            vm.prank(caller);
            vouchers.redeemOrderBySig(order, orderHash, signature);
        } else {
            return;
        }
        assert(false);
    }

    /// @dev Nothing but the user's own state stands in the way, least of all another user of the hash.
    function check_redeemAndBurn_isNotBlockedByAnother(Redemption memory r, Redemption memory foreign) public {
        vm.assume(foreign.user != r.user && foreign.orderHash == r.orderHash);
        FiveSOfficeVouchers.VoucherType memory books = assumeBooks(r.tokenId, r.user);
        vm.assume(!vouchers.paused() && books.exists && books.enabled && r.orderHash != 0 && r.user != address(0));
        vm.assume(r.amount > 0 && r.amount <= vouchers.balanceOf(r.user, r.tokenId));
        vm.assume(!vouchers.isRedeemed(r.user, r.orderHash) && vouchers.redemptionCount() < 1 << 63);
        // The sum of balances is what was minted and not redeemed.
        FiveSOfficeVouchers.VoucherType memory foreignBooks = assumeBooks(foreign.tokenId, foreign.user);
        if (foreign.tokenId == r.tokenId) {
            uint256 others = vouchers.balanceOf(foreign.user, r.tokenId);
            vm.assume(others <= foreignBooks.minted - foreignBooks.redeemed - vouchers.balanceOf(r.user, r.tokenId));
        }
        vm.prank(foreign.user);
        try vouchers.redeemAndBurn(foreign.tokenId, foreign.amount, foreign.orderHash) {} catch {}
        vm.prank(r.user);
        try vouchers.redeemAndBurn(r.tokenId, r.amount, r.orderHash) {}
        catch {
            assert(false);
        }
    }

    function check_anyCall_forgetsNoRedemption(address caller, address user, bytes32 orderHash) public {
        bool before = vouchers.isRedeemed(user, orderHash);
        uint256 count = vouchers.redemptionCount();
        (bytes4 selector,) = anyCall(caller);
        bool later = vouchers.isRedeemed(user, orderHash);
        if (before) assert(later);
        if (later && !before) {
            assert(vouchers.redemptionCount() == count + 1);
            assert(user == caller || selector == vouchers.redeemOrderBySig.selector);
        }
    }

    function check_anyCall_numbersWhatItBurns(address caller, uint256 tokenId) public {
        vm.assume(hold(booksOf(tokenId)));
        (uint256 count, uint256 redeemed) = (vouchers.redemptionCount(), vouchers.redeemed(tokenId));
        (bytes4 selector,) = anyCall(caller);
        uint256 later = vouchers.redemptionCount();
        assert(later == count || later == count + 1);
        if (later == count) assert(vouchers.redeemed(tokenId) == redeemed);
        else assert(isRedemption(selector));
    }

    function isRedemption(bytes4 selector) internal view returns (bool) {
        return selector == vouchers.redeemAndBurn.selector || selector == vouchers.redeemOrder.selector
            || selector == vouchers.redeemOrderBySig.selector;
    }

    /// @dev Signatures are for `check_redeemOrderBySig_burnsTheSignersOrderInTime`.
    function check_anyCall_takesFromNobodyElse(address caller, address holder, uint256 tokenId) public {
        uint256 before = vouchers.balanceOf(holder, tokenId);
        bool approved = vouchers.isApprovedForAll(holder, caller);
        (bytes4 selector,) = anyCall(caller);
        if (vouchers.balanceOf(holder, tokenId) >= before || caller == holder) return;
        assert(selector == vouchers.redeemOrderBySig.selector || (approved && isTransfer(selector)));
    }

    function check_transfer_movesWhatItTakes(
        address caller,
        address from,
        address to,
        uint256 tokenId,
        uint256 amount,
        address other
    ) public {
        vm.assume(from != to && other != from && other != to);
        FiveSOfficeVouchers.VoucherType memory books = assumeBooks(tokenId, from);
        uint256[3] memory before =
            [vouchers.balanceOf(from, tokenId), vouchers.balanceOf(to, tokenId), vouchers.balanceOf(other, tokenId)];
        vm.assume(before[1] <= type(uint64).max);
        vm.prank(caller);
        vouchers.safeTransferFrom(from, to, tokenId, amount, "");
        assert(to != address(0));
        assert(vouchers.balanceOf(from, tokenId) == before[0] - amount);
        assert(vouchers.balanceOf(to, tokenId) == before[1] + amount);
        assert(vouchers.balanceOf(other, tokenId) == before[2]);
        assert(booksOf(tokenId).minted == books.minted && booksOf(tokenId).redeemed == books.redeemed);
    }

    // ------------------------------------------------------------------------- pause (property 7)

    function check_anyCall_movesNothingWhilePaused(
        address caller,
        address holder,
        uint256 tokenId,
        bytes32 orderHash
    ) public {
        vm.assume(vouchers.paused());
        FiveSOfficeVouchers.VoucherType memory before = booksOf(tokenId);
        vm.assume(hold(before));
        uint256 balance = vouchers.balanceOf(holder, tokenId);
        uint256 count = vouchers.redemptionCount();
        bool spent = vouchers.isRedeemed(holder, orderHash);
        anyCall(caller);
        FiveSOfficeVouchers.VoucherType memory later = booksOf(tokenId);
        assert(vouchers.balanceOf(holder, tokenId) == balance);
        assert(later.minted == before.minted && later.redeemed == before.redeemed);
        assert(vouchers.redemptionCount() == count);
        assert(vouchers.isRedeemed(holder, orderHash) == spent);
    }

    // ------------------------------------------------------------------------- roles (property 8)

    function check_anyCall_needsTheRightRole(address caller, uint256 tokenId) public {
        FiveSOfficeVouchers.VoucherType memory before = booksOf(tokenId);
        vm.assume(hold(before));
        bool paused = vouchers.paused();
        bool isAdmin = vouchers.hasRole(adminRole, caller);
        bool isMinter = vouchers.hasRole(minterRole, caller);
        bool isPauser = vouchers.hasRole(pauserRole, caller);
        anyCall(caller);
        FiveSOfficeVouchers.VoucherType memory later = booksOf(tokenId);
        if (later.minted != before.minted) assert(isMinter);
        if (later.exists != before.exists || later.enabled != before.enabled || later.maxSupply != before.maxSupply) {
            assert(isAdmin);
        }
        if (vouchers.paused() && !paused) assert(isAdmin || isPauser);
        if (!vouchers.paused() && paused) assert(isAdmin);
    }

    /// @dev Minter and pauser are granted and revoked by the admin; a holder may give up its own.
    function check_anyCall_changesRolesAsTheAdmin(address caller, address account, bool minter) public {
        bytes32 role = minter ? minterRole : pauserRole;
        vm.assume(vouchers.getRoleAdmin(role) == adminRole);
        bool before = vouchers.hasRole(role, account);
        bool isAdmin = vouchers.hasRole(adminRole, caller);
        anyCall(caller);
        bool later = vouchers.hasRole(role, account);
        if (later && !before) assert(isAdmin);
        if (before && !later) assert(isAdmin || caller == account);
        assert(vouchers.getRoleAdmin(role) == adminRole);
    }

    /// @dev The role's one holder is `defaultAdmin()`; it changes only by the proposed account's own
    /// acceptance after its time, and is never nobody.
    function check_anyCall_keepsOneAdmin(address caller, address account) public {
        address admin = vouchers.defaultAdmin();
        (address proposed, uint48 schedule) = vouchers.pendingDefaultAdmin();
        vm.assume(admin != address(0));
        vm.assume(proposed != address(0) || schedule == 0);
        address[3] memory looked = [account, caller, proposed];
        for (uint256 i = 0; i < 3; ++i) {
            vm.assume(vouchers.hasRole(adminRole, looked[i]) == (looked[i] == admin));
        }
        vm.assume(vouchers.hasRole(adminRole, admin));
        (bytes4 selector,) = anyCall(caller);
        address later = vouchers.defaultAdmin();
        (address laterProposed, uint48 laterSchedule) = vouchers.pendingDefaultAdmin();
        assert(later != address(0));
        assert(laterProposed != address(0) || laterSchedule == 0);
        assert(vouchers.hasRole(adminRole, account) == (account == later));
        if (later != admin) {
            assert(caller == proposed && later == proposed && schedule != 0 && schedule < block.timestamp);
            assert(selector == vouchers.acceptDefaultAdminTransfer.selector);
        } else if (laterProposed != proposed || laterSchedule != schedule) {
            assert(caller == admin);
        }
    }
}
