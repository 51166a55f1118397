"""What a customer leaves beside the conversation: an e-mail address and a photo, then erases."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import aiohttp

from chat.core.ids import ref_of
from tests.faults.cluster import Cluster, WorkerProcess, erase
from tests.faults.scenario import Strike
from tests.faults.scene import Scene, ask
from tests.faults.visitor import Visitor
from tests.shop.photos.pictures import photo

EMAIL = "camille.{}@exemple.test"
SEEN_S = 8
#: After the last worker is back: an erasure that was cut short is finished by any of them.
FORGOTTEN_S = 10
LOOK_S = 0.1
CSRF = "c" * 32


async def erase_while_busy(scene: Scene, strike: Strike, victim: WorkerProcess) -> None:
    """Erase while the database is locked, then kill every worker before it is free again."""
    cluster = scene.cluster
    guest = await scene.welcome([victim.address], 3)
    id_ = await ask(guest)
    tab = guest.tabs[0]
    await scene.must("an answer", SEEN_S, tab.until(lambda: tab.has_end(id_)))
    await leave_email(cluster.web, victim.address, guest)
    await leave_photo(cluster.web, victim.address, guest)
    left = await asyncio.to_thread(traces, cluster, guest)
    assert {what.split()[0] for what in left} == {"e-mail", "photo", "file"}, left
    with locked(cluster.database):
        status = await erase(cluster.web, victim.address, guest.cookies)
        guest.record.erased = status == 302
        for worker in cluster.running:
            worker.kill()
    await asyncio.gather(*(cluster.start_worker() for _ in range(cluster.options.workers)))
    if not guest.record.erased:
        scene.record.broken.append(f"erasing while the database is busy answered {status}")
        return

    async def forgotten() -> None:
        while await asyncio.to_thread(traces, cluster, guest):
            await asyncio.sleep(LOOK_S)

    if not await scene.must("all that was erased is gone", FORGOTTEN_S, forgotten()):
        guest.record.traces += await asyncio.to_thread(traces, cluster, guest)


async def leave_email(web: aiohttp.ClientSession, address: str, visitor: Visitor) -> None:
    fields = {"email": EMAIL.format(visitor.name), "subject": "Rappel", **_token()}
    async with web.post(
        f"http://{address}/rappel/", data=fields, headers=_headers(address, visitor)
    ) as response:
        assert response.status == 200, response.status  # after the redirect


async def leave_photo(web: aiohttp.ClientSession, address: str, visitor: Visitor) -> None:
    form = aiohttp.FormData(_token())
    form.add_field("photo", photo(), filename="canape.jpg", content_type="image/jpeg")
    headers = {**_headers(address, visitor), "Accept": "application/json"}
    async with web.post(f"http://{address}/photos/", data=form, headers=headers) as response:
        told = await response.json()
        assert response.status == 201, told
    visitor.secrets.append(told["photo"]["url"].partition("?s=")[2].partition("&")[0])


def traces(cluster: Cluster, visitor: Visitor) -> list[str]:
    """Return what is left in the database and on disk."""
    ref = ref_of(visitor.session_id)
    queries = {
        "e-mail": "SELECT COUNT(*) FROM chat_contactrequest WHERE session_ref = ?",
        "photo": "SELECT COUNT(*) FROM chat_photo WHERE session_ref = ?",
    }
    with closing(sqlite3.connect(cluster.database, timeout=30)) as database:
        counts = {
            what: database.execute(query, [ref]).fetchone()[0] for what, query in queries.items()
        }
    counts["file"] = len(list(cluster.media.rglob("*.jpg")))
    return [f"{what} left: {count}" for what, count in counts.items() if count]


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Keep everybody else from writing, as a backup or a long migration does."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as busy:
        busy.execute("BEGIN IMMEDIATE")
        yield
        busy.execute("ROLLBACK")


def _headers(address: str, visitor: Visitor) -> dict[str, str]:
    return {
        "Cookie": f"chat_session={visitor.cookies['chat_session']}; csrftoken={CSRF}",
        "Origin": f"http://{address}",
    }


def _token() -> dict[str, str]:
    return {"csrfmiddlewaretoken": CSRF}
