// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FiveSOfficeVouchers} from "../src/FiveSOfficeVouchers.sol";
import {VouchersTest} from "./utils/VouchersTest.sol";

/// @dev Budgets in bytes, well within what the chain allows (EIP-170: 24,576; EIP-3860: 49,152).
contract SizeTest is VouchersTest {
    uint256 internal constant DEPLOYED_BUDGET = 19_000;
    uint256 internal constant INIT_BUDGET = 21_000;

    function test_size_deployedCodeIsWithinItsBudget() public view {
        vm.assertGt(address(vouchers).code.length, 1000, "there is code");
        vm.assertLe(address(vouchers).code.length, DEPLOYED_BUDGET, "deployed code");
    }

    function test_size_initCodeIsWithinItsBudget() public pure {
        vm.assertLe(type(FiveSOfficeVouchers).creationCode.length, INIT_BUDGET, "init code");
    }
}
