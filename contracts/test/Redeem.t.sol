// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {FiveSOfficeVouchers} from "../src/FiveSOfficeVouchers.sol";
import {VouchersTest} from "./utils/VouchersTest.sol";

contract RedeemAndBurnTest is VouchersTest {
    function redeem(address user, uint256 tokenId, uint256 amount, bytes32 orderHash) internal {
        vm.prank(user);
        vouchers.redeemAndBurn(tokenId, amount, orderHash);
    }

    function test_redeemAndBurn_burnsAndNumbers() public {
        expectEvent();
        emit IERC1155.TransferSingle(customer, customer, address(0), ROOM, 3);
        expectEvent();
        emit FiveSOfficeVouchers.VoucherRedeemed(customer, ROOM, 3, HASH, 1);
        redeem(customer, ROOM, 3, HASH);
        assertBooks({balance: 7, redeemed: 3, count: 1});
        vm.assertTrue(vouchers.isRedeemed(customer, HASH), "redeemed");
        vm.assertEq(vouchers.minted(ROOM), 10, "minted unchanged");
        vm.assertEq(vouchers.redeemed(PRINT), 0, "the other type is untouched");
    }

    function test_redeemAndBurn_numbersOverAllTypesAndUsers() public {
        vm.startPrank(minter);
        vouchers.mint(stranger, PRINT, 5);
        vm.stopPrank();
        expectEvent();
        emit FiveSOfficeVouchers.VoucherRedeemed(customer, ROOM, 1, "a", 1);
        redeem(customer, ROOM, 1, "a");
        expectEvent();
        emit FiveSOfficeVouchers.VoucherRedeemed(stranger, PRINT, 5, "b", 2);
        redeem(stranger, PRINT, 5, "b");
        expectEvent();
        emit FiveSOfficeVouchers.VoucherRedeemed(customer, ROOM, 1, "c", 3);
        redeem(customer, ROOM, 1, "c");
        vm.assertEq(vouchers.redemptionCount(), 3, "count");
    }

    function test_redeemAndBurn_takesNoSerialWhenItFails() public {
        vm.expectRevert(FiveSOfficeVouchers.ZeroAmount.selector);
        redeem(customer, ROOM, 0, HASH);
        expectEvent();
        emit FiveSOfficeVouchers.VoucherRedeemed(customer, ROOM, 1, HASH, 1);
        redeem(customer, ROOM, 1, HASH);
    }

    function test_redeemAndBurn_failsIfTheHashIsZero() public {
        vm.expectRevert(FiveSOfficeVouchers.ZeroOrderHash.selector);
        redeem(customer, ROOM, 1, 0);
    }

    function test_redeemAndBurn_failsIfTheAmountIsZero() public {
        vm.expectRevert(FiveSOfficeVouchers.ZeroAmount.selector);
        redeem(customer, ROOM, 0, HASH);
        vm.assertTrue(!vouchers.isRedeemed(customer, HASH), "the hash can still be redeemed");
    }

    function test_redeemAndBurn_failsIfTheTypeIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.UnknownVoucherType.selector, UNKNOWN));
        redeem(customer, UNKNOWN, 1, HASH);
    }

    function test_redeemAndBurn_failsIfTheTypeIsDisabled() public {
        setEnabled(ROOM, false);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.VoucherTypeDisabled.selector, ROOM));
        redeem(customer, ROOM, 1, HASH);
        assertBooks({balance: 10, redeemed: 0, count: 0});
    }

    function test_redeemAndBurn_failsIfTheBalanceIsTooSmall() public {
        uint256[3] memory amounts = [uint256(11), (uint256(1) << 64) + 1, type(uint256).max];
        for (uint256 i = 0; i < amounts.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IERC1155Errors.ERC1155InsufficientBalance.selector, customer, 10, amounts[i], ROOM
                )
            );
            redeem(customer, ROOM, amounts[i], HASH);
        }
        assertBooks({balance: 10, redeemed: 0, count: 0});
        vm.assertTrue(!vouchers.isRedeemed(customer, HASH), "the hash can still be redeemed");
    }

    function test_redeemAndBurn_failsIfRedeemedBefore() public {
        redeem(customer, ROOM, 1, HASH);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.AlreadyRedeemed.selector, customer, HASH));
        redeem(customer, ROOM, 1, HASH);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.AlreadyRedeemed.selector, customer, HASH));
        redeem(customer, ROOM, 2, HASH);
        assertBooks({balance: 9, redeemed: 1, count: 1});
    }

    function test_redeemAndBurn_isNotBlockedByAnotherUserOfTheHash() public {
        vm.prank(minter);
        vouchers.mint(stranger, ROOM, 1);
        redeem(stranger, ROOM, 1, HASH);
        vm.assertTrue(!vouchers.isRedeemed(customer, HASH), "not the customer's");
        redeem(customer, ROOM, 1, HASH);
        vm.assertEq(vouchers.redemptionCount(), 2, "both");
    }

    function test_redeemAndBurn_leavesAnApprovedOperatorEmptyHanded() public {
        vm.prank(customer);
        vouchers.setApprovalForAll(stranger, true);
        vm.expectRevert(
            abi.encodeWithSelector(IERC1155Errors.ERC1155InsufficientBalance.selector, stranger, 0, 1, ROOM)
        );
        redeem(stranger, ROOM, 1, HASH);
        assertBooks({balance: 10, redeemed: 0, count: 0});
    }

    function testFuzz_redeemAndBurn_keepsTheBooks(uint256 mintedAmount, uint256 amount, bytes32 orderHash) public {
        vm.assume(orderHash != 0);
        mintedAmount = bound(mintedAmount, 1, PRINT_SUPPLY);
        amount = bound(amount, 1, mintedAmount);
        vm.prank(minter);
        vouchers.mint(customer, PRINT, mintedAmount);
        redeem(customer, PRINT, amount, orderHash);
        vm.assertEq(vouchers.balanceOf(customer, PRINT), mintedAmount - amount, "balance");
        vm.assertEq(vouchers.minted(PRINT), mintedAmount, "minted");
        vm.assertEq(vouchers.redeemed(PRINT), amount, "redeemed");
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.AlreadyRedeemed.selector, customer, orderHash));
        redeem(customer, PRINT, amount, orderHash);
    }

    /// @dev A burn to the zero address by a transfer would be one without an order.
    function test_safeTransferFrom_failsIfToIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, address(0)));
        vm.prank(customer);
        vouchers.safeTransferFrom(customer, address(0), ROOM, 1, "");
    }
}

/// @dev An approved operator can transfer, and in no way burn.
contract OperatorTest is VouchersTest {
    uint256 internal constant OPERATOR_KEY = 0x09E7;
    address internal operator;

    function setUp() public override {
        super.setUp();
        operator = vm.addr(OPERATOR_KEY);
        vm.prank(customer);
        vouchers.setApprovalForAll(operator, true);
    }

    function test_operator_cannotRedeemTheHoldersVouchers() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        bytes memory signature = signatureBy(OPERATOR_KEY, digestOf(orderHash, block.chainid, address(vouchers)));
        vm.startPrank(operator);
        vm.expectRevert(
            abi.encodeWithSelector(IERC1155Errors.ERC1155InsufficientBalance.selector, operator, 0, 1, ROOM)
        );
        vouchers.redeemAndBurn(ROOM, 1, HASH);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.NotCustomer.selector, operator, customer));
        vouchers.redeemOrder(order, orderHash);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.InvalidSignature.selector, customer));
        vouchers.redeemOrderBySig(order, orderHash, signature);
        vm.stopPrank();
        assertBooks({balance: 10, redeemed: 0, count: 0});
    }

    function test_operator_cannotBurnByTransfer() public {
        (uint256[] memory tokenIds, uint256[] memory amounts) = (new uint256[](2), new uint256[](2));
        (tokenIds[0], tokenIds[1], amounts[0], amounts[1]) = (ROOM, ROOM, 1, 1);
        bytes memory refusal =
            abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, address(0));
        vm.startPrank(operator);
        vm.expectRevert(refusal);
        vouchers.safeTransferFrom(customer, address(0), ROOM, 1, "");
        vm.expectRevert(refusal);
        vouchers.safeBatchTransferFrom(customer, address(0), tokenIds, amounts, "");
        vm.stopPrank();
        assertBooks({balance: 10, redeemed: 0, count: 0});
    }

    function test_operator_losesTheRightWithTheApproval() public {
        vm.prank(operator);
        vouchers.safeTransferFrom(customer, stranger, ROOM, 1, "");
        vm.prank(customer);
        vouchers.setApprovalForAll(operator, false);
        vm.expectRevert(
            abi.encodeWithSelector(IERC1155Errors.ERC1155MissingApprovalForAll.selector, operator, customer)
        );
        vm.prank(operator);
        vouchers.safeTransferFrom(customer, stranger, ROOM, 1, "");
        vm.assertEq(vouchers.balanceOf(customer, ROOM), 9, "customer");
    }
}

contract RedeemOrderTest is VouchersTest {
    function redeem(address sender, FiveSOfficeVouchers.Order memory order, bytes32 orderHash) internal {
        vm.prank(sender);
        vouchers.redeemOrder(order, orderHash);
    }

    function expectMismatch(FiveSOfficeVouchers.Order memory order, bytes32 given) internal {
        bytes32 expected = vouchers.orderHashOf(order);
        vm.expectRevert(
            abi.encodeWithSelector(FiveSOfficeVouchers.OrderHashMismatch.selector, expected, given)
        );
    }

    function test_redeemOrder_burnsAndNumbers() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        expectEvent();
        emit IERC1155.TransferSingle(customer, customer, address(0), ROOM, 2);
        expectEvent();
        emit FiveSOfficeVouchers.VoucherRedeemed(customer, ROOM, 2, orderHash, 1);
        redeem(customer, order, orderHash);
        assertBooks({balance: 8, redeemed: 2, count: 1});
        vm.assertTrue(vouchers.isRedeemed(customer, orderHash), "redeemed");
    }

    function test_redeemOrder_failsIfAnotherCallsIt() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        vm.prank(customer);
        vouchers.setApprovalForAll(stranger, true);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.NotCustomer.selector, stranger, customer));
        redeem(stranger, order, orderHash);
        assertBooks({balance: 10, redeemed: 0, count: 0});
    }

    function test_redeemOrder_failsIfAnyFieldIsChanged() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);

        order.orderRef = keccak256("ORD_another");
        expectMismatch(order, orderHash);
        redeem(customer, order, orderHash);

        order = validOrder();
        order.tokenId = PRINT;
        expectMismatch(order, orderHash);
        redeem(customer, order, orderHash);

        order = validOrder();
        order.amount += 1;
        expectMismatch(order, orderHash);
        redeem(customer, order, orderHash);

        order = validOrder();
        order.siteRef = keccak256("");
        expectMismatch(order, orderHash);
        redeem(customer, order, orderHash);

        order = validOrder();
        order.expiresAt += 1;
        expectMismatch(order, orderHash);
        redeem(customer, order, orderHash);

        order = validOrder();
        order.customer = stranger;
        vm.prank(minter);
        vouchers.mint(stranger, ROOM, 2);
        expectMismatch(order, orderHash);
        redeem(stranger, order, orderHash);

        assertBooks({balance: 10, redeemed: 0, count: 0});
        vm.assertEq(vouchers.balanceOf(stranger, ROOM), 2, "stranger's balance");
    }

    function test_redeemOrder_failsIfTheHashIsZero() public {
        expectMismatch(validOrder(), 0);
        redeem(customer, validOrder(), 0);
    }

    function test_redeemOrder_failsIfTheAmountIsZero() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        order.amount = 0;
        bytes32 orderHash = vouchers.orderHashOf(order);
        vm.expectRevert(FiveSOfficeVouchers.ZeroAmount.selector);
        redeem(customer, order, orderHash);
    }

    function test_redeemOrder_failsIfTheTypeIsUnknown() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        order.tokenId = UNKNOWN;
        bytes32 orderHash = vouchers.orderHashOf(order);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.UnknownVoucherType.selector, UNKNOWN));
        redeem(customer, order, orderHash);
    }

    function test_redeemOrder_failsIfTheTypeIsDisabled() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        setEnabled(ROOM, false);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.VoucherTypeDisabled.selector, ROOM));
        redeem(customer, order, orderHash);
    }

    function test_redeemOrder_worksInTheLastSecond() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        vm.warp(order.expiresAt);
        redeem(customer, order, orderHash);
        assertBooks({balance: 8, redeemed: 2, count: 1});
    }

    function test_redeemOrder_failsIfExpired() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        vm.warp(uint256(order.expiresAt) + 1);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.OrderExpired.selector, order.expiresAt));
        redeem(customer, order, orderHash);
        assertBooks({balance: 10, redeemed: 0, count: 0});
    }

    function test_redeemOrder_worksAtTheFurthestExpiry() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        order.expiresAt = uint64(NOW + 7 days);
        redeem(customer, order, vouchers.orderHashOf(order));
        assertBooks({balance: 8, redeemed: 2, count: 1});
    }

    function test_redeemOrder_failsIfTheExpiryIsTooFar() public {
        uint64[3] memory tooFar = [uint64(NOW + 7 days + 1), uint64(NOW * 1000), type(uint64).max];
        for (uint256 i = 0; i < tooFar.length; ++i) {
            FiveSOfficeVouchers.Order memory order = validOrder();
            order.expiresAt = tooFar[i];
            bytes32 orderHash = vouchers.orderHashOf(order);
            vm.expectRevert(
                abi.encodeWithSelector(FiveSOfficeVouchers.ExpiryTooFar.selector, tooFar[i], NOW + 7 days)
            );
            redeem(customer, order, orderHash);
        }
        assertBooks({balance: 10, redeemed: 0, count: 0});
    }

    function test_redeemOrder_failsIfRedeemedBeforeByAnyFunction() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        bytes memory signature = customerSignature(orderHash);
        bytes memory refusal =
            abi.encodeWithSelector(FiveSOfficeVouchers.AlreadyRedeemed.selector, customer, orderHash);

        redeem(customer, order, orderHash);
        vm.expectRevert(refusal);
        redeem(customer, order, orderHash);
        vm.expectRevert(refusal);
        vm.prank(customer);
        vouchers.redeemAndBurn(order.tokenId, order.amount, orderHash);
        vm.expectRevert(refusal);
        vouchers.redeemOrderBySig(order, orderHash, signature);
        assertBooks({balance: 8, redeemed: 2, count: 1});
    }

    function test_redeemOrder_failsIfTheRawPathTookTheHash() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        vm.prank(customer);
        vouchers.redeemAndBurn(ROOM, 1, orderHash);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.AlreadyRedeemed.selector, customer, orderHash));
        redeem(customer, order, orderHash);
        assertBooks({balance: 9, redeemed: 1, count: 1});
    }

    function test_redeemOrder_isNotBlockedByAnotherUserOfTheHash() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        vm.prank(minter);
        vouchers.mint(stranger, ROOM, 1);
        vm.prank(stranger);
        vouchers.redeemAndBurn(ROOM, 1, orderHash);
        redeem(customer, order, orderHash);
        vm.assertTrue(vouchers.isRedeemed(customer, orderHash), "redeemed");
        assertBooks({balance: 8, redeemed: 3, count: 2});
    }

    function testFuzz_redeemOrder_burnsOnlyForItsOwnHash(
        FiveSOfficeVouchers.Order memory order,
        bytes32 given,
        uint256 amount
    ) public {
        order.customer = customer;
        order.tokenId = ROOM;
        order.amount = bound(amount, 1, 10);
        order.expiresAt = uint64(bound(order.expiresAt, NOW, NOW + 7 days));
        bytes32 orderHash = keccak256(
            abi.encode(
                keccak256(
                    "Order(string orderId,address customer,uint256 tokenId,uint256 amount,string siteId,uint64 expiresAt)"
                ),
                order.orderRef,
                customer,
                ROOM,
                order.amount,
                order.siteRef,
                order.expiresAt
            )
        );
        vm.assume(given != orderHash);
        expectMismatch(order, given);
        redeem(customer, order, given);
        redeem(customer, order, orderHash);
        assertBooks({balance: 10 - order.amount, redeemed: order.amount, count: 1});
    }

    function testFuzz_redeemOrder_keepsToTheTimeWindow(uint64 expiresAt, uint64 time) public {
        // Mostly around the edges, sometimes anywhere.
        time = uint64(bound(time, 1, type(uint64).max));
        if (expiresAt % 8 != 0) expiresAt = uint64(bound(expiresAt, time - 1, uint256(time) + 7 days + 1));
        FiveSOfficeVouchers.Order memory order = validOrder();
        order.expiresAt = expiresAt;
        bytes32 orderHash = vouchers.orderHashOf(order);
        vm.warp(time);
        bool inTime = expiresAt >= time && expiresAt <= uint256(time) + 7 days;
        vm.prank(customer);
        try vouchers.redeemOrder(order, orderHash) {
            vm.assertTrue(inTime, "redeemed in time only");
        } catch {
            vm.assertTrue(!inTime, "refused out of time only");
        }
    }
}
