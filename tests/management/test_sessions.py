from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import redis
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.adviser_store import Adviser, StaffNote, StaffNoteKind
from chat.conversations.store.protocol import ANY_OWNER
from chat.conversations.store.redis.store import RedisStore
from chat.conversations.types import Author, Message
from chat.core.errors import SessionGone
from chat.core.ids import ref_of
from meuble_project.env import ROOT
from tests.backends import use_redis
from tests.builders import JEAN, answer, ask
from tests.fakes import Listener
from tests.management.conftest import PATIENCE_S, command_line, manage

REF = ref_of(JEAN)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def claire() -> Any:
    return get_user_model().objects.create_superuser("claire", password="x")


@pytest.fixture
def talk(redis_store: RedisStore) -> RedisStore:
    """A conversation of Camille's, answered, with a note beside it."""

    async def hold() -> None:
        await ask(redis_store, "Un canapé \x1b[2Jrouge ?")
        await answer(redis_store)
        await redis_store.add_staff_note(
            JEAN, StaffNote(kind=StaffNoteKind.NOTE, text="pressée", author="Karim")
        )

    asyncio.run(hold())
    return redis_store


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("sessions", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    return caught.value


def traces() -> list[tuple[str, str | None, str]]:
    entries = LogEntry.objects.order_by("pk")
    return [(one.user.username, one.object_id, one.change_message) for one in entries]


# List


def test_list_shows_references_and_no_ids(talk: RedisStore):
    text = run("list")
    assert REF in text
    assert JEAN not in text
    assert text.rstrip().endswith("1 sur 1")


def test_list_in_json(talk: RedisStore):
    listed = json.loads(run("list", "--json"))
    [one] = listed["sessions"]
    assert listed["total"] == 1
    assert (one["ref"], one["messages"], one["state"], one["speaker"]) == (
        REF,
        2,
        "idle",
        "assistant",
    )
    assert JEAN not in json.dumps(listed)


def test_list_is_filtered(talk: RedisStore):
    async def hold() -> None:
        await ask(talk, session_id="held")
        hello = Message(author=Author.SYSTEM, text="Karim vous répond.")
        await talk.take_over("held", Adviser("7", "Karim"), hello)

    asyncio.run(hold())

    def refs(*arguments: str) -> list[str]:
        return [one["ref"] for one in json.loads(run("list", "--json", *arguments))["sessions"]]

    assert refs("--state", "held") == refs("--speaker", "adviser") == [ref_of("held")]
    assert refs("--speaker", "assistant") == [REF]
    assert refs("--silent-for", "1h") == []
    assert sorted(refs("--heard-within", "1h")) == sorted([REF, ref_of("held")])
    assert refs("--order", "began-first") == [REF, ref_of("held")]
    assert refs("--limit", "1") == [ref_of("held")]


def test_list_longer_than_a_page_is_read_to_its_end(redis_store: RedisStore):
    async def many() -> None:
        for n in range(120):
            await ask(redis_store, session_id=f"s{n}")

    asyncio.run(many())
    listed = json.loads(run("list", "--json", "--limit", "110"))
    assert (len({one["ref"] for one in listed["sessions"]}), listed["total"]) == (110, 120)


@pytest.mark.parametrize("arguments", [("--limit", "0"), ("--silent-for", "longtemps")])
def test_wrong_usage_is_said(redis_store: RedisStore, arguments: tuple[str, str]):
    assert refused("list", *arguments).returncode == 2


# Show, export


@pytest.mark.parametrize("name", [REF, JEAN])
def test_show_prints_words_and_notes_and_is_traced(talk: RedisStore, name: str):
    text = run("show", name)
    assert text.index("canapé") < text.index("Réponse à q1") < text.index("pressée")
    assert "\x1b" not in text
    assert traces() == [("claire", REF, "Conversation consultée. (ligne de commande)")]


def expiry(exported: Any) -> datetime:
    return datetime.fromisoformat(exported["expires_at"])


def test_export_is_written_whole_for_its_owner_alone(talk: RedisStore, tmp_path: Path):
    path = tmp_path / "conversation.json"
    run("export", REF, "--output", str(path))
    exported = json.loads(path.read_text())
    assert [one["author"] for one in exported["messages"]] == ["customer", "assistant"]
    assert [one["text"] for one in exported["asides"]] == ["pressée"]
    assert exported["ref"] == REF
    assert JEAN not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    again = json.loads(run("show", "--json", REF))
    assert again["messages"] == exported["messages"]
    assert again["asides"][-1]["text"] == "claire a exporté la conversation."
    anew = json.loads(run("export", REF))
    assert anew | {"expires_at": ""} == again | {"expires_at": ""}
    # Redis tells what is left to live in whole milliseconds, so two readings may differ by one.
    assert abs(expiry(anew) - expiry(again)) <= timedelta(milliseconds=1)
    assert traces()[0][2] == "Exportée en JSON. (ligne de commande)"


@pytest.mark.parametrize("action", ["show", "end", "export", "erase"])
@pytest.mark.parametrize("name", ["0" * 16, "nobody", "no such; id"])
def test_unknown_conversation_is_exit_code_3(redis_store: RedisStore, action: str, name: str):
    assert refused(action, name).returncode == 3
    assert traces() == []


# End, erase


def test_end_closes_once(talk: RedisStore):
    assert "terminée" in run("end", REF, "--yes")
    assert asyncio.run(talk.load(JEAN, ANY_OWNER)).ended
    assert json.loads(run("end", REF, "--yes", "--json"))["changed"] is False
    assert traces() == [("claire", REF, "Fin de la conversation. (ligne de commande)")]


@pytest.mark.parametrize("action", ["end", "erase"])
def test_without_a_terminal_it_must_be_sure(talk: RedisStore, action: str):
    error = refused(action, REF)
    assert "--yes" in str(error)
    assert error.returncode == 2
    assert not asyncio.run(talk.load(JEAN, ANY_OWNER)).ended
    assert traces() == []


@pytest.mark.parametrize("answered, code", [("non", 2), ("oui", 0)])
def test_operator_is_asked_at_a_terminal(
    talk: RedisStore, flushed_redis: str, database_url: str, answered: str, code: int
):
    keyboard, terminal = pty.openpty()
    os.write(keyboard, f"{answered}\n".encode())
    done = subprocess.run(
        command_line(*("sessions", "end", REF), REDIS_URL=flushed_redis, DATABASE_URL=database_url),
        stdin=terminal,
        capture_output=True,
        cwd=ROOT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    os.close(terminal)
    os.close(keyboard)
    assert done.returncode == code
    assert f"Mettre fin à la conversation {REF} (2 messages, " in done.stderr
    assert asyncio.run(talk.load(JEAN, ANY_OWNER)).ended is (answered == "oui")


def test_erase_leaves_a_receipt_and_nothing_else(talk: RedisStore):
    receipt = json.loads(run("erase", REF, "--yes", "--json"))
    assert (receipt["ref"], receipt["by"], receipt["workers_told"]) == (REF, "claire", True)
    assert "canapé" not in str(receipt)
    assert JEAN not in str(receipt)
    with pytest.raises(SessionGone):
        asyncio.run(talk.load(JEAN, ANY_OWNER))
    assert traces() == [("claire", REF, "Conversation effacée. (ligne de commande)")]
    assert refused("erase", REF, "--yes").returncode == 3


async def test_viewers_of_another_process_are_told_of_an_erasure(
    settings: Any, flushed_redis: str, database_url: str
):
    use_redis(settings, flushed_redis)
    redis_store = RedisStore.of_django(settings.ENV.session_ttl_s)
    await ask(redis_store)
    camille = Listener()
    async with PUBSUB.get().subscribe(JEAN, camille):
        done = await asyncio.to_thread(
            manage, "sessions", "erase", REF, "--yes",
            REDIS_URL=flushed_redis, DATABASE_URL=database_url,
        )  # fmt: skip
        await camille.until("session.ended")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Reçu d'effacement" in done.stdout
    assert '"erased"' in camille.heard[-1].json


def test_ended_conversation_is_told_to_viewers_by_a_process(
    talk: RedisStore, flushed_redis: str, database_url: str
):
    done = subprocess.run(
        command_line(
            *("sessions", "end", REF, "--yes"), REDIS_URL=flushed_redis, DATABASE_URL=database_url
        ),
        capture_output=True,
        cwd=ROOT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert asyncio.run(talk.load(JEAN, ANY_OWNER)).ended


# Who does it


def test_several_administrators_must_say_who(talk: RedisStore):
    get_user_model().objects.create_superuser("karim", password="x")
    assert "plusieurs administrateurs" in str(refused("show", REF))
    run("show", REF, "--as", "karim")
    assert [who for who, _, _ in traces()] == ["karim"]


def test_nobody_acts_without_the_right(talk: RedisStore):
    get_user_model().objects.create_user("zoe", password="x", is_staff=True)
    assert refused("erase", REF, "--yes", "--as", "zoe").returncode == 2
    assert refused("show", REF, "--as", "nobody").returncode == 2
    get_user_model().objects.filter(username="claire").update(is_active=False)
    assert "aucun administrateur" in str(refused("show", REF))
    assert traces() == []


def test_memory_of_another_process_cannot_be_seen():
    assert refused("list").returncode == 2


def test_absent_redis_is_said(settings: Any):
    use_redis(settings, "redis://127.0.0.1:1/0")
    assert "Redis ne répond pas" in str(refused("list"))
    assert refused("erase", REF, "--yes").returncode == 2


def test_unreadable_conversation_is_told_and_restored(talk: RedisStore, flushed_redis: str):
    client, name = redis.Redis.from_url(flushed_redis), f"session:{JEAN}"
    whole: Any = client.get(name)
    client.set(name, "{", keepttl=True)

    unread = refused("show", JEAN)
    again = refused("restore", REF)
    client.set(f"chat:unreadable:{JEAN}", whole)
    restored = run("restore", REF)

    assert "Cette version ne sait pas la lire" in str(unread)
    assert "elle reste de côté" in str(again)
    assert restored == f"Conversation {REF} remise en place.\n"
    assert run("show", REF)
    assert refused("restore", REF).returncode == 3
    client.close()
