from __future__ import annotations

import asyncio

from chat.assistant.load import LONGEST_S, STRETCH, Load


async def test_who_has_time_rests_not_at_all():
    load = Load()
    for _ in range(100):
        load.note(0.001)

    steps = []
    asyncio.get_running_loop().call_soon(steps.append, "another")
    await load.rest()

    assert (load.pause_s, steps) == (0.0, [])


async def test_lateness_makes_pauses_longer_up_to_a_bound_and_back():
    load = Load()
    seen = []
    for late_s in [0.02] * 100 + [5.0] * 100 + [0.0] * 100:
        load.note(late_s)
        seen.append(load.pause_s)

    assert abs(seen[99] - 0.02 * STRETCH) < 0.001
    assert (max(seen), seen[199], seen[-1]) == (LONGEST_S, LONGEST_S, 0.0)


async def test_one_late_timer_is_no_load():
    load = Load()
    load.note(0.04)

    assert load.pause_s == 0.0


async def test_rest_measures_how_late_it_ends():
    load = Load()
    for _ in range(100):
        load.note(0.006)
    before = load.pause_s

    for _ in range(50):
        await load.rest()

    assert load.pause_s < before
