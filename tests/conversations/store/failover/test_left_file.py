"""What memory holds when a worker stops while Redis is away. On a Redis of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat

import pytest
from prometheus_client import REGISTRY

from chat.conversations.store.adviser_store import StaffNote, StaffNoteKind
from chat.conversations.store.failover.left_file import (
    LeftFile,
    decoded,
    encoded,
    forget_old,
    left_files,
)
from chat.conversations.store.memory.record import Record
from chat.conversations.store.protocol import ANY_OWNER
from chat.core.errors import SessionGone, StoreUnavailable
from chat.core.ids import ref_of
from chat.ops.doctor.left_state import evaluate_left
from tests.builders import JEAN, answer, answer_to, ask, done, leased, question
from tests.conversations.store.cast import announced, take_over
from tests.conversations.store.workers import back, made_meanwhile


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "left"


async def ids(store, session_id=JEAN):
    return [m.id for m in (await store.load(session_id, ANY_OWNER)).messages]


async def left_by(server, worker, folder):
    """Have this worker stop with words that only its memory has; return the file."""
    await ask(worker.store)
    await answer(worker.store)
    server.freeze()  # a killed one may forget the last words that it acknowledged
    await ask(worker.store, "Encore", "q2")
    await worker.store.hand_down(folder, 0)
    [path] = left_files(folder)
    return path


async def test_next_start_merges_it_and_removes_it(server, workers, folder, caplog):
    first = workers()
    await ask(first.store)
    server.freeze()
    await ask(first.store, "Motus", "q2")
    visitor = made_meanwhile(first.store)
    await first.store.accept(visitor, "web", question("Motus aussi"), create="new")
    await first.store.hand_down(folder, 0)
    [path] = left_files(folder)
    mode, folder_mode = path.stat().st_mode, folder.stat().st_mode
    server.thaw()
    second = workers()

    await second.store.take_up_left(folder)

    assert await ids(second.store) == ["q1", "q2"]
    assert await ids(second.store, visitor) == ["q1"]
    assert (stat.S_IMODE(mode), stat.S_IMODE(folder_mode)) == (0o600, 0o700)
    assert list(folder.iterdir()) == []
    assert "2 conversations are left" in caplog.text
    assert str(path) in caplog.text
    assert "Motus" not in caplog.text


async def test_conversation_that_is_not_merged_yet_is_not_taken_for_none(server, workers, folder):
    first, second = workers(), workers()
    await ask(first.store)
    await second.store.take_up_left(folder)
    server.freeze()
    await ask(first.store, "Motus", "q2")
    visitor = made_meanwhile(first.store)
    await first.store.accept(visitor, "web", question("Motus aussi"), create="new")
    await first.store.hand_down(folder, 0)
    server.thaw()
    await back(second.store)

    with pytest.raises(StoreUnavailable):
        await second.store.load(visitor, "web")
    await second.store.take_up_left(folder)

    assert [m.text for m in (await second.store.load(visitor, "web")).messages] == ["Motus aussi"]


async def test_redis_that_comes_back_within_the_grace_gets_it(server, workers, folder):
    worker = workers()
    await ask(worker.store)
    server.kill()
    await ask(worker.store, "Encore", "q2")

    stopping = asyncio.create_task(worker.store.hand_down(folder, 30))
    async with asyncio.timeout(5):
        while not folder.exists() or not left_files(folder):
            await asyncio.sleep(0.01)
    server.start()
    await stopping

    assert list(folder.iterdir()) == []
    assert await ids(workers().store) == ["q1", "q2"]


async def test_file_is_nobody_elses_while_its_worker_waits(server, workers, folder):
    worker, other = workers(), workers()
    await ask(worker.store)
    server.freeze()
    await ask(worker.store, "Encore", "q2")
    stopping = asyncio.create_task(worker.store.hand_down(folder, 30))
    async with asyncio.timeout(5):
        while not folder.exists() or not left_files(folder):
            await asyncio.sleep(0.01)

    assert list(LeftFile.found(folder)) == []
    server.thaw()
    await stopping
    assert await ids(other.store) == ["q1", "q2"]


async def test_what_cannot_be_written_is_said_to_be_lost(server, workers, folder, caplog):
    folder.write_text("no folder")
    worker = workers()
    await ask(worker.store)
    server.kill()
    await ask(worker.store, "Encore", "q2")

    with pytest.raises(OSError, match="left"):
        await worker.store.hand_down(folder, 0)

    assert "1 conversations are lost" in caplog.text


async def test_nothing_is_written_when_memory_is_empty(server, workers, folder):
    worker = workers()
    await ask(worker.store)
    await worker.store.hand_down(folder, 0)

    assert not folder.exists()


async def test_two_workers_that_start_at_once_merge_it_once(server, workers, folder):
    await left_by(server, workers(), folder)
    server.thaw()
    one, two = workers(), workers()

    await asyncio.gather(one.store.take_up_left(folder), two.store.take_up_left(folder))

    assert await ids(one.store) == ["q1", "answer-to-q1", "q2"]
    assert left_files(folder) == []


async def test_merging_twice_changes_nothing(server, workers, folder, tmp_path):
    path = await left_by(server, workers(), folder)
    copy = shutil.copy(path, tmp_path / "copy.json")
    server.thaw()
    worker = workers()
    await worker.store.take_up_left(folder)
    await answer(worker.store, "q2")
    before = await worker.store.load(JEAN, ANY_OWNER)
    shutil.copy(copy, path)

    await worker.store.take_up_left(folder)

    after = await worker.store.load(JEAN, ANY_OWNER)
    assert (after.messages, after.waiting) == (before.messages, before.waiting)


async def test_what_was_erased_meanwhile_is_not_revived(server, workers, folder):
    path = await left_by(server, workers(), folder)
    server.thaw()
    worker = workers()
    await worker.store.erase(JEAN, "api")

    await worker.store.take_up_left(folder)

    with pytest.raises(SessionGone):
        await worker.store.load(JEAN, "api")
    assert not path.exists()


async def test_next_worker_goes_on_with_it_while_redis_is_still_away(server, workers, folder):
    path = await left_by(server, workers(), folder)
    worker = workers()
    with pytest.raises(Exception, match="unavailable"):
        await worker.store.load(JEAN, "api")  # it finds out that Redis is away

    await worker.store.take_up_left(folder)
    await ask(worker.store, "Toujours là", "q3")
    meanwhile = await ids(worker.store)
    still_there = path.exists()
    server.thaw()
    await back(worker.store)
    await worker.store.take_up_left(folder)

    assert meanwhile == await ids(worker.store) == ["q1", "answer-to-q1", "q2", "q3"]
    assert (still_there, path.exists()) == (True, False)


async def test_worker_that_dies_before_it_merged_leaves_the_file_to_the_next(
    server, workers, folder
):
    await left_by(server, workers(), folder)
    dying, next_one = workers(), workers()
    with pytest.raises(Exception, match="unavailable"):
        await dying.store.load(JEAN, "api")
    await dying.store.take_up_left(folder)
    for left in dying.store._left:
        left.close()  # as the kernel does
    dying.store._returning.cancel()
    server.thaw()

    await next_one.store.take_up_left(folder)

    assert await ids(next_one.store) == ["q1", "answer-to-q1", "q2"]


async def test_answer_that_was_cut_goes_on_under_its_id(server, workers, folder):
    first = workers()
    await ask(first.store)
    lease = await leased(first.store)
    server.freeze()
    await first.store.write(lease, 0, "Je comm")
    await first.store.release(lease)
    await first.store.hand_down(folder, 0)
    server.thaw()
    second = workers()
    await second.store.take_up_left(folder)

    async with asyncio.timeout(10):  # in Redis the lease of who has ended still holds
        while (again := (await second.store.claim(JEAN, ["q1"], "another-id")).lease) is None:
            await asyncio.sleep(0.05)

    assert (again.answer_id, again.again) == (lease.answer_id, True)
    await second.store.finish(again, done(again), answer_to(again))
    assert await ids(second.store) == ["q1", lease.answer_id]


async def test_expired_conversations_are_dropped(server, workers, folder):
    path = await left_by(server, workers(), folder)
    data = json.loads(path.read_text())
    for conversation in data["conversations"]:
        conversation["expires"] = 1
    path.write_text(json.dumps(data))

    [left] = LeftFile.found(folder)

    assert left.read() == ([], True)


def test_what_nobody_could_read_goes_when_it_has_expired(tmp_path):
    names = ("old.unreadable", "old.tmp", "old.json", "new.unreadable")
    for name in names:
        (tmp_path / name).write_text("{}")
        if name.startswith("old"):
            os.utime(tmp_path / name, (0, 0))

    forget_old(tmp_path, 86_400)

    assert {path.name for path in tmp_path.iterdir()} == {"old.json", "new.unreadable"}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 2, "conversations": []}'])
async def test_unreadable_file_is_set_aside_and_stops_nothing(server, workers, folder, content):
    path = await left_by(server, workers(), folder)
    (folder / "0.json").write_text(content)
    server.thaw()
    worker = workers()

    await worker.store.take_up_left(folder)

    assert await ids(worker.store) == ["q1", "answer-to-q1", "q2"]
    assert [left.name for left in left_files(folder)] == ["0.unreadable"]
    assert not path.exists()


async def test_one_unreadable_conversation_stops_no_other(server, workers, folder):
    path = await left_by(server, workers(), folder)
    data = json.loads(path.read_text())
    data["conversations"].insert(0, {"document": {}})
    path.write_text(json.dumps(data))
    server.thaw()
    worker = workers()

    await worker.store.take_up_left(folder)

    assert await ids(worker.store) == ["q1", "answer-to-q1", "q2"]
    assert [left.name for left in left_files(folder)] == [f"{path.stem}.unreadable"]


async def test_one_conversation_that_cannot_be_merged_stops_no_other(
    server, workers, folder, caplog
):
    path = await left_by(server, workers(), folder)
    data = json.loads(path.read_text())
    bad = json.loads(json.dumps(data["conversations"][0]))
    bad["document"]["id"] = "bad"
    bad["expires"] = 10**18  # no expiry that Redis takes
    data["conversations"].insert(0, bad)
    path.write_text(json.dumps(data))
    shutil.copy(path, folder / "0.json")
    server.thaw()
    worker = workers()
    counted = REGISTRY.get_sample_value("chat_unreadable_records_total")

    await worker.store.take_up_left(folder)

    assert await ids(worker.store) == ["q1", "answer-to-q1", "q2"]
    left = left_files(folder)
    assert [path.suffix for path in left] == [".unreadable", ".unreadable"]
    assert all("bad" in path.read_text() for path in left)
    assert evaluate_left(left).level == "wrong"
    assert REGISTRY.get_sample_value("chat_unreadable_records_total") > counted
    assert ref_of("bad") in caplog.text


async def test_file_holds_all_that_is_known_of_a_conversation(server, workers):
    worker = workers()
    await worker.store.beat()
    await ask(worker.store)
    await worker.store.put_form(JEAN, "api", {"version": 1, "title": "Ça"}, expected_version=0)
    await worker.store.ask_for_adviser(JEAN, "api", announced("asked"))
    server.freeze()
    await take_over(worker.store)
    await worker.store.add_staff_note(JEAN, StaffNote(kind=StaffNoteKind.NOTE, text="note"))
    await ask(worker.store, "Encore", "q2")
    await worker.store.hand_back(JEAN, "7", "Soyez bref.", announced("back"))
    await ask(worker.store, "Seul", "q3")
    record = worker.store._memory.record(JEAN)

    read = decoded(json.loads(json.dumps(encoded(record))))

    server.thaw()
    for name in Record.__dataclass_fields__:
        told, known = getattr(read, name), getattr(record, name)
        if name in ("expires", "hold_until", "adviser_at", "asked_at"):
            told, known = pytest.approx(told, abs=0.01), known
        elif name in ("created_at", "messages", "by_id", "staff_notes", "head_at", "budgets"):
            continue  # to the millisecond, below; when the first question became it is not kept
        assert told == known, name
    texts = [(m.id, m.text, m.reply_to) for m in read.messages]
    assert texts == [(m.id, m.text, m.reply_to) for m in record.messages]
    assert [staff_note.text for staff_note in read.staff_notes.values()] == ["note"]
    assert read.budgets.keys() == record.budgets.keys()
