"""Values for tests, with what does not matter filled in."""

from __future__ import annotations

from chat.conversations.store.protocol import Lease, Store
from chat.conversations.types import Author, End, Message, Outcome
from chat.turns.queue import TurnQueue
from chat.turns.turn import answer_waiting

JEAN = "persist-test"


def question(text: str = "Bonjour", id_: str = "q1") -> Message:
    return Message(author=Author.CUSTOMER, id=id_, text=text)


def answer_to(lease: Lease, text: str = "Bonjour Jean") -> Message:
    return Message(
        author=Author.ASSISTANT, id=lease.answer_id, text=text, reply_to=lease.question_id
    )


def done(lease: Lease) -> Outcome:
    return Outcome(end=End.DONE, answer_id=lease.answer_id)


async def ask(store: Store, text: str = "Bonjour", id_: str = "q1", session_id: str = JEAN) -> None:
    await store.accept(session_id, "api", question(text, id_), create="always")


async def leased(store: Store, id_: str = "q1", session_id: str = JEAN) -> Lease:
    """The lease for a question that nobody answers yet."""
    claim = await store.claim(session_id, [id_], f"answer-to-{id_}")
    assert claim.lease is not None
    return claim.lease


async def answer(store: Store, id_: str = "q1", session_id: str = JEAN) -> None:
    lease = await leased(store, id_, session_id)
    await store.finish(lease, done(lease), answer_to(lease, f"Réponse à {id_}"))


def queue_for(store: Store, session_id: str = JEAN) -> TurnQueue:
    """A queue that cares for no question yet, to call ``answer_question`` with."""
    return TurnQueue(session_id, store, answer_waiting, leave=lambda: None)
