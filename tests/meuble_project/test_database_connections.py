"""Threads of a worker keep no connection to the database once nothing asks for it.

A connection that its thread forgets is a file that stays open, and in PostgreSQL a place of the
pool that nobody gets back. From Python 3.13 on, SQLite warns of each.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import aiohttp
import pytest
from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from chat.core.ids import ref_of
from chat.web.access.services import create_key
from devtools.local_assistant.server import start
from meuble_project.env import ROOT, Env

PATIENCE_S = 50
#: How long what the background tasks read and write may take to end.
QUIET_S = 15

pytestmark = pytest.mark.django_db(transaction=True)

Process = asyncio.subprocess.Process


@pytest.fixture
async def model() -> AsyncIterator[str]:
    """The address of a local assistant."""
    server = await start()
    yield server.url
    await server.close()


@pytest.fixture(params=["serve", "uvicorn"])
async def worker(
    request: pytest.FixtureRequest, model: str, tmp_path: Path
) -> AsyncIterator[tuple[Process, str]]:
    """A worker on the database of the tests, with its address."""
    environ = {field.name.upper(): "" for field in fields(Env)}
    environ |= {
        "DEBUG": "1",
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "MEDIA_DIR": str(tmp_path),
        "OPENAI_BASE_URL": model,
        "OPENAI_API_KEY": "none",
        "DJANGO_SETTINGS_MODULE": "meuble_project.settings",
        "PYTHONWARNINGS": "default::ResourceWarning",
    }
    command = {
        "serve": ("manage.py", "serve", "--port", "0"),
        "uvicorn": ("-m", "uvicorn", "meuble_project.asgi:application", "--port", "0"),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command[request.param]),
        cwd=ROOT,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield process, await _address_of(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _address_of(process: Process) -> str:
    assert process.stdout is not None
    async for line in process.stdout:
        if "http://" in (text := line.decode()):
            return text[text.index("http://") :].split()[0]
    raise AssertionError("the worker did not start")


@database_sync_to_async
def logged_in() -> tuple[str, str]:
    """The login of an adviser, and the key of a program."""
    claire = get_user_model().objects.create_superuser("claire", first_name="Claire")
    browser = Client()
    browser.force_login(claire)
    return browser.cookies["sessionid"].value, create_key("essai")[1]


def open_files(pid: int) -> list[str]:
    """Descriptors of this process on the database and what SQLite writes beside it."""
    name = Path(str(connection.settings_dict["NAME"])).name
    found = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            target = descriptor.readlink()
            if target.name.startswith(name):
                found.append(f"{descriptor.name} -> {target.name}")
    return found


async def ask(web: aiohttp.ClientSession, address: str, key: str, text: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    question = {"message": text, "session_id": "camille"}
    async with web.post(f"{address}/api/chat", json=question, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


async def visit(web: aiohttp.ClientSession, address: str, login: str) -> None:
    """Claire opens pages of the desk and leaves one before it comes."""
    headers = {"Cookie": f"sessionid={login}"}
    for path in ("/admin/", "/admin/chat/chatsession/", "/admin/chat/ticket/", "/garanties/"):
        async with web.get(address + path, headers=headers) as page:
            assert page.status == 200, path
    with pytest.raises(asyncio.TimeoutError):
        async with asyncio.timeout(0):
            await web.get(f"{address}/admin/chat/ticket/", headers=headers)


async def watch(web: aiohttp.ClientSession, address: str, login: str) -> None:
    """Claire follows the conversation over her socket until it shows it."""
    headers = {"Cookie": f"sessionid={login}"}
    url = f"{address}/ws/desk/{ref_of('camille')}/"
    async with web.ws_connect(url, headers=headers) as socket:
        while (await socket.receive_json())["type"] != "desk.state":
            pass


async def test_worker_keeps_no_connection(worker):
    process, address = worker
    login, key = await logged_in()

    async with aiohttp.ClientSession() as web:
        for text in ("Bonjour", "Avez-vous un canapé bleu ?", "Où est ma commande MDF-1 ?"):
            await ask(web, address, key, text)
        await asyncio.gather(*(visit(web, address, login) for _ in range(4)))
        await watch(web, address, login)
    with suppress(TimeoutError):
        async with asyncio.timeout(QUIET_S):
            while open_files(process.pid):
                await asyncio.sleep(0.05)
    found = open_files(process.pid)
    process.send_signal(signal.SIGTERM)
    said = (await process.stdout.read()).decode()
    assert found == []
    assert "ResourceWarning" not in said
    assert "Traceback" not in said, said
