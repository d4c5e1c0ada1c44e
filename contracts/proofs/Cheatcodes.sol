// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev The forge cheatcodes that the proofs use, as halmos knows them.
interface Vm {
    function assume(bool condition) external pure;
    function prank(address sender) external;
    function warp(uint256 timestamp) external;
    function chainId(uint256 id) external;
    function load(address target, bytes32 slot) external view returns (bytes32);
}

/// @dev halmos's own cheatcodes: unknowns.
interface SVM {
    function createUint(uint256 bits, string memory name) external pure returns (uint256);
    function createAddress(string memory name) external pure returns (address);
    function createBytes32(string memory name) external pure returns (bytes32);
    function createBytes(uint256 size, string memory name) external pure returns (bytes memory);
    function createCalldata(string memory contractName) external pure returns (bytes memory);
    function enableSymbolicStorage(address target) external;
}
