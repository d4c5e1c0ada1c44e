"""`ChainProbe` over web3."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eth_typing import ChecksumAddress, HexAddress, HexStr
from web3 import HTTPProvider, Web3
from web3.exceptions import BlockNotFound, Web3Exception

from ops.cli.probe import ProbeFailed

ARTEFACT = Path(__file__).parents[2] / "contracts/abi/FiveSOfficeVouchers.json"
SAMPLE_BLOCKS = 5
"""How far back logs are asked for: the narrowest free plans allow five blocks at once."""


class Web3Probe:
    """See `ChainProbe`. `timeout` in seconds per request."""

    def __init__(self, url: str, *, contract: str, timeout: float) -> None:
        self._web3 = Web3(
            HTTPProvider(
                url, request_kwargs={"timeout": timeout}, exception_retry_configuration=None
            )
        )
        self._address = ChecksumAddress(HexAddress(HexStr(contract)))
        abi = json.loads(ARTEFACT.read_text("utf-8"))["abi"]
        self._contract = self._web3.eth.contract(address=self._address, abi=abi)

    def chain_id(self) -> int:
        """See `ChainProbe`."""
        with _told():
            return self._web3.eth.chain_id

    def head(self) -> int:
        """See `ChainProbe`."""
        with _told():
            return self._web3.eth.block_number

    def finalized(self) -> int | None:
        """See `ChainProbe`."""
        with _told():
            try:
                return self._web3.eth.get_block("finalized")["number"]
            except BlockNotFound:
                return None

    def has_code(self) -> bool:
        """See `ChainProbe`."""
        with _told():
            return len(self._web3.eth.get_code(self._address)) > 0

    def redemption_count(self) -> int:
        """See `ChainProbe`."""
        with _told():
            return int(self._contract.functions.redemptionCount().call())

    def recent_redemptions(self) -> int:
        """See `ChainProbe`."""
        head = self.head()
        with _told():
            logs = self._contract.events.VoucherRedeemed().get_logs(
                from_block=max(0, head - SAMPLE_BLOCKS + 1), to_block=head
            )
            return len(list(logs))

    def enabled_types(self, token_ids: tuple[int, ...]) -> frozenset[int]:
        """See `ChainProbe`."""
        with _told():
            kinds = {
                token_id: self._contract.functions.voucherType(token_id).call()
                for token_id in token_ids
            }
        return frozenset(
            token_id for token_id, (*_, exists, enabled) in kinds.items() if exists and enabled
        )


@contextmanager
def _told() -> Iterator[None]:
    """What went wrong in words; messages of the HTTP client hold the URL and are left out."""
    try:
        yield
    except OSError as error:
        raise ProbeFailed(f"cannot be reached ({_kind(error)})") from error
    except (Web3Exception, ValueError) as error:
        raise ProbeFailed(f"answers with an error: {error}") from error


def _kind(error: OSError) -> str:
    response = getattr(error, "response", None)
    return f"HTTP {response.status_code}" if response is not None else type(error).__name__
