"""A real browser, a real server. Skipped where there is no Chromium; then CI fails."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.installed import BROWSERS, find_program
from tests.journeys.customer import DESKTOP, Customer, leaving_no_complaint
from tests.journeys.shop import Shop

#: Wide, for machines that do several things at once: waiting ends with the event, not with this.
PATIENCE_MS = 20_000

MakeCustomer = Callable[..., Awaitable[Customer]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One loop for all journeys: the browser lives in it."""
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def shop(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop for all journeys. Who stops it opens one of their own."""
    shop = Shop(tmp_path_factory.mktemp("shop"), migrated)
    try:
        shop.start()
        yield shop
    finally:
        shop.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = find_program("Chromium", *BROWSERS)
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        sandbox = os.geteuid() != 0  # root has none
        browser = await playwright.chromium.launch(executable_path=path, chromium_sandbox=sandbox)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def make_customer(browser: Browser, shop: Shop) -> AsyncIterator[MakeCustomer]:
    """Give a new customer a browser: ``await make_customer(**PHONE, java_script_enabled=False)``.

    The test fails when one of their tabs met an error or asked something of a stranger.
    """
    async with AsyncExitStack() as leaving:

        async def make(url: str = shop.url, **options: Any) -> Customer:
            # Without a graphics card what moves takes a whole processor.
            still = {"reduced_motion": "reduce"}
            paris = {"locale": "fr-FR", "timezone_id": "Europe/Paris"}
            context = await browser.new_context(**{**DESKTOP, **still, **paris, **options})
            leaving.push_async_callback(context.close)
            context.set_default_timeout(PATIENCE_MS)
            customer = Customer(context, url)
            return await leaving.enter_async_context(leaving_no_complaint(customer))

        yield make


@pytest_asyncio.fixture(loop_scope="session")
async def camille(make_customer: MakeCustomer) -> Customer:
    return await make_customer()
