"""What can go wrong between a command and the contract."""

from chalicelib.domain.errors import Refused, VoucherError


class NodeFailed(VoucherError):
    """The endpoint did not answer, or not with what was asked for. Its URL, which may hold a key,
    is never told."""

    code = "RPC_FAILED"


class RequestRefused(NodeFailed):
    """The endpoint would not do as much as it was asked for: it answered with an error, with HTTP
    400 or 413, or not in time. `said` is its own message, fit to be shown; `rpc_code` the JSON-RPC
    error code, where there is one."""

    def __init__(self, message: str, *, said: str, rpc_code: int | None = None) -> None:
        super().__init__(message)
        self.said = said
        self.rpc_code = rpc_code


class Reverted(Refused):
    """The contract refuses the call; `error` is the name of its error, where it has one."""

    code = "REVERTED"

    def __init__(self, message: str, *, error: str | None) -> None:
        super().__init__(message)
        self.error = error
