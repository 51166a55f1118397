"""The staff go on while Redis is away, and after. On a Redis of its own."""

from __future__ import annotations

import shutil

import pytest

from chat.errors import SessionNotFound, StoreUnavailable
from chat.sessions.desk import Aside, AsideKind, Listing, State
from chat.sessions.store import ANY_OWNER, LeaseLost
from chat.sessions.types import End, Outcome, ref_of
from tests.builders import JEAN, answer, answer_to, ask, done, leased, question
from tests.sessions.cast import CLAIRE, announced, hand_back, spoken, take_over
from tests.sessions.workers import back, made_meanwhile

pytestmark = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed"
)
TAKEN_OVER = Outcome(end=End.TAKEN_OVER)


@pytest.fixture
def store(workers):
    return workers().store


async def ids(store, session_id=JEAN):
    return [m.id for m in (await store.load(session_id, ANY_OWNER)).messages]


def note(id_: str) -> Aside:
    return Aside(kind=AsideKind.NOTE, text=f"note {id_}", id=id_)


@pytest.mark.parametrize("writes_meanwhile", [False, True])
async def test_answer_begun_in_redis_is_cut_whole_in_memory(server, store, writes_meanwhile):
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
    rows = (await store.page(Listing(state=State.HELD))).rows
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
    assert await store.keep_hold(JEAN, "7")
    rows = (await store.page(Listing(state=State.HELD))).rows
    assert [(row.id, row.storage) for row in rows] == [(JEAN, "redis")]


async def test_adviser_who_holds_it_keeps_it_while_redis_is_away(server, store):
    await ask(store)
    await take_over(store)
    await store.say(JEAN, "7", spoken())
    server.kill()

    assert await store.say(JEAN, "7", spoken("Encore là", "c2"))
    accepted = await store.accept(JEAN, "api", question("Merci", "q2"), create="always")
    claim = await store.claim(JEAN, ["q1", "q2"], "a")
    lapsed = await store.lapsed()
    server.start()
    await back(store)

    assert (accepted.outcome, accepted.adviser) == (TAKEN_OVER, "Claire")
    assert (claim.lease, claim.ended["q2"], lapsed) == (None, TAKEN_OVER, [])
    assert await ids(store) == ["q1", "taken", "c1", "c2", "q2"]
    assert not await store.say(JEAN, "7", spoken("Encore là", "c2"))


async def test_handed_back_while_redis_is_away(server, store):
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


async def test_asides_of_both_are_united(server, store):
    await ask(store)
    await store.add_aside(JEAN, note("1"))
    server.kill()
    await store.add_aside(JEAN, note("1"))
    await store.add_aside(JEAN, note("2"))

    meanwhile = [aside.id for aside in await store.asides(JEAN)]
    server.start()
    await back(store)

    assert meanwhile == ["1", "2"]
    assert [aside.id for aside in await store.asides(JEAN)] == ["1", "2"]


async def test_erased_has_no_asides_in_memory(server, store):
    server.kill()
    with pytest.raises(StoreUnavailable):
        await store.load("unknown", "api")
    await store.accept("new", "api", question(), create="fresh")
    await store.add_aside("new", note("1"))

    await store.erase("new", ANY_OWNER)

    assert await store.asides("new") == []
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
        await store.survey()
    server.thaw()
    await back(store)
    with pytest.raises(SessionNotFound):
        await store.find(ref_of("never"))
    (row,) = await store.search(["pouf"])

    assert [row.id for row in away[0].rows] == [row.id for row in away[1]] == [JEAN]
    assert (away[2].active, found) == (1, [JEAN, "other"])
    assert (row.id, row.state, row.language) == (JEAN, State.ANSWERING, "fr")
    assert {row.id for row in (await store.page(Listing())).rows} == {JEAN, "other"}
    assert (await store.survey()).active == 2


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

    (row,) = (await store.page(Listing(state=State.ASKED))).rows

    assert (row.id, row.language, row.messages) == (made, "de", 2)
    assert abs((row.began_at - before.began_at).total_seconds()) < 0.01
    assert abs((row.asked_at - before.asked_at).total_seconds()) < 0.01
    assert await store.find(ref_of(made)) == made
