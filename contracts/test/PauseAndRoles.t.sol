// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessControlDefaultAdminRules} from
    "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {FiveSOfficeVouchers} from "../src/FiveSOfficeVouchers.sol";
import {VouchersTest} from "./utils/VouchersTest.sol";

contract PauseTest is VouchersTest {
    function test_pause_isThePausersAndTheAdmins() public {
        expectEvent();
        emit Pausable.Paused(pauser);
        vm.prank(pauser);
        vouchers.pause();
        vm.assertTrue(vouchers.paused(), "by the pauser");

        expectEvent();
        emit Pausable.Unpaused(admin);
        vm.prank(admin);
        vouchers.unpause();
        vm.assertTrue(!vouchers.paused(), "resumed");

        vm.prank(admin);
        vouchers.pause();
        vm.assertTrue(vouchers.paused(), "by the admin");
    }

    function test_pause_failsIfNeitherPauserNorAdmin() public {
        bytes32 role = vouchers.PAUSER_ROLE();
        address[3] memory others = [minter, stranger, customer];
        for (uint256 i = 0; i < others.length; ++i) {
            expectUnauthorized(others[i], role);
            vm.prank(others[i]);
            vouchers.pause();
        }
    }

    function test_pause_failsIfPaused() public {
        pauseContract();
        vm.expectRevert(Pausable.EnforcedPause.selector);
        vm.prank(pauser);
        vouchers.pause();
    }

    function test_unpause_failsIfNotAdmin() public {
        pauseContract();
        bytes32 role = vouchers.ADMIN_ROLE();
        address[3] memory others = [pauser, minter, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            expectUnauthorized(others[i], role);
            vm.prank(others[i]);
            vouchers.unpause();
        }
        vm.assertTrue(vouchers.paused(), "still paused");
    }

    function test_unpause_failsIfNotPaused() public {
        vm.expectRevert(Pausable.ExpectedPause.selector);
        vm.prank(admin);
        vouchers.unpause();
    }

    function test_pause_stopsMintTransferAndRedemption() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        bytes memory signature = customerSignature(orderHash);
        (uint256[] memory ids, uint256[] memory amounts, address[] memory recipients) =
            (new uint256[](2), new uint256[](2), new address[](2));
        (ids[0], ids[1], amounts[0], amounts[1]) = (ROOM, PRINT, 1, 1);
        (recipients[0], recipients[1]) = (customer, stranger);
        bytes32 batchId = vouchers.batchIdOf(ROOM, recipients, amounts, 0);
        pauseContract();

        vm.startPrank(minter);
        vm.expectRevert(Pausable.EnforcedPause.selector);
        vouchers.mint(customer, ROOM, 1);
        vm.expectRevert(Pausable.EnforcedPause.selector);
        vouchers.mintBatch(customer, ids, amounts);
        vm.expectRevert(Pausable.EnforcedPause.selector);
        vouchers.airdrop(batchId, ROOM, recipients, amounts, 0);
        vm.stopPrank();

        vm.startPrank(customer);
        vm.expectRevert(Pausable.EnforcedPause.selector);
        vouchers.safeTransferFrom(customer, stranger, ROOM, 1, "");
        amounts[1] = 0;
        vm.expectRevert(Pausable.EnforcedPause.selector);
        vouchers.safeBatchTransferFrom(customer, stranger, ids, amounts, "");
        vm.expectRevert(Pausable.EnforcedPause.selector);
        vouchers.redeemAndBurn(ROOM, 1, HASH);
        vm.expectRevert(Pausable.EnforcedPause.selector);
        vouchers.redeemOrder(order, orderHash);
        vm.stopPrank();
        vm.expectRevert(Pausable.EnforcedPause.selector);
        vouchers.redeemOrderBySig(order, orderHash, signature);

        assertBooks({balance: 10, redeemed: 0, count: 0});
        vm.prank(admin);
        vouchers.unpause();
        vm.prank(customer);
        vouchers.redeemOrder(order, orderHash);
        assertBooks({balance: 8, redeemed: 2, count: 1});
    }

    function test_pause_leavesRolesAndTypesWorking() public {
        pauseContract();
        bytes32 role = vouchers.MINTER_ROLE();
        vm.startPrank(admin);
        vouchers.revokeRole(role, minter);
        vouchers.grantRole(role, stranger);
        vouchers.createVoucherType(3001, 5, "");
        vouchers.setVoucherTypeEnabled(ROOM, false);
        vouchers.setTokenURI(ROOM, "ipfs://new");
        vouchers.beginDefaultAdminTransfer(stranger);
        vm.stopPrank();
        vm.warp(NOW + ADMIN_DELAY + 1);
        vm.prank(stranger);
        vouchers.acceptDefaultAdminTransfer();
        vm.assertEq(vouchers.defaultAdmin(), stranger, "new admin");
        vm.assertTrue(!vouchers.hasRole(role, minter) && vouchers.hasRole(role, stranger), "minter replaced");
    }
}

contract RolesTest is VouchersTest {
    function test_constructor_givesTheAdminRoleOnly() public {
        FiveSOfficeVouchers fresh = new FiveSOfficeVouchers(admin, 3 days);
        vm.assertEq(fresh.defaultAdmin(), admin, "admin");
        vm.assertEq(fresh.defaultAdminDelay(), 3 days, "delay");
        vm.assertTrue(fresh.hasRole(fresh.ADMIN_ROLE(), admin), "admin role");
        vm.assertTrue(!fresh.hasRole(fresh.ADMIN_ROLE(), address(this)), "not the deployer's");
        vm.assertTrue(!fresh.hasRole(fresh.MINTER_ROLE(), admin), "no minter");
        vm.assertTrue(!fresh.hasRole(fresh.PAUSER_ROLE(), admin), "no pauser");
        vm.assertEq(fresh.redemptionCount(), 0, "no redemption");
    }

    function test_constructor_failsIfTheAdminIsZero() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector, address(0)
            )
        );
        new FiveSOfficeVouchers(address(0), 0);
    }

    function test_grantRole_failsIfNotAdmin() public {
        bytes32[2] memory roles = [vouchers.MINTER_ROLE(), vouchers.PAUSER_ROLE()];
        bytes32 adminRole = vouchers.ADMIN_ROLE();
        address[3] memory others = [minter, pauser, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            for (uint256 j = 0; j < roles.length; ++j) {
                expectUnauthorized(others[i], adminRole);
                vm.prank(others[i]);
                vouchers.grantRole(roles[j], stranger);
                expectUnauthorized(others[i], adminRole);
                vm.prank(others[i]);
                vouchers.revokeRole(roles[j], minter);
            }
        }
    }

    function test_grantRole_cannotMakeASecondAdmin() public {
        bytes32 role = vouchers.ADMIN_ROLE();
        bytes4 refusal = IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminRules.selector;
        vm.startPrank(admin);
        vm.expectRevert(refusal);
        vouchers.grantRole(role, stranger);
        vm.expectRevert(refusal);
        vouchers.revokeRole(role, admin);
        vm.stopPrank();
        vm.assertTrue(!vouchers.hasRole(role, stranger), "no second admin");
    }

    function test_adminTransfer_needsDelayAndAcceptance() public {
        bytes32 role = vouchers.ADMIN_ROLE();
        vm.prank(admin);
        vouchers.beginDefaultAdminTransfer(stranger);
        vm.assertEq(vouchers.defaultAdmin(), admin, "not yet");

        vm.warp(NOW + ADMIN_DELAY);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminDelay.selector, NOW + ADMIN_DELAY
            )
        );
        vm.prank(stranger);
        vouchers.acceptDefaultAdminTransfer();

        vm.warp(NOW + ADMIN_DELAY + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector, minter
            )
        );
        vm.prank(minter);
        vouchers.acceptDefaultAdminTransfer();

        vm.prank(stranger);
        vouchers.acceptDefaultAdminTransfer();
        vm.assertEq(vouchers.defaultAdmin(), stranger, "new admin");
        vm.assertTrue(!vouchers.hasRole(role, admin), "the old one has gone");
        expectUnauthorized(admin, role);
        vm.prank(admin);
        vouchers.createVoucherType(3001, 5, "");
        vm.prank(stranger);
        vouchers.createVoucherType(3001, 5, "");
    }

    function test_adminTransfer_failsIfNotAdmin() public {
        bytes32 role = vouchers.ADMIN_ROLE();
        vm.startPrank(stranger);
        expectUnauthorized(stranger, role);
        vouchers.beginDefaultAdminTransfer(stranger);
        expectUnauthorized(stranger, role);
        vouchers.cancelDefaultAdminTransfer();
        expectUnauthorized(stranger, role);
        vouchers.changeDefaultAdminDelay(0);
        expectUnauthorized(stranger, role);
        vouchers.rollbackDefaultAdminDelay();
        vm.stopPrank();
    }

    function test_adminTransfer_canBeCancelled() public {
        vm.startPrank(admin);
        vouchers.beginDefaultAdminTransfer(stranger);
        vouchers.cancelDefaultAdminTransfer();
        vm.stopPrank();
        vm.warp(NOW + ADMIN_DELAY + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector, stranger
            )
        );
        vm.prank(stranger);
        vouchers.acceptDefaultAdminTransfer();
    }

    function test_adminTransfer_failsIfTheNewAdminIsZero() public {
        bytes32 role = vouchers.ADMIN_ROLE();
        vm.startPrank(admin);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector, address(0)
            )
        );
        vouchers.beginDefaultAdminTransfer(address(0));
        vm.warp(NOW + 10 * uint256(ADMIN_DELAY));
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminDelay.selector, 0
            )
        );
        vouchers.renounceRole(role, admin);
        vm.stopPrank();
        vm.assertEq(vouchers.defaultAdmin(), admin, "still the admin");
    }

    function test_transfer_movesVouchersOnlyForTheHolderOrAnOperator() public {
        vm.expectRevert();
        vm.prank(stranger);
        vouchers.safeTransferFrom(customer, stranger, ROOM, 1, "");
        vm.prank(customer);
        vouchers.setApprovalForAll(stranger, true);
        expectEvent();
        emit IERC1155.TransferSingle(stranger, customer, stranger, ROOM, 1);
        vm.prank(stranger);
        vouchers.safeTransferFrom(customer, stranger, ROOM, 1, "");
        vm.assertEq(vouchers.balanceOf(customer, ROOM), 9, "customer");
        vm.assertEq(vouchers.balanceOf(stranger, ROOM), 1, "operator");
    }
}
