// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";
import {FiveSOfficeVouchers} from "../src/FiveSOfficeVouchers.sol";
import {Vm} from "./utils/Vm.sol";
import {VouchersTest} from "./utils/VouchersTest.sol";

/// @dev Takes vouchers that come without data.
contract WantsNoData is ERC1155Holder {
    error UnexpectedData(bytes data);

    function onERC1155Received(address, address, uint256, uint256, bytes memory data)
        public
        pure
        override
        returns (bytes4)
    {
        if (data.length > 0) revert UnexpectedData(data);
        return this.onERC1155Received.selector;
    }

    function onERC1155BatchReceived(address, address, uint256[] memory, uint256[] memory, bytes memory data)
        public
        pure
        override
        returns (bytes4)
    {
        if (data.length > 0) revert UnexpectedData(data);
        return this.onERC1155BatchReceived.selector;
    }
}

/// @dev What mutation testing (contracts/mutate.py) found that no other test held the contract to.
contract MutantsTest is VouchersTest {
    bytes32 internal constant URI = keccak256("URI(string,uint256)");

    /// @dev Tools outside the contract compute the roles from their names.
    function test_roles_areTheHashesOfTheirNames() public view {
        vm.assertEq(vouchers.ADMIN_ROLE(), bytes32(0), "ADMIN_ROLE");
        vm.assertEq(vouchers.MINTER_ROLE(), keccak256("MINTER_ROLE"), "MINTER_ROLE");
        vm.assertEq(vouchers.PAUSER_ROLE(), keccak256("PAUSER_ROLE"), "PAUSER_ROLE");
    }

    function test_createVoucherType_failsIfItExistsDisabled() public {
        setEnabled(ROOM, false);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.VoucherTypeExists.selector, ROOM));
        vm.prank(admin);
        vouchers.createVoucherType(ROOM, 5, "");
    }

    function test_setTokenURI_worksForADisabledType() public {
        setEnabled(ROOM, false);
        vm.prank(admin);
        vouchers.setTokenURI(ROOM, "https://vouchers.test/another");
        vm.assertEq(vouchers.uri(ROOM), "https://vouchers.test/another", "uri");
    }

    function test_mint_sendsNoData() public {
        address to = address(new WantsNoData());
        (uint256[] memory tokenIds, uint256[] memory amounts) = (new uint256[](2), new uint256[](2));
        (tokenIds[0], tokenIds[1], amounts[0], amounts[1]) = (ROOM, PRINT, 1, 1);
        address[] memory recipients = new address[](2);
        (recipients[0], recipients[1]) = (to, to);
        bytes32 batchId = vouchers.batchIdOf(ROOM, recipients, amounts, "salt");
        vm.startPrank(minter);
        vouchers.mint(to, ROOM, 1);
        vouchers.mintBatch(to, tokenIds, amounts);
        vouchers.airdrop(batchId, ROOM, recipients, amounts, "salt");
        vm.stopPrank();
        vm.assertEq(vouchers.balanceOf(to, ROOM), 4, "balance");
    }

    function test_mintBatch_looksAtLengthsFirst() public {
        (uint256[] memory tokenIds, uint256[] memory amounts) = (new uint256[](1), new uint256[](2));
        tokenIds[0] = UNKNOWN;
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidArrayLength.selector, 1, 2));
        vm.prank(minter);
        vouchers.mintBatch(stranger, tokenIds, amounts);
    }

    function test_airdrop_failsIfAnAmountHasNoRecipient() public {
        (address[] memory recipients, uint256[] memory amounts) = (new address[](1), new uint256[](2));
        (recipients[0], amounts[0], amounts[1]) = (stranger, 1, 1);
        bytes32 batchId = keccak256(abi.encode(ROOM, recipients, amounts, bytes32("salt")));
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidArrayLength.selector, 1, 2));
        vm.prank(minter);
        vouchers.airdrop(batchId, ROOM, recipients, amounts, "salt");
    }

    function test_redeemOrder_failsIfAnAccountOnEitherSideCallsIt() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        address[2] memory others = [address(uint160(customer) - 1), address(uint160(customer) + 1)];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(FiveSOfficeVouchers.NotCustomer.selector, others[i], customer)
            );
            vm.prank(others[i]);
            vouchers.redeemOrder(order, orderHash);
        }
        assertBooks({balance: 10, redeemed: 0, count: 0});
    }

    /// @dev An amount that would overflow the books is refused for what it is: more than the balance.
    function test_redeemAndBurn_namesTheBalanceAlsoForHugeAmounts() public {
        vm.startPrank(customer);
        vouchers.redeemAndBurn(ROOM, 1, "first");
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC1155Errors.ERC1155InsufficientBalance.selector, customer, 9, type(uint64).max, ROOM
            )
        );
        vouchers.redeemAndBurn(ROOM, type(uint64).max, "second");
        vm.stopPrank();
    }

    function test_redeemAndBurn_countsMoreThanFitsInto32Bits() public {
        uint256 amount = uint256(type(uint32).max) + 2;
        vm.prank(minter);
        vouchers.mint(customer, PRINT, amount);
        vm.prank(customer);
        vouchers.redeemAndBurn(PRINT, amount, HASH);
        vm.assertEq(vouchers.redeemed(PRINT), amount, "redeemed");
    }

    /// @dev Our event comes before that of ERC-1155, everywhere the same.
    function test_events_ourOwnComesFirst() public {
        vm.recordLogs();
        vm.prank(minter);
        vouchers.mint(stranger, ROOM, 1);
        assertOrder(FiveSOfficeVouchers.VoucherMinted.selector, IERC1155.TransferSingle.selector);

        address[] memory recipients = new address[](1);
        uint256[] memory amounts = new uint256[](1);
        (recipients[0], amounts[0]) = (stranger, 1);
        bytes32 batchId = vouchers.batchIdOf(ROOM, recipients, amounts, "salt");
        vm.prank(minter);
        vouchers.airdrop(batchId, ROOM, recipients, amounts, "salt");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs[0].topics[0], FiveSOfficeVouchers.BatchMinted.selector, "first");
        vm.assertEq(logs[1].topics[0], FiveSOfficeVouchers.VoucherMinted.selector, "second");
        vm.assertEq(logs[2].topics[0], IERC1155.TransferSingle.selector, "third");

        vm.prank(admin);
        vouchers.createVoucherType(UNKNOWN, 1, "a");
        assertOrder(FiveSOfficeVouchers.VoucherTypeCreated.selector, URI);
        vm.prank(admin);
        vouchers.setTokenURI(UNKNOWN, "b");
        assertOrder(FiveSOfficeVouchers.TokenURIUpdated.selector, URI);
    }

    function assertOrder(bytes32 first, bytes32 second) internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 2, "logs");
        vm.assertEq(logs[0].topics[0], first, "first");
        vm.assertEq(logs[1].topics[0], second, "second");
    }
}
