// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {FiveSOfficeVouchers} from "../src/FiveSOfficeVouchers.sol";
import {Answering, ContractWallet, Deaf, Delegate, GasBurner, Reverting} from "./utils/Receivers.sol";
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

    /// @dev Code at the customer's own address, which holds ten vouchers already.
    function expectRefusedFor(address code) internal {
        vm.etch(customer, code.code);
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        bytes memory signature = signatureBy(OTHER_KEY, digest(orderHash));
        expectInvalidSignature(customer);
        redeem(order, orderHash, signature);
        assertBooks({balance: 10, redeemed: 0, count: 0});
    }

    function test_redeemOrderBySig_failsIfTheContractWalletReverts() public {
        expectRefusedFor(address(new Reverting()));
    }

    function test_redeemOrderBySig_failsIfTheContractWalletBurnsAllGas() public {
        expectRefusedFor(address(new GasBurner()));
    }

    function test_redeemOrderBySig_failsIfTheContractWalletAnswersAnythingElse() public {
        bytes4 magic = IERC1271.isValidSignature.selector;
        bytes[7] memory answers = [
            bytes(""),
            abi.encodePacked(magic), // too short
            abi.encodePacked(magic, new bytes(27)), // one byte too short
            abi.encode(bytes32(uint256(uint32(magic)))), // at the wrong end
            abi.encodePacked(magic, new bytes(27), uint8(1)), // with dirt behind it
            abi.encode(true),
            abi.encodePacked(type(uint256).max, magic, new bytes(28)) // in the second word
        ];
        for (uint256 i = 0; i < answers.length; ++i) {
            Answering wallet = new Answering(answers[i]);
            FiveSOfficeVouchers.Order memory order = validOrder();
            order.customer = address(wallet);
            bytes32 orderHash = vouchers.orderHashOf(order);
            expectInvalidSignature(address(wallet));
            redeem(order, orderHash, "");
        }
        vm.assertEq(vouchers.redemptionCount(), 0, "nothing redeemed");
    }

    function test_redeemOrderBySig_failsIfAContractWalletsSignatureIsForAnotherContract() public {
        address wallet = address(new ContractWallet(customer));
        FiveSOfficeVouchers.Order memory order = walletOrder(wallet);
        bytes32 orderHash = vouchers.orderHashOf(order);
        expectInvalidSignature(wallet);
        redeem(order, orderHash, signatureBy(CUSTOMER_KEY, digestOf(orderHash, block.chainid, address(this))));
        expectInvalidSignature(wallet);
        redeem(order, orderHash, signatureBy(CUSTOMER_KEY, digestOf(orderHash, block.chainid + 1, address(vouchers))));
        redeem(order, orderHash, customerSignature(orderHash));
        vm.expectRevert(abi.encodeWithSelector(FiveSOfficeVouchers.AlreadyRedeemed.selector, wallet, orderHash));
        redeem(order, orderHash, customerSignature(orderHash));
    }

    function test_redeemOrderBySig_acceptsWhatADelegatedAccountsCodeAccepts() public {
        // The account has delegated to a wallet contract that follows another owner's key.
        address other = vm.addr(OTHER_KEY);
        vm.etch(customer, abi.encodePacked(hex"ef0100", address(new ContractWallet(other))));
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        expectInvalidSignature(customer);
        redeem(order, orderHash, signatureBy(0xBADBAD, digest(orderHash)));
        redeem(order, orderHash, signatureBy(OTHER_KEY, digest(orderHash)));
        assertBooks({balance: 8, redeemed: 2, count: 1});
    }

    function test_redeemOrderBySig_failsForAnotherDeployment() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        bytes memory signature = customerSignature(orderHash);
        FiveSOfficeVouchers other = new FiveSOfficeVouchers(admin, ADMIN_DELAY);
        vm.startPrank(admin);
        other.createVoucherType(ROOM, ROOM_SUPPLY, "");
        other.grantRole(other.MINTER_ROLE(), admin);
        other.mint(customer, ROOM, 10);
        vm.stopPrank();
        expectInvalidSignature(customer);
        other.redeemOrderBySig(order, orderHash, signature);
        redeem(order, orderHash, signature);
        vm.assertEq(other.balanceOf(customer, ROOM), 10, "the other contract's vouchers are untouched");
        assertBooks({balance: 8, redeemed: 2, count: 1});
    }

    // ------------------------------------------------------------------------ guards of the door

    function redeemSigned(FiveSOfficeVouchers.Order memory order, bytes memory refusal) internal {
        bytes32 orderHash = vouchers.orderHashOf(order);
        bytes memory signature = customerSignature(orderHash);
        vm.expectRevert(refusal);
        redeem(order, orderHash, signature);
    }

    function test_redeemOrderBySig_failsIfTheHashIsZero() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 expected = vouchers.orderHashOf(order);
        vm.expectRevert(
            abi.encodeWithSelector(FiveSOfficeVouchers.OrderHashMismatch.selector, expected, bytes32(0))
        );
        redeem(order, 0, customerSignature(0));
    }

    function test_redeemOrderBySig_failsIfTheAmountIsZero() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        order.amount = 0;
        redeemSigned(order, abi.encodeWithSelector(FiveSOfficeVouchers.ZeroAmount.selector));
    }

    function test_redeemOrderBySig_failsIfTheTypeIsUnknown() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        order.tokenId = UNKNOWN;
        redeemSigned(order, abi.encodeWithSelector(FiveSOfficeVouchers.UnknownVoucherType.selector, UNKNOWN));
    }

    function test_redeemOrderBySig_failsIfTheTypeIsDisabled() public {
        setEnabled(ROOM, false);
        redeemSigned(
            validOrder(), abi.encodeWithSelector(FiveSOfficeVouchers.VoucherTypeDisabled.selector, ROOM)
        );
    }

    function test_redeemOrderBySig_isNotBlockedByAnotherUserOfTheHash() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        vm.prank(minter);
        vouchers.mint(stranger, ROOM, 1);
        vm.prank(stranger);
        vouchers.redeemAndBurn(ROOM, 1, orderHash);
        redeem(order, orderHash, customerSignature(orderHash));
        vm.assertTrue(vouchers.isRedeemed(customer, orderHash), "redeemed");
        assertBooks({balance: 8, redeemed: 3, count: 2});
    }

    function testFuzz_redeemOrderBySig_acceptsTheCustomersKeyOnly(uint256 customerKey, uint256 signerKey) public {
        customerKey = bound(customerKey, 1, type(uint128).max);
        signerKey = bound(signerKey, 1, type(uint128).max);
        address holder = vm.addr(customerKey);
        uint256 before = vouchers.balanceOf(holder, ROOM);
        FiveSOfficeVouchers.Order memory order = walletOrder(holder);
        bytes32 orderHash = vouchers.orderHashOf(order);
        if (signerKey != customerKey) {
            expectInvalidSignature(holder);
            redeem(order, orderHash, signatureBy(signerKey, digest(orderHash)));
        }
        redeem(order, orderHash, signatureBy(customerKey, digest(orderHash)));
        vm.assertEq(vouchers.balanceOf(holder, ROOM), before, "burned");
    }
}
