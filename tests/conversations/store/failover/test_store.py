"""Redis goes, memory stands in, Redis comes back and has everything. On a Redis of its own."""

from __future__ import annotations

import asyncio

import pytest
import redis

from chat.conversations import cookie
from chat.conversations.store.adviser_store import Listing, StaffNote, StaffNoteKind
from chat.conversations.store.failover import store as switch
from chat.conversations.store.protocol import ANY_OWNER, LeaseLost
from chat.conversations.types import Draft
from chat.core.errors import SessionGone, SessionNotFound, StoreUnavailable
from tests.builders import JEAN, answer, answer_to, ask, done, leased, question
from tests.conversations.store.workers import back, made_meanwhile


@pytest.fixture
def store(workers):
    return workers().store


async def ids(store, session_id=JEAN):
    return [m.id for m in (await store.load(session_id, ANY_OWNER)).messages]


@pytest.mark.parametrize("fault", ["kill", "freeze"])
async def test_conversation_goes_on_in_memory_and_returns_whole(server, store, fault):
    await ask(store)
    await answer(store)
    getattr(server, fault)()

    await ask(store, "Encore", "q2")
    meanwhile = store.backend
    await answer(store, "q2")
    in_memory = await ids(store)
    server.thaw() if fault == "freeze" else server.start()
    await back(store)

    assert meanwhile == "memory"
    assert in_memory == ["q1", "answer-to-q1", "q2", "answer-to-q2"]
    assert await ids(store) == in_memory
    session = await store.load(JEAN, ANY_OWNER)
    assert (session.waiting, session.failed, session.owner) == ((), {}, "api")
    with pytest.raises(SessionNotFound):
        await store.load(JEAN, "web")
    assert not (await store.accept(JEAN, "api", question("Encore", "q2"), create="always")).fresh


async def test_answer_begun_on_redis_ends_in_memory(server, store):
    await ask(store)
    lease = await leased(store)
    await store.write(lease, 0, "Je comm")
    server.kill()

    await store.write(lease, 7, "ence")
    await store.finish(lease, done(lease), answer_to(lease, "Je commence"))
    server.start()
    await back(store)

    assert await ids(store) == ["q1", "answer-to-q1"]
    assert await store.outcome(JEAN, "q1") == done(lease)


async def test_draft_is_never_shown_without_its_beginning(server, store):
    await ask(store)
    lease = await leased(store)
    await store.write(lease, 0, "Je comm")
    server.kill()
    await store.write(lease, 7, "ence")
    without = (await store.load(JEAN, ANY_OWNER)).draft
    server.start()
    await back(store)
    await store.write(lease, 40, "ce")
    on_redis = (await store.load(JEAN, ANY_OWNER)).draft
    await store.write(lease, 0, "Je commence")

    assert all(
        draft is None or "Je commence".startswith(draft.text) for draft in (without, on_redis)
    )
    assert (await store.load(JEAN, ANY_OWNER)).draft == Draft(id="answer-to-q1", text="Je commence")


async def test_answer_begun_in_memory_ends_on_redis(server, store):
    await ask(store)
    server.kill()
    await ask(store, "Encore", "q2")
    lease = await leased(store, "q1")
    await store.write(lease, 0, "Je comm")
    server.start()
    await back(store)

    draft = (await store.load(JEAN, ANY_OWNER)).draft
    await store.write(lease, 7, "ence")
    await store.finish(lease, done(lease), answer_to(lease, "Je commence"))

    assert draft == Draft(id="answer-to-q1", text="Je comm")
    assert await ids(store) == ["q1", "q2", "answer-to-q1"]
    assert (await store.load(JEAN, ANY_OWNER)).waiting == ("q2",)


async def test_session_that_cannot_be_read_is_never_begun_again_blank(server, workers):
    await ask(workers().store)
    store = workers().store
    server.kill()

    with pytest.raises(StoreUnavailable):
        await store.load(JEAN, "api")
    for create in ("always", "new"):
        with pytest.raises(StoreUnavailable):
            await store.accept(JEAN, "api", question(id_="q2"), create=create)
    with pytest.raises(StoreUnavailable):
        await store.claim(JEAN, ["q1"], "a")
    server.start()
    await back(store)

    assert await ids(store) == ["q1"]


async def test_new_conversations_begin_in_memory(server, store):
    server.kill()
    with pytest.raises(StoreUnavailable):
        await store.load("unknown", "web")
    made_now = made_meanwhile(store)

    with pytest.raises(SessionNotFound):
        await store.load(made_now, "web")
    await store.accept(made_now, "web", question(), create="new")
    await store.accept("by-a-program", "api", question(), create="fresh")
    counted = await store.count()
    server.start()
    await back(store)

    assert counted == 2
    assert await ids(store, made_now) == ["q1"]
    assert await ids(store, "by-a-program") == ["q1"]
    assert await store.count() == 2


async def test_id_of_another_worker_waits_whatever_the_clocks_say(server, workers):
    cut_off, other = workers(), workers()
    await ask(cut_off.store)
    server.freeze()
    await ask(cut_off.store, "Encore", "q2")
    cut_off.store._returning.cancel()  # it alone sees Redis away
    server.thaw()
    visitor = cookie.new_session_id()  # younger than the fault, by any clock
    other.store.note_made(visitor)
    await other.store.accept(visitor, "web", question(), create="new")

    with pytest.raises(StoreUnavailable):
        await cut_off.store.load(visitor, "web")
    with pytest.raises(StoreUnavailable):
        await cut_off.store.accept(visitor, "web", question("Encore", "q2"), create="new")
    cut_off.store._returning = None
    await cut_off.store._give_back()

    assert await ids(cut_off.store, visitor) == ["q1"]


async def test_id_made_while_redis_was_away_before_waits_the_next_time(server, workers):
    one, other = workers().store, workers().store
    await ask(one)
    server.kill()
    await ask(one, "Encore", "q2")
    visitor = made_meanwhile(one)
    server.start()
    await back(one)
    await other.accept(visitor, "web", question(), create="new")
    server.kill()

    with pytest.raises(StoreUnavailable):
        await one.load(visitor, "web")


async def test_ids_made_while_redis_is_away_are_bounded(server, store):
    await ask(store)
    server.kill()
    await ask(store, "Encore", "q2")
    first, second, *_, last = (made_meanwhile(store) for _ in range(switch.MAX_MADE + 1))

    with pytest.raises(StoreUnavailable):
        await store.load(first, "web")
    for visitor in (second, last):
        with pytest.raises(SessionNotFound):
            await store.load(visitor, "web")


async def test_page_opened_before_the_fault_begins_in_memory(server, store):
    store.note_made(visitor := cookie.new_session_id())
    with pytest.raises(SessionNotFound):
        await store.load(visitor, "web")
    store.note_absence(visitor)  # as who listens to it
    server.kill()

    await store.accept(visitor, "web", question(), create="new")

    assert await ids(store, visitor) == ["q1"]


async def test_page_that_another_worker_opened_waits(server, workers):
    cut_off, other = workers(), workers()
    other.store.note_made(visitor := cookie.new_session_id())
    await ask(cut_off.store)
    cut_off.store.note_absence(visitor)  # as its socket here
    server.freeze()
    await ask(cut_off.store, "Encore", "q2")
    cut_off.store._returning.cancel()  # it alone sees Redis away
    server.thaw()
    await other.store.accept(visitor, "web", question(), create="new")

    with pytest.raises(StoreUnavailable):
        await cut_off.store.load(visitor, "web")
    with pytest.raises(StoreUnavailable):
        await cut_off.store.accept(visitor, "web", question("Encore", "q2"), create="new")


async def test_absence_that_nobody_listens_for_is_not_held(server, store):
    visitor = cookie.new_session_id()
    with pytest.raises(SessionNotFound):
        await store.load(visitor, "web")  # a page without a socket
    server.kill()

    with pytest.raises(StoreUnavailable):
        await store.accept(visitor, "web", question(), create="new")


async def test_session_begun_elsewhere_since_it_was_read_is_not_begun_again_blank(server, workers):
    one, two = workers().store, workers().store
    one.note_made(visitor := cookie.new_session_id())
    with pytest.raises(SessionNotFound):
        await one.load(visitor, "web")
    one.note_absence(visitor)
    await two.accept(visitor, "web", question(), create="new")
    one.forget_absence(visitor)
    server.kill()

    with pytest.raises(StoreUnavailable):
        await one.load(visitor, "web")
    with pytest.raises(StoreUnavailable):
        await one.accept(visitor, "web", question("Encore", "q2"), create="new")


async def test_two_workers_that_both_went_on_are_merged(server, workers):
    one, two = workers().store, workers().store
    await ask(one)
    await answer(one)
    await two.load(JEAN, "api")
    server.kill()

    await ask(one, "Par un", "q2")
    await ask(two, "Par deux", "q3")
    await ask(one, "Par un", "q4")
    server.start()
    await asyncio.gather(back(one), back(two))

    merged = await ids(one)
    assert merged == await ids(two)
    assert merged[:2] == ["q1", "answer-to-q1"]
    assert sorted(merged[2:]) == ["q2", "q3", "q4"]
    assert merged.index("q2") < merged.index("q4")
    assert set((await one.load(JEAN, "api")).waiting) == {"q2", "q3", "q4"}


async def test_question_asked_again_elsewhere_before_the_merge_stands_where_it_was_first(
    server, workers
):
    one, two = workers().store, workers().store
    await ask(one)
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 1)
        await ask(one, "Par un", "q2")
        one._returning.cancel()  # it alone sees Redis away
        client.config_set("maxmemory", 0)
    await ask(two, "Par deux", "q3")
    await ask(two, "Par un", "q2")  # it failed, and the customer asks again
    asked_again = await ids(two)
    await one._give_back()

    assert asked_again == ["q1", "q3", "q2"]
    assert await ids(two) == await ids(one) == ["q1", "q2", "q3"]
    assert (await two.load(JEAN, "api")).waiting == ("q1", "q3", "q2")


async def test_erased_before_the_return_does_not_revive(server, workers):
    one, two = workers(), workers()
    await ask(one.store)
    server.freeze()
    await ask(one.store, "En mémoire", "q2")
    server.thaw()
    await two.store.erase(JEAN, "api")
    await back(one.store)

    with pytest.raises(SessionGone) as caught:
        await one.store.load(JEAN, "api")
    assert caught.value.reason == "erased"


async def test_erasure_is_refused_while_redis_may_still_have_it(server, store):
    await ask(store)
    server.kill()

    with pytest.raises(StoreUnavailable):
        await store.erase(JEAN, "api")
    await store.accept("new", "api", question(), create="fresh")
    assert await store.erase("new", "api")


async def test_erasure_is_refused_where_a_browser_may_have_begun_elsewhere_too(server, store):
    await ask(store)
    server.kill()
    await ask(store, "Encore", "q2")
    visitor = made_meanwhile(store)
    await store.accept(visitor, "web", question(), create="new")

    with pytest.raises(StoreUnavailable):
        await store.erase(visitor, "web")
    kept = await ids(store, visitor)
    server.start()
    await back(store)

    assert kept == ["q1"]
    assert await store.erase(visitor, "web")
    with pytest.raises(SessionGone):
        await store.load(visitor, "web")


async def test_full_redis_is_away_too(server, store):
    await ask(store)
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 1)
        await ask(store, "Encore", "q2")
        meanwhile = store.backend
        client.config_set("maxmemory", 0)
    await back(store)

    assert meanwhile == "memory"
    assert await ids(store) == ["q1", "q2"]


async def test_flushed_redis_gets_back_what_workers_went_on_with(server, store):
    await ask(store)
    server.freeze()
    await ask(store, "Encore", "q2")
    server.thaw()
    server.flush()
    await back(store)

    assert await ids(store) == ["q1", "q2"]


async def test_viewers_are_told_of_both_moves(server, store):
    told = []

    async def on_backend_change(session_ids):
        told.append((session_ids, store.backend))

    store.on_backend_change = on_backend_change
    await ask(store)
    server.kill()
    await ask(store, "Encore", "q2")
    async with asyncio.timeout(5):
        while not told:
            await asyncio.sleep(0.01)
    server.start()
    async with asyncio.timeout(5):
        while len(told) < 3:
            await asyncio.sleep(0.01)

    assert told == [(None, "memory"), ([JEAN], "redis"), (None, "redis")]


async def test_redis_that_goes_again_on_its_return_comes_back_again(server, store):
    went_again = asyncio.Event()

    async def on_backend_change(session_ids):
        if session_ids and not went_again.is_set():  # told of the return: it goes in that moment
            server.kill()
            went_again.set()
            await store.load(JEAN, ANY_OWNER)

    store.on_backend_change = on_backend_change
    await ask(store)
    server.kill()
    await ask(store, "Encore", "q2")
    server.start()
    async with asyncio.timeout(5):
        await went_again.wait()
    await ask(store, "Toujours là", "q3")
    assert store.backend == "memory"
    server.start()
    await back(store)

    assert await ids(store) == ["q1", "q2", "q3"]


async def test_redis_is_not_asked_again_while_it_is_known_to_be_away(server, workers):
    worker = workers(accept=[])  # counts, and fails never
    await ask(worker.store)
    server.freeze()
    await ask(worker.store, "Un", "q2")

    for n in range(20):
        await ask(worker.store, "Deux", f"r{n}")

    assert worker.faulty.calls == {"accept": 2}
    server.thaw()
    await back(worker.store)
    assert len(await ids(worker.store)) == 22


async def test_deadline_and_attempts_go_to_memory_and_back(server, store):
    def within(seconds, id_):
        said = question("Bonjour", id_)
        return store.accept(JEAN, "api", said, create="always", answer_within_s=seconds)

    await within(300, "q1")
    first = await leased(store)
    await within(200, "q2")
    server.freeze()  # a killed one may forget what it acknowledged: here, that q2 waits
    await store.write(first, 0, "Je comm")
    record = store._memory.record(JEAN)
    record.turn.until = 1.0  # this worker stood still
    in_memory = await leased(store)
    server.thaw()
    await back(store)
    await store._redis._link.run("HSET", f"chat:state:{JEAN}", "lease_until", 1)
    on_redis = await leased(store)
    await store.finish(on_redis, done(on_redis), answer_to(on_redis))
    second = await leased(store, "q2")

    assert (first.attempt, in_memory.attempt, on_redis.attempt) == (1, 2, 3)
    for lease in (in_memory, on_redis):
        assert lease.deadline == pytest.approx(first.deadline, abs=1)
    assert second.deadline == pytest.approx(first.deadline - 100, abs=5)
    assert second.attempt == 1


# Redis loses its data while it is asked


async def test_data_lost_in_mid_answer_is_put_back_by_who_answers(server, workers):
    here, there = workers().store, workers().store
    await ask(here)
    await answer(here)
    await ask(here, "Encore", "q2")
    lease = await leased(here, "q2")
    await here.write(lease, 0, "Je comm")
    await ask(here, "Et puis", "q3")
    server.flush()

    await here.write(lease, len("Je comm"), "ence")
    draft = (await there.load(JEAN, ANY_OWNER)).draft
    await here.finish(lease, done(lease), answer_to(lease, "Je commence"))

    assert draft == Draft(id=lease.answer_id, text="Je commence")
    assert await ids(there) == ["q1", "answer-to-q1", "q2", "q3", lease.answer_id]
    session = await there.load(JEAN, ANY_OWNER)
    assert (session.waiting, session.owner) == (("q3",), "api")


@pytest.mark.parametrize("act", ["finish", "claim", "load", "say"])
async def test_data_lost_is_put_back_whatever_is_asked_first(server, workers, act):
    here, there = workers().store, workers().store
    await ask(here)
    lease = await leased(here)
    server.flush()

    if act == "finish":
        await here.finish(lease, done(lease), answer_to(lease))
    elif act == "claim":
        assert (await here.claim(JEAN, ["q1"], "a")).lease is None  # it goes on under its lease
    elif act == "load":
        assert (await here.load(JEAN, "api")).waiting == ("q1",)
    else:
        await here.announce(JEAN, question("Annonce", "s1"))

    assert (await ids(there))[0] == "q1"


async def test_replica_that_had_fallen_behind_gets_what_it_lacks(server, workers):
    worker, there = workers(), workers().store
    await ask(worker.store)
    await answer(worker.store)
    with redis.Redis.from_url(server.url) as client:
        old = {key: (client.dump(key), client.pttl(key)) for key in client.keys("*")}
        await ask(worker.store, "Encore", "q2")
        lease = await leased(worker.store, "q2")
        client.flushall()
        for key, (value, ttl) in old.items():
            client.restore(key, max(0, ttl), value)

    await worker.store.finish(lease, done(lease), answer_to(lease))

    assert await ids(there) == ["q1", "answer-to-q1", "q2", lease.answer_id]


@pytest.mark.parametrize("create", ["new", "always"])
async def test_conversation_begun_anew_after_a_loss_is_joined_with_the_copy(
    server, workers, create
):
    here, there = workers().store, workers().store
    await ask(here)
    await answer(here)
    server.flush()

    accepted = await here.accept(
        JEAN, "api", question("Encore", "q2"), create=create, answer_id="a2"
    )

    assert await ids(there) == ["q1", "answer-to-q1", "q2"]
    assert [m.id for m in accepted.lease.session.messages] == ["q1", "answer-to-q1", "q2"]
    await here.finish(accepted.lease, done(accepted.lease), answer_to(accepted.lease))
    assert (await there.load(JEAN, ANY_OWNER)).waiting == ()


@pytest.mark.parametrize("act", ["accept", "load"])
async def test_question_that_another_worker_put_back_first_still_gets_its_answer(
    server, workers, act
):
    here, there = workers().store, workers().store
    await ask(here)
    lease = await leased(here)
    await there.load(JEAN, "api")
    server.flush()
    if act == "accept":
        await ask(there, "Encore", "q2")
    else:
        await there.load(JEAN, "api")

    await here.finish(lease, done(lease), answer_to(lease))

    assert lease.answer_id in await ids(there)
    assert (await there.load(JEAN, ANY_OWNER)).waiting == (("q2",) if act == "accept" else ())


@pytest.mark.parametrize("flushed", [False, True])
async def test_what_was_erased_is_not_put_back(server, workers, flushed):
    here, there = workers().store, workers().store
    await ask(here)
    lease = await leased(here)
    await there.erase(JEAN, "api")
    if flushed:  # the trace of the erasure is gone, but this worker was told
        here.forget(JEAN)
        server.flush()

    with pytest.raises(LeaseLost):
        await here.write(lease, 0, "Je comm")
    with pytest.raises(SessionNotFound):
        await here.load(JEAN, "api")


async def test_erased_after_a_loss_leaves_its_trace(server, workers):
    here, there = workers().store, workers().store
    await ask(here)
    lease = await leased(here)
    await there.load(JEAN, "api")
    server.flush()

    assert await there.erase(JEAN, "api")

    with pytest.raises(LeaseLost):
        await here.write(lease, 0, "Je comm")


async def test_same_id_begun_again_after_its_erasure_has_nothing_of_it(server, workers):
    here, there = workers().store, workers().store
    await ask(here)
    await there.erase(JEAN, "api")  # this worker was not told

    await ask(here, "Autre chose", "q2")

    assert await ids(there) == ["q2"]


async def test_lease_that_another_worker_took_is_not_put_back(server, workers):
    here, there = workers().store, workers().store
    await ask(here)
    lease = await leased(here)
    await here.release(lease)
    other = await leased(there)

    with pytest.raises(LeaseLost):
        await here.write(lease, 0, "Je comm")
    await there.write(other, 0, "Autre")


# Two owners and one id


async def test_program_that_names_anothers_conversation_is_not_joined_to_it(server, workers):
    theirs, stranger = workers().store, workers().store
    await theirs.accept(JEAN, "key:camille", question(), create="always")
    with pytest.raises(SessionNotFound):
        await stranger.load(JEAN, "key:zoe")
    server.freeze()

    with pytest.raises(StoreUnavailable):
        await stranger.accept(JEAN, "key:zoe", question("Zoé", "q2"), create="always")
    for owner in ("key:zoe", "web"):
        with pytest.raises(StoreUnavailable):
            await stranger.load(JEAN, owner)
    server.thaw()
    await back(stranger)

    assert await ids(theirs) == ["q1"]
    with pytest.raises(SessionNotFound):
        await stranger.accept(JEAN, "key:zoe", question("Zoé", "q2"), create="always")


async def test_program_names_a_conversation_that_goes_on_here_in_memory(server, store):
    await store.accept(JEAN, "key:camille", question(), create="always")
    server.freeze()

    with pytest.raises(SessionNotFound):
        await store.accept(JEAN, "key:zoe", question("Zoé", "q2"), create="always")
    with pytest.raises(SessionNotFound):
        await store.load(JEAN, "key:zoe")
    await store.accept(JEAN, "key:camille", question("Encore", "q2"), create="always")
    server.thaw()
    await back(store)

    assert await ids(store) == ["q1", "q2"]


@pytest.mark.parametrize("known_by", ["a socket", "its page"])
async def test_program_cannot_begin_what_a_browser_is_about_to(server, store, known_by):
    visitor = cookie.new_session_id()
    with pytest.raises(SessionNotFound):
        await store.load(visitor, "web")
    if known_by == "a socket":
        store.note_made(visitor)
        store.note_absence(visitor)
    server.freeze()
    with pytest.raises(StoreUnavailable):
        await store.load("unknown", "web")
    if known_by == "its page":
        store.note_made(visitor)

    for act in (
        store.accept(visitor, "key:zoe", question("Zoé"), create="always"),
        store.load(visitor, "key:zoe"),
    ):
        with pytest.raises(StoreUnavailable):
            await act
    await store.accept(visitor, "web", question("Camille"), create="new")
    server.thaw()
    await back(store)

    assert (await store.load(visitor, "web")).messages[0].text == "Camille"


async def test_conversations_of_two_owners_under_one_id_are_kept_apart(server, workers):
    here, there = workers(), workers()
    here.store.note_made(visitor := cookie.new_session_id())
    here.store.note_absence(visitor)  # and it hears nothing of what happens elsewhere
    await there.store.accept(visitor, "key:zoe", question("Zoé", "z1"), create="always")
    server.freeze()
    await here.store.accept(visitor, "web", question("Camille"), create="new")
    await here.store.add_staff_note(visitor, StaffNote(kind=StaffNoteKind.NOTE, text="note"))
    server.thaw()
    await back(here.store)

    rows = {row.owner: row for row in (await there.store.page(Listing())).rows}
    apart = await there.store.load(rows["web"].id, "web")
    assert [m.text for m in (await there.store.load(visitor, "key:zoe")).messages] == ["Zoé"]
    assert [m.text for m in apart.messages] == ["Camille"]
    assert [staff_note.text for staff_note in await there.store.staff_notes(apart.id)] == ["note"]
    assert apart.waiting == ("q1",)  # any worker answers
    for store, id_, owner in (
        (here.store, visitor, "web"),
        (there.store, apart.id, "key:zoe"),
    ):
        with pytest.raises(SessionNotFound):
            await store.load(id_, owner)


async def test_conversation_apart_is_given_back_once_however_often_redis_goes(server, workers):
    here, there = workers(), workers()
    here.store.note_made(visitor := cookie.new_session_id())
    here.store.note_absence(visitor)
    await there.store.accept(visitor, "key:zoe", question("Zoé", "z1"), create="always")
    server.freeze()
    await here.store.accept(visitor, "web", question("Camille"), create="new")
    record = here.store._memory.record(visitor)
    server.thaw()
    await back(here.store)
    here.store._memory.adopt(record)  # Redis went before its reply came

    await here.store._give_back()

    assert (await there.store.page(Listing())).total == 2
