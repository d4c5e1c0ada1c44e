// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {FiveSOfficeVouchers} from "../src/FiveSOfficeVouchers.sol";
import {Deaf, EagerRedeemer, GreedyMinter, Refuser} from "./utils/Receivers.sol";
import {VouchersTest} from "./utils/VouchersTest.sol";

contract MintTest is VouchersTest {
    function mint(address to, uint256 tokenId, uint256 amount) internal {
        vm.prank(minter);
        vouchers.mint(to, tokenId, amount);
    }

    function mintBatch(address to, uint256[] memory tokenIds, uint256[] memory amounts) internal {
        vm.prank(minter);
        vouchers.mintBatch(to, tokenIds, amounts);
    }

    function pair(uint256 first, uint256 second) internal pure returns (uint256[] memory values) {
        values = new uint256[](2);
        (values[0], values[1]) = (first, second);
    }

    function expectExceeded(uint256 tokenId, uint256 amount, uint256 available) internal {
        vm.expectRevert(
            abi.encodeWithSelector(FiveSOfficeVouchers.MaxSupplyExceeded.selector, tokenId, amount, available)
        );
    }

    // ---------------------------------------------------------------------------------- mint

    function test_mint_givesTheVouchersAndCountsThem() public {
        expectEvent();
        emit FiveSOfficeVouchers.VoucherMinted(stranger, ROOM, 4);
        expectEvent();
        emit IERC1155.TransferSingle(minter, address(0), stranger, ROOM, 4);
        mint(stranger, ROOM, 4);
        vm.assertEq(vouchers.balanceOf(stranger, ROOM), 4, "balance");
        vm.assertEq(vouchers.minted(ROOM), 14, "minted");
        vm.assertEq(vouchers.minted(PRINT), 0, "the other type is untouched");
    }

    function test_mint_failsIfNotMinter() public {
        bytes32 role = vouchers.MINTER_ROLE();
        address[4] memory others = [admin, pauser, stranger, customer];
        for (uint256 i = 0; i < others.length; ++i) {
            expectUnauthorized(others[i], role);
            vm.prank(others[i]);
            vouchers.mint(others[i], ROOM, 1);
        }
    }

    function test_mint_failsIfTheTypeIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.UnknownVoucherType.selector, UNKNOWN));
        mint(stranger, UNKNOWN, 1);
    }

    function test_mint_failsIfTheTypeIsDisabled() public {
        setEnabled(ROOM, false);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.VoucherTypeDisabled.selector, ROOM));
        mint(stranger, ROOM, 1);
    }

    function test_mint_failsIfTheAmountIsZero() public {
        vm.expectRevert(FiveSOfficeVouchers.ZeroAmount.selector);
        mint(stranger, ROOM, 0);
    }

    function test_mint_failsIfToIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, address(0)));
        mint(address(0), ROOM, 1);
    }

    function test_mint_failsIfTheReceiverTakesNone() public {
        address[2] memory receivers = [address(new Deaf()), address(new Refuser())];
        for (uint256 i = 0; i < receivers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, receivers[i]));
            mint(receivers[i], ROOM, 1);
        }
        vm.assertEq(vouchers.minted(ROOM), 10, "minted unchanged");
    }

    function test_mint_reachesMaxSupplyExactly() public {
        mint(stranger, ROOM, ROOM_SUPPLY - 10);
        vm.assertEq(vouchers.minted(ROOM), ROOM_SUPPLY, "minted");
    }

    function test_mint_failsIfMaxSupplyWouldBeExceeded() public {
        expectExceeded(ROOM, ROOM_SUPPLY - 9, ROOM_SUPPLY - 10);
        mint(stranger, ROOM, ROOM_SUPPLY - 9);
    }

    function test_mint_failsIfTheAmountDoesNotFitItsCounter() public {
        uint256[4] memory amounts =
            [uint256(1) << 64, (uint256(1) << 64) + 1, (uint256(1) << 128) + 1, type(uint256).max];
        for (uint256 i = 0; i < amounts.length; ++i) {
            expectExceeded(ROOM, amounts[i], ROOM_SUPPLY - 10);
            mint(customer, ROOM, amounts[i]);
            expectExceeded(PRINT, amounts[i], PRINT_SUPPLY);
            mint(customer, PRINT, amounts[i]);
        }
    }

    function test_mint_canFillTheWholeCounter() public {
        mint(customer, PRINT, PRINT_SUPPLY);
        vm.assertEq(vouchers.minted(PRINT), type(uint64).max, "minted");
        expectExceeded(PRINT, 1, 0);
        mint(customer, PRINT, 1);
        vm.prank(customer);
        vouchers.redeemAndBurn(PRINT, PRINT_SUPPLY, HASH);
        vm.assertEq(vouchers.redeemed(PRINT), type(uint64).max, "redeemed");
    }

    function test_mint_findsNoRoomAfterABurn() public {
        mint(customer, ROOM, ROOM_SUPPLY - 10);
        vm.prank(customer);
        vouchers.redeemAndBurn(ROOM, ROOM_SUPPLY, HASH);
        expectExceeded(ROOM, 1, 0);
        mint(customer, ROOM, 1);
    }

    function test_mint_holdsMaxSupplyAgainstAReceiverThatMints() public {
        GreedyMinter greedy = new GreedyMinter(1);
        bytes32 role = vouchers.MINTER_ROLE();
        vm.prank(admin);
        vouchers.grantRole(role, address(greedy));
        // Twice the amount fits nearly, and is one too many.
        uint256 amount = (ROOM_SUPPLY - 10) / 2 + 1;
        expectExceeded(ROOM, amount, ROOM_SUPPLY - 10 - amount);
        mint(address(greedy), ROOM, amount);
        vm.assertEq(vouchers.minted(ROOM), 10, "all undone");

        greedy = new GreedyMinter(3);
        vm.prank(admin);
        vouchers.grantRole(role, address(greedy));
        mint(address(greedy), ROOM, 5);
        vm.assertEq(vouchers.minted(ROOM), 30, "each re-entry counted");
        vm.assertEq(vouchers.balanceOf(address(greedy), ROOM), 20, "each re-entry paid out");
    }

    function test_mint_numbersRedemptionsOfAReceiverThatRedeems() public {
        EagerRedeemer eager = new EagerRedeemer();
        mint(address(eager), ROOM, 3);
        vm.assertEq(vouchers.redemptionCount(), 3, "count");
        vm.assertEq(vouchers.redeemed(ROOM), 3, "redeemed");
        vm.assertEq(vouchers.balanceOf(address(eager), ROOM), 0, "all burned");
    }

    function testFuzz_mint_neverExceedsMaxSupply(uint64 maxSupply, uint256 first, uint256 second) public {
        maxSupply = uint64(bound(maxSupply, 1, type(uint64).max));
        vm.prank(admin);
        vouchers.createVoucherType(1, maxSupply, "");
        uint256 expected;
        uint256[2] memory amounts = [first, second];
        for (uint256 i = 0; i < amounts.length; ++i) {
            // Half the inputs near the cap, where it matters.
            uint256 amount = amounts[i] % 2 == 0 ? amounts[i] : bound(amounts[i], 0, uint256(maxSupply) + 1);
            vm.prank(minter);
            try vouchers.mint(customer, 1, amount) {
                expected += amount;
            } catch {
                vm.assertTrue(amount == 0 || amount > maxSupply - expected, "refused for a reason");
            }
            vm.assertEq(vouchers.minted(1), expected, "minted");
            vm.assertLe(expected, maxSupply, "within max supply");
        }
        vm.assertEq(vouchers.balanceOf(customer, 1), expected, "balance");
    }

    // ----------------------------------------------------------------------------- mintBatch

    function test_mintBatch_givesAndCountsEach() public {
        expectEvent();
        emit FiveSOfficeVouchers.VoucherMinted(stranger, ROOM, 2);
        expectEvent();
        emit FiveSOfficeVouchers.VoucherMinted(stranger, PRINT, 3);
        expectEvent();
        emit IERC1155.TransferBatch(minter, address(0), stranger, pair(ROOM, PRINT), pair(2, 3));
        mintBatch(stranger, pair(ROOM, PRINT), pair(2, 3));
        vm.assertEq(vouchers.balanceOf(stranger, ROOM), 2, "rooms");
        vm.assertEq(vouchers.balanceOf(stranger, PRINT), 3, "prints");
        vm.assertEq(vouchers.minted(ROOM), 12, "minted rooms");
        vm.assertEq(vouchers.minted(PRINT), 3, "minted prints");
    }

    function test_mintBatch_addsUpATypeNamedTwice() public {
        mintBatch(stranger, pair(ROOM, ROOM), pair(400, 590));
        vm.assertEq(vouchers.minted(ROOM), ROOM_SUPPLY, "minted");
        vm.assertEq(vouchers.balanceOf(stranger, ROOM), 990, "balance");
    }

    function test_mintBatch_failsIfATypeNamedTwiceExceedsMaxSupply() public {
        expectExceeded(ROOM, 591, 590);
        mintBatch(stranger, pair(ROOM, ROOM), pair(400, 591));
        vm.assertEq(vouchers.minted(ROOM), 10, "nothing minted");
    }

    function test_mintBatch_failsIfLengthsDiffer() public {
        uint256[] memory three = new uint256[](3);
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidArrayLength.selector, 2, 3));
        mintBatch(stranger, pair(ROOM, PRINT), three);
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidArrayLength.selector, 3, 2));
        mintBatch(stranger, three, pair(1, 1));
    }

    function test_mintBatch_failsIfOneEntryIsRefused() public {
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.UnknownVoucherType.selector, UNKNOWN));
        mintBatch(stranger, pair(ROOM, UNKNOWN), pair(1, 1));
        vm.expectRevert(FiveSOfficeVouchers.ZeroAmount.selector);
        mintBatch(stranger, pair(ROOM, PRINT), pair(1, 0));
        setEnabled(PRINT, false);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.VoucherTypeDisabled.selector, PRINT));
        mintBatch(stranger, pair(ROOM, PRINT), pair(1, 1));
        vm.assertEq(vouchers.minted(ROOM), 10, "nothing minted");
    }

    function test_mintBatch_failsIfNotMinter() public {
        bytes32 role = vouchers.MINTER_ROLE();
        address[3] memory others = [admin, pauser, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            expectUnauthorized(others[i], role);
            vm.prank(others[i]);
            vouchers.mintBatch(others[i], pair(ROOM, PRINT), pair(1, 1));
        }
    }

    function testFuzz_mintBatch_countsDuplicates(uint64[8] memory amounts, uint8 types) public {
        uint256[] memory tokenIds = new uint256[](8);
        uint256[] memory values = new uint256[](8);
        uint256[2] memory totals;
        for (uint256 i = 0; i < 8; ++i) {
            bool print = (types >> i) & 1 == 1;
            tokenIds[i] = print ? PRINT : ROOM;
            values[i] = bound(amounts[i], 1, 150);
            totals[print ? 1 : 0] += values[i];
        }
        bool fits = 10 + totals[0] <= ROOM_SUPPLY;
        vm.prank(minter);
        try vouchers.mintBatch(stranger, tokenIds, values) {
            vm.assertTrue(fits, "minted within max supply only");
            vm.assertEq(vouchers.minted(ROOM), 10 + totals[0], "rooms");
            vm.assertEq(vouchers.minted(PRINT), totals[1], "prints");
            vm.assertEq(vouchers.balanceOf(stranger, ROOM), totals[0], "balance");
        } catch {
            vm.assertTrue(!fits, "refused beyond max supply only");
        }
    }
}
