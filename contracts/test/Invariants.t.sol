// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FiveSOfficeVouchers} from "../src/FiveSOfficeVouchers.sol";
import {Reenterer} from "./utils/Receivers.sol";
import {Vm} from "./utils/Vm.sol";
import {VouchersTest} from "./utils/VouchersTest.sol";

/// @dev Does what people do, at random, and keeps books of its own to compare with the contract's.
/// Nothing here reverts by accident (fail_on_revert): what must be refused is asserted to be.
contract Handler {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bytes32 private constant REDEEMED = keccak256("VoucherRedeemed(address,uint256,uint256,bytes32,uint256)");
    bytes32 private constant SINGLE = keccak256("TransferSingle(address,address,address,uint256,uint256)");

    FiveSOfficeVouchers private immutable _vouchers;
    address private immutable _operator = address(0x09E7);
    Reenterer private immutable _reenterer = new Reenterer();

    uint256 public constant TYPES = 3;
    /// @dev The last one is a contract that calls back when it receives vouchers; the others have keys.
    uint256 public constant USERS = 5;
    uint256 private constant HASHES = 64;

    mapping(uint256 tokenId => mapping(address user => uint256)) public balance;
    mapping(uint256 tokenId => uint256) public minted;
    mapping(uint256 tokenId => uint256) public redeemed;
    mapping(uint256 tokenId => bool) public disabled;
    mapping(address user => mapping(bytes32 orderHash => bool)) public spent;
    uint256 public redemptions;
    uint256 public mints;
    uint256 public refusals;
    uint256 public reentries;
    uint256 public operatorMoves;
    bool public paused;
    address public admin;
    mapping(address user => bool) public approved;
    address[] private _users;

    constructor(FiveSOfficeVouchers vouchers, address admin_) {
        _vouchers = vouchers;
        admin = admin_;
        for (uint256 i = 0; i < USERS - 1; ++i) {
            _users.push(vm.addr(keyOf(i)));
        }
        _users.push(address(_reenterer));
        for (uint256 i = 0; i < USERS; ++i) {
            approve(_users[i], true);
        }
    }

    // ------------------------------------------------------------------------------ the world

    /// @dev The fuzzer likes 0, small and huge numbers; the choices below want even odds.
    function mix(uint256 seed) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed)));
    }

    function keyOf(uint256 seed) public pure returns (uint256) {
        return 1 + seed % USERS;
    }

    function userOf(uint256 seed) public view returns (address) {
        return _users[seed % USERS];
    }

    function tokenIdOf(uint256 seed) public pure returns (uint256) {
        return 1 + seed % TYPES;
    }

    /// @dev Mostly small, so that both sufficient and insufficient balances and supplies are common.
    function amountOf(uint256 seed) private pure returns (uint256) {
        return mix(seed) % 16 == 0 ? seed : mix(seed) % 12;
    }

    // -------------------------------------------------------------------------------- minting

    function mint(uint256 userSeed, uint256 typeSeed, uint256 amountSeed) external {
        give(userOf(userSeed), tokenIdOf(typeSeed), amountOf(amountSeed));
    }

    function give(address to, uint256 tokenId, uint256 amount) private {
        bool allowed = !paused && canMint(tokenId, amount, 0);
        vm.recordLogs();
        try _vouchers.mint(to, tokenId, amount) {
            vm.assertTrue(allowed, "mint must be refused");
            bookMint(to, tokenId, amount);
            bookReentry(false);
        } catch {
            refuse(allowed);
        }
    }

    function mintBatch(uint256 userSeed, uint256[3] calldata typeSeeds, uint256[3] calldata amountSeeds) external {
        address to = userOf(userSeed);
        (uint256[] memory tokenIds, uint256[] memory amounts) = (new uint256[](3), new uint256[](3));
        bool allowed = !paused;
        for (uint256 i = 0; i < 3; ++i) {
            (tokenIds[i], amounts[i]) = (tokenIdOf(typeSeeds[i]), mix(amountSeeds[i]) % 12);
            uint256 before;
            for (uint256 j = 0; j < i; ++j) {
                if (tokenIds[j] == tokenIds[i]) before += amounts[j];
            }
            allowed = allowed && canMint(tokenIds[i], amounts[i], before);
        }
        vm.recordLogs();
        try _vouchers.mintBatch(to, tokenIds, amounts) {
            vm.assertTrue(allowed, "mintBatch must be refused");
            for (uint256 i = 0; i < 3; ++i) {
                bookMint(to, tokenIds[i], amounts[i]);
            }
            bookReentry(false);
        } catch {
            refuse(allowed);
        }
    }

    function airdrop(uint256 userSeed, uint256 typeSeed, bytes32 salt) external {
        (address[] memory recipients, uint256[] memory amounts) = (new address[](2), new uint256[](2));
        (recipients[0], recipients[1]) = (userOf(userSeed), userOf(userSeed >> 16));
        (amounts[0], amounts[1]) = (1, 2);
        uint256 tokenId = tokenIdOf(typeSeed);
        bytes32 batchId = keccak256(abi.encode(tokenId, recipients, amounts, salt));
        bool allowed = !paused && !_vouchers.isBatchMinted(batchId) && canMint(tokenId, 1, 0)
            && canMint(tokenId, 2, 1);
        vm.recordLogs();
        try _vouchers.airdrop(batchId, tokenId, recipients, amounts, salt) {
            vm.assertTrue(allowed, "airdrop must be refused");
            bookMint(recipients[0], tokenId, 1);
            bookMint(recipients[1], tokenId, 2);
            bookReentry(false);
        } catch {
            refuse(allowed);
        }
        if (allowed) {
            try _vouchers.airdrop(batchId, tokenId, recipients, amounts, salt) {
                vm.assertTrue(false, "a batch must mint once");
            } catch {}
        }
    }

    // ------------------------------------------------------------------ transfers and redemptions

    function transfer(uint256 fromSeed, uint256 toSeed, uint256 typeSeed, uint256 amountSeed) external {
        (address from, address to) = (userOf(fromSeed), userOf(toSeed));
        (uint256 tokenId, uint256 amount) = (tokenIdOf(typeSeed), amountOf(amountSeed));
        move(from, from, to, tokenId, amount);
    }

    function move(address by, address from, address to, uint256 tokenId, uint256 amount) private returns (bool moved) {
        bool allowed = !paused && amount <= balance[tokenId][from] && (by == from || approved[from]);
        vm.recordLogs();
        vm.prank(by);
        try _vouchers.safeTransferFrom(from, to, tokenId, amount, "") {
            vm.assertTrue(allowed, "transfer must be refused");
            balance[tokenId][from] -= amount;
            balance[tokenId][to] += amount;
            bookReentry(by == address(_reenterer));
            moved = true;
        } catch {
            refuse(allowed);
        }
    }

    // ------------------------------------------------------------------------------- operator

    function approve(uint256 userSeed, uint256 odds) external {
        approve(userOf(userSeed), mix(odds) % 4 != 0);
    }

    function approve(address user, bool wanted) private {
        approved[user] = wanted;
        vm.prank(user);
        _vouchers.setApprovalForAll(_operator, wanted);
    }

    function operatorTransfer(uint256 fromSeed, uint256 toSeed, uint256 typeSeed, uint256 amountSeed) external {
        (address from, address to, uint256 tokenId) = (userOf(fromSeed), userOf(toSeed), tokenIdOf(typeSeed));
        // Seldom more than there is.
        uint256 amount = mix(amountSeed) % (balance[tokenId][from] + 2);
        if (move(_operator, from, to, tokenId, amount)) operatorMoves += 1;
    }

    /// @dev Every way to burn that takes a holder; none may work, approved or not.
    function operatorBurn(uint256 userSeed, uint256 typeSeed, uint256 amountSeed) external {
        address user = userOf(userSeed);
        FiveSOfficeVouchers.Order memory order = FiveSOfficeVouchers.Order({
            orderRef: bytes32(amountSeed),
            customer: user,
            tokenId: tokenIdOf(typeSeed),
            amount: 1 + mix(amountSeed) % 4,
            siteRef: keccak256(""),
            expiresAt: uint64(block.timestamp)
        });
        bytes32 orderHash = _vouchers.orderHashOf(order);
        (uint256[] memory tokenIds, uint256[] memory amounts) = (new uint256[](1), new uint256[](1));
        (tokenIds[0], amounts[0]) = (order.tokenId, order.amount);
        bytes[5] memory calls = [
            abi.encodeCall(_vouchers.redeemAndBurn, (order.tokenId, order.amount, orderHash)),
            abi.encodeCall(_vouchers.redeemOrder, (order, orderHash)),
            abi.encodeCall(_vouchers.redeemOrderBySig, (order, orderHash, sign(0x09E7, orderHash))),
            abi.encodeCall(_vouchers.safeTransferFrom, (user, address(0), order.tokenId, order.amount, "")),
            abi.encodeCall(_vouchers.safeBatchTransferFrom, (user, address(0), tokenIds, amounts, ""))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(_operator);
            (bool done,) = address(_vouchers).call(calls[i]);
            vm.assertTrue(!done, "an operator must not burn");
        }
        refusals += 1;
    }

    /// @dev Mints to the contract among the users, which redeems or passes on some within that call, or,
    /// if the mint is refused, at a later receipt.
    function mintToReceiver(uint256 typeSeed, uint256 amountSeed, uint256 hashSeed, uint256 toSeed) external {
        (uint256 tokenId, uint256 amount) = (tokenIdOf(typeSeed), mix(amountSeed) % 8);
        if (toSeed % 2 == 0) {
            _reenterer.arm(
                abi.encodeCall(_vouchers.redeemAndBurn, (tokenId, amount, bytes32(1 + hashSeed % HASHES)))
            );
        } else {
            address to = _users[toSeed % (USERS - 1)];
            _reenterer.arm(
                abi.encodeCall(_vouchers.safeTransferFrom, (address(_reenterer), to, tokenId, amount, ""))
            );
        }
        give(address(_reenterer), tokenId, 5);
    }

    function redeemAndBurn(uint256 userSeed, uint256 typeSeed, uint256 amountSeed, uint256 hashSeed) external {
        (address user, uint256 tokenId, uint256 amount) = (userOf(userSeed), tokenIdOf(typeSeed), amountOf(amountSeed));
        bytes32 orderHash = mix(hashSeed) % 16 == 0 ? bytes32(0) : bytes32(1 + hashSeed % HASHES);
        bool allowed = canRedeem(user, tokenId, amount, orderHash);
        vm.recordLogs();
        vm.prank(user);
        try _vouchers.redeemAndBurn(tokenId, amount, orderHash) {
            vm.assertTrue(allowed, "redeemAndBurn must be refused");
            bookRedemption(user, tokenId, amount, orderHash);
        } catch {
            refuse(allowed);
        }
    }

    function redeemOrder(uint256 userSeed, uint256 typeSeed, uint256 amountSeed, uint256 idSeed, bool signed)
        external
    {
        address user = userOf(userSeed);
        FiveSOfficeVouchers.Order memory order = FiveSOfficeVouchers.Order({
            orderRef: keccak256(abi.encode(idSeed % HASHES)),
            customer: user,
            tokenId: tokenIdOf(typeSeed),
            amount: amountOf(amountSeed),
            siteRef: keccak256(""),
            expiresAt: uint64(block.timestamp + idSeed % 7 days)
        });
        bytes32 orderHash = _vouchers.orderHashOf(order);
        // A contract that knows no ERC-1271 has no signature.
        bool allowed = canRedeem(user, order.tokenId, order.amount, orderHash)
            && !(signed && user == address(_reenterer));
        bool done;
        if (signed) {
            bytes memory signature = sign(keyOf(userSeed), orderHash);
            vm.recordLogs();
            try _vouchers.redeemOrderBySig(order, orderHash, signature) {
                done = true;
            } catch {}
        } else {
            vm.recordLogs();
            vm.prank(user);
            try _vouchers.redeemOrder(order, orderHash) {
                done = true;
            } catch {}
        }
        if (!done) return refuse(allowed);
        vm.assertTrue(allowed, "redeemOrder must be refused");
        bookRedemption(user, order.tokenId, order.amount, orderHash);
        // The same order again, by the raw path: the pair is spent.
        vm.prank(user);
        try _vouchers.redeemAndBurn(order.tokenId, order.amount, orderHash) {
            vm.assertTrue(false, "an order must be redeemed once");
        } catch {}
    }

    // ---------------------------------------------------------------------------------- admin

    function setEnabled(uint256 typeSeed, uint256 odds) external {
        uint256 tokenId = tokenIdOf(typeSeed);
        disabled[tokenId] = mix(odds) % 8 == 0;
        vm.prank(admin);
        _vouchers.setVoucherTypeEnabled(tokenId, !disabled[tokenId]);
    }

    function setPaused(uint256 odds) external {
        bool wanted = mix(odds) % 8 == 0;
        if (wanted == paused) return;
        paused = wanted;
        vm.prank(admin);
        if (wanted) _vouchers.pause();
        else _vouchers.unpause();
    }

    /// @dev Proposes, waits and accepts; the former admin is then refused what it could do before.
    function moveAdmin(uint256 odds) external {
        if (mix(odds) % 4 != 0) return;
        address former = admin;
        address next = former == address(0xA11CE) ? address(0xA11CE2) : address(0xA11CE);
        vm.prank(former);
        _vouchers.beginDefaultAdminTransfer(next);
        vm.warp(block.timestamp + _vouchers.defaultAdminDelay());
        vm.prank(next);
        try _vouchers.acceptDefaultAdminTransfer() {
            vm.assertTrue(false, "the delay must be waited for");
        } catch {}
        vm.warp(block.timestamp + 1);
        vm.prank(next);
        _vouchers.acceptDefaultAdminTransfer();
        admin = next;
        vm.prank(former);
        try _vouchers.beginDefaultAdminTransfer(former) {
            vm.assertTrue(false, "a former admin must be refused");
        } catch {}
    }

    // ------------------------------------------------------------------------------ the books

    function canMint(uint256 tokenId, uint256 amount, uint256 before) private view returns (bool) {
        uint256 room = _vouchers.maxSupply(tokenId) - minted[tokenId];
        return !disabled[tokenId] && amount > 0 && before <= room && amount <= room - before;
    }

    function canRedeem(address user, uint256 tokenId, uint256 amount, bytes32 orderHash)
        private
        view
        returns (bool)
    {
        return !paused && !disabled[tokenId] && amount > 0 && amount <= balance[tokenId][user] && orderHash != 0
            && !spent[user][orderHash];
    }

    function bookMint(address to, uint256 tokenId, uint256 amount) private {
        balance[tokenId][to] += amount;
        minted[tokenId] += amount;
        mints += 1;
    }

    /// @dev The burn just made, by its user's own call or signature: one event, equal to it.
    function bookRedemption(address user, uint256 tokenId, uint256 amount, bytes32 orderHash) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 before = redemptions;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != REDEEMED) continue;
            bookRedeemed(logs, i);
            (uint256 loggedAmount,) = abi.decode(logs[i].data, (uint256, uint256));
            vm.assertEq(logs[i].topics[1], bytes32(uint256(uint160(user))), "event user");
            vm.assertEq(logs[i].topics[2], bytes32(tokenId), "event token id");
            vm.assertEq(logs[i].topics[3], orderHash, "event order hash");
            vm.assertEq(loggedAmount, amount, "event amount");
        }
        vm.assertEq(redemptions, before + 1, "one event a burn");
    }

    /// @dev What the receiver did in its turn, told from the logs: it redeems and passes on its own only.
    /// @param skipFirst the first transfer is the action itself, which the receiver began
    function bookReentry(bool skipFirst) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bytes32 receiver = bytes32(uint256(uint160(address(_reenterer))));
        uint256 burns;
        uint256 before = redemptions;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == REDEEMED) {
                vm.assertEq(logs[i].topics[1], receiver, "the receiver's own");
                bookRedeemed(logs, i);
            } else if (logs[i].topics[0] == SINGLE && skipFirst) {
                skipFirst = false;
            } else if (logs[i].topics[0] == SINGLE && logs[i].topics[3] == 0) {
                burns += 1;
            } else if (logs[i].topics[0] == SINGLE && logs[i].topics[1] == receiver) {
                vm.assertEq(logs[i].topics[2], receiver, "the receiver's own");
                (uint256 tokenId, uint256 amount) = abi.decode(logs[i].data, (uint256, uint256));
                balance[tokenId][address(_reenterer)] -= amount;
                balance[tokenId][address(uint160(uint256(logs[i].topics[3])))] += amount;
                reentries += 1;
            }
        }
        vm.assertEq(burns, redemptions - before, "one event a burn");
        reentries += burns;
    }

    /// @dev A redemption's event: the next serial, a hash not yet spent, and right before it an equal burn.
    function bookRedeemed(Vm.Log[] memory logs, uint256 index) private {
        (uint256 amount, uint256 serial) = abi.decode(logs[index].data, (uint256, uint256));
        address user = address(uint160(uint256(logs[index].topics[1])));
        uint256 tokenId = uint256(logs[index].topics[2]);
        bytes32 orderHash = logs[index].topics[3];
        vm.assertEq(logs[index - 1].topics[0], SINGLE, "a burn right before");
        vm.assertEq(logs[index - 1].topics[2], logs[index].topics[1], "burned from the user");
        vm.assertEq(logs[index - 1].topics[3], bytes32(0), "burned");
        vm.assertEq(logs[index - 1].data, abi.encode(tokenId, amount), "burned type and amount");
        vm.assertTrue(!spent[user][orderHash], "once");
        spent[user][orderHash] = true;
        balance[tokenId][user] -= amount;
        redeemed[tokenId] += amount;
        redemptions += 1;
        vm.assertEq(serial, redemptions, "serial");
    }

    function refuse(bool allowed) private {
        vm.assertTrue(!allowed, "must not be refused");
        refusals += 1;
    }

    function sign(uint256 privateKey, bytes32 orderHash) private view returns (bytes memory) {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("5SOffice Vouchers"),
                keccak256("1"),
                block.chainid,
                address(_vouchers)
            )
        );
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(privateKey, keccak256(bytes.concat(hex"1901", separator, orderHash)));
        return abi.encodePacked(r, s, v);
    }
}

contract InvariantsTest is VouchersTest {
    Handler internal handler;

    function setUp() public override {
        super.setUp();
        vouchers = new FiveSOfficeVouchers(admin, ADMIN_DELAY);
        handler = new Handler(vouchers, admin);
        vm.startPrank(admin);
        vouchers.grantRole(vouchers.MINTER_ROLE(), address(handler));
        vouchers.createVoucherType(1, 40, "");
        vouchers.createVoucherType(2, 400, "");
        vouchers.createVoucherType(3, type(uint64).max, "");
        vm.stopPrank();
    }

    /// @dev forge calls the handler only.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev One campaign for all of it: each of forge's takes its time.
    function invariant_booksAgree() public view {
        assertBooksAgree();
        assertAdminIsOne();
    }

    /// @dev Per type: minted <= maxSupply, and the sum of balances is minted - redeemed. Overall: the
    /// redemption count is the number of burns. That their serials are 1..n, and that each emits one
    /// event equal to the burn, is asserted by the handler, where the event is.
    function assertBooksAgree() internal view {
        for (uint256 tokenId = 1; tokenId <= handler.TYPES(); ++tokenId) {
            uint256 sum;
            for (uint256 i = 0; i < handler.USERS(); ++i) {
                address user = handler.userOf(i);
                vm.assertEq(vouchers.balanceOf(user, tokenId), handler.balance(tokenId, user), "balance");
                sum += vouchers.balanceOf(user, tokenId);
            }
            vm.assertEq(sum, vouchers.minted(tokenId) - vouchers.redeemed(tokenId), "sum of balances");
            vm.assertEq(vouchers.minted(tokenId), handler.minted(tokenId), "minted");
            vm.assertEq(vouchers.redeemed(tokenId), handler.redeemed(tokenId), "redeemed");
            vm.assertLe(vouchers.minted(tokenId), vouchers.maxSupply(tokenId), "minted <= max supply");
        }
        vm.assertEq(vouchers.redemptionCount(), handler.redemptions(), "redemption count");
    }

    /// @dev Exactly one admin: the one whose acceptance was the last.
    function assertAdminIsOne() internal view {
        bytes32 role = vouchers.ADMIN_ROLE();
        vm.assertEq(vouchers.defaultAdmin(), handler.admin(), "admin");
        address[6] memory others =
            [address(0xA11CE), address(0xA11CE2), address(handler), address(0x09E7), handler.userOf(0), handler.userOf(4)];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.assertEq(vouchers.hasRole(role, others[i]), others[i] == handler.admin(), "admin role");
        }
    }

    /// @dev A run that only met refusals would prove nothing. Only full runs are judged: forge also
    /// ends shortened ones here.
    function afterInvariant() public view {
        if (handler.mints() + handler.redemptions() + handler.refusals() < 80) return;
        vm.assertGt(handler.mints(), 0, "some mints succeeded");
        vm.assertGt(handler.redemptions(), 0, "some redemptions succeeded");
        vm.assertGt(handler.refusals(), 0, "some calls were refused");
        vm.assertGt(handler.operatorMoves(), 0, "the operator moved some");
        vm.assertGt(handler.reentries(), 0, "the receiver called back and succeeded");
    }
}
