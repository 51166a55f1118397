"""The shop's staff in browsers of their own, and the pages of the admin that they look at."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from playwright.async_api import Locator, expect

from chat.core.ids import ref_of
from tests import staff
from tests.journeys.customer import Customer, Tab
from tests.journeys.shop import START_S, Shop
from tests.staff import CAST, PASSWORD

LIST = "/admin/chat/chatsession/"


class StaffedShop(Shop):
    """A shop with the cast of ``tests.staff`` in its database."""

    def start(self) -> None:
        super().start()
        names = ", ".join(map(repr, CAST))
        script = f"from {staff.__name__} import {staff.make_person.__name__}\n" + inspect.cleandoc(
            f"for name in ({names},): {staff.make_person.__name__}(name)"
        )
        self._manage("shell", "--verbosity", "0", "-c", script).communicate(timeout=START_S)


@dataclass
class DeskTab(Tab):
    """One page of the admin, of somebody who is logged in."""

    def __post_init__(self) -> None:
        super().__post_init__()
        page = self.page
        self.rows: Locator = page.locator("[data-row]")
        self.badge = page.locator("[data-badge]")
        self.cut = page.locator("[data-transcript] [data-when=interrupted]:visible")
        self.reply = page.get_by_label("Votre réponse au client")
        self.take = page.get_by_role("button", name="Prendre la main")
        self.status = page.locator("[data-live-status]")
        self.refusal = page.locator("[data-refusal]")

    async def is_live(self) -> None:
        await expect(self.status).to_have_attribute("data-live-status", "connected")

    async def show(self, path: str) -> None:
        await self.page.goto(self.url + path)

    async def show_session(self, session_id: str) -> None:
        await self.show(f"{LIST}{ref_of(session_id)}/")
        await self.is_live()


async def log_in(person: Customer, username: str) -> DeskTab:
    """Log in by the admin's form; return the tab, at the first page."""
    tab = DeskTab(await person.context.new_page(), person.url)
    person.tabs.append(tab)
    await tab.show("/admin/")
    await tab.page.get_by_label("Nom d’utilisateur").fill(username)
    await tab.page.get_by_label("Mot de passe").fill(PASSWORD)
    await tab.page.get_by_role("button", name="Connexion").click()
    await expect(tab.page.locator("#user-tools")).to_contain_text(
        username.capitalize(), use_inner_text=True, ignore_case=True
    )
    return tab
