// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {FiveSOfficeVouchers} from "../src/FiveSOfficeVouchers.sol";
import {Deaf} from "./utils/Receivers.sol";
import {VouchersTest} from "./utils/VouchersTest.sol";

contract AirdropTest is VouchersTest {
    address[] internal recipients;
    uint256[] internal amounts;
    bytes32 internal constant SALT = keccak256("campaign");
    bytes32 internal batchId;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 1; i <= 3; ++i) {
            recipients.push(address(uint160(0x1000 + i)));
            amounts.push(i);
        }
        batchId = keccak256(abi.encode(ROOM, recipients, amounts, SALT));
    }

    function airdrop(bytes32 id) internal {
        vm.prank(minter);
        vouchers.airdrop(id, ROOM, recipients, amounts, SALT);
    }

    function test_airdrop_givesEachRecipientTheirs() public {
        vm.assertEq(vouchers.batchIdOf(ROOM, recipients, amounts, SALT), batchId, "batch id");
        expectEvent();
        emit FiveSOfficeVouchers.BatchMinted(batchId, ROOM, 3);
        for (uint256 i = 0; i < 3; ++i) {
            expectEvent();
            emit FiveSOfficeVouchers.VoucherMinted(recipients[i], ROOM, i + 1);
        }
        airdrop(batchId);
        vm.assertTrue(vouchers.isBatchMinted(batchId), "minted");
        vm.assertEq(vouchers.minted(ROOM), 16, "minted total");
        for (uint256 i = 0; i < 3; ++i) {
            vm.assertEq(vouchers.balanceOf(recipients[i], ROOM), i + 1, "balance");
        }
    }

    function test_airdrop_failsIfMintedBefore() public {
        airdrop(batchId);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.BatchAlreadyMinted.selector, batchId));
        airdrop(batchId);
        vm.assertEq(vouchers.minted(ROOM), 16, "minted once");
    }

    function test_airdrop_mintsAnEqualBatchUnderAnotherSalt() public {
        airdrop(batchId);
        bytes32 other = vouchers.batchIdOf(ROOM, recipients, amounts, keccak256("another campaign"));
        vm.prank(minter);
        vouchers.airdrop(other, ROOM, recipients, amounts, keccak256("another campaign"));
        vm.assertEq(vouchers.minted(ROOM), 22, "minted twice");
    }

    function test_airdrop_failsIfAnythingDiffersFromTheBatchId() public {
        expectMismatch(keccak256(abi.encode(ROOM, recipients, amounts, SALT)), bytes32(uint256(batchId) ^ 1));
        airdrop(bytes32(uint256(batchId) ^ 1));

        expectMismatch(keccak256(abi.encode(PRINT, recipients, amounts, SALT)), batchId);
        vm.prank(minter);
        vouchers.airdrop(batchId, PRINT, recipients, amounts, SALT);

        expectMismatch(keccak256(abi.encode(ROOM, recipients, amounts, bytes32(0))), batchId);
        vm.prank(minter);
        vouchers.airdrop(batchId, ROOM, recipients, amounts, bytes32(0));

        amounts[1] += 1;
        expectMismatch(keccak256(abi.encode(ROOM, recipients, amounts, SALT)), batchId);
        airdrop(batchId);
        amounts[1] -= 1;

        recipients[2] = stranger;
        expectMismatch(keccak256(abi.encode(ROOM, recipients, amounts, SALT)), batchId);
        airdrop(batchId);

        vm.assertEq(vouchers.minted(ROOM), 10, "nothing minted");
        vm.assertTrue(!vouchers.isBatchMinted(batchId), "not marked");
    }

    function test_airdrop_leavesNoTraceIfOneRecipientRefuses() public {
        recipients[2] = address(new Deaf());
        batchId = keccak256(abi.encode(ROOM, recipients, amounts, SALT));
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, recipients[2]));
        airdrop(batchId);
        vm.assertEq(vouchers.minted(ROOM), 10, "nothing minted");
        vm.assertEq(vouchers.balanceOf(recipients[0], ROOM), 0, "nobody got any");
        vm.assertTrue(!vouchers.isBatchMinted(batchId), "can be tried again");
    }

    function test_airdrop_failsIfMaxSupplyWouldBeExceeded() public {
        amounts[2] = ROOM_SUPPLY;
        batchId = keccak256(abi.encode(ROOM, recipients, amounts, SALT));
        vm.expectRevert(
            abi.encodeWithSelector(
                FiveSOfficeVouchers.MaxSupplyExceeded.selector, ROOM, ROOM_SUPPLY, ROOM_SUPPLY - 13
            )
        );
        airdrop(batchId);
        vm.assertTrue(!vouchers.isBatchMinted(batchId), "can be tried again");
    }

    /// @dev Whatever made a batch fail: once it is out of the way, the same batch id mints.
    function test_airdrop_canBeMintedAfterItFailed() public {
        recipients[2] = address(new Deaf());
        batchId = keccak256(abi.encode(ROOM, recipients, amounts, SALT));
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, recipients[2]));
        airdrop(batchId);
        vm.etch(recipients[2], "");
        setEnabled(ROOM, false);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.VoucherTypeDisabled.selector, ROOM));
        airdrop(batchId);
        setEnabled(ROOM, true);
        pauseContract();
        vm.expectRevert(Pausable.EnforcedPause.selector);
        airdrop(batchId);
        vm.prank(admin);
        vouchers.unpause();
        vm.assertTrue(!vouchers.isBatchMinted(batchId), "no trace");
        vm.assertEq(vouchers.minted(ROOM), 10, "nothing minted");
        airdrop(batchId);
        vm.assertTrue(vouchers.isBatchMinted(batchId), "minted");
        vm.assertEq(vouchers.minted(ROOM), 16, "once");
    }

    function test_airdrop_failsIfOneRecipientIsZero() public {
        recipients[1] = address(0);
        batchId = keccak256(abi.encode(ROOM, recipients, amounts, SALT));
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, address(0)));
        airdrop(batchId);
        vm.assertTrue(!vouchers.isBatchMinted(batchId), "no trace");
    }

    function test_airdrop_failsIfOneAmountIsZeroOrDoesNotFitItsCounter() public {
        amounts[1] = 0;
        batchId = keccak256(abi.encode(ROOM, recipients, amounts, SALT));
        vm.expectRevert(FiveSOfficeVouchers.ZeroAmount.selector);
        airdrop(batchId);
        uint256[3] memory tooMuch = [uint256(1) << 64, (uint256(1) << 64) + 1, type(uint256).max];
        for (uint256 i = 0; i < tooMuch.length; ++i) {
            amounts[1] = tooMuch[i];
            batchId = keccak256(abi.encode(ROOM, recipients, amounts, SALT));
            vm.expectRevert(
                abi.encodeWithSelector(
                    FiveSOfficeVouchers.MaxSupplyExceeded.selector, ROOM, tooMuch[i], ROOM_SUPPLY - 11
                )
            );
            airdrop(batchId);
        }
        vm.assertEq(vouchers.minted(ROOM), 10, "nothing minted");
    }

    function test_airdrop_countsARecipientNamedTwice() public {
        recipients[2] = recipients[0];
        batchId = keccak256(abi.encode(ROOM, recipients, amounts, SALT));
        airdrop(batchId);
        vm.assertEq(vouchers.balanceOf(recipients[0], ROOM), 4, "both shares");
        vm.assertEq(vouchers.minted(ROOM), 16, "minted");
    }

    function testFuzz_airdrop_mintsWholeOnceOrNothing(uint256[3] memory shares, bytes32 salt) public {
        uint256 total;
        bool fits = true;
        for (uint256 i = 0; i < 3; ++i) {
            amounts[i] = shares[i] % 8 == 0 ? shares[i] : shares[i] % 400;
            fits = fits && amounts[i] > 0 && amounts[i] <= ROOM_SUPPLY - 10 - total;
            if (fits) total += amounts[i];
        }
        batchId = keccak256(abi.encode(ROOM, recipients, amounts, salt));
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(minter);
            try vouchers.airdrop(batchId, ROOM, recipients, amounts, salt) {
                vm.assertTrue(fits && i == 0, "minted once, if it fits");
            } catch {
                vm.assertTrue(!fits || i == 1, "refused only if it does not fit, or was minted");
            }
        }
        vm.assertEq(vouchers.minted(ROOM), fits ? 10 + total : 10, "all or nothing");
        vm.assertEq(vouchers.isBatchMinted(batchId), fits, "marked if minted");
    }

    function test_airdrop_failsIfLengthsDiffer() public {
        amounts.pop();
        batchId = keccak256(abi.encode(ROOM, recipients, amounts, SALT));
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidArrayLength.selector, 3, 2));
        airdrop(batchId);
    }

    function test_airdrop_failsIfNotMinter() public {
        bytes32 role = vouchers.MINTER_ROLE();
        address[3] memory others = [admin, pauser, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            expectUnauthorized(others[i], role);
            vm.prank(others[i]);
            vouchers.airdrop(batchId, ROOM, recipients, amounts, SALT);
        }
    }

    function expectMismatch(bytes32 expected, bytes32 given) internal {
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.BatchIdMismatch.selector, expected, given));
    }
}
