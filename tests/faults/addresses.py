"""Addresses, headers and cookies with secrets in them, sent to where they are refused."""

from __future__ import annotations

import secrets
from contextlib import suppress
from uuid import uuid4

import aiohttp
import websockets
from websockets.exceptions import InvalidHandshake

from tests.faults.cluster import WorkerProcess
from tests.faults.scenario import Strike
from tests.faults.scene import Scene, ask


async def send_secrets(scene: Scene, strike: Strike, victim: WorkerProcess) -> None:
    """Have every place that refuses something see a secret; no log may show one."""
    guest = await scene.welcome([victim.address], 3)
    id_ = await ask(guest)
    await guest.tabs[0].until(lambda: guest.tabs[0].has_end(id_))
    web, at = scene.cluster.web, f"http://{victim.address}"

    def secret() -> str:
        guest.secrets.append(secrets.token_urlsafe(24))
        return guest.secrets[-1]

    key, link = f"mdf_{secret()[:8]}_{secret()}", f"{at}/suivi/{secret()}/"
    signed = f"{at}/photos/{uuid4()}/?s={secret()}"
    form = {"csrfmiddlewaretoken": secret(), "text": "Bonjour"}
    requests = [
        web.get(link),
        web.post(link, data=form),  # no cookie: Django refuses it and says where
        web.post(link, data=form, headers={"Cookie": f"csrftoken={secret()}"}),
        web.get(signed),
        web.post(signed, data=form),
        web.delete(signed),
        web.get(f"{at}/?jeton={secret()}", headers={"Cookie": f"chat_session={secret()}"}),
        web.get(f"{at}/nulle-part?jeton={secret()}"),
        web.get(f"{at}/admin/chat/chatsession/?q={secret()}"),
        web.get(f"{at}/api/chat/sessions/count", headers={"Authorization": f"Bearer {key}"}),
        web.post(f"{at}/api/chat?jeton={secret()}", data="{", headers={"X-Api-Key": secret()}),
        web.post(f"{at}/conversation/erase/", headers={"Cookie": f"chat_session={secret()}"}),
        web.get(link, headers={"Host": f"{secret()}.test"}),
    ]
    for request in requests:
        with suppress(aiohttp.ClientError):
            async with request as response:
                await response.read()
    for path in (f"/ws/chat/?jeton={secret()}", f"/ws/{secret()}/?jeton={secret()}"):
        with suppress(InvalidHandshake, OSError):
            async with websockets.connect(f"ws://{victim.address}{path}", proxy=None) as socket:
                await socket.wait_closed()
