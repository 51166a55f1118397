"""Claire, an adviser of the shop: what she does at the desk, by its own forms."""

from __future__ import annotations

from pathlib import Path

import aiohttp

from chat.core.ids import ref_of

#: Run once where the database is made: an account, and a login that every worker finds there.
MAKE_LOGIN = """
from django.contrib.auth import get_user_model
from django.test import Client
claire = get_user_model().objects.create_superuser("claire", first_name="Claire")
browser = Client()
browser.force_login(claire)
print(browser.cookies["sessionid"].value)
"""
DESK = "/admin/chat/chatsession/"
_CSRF = "c" * 32


class Adviser:
    """``login``: see ``MAKE_LOGIN``."""

    def __init__(self, web: aiohttp.ClientSession, login: str) -> None:
        self._web = web
        self._headers = {
            "Cookie": f"sessionid={login}; csrftoken={_CSRF}",
            "X-CSRFToken": _CSRF,
            "Accept": "application/json",
        }

    async def take_over(self, address: str, session_id: str) -> int:
        """Return the HTTP status: 200 when she was told that she has the conversation."""
        return await self._act(address, session_id, "take-over", {})

    async def say(self, address: str, session_id: str, id_: str, text: str) -> int:
        return await self._act(address, session_id, "say", {"id": id_, "text": text})

    async def look(self, address: str, path: str = DESK) -> int:
        """Open a page of the desk."""
        headers = {**self._headers, "Accept": "text/html"}
        async with self._web.get(f"http://{address}{path}", headers=headers) as page:
            await page.read()
            return page.status

    async def _act(self, address: str, session_id: str, act: str, fields: dict[str, str]) -> int:
        url = f"http://{address}{DESK}{ref_of(session_id)}/{act}/"
        headers = {**self._headers, "Origin": f"http://{address}"}
        async with self._web.post(
            url, headers=headers, data=fields, allow_redirects=False
        ) as response:
            await response.read()
            return response.status


def login_beside(database: Path) -> Path:
    """Where the login that was made for this database is kept."""
    return database.with_name("claire")
