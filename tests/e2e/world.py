"""What a test or a state of a page has at hand: the running demo, its chain, wallets and pages."""

import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from eth_account.signers.local import LocalAccount
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.e2e.chain import ONE_COIN, Chain
from tests.e2e.faults import Faults
from tests.e2e.steps import reception_site, sign_in
from tests.e2e.wallet import Wallet, Wallets

API_SECONDS = 30.0
LOOK_SECONDS = 0.1
SCREENS_SCALE = 2


@dataclass(frozen=True, slots=True)
class Device:
    """A size of screen, and whether fingers use it."""

    name: str
    width: int
    height: int
    touch: bool


PHONE = Device("phone", 390, 844, touch=True)
DESKTOP = Device("desktop", 1280, 800, touch=False)
DEVICES = (PHONE, DESKTOP)
LANGUAGES = ("vi", "en")
SCHEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that was made over the API: its secret id, and what `redeemOrder` takes."""

    order_id: str
    order_hash: str
    terms: Mapping[str, Any]

    @property
    def code(self) -> str:
        """The 16 random characters that people type."""
        return self.order_id[-16:]


@dataclass(slots=True)
class World:
    """One state's or test's share of the demo; everything it opened ends with it."""

    stack: Mapping[str, Any]
    chain: Chain
    browser: Browser
    language: str = "en"
    device: Device = PHONE
    scheme: str = "light"
    problems: list[str] = field(default_factory=list)
    """Page errors, violations of the content policy and requests to strangers, as they come."""

    _ends: ExitStack = field(default_factory=ExitStack)
    _wallets: dict[Page, Wallets] = field(default_factory=dict)
    _client: httpx.Client | None = None

    def close(self) -> None:
        """Lift faults, close pages."""
        self._ends.close()

    # ------------------------------------------------------------ pages

    def portal(self, *wallets: Wallet, url: str = "", **options: Any) -> Page:
        """The portal in a browser of its own that has exactly these wallets.

        `options` go to `Browser.new_context`; `page.goto` has been done, nothing else.
        """
        page = self._page(self.stack["portalUrl"], **options)
        self._wallets[page] = Wallets(page.context, *wallets)
        page.context.route(f"{self.stack['portalUrl']}/config.json", _without_demo_wallet)
        page.goto(url or self.stack["portalUrl"])
        return page

    def connected(self, wallet: Wallet, **options: Any) -> Page:
        """The portal, with the wallet connected and its vouchers on the screen."""
        page = self.portal(wallet, **options)
        page.get_by_test_id("connect").click()
        expect(page.get_by_test_id("account")).to_be_visible()
        return page

    def console(self, **options: Any) -> Page:
        """The console in a browser of its own, before anybody signed in."""
        page = self._page(self.stack["receptionUrl"], **options)
        page.goto(self.stack["receptionUrl"])
        return page

    def desk(self, site: str = "", **options: Any) -> Page:
        """The console with a receptionist of `site` signed in, at the desk."""
        page = self.console(**options)
        sign_in(page, dict(self.stack), site or self.site)
        return page

    def faults(self, page: Page) -> Faults:
        """What goes wrong between that page and the API; lifted in the end."""
        return self._ends.enter_context(Faults(page, self.stack["apiUrl"]))

    def release(self, page: Page, wallet: Wallet) -> None:
        """Answer what waits at the wallet of that page, as soon as something does."""
        self.until(lambda: self._wallets[page].waits(wallet), f"{wallet.name} is asked")
        self._wallets[page].release(wallet)

    def tell(self, page: Page) -> None:
        """Tell that page what was done in its wallets: `use_chain`, `use_account`, `leave`."""
        self._wallets[page].tell()

    # ------------------------------------------------------------ chain and API

    @property
    def site(self) -> str:
        """A site that somebody at reception serves."""
        return reception_site(dict(self.stack))

    def wallet(
        self, vouchers: Mapping[int, int] | None = None, *, wei: int = ONE_COIN, **options: Any
    ) -> Wallet:
        """A wallet whose new account holds `vouchers` (amounts by token id) and `wei` for gas."""
        return Wallet(self.chain, self.chain.account(vouchers, wei=wei), **options)

    def place(
        self,
        account: LocalAccount,
        token_id: int,
        amount: int = 1,
        *,
        site: str | None = None,
        **meta: str,
    ) -> Placed:
        """Make an order over the API; `site` is the desk's unless another is named."""
        body: dict[str, Any] = {
            "customerAddress": account.address,
            "tokenId": token_id,
            "amount": amount,
            "siteId": self.site if site is None else site,
        }
        if meta:
            body["customerMeta"] = meta
        key = {"Idempotency-Key": secrets.token_urlsafe(24)}
        answer = self.api("POST", "/orders", headers=key, json=body)
        return Placed(answer["orderId"], answer["orderHash"], answer["order"])

    def burn(self, account: LocalAccount, placed: Placed) -> str:
        """Redeem it on the chain; the transaction's hash. It is mined when a block comes."""
        call = self.chain.redemption(placed.terms, placed.order_hash)
        return self.chain.send_raw(account, call["to"], call["data"])

    def ready(self, token_id: int, *, site: str | None = None, **meta: str) -> Placed:
        """An order of a new customer that reception may deliver."""
        account = self.chain.account({token_id: 1})
        placed = self.place(account, token_id, 1, site=site, **meta)
        self.burn(account, placed)
        self.chain.mine(4)
        self.until(lambda: self.status(placed) == "VALID", f"{placed.order_hash} is VALID")
        return placed

    def status(self, placed: Placed) -> str:
        """The order's status, as its holder sees it."""
        return str(self.api("GET", f"/orders/{placed.order_id}")["status"])

    def deliver(self, placed: Placed, *, site: str = "") -> dict[str, Any]:
        """A receptionist of `site` delivers it from another device."""
        return self.hand_over(placed.order_id, site=site)

    def hand_over(self, order_id: str, *, site: str = "") -> dict[str, Any]:
        """The same for an order that was made on a page."""
        staff = self.staff(site)
        body = {"username": staff["username"], "password": staff["password"]}
        token = self.api("POST", "/auth/login", json=body)["accessToken"]
        return self.api(
            "POST",
            f"/orders/{order_id}/deliver",
            headers={"Authorization": f"Bearer {token}"},
            json={},
        )

    def staff(self, site: str = "") -> Mapping[str, Any]:
        """A receptionist of `site`, with the password."""
        wanted = site or self.site
        staff: Mapping[str, Any] = next(
            one
            for one in self.stack["staff"]
            if one["role"] == "RECEPTION" and wanted in one["sites"]
        )
        return staff

    def api(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """One call of the API, which must succeed; `path` is below /api/v1."""
        if self._client is None:
            self._client = self._ends.enter_context(
                httpx.Client(base_url=self.stack["apiUrl"], timeout=API_SECONDS, trust_env=False)
            )
        response = self._client.request(method, path, **options)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        answer: dict[str, Any] = response.json() if response.content else {}
        return answer

    def until(self, holds: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
        """Wait until it holds, while the pages go on.

        Raises:
            AssertionError: naming `what`, when it does not.
        """
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
            pages = [page for context in self.browser.contexts for page in context.pages]
            if pages:
                pages[0].wait_for_timeout(LOOK_SECONDS * 1000)
            else:
                time.sleep(LOOK_SECONDS)

    # ------------------------------------------------------------ inside

    def _page(self, site: str, **options: Any) -> Page:
        wanted: dict[str, Any] = {
            "viewport": {"width": self.device.width, "height": self.device.height},
            "has_touch": self.device.touch,
            "device_scale_factor": SCREENS_SCALE,
            "color_scheme": self.scheme,
            "locale": {"vi": "vi-VN", "en": "en-US"}[self.language],
            "reduced_motion": "reduce",
            "service_workers": "block",
        }
        context = self.browser.new_context(**(wanted | options))
        self._ends.callback(context.close)
        self._watch(context, site)
        return context.new_page()

    def _watch(self, context: BrowserContext, site: str) -> None:
        friends = {_origin(site), _origin(self.stack["apiUrl"]), _origin(self.stack["rpcUrl"])}
        context.on("weberror", lambda told: self.problems.append(f"page error: {told.error}"))
        context.on(
            "console",
            lambda said: (
                self.problems.append(said.text) if "Security Policy" in said.text else None
            ),
        )
        context.on(
            "request",
            lambda request: (
                self.problems.append(f"request to {request.url}")
                if request.url.startswith("http") and _origin(request.url) not in friends
                else None
            ),
        )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _without_demo_wallet(route: Route) -> None:
    """The portal as in production: the test brings the wallets."""
    answer = route.fetch()
    config = answer.json()
    config.pop("demoWallet", None)
    route.fulfill(response=answer, json=config)
