// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FiveSOfficeVouchers} from "../src/FiveSOfficeVouchers.sol";
import {VouchersTest} from "./utils/VouchersTest.sol";

/// @dev Gas of whole transactions, intrinsic cost included: each call runs as a transaction of its own.
/// The figures are kept in snapshots/Transactions.json.
/// forge-config: default.isolate = true
contract GasTest is VouchersTest {
    uint256 internal constant REDEEM_AND_BURN_BUDGET = 70_000;
    uint256 internal constant REDEEM_ORDER_BUDGET = 75_000;
    uint256 internal constant REDEEM_ORDER_BY_SIG_BUDGET = 82_000;

    function setUp() public override {
        super.setUp();
        // Every cost below is that of a contract in use: the first redemption ever pays for new slots.
        vm.prank(customer);
        vouchers.redeemAndBurn(ROOM, 1, "first");
    }

    function snapshot(string memory name) internal returns (uint256) {
        return vm.snapshotGasLastCall("Transactions", name);
    }

    function test_gas_redeemAndBurn() public {
        vm.prank(customer);
        vouchers.redeemAndBurn(ROOM, 2, HASH);
        vm.assertLe(snapshot("redeemAndBurn, keeping a balance"), REDEEM_AND_BURN_BUDGET, "gas");
    }

    function test_gas_redeemAndBurn_ofTheWholeBalance() public {
        vm.prank(customer);
        vouchers.redeemAndBurn(ROOM, 9, HASH);
        vm.assertLe(snapshot("redeemAndBurn, whole balance"), REDEEM_AND_BURN_BUDGET, "gas");
    }

    function test_gas_redeemOrder() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        vm.prank(customer);
        vouchers.redeemOrder(order, orderHash);
        vm.assertLe(snapshot("redeemOrder, keeping a balance"), REDEEM_ORDER_BUDGET, "gas");
    }

    function test_gas_redeemOrderBySig() public {
        FiveSOfficeVouchers.Order memory order = validOrder();
        bytes32 orderHash = vouchers.orderHashOf(order);
        bytes memory signature = customerSignature(orderHash);
        vm.prank(stranger);
        vouchers.redeemOrderBySig(order, orderHash, signature);
        vm.assertLe(snapshot("redeemOrderBySig, keeping a balance"), REDEEM_ORDER_BY_SIG_BUDGET, "gas");
    }

    function test_gas_mint() public {
        vm.prank(minter);
        vouchers.mint(stranger, ROOM, 5);
        snapshot("mint, to a new holder");
        vm.prank(minter);
        vouchers.mint(stranger, ROOM, 5);
        snapshot("mint, to a holder");
    }

    function test_gas_mintBatch() public {
        (uint256[] memory tokenIds, uint256[] memory amounts) = (new uint256[](2), new uint256[](2));
        (tokenIds[0], tokenIds[1], amounts[0], amounts[1]) = (ROOM, PRINT, 5, 5);
        vm.prank(minter);
        vouchers.mintBatch(stranger, tokenIds, amounts);
        snapshot("mintBatch of 2, to a new holder");
    }

    function test_gas_airdrop() public {
        (address[] memory recipients, uint256[] memory amounts) = (new address[](100), new uint256[](100));
        for (uint256 i = 0; i < 100; ++i) {
            (recipients[i], amounts[i]) = (vm.addr(i + 1), 1);
        }
        bytes32 batchId = vouchers.batchIdOf(ROOM, recipients, amounts, "salt");
        vm.prank(minter);
        vouchers.airdrop(batchId, ROOM, recipients, amounts, "salt");
        snapshot("airdrop of 100, to new holders");
    }
}
