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
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import CommandError

from chat.management import assistant_process
from chat.management.assistant_process import local_assistant
from chat.management.commands.serve import collect_stale_static_files
from meuble_project.env import ROOT, Env

PATIENCE_S = 30

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


# The child


def test_assistant_that_does_not_start_is_an_error():
    with (
        pytest.raises(CommandError, match="n'a pas démarré"),
        local_assistant([sys.executable, "-c", "print('no')"]),
    ):
        pass


def test_assistant_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(assistant_process, "END_S", 0.1)
    stubborn = "import os, time; print(f'http://{os.getpid()}', flush=True); time.sleep(1000)"
    with local_assistant([sys.executable, "-c", stubborn]) as url:
        handle = os.pidfd_open(int(url.removeprefix("http://")))
    assert _has_ended(handle)


# Static files


def test_static_files_are_collected_when_missing_or_stale(settings, tmp_path: Path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "chat.staticfiles.ModuleManifestStorage"},
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
