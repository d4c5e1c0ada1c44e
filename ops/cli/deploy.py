"""`vouchers deploy`: the contract, at an address known beforehand."""

from typing import TYPE_CHECKING

import click

from chalicelib.domain.errors import InvalidInput, Refused
from chalicelib.domain.order_hash import hash32
from chalicelib.settings import RpcSettings, load
from ops.cli.bootstrap import Tools
from ops.cli.onchain import ADDRESS, Signing, connect, prepare, signing_options
from ops.cli.output import emit
from ops.onchain.deployment import (
    DEFAULT_ADMIN_DELAY,
    LOCAL_CHAIN_ID,
    PROXY,
    SHORTEST_ADMIN_DELAY,
    DeploymentPlan,
    runtime_code,
)

if TYPE_CHECKING:
    from ops.onchain.node import Node

LONGEST_ADMIN_DELAY = 30 * 86_400


class Bytes32Type(click.ParamType[bytes]):
    """32 bytes in hexadecimal."""

    name = "bytes32"

    def convert(
        self, value: str | bytes, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """The bytes."""
        if isinstance(value, bytes):
            return value
        try:
            return bytes.fromhex(hash32(value, field="salt")[2:])
        except InvalidInput as error:
            self.fail(f"{value} {error.fields[0].message}", param, ctx)


@click.command()
@click.option("--admin", type=ADDRESS, required=True, help="First holder of the admin role.")
@click.option(
    "--admin-delay",
    type=click.IntRange(min=0, max=LONGEST_ADMIN_DELAY),
    default=DEFAULT_ADMIN_DELAY,
    show_default=True,
    help="Seconds between beginning an admin transfer and its acceptance.",
)
@click.option(
    "--salt",
    type=Bytes32Type(),
    default=bytes(32),
    help="Tells apart deployments that are otherwise equal.  [default: zero]",
)
@click.option(
    "--admin-is-key",
    is_flag=True,
    help="The admin is meant to be an account with a key, not a Safe.",
)
@signing_options
@click.pass_obj
def deploy(
    tools: Tools, admin: str, admin_delay: int, salt: bytes, *, admin_is_key: bool, signing: Signing
) -> None:
    """Deploy the voucher contract, and tell what to do next.

    Anybody may sign: the contract gives rights to --admin alone. It is made through the
    deterministic deployment proxy, so its address is known before and the same on every chain,
    and a second deployment is refused. With --local the result is verified; else set
    CONTRACT_ADDRESS and DEPLOY_BLOCK afterwards and run `vouchers verify`. CHAIN_ID and RPC_URLS
    must be set.

    \b
    Examples:
      vouchers deploy --admin 0xAdmin --from 0xDeployer --dry-run
      vouchers deploy --admin 0xSafe --from 0xSafe --as safe --out deploy.json
      vouchers deploy --admin 0xf39F… --admin-delay 0 --from 0xf39F… --local
    """
    chain_id = load(RpcSettings, tools.environ).CHAIN_ID
    if admin_delay < SHORTEST_ADMIN_DELAY and chain_id != LOCAL_CHAIN_ID:
        raise Refused(
            f"--admin-delay is {admin_delay}; on a public chain it is at least"
            f" {SHORTEST_ADMIN_DELAY} (one day). Nothing was produced"
        )
    node = connect(tools)
    if not admin_is_key and chain_id != LOCAL_CHAIN_ID and not node.code(admin):
        raise Refused(
            f"there is no contract at --admin {admin} on chain {chain_id}: a Safe of another chain"
            " would be lost as admin. Make the Safe on this chain first, or give --admin-is-key if"
            " it is an account with a key. Nothing was produced"
        )
    plan = DeploymentPlan(admin=admin, admin_delay=admin_delay, salt=salt)
    if not node.code(PROXY):
        raise Refused(
            f"chain {chain_id} has no deterministic deployment proxy at {PROXY}; nothing was"
            " produced"
        )
    if node.code(plan.address):
        raise Refused(
            f"the contract is deployed at {plan.address} already; `vouchers verify` looks at it"
        )
    first = node.head() + 1
    done = prepare(tools, node, [plan.call], signing, title="Deploy FiveSOfficeVouchers")
    block = first
    if "sent" in done.data:
        block = done.data["sent"][0]["blockNumber"]
        _check(node, plan)
    data = {
        **done.data,
        "contract": plan.address,
        "constructorArguments": "0x" + plan.constructor_arguments.hex(),
        "deployBlock": block,
    }
    emit(data, f"{done.text}\n\n{_next(plan, block)}", as_json=signing.as_json)


def _check(node: "Node", plan: DeploymentPlan) -> None:
    from ops.onchain.contract import VoucherContract  # noqa: PLC0415 - slow import

    if node.code(plan.address) != runtime_code(node.chain_id(), plan.address):
        raise Refused(f"what was deployed at {plan.address} is not what the source compiles to")
    admin = VoucherContract(node, plan.address).admin()
    if admin != plan.admin:
        raise Refused(f"the admin of {plan.address} is {admin}, not {plan.admin}")


def _verify(plan: DeploymentPlan) -> str:
    """The command, with what it has to be told whenever it proves this contract's creation."""
    options = ["vouchers", "verify"]
    if any(plan.salt):
        options += ["--salt", "0x" + plan.salt.hex()]
    if plan.admin_delay != DEFAULT_ADMIN_DELAY:
        options += ["--admin-delay", str(plan.admin_delay)]
    return " ".join(options)


def _next(plan: DeploymentPlan, block: int) -> str:
    return (
        "Constructor arguments, for the explorer:\n"
        f"  {plan.constructor_arguments.hex()}\n\n"
        f"Next: set these, and run `{_verify(plan)}`.\n"
        f"  CONTRACT_ADDRESS={plan.address}\n"
        f"  DEPLOY_BLOCK={block}"
    )
