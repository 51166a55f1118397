"""An adviser takes over whatever the assistant does, with both adviser stores."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import permutations

import pytest

from chat.conversations.store.adviser_store import ConversationState, Listing
from chat.conversations.store.protocol import ANY_OWNER, LeaseLost, Store
from chat.conversations.types import Author, End, Outcome
from chat.core.errors import AssignedToAnother, NotAssigned, SessionGone, SessionNotFound
from tests.builders import JEAN, answer, answer_to, ask, done, leased, question
from tests.conversations.store.cast import (
    CLAIRE,
    KARIM,
    announced,
    hand_back,
    leave_without_a_word,
    spoken,
    take_over,
)

TAKEN_OVER = Outcome(end=End.TAKEN_OVER)


async def ids(store: Store, session_id: str = JEAN) -> list[str]:
    return [m.id for m in (await store.load(session_id, ANY_OWNER)).messages]


async def test_take_over_is_announced_and_shown(store):
    await ask(store)
    await answer(store)

    session, taken = await store.take_over(JEAN, CLAIRE, announced("taken", "Claire répond."))

    assert taken
    loaded = await store.load(JEAN, "api")
    assert replace(session, expires_at=loaded.expires_at) == loaded  # computed to a millisecond
    assert (session.adviser, session.adviser_id) == ("Claire", "7")
    assert [(m.author, m.text) for m in session.messages[2:]] == [(Author.SYSTEM, "Claire répond.")]


async def test_take_over_repeated_changes_nothing_and_says_the_same(store):
    await ask(store)
    await take_over(store, id_="first")

    again = await take_over(store, id_="first")
    other_tab = await take_over(store, id_="second")

    assert (again, other_tab) == (True, False)
    assert await ids(store) == ["q1", "first"]


async def test_take_over_repeated_after_handing_back_does_not_take_again(store):
    await ask(store)
    await take_over(store)
    await hand_back(store)

    assert not await take_over(store)
    assert (await store.load(JEAN, ANY_OWNER)).adviser == ""


async def test_answer_being_written_is_cut_where_it_was_kept(store):
    text = 'Réponse « commencée » / "presque" \\ \n\t🪑'
    await ask(store)
    await ask(store, "Autre question", "q2")
    lease = await leased(store)
    await store.write(lease, 0, text)

    await take_over(store)
    session = await store.load(JEAN, ANY_OWNER)

    cut = session.messages[2]
    assert [m.id for m in session.messages] == ["q1", "q2", "answer-to-q1", "taken"]
    assert (cut.author, cut.text, cut.interrupted) == (Author.ASSISTANT, text, True)
    assert (cut.reply_to, session.draft, session.waiting) == ("q1", None, ())
    assert await store.outcome(JEAN, "q1") == Outcome(end=End.TAKEN_OVER, answer_id="answer-to-q1")
    assert await store.outcome(JEAN, "q2") == TAKEN_OVER
    for late in (store.write(lease, 0, "!"), store.finish(lease, done(lease), answer_to(lease))):
        with pytest.raises(LeaseLost):
            await late
    assert await ids(store) == ["q1", "q2", "answer-to-q1", "taken"]


async def test_answer_of_which_nothing_was_written_leaves_no_message(store):
    await ask(store)
    lease = await leased(store)

    await take_over(store)

    assert await ids(store) == ["q1", "taken"]
    assert await store.outcome(JEAN, "q1") == TAKEN_OVER
    with pytest.raises(LeaseLost):
        await store.write(lease, 0, "Trop tard")


async def test_customer_speaks_to_the_adviser_even_when_the_assignment_expired(store):
    await ask(store)
    await take_over(store)
    await leave_without_a_word(store)

    accepted = await store.accept(JEAN, "api", question("Allô ?", "q2"), create="always")
    claim = await store.claim(JEAN, ["q2"], "a2")

    assert (accepted.outcome, accepted.adviser) == (TAKEN_OVER, "Claire")
    assert (claim.lease, claim.ended) == (None, {"q2": TAKEN_OVER})


async def test_two_advisers_at_once_and_one_has_it(store):
    await ask(store)
    both = [(CLAIRE, "by-claire"), (KARIM, "by-karim")]
    results = await asyncio.gather(
        *(store.take_over(JEAN, by, announced(id_)) for by, id_ in both), return_exceptions=True
    )

    won = [result for result in results if isinstance(result, tuple)]
    lost = [result for result in results if isinstance(result, AssignedToAnother)]
    assert (len(won), len(lost)) == (1, 1)
    assert lost[0].name == won[0][0].adviser
    assert len(await ids(store)) == 2


async def test_adviser_whose_assignment_expired_is_relieved(store):
    await ask(store)
    await take_over(store)
    with pytest.raises(AssignedToAnother) as caught:
        await take_over(store, id_="karim", by=KARIM)
    await leave_without_a_word(store)

    assert await take_over(store, id_="karim", by=KARIM)
    with pytest.raises(NotAssigned):
        await store.say(JEAN, "7", spoken())

    assert caught.value.name == "Claire"
    assert (await store.load(JEAN, ANY_OWNER)).adviser_id == "8"


async def test_every_order_of_taking_over_and_answering_leaves_one_end_of_each(store):
    for n, order in enumerate(permutations(["take", "write", "finish", "ask", "claim", "stop"])):
        id_ = f"s{n}"
        await ask(store, session_id=id_)
        lease = await leased(store, session_id=id_)
        await store.write(lease, 0, "Je comm")
        acts = {
            "take": lambda id_=id_: take_over(store, id_),
            "write": lambda lease=lease: store.write(lease, 7, "ence"),
            "finish": lambda lease=lease: store.finish(lease, done(lease), answer_to(lease)),
            "ask": lambda id_=id_: ask(store, "Et ?", "q2", id_),
            "claim": lambda id_=id_: store.claim(id_, ["q2"], "a2"),
            "stop": lambda id_=id_: store.stop(id_, "api"),
        }
        for act in order:
            try:
                await acts[act]()
            except LeaseLost:
                assert (
                    order.index("take") < order.index(act) or "finish" in order[: order.index(act)]
                )
        await check_taken(store, id_, order)


async def test_acts_at_the_same_moment_leave_one_end_of_each(store):
    for n in range(50):
        id_ = f"s{n}"
        await ask(store, session_id=id_)
        lease = await leased(store, session_id=id_)
        await store.write(lease, 0, "Je comm")
        await asyncio.gather(
            store.write(lease, 7, "ence"),
            ask(store, "Et ?", "q2", id_),
            take_over(store, id_),
            store.finish(lease, done(lease), answer_to(lease)),
            store.claim(id_, ["q2"], "a2"),
            return_exceptions=True,
        )
        await check_taken(store, id_, ("at once",))


async def check_taken(store: Store, id_: str, order: tuple[str, ...]) -> None:
    """The adviser has it, each question one end, no word of the assistant follows."""
    session = await store.load(id_, ANY_OWNER)
    after = session.messages[[m.id for m in session.messages].index("taken") :]
    answers = [m for m in session.messages if m.author is Author.ASSISTANT]
    assert (session.adviser, session.draft, session.waiting) == ("Claire", None, ()), order
    assert Author.ASSISTANT not in {m.author for m in after}, order
    assert [m.reply_to for m in answers] == ["q1"], order
    first, second = await store.outcome(id_, "q1"), await store.outcome(id_, "q2")
    expected = End.TAKEN_OVER if answers[0].interrupted else End.DONE
    assert first is not None, order
    assert (first.end, first.answer_id) == (expected, "answer-to-q1"), order
    assert second == TAKEN_OVER, order


async def test_what_is_not_there_cannot_be_taken_over(store):
    with pytest.raises(SessionNotFound) as never:
        await take_over(store, "never")
    await ask(store, session_id="ended")
    await store.end("ended", ANY_OWNER)
    await ask(store, session_id="erased")
    await store.erase("erased", ANY_OWNER)

    assert not isinstance(never.value, SessionGone)
    for id_ in ("ended", "erased"):
        with pytest.raises(SessionGone) as gone:
            await take_over(store, id_)
        assert gone.value.reason == id_
        with pytest.raises(SessionGone):
            await store.say(id_, "7", spoken())
        with pytest.raises(SessionGone):
            await store.ask_for_adviser(id_, "api", announced("asked"))
        assert not await hand_back(store, id_)
        assert not await store.renew_assignment(id_, "7")


async def test_question_left_to_any_worker_is_no_orphan_any_more(store):
    await ask(store)
    await store.release(await leased(store))
    left = list(await store.orphans())

    await take_over(store)

    assert (left, await store.orphans()) == ([JEAN], {})


async def test_failure_before_the_adviser_came_is_forgotten(store):
    await ask(store)
    await store.finish(await leased(store), Outcome(end=End.INTERRUPTED), None)
    before = (await store.page(Listing())).rows

    await take_over(store)
    await store.hand_back(JEAN, "7", "", announced("back"))

    assert [row.state for row in before] == [ConversationState.INTERRUPTED]
    assert [row.state for row in (await store.page(Listing())).rows] == [ConversationState.IDLE]
