"""Calling a human by rule, beside the answer that goes on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Container

from django.conf import settings

from chat import live, metrics
from chat.assistant.escalation import Reason, reasons_in, summary_for
from chat.errors import ChatError
from chat.numbers.tally import count
from chat.protocol import MessageDone
from chat.sessions.store import Lease, Store
from chat.sessions.types import Author, End, Message, Session, ref_of
from chat.takeover.asides import add_event
from chat.takeover.desk import ask_for_adviser

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
_later: set[asyncio.Task[None]] = set()


def escalate_later(store: Store, lease: Lease) -> None:
    """See whether the question calls for a human, without holding up its answer."""
    if not _may_call(lease):
        return
    task = asyncio.create_task(_escalate(store, lease), name="escalation")
    _later.add(task)
    task.add_done_callback(_later.discard)


async def settle() -> None:
    """Return when every question so far was looked at."""
    await asyncio.gather(*_later)


def _may_call(lease: Lease) -> bool:
    """Whether it is worth asking the store what failed: hardly ever."""
    session = lease.session
    if session.failed or any(message.interrupted for message in session.messages):
        return True
    try:
        return bool(_reasons(lease, frozenset()))
    except Exception:  # the answer goes on
        logger.exception("looking for reasons to call a human failed")
        return False


def _reasons(lease: Lease, failed: Container[str]) -> tuple[Reason, ...]:
    amount_eur = settings.ENV.escalation_amount_eur
    return reasons_in(lease.session.messages, lease.question_id, failed, amount_eur)


async def _escalate(store: Store, lease: Lease) -> None:
    session = lease.session
    try:
        failed = await _failed(store, session, lease.question_id)
        reasons = _reasons(lease, failed)
        if not reasons:
            return
        gravest = reasons[0]
        asked = await ask_for_adviser(session.id, session.owner, gravest.value, LEADS[gravest])
        if not asked and gravest is Reason.DANGER:
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
        await live.publish(session.id, MessageDone(warning))


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
