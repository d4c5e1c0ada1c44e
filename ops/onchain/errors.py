"""What can go wrong between a command and the contract."""

from chalicelib.domain.errors import Refused, VoucherError


class NodeFailed(VoucherError):
    """The endpoint did not answer, or not with what was asked for. Its URL, which may hold a key,
    is never told."""

    code = "RPC_FAILED"


class Reverted(Refused):
    """The contract refuses the call; `error` is the name of its error, where it has one."""

    code = "REVERTED"

    def __init__(self, message: str, *, error: str | None) -> None:
        super().__init__(message)
        self.error = error
