"""The voucher contract through one node: what it says, and the calls its operators sign."""

from collections.abc import Sequence
from dataclasses import dataclass

from ops.onchain.calls import Call
from ops.onchain.logs import Log
from ops.onchain.node import Node, Progress
from ops.onchain.roles import Role

CREATED, GRANTED, REVOKED = "VoucherTypeCreated", "RoleGranted", "RoleRevoked"

ADMIN_IDENTIFIER = bytes(32)
"""What the contract knows the admin role by."""


@dataclass(frozen=True, slots=True)
class TypeBooks:
    """The contract's books of one voucher type, in vouchers."""

    max_supply: int
    minted: int
    redeemed: int
    exists: bool
    enabled: bool

    @property
    def available(self) -> int:
        """How many can still be minted."""
        return self.max_supply - self.minted


@dataclass(frozen=True, slots=True)
class PendingAdmin:
    """An admin transfer that was begun; acceptable after `acceptable_after`, unix seconds."""

    account: str
    acceptable_after: int


@dataclass(frozen=True, slots=True)
class PendingDelay:
    """A new admin delay in seconds, in force from `effective_at`, unix seconds."""

    delay: int
    effective_at: int


@dataclass(frozen=True, slots=True)
class Creation:
    """What the contract's first event tells: who became admin, and which account made it so."""

    admin: str
    creator: str


@dataclass(frozen=True, slots=True)
class History:
    """What events tell of roles and voucher types, in the chain's order.

    It is as complete as the endpoint is honest: nothing in a log shows that another was left out.
    """

    logs: tuple[Log, ...]

    @property
    def creation(self) -> Creation | None:
        """The constructor's event, which names the admin; `None` where the history begins later."""
        if not self.logs:
            return None
        first = self.logs[0]
        if first.event != GRANTED or first.arguments["role"] != ADMIN_IDENTIFIER:
            return None
        return Creation(admin=first.arguments["account"], creator=first.arguments["sender"])

    def holders(self, identifier: bytes) -> frozenset[str]:
        """Who holds a role at the end."""
        holders: set[str] = set()
        for log in self.logs:
            if log.event == GRANTED and log.arguments["role"] == identifier:
                holders.add(log.arguments["account"])
            elif log.event == REVOKED and log.arguments["role"] == identifier:
                holders.discard(log.arguments["account"])
        return frozenset(holders)

    @property
    def token_ids(self) -> tuple[int, ...]:
        """All voucher types, ascending."""
        created = (log.arguments["tokenId"] for log in self.logs if log.event == CREATED)
        return tuple(sorted(created))


@dataclass(frozen=True, slots=True)
class VoucherContract:
    """The contract at `address`. Every method may raise `NodeFailed`."""

    node: Node
    address: str

    # ------------------------------------------------------------------------------------ views

    def books(self, token_id: int) -> TypeBooks:
        """The books of a voucher type."""
        return TypeBooks(*self.node.view(self.address, "voucherType", token_id))

    def uri(self, token_id: int) -> str:
        """Address of a voucher type's metadata."""
        return str(self.node.view(self.address, "uri", token_id))

    def balance(self, account: str, token_id: int) -> int:
        """How many vouchers of a type an account holds."""
        return int(self.node.view(self.address, "balanceOf", account, token_id))

    def redemption_count(self) -> int:
        """Number of redemptions."""
        return int(self.node.view(self.address, "redemptionCount"))

    def is_redeemed(self, user: str, order_hash: str) -> bool:
        """Whether an account has redeemed an order hash."""
        return bool(self.node.view(self.address, "isRedeemed", user, order_hash))

    def is_batch_minted(self, batch_id: str) -> bool:
        """Whether an airdrop batch has been minted."""
        return bool(self.node.view(self.address, "isBatchMinted", batch_id))

    def batch_id_of(
        self, token_id: int, recipients: Sequence[str], amounts: Sequence[int], salt: str
    ) -> str:
        """What the contract itself says an airdrop batch's id is."""
        answer = self.node.view(
            self.address, "batchIdOf", token_id, list(recipients), list(amounts), salt
        )
        return "0x" + bytes(answer).hex()

    def paused(self) -> bool:
        """Whether minting, transfers and redemptions are stopped."""
        return bool(self.node.view(self.address, "paused"))

    def has_role(self, role: Role, account: str) -> bool:
        """Whether an account holds a role."""
        return bool(self.node.view(self.address, "hasRole", role.identifier, account))

    def admin(self) -> str:
        """The one holder of the admin role."""
        return str(self.node.view(self.address, "defaultAdmin"))

    def admin_delay(self) -> int:
        """Seconds between beginning an admin transfer and the first moment it can be accepted."""
        return int(self.node.view(self.address, "defaultAdminDelay"))

    def pending_admin(self) -> PendingAdmin | None:
        """The admin transfer that was begun and is neither accepted nor cancelled."""
        account, schedule = self.node.view(self.address, "pendingDefaultAdmin")
        return PendingAdmin(account, schedule) if schedule else None

    def pending_admin_delay(self) -> PendingDelay | None:
        """The change of the admin delay that is scheduled and not in force yet."""
        delay, schedule = self.node.view(self.address, "pendingDefaultAdminDelay")
        return PendingDelay(delay, schedule) if schedule else None

    def history(self, *, first: int, last: int, progress: Progress | None = None) -> "History":
        """What the contract's events of these blocks tell, in one sweep."""
        events = (GRANTED, REVOKED, CREATED)
        logs = self.node.logs(self.address, *events, first=first, last=last, progress=progress)
        return History(tuple(logs))

    def created_types(
        self, *, first: int, last: int, progress: Progress | None = None
    ) -> tuple[int, ...]:
        """Token ids of all voucher types created in these blocks, ascending."""
        logs = self.node.logs(self.address, CREATED, first=first, last=last, progress=progress)
        return tuple(sorted(log.arguments["tokenId"] for log in logs))

    # ------------------------------------------------------------------------------------ calls

    def create_type(self, token_id: int, max_supply: int, uri: str) -> Call:
        """Create a voucher type, enabled."""
        words = f"Create voucher type {token_id}: at most {max_supply} ever, metadata at {uri}"
        return self._call("createVoucherType", token_id, max_supply, uri, words=words)

    def set_type_enabled(self, token_id: int, *, enabled: bool) -> Call:
        """Switch minting and redeeming of a voucher type on or off."""
        words = f"{'Enable' if enabled else 'Disable'} voucher type {token_id}"
        return self._call("setVoucherTypeEnabled", token_id, enabled, words=words)

    def set_uri(self, token_id: int, uri: str) -> Call:
        """Replace the address of a voucher type's metadata."""
        words = f"Replace the metadata address of voucher type {token_id} by {uri}"
        return self._call("setTokenURI", token_id, uri, words=words)

    def mint(self, to: str, token_id: int, amount: int) -> Call:
        """Mint vouchers to one account."""
        words = f"Mint {amount} of voucher type {token_id} to {to}"
        return self._call("mint", to, token_id, amount, words=words)

    def airdrop(
        self,
        batch_id: str,
        token_id: int,
        recipients: Sequence[str],
        amounts: Sequence[int],
        salt: str,
    ) -> Call:
        """Mint one voucher type to many accounts, once."""
        words = (
            f"Airdrop {sum(amounts)} of voucher type {token_id} to {len(recipients)} accounts"
            f" (batch {batch_id[:10]}…)"
        )
        return self._call(
            "airdrop", batch_id, token_id, list(recipients), list(amounts), salt, words=words
        )

    def pause(self) -> Call:
        """Stop minting, transfers and redemptions."""
        return self._call("pause", words="Pause: stop minting, transfers and redemptions")

    def unpause(self) -> Call:
        """Resume them."""
        return self._call("unpause", words="Unpause: resume minting, transfers and redemptions")

    def grant(self, role: Role, account: str) -> Call:
        """Grant a role."""
        words = f"Grant {role.value} to {account}"
        return self._call("grantRole", role.identifier, account, words=words)

    def revoke(self, role: Role, account: str) -> Call:
        """Revoke a role."""
        words = f"Revoke {role.value} from {account}"
        return self._call("revokeRole", role.identifier, account, words=words)

    def begin_admin_transfer(self, account: str) -> Call:
        """Propose a new admin."""
        words = f"Begin moving the admin role to {account}, who has to accept it after the delay"
        return self._call("beginDefaultAdminTransfer", account, words=words)

    def accept_admin_transfer(self) -> Call:
        """Take the admin role that was proposed."""
        return self._call("acceptDefaultAdminTransfer", words="Accept the admin role")

    def cancel_admin_transfer(self) -> Call:
        """Withdraw the proposal."""
        return self._call(
            "cancelDefaultAdminTransfer", words="Cancel the admin transfer that was begun"
        )

    def _call(self, name: str, *arguments: object, words: str) -> Call:
        return self.node.call(self.address, name, *arguments, words=words)
