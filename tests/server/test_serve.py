"""The run command, as processes."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import redis
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import CommandError

from chat.management.local_assistant_process import local_assistant
from devtools.redis_server import RedisServer
from meuble_project.env import ROOT, Env
from server.management.commands.serve import collect_stale_static_files

PATIENCE_S = 30

#: Workers that start, stop and are killed: see ``RUN_AGAIN`` of tests/conftest.py.
pytestmark = pytest.mark.flaky(reruns=1)

Serve = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start ``manage.py serve`` deaf to the developer's environment, but for what is given."""
    processes = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        variables = {field.name.upper(): "" for field in fields(Env)}
        variables |= {"DEBUG": "1", "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
        variables |= {"DJANGO_SETTINGS_MODULE": "meuble_project.settings", **environment}
        assignments = [f"{name}={value}" for name, value in variables.items()]
        process = subprocess.Popen(
            ["env", *assignments, sys.executable, "manage.py", "serve", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


async def test_serve_answers_with_the_local_assistant_and_ends_it_too(serve: Serve):
    server = serve("--port", "0")
    url = _url_of(server)
    assistant = _child_of(server)

    answer = await asyncio.to_thread(_ask, url, "Bonjour")
    server.send_signal(signal.SIGTERM)
    _, errors = await asyncio.to_thread(server.communicate, timeout=PATIENCE_S)

    assert "onjour" in answer
    assert server.returncode == 0
    assert _has_ended(assistant)
    assert "Traceback" not in errors


def test_local_assistant_does_not_survive_a_killed_server(serve: Serve):
    server = serve("--port", "0")
    _url_of(server)
    assistant = _child_of(server)
    server.kill()
    assert _has_ended(assistant)


def test_serve_needs_no_local_assistant_where_there_is_a_model(serve: Serve):
    server = serve("--port", "0", OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    with urllib.request.urlopen(_url_of(server) + "/healthz") as answer:  # noqa: S310
        assert answer.status == 200
    assert _children_of(server) == []


def test_taken_port_is_said_in_one_line(serve: Serve):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = serve("--port", str(port), OPENAI_BASE_URL="http://127.0.0.1:9/v1")
        out, errors = server.communicate(timeout=PATIENCE_S)
    assert server.returncode == 1
    assert out == ""
    assert errors.splitlines() == [
        f"CommandError: Impossible d'écouter sur 127.0.0.1:{port} : Address already in use"
    ]


def test_bad_environment_is_listed_without_a_traceback(serve: Serve):
    server = serve(DEBUG="0", CHAT_TIMEOUT_S="soon", SECRET_KEY="")
    _, errors = server.communicate(timeout=PATIENCE_S)
    assert server.returncode == 1
    assert errors.splitlines()[0] == "Bad environment:"
    assert {line.split(":")[0].strip() for line in errors.splitlines()[1:]} >= {
        "SECRET_KEY",
        "CHAT_TIMEOUT_S='soon'",
    }
    assert "Traceback" not in errors


# Stopping


def test_answer_whose_asker_left_is_finished_before_the_server_ends(
    serve: Serve, redis_server: RedisServer
):
    worker = serve("--port", "0", REDIS_URL=redis_server.url)
    _ask_and_leave(_url_of(worker), "camille", "[[lent jetons_s=100]]")
    worker.send_signal(signal.SIGTERM)
    _, errors = worker.communicate(timeout=PATIENCE_S)

    with redis.Redis.from_url(redis_server.url) as client:
        stored = client.get("session:camille")
    assert isinstance(stored, bytes)
    last = json.loads(stored)["messages"][-1]
    assert (last["author"], last["interrupted"]) == ("assistant", False)
    assert "finishing what runs" in errors


def _ask_and_leave(url: str, session_id: str, text: str) -> None:
    """Hang up at the first word of the answer."""
    request = urllib.request.Request(  # noqa: S310
        f"{url}/api/chat",
        data=json.dumps({"session_id": session_id, "message": text}).encode(),
        headers={"Content-Type": "application/json", "Accept": "text/event-stream"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310
        assert any(b'"type":"message.delta"' in line for line in answer)


# While Redis is away


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder)
    server.start()
    yield server
    server.stop()


def _stopped_without_redis(
    serve: Serve, server: RedisServer, media: Path
) -> tuple[subprocess.Popen[str], str, str]:
    """Have a worker acknowledge words that only its memory has, then stop it politely."""
    worker = serve(
        "--port",
        "0",
        REDIS_URL=server.url,
        MEDIA_DIR=str(media),
        SHUTDOWN_GRACE_S="0.5",
    )
    url = _url_of(worker)
    server.kill()
    session_id = _session_of(url, "Je suis Camille")
    worker.send_signal(signal.SIGTERM)
    _, errors = worker.communicate(timeout=PATIENCE_S)
    return worker, session_id, errors


def test_words_of_a_worker_that_stops_without_redis_are_there_at_the_next_start(
    serve: Serve, redis_server: RedisServer, tmp_path: Path
):
    media = tmp_path / "media"
    stopped, session_id, errors = _stopped_without_redis(serve, redis_server, media)
    redis_server.start()
    url = _url_of(serve("--port", "0", REDIS_URL=redis_server.url, MEDIA_DIR=str(media)))

    said = _read_again(url, session_id)

    assert stopped.returncode == 0
    assert "1 conversations are left for the next start in" in errors
    assert "Camille" not in errors
    assert said[0] == "Je suis Camille"
    assert list((media / "conversations").iterdir()) == []


def test_worker_that_loses_words_says_so_and_fails(
    serve: Serve, redis_server: RedisServer, tmp_path: Path
):
    media = tmp_path / "media"
    media.mkdir()
    (media / "conversations").write_text("no folder")

    stopped, _, errors = _stopped_without_redis(serve, redis_server, media)

    assert stopped.returncode == 1
    assert "1 conversations are lost" in errors


def _session_of(url: str, text: str) -> str:
    request = urllib.request.Request(  # noqa: S310
        f"{url}/api/chat",
        data=json.dumps({"message": text}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310
        return str(json.load(answer)["session_id"])


def _read_again(url: str, session_id: str) -> list[str]:
    """Return the transcript as soon as the worker has it."""
    give_up_at = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(f"{url}/api/chat/{session_id}") as answer:  # noqa: S310
                return [message["text"] for message in json.load(answer)["messages"]]
        except urllib.error.HTTPError:
            if time.monotonic() > give_up_at:
                raise
        time.sleep(0.05)


def test_memory_in_production_is_warned_of(serve: Serve):
    server = serve(
        *("--port", "0"),
        DEBUG="0",
        SECRET_KEY="0123456789-of-a-key-that-signs-nothing",
        ALLOWED_HOSTS="shop.test",
        OPENAI_API_KEY="none",
        REDIS_URL="memory://",
    )
    with urllib.request.urlopen(_url_of(server) + "/healthz"):  # noqa: S310
        server.send_signal(signal.SIGTERM)
    _, errors = server.communicate(timeout=PATIENCE_S)

    assert "memory:// with DEBUG=0" in errors
    assert "EMAIL_URL=console:// with DEBUG=0" in errors
    assert server.returncode == 0


# The child


def test_assistant_that_does_not_start_is_an_error():
    with (
        pytest.raises(CommandError, match="n'a pas démarré"),
        local_assistant([sys.executable, "-c", "print('no')"]),
    ):
        pass


def test_assistant_that_does_not_end_is_killed():
    stubborn = "import os, time; print(f'http://{os.getpid()}', flush=True); time.sleep(1000)"
    with local_assistant([sys.executable, "-c", stubborn], end_s=0.1) as url:
        handle = os.pidfd_open(int(url.removeprefix("http://")))
    assert _has_ended(handle)


# Static files


def test_static_files_are_collected_when_missing_or_stale(settings, tmp_path: Path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "chat.web.staticfiles.ModuleManifestStorage"},
    }
    collect_stale_static_files()
    manifest = tmp_path / "staticfiles.json"
    collected_at = manifest.stat().st_mtime_ns
    collect_stale_static_files()
    storage: Any = staticfiles_storage
    assert storage.exists(storage.stored_name("chat/js/backoff.js"))
    assert manifest.stat().st_mtime_ns == collected_at
    os.utime(manifest, (0, 0))  # every source is newer

    collect_stale_static_files()

    assert manifest.stat().st_mtime > 0


def _url_of(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    line = server.stdout.readline()
    assert line.startswith("Écoute sur http://127.0.0.1:"), server.communicate()
    return line.removeprefix("Écoute sur ").strip()


def _ask(url: str, text: str) -> str:
    request = urllib.request.Request(  # noqa: S310
        f"{url}/api/chat",
        data=json.dumps({"message": text}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310
        return str(json.load(answer)["response"])


def _children_of(server: subprocess.Popen[str]) -> list[int]:
    listed = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text()
    return [int(pid) for pid in listed.split()]


def _child_of(server: subprocess.Popen[str]) -> int:
    """A handle to the one child of the server, which stays valid after its end."""
    (pid,) = _children_of(server)
    return os.pidfd_open(pid)


def _has_ended(handle: int) -> bool:
    """Wait for the end of the process."""
    ended, _, _ = select.select([handle], [], [], PATIENCE_S)
    os.close(handle)
    return bool(ended)
