"""How the staff find conversations, promised by ``AdviserStore`` and kept by both stores."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from chat.conversations.store.adviser_store import (
    MAX_ROWS,
    MAX_SEARCHED,
    ConversationState,
    Counts,
    Listing,
    SortOrder,
)
from chat.conversations.store.protocol import ANY_OWNER, Store
from chat.conversations.store.session_rows import fold, has_words, language_after
from chat.conversations.types import Author, End, Message, Outcome
from chat.core.clock import now
from chat.core.errors import SessionNotFound
from chat.core.ids import ref_of
from tests.builders import JEAN, answer, ask, leased, question
from tests.conversations.store.cast import (
    announced,
    hand_back,
    leave_without_a_word,
    spoken,
    take_over,
)


async def listed(store: Store, **conditions) -> list[str]:
    return [row.id for row in (await store.page(Listing(**conditions))).rows]


async def cut(store: Store, end: End, session_id: str) -> None:
    """End the answer to q1."""
    lease = await leased(store, session_id=session_id)
    outcome = Outcome(end=end, code="assistant_timeout" if end is End.FAILED else "")
    await store.finish(lease, outcome, None)


async def one_of_each(store: Store) -> None:
    """A conversation in every state, named after it, and some that are over."""
    names = ("idle", "answering", "interrupted", "held", "asked", "ended", "erased")
    for id_ in names:
        await ask(store, session_id=id_)
    await answer(store, session_id="idle")
    await cut(store, End.INTERRUPTED, "interrupted")
    await take_over(store, "held")
    await store.ask_for_adviser("asked", "api", announced("asked"))
    await store.end("ended", ANY_OWNER)
    await store.erase("erased", ANY_OWNER)


async def test_row_tells_all(store, backend):
    await ask(store, "Hello, I am looking for a sofa")
    await answer(store)
    await ask(store, "ok", "q2")
    await store.ask_for_adviser(JEAN, "api", announced("asked"))
    session = await store.load(JEAN, ANY_OWNER)

    (row,) = (await store.page(Listing())).rows

    assert (row.id, row.ref, row.owner, row.storage) == (JEAN, ref_of(JEAN), "api", backend)
    assert (row.messages, row.language, row.state) == (4, "en", ConversationState.ASKED)
    assert (row.adviser, row.adviser_id) == ("", "")
    assert abs(row.expires_at - session.expires_at) < timedelta(seconds=0.1)
    assert row.last_at == row.expires_at - timedelta(days=1)
    assert abs(row.began_at - session.created_at) < timedelta(seconds=0.01)
    assert row.asked_at == session.asked_at
    assert row.bytes > 500
    await take_over(store)
    (row,) = (await store.page(Listing())).rows
    assert (row.adviser, row.adviser_id, row.asked_at) == ("Claire", "7", None)


@pytest.mark.parametrize("state", list(ConversationState))
async def test_state_is_what_the_conversation_waits_for(store, state):
    await one_of_each(store)

    page = await store.page(Listing(state=state))

    assert [(row.id, row.state) for row in page.rows] == [(state.value, state)]
    assert page.total == 1


async def test_state_follows_what_happens(store):
    async def state():
        (row,) = (await store.page(Listing())).rows
        assert await listed(store, state=row.state) == [JEAN]
        return row.state

    seen = []
    await ask(store)
    seen.append(await state())
    await cut(store, End.FAILED, JEAN)
    seen.append(await state())
    await ask(store)
    seen.append(await state())
    await store.ask_for_adviser(JEAN, "api", announced("asked"))
    await answer(store)
    seen.append(await state())
    await take_over(store)
    seen.append(await state())
    await ask(store, "Et ?", "q2")
    await store.say(JEAN, "7", spoken())
    seen.append(await state())
    await hand_back(store)
    seen.append(await state())
    await ask(store, "Encore ?", "q3")
    await ask(store, "Et encore ?", "q4")
    await answer(store, "q3")
    seen.append(await state())
    await answer(store, "q4")
    seen.append(await state())

    assert seen == [
        ConversationState.ANSWERING,
        ConversationState.INTERRUPTED,
        ConversationState.ANSWERING,
        ConversationState.ASKED,
        ConversationState.HELD,
        ConversationState.HELD,
        ConversationState.IDLE,
        ConversationState.ANSWERING,
        ConversationState.IDLE,
    ]


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (End.DONE, ConversationState.IDLE),
        (End.STOPPED, ConversationState.IDLE),
        (End.FAILED, ConversationState.INTERRUPTED),
        (End.INTERRUPTED, ConversationState.INTERRUPTED),
    ],
)
async def test_interrupted_is_what_the_customer_did_not_want(store, end, state):
    await ask(store)
    await cut(store, end, JEAN)

    assert await listed(store, state=state) == [JEAN]


async def test_speaker_is_the_assistant_or_an_adviser(store):
    await one_of_each(store)

    assert await listed(store, speaker="adviser") == ["held"]
    with_assistant = await store.page(Listing(speaker="assistant"))
    assert {row.id for row in with_assistant.rows} == {"idle", "answering", "interrupted", "asked"}
    assert with_assistant.total == 4
    assert await listed(store, speaker="assistant", state=ConversationState.HELD) == []
    assert await listed(store, speaker="adviser", state=ConversationState.IDLE) == []
    assert await listed(store, speaker="adviser", state=ConversationState.HELD) == ["held"]
    assert await listed(store, speaker="assistant", state=ConversationState.IDLE) == ["idle"]


async def in_order(store: Store, number: int) -> list[str]:
    """Conversations whose beginnings and last words stand in other orders; ids as they began."""
    began = [f"s{n:02}" for n in range(number)]
    for id_ in began:
        await ask(store, session_id=id_)
        await tick()
    for id_ in [*began[1::2], *began[::2]]:
        await answer(store, session_id=id_)
        await tick()
    return began


async def tick() -> None:
    """Return in another millisecond."""
    before = now()
    while now() - before < timedelta(milliseconds=1.1):
        pass


@pytest.mark.parametrize("speaker", ["", "assistant"])
async def test_every_order_page_by_page(store, speaker):
    began = await in_order(store, 9)
    for id_ in ("s03", "s04") if speaker else ():
        await take_over(store, id_)
        began.remove(id_)
    last = [*(id_ for id_ in began if int(id_[1:]) % 2), *(i for i in began if not int(i[1:]) % 2)]
    expected = {
        SortOrder.OLDEST: last,
        SortOrder.NEWEST: last[::-1],
        SortOrder.BEGAN_FIRST: began,
        SortOrder.BEGAN: began[::-1],
    }
    for order, ids in expected.items():
        for quiet_s in (None, (0.0, float("inf"))):
            listing = {"order": order, "speaker": speaker, "quiet_s": quiet_s}
            assert await listed(store, **listing) == ids
            for size in (1, 2, 4):
                pages = [
                    await store.page(Listing(offset=at, limit=size, **listing))
                    for at in range(0, len(ids) + 1, size)
                ]
                assert [row.id for page in pages for row in page.rows] == ids, (order, quiet_s)
                assert {page.total for page in pages} == {len(ids)}
            beyond = await store.page(Listing(offset=50, **listing))
            assert (beyond.rows, beyond.total) == ((), len(ids))


async def test_quiet_ones_are_told_by_their_last_word(store):
    await ask(store, session_id="quiet")
    await ask(store, session_id="held")
    await take_over(store, "held")

    for order in SortOrder:
        for conditions in ({}, {"speaker": "assistant"}, {"state": ConversationState.ANSWERING}):
            found = await listed(store, quiet_s=(0, 60), order=order, **conditions)
            assert "quiet" in found
            assert ("held" in found) == (conditions == {})
            assert await listed(store, quiet_s=(60, 3600), order=order, **conditions) == []
        assert await listed(store, quiet_s=(0, 60), order=order, state=ConversationState.HELD) == [
            "held"
        ]


async def test_page_is_no_longer_than_the_most(store):
    for n in range(MAX_ROWS + 5):
        await ask(store, session_id=f"s{n}")

    page = await store.page(Listing(limit=10_000))

    assert (len(page.rows), page.total) == (MAX_ROWS, MAX_ROWS + 5)
    assert len((await store.page(Listing(limit=0))).rows) == 0


async def test_counts(store):
    await one_of_each(store)
    await ask(store, session_id="asked-and-answering")
    await store.ask_for_adviser("asked-and-answering", "api", announced("asked"))

    counts = await store.counts()

    assert counts == Counts(active=6, last_hour=6, asked=2, held=1, answering=1)


async def test_conversation_is_found_by_what_stands_for_it(store):
    await one_of_each(store)

    for id_ in ("idle", "held", "ended"):
        assert await store.find(ref_of(id_)) == id_
    for ref in (ref_of("erased"), ref_of("never"), "idle", "*"):
        with pytest.raises(SessionNotFound):
            await store.find(ref)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["canape"], ["accents"]),
        (["CANAPÉ", "d'été"], ["accents"]),
        (["oeuf"], ["ligature"]),
        (["canapé", "oeuf"], []),
        (["réponse"], ["ligature", "accents"]),
        (["reponse a q1"], ["ligature", "accents"]),
        (["customer"], []),  # a JSON word
        (["sent_at"], []),
        (["api"], []),
        (["\\"], ["ligature"]),
        ([" "], []),
        ([], []),
    ],
)
async def test_search_reads_what_was_said(store, words, found):
    await ask(store, "Un canapé d'été ?", session_id="accents")
    await answer(store, session_id="accents")
    await tick()
    await ask(store, "Un Œuf \\ dur", session_id="ligature")
    await answer(store, session_id="ligature")
    await ask(store, "Canapé d’été, œuf, réponse à Q1", session_id="ended")
    await store.end("ended", ANY_OWNER)

    assert [row.id for row in await store.search(words)] == found


async def test_search_reads_the_newest_only(store):
    await ask(store, "Un canapé", session_id="oldest")
    await tick()
    newer = (ask(store, session_id=f"s{n}") for n in range(MAX_SEARCHED - 1))
    await asyncio.gather(*newer)

    while_it_is_one_of_them = [row.id for row in await store.search(["canapé"])]
    await ask(store, session_id="newest")

    assert while_it_is_one_of_them == ["oldest"]
    assert await store.search(["canapé"]) == []


async def test_search_brings_a_page_at_most(store):
    for n in range(MAX_ROWS + 5):
        await ask(store, "Bonjour", session_id=f"s{n}")

    assert len(await store.search(["bonjour"])) == MAX_ROWS


async def test_handed_back_by_the_sweep_is_idle(store):
    await ask(store)
    await take_over(store)
    await leave_without_a_word(store)
    await hand_back(store, by="")

    assert await listed(store, state=ConversationState.IDLE) == [JEAN]


async def test_language_is_that_of_the_last_words_that_tell(store):
    said = ["ok", "Ich suche ein Sofa", "ok", "Bonjour, je cherche un lit"]
    seen = []
    for n, text in enumerate(said):
        await store.accept(JEAN, "api", question(text, f"q{n}"), create="always")
        seen += [row.language for row in (await store.page(Listing())).rows]

    assert seen == ["fr", "de", "de", "fr"]
    assert language_after("", "Hello") == "en"


def test_fold_keeps_letters_only_apart():
    assert fold("Cœur d’Été ß À 20 €") == "coeur d'ete ss a 20 €"
    message = Message(author=Author.CUSTOMER, text="Été")
    assert has_words([message.text, "hiver"], ["ete", "hiv"])
    assert not has_words([message.text], ["ete", "hiv"])
