// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FiveSOfficeVouchers} from "../src/FiveSOfficeVouchers.sol";
import {VouchersTest} from "./utils/VouchersTest.sol";

/// @dev Holds the contract to vectors that an independent library made (tests/vectors).
contract VectorsTest is VouchersTest {
    string internal json;

    function setUp() public override {
        super.setUp();
        json = vm.readFile("../tests/vectors/order_hash.json");
    }

    function path(string memory list, uint256 index, string memory field) internal pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(index), "].", field);
    }

    function number(string memory key) internal view returns (uint256) {
        return vm.parseUint(vm.parseJsonString(json, key));
    }

    function orderAt(uint256 index) internal view returns (FiveSOfficeVouchers.Order memory) {
        return FiveSOfficeVouchers.Order({
            orderRef: keccak256(bytes(vm.parseJsonString(json, path("orders", index, "orderId")))),
            customer: vm.parseJsonAddress(json, path("orders", index, "customer")),
            tokenId: number(path("orders", index, "tokenId")),
            amount: number(path("orders", index, "amount")),
            siteRef: keccak256(bytes(vm.parseJsonString(json, path("orders", index, "siteId")))),
            expiresAt: uint64(number(path("orders", index, "expiresAt")))
        });
    }

    function test_orderHashOf_agreesWithTheVectors() public view {
        uint256 index = 0;
        for (; vm.keyExistsJson(json, path("orders", index, "orderHash")); ++index) {
            string memory name = vm.parseJsonString(json, path("orders", index, "name"));
            FiveSOfficeVouchers.Order memory order = orderAt(index);
            vm.assertEq(order.orderRef, vm.parseJsonBytes32(json, path("orders", index, "orderRef")), name);
            vm.assertEq(order.siteRef, vm.parseJsonBytes32(json, path("orders", index, "siteRef")), name);
            vm.assertEq(
                vouchers.orderHashOf(order), vm.parseJsonBytes32(json, path("orders", index, "orderHash")), name
            );
        }
        vm.assertEq(index, 10, "all vectors were read");
    }

    /// @dev Deploys where the vectors' domain says, on its chain, with the ordinary order's vouchers.
    function deployAtDomain() internal returns (FiveSOfficeVouchers deployed) {
        vm.chainId(number(".domain.chainId"));
        address deployer = 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266;
        vm.setNonce(deployer, 0);
        FiveSOfficeVouchers.Order memory order = orderAt(0);
        vm.warp(order.expiresAt - 60);
        vm.startPrank(deployer);
        deployed = new FiveSOfficeVouchers(deployer, 0);
        deployed.createVoucherType(order.tokenId, 100, "");
        deployed.grantRole(deployed.MINTER_ROLE(), deployer);
        deployed.mint(order.customer, order.tokenId, order.amount);
        vm.stopPrank();
        vm.assertEq(
            address(deployed), vm.parseJsonAddress(json, ".domain.verifyingContract"), "deployed at the domain"
        );
    }

    function test_domain_agreesWithTheVectors() public {
        FiveSOfficeVouchers deployed = deployAtDomain();
        (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        ) = deployed.eip712Domain();
        vm.assertEq(uint8(fields), 0x0f, "fields");
        vm.assertEq(name, vm.parseJsonString(json, ".domain.name"), "name");
        vm.assertEq(version, vm.parseJsonString(json, ".domain.version"), "version");
        vm.assertEq(chainId, number(".domain.chainId"), "chain id");
        vm.assertEq(verifyingContract, vm.parseJsonAddress(json, ".domain.verifyingContract"), "contract");
        vm.assertEq(salt, 0, "no salt");
        vm.assertEq(extensions.length, 0, "no extensions");
    }

    function test_redeemOrderBySig_acceptsTheVectorsSignatureForThisDomainOnly() public {
        FiveSOfficeVouchers deployed = deployAtDomain();
        FiveSOfficeVouchers.Order memory order = orderAt(0);
        bytes32 orderHash = vm.parseJsonBytes32(json, ".orders[0].orderHash");
        for (uint256 index = 1; index < 3; ++index) {
            bytes memory foreign = vm.parseJsonBytes(json, path("signatures", index, "signature"));
            vm.expectRevert(
                abi.encodeWithSelector(FiveSOfficeVouchers.InvalidSignature.selector, order.customer)
            );
            deployed.redeemOrderBySig(order, orderHash, foreign);
        }
        deployed.redeemOrderBySig(order, orderHash, vm.parseJsonBytes(json, ".signatures[0].signature"));
        vm.assertTrue(deployed.isRedeemed(order.customer, orderHash), "redeemed");
        vm.assertEq(deployed.balanceOf(order.customer, order.tokenId), 0, "burned");
    }
}

/// @dev What is tested here is what is deployed: forge and build.py compile separately.
contract ArtifactTest is VouchersTest {
    function test_artifact_holdsTheTestedBytecode() public view {
        string memory artifact = vm.readFile("abi/FiveSOfficeVouchers.json");
        vm.assertEq(
            vm.parseJsonBytes(artifact, ".bytecode"),
            type(FiveSOfficeVouchers).creationCode,
            "run contracts/build.py"
        );
    }
}
