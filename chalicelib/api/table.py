"""All routes of the API."""

from chalicelib.api import orders, public, reception, staff, wallets
from chalicelib.api.routing import Route

PARTS = (public.routes, orders.routes, wallets.routes, staff.routes, reception.routes)

ROUTES: tuple[Route, ...] = tuple(route for part in PARTS for route in part.all)
