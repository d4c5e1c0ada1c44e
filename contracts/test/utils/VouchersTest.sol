// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {FiveSOfficeVouchers} from "../../src/FiveSOfficeVouchers.sol";
import {Vm} from "./Vm.sol";

/// @dev A deployed contract with two voucher types, its role holders, and a customer holding vouchers.
abstract contract VouchersTest {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant ROOM = 1001;
    uint256 internal constant PRINT = 2001;
    uint256 internal constant UNKNOWN = 9999;
    uint64 internal constant ROOM_SUPPLY = 1000;
    uint64 internal constant PRINT_SUPPLY = type(uint64).max;
    uint48 internal constant ADMIN_DELAY = 1 days;
    uint256 internal constant NOW = 1_795_000_000;
    uint256 internal constant CUSTOMER_KEY = 0xC0FFEE;
    bytes32 internal constant HASH = keccak256("an order");

    address internal immutable admin = address(0xA11CE);
    address internal immutable minter = address(0xB0B);
    address internal immutable pauser = address(0xCAFE);
    address internal immutable stranger = address(0xDEAD01);
    address internal customer;

    FiveSOfficeVouchers internal vouchers;

    function setUp() public virtual {
        vm.warp(NOW);
        customer = vm.addr(CUSTOMER_KEY);
        vouchers = new FiveSOfficeVouchers(admin, ADMIN_DELAY);
        vm.startPrank(admin);
        vouchers.grantRole(vouchers.MINTER_ROLE(), minter);
        vouchers.grantRole(vouchers.PAUSER_ROLE(), pauser);
        vouchers.createVoucherType(ROOM, ROOM_SUPPLY, "https://vouchers.test/metadata/1001");
        vouchers.createVoucherType(PRINT, PRINT_SUPPLY, "https://vouchers.test/metadata/2001");
        vm.stopPrank();
        vm.prank(minter);
        vouchers.mint(customer, ROOM, 10);
    }

    /// @dev An order that the customer can redeem now.
    function validOrder() internal view returns (FiveSOfficeVouchers.Order memory) {
        return FiveSOfficeVouchers.Order({
            orderRef: keccak256("ORD_20261118_7KQ2M9XVB4TRWZ3HCD5N"),
            customer: customer,
            tokenId: ROOM,
            amount: 2,
            siteRef: keccak256("HCM_ROX_T09"),
            expiresAt: uint64(block.timestamp + 30 minutes)
        });
    }

    function setEnabled(uint256 tokenId, bool enabled) internal {
        vm.prank(admin);
        vouchers.setVoucherTypeEnabled(tokenId, enabled);
    }

    function pauseContract() internal {
        vm.prank(pauser);
        vouchers.pause();
    }

    /// @dev Digest that a wallet signs, built here from EIP-712 and not by the contract.
    function digestOf(bytes32 structHash, uint256 chainId, address verifyingContract)
        internal
        pure
        returns (bytes32)
    {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("5SOffice Vouchers"),
                keccak256("1"),
                chainId,
                verifyingContract
            )
        );
        return keccak256(bytes.concat(hex"1901", separator, structHash));
    }

    function signatureBy(uint256 privateKey, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The customer's signature over an order hash, for this chain and contract.
    function customerSignature(bytes32 orderHash) internal view returns (bytes memory) {
        return signatureBy(CUSTOMER_KEY, digestOf(orderHash, block.chainid, address(vouchers)));
    }

    function expectUnauthorized(address caller, bytes32 role) internal {
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, caller, role)
        );
    }

    function expectEvent() internal {
        vm.expectEmit(true, true, true, true, address(vouchers));
    }

    /// @dev Asserts the customer's balance and the type's redeemed total and the redemption count.
    function assertBooks(uint256 balance, uint256 redeemed, uint256 count) internal view {
        vm.assertEq(vouchers.balanceOf(customer, ROOM), balance, "balance");
        vm.assertEq(vouchers.redeemed(ROOM), redeemed, "redeemed");
        vm.assertEq(vouchers.redemptionCount(), count, "redemption count");
    }

    /// @dev Maps `value` into [low, high].
    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        if (value >= low && value <= high) return value;
        uint256 size = high - low + 1;
        return size == 0 ? value : low + value % size;
    }
}
