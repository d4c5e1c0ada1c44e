"""`vouchers catalog …`: which services the vouchers stand for."""

from pathlib import Path

import click

from chalicelib.domain.catalogue import Catalogue, VoucherType, catalogue_errors
from chalicelib.domain.errors import InvalidInput
from chalicelib.usecases.manage import load_catalogue
from ops.cli.bootstrap import Tools
from ops.cli.output import emit, json_option
from ops.seed.files import read_catalogue

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def catalog() -> None:
    """Voucher types: names, units, sites, conditions.

    The catalogue is one JSON file, loaded as a whole; ops/seed/catalogue.json shows every field.

    \b
    Examples:
      vouchers catalog check ops/seed/catalogue.json
      vouchers catalog load ops/seed/catalogue.json
    """


@catalog.command()
@click.argument("file", type=FILE)
@click.pass_obj
def check(tools: Tools, file: Path) -> None:
    """Name every problem of FILE with its place, against the sites there are; change nothing."""
    click.echo(f"{file} is well: {len(_checked_types(tools, file))} voucher types.")


@catalog.command()
@click.argument("file", type=FILE)
@json_option
@click.pass_obj
def load(tools: Tools, file: Path, *, as_json: bool) -> None:
    """Replace the catalogue by FILE, if nothing is wrong with it. Loading it again does nothing."""
    known = tools.store.catalogue()
    loaded = load_catalogue(
        _checked_types(tools, file),
        store=tools.store,
        entropy=tools.entropy,
        actor=tools.actor,
        now=tools.clock.now(),
        request_id=tools.request_id,
    )
    changed = known is None or known.version != loaded.version
    data = {"version": loaded.version, "types": len(loaded.types), "changed": changed}
    done = "Loaded" if changed else "Nothing changed:"
    emit(
        data,
        f"{done} catalogue version {loaded.version}, {len(loaded.types)} voucher types.",
        as_json=as_json,
    )


def _checked_types(tools: Tools, file: Path) -> tuple[VoucherType, ...]:
    """The file's types; what cannot be read and what breaks a rule is told together."""
    parsed = read_catalogue(file)
    sites = frozenset(site.site_id for site in tools.store.sites())
    problems = [*parsed.problems, *parsed.placed(catalogue_errors(Catalogue(parsed.types), sites))]
    if problems:
        raise InvalidInput(*problems)
    return parsed.types
