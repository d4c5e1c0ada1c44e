// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FiveSOfficeVouchers} from "../src/FiveSOfficeVouchers.sol";
import {Vm} from "./utils/Vm.sol";
import {VouchersTest} from "./utils/VouchersTest.sol";

/// @dev Does what people do, at random, and keeps books of its own to compare with the contract's.
/// Nothing here reverts by accident (fail_on_revert): what must be refused is asserted to be.
contract Handler {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bytes32 private constant REDEEMED = keccak256("VoucherRedeemed(address,uint256,uint256,bytes32,uint256)");

    FiveSOfficeVouchers private immutable _vouchers;
    address private immutable _admin;

    uint256 public constant TYPES = 3;
    uint256 public constant USERS = 4;
    uint256 private constant HASHES = 64;

    mapping(uint256 tokenId => mapping(address user => uint256)) public balance;
    mapping(uint256 tokenId => uint256) public minted;
    mapping(uint256 tokenId => uint256) public redeemed;
    mapping(uint256 tokenId => bool) public disabled;
    mapping(address user => mapping(bytes32 orderHash => bool)) public spent;
    uint256 public redemptions;
    uint256 public mints;
    uint256 public refusals;
    bool public paused;
    address[] private _users;

    constructor(FiveSOfficeVouchers vouchers, address admin) {
        _vouchers = vouchers;
        _admin = admin;
        for (uint256 i = 0; i < USERS; ++i) {
            _users.push(vm.addr(keyOf(i)));
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
        (address to, uint256 tokenId, uint256 amount) = (userOf(userSeed), tokenIdOf(typeSeed), amountOf(amountSeed));
        bool allowed = !paused && canMint(tokenId, amount, 0);
        try _vouchers.mint(to, tokenId, amount) {
            vm.assertTrue(allowed, "mint must be refused");
            bookMint(to, tokenId, amount);
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
        try _vouchers.mintBatch(to, tokenIds, amounts) {
            vm.assertTrue(allowed, "mintBatch must be refused");
            for (uint256 i = 0; i < 3; ++i) {
                bookMint(to, tokenIds[i], amounts[i]);
            }
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
        try _vouchers.airdrop(batchId, tokenId, recipients, amounts, salt) {
            vm.assertTrue(allowed, "airdrop must be refused");
            bookMint(recipients[0], tokenId, 1);
            bookMint(recipients[1], tokenId, 2);
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
        bool allowed = !paused && amount <= balance[tokenId][from];
        vm.prank(from);
        try _vouchers.safeTransferFrom(from, to, tokenId, amount, "") {
            vm.assertTrue(allowed, "transfer must be refused");
            balance[tokenId][from] -= amount;
            balance[tokenId][to] += amount;
        } catch {
            refuse(allowed);
        }
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
        bool allowed = canRedeem(user, order.tokenId, order.amount, orderHash);
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
        vm.prank(_admin);
        _vouchers.setVoucherTypeEnabled(tokenId, !disabled[tokenId]);
    }

    function setPaused(uint256 odds) external {
        bool wanted = mix(odds) % 8 == 0;
        if (wanted == paused) return;
        paused = wanted;
        vm.prank(_admin);
        if (wanted) _vouchers.pause();
        else _vouchers.unpause();
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

    /// @dev One event for the burn, equal to it, with the next serial.
    function bookRedemption(address user, uint256 tokenId, uint256 amount, bytes32 orderHash) private {
        balance[tokenId][user] -= amount;
        redeemed[tokenId] += amount;
        spent[user][orderHash] = true;
        redemptions += 1;
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 found;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != REDEEMED) continue;
            found += 1;
            (uint256 loggedAmount, uint256 serial) = abi.decode(logs[i].data, (uint256, uint256));
            vm.assertEq(logs[i].topics[1], bytes32(uint256(uint160(user))), "event user");
            vm.assertEq(logs[i].topics[2], bytes32(tokenId), "event token id");
            vm.assertEq(logs[i].topics[3], orderHash, "event order hash");
            vm.assertEq(loggedAmount, amount, "event amount");
            vm.assertEq(serial, redemptions, "serial");
        }
        vm.assertEq(found, 1, "one event a burn");
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

    /// @dev Per type: minted <= maxSupply, and the sum of balances is minted - redeemed. Overall: the
    /// redemption count is the number of burns. That their serials are 1..n, and that each emits one
    /// event equal to the burn, is asserted by the handler, where the event is.
    function invariant_booksAgree() public view {
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

    /// @dev A run that only met refusals would prove nothing. Only full runs are judged: forge also
    /// ends shortened ones here.
    function afterInvariant() public view {
        if (handler.mints() + handler.redemptions() + handler.refusals() < 80) return;
        vm.assertGt(handler.mints(), 0, "some mints succeeded");
        vm.assertGt(handler.redemptions(), 0, "some redemptions succeeded");
        vm.assertGt(handler.refusals(), 0, "some calls were refused");
    }
}
