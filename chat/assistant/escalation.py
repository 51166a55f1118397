"""Calling a human by rule, beside the answer that goes on."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Container, Iterable

from django.conf import settings

from chat.assistant.escalation_rules import Reason, Signs, reasons_in, signs_of, summary_for
from chat.conversations.handover.advisers import ask_for_adviser
from chat.conversations.handover.staff_notes import add_event
from chat.conversations.realtime.events import MessageDone
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.protocol import Lease, Store
from chat.conversations.types import Author, End, Message, Session
from chat.core import metrics
from chat.core.errors import ChatError
from chat.core.ids import ref_of
from chat.core.load import yield_to_loop
from chat.core.runtime import LoopPart, Part
from chat.core.stats.counters import count
from chat.core.supervisor import TaskSet

logger = logging.getLogger(__name__)

#: What the announcement says before it tells when somebody can come.
LEADS = {
    Reason.DANGER: "**N'utilisez plus ce meuble et tenez-en chacun éloigné.** En cas de blessure, "
    "appelez le 15 ou le 112 ; en cas de feu, le 18.",
    Reason.LEGAL: "Votre message touche au droit : une personne du magasin doit vous répondre.",
    Reason.ANGER: "Cela ne peut pas rester ainsi : une personne du magasin doit vous lire.",
    Reason.AMOUNT: "Vu le montant en jeu, une personne du magasin doit vous répondre.",
    Reason.FAILURES: "L'assistant ne vous a pas bien répondu.",
    Reason.WISH: "",
}
_BAD = {End.FAILED, End.INTERRUPTED}
#: Messages whose signs are kept: 100 bytes each.
_MAX_KEPT = 20_000
#: Questions that are being looked at.
BACKGROUND_TASKS: LoopPart[TaskSet] = LoopPart("escalations", TaskSet)


class SignsKept:
    """What messages call for, by a digest of their words: each is read once in a worker."""

    def __init__(self, max_kept: int) -> None:
        self._max_kept = max_kept
        self._kept: OrderedDict[bytes, Signs] = OrderedDict()

    def read(self, text: str) -> Signs:
        """Return ``signs_of(text)``."""
        key = self._key(text)
        signs = self._kept.get(key)
        if signs is None:
            signs = self._kept[key] = signs_of(text)
            if len(self._kept) > self._max_kept:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return signs

    async def read_all(self, texts: Iterable[str]) -> None:
        """Read what was not read yet, giving way to others behind each message."""
        for text in texts:
            if self._key(text) not in self._kept:
                self.read(text)
                await asyncio.sleep(0)

    def _key(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()


#: What messages call for that this worker read. The keys are digests: no words are kept.
SIGNS: Part[SignsKept] = Part("signs", lambda: SignsKept(_MAX_KEPT))


def check_escalation_soon(store: Store, lease: Lease, *, after_steps: int) -> None:
    """See whether the question calls for a human, beside its answer.

    ``after_steps``: steps of the event loop to wait first, so that the model is asked before.
    """
    BACKGROUND_TASKS.get().begin(_check(store, lease, after_steps), "escalation")


async def _check(store: Store, lease: Lease, after_steps: int) -> None:
    await yield_to_loop(after_steps)
    if _may_call(lease):
        await _escalate(store, lease)


async def settle() -> None:
    """Return when every question so far was looked at."""
    await BACKGROUND_TASKS.get().settle()


def _may_call(lease: Lease) -> bool:
    """Whether it is worth asking the store what failed, and reading what was said before: hardly
    ever.
    """
    session = lease.session
    if session.failed or any(message.interrupted for message in session.messages):
        return True
    question = next((m for m in reversed(session.messages) if m.id == lease.question_id), None)
    try:
        signs = SIGNS.get().read(question.text) if question is not None else None
        amount_eur = settings.ENV.escalation_amount_eur
        return signs is not None and (
            signs.is_misunderstood or bool(signs.reasons_alone(amount_eur))
        )
    except Exception:  # the answer goes on
        logger.exception("looking for reasons to call a human failed")
        return False


def _reasons(lease: Lease, failed: Container[str]) -> tuple[Reason, ...]:
    amount_eur = settings.ENV.escalation_amount_eur
    messages = lease.session.messages
    return reasons_in(messages, lease.question_id, failed, amount_eur, SIGNS.get().read)


async def _escalate(store: Store, lease: Lease) -> None:
    session = lease.session
    try:
        failed = await _failed(store, session, lease.question_id)
        asked = (m.text for m in session.messages if m.author is Author.CUSTOMER)
        await SIGNS.get().read_all(asked)
        reasons = _reasons(lease, failed)
        if not reasons:
            return
        gravest = reasons[0]
        is_new = await ask_for_adviser(session.id, session.owner, gravest.value, LEADS[gravest])
        if not is_new and gravest is Reason.DANGER:
            await _warn(store, session)
        for reason in reasons:
            metrics.escalations.labels(reason=reason.value).inc()
            count(f"escalation.{reason}")
        data = {"reasons": [reason.value for reason in reasons]}
        await add_event(session.id, summary_for(_until(session, lease), reasons), data=data)
    except ChatError as error:
        logger.warning("no human could be called for %s: %s", ref_of(session.id), error.code)
    except Exception:
        logger.exception("looking for reasons to call a human failed")


async def _warn(store: Store, session: Session) -> None:
    """Say what to do at once, where an adviser was called before for something else."""
    warning = Message(author=Author.SYSTEM, id=f"danger-{session.epoch}", text=LEADS[Reason.DANGER])
    if await store.announce(session.id, warning):
        await PUBSUB.get().publish(session.id, MessageDone(warning))


def _until(session: Session, lease: Lease) -> tuple[Message, ...]:
    ids = [message.id for message in session.messages]
    return session.messages[: ids.index(lease.question_id) + 1]


async def _failed(store: Store, session: Session, question_id: str) -> set[str]:
    """Return which of the two questions before failed; those that the customer stopped did not."""
    asked = [m.id for m in session.messages if m.author is Author.CUSTOMER]
    before = asked[: asked.index(question_id)][-2:] if question_id in asked else []
    cut = {m.reply_to for m in session.messages if m.interrupted}
    failed = {id_ for id_ in before if id_ in session.failed}
    for id_ in before:
        if id_ in cut and (outcome := await store.outcome(session.id, id_)) is not None:
            failed |= {id_} if outcome.end in _BAD else set()
    return failed
