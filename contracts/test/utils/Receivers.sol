// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {FiveSOfficeVouchers} from "../../src/FiveSOfficeVouchers.sol";

/// @dev A contract without ERC-1155 hooks.
contract Deaf {}

/// @dev A contract that refuses vouchers.
contract Refuser {
    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external pure returns (bytes4) {
        return 0xdeadbeef;
    }
}

/// @dev Calls back when it receives vouchers: mints itself one more, `depth` times.
contract GreedyMinter is ERC1155Holder {
    uint256 private _depth;

    constructor(uint256 depth) {
        _depth = depth;
    }

    function onERC1155Received(address operator, address from, uint256 id, uint256 value, bytes memory data)
        public
        override
        returns (bytes4)
    {
        if (_depth > 0) {
            --_depth;
            FiveSOfficeVouchers(msg.sender).mint(address(this), id, value);
        }
        return super.onERC1155Received(operator, from, id, value, data);
    }
}

/// @dev Redeems each voucher within the call that hands it over.
contract EagerRedeemer is ERC1155Holder {
    function onERC1155Received(address operator, address from, uint256 id, uint256 value, bytes memory data)
        public
        override
        returns (bytes4)
    {
        FiveSOfficeVouchers target = FiveSOfficeVouchers(msg.sender);
        for (uint256 i = 0; i < value; ++i) {
            target.redeemAndBurn(id, 1, keccak256(abi.encode(id, i)));
        }
        return super.onERC1155Received(operator, from, id, value, data);
    }
}

/// @dev When it receives vouchers, makes the calls it was given to the voucher contract, one at each
/// receipt, and keeps what became of them.
contract Reenterer is ERC1155Holder {
    bytes[] private _calls;
    bytes[] public failures;
    uint256 public made;

    function arm(bytes memory callData) external {
        _calls.push(callData);
    }

    function reenter() private {
        if (made == _calls.length) return;
        (bool done, bytes memory returned) = msg.sender.call(_calls[made++]);
        if (!done) failures.push(returned);
    }

    function failureCount() external view returns (uint256) {
        return failures.length;
    }

    function onERC1155Received(address, address, uint256, uint256, bytes memory) public override returns (bytes4) {
        reenter();
        return this.onERC1155Received.selector;
    }

    function onERC1155BatchReceived(address, address, uint256[] memory, uint256[] memory, bytes memory)
        public
        override
        returns (bytes4)
    {
        reenter();
        return this.onERC1155BatchReceived.selector;
    }
}

/// @dev A wallet contract that signs with its owner's key (ERC-1271).
contract ContractWallet is ERC1155Holder, IERC1271 {
    address private immutable _owner;

    constructor(address owner) {
        _owner = owner;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        (address recovered,,) = ECDSA.tryRecoverCalldata(digest, signature);
        return recovered == _owner ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @dev What an EIP-7702 account may delegate to: takes vouchers, and knows nothing of ERC-1271.
contract Delegate is ERC1155Holder {}

/// @dev A contract that answers every call, so also `isValidSignature`, with the bytes it was given.
contract Answering {
    bytes private _answer;

    constructor(bytes memory answer) {
        _answer = answer;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        return _answer;
    }
}

/// @dev A contract that reverts with what would be the right answer.
contract Reverting {
    fallback() external {
        bytes4 magic = IERC1271.isValidSignature.selector;
        assembly {
            mstore(0, magic)
            revert(0, 32)
        }
    }
}

/// @dev A contract that uses up whatever gas it is given.
contract GasBurner {
    fallback() external {
        assembly {
            invalid()
        }
    }
}
