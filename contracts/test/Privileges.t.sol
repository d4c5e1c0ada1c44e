// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IAccessControlDefaultAdminRules} from
    "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {IERC5313} from "@openzeppelin/contracts/interfaces/IERC5313.sol";
import {VouchersTest} from "./utils/VouchersTest.sol";

/// @dev Every privileged function against every kind of caller.
contract PrivilegesTest is VouchersTest {
    struct Privileged {
        string name;
        bytes call;
        bytes32 role;
    }

    address internal immutable operator = address(0x09E7);
    address internal immutable formerAdmin = address(0xA11CE);
    address internal immutable currentAdmin = address(0xA11CE2);
    address internal immutable proposedAdmin = address(0xA11CE3);
    address internal immutable formerMinter = address(0xB0B2);
    address internal immutable formerPauser = address(0xCAFE2);
    bytes32 internal adminRole;
    bytes32 internal minterRole;
    bytes32 internal pauserRole;

    /// @dev A contract with a past: each role was held by another before, and the admin is about to move.
    function setUp() public override {
        super.setUp();
        (adminRole, minterRole, pauserRole) =
            (vouchers.ADMIN_ROLE(), vouchers.MINTER_ROLE(), vouchers.PAUSER_ROLE());
        vm.prank(customer);
        vouchers.setApprovalForAll(operator, true);
        vm.startPrank(admin);
        vouchers.grantRole(minterRole, formerMinter);
        vouchers.revokeRole(minterRole, formerMinter);
        vouchers.grantRole(pauserRole, formerPauser);
        vouchers.revokeRole(pauserRole, formerPauser);
        vouchers.beginDefaultAdminTransfer(currentAdmin);
        vm.stopPrank();
        vm.warp(NOW + ADMIN_DELAY + 1);
        vm.startPrank(currentAdmin);
        vouchers.acceptDefaultAdminTransfer();
        vouchers.beginDefaultAdminTransfer(proposedAdmin);
        vm.stopPrank();
    }

    function callers() internal view returns (address[] memory all) {
        all = new address[](11);
        (all[0], all[1], all[2], all[3]) = (stranger, customer, operator, address(vouchers));
        (all[4], all[5], all[6], all[7]) = (currentAdmin, minter, pauser, formerAdmin);
        (all[8], all[9], all[10]) = (formerMinter, formerPauser, proposedAdmin);
    }

    /// @dev Each succeeds for its role in the state that setUp leaves, or, for `unpause`, when paused.
    function privileged() internal view returns (Privileged[] memory all) {
        all = new Privileged[](14);
        all[0] = Privileged(
            "createVoucherType", abi.encodeCall(vouchers.createVoucherType, (3001, 5, "ipfs://x")), adminRole
        );
        all[1] = Privileged(
            "setVoucherTypeEnabled", abi.encodeCall(vouchers.setVoucherTypeEnabled, (ROOM, false)), adminRole
        );
        all[2] = Privileged("setTokenURI", abi.encodeCall(vouchers.setTokenURI, (ROOM, "ipfs://x")), adminRole);
        all[3] = Privileged("pause", abi.encodeCall(vouchers.pause, ()), pauserRole);
        all[4] = Privileged("unpause", abi.encodeCall(vouchers.unpause, ()), adminRole);
        all[5] = Privileged("grantRole", abi.encodeCall(vouchers.grantRole, (minterRole, stranger)), adminRole);
        all[6] = Privileged("revokeRole", abi.encodeCall(vouchers.revokeRole, (minterRole, minter)), adminRole);
        all[7] = Privileged(
            "beginDefaultAdminTransfer",
            abi.encodeCall(vouchers.beginDefaultAdminTransfer, (stranger)),
            adminRole
        );
        all[8] = Privileged(
            "cancelDefaultAdminTransfer", abi.encodeCall(vouchers.cancelDefaultAdminTransfer, ()), adminRole
        );
        all[9] = Privileged(
            "changeDefaultAdminDelay", abi.encodeCall(vouchers.changeDefaultAdminDelay, (2 days)), adminRole
        );
        all[10] = Privileged(
            "rollbackDefaultAdminDelay", abi.encodeCall(vouchers.rollbackDefaultAdminDelay, ()), adminRole
        );
        all[11] = Privileged("mint", abi.encodeCall(vouchers.mint, (stranger, ROOM, 1)), minterRole);
        all[12] =
            Privileged("mintBatch", abi.encodeCall(vouchers.mintBatch, (stranger, list(ROOM), list(1))), minterRole);
        address[] memory recipients = new address[](1);
        recipients[0] = stranger;
        bytes32 batchId = vouchers.batchIdOf(ROOM, recipients, list(1), 0);
        all[13] = Privileged(
            "airdrop", abi.encodeCall(vouchers.airdrop, (batchId, ROOM, recipients, list(1), 0)), minterRole
        );
    }

    function list(uint256 value) internal pure returns (uint256[] memory values) {
        values = new uint256[](1);
        values[0] = value;
    }

    function mayCall(address caller, Privileged memory each) internal view returns (bool) {
        if (caller == currentAdmin && each.role == pauserRole) return true;
        return (each.role == adminRole && caller == currentAdmin) || (each.role == minterRole && caller == minter)
            || (each.role == pauserRole && caller == pauser);
    }

    function check(Privileged memory each) internal {
        address[] memory all = callers();
        for (uint256 i = 0; i < all.length; ++i) {
            uint256 state = vm.snapshotState();
            vm.prank(all[i]);
            (bool done, bytes memory returned) = address(vouchers).call(each.call);
            string memory what = string.concat(each.name, " by caller ", vm.toString(i));
            vm.assertEq(done, mayCall(all[i], each), what);
            if (!done) {
                vm.assertEq(
                    returned,
                    abi.encodeWithSelector(
                        IAccessControl.AccessControlUnauthorizedAccount.selector, all[i], each.role
                    ),
                    what
                );
            }
            vm.revertToState(state);
        }
    }

    function test_privileges_areEachRolesAlone() public {
        Privileged[] memory all = privileged();
        for (uint256 i = 0; i < all.length; ++i) {
            uint256 state = vm.snapshotState();
            if (keccak256(bytes(all[i].name)) == keccak256("unpause")) pauseContract();
            check(all[i]);
            vm.revertToState(state);
        }
    }

    /// @dev Roles work while paused, and stay as far apart.
    function test_privileges_areEachRolesAloneWhilePaused() public {
        pauseContract();
        Privileged[] memory all = privileged();
        for (uint256 i = 0; i < all.length; ++i) {
            if (all[i].role == adminRole) check(all[i]);
        }
    }

    /// @dev A function added to the contract belongs in `privileged()` or among those anyone may call.
    function test_privileges_areAllListed() public view {
        string[8] memory open = [
            "redeemAndBurn",
            "redeemOrder",
            "redeemOrderBySig",
            "safeTransferFrom",
            "safeBatchTransferFrom",
            "setApprovalForAll",
            "renounceRole",
            "acceptDefaultAdminTransfer"
        ];
        Privileged[] memory all = privileged();
        string memory artifact = vm.readFile("abi/FiveSOfficeVouchers.json");
        uint256 writing;
        for (uint256 i = 0; vm.keyExistsJson(artifact, entry(i, "type")); ++i) {
            if (!equal(vm.parseJsonString(artifact, entry(i, "type")), "function")) continue;
            string memory mutability = vm.parseJsonString(artifact, entry(i, "stateMutability"));
            if (equal(mutability, "view") || equal(mutability, "pure")) continue;
            string memory name = vm.parseJsonString(artifact, entry(i, "name"));
            bool listed;
            for (uint256 j = 0; j < open.length; ++j) {
                listed = listed || equal(name, open[j]);
            }
            for (uint256 j = 0; j < all.length; ++j) {
                listed = listed || equal(name, all[j].name);
            }
            vm.assertTrue(listed, name);
            ++writing;
        }
        vm.assertEq(writing, all.length + open.length, "functions that change state");
    }

    function entry(uint256 index, string memory field) internal pure returns (string memory) {
        return string.concat(".abi[", vm.toString(index), "].", field);
    }

    function equal(string memory left, string memory right) internal pure returns (bool) {
        return keccak256(bytes(left)) == keccak256(bytes(right));
    }

    // ------------------------------------------------------------------------- the single admin

    function test_roles_areAdministeredByTheAdmin() public view {
        vm.assertEq(vouchers.getRoleAdmin(adminRole), adminRole, "of the admin");
        vm.assertEq(vouchers.getRoleAdmin(minterRole), adminRole, "of minters");
        vm.assertEq(vouchers.getRoleAdmin(pauserRole), adminRole, "of pausers");
    }

    function test_admin_isOne() public view {
        address[] memory all = callers();
        for (uint256 i = 0; i < all.length; ++i) {
            vm.assertEq(vouchers.hasRole(adminRole, all[i]), all[i] == currentAdmin, "admin role");
        }
        vm.assertEq(IERC5313(address(vouchers)).owner(), currentAdmin, "owner");
    }

    function test_acceptDefaultAdminTransfer_failsIfNotTheProposed() public {
        vm.warp(block.timestamp + ADMIN_DELAY + 1);
        address[] memory all = callers();
        for (uint256 i = 0; i < all.length; ++i) {
            if (all[i] == proposedAdmin) continue;
            vm.expectRevert(
                abi.encodeWithSelector(
                    IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector, all[i]
                )
            );
            vm.prank(all[i]);
            vouchers.acceptDefaultAdminTransfer();
        }
        vm.prank(proposedAdmin);
        vouchers.acceptDefaultAdminTransfer();
        vm.assertEq(vouchers.defaultAdmin(), proposedAdmin, "moved");
    }

    function test_acceptDefaultAdminTransfer_failsIfAnotherWasProposedSince() public {
        vm.prank(currentAdmin);
        vouchers.beginDefaultAdminTransfer(stranger);
        vm.warp(block.timestamp + ADMIN_DELAY + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector, proposedAdmin
            )
        );
        vm.prank(proposedAdmin);
        vouchers.acceptDefaultAdminTransfer();
    }

    function test_renounceRole_failsForTheAdminRole() public {
        vm.startPrank(currentAdmin);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminDelay.selector,
                uint48(block.timestamp) + ADMIN_DELAY
            )
        );
        vouchers.renounceRole(adminRole, currentAdmin);
        vouchers.cancelDefaultAdminTransfer();
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminDelay.selector, 0
            )
        );
        vouchers.renounceRole(adminRole, currentAdmin);
        vm.stopPrank();
        vm.assertEq(vouchers.defaultAdmin(), currentAdmin, "still the admin");
    }

    function test_renounceRole_isTheHoldersAlone() public {
        vm.expectRevert(IAccessControl.AccessControlBadConfirmation.selector);
        vm.prank(currentAdmin);
        vouchers.renounceRole(minterRole, minter);
        vm.prank(minter);
        vouchers.renounceRole(minterRole, minter);
        expectUnauthorized(minter, minterRole);
        vm.prank(minter);
        vouchers.mint(minter, ROOM, 1);
    }

    function test_changeDefaultAdminDelay_takesEffectAfterItsOwnWait() public {
        vm.startPrank(currentAdmin);
        // Shorter: the difference is waited for, so that a stolen key gains no time.
        vouchers.changeDefaultAdminDelay(1 hours);
        uint256 start = block.timestamp;
        vm.assertEq(vouchers.defaultAdminDelay(), ADMIN_DELAY, "not yet");
        vm.warp(start + ADMIN_DELAY - 1 hours);
        vm.assertEq(vouchers.defaultAdminDelay(), ADMIN_DELAY, "not in the last second");
        vm.warp(start + ADMIN_DELAY - 1 hours + 1);
        vm.assertEq(vouchers.defaultAdminDelay(), 1 hours, "now");

        // Longer: after the new delay, or five days.
        vouchers.changeDefaultAdminDelay(30 days);
        start = block.timestamp;
        vm.warp(start + 5 days);
        vm.assertEq(vouchers.defaultAdminDelay(), 1 hours, "not yet longer");
        vouchers.rollbackDefaultAdminDelay();
        vm.warp(start + 5 days + 1);
        vm.assertEq(vouchers.defaultAdminDelay(), 1 hours, "rolled back");
        vm.stopPrank();
    }
}
