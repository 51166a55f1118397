from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from openai import AsyncOpenAI

from meuble_project.env import ROOT
from tests.devtools.local_assistant.asking import listen


@asynccontextmanager
async def run_command(*options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "manage.py", "local_assistant", *options),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_command_says_where_it_is_answers_and_ends(number):
    async with asyncio.timeout(20), run_command("--port", "0", "--first-token-ms", "0") as process:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        match = re.fullmatch(r"Assistant local : (http://127\.0\.0\.1:\d+/v1)\n", line)
        assert match
        async with AsyncOpenAI(api_key="x", base_url=match.group(1), max_retries=0) as client:
            heard = await listen(client, "Je suis Jean", "Comment je m'appelle ? [[jetons_s=0]]")
        process.send_signal(number)
        out, err = await process.communicate()

    assert heard.text == "Vous vous appelez Jean."
    assert (process.returncode, out, err) == (0, b"", b"")


@pytest.mark.parametrize(
    "options, said",
    [
        ({"host": "0.0.0.0"}, "que sur cette machine"),  # noqa: S104
        ({"host": "exemple"}, "que sur cette machine"),
        ({"port": 70_000}, "Impossible d'écouter"),
        ({"port": -1}, "Impossible d'écouter"),
        ({"tokens_per_s": -1.0}, "négatifs"),
        ({"keep_requests": 101}, "de 0 à 100"),
    ],
)
def test_command_refuses_what_it_cannot_do(options, said):
    with pytest.raises(CommandError, match=said):
        call_command("local_assistant", stdout=StringIO(), **options)


def test_command_says_that_a_port_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match="Impossible d'écouter"):
            call_command("local_assistant", port=port, stdout=StringIO())
