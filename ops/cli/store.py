"""`vouchers store …`: the tables everything is kept in."""

import click

from ops.cli.bootstrap import Tools


@click.group()
def store() -> None:
    """Tables and their schema.

    \b
    Examples:
      vouchers store migrate
      vouchers store check
    """


@store.command()
@click.pass_obj
def migrate(tools: Tools) -> None:
    """Make the tables, or bring them to the schema this version needs; run it after an update.

    SQL: runs the migrations that are missing. DynamoDB: makes the table where DYNAMODB_ENDPOINT
    names an engine on this machine; on AWS the stack makes it, and it is only checked.
    """
    click.echo(tools.migrate_store())


@store.command()
@click.pass_obj
def check(tools: Tools) -> None:
    """See whether the store answers and has the schema this version needs; change nothing."""
    tools.check_store()
    click.echo("The store answers, and its schema is the one this version needs.")
