// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessControlDefaultAdminRules} from
    "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {IERC5313} from "@openzeppelin/contracts/interfaces/IERC5313.sol";
import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC1155MetadataURI} from "@openzeppelin/contracts/token/ERC1155/extensions/IERC1155MetadataURI.sol";
import {FiveSOfficeVouchers} from "../src/FiveSOfficeVouchers.sol";
import {VouchersTest} from "./utils/VouchersTest.sol";

contract VoucherTypesTest is VouchersTest {
    function test_createVoucherType_storesTheTypeEnabled() public {
        expectEvent();
        emit FiveSOfficeVouchers.VoucherTypeCreated(3001, 7, "ipfs://3001");
        expectEvent();
        emit IERC1155.URI("ipfs://3001", 3001);
        vm.prank(admin);
        vouchers.createVoucherType(3001, 7, "ipfs://3001");

        FiveSOfficeVouchers.VoucherType memory books = vouchers.voucherType(3001);
        vm.assertEq(books.maxSupply, 7, "max supply");
        vm.assertEq(books.minted, 0, "minted");
        vm.assertEq(books.redeemed, 0, "redeemed");
        vm.assertTrue(books.exists, "exists");
        vm.assertTrue(books.enabled, "enabled");
        vm.assertEq(vouchers.maxSupply(3001), 7, "max supply view");
        vm.assertEq(vouchers.uri(3001), "ipfs://3001", "uri");
    }

    function test_createVoucherType_failsIfNotAdmin() public {
        bytes32 role = vouchers.ADMIN_ROLE();
        address[3] memory others = [minter, pauser, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            expectUnauthorized(others[i], role);
            vm.prank(others[i]);
            vouchers.createVoucherType(3001, 7, "");
        }
        vm.assertTrue(!vouchers.voucherType(3001).exists, "not created");
    }

    function test_createVoucherType_failsIfItExists() public {
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.VoucherTypeExists.selector, ROOM));
        vm.prank(admin);
        vouchers.createVoucherType(ROOM, 5, "");
        vm.assertEq(vouchers.maxSupply(ROOM), ROOM_SUPPLY, "max supply unchanged");
    }

    function test_createVoucherType_failsIfMaxSupplyIsZero() public {
        vm.expectRevert(FiveSOfficeVouchers.ZeroMaxSupply.selector);
        vm.prank(admin);
        vouchers.createVoucherType(3001, 0, "");
    }

    function test_setVoucherTypeEnabled_switchesOffAndOnAndKeepsTheBooks() public {
        expectEvent();
        emit FiveSOfficeVouchers.VoucherTypeEnabledSet(ROOM, false);
        setEnabled(ROOM, false);
        vm.assertTrue(!vouchers.voucherType(ROOM).enabled, "off");
        vm.assertTrue(vouchers.voucherType(ROOM).exists, "still exists");
        vm.assertEq(vouchers.minted(ROOM), 10, "minted kept");
        vm.assertTrue(vouchers.voucherType(PRINT).enabled, "the other type is untouched");

        expectEvent();
        emit FiveSOfficeVouchers.VoucherTypeEnabledSet(ROOM, true);
        setEnabled(ROOM, true);
        vm.assertTrue(vouchers.voucherType(ROOM).enabled, "on");
        vm.assertEq(vouchers.maxSupply(ROOM), ROOM_SUPPLY, "max supply kept");
    }

    function test_setVoucherTypeEnabled_leavesTransfersPossible() public {
        setEnabled(ROOM, false);
        vm.prank(customer);
        vouchers.safeTransferFrom(customer, stranger, ROOM, 3, "");
        vm.assertEq(vouchers.balanceOf(stranger, ROOM), 3, "transferred");
    }

    function test_setVoucherTypeEnabled_failsIfNotAdmin() public {
        bytes32 role = vouchers.ADMIN_ROLE();
        address[4] memory others = [minter, pauser, stranger, customer];
        for (uint256 i = 0; i < others.length; ++i) {
            expectUnauthorized(others[i], role);
            vm.prank(others[i]);
            vouchers.setVoucherTypeEnabled(ROOM, false);
        }
    }

    function test_setVoucherTypeEnabled_failsIfTheTypeIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.UnknownVoucherType.selector, UNKNOWN));
        setEnabled(UNKNOWN, true);
    }

    function test_setTokenURI_replacesTheURI() public {
        expectEvent();
        emit FiveSOfficeVouchers.TokenURIUpdated(ROOM, "ipfs://new");
        expectEvent();
        emit IERC1155.URI("ipfs://new", ROOM);
        vm.prank(admin);
        vouchers.setTokenURI(ROOM, "ipfs://new");
        vm.assertEq(vouchers.uri(ROOM), "ipfs://new", "new");
        vm.assertEq(vouchers.uri(PRINT), "https://vouchers.test/metadata/2001", "the other type is untouched");
    }

    function test_setTokenURI_failsIfNotAdmin() public {
        bytes32 role = vouchers.ADMIN_ROLE();
        address[3] memory others = [minter, pauser, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            expectUnauthorized(others[i], role);
            vm.prank(others[i]);
            vouchers.setTokenURI(ROOM, "ipfs://new");
        }
    }

    function test_setTokenURI_failsIfTheTypeIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.UnknownVoucherType.selector, UNKNOWN));
        vm.prank(admin);
        vouchers.setTokenURI(UNKNOWN, "ipfs://new");
    }

    function test_uri_isEmptyForAnUnknownType() public view {
        vm.assertEq(vouchers.uri(UNKNOWN), "", "empty");
    }

    function test_supportsInterface_namesWhatTheContractIs() public view {
        vm.assertTrue(vouchers.supportsInterface(0x01ffc9a7), "ERC-165");
        vm.assertTrue(vouchers.supportsInterface(0xd9b67a26), "ERC-1155");
        vm.assertTrue(vouchers.supportsInterface(type(IERC1155MetadataURI).interfaceId), "ERC-1155 metadata");
        vm.assertTrue(
            vouchers.supportsInterface(type(IAccessControlDefaultAdminRules).interfaceId), "default admin rules"
        );
        vm.assertTrue(!vouchers.supportsInterface(0xffffffff), "not everything");
        vm.assertEq(IERC5313(address(vouchers)).owner(), admin, "owner");
    }
}
