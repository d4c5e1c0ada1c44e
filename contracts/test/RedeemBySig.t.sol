// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {FiveSOfficeVouchers} from "../src/FiveSOfficeVouchers.sol";
import {ContractWallet, Deaf, Delegate} from "./utils/Receivers.sol";
import {VouchersTest} from "./utils/VouchersTest.sol";

contract RedeemBySigTest is VouchersTest {
    uint256 internal constant OTHER_KEY = 0xBAD;

    function redeem(FiveSOfficeVouchers.Order memory order, bytes32 orderHash, bytes memory signature) internal {
        vm.prank(stranger);
        vouchers.redeemOrderBySig(order, orderHash, signature);
    }

    function expectInvalidSignature(address signer) internal {
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.InvalidSignature.selector, signer));
    }

    function digest(bytes32 orderHash) internal view returns (bytes32) {
        return digestOf(orderHash, block.chainid, address(vouchers));
    }

    function test_redeemOrderBySig_burnsTheCustomersForWhoeverSubmits() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        bytes memory signature = customerSignature(orderHash);
        expectEvent();
        emit IERC1155.TransferSingle(stranger, customer, address(0), ROOM, 2);
        expectEvent();
        emit FiveSOfficeVouchers.VoucherRedeemed(customer, ROOM, 2, orderHash, 1);
        redeem(order, orderHash, signature);
        assertBooks({balance: 8, redeemed: 2, count: 1});
        vm.assertTrue(vouchers.isRedeemed(customer, orderHash), "redeemed by the customer");
        vm.assertTrue(!vouchers.isRedeemed(stranger, orderHash), "not by the submitter");
    }

    function test_redeemOrderBySig_failsIfAnotherSigned() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        expectInvalidSignature(customer);
        redeem(order, orderHash, signatureBy(OTHER_KEY, digest(orderHash)));
        assertBooks({balance: 10, redeemed: 0, count: 0});
    }

    function test_redeemOrderBySig_failsIfAnyFieldIsChanged() public {
        bytes32 signedHash = vouchers.orderHashOf(validOrder());
        bytes memory signature = customerSignature(signedHash);
        for (uint256 field = 0; field < 6; ++field) {
            FiveSOfficeVouchers.Order memory order = validOrder();
            if (field == 0) order.orderRef = keccak256("ORD_another");
            if (field == 1) order.customer = stranger;
            if (field == 2) order.tokenId = PRINT;
            if (field == 3) order.amount += 1;
            if (field == 4) order.siteRef = keccak256("");
            if (field == 5) order.expiresAt += 1;
            bytes32 changedHash = vouchers.orderHashOf(order);
            vm.expectRevert(
                abi.encodeWithSelector(FiveSOfficeVouchers.OrderHashMismatch.selector, changedHash, signedHash)
            );
            redeem(order, signedHash, signature);
            expectInvalidSignature(order.customer);
            redeem(order, changedHash, signature);
        }
        assertBooks({balance: 10, redeemed: 0, count: 0});
    }

    function test_redeemOrderBySig_failsOnAnotherChain() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        bytes memory signature = customerSignature(orderHash);
        // The same contract after a fork of its chain: a cached domain separator would accept.
        vm.chainId(block.chainid + 1);
        expectInvalidSignature(customer);
        redeem(order, orderHash, signature);
    }

    function test_redeemOrderBySig_failsForAnotherContract() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        expectInvalidSignature(customer);
        redeem(order, orderHash, signatureBy(CUSTOMER_KEY, digestOf(orderHash, block.chainid, address(this))));
    }

    function test_redeemOrderBySig_failsIfTheBareHashIsSigned() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        expectInvalidSignature(customer);
        redeem(order, orderHash, signatureBy(CUSTOMER_KEY, orderHash));
    }

    function test_redeemOrderBySig_failsIfMalformed() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(CUSTOMER_KEY, digest(orderHash));
        bytes[5] memory malformed = [
            bytes(""),
            abi.encodePacked(r, s),
            abi.encodePacked(r, s, v, uint8(0)),
            abi.encodePacked(r, s, v - 27),
            new bytes(65)
        ];
        for (uint256 i = 0; i < malformed.length; ++i) {
            expectInvalidSignature(customer);
            redeem(order, orderHash, malformed[i]);
        }
    }

    function test_redeemOrderBySig_failsForTheMirroredSignature() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(CUSTOMER_KEY, digest(orderHash));
        uint256 curveOrder = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        expectInvalidSignature(customer);
        redeem(order, orderHash, abi.encodePacked(r, bytes32(curveOrder - uint256(s)), v == 27 ? 28 : 27));
    }

    /// @dev ecrecover answers address zero for nonsense, which must not pass as a customer.
    function test_redeemOrderBySig_failsForCustomerZero() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        order.customer = address(0);
        bytes32 orderHash = vouchers.orderHashOf(order);
        expectInvalidSignature(address(0));
        redeem(order, orderHash, new bytes(65));
    }

    function test_redeemOrderBySig_failsIfExpired() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        bytes memory signature = customerSignature(orderHash);
        vm.warp(uint256(order.expiresAt) + 1);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.OrderExpired.selector, order.expiresAt));
        redeem(order, orderHash, signature);
    }

    function test_redeemOrderBySig_failsIfTheExpiryIsTooFar() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        order.expiresAt = uint64(NOW + 7 days + 1);
        bytes32 orderHash = vouchers.orderHashOf(order);
        bytes memory signature = customerSignature(orderHash);
        vm.expectRevert(
            abi.encodeWithSelector(FiveSOfficeVouchers.ExpiryTooFar.selector, order.expiresAt, NOW + 7 days)
        );
        redeem(order, orderHash, signature);
    }

    function test_redeemOrderBySig_failsIfReplayed() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        bytes memory signature = customerSignature(orderHash);
        redeem(order, orderHash, signature);
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.AlreadyRedeemed.selector, customer, orderHash));
        redeem(order, orderHash, signature);
        assertBooks({balance: 8, redeemed: 2, count: 1});
    }

    // ----------------------------------------------------------------- wallets that are contracts

    function walletOrder(address wallet) internal returns (FiveSOfficeVouchers.Order memory order) {
        vm.prank(minter);
        vouchers.mint(wallet, ROOM, 2);
        order = validOrder();
        order.customer = wallet;
    }

    function test_redeemOrderBySig_acceptsAContractWalletsSignature() public {
        address wallet = address(new ContractWallet(customer));
        FiveSOfficeVouchers.Order memory order = walletOrder(wallet);
        bytes32 orderHash = vouchers.orderHashOf(order);
        redeem(order, orderHash, customerSignature(orderHash));
        vm.assertEq(vouchers.balanceOf(wallet, ROOM), 0, "the wallet's vouchers are burned");
        vm.assertEq(vouchers.balanceOf(customer, ROOM), 10, "the owner's are not");
        vm.assertTrue(vouchers.isRedeemed(wallet, orderHash), "redeemed by the wallet");
    }

    function test_redeemOrderBySig_failsIfTheContractWalletRefuses() public {
        address wallet = address(new ContractWallet(customer));
        FiveSOfficeVouchers.Order memory order = walletOrder(wallet);
        bytes32 orderHash = vouchers.orderHashOf(order);
        expectInvalidSignature(wallet);
        redeem(order, orderHash, signatureBy(OTHER_KEY, digest(orderHash)));
    }

    function test_redeemOrderBySig_failsForAContractWithoutSignatures() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        order.customer = address(new Deaf());
        bytes32 orderHash = vouchers.orderHashOf(order);
        expectInvalidSignature(order.customer);
        redeem(order, orderHash, customerSignature(orderHash));
    }

    function test_redeemOrderBySig_acceptsTheKeyOfADelegatedAccount() public {
        // EIP-7702: the account's code is 0xef0100 and the address of its delegate.
        vm.etch(customer, abi.encodePacked(hex"ef0100", address(new Delegate())));
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        redeem(order, orderHash, customerSignature(orderHash));
        assertBooks({balance: 8, redeemed: 2, count: 1});

        order.orderRef = keccak256("ORD_another");
        orderHash = vouchers.orderHashOf(order);
        expectInvalidSignature(customer);
        redeem(order, orderHash, signatureBy(OTHER_KEY, digest(orderHash)));
    }

    function testFuzz_redeemOrderBySig_acceptsTheCustomersKeyOnly(uint256 customerKey, uint256 signerKey) public {
        customerKey = bound(customerKey, 1, type(uint128).max);
        signerKey = bound(signerKey, 1, type(uint128).max);
        address holder = vm.addr(customerKey);
        FiveSOfficeVouchers.Order memory order = walletOrder(holder);
        bytes32 orderHash = vouchers.orderHashOf(order);
        if (signerKey != customerKey) {
            expectInvalidSignature(holder);
            redeem(order, orderHash, signatureBy(signerKey, digest(orderHash)));
        }
        redeem(order, orderHash, signatureBy(customerKey, digest(orderHash)));
        vm.assertEq(vouchers.balanceOf(holder, ROOM), 0, "burned");
    }
}
