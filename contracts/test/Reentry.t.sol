// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {FiveSOfficeVouchers} from "../src/FiveSOfficeVouchers.sol";
import {Reenterer} from "./utils/Receivers.sol";
import {Vm} from "./utils/Vm.sol";
import {VouchersTest} from "./utils/VouchersTest.sol";

/// @dev Receivers that call back from within mint, mintBatch, airdrop and transfers.
contract ReentryTest is VouchersTest {
    bytes32 internal constant REDEEMED = keccak256("VoucherRedeemed(address,uint256,uint256,bytes32,uint256)");
    bytes32 internal constant SINGLE = keccak256("TransferSingle(address,address,address,uint256,uint256)");

    function redeemCall(uint256 amount, bytes32 orderHash) internal view returns (bytes memory) {
        return abi.encodeCall(vouchers.redeemAndBurn, (ROOM, amount, orderHash));
    }

    function reenterer(bytes memory only) internal returns (Reenterer receiver) {
        receiver = new Reenterer();
        receiver.arm(only);
    }

    function grantMinter(address account) internal {
        bytes32 role = vouchers.MINTER_ROLE();
        vm.prank(admin);
        vouchers.grantRole(role, account);
    }

    function one(uint256 value) internal pure returns (uint256[] memory values) {
        values = new uint256[](1);
        values[0] = value;
    }

    function two(uint256 first, uint256 second) internal pure returns (uint256[] memory values) {
        values = new uint256[](2);
        (values[0], values[1]) = (first, second);
    }

    function two(address first, address second) internal pure returns (address[] memory values) {
        values = new address[](2);
        (values[0], values[1]) = (first, second);
    }

    /// @dev Of the recorded logs: the redemptions' serials are 1, 2, 3 ... in the order of the logs, and each
    /// follows a burn that is equal to it.
    function assertSerials(uint256 count) internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 serials;
        uint256 burns;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == SINGLE && logs[i].topics[3] == 0) ++burns;
            if (logs[i].topics[0] != REDEEMED) continue;
            (uint256 amount, uint256 serial) = abi.decode(logs[i].data, (uint256, uint256));
            vm.assertEq(serial, ++serials, "serial");
            vm.assertEq(logs[i - 1].topics[0], SINGLE, "a burn comes right before");
            vm.assertEq(logs[i - 1].topics[2], logs[i].topics[1], "burned from the user");
            vm.assertEq(
                logs[i - 1].data, abi.encode(uint256(logs[i].topics[2]), amount), "burned type and amount"
            );
        }
        vm.assertEq(serials, count, "redemptions");
        vm.assertEq(burns, count, "burns");
        vm.assertEq(vouchers.redemptionCount(), count, "redemption count");
    }

    // -------------------------------------------------------------------------------- supply

    function test_mintBatch_holdsMaxSupplyAgainstAReceiverThatMints() public {
        Reenterer greedy =
            reenterer(abi.encodeCall(vouchers.mintBatch, (stranger, two(ROOM, ROOM), two(1, ROOM_SUPPLY - 11))));
        grantMinter(address(greedy));
        vm.prank(minter);
        vouchers.mintBatch(address(greedy), two(ROOM, PRINT), two(1, 1));
        vm.assertEq(greedy.made(), 1, "it called back");
        vm.assertEq(
            greedy.failures(0),
            abi.encodeWithSelector(
                FiveSOfficeVouchers.MaxSupplyExceeded.selector, ROOM, ROOM_SUPPLY - 11, ROOM_SUPPLY - 12
            ),
            "one too many"
        );
        vm.assertEq(vouchers.minted(ROOM), 11, "minted");
        vm.assertEq(vouchers.balanceOf(stranger, ROOM), 0, "nothing from within");
    }

    function test_airdrop_holdsMaxSupplyAgainstAReceiverThatMints() public {
        // The first recipient takes all that is left, so the second one's share is too much.
        Reenterer greedy = reenterer(abi.encodeCall(vouchers.mint, (stranger, ROOM, ROOM_SUPPLY - 11)));
        grantMinter(address(greedy));
        (address[] memory recipients, uint256[] memory amounts) = (two(address(greedy), customer), two(1, 1));
        bytes32 batchId = vouchers.batchIdOf(ROOM, recipients, amounts, 0);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.MaxSupplyExceeded.selector, ROOM, 1, 0));
        vm.prank(minter);
        vouchers.airdrop(batchId, ROOM, recipients, amounts, 0);
        vm.assertEq(vouchers.minted(ROOM), 10, "all undone");
        vm.assertEq(vouchers.balanceOf(stranger, ROOM), 0, "also what was minted from within");
        vm.assertTrue(!vouchers.isBatchMinted(batchId), "no trace");
    }

    function test_mint_findsNoRoomAfterABurnFromWithin() public {
        Reenterer eager = reenterer(redeemCall(ROOM_SUPPLY - 10, HASH));
        vm.prank(minter);
        vouchers.mint(address(eager), ROOM, ROOM_SUPPLY - 10);
        vm.assertEq(vouchers.redeemed(ROOM), ROOM_SUPPLY - 10, "burned from within");
        vm.assertEq(vouchers.minted(ROOM), ROOM_SUPPLY, "minted");
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.MaxSupplyExceeded.selector, ROOM, 1, 0));
        vm.prank(minter);
        vouchers.mint(customer, ROOM, 1);
    }

    // -------------------------------------------------------------------------- once, in order

    function test_airdrop_failsIfReenteredWithItsOwnBatch() public {
        Reenterer greedy = new Reenterer();
        grantMinter(address(greedy));
        (address[] memory recipients, uint256[] memory amounts) = (two(customer, address(greedy)), two(1, 2));
        bytes32 batchId = vouchers.batchIdOf(ROOM, recipients, amounts, 0);
        greedy.arm(abi.encodeCall(vouchers.airdrop, (batchId, ROOM, recipients, amounts, 0)));
        vm.prank(minter);
        vouchers.airdrop(batchId, ROOM, recipients, amounts, 0);
        vm.assertEq(
            greedy.failures(0),
            abi.encodeWithSelector(FiveSOfficeVouchers.BatchAlreadyMinted.selector, batchId),
            "refused within"
        );
        vm.assertEq(vouchers.minted(ROOM), 13, "minted once");
    }

    function test_redeemAndBurn_failsIfReenteredWithTheSameHash() public {
        Reenterer eager = reenterer(redeemCall(1, HASH));
        eager.arm(redeemCall(1, HASH));
        vm.recordLogs();
        (address[] memory recipients, uint256[] memory amounts) =
            (two(address(eager), address(eager)), two(2, 2));
        bytes32 batchId = vouchers.batchIdOf(ROOM, recipients, amounts, 0);
        vm.prank(minter);
        vouchers.airdrop(batchId, ROOM, recipients, amounts, 0);
        vm.assertEq(eager.made(), 2, "it called back twice");
        vm.assertEq(
            eager.failures(0),
            abi.encodeWithSelector(FiveSOfficeVouchers.AlreadyRedeemed.selector, address(eager), HASH),
            "the second is refused"
        );
        vm.assertEq(vouchers.balanceOf(address(eager), ROOM), 3, "burned once");
        assertSerials(1);
    }

    function test_redemptions_areNumberedThroughEveryReentry() public {
        // Redeems at each receipt, and is the recipient in each way to receive.
        Reenterer eager = new Reenterer();
        for (uint256 i = 0; i < 6; ++i) {
            eager.arm(redeemCall(1, bytes32(i + 1)));
        }
        vm.recordLogs();
        vm.startPrank(minter);
        vouchers.mint(address(eager), ROOM, 2);
        vouchers.mintBatch(address(eager), two(ROOM, PRINT), two(2, 2));
        (address[] memory recipients, uint256[] memory amounts) =
            (two(address(eager), address(eager)), two(2, 2));
        bytes32 batchId = vouchers.batchIdOf(ROOM, recipients, amounts, 0);
        vouchers.airdrop(batchId, ROOM, recipients, amounts, 0);
        vm.stopPrank();
        vm.startPrank(customer);
        vouchers.redeemAndBurn(ROOM, 1, HASH);
        vouchers.safeTransferFrom(customer, address(eager), ROOM, 1, "");
        vouchers.safeBatchTransferFrom(customer, address(eager), two(ROOM, ROOM), two(1, 1), "");
        vm.stopPrank();
        vm.assertEq(eager.made(), 6, "it called back each time");
        vm.assertEq(eager.failureCount(), 0, "and each redemption succeeded");
        assertSerials(7);
        vm.assertEq(vouchers.balanceOf(address(eager), ROOM), 5, "of 11, six burned");
        vm.assertEq(vouchers.redeemed(ROOM), 7, "redeemed");
    }

    function test_safeTransferFrom_letsAReceiverPassOnOnlyWhatItHas() public {
        Reenterer relay = new Reenterer();
        bytes memory passOn = abi.encodeCall(vouchers.safeTransferFrom, (address(relay), stranger, ROOM, 3, ""));
        relay.arm(passOn);
        relay.arm(passOn);
        vm.startPrank(customer);
        vouchers.safeTransferFrom(customer, address(relay), ROOM, 3, "");
        vouchers.safeTransferFrom(customer, address(relay), ROOM, 2, "");
        vm.stopPrank();
        vm.assertEq(
            relay.failures(0),
            abi.encodeWithSelector(
                IERC1155Errors.ERC1155InsufficientBalance.selector, address(relay), 2, 3, ROOM
            ),
            "refused"
        );
        vm.assertEq(vouchers.balanceOf(customer, ROOM), 5, "customer");
        vm.assertEq(vouchers.balanceOf(address(relay), ROOM), 2, "relay");
        vm.assertEq(vouchers.balanceOf(stranger, ROOM), 3, "stranger");
    }

    function testFuzz_reentry_keepsTheBooks(uint8[4] memory amounts, uint8[4] memory burned, uint8 ways) public {
        Reenterer eager = new Reenterer();
        for (uint256 i = 0; i < 4; ++i) {
            eager.arm(redeemCall(burned[i], bytes32(i + 1)));
        }
        vm.recordLogs();
        uint256 minted = 10;
        uint256 balance;
        uint256 redeemed;
        uint256 count;
        for (uint256 i = 0; i < 4; ++i) {
            uint256 amount = bound(amounts[i], 1, 200);
            vm.prank(minter);
            if ((ways >> i) & 1 == 0) vouchers.mint(address(eager), ROOM, amount);
            else vouchers.mintBatch(address(eager), one(ROOM), one(amount));
            minted += amount;
            balance += amount;
            if (burned[i] == 0 || burned[i] > balance) continue;
            balance -= burned[i];
            redeemed += burned[i];
            count += 1;
        }
        vm.assertEq(vouchers.minted(ROOM), minted, "minted");
        vm.assertEq(vouchers.redeemed(ROOM), redeemed, "redeemed");
        vm.assertEq(vouchers.balanceOf(address(eager), ROOM), balance, "balance");
        assertSerials(count);
    }
}
