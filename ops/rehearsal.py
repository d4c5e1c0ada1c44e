"""The runbooks, played through on a local chain with the very commands an operator types.

Nothing is taken on trust: after each command the contract itself is asked, refusals are provoked by
real transactions, and the Safe that takes over is Safe's own bytecode. The first step that does not
come out as it must ends the rehearsal.
"""

import json
import re
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import click
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

from chalicelib.domain.errors import Refused, VoucherError
from chalicelib.domain.order_hash import order_hash, text_ref
from ops.onchain.calls import Call
from ops.onchain.contract import VoucherContract
from ops.onchain.deployment import LOCAL_CHAIN_ID
from ops.onchain.node import Node
from ops.onchain.roles import Role
from ops.onchain.safe import LocalSafe, SafeTransaction
from ops.seed.files import CATALOGUE_FILE, read_catalogue

ADMIN_DELAY = 2 * 86_400
MAX_SUPPLY = 5000
METADATA = "https://vouchers.example.com/api/v1/metadata"
TOKEN_ID = 1001
ORDER_SECONDS = 1800
OWNERS_NEEDED = 2
SLACK = 600
"""Seconds that are left of the delay when it is tried a second time."""

PAUSED = "the contract is paused"
SETTING = re.compile(r"^ *(CONTRACT_ADDRESS|DEPLOY_BLOCK)=(\w+)$", re.MULTILINE)
"""A setting as `vouchers deploy` tells it."""

SET_UP = "Set-up"
EMERGENCY = "Emergency stop (docs/runbooks/pause.md)"
ROTATION = "Key rotation (docs/runbooks/key-rotation.md)"
TAKEOVER = "Admin to a Safe (docs/runbooks/admin-to-safe.md)"

Run = Callable[[Sequence[str], Mapping[str, str]], str]
"""Runs `vouchers` with these arguments under these settings; what it printed. Raises
`click.ClickException` or `VoucherError` where the command fails."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it went, and the `problem` where it failed.

    `log` has, in order, the commands, each after a `$`, and what was checked. `seconds` is how long
    the step took.
    """

    number: int
    part: str
    title: str
    log: tuple[str, ...]
    problem: str | None
    seconds: float


class StepFailed(VoucherError):
    """A step did not come out as it must; the steps after it were not tried."""

    code = "REHEARSAL_FAILED"

    def __init__(self, step: Step) -> None:
        super().__init__(f"step {step.number}, {step.title}: {step.problem}")


@dataclass(frozen=True, slots=True)
class People:
    """The accounts of the play, all of them the local chain's own."""

    admin: str
    minter: str
    pauser: str
    customer: str
    next_minter: str
    next_pauser: str
    last_minter: str
    owners: tuple[str, ...]

    @classmethod
    def of(cls, accounts: Sequence[str]) -> Self:
        """Parts for ten accounts, the last three of them the Safe's owners."""
        admin, minter, pauser, customer, next_minter, next_pauser, last_minter, *owners = accounts
        return cls(
            admin=admin,
            minter=minter,
            pauser=pauser,
            customer=customer,
            next_minter=next_minter,
            next_pauser=next_pauser,
            last_minter=last_minter,
            owners=tuple(owners),
        )


class Stage:
    """The chain, the contract once it is there, and who plays on it."""

    def __init__(self, rpc_url: str, node: Node, *, run: Run, tell: Callable[[Step], None]) -> None:
        """`tell` is given each step when it is over, whether it failed or not."""
        self.rpc_url = rpc_url
        self.node = node
        self.settings = {"CHAIN_ID": str(LOCAL_CHAIN_ID), "RPC_URLS": rpc_url}
        self.people = People.of(node.accounts())
        self._web3 = Web3(HTTPProvider(rpc_url))
        self._run = run
        self._tell = tell
        self._steps = 0
        self._orders = 0

    @property
    def contract(self) -> VoucherContract:
        """The contract of the settings."""
        return VoucherContract(self.node, self.settings["CONTRACT_ADDRESS"])

    def run(self, *args: str) -> str:
        """Run a command under the settings so far."""
        return self._run(args, self.settings)

    @contextmanager
    def step(self, part: str, title: str) -> Iterator["Attempt"]:
        """A step: told when it is done, or when it fails.

        Raises:
            StepFailed: anything in it went otherwise.
        """
        self._steps += 1
        began = time.monotonic()
        attempt = Attempt(self)

        def over(problem: str | None) -> Step:
            seconds = round(time.monotonic() - began, 3)
            step = Step(self._steps, part, title, tuple(attempt.log), problem, seconds)
            self._tell(step)
            return step

        try:
            yield attempt
        except (VoucherError, click.ClickException) as error:
            raise StepFailed(over(error.message)) from error
        over(None)

    def mint(self) -> Call:
        """Mint to the customer."""
        return self.contract.mint(self.people.customer, TOKEN_ID, 5)

    def transfer(self) -> Call:
        """The customer hands a voucher on."""
        return self.node.call(
            self.contract.address,
            "safeTransferFrom",
            *(self.people.customer, self.people.admin, TOKEN_ID, 1, b""),
            words="Transfer a voucher",
        )

    def redeem(self) -> Call:
        """The customer redeems a voucher for a fresh order."""
        self._orders += 1
        order_id, expires_at = f"rehearsal {self._orders}", self.node.time() + ORDER_SECONDS
        customer = self.people.customer
        hashed = order_hash(
            order_id=order_id,
            customer=customer,
            token_id=TOKEN_ID,
            amount=1,
            site_id="",
            expires_at=expires_at,
        )
        order = (text_ref(order_id), customer, TOKEN_ID, 1, text_ref(""), expires_at)
        return self.node.call(
            self.contract.address, "redeemOrder", order, hashed, words="Redeem a voucher"
        )

    def wait(self, seconds: int) -> None:
        """Let the chain's time pass."""
        for method, parameters in (("evm_increaseTime", [seconds]), ("evm_mine", [])):
            answer = self._web3.provider.make_request(RPCEndpoint(method), parameters)
            if "error" in answer:
                raise VoucherError(f"{method}: {answer['error']}")


@dataclass(slots=True)
class Attempt:
    """What a step does and checks. Each method raises `Refused` where it turns out otherwise."""

    stage: Stage
    log: list[str] = field(default_factory=list)

    def command(self, *args: str) -> str:
        """A command that has to succeed; what it printed."""
        self.log.append("$ " + shlex.join(("vouchers", *args)))
        return self.stage.run(*args)

    def refused_command(self, *args: str, saying: str) -> None:
        """A command that has to be refused, in words that contain `saying`."""
        with self.refusal("the command", saying=saying):
            self.command(*args)

    def sent(self, call: Call, sender: str) -> None:
        """A transaction that has to succeed."""
        receipt = self.stage.node.send(call, sender=sender)
        self.log.append(f"{call.words}: mined, {receipt.gas_used} gas")

    def refused(self, call: Call, sender: str, *, saying: str) -> None:
        """A transaction that has to be refused, in words that contain `saying`."""
        with self.refusal(call.words, saying=saying):
            self.stage.node.send(call, sender=sender)

    @contextmanager
    def refusal(self, what: str, *, saying: str) -> Iterator[None]:
        """Something that has to be refused, in words that contain `saying`."""
        try:
            yield
        except (VoucherError, click.ClickException) as error:
            self.check(f"{what}: {error.message}", holds=saying in error.message)
        else:
            raise Refused(f"{what}: it was not refused")

    def check(self, what: str, *, holds: bool) -> None:
        """Something that has to hold."""
        if not holds:
            raise Refused(f"not as it must be: {what}")
        self.log.append(what)

    def verify(self, *, admin: str, minter: str, pauser: str) -> None:
        """`vouchers verify` has to find nothing wrong."""
        roles = ("--admin", admin, "--minter", minter, "--pauser", pauser)
        self.command("verify", *roles, "--catalog", str(CATALOGUE_FILE))
        self.log.append("verify finds nothing wrong")


def play(stage: Stage, folder: Path) -> None:
    """Play everything through; the files that commands export go to `folder`.

    Raises:
        StepFailed: naming the first step that did not come out as it must.
    """
    _set_up(stage)
    _emergency(stage)
    _rotation(stage)
    _takeover(stage, folder)


# ------------------------------------------------------------------------------------------ set-up


def _set_up(stage: Stage) -> None:
    people = stage.people
    with stage.step(SET_UP, "The contract is deployed, with a delay of 2 days on its admin") as at:
        said = at.command(
            *("deploy", "--admin", people.admin, "--admin-delay", str(ADMIN_DELAY)),
            *("--from", people.customer, "--local"),
        )
        stage.settings |= SETTING.findall(said)
        address = stage.settings.get("CONTRACT_ADDRESS", "")
        at.check(f"it is at {address}", holds=bool(address))
        at.check(f"{people.admin} is admin", holds=stage.contract.admin() == people.admin)

    with stage.step(SET_UP, "The catalogue's voucher types are created") as at:
        for kind in read_catalogue(CATALOGUE_FILE).types:
            uri = f"{METADATA}/{kind.token_id}"
            at.command(
                *("type", "create", str(kind.token_id), "--max-supply", str(MAX_SUPPLY)),
                *("--uri", uri, "--from", people.admin, "--local"),
            )

    with stage.step(SET_UP, "Minter and pauser get their roles") as at:
        at.command("role", "grant", "MINTER", people.minter, "--from", people.admin, "--local")
        at.command("role", "grant", "PAUSER", people.pauser, "--from", people.admin, "--local")
        at.verify(admin=people.admin, minter=people.minter, pauser=people.pauser)

    with stage.step(SET_UP, "The minter mints, the customer redeems") as at:
        at.sent(stage.mint(), people.minter)
        at.sent(stage.redeem(), people.customer)
        at.check("one redemption is counted", holds=stage.contract.redemption_count() == 1)


# --------------------------------------------------------------------------------------- emergency


def _emergency(stage: Stage) -> None:
    people, contract = stage.people, stage.contract
    with stage.step(EMERGENCY, "The pauser stops the contract") as at:
        at.command("pause", "--from", people.pauser, "--local")
        at.check("the contract says that it is paused", holds=contract.paused())

    with stage.step(EMERGENCY, "Minting, transfers and redemptions are refused") as at:
        at.refused(stage.mint(), people.minter, saying=PAUSED)
        at.refused(stage.transfer(), people.customer, saying=PAUSED)
        at.refused(stage.redeem(), people.customer, saying=PAUSED)

    with stage.step(EMERGENCY, "Roles can still be changed") as at:
        new = people.next_pauser
        at.command("role", "grant", "PAUSER", new, "--from", people.admin, "--local")
        at.check(f"{new} holds PAUSER_ROLE", holds=contract.has_role(Role.PAUSER, new))
        at.command("role", "revoke", "PAUSER", new, "--from", people.admin, "--local")
        at.check(f"{new} does not", holds=not contract.has_role(Role.PAUSER, new))

    with stage.step(EMERGENCY, "The pauser cannot resume") as at:
        at.refused_command(
            *("unpause", "--from", people.pauser, "--local"),
            saying=f"{people.pauser} does not hold ADMIN_ROLE",
        )
        at.check("the contract is still paused", holds=contract.paused())

    with stage.step(EMERGENCY, "The admin resumes, and a redemption works again") as at:
        at.command("unpause", "--from", people.admin, "--local")
        at.check("the contract says that it is not paused", holds=not contract.paused())
        at.sent(stage.redeem(), people.customer)


# ---------------------------------------------------------------------------------------- rotation


def _rotation(stage: Stage) -> None:
    people = stage.people
    with stage.step(ROTATION, "The minter's key is replaced: grant, verify, revoke") as at:
        _rotate(at, Role.MINTER, people.minter, people.next_minter)

    with stage.step(ROTATION, "The old minter is refused, the new one mints") as at:
        _cannot_mint(at, people.minter)
        at.sent(stage.mint(), people.next_minter)

    with stage.step(ROTATION, "The pauser's key is replaced: grant, verify, revoke") as at:
        _rotate(at, Role.PAUSER, people.pauser, people.next_pauser)

    with stage.step(ROTATION, "The old pauser is refused, the new one can stop") as at:
        at.refused_command(
            *("pause", "--from", people.pauser, "--local"),
            saying=f"{people.pauser} does not hold PAUSER_ROLE",
        )
        at.command("pause", "--from", people.next_pauser, "--local")
        at.command("unpause", "--from", people.admin, "--local")

    with stage.step(ROTATION, "A stolen minter's key is shut out before anything else") as at:
        stolen = people.next_minter
        at.command("role", "revoke", "MINTER", stolen, "--from", people.admin, "--local")
        _cannot_mint(at, stolen)

    with stage.step(ROTATION, "Then a new minter is named, and mints") as at:
        new = people.last_minter
        at.command("role", "grant", "MINTER", new, "--from", people.admin, "--local")
        at.sent(stage.mint(), new)
        at.verify(admin=people.admin, minter=new, pauser=people.next_pauser)


def _rotate(at: Attempt, role: Role, old: str, new: str) -> None:
    contract, name = at.stage.contract, role.value.removesuffix("_ROLE")
    at.command(
        *("role", "rotate", name, "--old", old, "--new", new),
        *("--from", at.stage.people.admin, "--local"),
    )
    at.check(f"{new} holds {role.value}", holds=contract.has_role(role, new))
    at.check(f"{old} does not", holds=not contract.has_role(role, old))


def _cannot_mint(at: Attempt, account: str) -> None:
    at.refused(at.stage.mint(), account, saying=f"{account} does not hold MINTER_ROLE")


# ---------------------------------------------------------------------------------------- takeover


def _takeover(stage: Stage, folder: Path) -> None:
    people, contract = stage.people, stage.contract
    with stage.step(TAKEOVER, "A Safe of three owners is made, two of them needed") as at:
        safe = LocalSafe.deploy(
            stage.rpc_url, owners=people.owners, threshold=OWNERS_NEEDED, payer=people.customer
        )
        at.check(f"Safe {safe.address}", holds=bool(stage.node.code(safe.address)))
        at.check(f"owners {', '.join(safe.owners)}", holds=safe.owners == people.owners)
        at.check(f"{safe.threshold} have to approve", holds=safe.threshold == OWNERS_NEEDED)

    with stage.step(TAKEOVER, "The admin begins the transfer") as at:
        at.command("admin", "begin", safe.address, "--from", people.admin, "--local")
        pending = contract.pending_admin()
        proposed = pending is not None and pending.account == safe.address
        at.check("the contract names the Safe as its next admin", holds=proposed)
        at.check(f"{people.admin} is admin still", holds=contract.admin() == people.admin)

    owners = Owners(stage, safe, folder)
    owners.accept()
    with stage.step(TAKEOVER, "The old admin is refused") as at:
        at.refused_command(
            *("type", "disable", str(TOKEN_ID), "--from", people.admin, "--local"),
            saying=f"{people.admin} does not hold ADMIN_ROLE",
        )
        at.refused(contract.pause(), people.admin, saying="does not hold PAUSER_ROLE")

    owners.rule()
    with stage.step(TAKEOVER, "The contract is what it should be, and the Safe rules it") as at:
        at.verify(admin=safe.address, minter=safe.address, pauser=people.next_pauser)
        books = contract.books(TOKEN_ID)
        held = contract.balance(people.customer, TOKEN_ID)
        told = f"{books.minted} minted - {books.redeemed} redeemed = {held} held"
        at.check(told, holds=books.minted - books.redeemed == held)


@dataclass(frozen=True, slots=True)
class Owners:
    """What the Safe's owners do, with the files that the commands export to `folder`."""

    stage: Stage
    safe: LocalSafe
    folder: Path

    def accept(self) -> None:
        """They take the admin role: not before the delay, and not one of them alone."""
        stage, path = self.stage, self.folder / "accept.json"
        first, second, _ = stage.people.owners
        with stage.step(TAKEOVER, "It cannot be accepted before the 2 days are over") as at:
            self._too_early(at, path)
            stage.wait(ADMIN_DELAY - SLACK)
            at.log.append(f"2 days less {SLACK} seconds pass")
            self._too_early(at, path)

        with stage.step(TAKEOVER, "After them, one owner's approval is not enough") as at:
            stage.wait(SLACK + 1)
            at.log.append(f"{SLACK + 1} seconds pass")
            transaction = self._exported(at, path, "admin", "accept")
            self.safe.approve(transaction, owner=first)
            with at.refusal("one approval", saying="too few owners"):
                self.safe.execute(transaction, sender=stage.people.customer)

        with stage.step(TAKEOVER, "A file that was changed on its way is refused") as at:
            batch = json.loads(path.read_text("utf-8"))
            batch["transactions"][0]["data"] = stage.contract.pause().data
            with at.refusal("accept.json with another call in it", saying="checksum is wrong"):
                self.safe.load(json.dumps(batch))

        with stage.step(TAKEOVER, "With the second owner's approval the Safe becomes admin") as at:
            self.safe.approve(transaction, owner=second)
            self.safe.execute(transaction, sender=stage.people.customer)
            at.check("the Safe is admin", holds=stage.contract.admin() == self.safe.address)

    def rule(self) -> None:
        """They stop, resume, and rotate a key."""
        stage, contract, safe = self.stage, self.stage.contract, self.safe.address
        people = stage.people
        with stage.step(TAKEOVER, "The Safe stops and resumes the contract") as at:
            self._sign(at, "pause")
            at.check("the contract says that it is paused", holds=contract.paused())
            at.refused(stage.redeem(), people.customer, saying=PAUSED)
            self._sign(at, "unpause")
            at.sent(stage.redeem(), people.customer)

        with stage.step(TAKEOVER, "The Safe takes the minter's role, in two transactions") as at:
            old = people.last_minter
            rotate = ("role", "rotate", "MINTER", "--old", old, "--new", safe)
            self._sign(at, *rotate)
            both = all(contract.has_role(Role.MINTER, one) for one in (old, safe))
            at.check("after the first, both hold MINTER_ROLE", holds=both)
            self._sign(at, *rotate)
            at.check("the Safe holds MINTER_ROLE", holds=contract.has_role(Role.MINTER, safe))
            _cannot_mint(at, old)

    def _too_early(self, at: Attempt, path: Path) -> None:
        at.refused_command(*self._export(path, "admin", "accept"), saying="can be accepted after")
        at.check("no file was written", holds=not path.exists())
        accept = self.stage.contract.accept_admin_transfer()
        with at.refusal("the contract itself", saying="the admin moves only after its delay"):
            self.stage.node.estimate(accept, sender=self.safe.address)

    def _export(self, path: Path, *args: str) -> tuple[str, ...]:
        return (*args, "--from", self.safe.address, "--as", "safe", "--out", str(path))

    def _exported(self, at: Attempt, path: Path, *args: str) -> SafeTransaction:
        at.command(*self._export(path, *args))
        transaction = self.safe.load(path.read_text("utf-8"))
        at.log.append(f"{path.name} loads into the Safe, its checksum is right")
        return transaction

    def _sign(self, at: Attempt, *args: str) -> None:
        transaction = self._exported(at, self.folder / f"{args[0]}.json", *args)
        for owner in self.stage.people.owners[:OWNERS_NEEDED]:
            self.safe.approve(transaction, owner=owner)
        self.safe.execute(transaction, sender=self.stage.people.customer)
        at.log.append("two owners approve, the Safe executes it")
