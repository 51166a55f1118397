from __future__ import annotations

import asyncio
import csv
import json
import os
import pty
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import redis
from django.core import mail
from django.core.management import CommandError, call_command

from chat.conversations.store.adviser_store import StaffNote, StaffNoteKind
from chat.conversations.store.maintenance import Orphan
from chat.conversations.store.protocol import ANY_OWNER
from chat.conversations.store.redis.store import RedisStore
from chat.core.ids import ref_of
from chat.ops.reports.models import CleanupReport
from meuble_project.env import ROOT
from tests.backends import use_redis
from tests.builders import JEAN, answer, ask
from tests.management.conftest import PATIENCE_S, command_line, manage

MOMENT = {"type": "string", "format": "date-time"}
COUNT = {"type": "integer", "minimum": 0}
LISTED = {
    "type": "object",
    "additionalProperties": False,
    "required": ["ref"],
    "properties": {
        **{name: {"type": "string"} for name in ("ref", "began_at", "last_at", "state")},
        **dict.fromkeys(("messages", "bytes"), COUNT),
    },
}
BY_KIND = {
    "type": "object",
    "additionalProperties": False,
    "required": [kind.value for kind in Orphan],
    "properties": {kind.value: COUNT for kind in Orphan},
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["active", "expired", "bytes", "orphaned", "removed"],
    "properties": {
        **dict.fromkeys(("made_at", "since"), MOMENT),
        **dict.fromkeys(("active", "ended", "expired", "bytes", "orphaned", "removed"), COUNT),
        "applied": {"type": "boolean"},
        "details": {
            "type": "object",
            "required": ["quiet_s", "sizes", "workers"],
            "properties": {
                **dict.fromkeys(("orphans", "removed"), BY_KIND),
                **{name: {"type": "array", "items": LISTED} for name in ("oldest", "biggest")},
            },
        },
    },
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(flushed_redis: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(flushed_redis) as client:
        yield client


@pytest.fixture
def orphans(redis_store: RedisStore, client: redis.Redis) -> dict[str, int]:
    """One conversation that lives, and what is left of others, of every kind."""

    async def plant() -> None:
        for session_id in (JEAN, "lost"):
            await ask(redis_store, session_id=session_id)
            await answer(redis_store, session_id=session_id)
            await redis_store.add_staff_note(
                session_id, StaffNote(kind=StaffNoteKind.NOTE, text="à rappeler")
            )
        await ask(redis_store, "Encore ?", "q2", session_id="lost")

    asyncio.run(plant())
    client.delete("session:lost")
    client.set("chat:draft:lost", "Bonj")
    client.persist("chat:state:lost")
    in_sql = (Orphan.CONTACTS, Orphan.PHOTOS, Orphan.FILES)
    return {kind.value: int(kind not in in_sql) for kind in Orphan}


def report(*arguments: str) -> tuple[dict[str, Any], int]:
    """Run the command and return what it printed as JSON, and its exit code."""
    out = StringIO()
    try:
        call_command("cleanup_report", "--json", *arguments, stdout=out)
    except SystemExit as end:
        code = end.code
    else:
        code = 0
    found = json.loads(out.getvalue())
    jsonschema.validate(found, SCHEMA, format_checker=jsonschema.FormatChecker())
    assert isinstance(code, int)
    return found, code


def test_every_kind_of_orphan_is_found_and_nothing_changed(
    orphans: dict[str, int], client: redis.Redis
):
    before = sorted(client.scan_iter())
    found, code = report()
    assert found["details"]["orphans"] == orphans
    assert (found["active"], found["removed"], found["applied"], code) == (1, 0, False, 1)
    assert sorted(client.scan_iter()) == before


def test_files_that_workers_left_are_named(
    redis_store: RedisStore, settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    settings.ENV = replace(settings.ENV, media_dir=str(tmp_path))
    before, _ = report()
    folder = tmp_path / "conversations"
    folder.mkdir()
    for name in ("aaa.json", "bbb.unreadable"):
        (folder / name).write_text("{}")

    found, code = report()
    call_command("cleanup_report", "--html", str(tmp_path / "page.html"))

    assert before["details"]["left_files"] == []
    assert found["details"]["left_files"] == ["aaa.json", "bbb.unreadable"]
    assert code == 0  # a worker merges them; there is nothing that the command removes
    for shown in (capsys.readouterr().out, (tmp_path / "page.html").read_text()):
        assert "aaa.json" in shown
        assert "bbb.unreadable" in shown


def test_orphans_are_removed_once_and_the_living_left_alone(
    orphans: dict[str, int], redis_store: RedisStore
):
    before = asyncio.run(redis_store.load(JEAN, ANY_OWNER))

    found, code = report("--apply")
    again, code_again = report("--apply")

    assert (found["details"]["removed"], code) == (orphans, 0)
    assert (again["orphaned"], again["removed"], code_again) == (0, 0, 0)
    after = asyncio.run(redis_store.load(JEAN, ANY_OWNER))
    assert replace(after, expires_at=before.expires_at) == before
    assert abs(after.expires_at - before.expires_at) < timedelta(seconds=1)  # read to the ms
    assert [staff_note.text for staff_note in asyncio.run(redis_store.staff_notes(JEAN))] == [
        "à rappeler"
    ]
    assert asyncio.run(redis_store.find(ref_of(JEAN))) == JEAN


def test_runs_are_kept_unless_told_otherwise(orphans: dict[str, int]):
    report("--no-save")
    assert not CleanupReport.objects.exists()
    report("--apply")
    found, _ = report()
    first, second = CleanupReport.objects.order_by("made_at")
    assert (first.orphaned, first.removed) == (sum(orphans.values()),) * 2
    assert second.since == first.made_at
    assert found["since"] == f"{first.made_at:%Y-%m-%dT%H:%M:%S}.{first.made_at:%f}"[:23] + "Z"


def test_files_are_written_and_tell_no_id(orphans: dict[str, int], tmp_path: Path):
    page, sheet = tmp_path / "r.html", tmp_path / "r.csv"
    report("--html", str(page), "--csv", str(sheet), "--since", "7d")
    assert {row["section"] for row in csv.DictReader(StringIO(sheet.read_text()))} >= {
        "report",
        "orphans",
    }
    assert "<svg" in page.read_text()
    assert JEAN not in page.read_text() + sheet.read_text()
    assert ref_of(JEAN) in page.read_text()


def test_text_is_for_people(orphans: dict[str, int]):
    out = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("cleanup_report", stdout=out)
    assert end.value.code == 1
    assert "1 conversation active, 6 restes orphelins à retirer." in out.getvalue()


def test_email_goes_to_admins_with_the_page(redis_store: RedisStore, settings: Any):
    settings.ENV = replace(settings.ENV, admins=("claire@example.test",))
    report("--email")
    [sent] = mail.outbox
    [(name, content, kind)] = sent.attachments
    assert sent.to == ["claire@example.test"]
    assert "rien d'orphelin" in sent.subject
    assert (name.endswith(".html"), kind) == (True, "text/html")
    assert "<svg" in content


def test_email_to_nobody_is_refused_before_anything_is_done(orphans: dict[str, int]):
    with pytest.raises(CommandError, match="ADMINS") as caught:
        call_command("cleanup_report", "--email", "--apply")
    assert caught.value.returncode == 2
    assert report()[0]["orphaned"] == sum(orphans.values())


@pytest.mark.parametrize(
    "arguments", [("--since", "hier"), ("--since", "2100-01-01"), ("--worker", "web:8000")]
)
def test_wrong_usage_is_said(redis_store: RedisStore, arguments: tuple[str, str]):
    with pytest.raises(CommandError, match=arguments[0]) as caught:
        call_command("cleanup_report", *arguments)
    assert caught.value.returncode == 2


def test_memory_of_another_process_cannot_be_looked_at():
    with pytest.raises(CommandError, match="rien à regarder") as caught:
        call_command("cleanup_report")
    assert caught.value.returncode == 2


def test_nothing_is_removed_or_kept_while_redis_is_away(settings: Any):
    use_redis(settings, "redis://127.0.0.1:1/0")
    with pytest.raises(CommandError, match="Redis ne répond pas") as caught:
        call_command("cleanup_report", "--apply")
    assert caught.value.returncode == 2
    assert not CleanupReport.objects.exists()


def test_workers_are_asked_for_copies_in_their_memory(redis_store: RedisStore):
    class Worker(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"status": "degraded", "redis": "memory"}')

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Worker)
    address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.handle_request).start()

    found, _ = report("--worker", address, "--worker", "http://127.0.0.1:9")

    server.server_close()
    workers = found["details"]["workers"]
    assert "copies seront réunies" in workers[address]
    assert workers["http://127.0.0.1:9"] == "pas de réponse"


# As a process


def test_process_is_silent_but_for_the_report(
    orphans: dict[str, int], redis_url: str, database_url: str
):
    done = manage("cleanup_report", "--json", REDIS_URL=redis_url, DATABASE_URL=database_url)
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["orphaned"] == sum(orphans.values())


def test_interrupted_clean_up_is_said_and_can_be_repeated(
    redis_store: RedisStore, client: redis.Redis, redis_url: str, database_url: str
):
    asyncio.run(ask(redis_store))
    count = 60_000
    with client.pipeline(transaction=False) as pipeline:
        for n in range(count):
            pipeline.set(f"chat:asides:none-{n}", "x")
        pipeline.execute()
    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        command_line("cleanup_report", "--apply", REDIS_URL=redis_url, DATABASE_URL=database_url),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=terminal,
        cwd=ROOT,
        text=True,
    )
    os.close(terminal)

    shown = _read_until(screen, r"Nettoyage:\s+\d+%")
    process.send_signal(signal.SIGINT)
    shown += _read_until(screen, r"Interrompu")
    out, _ = process.communicate(timeout=PATIENCE_S)
    os.close(screen)

    assert process.returncode == 130
    assert "Traceback" not in shown
    assert out == ""
    left = sum(1 for _ in client.scan_iter("chat:asides:*", count=10_000))
    assert 0 < left < count
    found, code = report("--apply")
    assert (found["removed"], code) == (left, 0)
    assert asyncio.run(redis_store.count()) == 1


def _read_until(screen: int, pattern: str) -> str:
    """What a terminal shows, as far as this."""
    shown = ""
    while not re.search(pattern, shown):
        try:
            shown += os.read(screen, 4096).decode(errors="replace")
        except OSError:  # the process has ended
            pytest.fail(f"never saw {pattern} in {shown!r}")
    return shown
