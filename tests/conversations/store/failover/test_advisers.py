"""The staff go on while Redis is away, and after. On a Redis of its own."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from chat.conversations.store.adviser_store import (
    ConversationState,
    Listing,
    StaffNote,
    StaffNoteKind,
)
from chat.conversations.store.failover.workers import WorkerPlace
from chat.conversations.store.protocol import ANY_OWNER, LeaseLost
from chat.conversations.types import End, Outcome
from chat.core.errors import DeskUnavailable, SessionNotFound, StoreUnavailable
from chat.core.ids import ref_of
from tests.builders import JEAN, answer, answer_to, ask, done, leased, question
from tests.conversations.store.cast import (
    CLAIRE,
    announced,
    hand_back,
    leave_without_a_word,
    spoken,
    take_over,
)
from tests.conversations.store.workers import back, made_meanwhile

TAKEN_OVER = Outcome(end=End.TAKEN_OVER)


@pytest.fixture
def store(workers):
    return workers().store


async def ids(store, session_id=JEAN):
    return [m.id for m in (await store.load(session_id, ANY_OWNER)).messages]


def note(id_: str) -> StaffNote:
    return StaffNote(kind=StaffNoteKind.NOTE, text=f"note {id_}", id=id_)


@pytest.mark.parametrize("writes_meanwhile", [False, True])
async def test_answer_begun_in_redis_is_cut_whole_in_memory(server, store, writes_meanwhile):
    await store.beat()  # alone
    await ask(store)
    lease = await leased(store)
    await store.write(lease, 0, "Été com")
    await store.write(lease, len("Été com".encode()), "mence")
    server.kill()
    if writes_meanwhile:
        await store.write(lease, len("Été commence".encode()), "ment")

    await take_over(store)

    with pytest.raises(LeaseLost):
        await store.write(lease, 50, "trop tard")
    cut = (await store.load(JEAN, ANY_OWNER)).messages[1]
    assert cut.text == ("Été commencement" if writes_meanwhile else "Été commence")
    assert (await store.claim(JEAN, ["q1"], "a")).ended == {
        "q1": Outcome(end=End.TAKEN_OVER, answer_id="answer-to-q1")
    }


async def test_adviser_takes_over_while_redis_is_away(server, store):
    await store.beat()  # alone
    await ask(store)
    lease = await leased(store)
    await store.write(lease, 0, "Je comm")
    server.kill()
    await store.write(lease, 0, "Je commence")

    assert await take_over(store)
    with pytest.raises(LeaseLost):
        await store.finish(lease, done(lease), answer_to(lease))
    await store.say(JEAN, "7", spoken())
    in_memory = await store.load(JEAN, ANY_OWNER)
    rows = (await store.page(Listing(state=ConversationState.HELD))).rows
    server.start()
    await back(store)
    session = await store.load(JEAN, ANY_OWNER)

    assert [(row.id, row.storage) for row in rows] == [(JEAN, "memory")]
    assert [m.id for m in in_memory.messages] == ["q1", "answer-to-q1", "taken", "c1"]
    assert [m.to_json() for m in session.messages] == [m.to_json() for m in in_memory.messages]
    assert (session.adviser, session.adviser_id, session.waiting) == ("Claire", "7", ())
    assert (await store.outcome(JEAN, "q1")) == Outcome(
        end=End.TAKEN_OVER, answer_id="answer-to-q1"
    )
    assert await store.renew_assignment(JEAN, "7")
    rows = (await store.page(Listing(state=ConversationState.HELD))).rows
    assert [(row.id, row.storage) for row in rows] == [(JEAN, "redis")]


async def test_adviser_who_holds_it_keeps_it_while_redis_is_away(server, store):
    await store.beat()  # alone
    await ask(store)
    await take_over(store)
    await store.say(JEAN, "7", spoken())
    server.kill()

    assert await store.say(JEAN, "7", spoken("Encore là", "c2"))
    accepted = await store.accept(JEAN, "api", question("Merci", "q2"), create="always")
    claim = await store.claim(JEAN, ["q1", "q2"], "a")
    away = await store.expired_assignments()
    server.start()
    await back(store)

    assert (accepted.outcome, accepted.adviser) == (TAKEN_OVER, "Claire")
    assert (claim.lease, claim.ended["q2"], away) == (None, TAKEN_OVER, [])
    assert await ids(store) == ["q1", "taken", "c1", "c2", "q2"]
    assert not await store.say(JEAN, "7", spoken("Encore là", "c2"))


async def test_handed_back_while_redis_is_away(server, store):
    await store.beat()  # alone
    await ask(store)
    await take_over(store)
    server.kill()

    assert await hand_back(store, instruction="Soyez bref.")
    await ask(store, "Et ?", "q2")
    server.start()
    await back(store)
    lease = await leased(store, "q2")

    assert (lease.session.adviser, lease.session.instruction) == ("", "Soyez bref.")
    assert (await store.counts()).held == 0


async def test_copy_knows_who_answers_after_every_change(server, store):
    await ask(store)
    await take_over(store)
    await hand_back(store, instruction="Soyez bref.")
    await store.ask_for_adviser(JEAN, "api", announced("asked"))
    before = await store.load(JEAN, ANY_OWNER)
    server.kill()

    after = await store.load(JEAN, ANY_OWNER)

    assert [m.id for m in after.messages] == ["q1", "taken", "back", "asked"]
    assert after.asked_at == before.asked_at is not None
    assert (after.adviser, after.instruction) == ("", "Soyez bref.")


async def test_copy_changes_without_being_read_again(server, store):
    await store.beat()  # alone
    await ask(store)
    await take_over(store)
    await hand_back(store, instruction="Soyez bref.")
    await store.ask_for_adviser(JEAN, "api", announced("asked"))
    server.kill()

    after = await store.load(JEAN, ANY_OWNER)

    assert [m.id for m in after.messages] == ["q1", "taken", "back", "asked"]
    assert after.asked_at is not None
    assert (after.adviser, after.instruction) == ("", "Soyez bref.")
    assert await take_over(store, id_="again")


async def test_adviser_of_another_worker_silences_what_memory_went_on_with(server, workers):
    here, there = workers(), workers()
    await ask(here.store)
    server.freeze()
    await ask(here.store, "Encore", "q2")
    lease = await leased(here.store, "q1")
    await here.store.write(lease, 0, "Je comm")
    assert here.store.backend == "memory"
    here.store._returning.cancel()  # it alone sees Redis away
    server.thaw()
    await there.store.take_over(JEAN, CLAIRE, announced("taken"))
    here.store._returning = None
    await here.store._give_back()

    session = await here.store.load(JEAN, ANY_OWNER)

    assert (session.adviser, session.waiting, session.draft) == ("Claire", (), None)
    assert await here.store.outcome(JEAN, "q2") == TAKEN_OVER
    assert (await here.store.outcome(JEAN, "q1")) == TAKEN_OVER
    with pytest.raises(LeaseLost):
        await here.store.finish(lease, done(lease), answer_to(lease))
    assert (await here.store.counts()).held == 1


async def test_staff_notes_of_both_are_united(server, store):
    await ask(store)
    await store.add_staff_note(JEAN, note("1"))
    server.kill()
    await store.add_staff_note(JEAN, note("1"))
    await store.add_staff_note(JEAN, note("2"))

    meanwhile = [staff_note.id for staff_note in await store.staff_notes(JEAN)]
    server.start()
    await back(store)

    assert meanwhile == ["1", "2"]
    assert [staff_note.id for staff_note in await store.staff_notes(JEAN)] == ["1", "2"]


async def test_erased_has_no_staff_notes_in_memory(server, store):
    server.kill()
    with pytest.raises(StoreUnavailable):
        await store.load("unknown", "api")
    await store.accept("new", "api", question(), create="fresh")
    await store.add_staff_note("new", note("1"))

    await store.erase("new", ANY_OWNER)

    assert await store.staff_notes("new") == []
    with pytest.raises((SessionNotFound, StoreUnavailable)):
        await store.find(ref_of("new"))


async def test_lists_and_searches_what_memory_has(server, store):
    await ask(store, "Un canapé")
    await answer(store)
    await ask(store, "Un lit", session_id="other")
    server.freeze()  # a killed one may forget the last words that it acknowledged
    await ask(store, "Et un pouf", "q2")

    away = await store.page(Listing()), await store.search(["pouf"]), await store.counts()
    found = [await store.find(ref_of(id_)) for id_ in (JEAN, "other")]
    with pytest.raises(StoreUnavailable):
        await store.find(ref_of("never"))
    with pytest.raises(StoreUnavailable):
        await store.scan()
    server.thaw()
    await back(store)
    with pytest.raises(SessionNotFound):
        await store.find(ref_of("never"))
    (row,) = await store.search(["pouf"])

    assert [row.id for row in away[0].rows] == [row.id for row in away[1]] == [JEAN]
    assert (away[2].active, found) == (1, [JEAN, "other"])
    assert (row.id, row.state, row.language) == (JEAN, ConversationState.ANSWERING, "fr")
    assert {row.id for row in (await store.page(Listing())).rows} == {JEAN, "other"}
    assert (await store.scan()).active == 2


async def test_conversation_begun_in_memory_is_listed_in_redis_afterwards(server, store):
    server.kill()
    with pytest.raises(StoreUnavailable):
        await store.load("unknown", "web")
    made = made_meanwhile(store)
    await store.accept(made, "web", question("Ich suche ein Sofa"), create="new")
    await store.ask_for_adviser(made, "web", announced("asked"))
    (before,) = (await store.page(Listing())).rows
    server.start()
    await back(store)

    (row,) = (await store.page(Listing(state=ConversationState.ASKED))).rows

    assert (row.id, row.language, row.messages) == (made, "de", 2)
    assert abs((row.began_at - before.began_at).total_seconds()) < 0.01
    assert abs((row.asked_at - before.asked_at).total_seconds()) < 0.01
    assert await store.find(ref_of(made)) == made


# What is confirmed to the staff holds at every worker


async def others_answer(*workers):
    """Have these workers show that they are there, as often as they do."""
    while True:
        for worker in workers:
            await worker.store.beat()
        await asyncio.sleep(0.01)


@pytest.fixture
async def beating():
    """Make workers beat."""
    tasks = []

    def begin(*workers):
        tasks.append(asyncio.create_task(others_answer(*workers)))
        return tasks[-1]

    yield begin
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def speaking_to(worker, session_id=JEAN):
    """A conversation whose customer's page is at this worker, with an answer being written."""
    await ask(worker.store, session_id=session_id)
    lease = await leased(worker.store, session_id=session_id)
    await worker.store.write(lease, 0, "Je comm")
    return lease


ACTS = [
    lambda store: take_over(store),
    lambda store: hand_back(store),
    lambda store: store.say(JEAN, "7", spoken()),
    lambda store: store.end(JEAN, ANY_OWNER),
]


@pytest.mark.parametrize("act", ACTS)
async def test_nothing_is_confirmed_by_a_worker_that_is_cut_off(server, workers, act):
    here, there = workers(), workers()
    await speaking_to(there)
    await here.store.load(JEAN, ANY_OWNER)
    for worker in (here, there, here):
        await worker.store.beat()
    server.freeze()
    await here.store.load(JEAN, ANY_OWNER)
    assert here.store.backend == "memory"

    with pytest.raises(DeskUnavailable):
        await act(here.store)
    server.thaw()
    await back(here.store)


async def test_redis_that_goes_in_the_middle_confirms_nothing(server, workers):
    here, there = workers(), workers()
    await speaking_to(there)
    for worker in (here, there, here):
        await worker.store.beat()
    server.freeze()

    with pytest.raises(DeskUnavailable):
        await take_over(here.store)
    server.thaw()
    await back(here.store)


async def test_takeover_waits_until_the_answering_worker_has_read_it(server, workers, beating):
    here, there = workers(), workers()
    lease = await speaking_to(there)
    beating(here)
    await there.store.beat()
    await here.store.beat()

    taking = asyncio.create_task(take_over(here.store))
    async with asyncio.timeout(5):
        while (await here.redis.load(JEAN, ANY_OWNER)).adviser != "Claire":
            await asyncio.sleep(0.01)
    assert not taking.done()  # nobody knows yet
    beating(there)
    assert await taking
    server.kill()

    with pytest.raises(LeaseLost):
        await there.store.write(lease, 0, "Je commence")
    accepted = await there.store.accept(JEAN, "api", question("Et ?", "q2"), create="always")
    assert (accepted.outcome, accepted.adviser) == (TAKEN_OVER, "Claire")


async def test_takeover_is_refused_while_the_customers_worker_is_cut_off(server, workers, beating):
    here, there, other = (workers(late_ms=200) for _ in range(3))
    await speaking_to(there)
    await ask(other.store, session_id="another")
    await there.store.beat()
    beating(here, other)  # the customer's worker beats no more

    async with asyncio.timeout(5):
        while not here.store._is_one_silent:
            await asyncio.sleep(0.01)
    with pytest.raises(DeskUnavailable):
        await take_over(here.store)
    before = await here.redis.load(JEAN, ANY_OWNER)
    assert await take_over(here.store, "another")  # spoken to elsewhere

    assert (before.adviser, [m.id for m in before.messages]) == ("", ["q1"])


async def test_customer_who_came_to_a_live_worker_can_be_taken_over(server, workers, beating):
    here, dead = (workers(late_ms=200) for _ in range(2))
    await ask(dead.store)
    await answer(dead.store)
    await dead.store.beat()
    beating(here)
    async with asyncio.timeout(5):
        while not here.store._is_one_silent:
            await asyncio.sleep(0.01)
    with pytest.raises(DeskUnavailable):
        await take_over(here.store)

    await here.store.arrive(JEAN)

    assert await take_over(here.store)


async def test_nobody_waits_for_a_worker_that_left(server, workers, beating):
    here, gone = workers(), workers()
    await ask(gone.store)
    await answer(gone.store)
    await gone.store.beat()
    await gone.store.leave()
    await gone.store.beat()
    await here.store.beat()

    assert here.store._is_alone
    assert await take_over(here.store)


async def test_who_left_while_redis_is_away_stays_until_it_can_be_told(server, workers):
    here, there = workers(), workers()
    await ask(here.store)
    await take_over(here.store)
    await leave_without_a_word(here.redis)
    for worker in (here, there, here):
        await worker.store.beat()
    server.freeze()
    await here.store.load(JEAN, ANY_OWNER)

    assert await here.store.expired_assignments() == []
    server.thaw()
    await back(here.store)
    assert await here.store.expired_assignments() == [JEAN]


async def gone_place() -> WorkerPlace:
    """Where a process of this machine was that has been killed."""
    process = await asyncio.create_subprocess_exec("sleep", "60")
    process.kill()
    await process.wait()
    return replace(WorkerPlace.here(), pid=process.pid)


@pytest.mark.parametrize("writes", [False, True])
async def test_worker_that_was_killed_keeps_nobody_from_taking_over(
    server, workers, beating, writes
):
    here, killed = workers(), workers()
    killed.redis.place = await gone_place()
    await ask(killed.store)
    if writes:
        await leased(killed.store)
    await killed.store.beat()  # for the last time; there is no other worker
    await here.store.beat()

    assert await take_over(here.store)
    beat = await here.redis.beat(0)

    assert beat.workers.known_ms.keys() == {here.redis.worker_id}
    assert beat.workers.places.keys() == {here.redis.worker_id}


async def test_killed_worker_is_forgotten_by_who_beats(server, workers):
    here, killed = (workers(late_ms=0) for _ in range(2))
    killed.redis.place = await gone_place()
    await killed.store.beat()
    await asyncio.sleep(0.002)  # the clock of Redis has milliseconds
    await here.store.beat()

    assert here.store._is_alone
    assert not here.store._is_one_silent


async def test_restarted_container_tells_that_its_worker_before_is_dead(server, workers):
    here, before = (workers(late_ms=0) for _ in range(2))
    before.redis.place = replace(
        before.redis.place, processes="pid:[1]", names="uts:[1]", pid=here.redis.place.pid
    )
    await ask(before.store)
    await before.store.beat()
    await asyncio.sleep(0.002)  # the clock of Redis has milliseconds
    await here.store.beat()

    assert await take_over(here.store)


async def test_worker_that_is_cut_off_is_no_dead_one(server, workers):
    here, silent = (workers(late_ms=100) for _ in range(2))
    await ask(silent.store)
    await silent.store.beat()
    async with asyncio.timeout(5):
        while not here.store._is_one_silent:
            await here.store.beat()
            await asyncio.sleep(0.01)

    with pytest.raises(DeskUnavailable):
        await take_over(here.store)
    assert silent.redis.worker_id in (await here.redis.beat(0)).workers.known_ms


async def test_dead_one_that_beats_after_all_counts_again(server, workers):
    here, other = workers(), workers()
    await other.store.beat()
    beat = await here.redis.beat(0)
    known_ms = beat.workers.known_ms[other.redis.worker_id]

    await here.redis.forget_workers({other.redis.worker_id: known_ms - 1})
    kept = (await here.redis.beat(0)).workers.known_ms
    await here.redis.forget_workers({other.redis.worker_id: known_ms})
    gone = (await here.redis.beat(0)).workers.known_ms
    await other.store.beat()

    assert other.redis.worker_id in kept
    assert other.redis.worker_id not in gone
    assert other.redis.worker_id in (await here.redis.beat(0)).workers.known_ms


async def test_silent_worker_is_not_waited_for_for_ever(server, workers):
    here, silent = workers(), workers()
    await ask(silent.store)
    await silent.store.beat()
    link = here.redis._link
    long_ago = (await here.redis.beat(0)).now_ms - 600_001
    await link.run("ZADD", "chat:workers", long_ago, silent.redis.worker_id)

    await here.store.beat()

    assert await link.run("HKEYS", "chat:places") == [here.redis.worker_id.encode()]
    assert await take_over(here.store)


@pytest.mark.parametrize("where", ["moved on", "stayed"])
async def test_customer_may_be_at_a_worker_that_is_still_cut_off_after_a_merge(
    server, workers, where
):
    """Where a conversation went on in memory, at several workers, who merges it last saw less."""
    here, silent = workers(), workers()
    await ask(here.store)
    await silent.store.load(JEAN, ANY_OWNER)
    for worker in (here, silent, here):
        await worker.store.beat()
    server.freeze()
    await ask(here.store, "Encore", "q2")
    await ask(silent.store, "Et ceci ?", "q3")  # the page went there
    silent.store._returning.cancel()  # it alone stays cut off
    server.thaw()
    await back(here.store)
    late = (await here.redis.beat(0)).now_ms - 4_000
    await here.redis._link.run("ZADD", "chat:workers", late, silent.redis.worker_id)
    if where == "moved on":
        await ask(here.store, "Me revoilà", "q4")
        assert await take_over(here.store)
        return

    with pytest.raises(DeskUnavailable):
        await take_over(here.store)

    assert (await here.redis.load(JEAN, ANY_OWNER)).adviser == ""
    assert (
        await silent.store.claim(JEAN, ["q3"], "a3")
    ).lease is not None  # it would have answered
