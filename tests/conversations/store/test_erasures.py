"""Intents to erase of a worker without Redis, by its clock."""

from __future__ import annotations

from datetime import UTC, datetime

from chat.conversations.store.erasures import FIRST_PAUSE_S, LATE_S, ErasureFolder
from chat.core.clock import CLOCK
from tests.runtime import FixedClock

NOTED_AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def test_intent_is_taken_after_a_moment_and_once_more_for_what_came_late(tmp_path, replace_parts):
    clock = FixedClock(NOTED_AT)
    replace_parts(CLOCK.to(clock))
    folder = ErasureFolder(tmp_path)
    folder.note("ref")
    taken = [folder.take(10)]

    clock.advance(FIRST_PAUSE_S)
    taken += [folder.take(10), folder.take(10)]
    folder.done("ref")
    taken.append(folder.take(10))
    backlog = folder.backlog()
    clock.advance(LATE_S - FIRST_PAUSE_S)
    taken.append(folder.take(10))
    folder.done("ref")

    assert taken == [[], ["ref"], [], [], ["ref"]]
    assert (backlog.count, backlog.oldest_at) == (1, NOTED_AT)
    assert folder.backlog().count == 0
