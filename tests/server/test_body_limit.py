"""Which body loses its place, and which never does."""

from __future__ import annotations

import pytest

from server.bodies import (
    FIRST_PATIENCE_S,
    MAX_IMPORTS,
    MAX_LONG_BODIES_PER_SENDER,
    MAX_PHOTOS,
    MAX_SHORT_BYTES_PER_SENDER,
    PATIENCE_S,
    SLOW_PACE,
    Bodies,
    ServerBusy,
)
from server.limits import BOUNDS

KIB = 1024


class Places:
    """Bodies on a clock that the test turns."""

    def __init__(self):
        self.now = 0.0
        self.bodies = Bodies(clock=lambda: self.now)
        self.evicted = []

    def begin(self, sender, came=0, shelf="photos"):
        def evict():
            self.evicted.append(body)
            body.end()

        body = getattr(self.bodies, shelf).begin(sender, evict)
        if came:
            body.add(came)
        return body


@pytest.fixture
def places():
    return Places()


def test_body_that_drips_in_loses_its_place_to_the_next(places):
    fast = SLOW_PACE * PATIENCE_S
    slow = [places.begin("zoe", came) for came in (3, 2, 1)]
    places.begin("zoe", fast)
    with pytest.raises(ServerBusy):
        places.begin("zoe")  # they may be fast yet

    places.now += FIRST_PATIENCE_S + 0.1
    for expected in reversed(slow):  # the slowest first
        places.begin("zoe", fast)
        assert places.evicted[-1] is expected
    with pytest.raises(ServerBusy):
        places.begin("zoe")


def test_body_that_came_fast_and_stops_is_slow_soon(places):
    for _ in range(MAX_LONG_BODIES_PER_SENDER):
        places.begin("zoe", 9_000_000)
    places.now += PATIENCE_S
    places.begin("zoe")

    assert len(places.evicted) == 1


def test_body_that_keeps_the_pace_keeps_its_place(places):
    bodies = [places.begin("zoe") for _ in range(MAX_LONG_BODIES_PER_SENDER)]
    for _ in range(100):
        places.now += FIRST_PATIENCE_S / 2
        for body in bodies:
            body.add(SLOW_PACE)
    with pytest.raises(ServerBusy):
        places.begin("zoe")

    assert places.evicted == []


def test_nobody_takes_the_place_of_another_sender_while_there_is_room(places):
    places.begin("camille")
    places.now += FIRST_PATIENCE_S
    for _ in range(MAX_LONG_BODIES_PER_SENDER):
        places.begin("zoe")
    with pytest.raises(ServerBusy):
        places.begin("zoe")

    assert places.evicted == []


def test_worker_full_of_drips_takes_a_customer_in(places):
    for number in range(MAX_PHOTOS):
        places.begin(f"zoe {number}")
    with pytest.raises(ServerBusy):
        places.begin("camille")

    places.now += FIRST_PATIENCE_S
    places.begin("camille")
    assert len(places.evicted) == 1


def test_who_has_several_places_gives_one_to_who_has_none_at_once(places):
    for number in range(MAX_PHOTOS):
        places.begin(f"zoe {number // MAX_LONG_BODIES_PER_SENDER}", 50_000)
    places.begin("camille")

    assert [body.sender for body in places.evicted] == ["zoe 0"]


def test_photos_and_imports_take_no_place_of_each_other(places):
    for number in range(MAX_PHOTOS):
        places.begin(f"zoe {number}", 3_000_000)
    for number in range(MAX_IMPORTS):
        places.begin(f"claire {number}", 3_000_000, "imports")

    assert places.evicted == []


def test_body_that_came_whole_keeps_its_place_however_long_it_is_looked_at(places):
    for _ in range(MAX_LONG_BODIES_PER_SENDER):
        places.begin("camille", 1000).is_whole = True
    places.now += 100 * PATIENCE_S

    with pytest.raises(ServerBusy):
        places.begin("camille")


# In memory


def fill_memory(places, senders, size=64 * KIB):
    """Bodies of so many senders that hold all the memory there is, none of them whole."""
    for number in range(BOUNDS.max_short_bytes // size):
        places.begin(f"zoe {number % senders}", size, "short")


@pytest.mark.parametrize("senders", [4, 100])
def test_who_holds_most_memory_gives_way_from_the_first_moment(places, senders):
    fill_memory(places, senders)
    places.begin("camille", 4_000, "short")

    assert len(places.evicted) == 1
    assert places.evicted[0].sender.startswith("zoe")


def test_who_holds_most_memory_is_sent_away_when_it_wants_more(places):
    fill_memory(places, 4)
    with pytest.raises(ServerBusy):
        places.begin("zoe 0", 64 * KIB, "short")

    assert places.evicted == []


def test_one_sender_never_holds_all_memory_even_with_whole_bodies(places):
    for _ in range(MAX_SHORT_BYTES_PER_SENDER // (64 * KIB)):
        places.begin("zoe", 64 * KIB, "short").is_whole = True
    with pytest.raises(ServerBusy):
        places.begin("zoe", 1, "short")
    places.begin("camille", 64 * KIB, "short")

    assert places.evicted == []


def test_short_message_passes_beside_long_bodies_of_its_own_network(places):
    for _ in range(MAX_SHORT_BYTES_PER_SENDER // (64 * KIB)):
        places.begin("zoe", 64 * KIB, "short")
    places.begin("zoe", 4_000, "short")

    assert [body.held_bytes for body in places.evicted] == [64 * KIB]


def test_body_in_memory_that_drips_gives_way_to_others_of_its_network(places):
    drip = places.begin("zoe", 60_000, "short")
    places.now += PATIENCE_S
    message = places.begin("zoe", MAX_SHORT_BYTES_PER_SENDER - 60_000, "short")
    assert places.evicted == []

    message.add(1)
    assert places.evicted == [drip]
    with pytest.raises(ServerBusy):
        message.add(60_000)


def test_what_is_given_back_is_given_back_once(places):
    bodies = [places.begin("camille", 1000, shelf) for shelf in ("photos", "imports", "short")]
    for body in bodies * 2:
        body.end()

    for shelf in (places.bodies.photos, places.bodies.imports, places.bodies.short):
        assert (shelf.held_bytes, shelf.bodies, shelf.senders) == (0, set(), {})
