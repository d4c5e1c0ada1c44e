"""`vouchers site …`: the places with a reception desk."""

import click

from chalicelib.domain.catalogue import Site
from chalicelib.usecases.manage import add_site
from ops.cli.bootstrap import Tools
from ops.cli.output import emit, json_option, table


@click.group()
def site() -> None:
    """Places with a reception desk.

    \b
    Examples:
      vouchers site add HCM_ROX_T09 --vi "ROX Tower, tầng 9" --en "ROX Tower, floor 9"
      vouchers site list
    """


@site.command()
@click.argument("site_id", metavar="SITE_ID")
@click.option("--vi", required=True, help="Name in Vietnamese.")
@click.option("--en", required=True, help="Name in English.")
@click.pass_obj
def add(tools: Tools, site_id: str, vi: str, en: str) -> None:
    """Add a site. SITE_ID takes 2 to 32 of A-Z 0-9 _ and never changes."""
    add_site(
        Site(site_id=site_id, name={"vi": vi, "en": en}),
        store=tools.store,
        entropy=tools.entropy,
        actor=tools.actor,
        now=tools.clock.now(),
        request_id=tools.request_id,
    )
    click.echo(f"Added site {site_id}.")


@site.command("list")
@json_option
@click.pass_obj
def list_sites(tools: Tools, *, as_json: bool) -> None:
    """List all sites."""
    sites = tools.store.sites()
    data = [
        {"siteId": one.site_id, "name": dict(one.name), "enabled": one.enabled} for one in sites
    ]
    if sites:
        rows = [
            (one.site_id, one.name["vi"], one.name["en"], "enabled" if one.enabled else "disabled")
            for one in sites
        ]
        text = table(("SITE", "VI", "EN", "STATE"), rows)
    else:
        text = 'There is no site yet. Begin with: vouchers site add SITE_ID --vi "…" --en "…"'
    emit(data, text, as_json=as_json)
