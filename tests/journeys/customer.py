"""A customer with a browser of her own, and what she sees in a tab of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Request, expect

DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}

#: An answer that stops in mid-sentence and goes on never: stopped, or cut by its deadline.
NEVER_ENDS = "[[panne:gel apres=6]]"
#: A long answer takes 7 s: enough to act in the middle of it, and well below ``PATIENCE_MS``.
SLOW = "[[lent jetons_s=50]]"
FAST = "[[lent jetons_s=0 premier_jeton_ms=0]]"
FAILS = "[[panne:vide]]"


@dataclass
class Tab:
    """One page of the shop. ``mishaps``: what a browser complained of, or asked of strangers."""

    page: Page
    url: str
    mishaps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.field = self.page.locator("[data-field]")
        self.send_button = self.page.locator("[data-send]")
        self.stop_button = self.page.locator("[data-stop-button]")
        self.lines = self.page.locator("[data-transcript] [data-message]")
        self.questions = self.page.locator("[data-transcript] [data-author=customer]")
        self.answers = self.page.locator(
            "[data-transcript] [data-author=assistant]:not([data-writing])"
        )
        self.writing = self.page.locator("[data-writing]")
        self.connection = self.page.locator("[data-connection]")
        self.ended = self.page.locator("[data-ended]")
        self.pill = self.page.locator("[data-pill]")
        self.heard = self.page.locator("[data-announcer]")
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.mishaps.append(f"error: {error}"))
        self.page.on("request", self._note_request)

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.mishaps.append(f"{message.type}: {message.text}")

    def _note_request(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.mishaps.append(f"stranger: {request.url}")

    async def open(self) -> None:
        """Load the page and wait until it is connected."""
        await self.page.goto(self.url)
        await self.is_connected()

    async def is_connected(self) -> None:
        await expect(self.connection).to_have_attribute("data-connection", "connected")

    async def write(self, text: str) -> None:
        """Type a message and send it with Enter."""
        await self.field.fill(text)
        await self.field.press("Enter")

    async def ask(self, text: str) -> Locator:
        """Say something and wait for the whole answer, which is returned."""
        count = await self.answers.count()
        await self.write(text)
        answer = self.answers.nth(count)
        await expect(answer).to_be_visible()
        return answer

    async def begin(self, text: str) -> None:
        """Say something and wait for the first words of the answer."""
        await self.write(text)
        await expect(self.writing.locator("[data-text]")).not_to_be_empty()

    async def texts(self) -> list[str]:
        """What each line says, without who and when."""
        return await self.lines.locator("[data-text]").all_inner_texts()

    async def scrolled(self) -> float:
        scrolled: float = await self.page.evaluate("scrollY")
        return scrolled

    async def check_accessible(self) -> None:
        """Fail on any rule of axe that the page breaks as it stands."""
        results = await Axe().run(self.page)
        broken = [
            f"{rule['id']}: {rule['help']} {[node['target'] for node in rule['nodes']]}"
            for rule in results.response["violations"]
        ]
        assert broken == []

    async def check_fits(self) -> None:
        """Fail when something is wider than the window."""
        width = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert width == 0

    def forgive(self, *reasons: str) -> None:
        """Forget complaints that the test itself caused."""
        self.mishaps = [
            mishap for mishap in self.mishaps if not any(reason in mishap for reason in reasons)
        ]


@dataclass
class Customer:
    """``tabs``: those she has open. They share her cookies."""

    context: BrowserContext
    url: str
    tabs: list[Tab] = field(default_factory=list)

    async def tab(self) -> Tab:
        """A new tab, nothing loaded in it."""
        tab = Tab(await self.context.new_page(), self.url)
        self.tabs.append(tab)
        return tab

    async def open(self) -> Tab:
        tab = await self.tab()
        await tab.open()
        return tab


@asynccontextmanager
async def leaving_no_complaint(customer: Customer) -> AsyncIterator[Customer]:
    """Fail in the end when a tab met an error, or asked something of a stranger."""
    yield customer
    assert [mishap for tab in customer.tabs for mishap in tab.mishaps] == []
