"""What the demo begins with: sites, catalogue, and staff whose passwords work at once.

All of it goes through the use cases a real system is set up with.
"""

from dataclasses import dataclass
from typing import Any

from chalicelib.domain.catalogue import Catalogue, Site
from chalicelib.domain.staff import Role
from chalicelib.usecases.manage import add_site, add_staff, load_catalogue, one_time_password
from chalicelib.usecases.staff_sessions import authenticate_any, change_password, log_in
from ops.cli.bootstrap import Tools
from ops.seed.files import CATALOGUE_FILE, SITES_FILE, read_catalogue, read_sites


@dataclass(frozen=True, slots=True)
class Login:
    """A member of staff who can sign in."""

    username: str
    password: str
    role: Role
    sites: tuple[str, ...]

    def published(self) -> dict[str, Any]:
        """As the state file has it."""
        return {
            "username": self.username,
            "password": self.password,
            "role": self.role.value,
            "sites": list(self.sites),
        }


def seed(tools: Tools) -> tuple[Login, ...]:
    """Fill an empty store; everybody who can sign in: an administrator, a receptionist per site."""
    sites = read_sites(SITES_FILE)
    for site in sites:
        add_site(
            site,
            store=tools.store,
            entropy=tools.entropy,
            actor=tools.actor,
            now=tools.clock.now(),
            request_id=tools.request_id,
        )
    _seed_catalogue(tools)
    return (
        _seed_staff(tools, "admin", "Demo administrator", Role.ADMIN, ()),
        *(_seed_receptionist(tools, site) for site in sites),
    )


def _seed_catalogue(tools: Tools) -> Catalogue:
    return load_catalogue(
        read_catalogue(CATALOGUE_FILE).types,
        store=tools.store,
        entropy=tools.entropy,
        actor=tools.actor,
        now=tools.clock.now(),
        request_id=tools.request_id,
    )


def _seed_receptionist(tools: Tools, site: Site) -> Login:
    username = "desk." + site.site_id.lower().replace("_", ".")
    return _seed_staff(tools, username, "Lễ tân", Role.RECEPTION, (site.site_id,))


def _seed_staff(
    tools: Tools, username: str, display_name: str, role: Role, sites: tuple[str, ...]
) -> Login:
    """Add somebody, sign in with the one-time password and choose another, as people do."""
    issued = add_staff(
        username,
        display_name=display_name,
        role=role,
        sites=sites,
        store=tools.store,
        passwords=tools.passwords,
        entropy=tools.entropy,
        actor=tools.actor,
        now=tools.clock.now(),
        request_id=tools.request_id,
    )
    session = log_in(
        username,
        issued.one_time_password,
        store=tools.store,
        passwords=tools.passwords,
        entropy=tools.entropy,
        now=tools.clock.now(),
        request_id=tools.request_id,
    )
    password = one_time_password(tools.entropy)
    change_password(
        authenticate_any(str(session.access_token), store=tools.store, now=tools.clock.now()),
        issued.one_time_password,
        password,
        store=tools.store,
        passwords=tools.passwords,
        entropy=tools.entropy,
        now=tools.clock.now(),
        request_id=tools.request_id,
    )
    return Login(username, password, role, sites)
