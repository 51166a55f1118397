"""Escalation: calls an adviser by rule, beside the answer, whatever the model does.

The rules read the customer's words: danger, anger, legal words, two failures, an amount at stake,
or an explicit wish.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from django.conf import settings

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
from chat.shop.tickets.problems import (
    Problem,
    Severity,
    affirmed,
    danger_in,
    first_match,
    folded,
    problem_in,
    severity_in,
    whole_words,
)


class Reason(StrEnum):
    """The gravest first: it chooses the words of the announcement."""

    DANGER = "danger"
    LEGAL = "legal"
    ANGER = "anger"
    AMOUNT = "amount"
    FAILURES = "failures"
    WISH = "wish"


FRENCH = {
    Reason.DANGER: "danger",
    Reason.LEGAL: "termes juridiques",
    Reason.ANGER: "colère",
    Reason.AMOUNT: "montant en jeu",
    Reason.FAILURES: "échecs répétés",
    Reason.WISH: "demande du client",
}

_LEGAL = whole_words(
    r"avocate?s?|mise en demeure|mettre en demeure|dgccrf|tribuna(?:l|ux)|justice|huissier|proces",
    r"plainte|porter plainte|prud'?hom\w+|ufc|que choisir|60 millions|conciliateur|mediateur",
    r"repression des fraudes|assignation|assigner|poursui(?:te|tes|vre|vrai|s) (?:en justice"
    r"|judiciaires?)",
    r"lawyer|solicitor|sue|lawsuit|court|legal action|anwalt|gericht|avvocato|tribunale|محام|محكمة",
)
_ANGER = whole_words(
    r"scandaleu(?:x|se)|inadmissible|honteu(?:x|se)|une honte|inacceptable|escrocs?|escroquerie",
    r"arnaqu(?:e|es|eur|eurs)|voleurs?|ras[- ]le[- ]bol|marre|furieu(?:x|se)|en colere|exaspere\w*",
    r"foutage de gueule|foutez|vous vous moquez|on se moque de moi|nuls?|incompetents?|lamentable",
    r"merde|putain|bordel|connards?|degueulasse|intolerable|plus jamais|pire (?:magasin|service)",
    r"unacceptable|outrageous|disgusting|furious|scam|thieves|ridiculous|wutend|unverschamt",
    r"vergogna|arrabbiat[oa]|vergognoso",
)
_WISH = whole_words(
    r"(?:parler|discuter|echanger|joindre|avoir|voir|veux|voudrais|souhaite|passez[- ]moi)"
    r"(?: (?:a|avec))? (?:un|une|votre|le|la|quelqu'un)? ?(?:vraie? )?(?:conseillere?|conseiller"
    r"|humaine?"
    r"|personne|responsable|vendeu(?:r|se)|quelqu'un|etre humain|agent|service client)",
    r"pas (?:a|avec) (?:un|une) (?:robot|machine|ia)|un humain|etre humain|vraie personne",
    r"(?:speak|talk) (?:to|with) (?:a|an|some) ?(?:human|person|adviser|advisor|agent|one)"
    r"|real person",
    r"(?:mit )?einem menschen|mitarbeiter sprechen|parlare con (?:una persona|un operatore)",
)
_NOT_UNDERSTOOD = whole_words(
    r"(?:vous |tu )?(?:ne |n')?(?:me )?(?:comprenez|comprends|repondez|reponds) (?:pas|rien"
    r"|toujours pas)",
    r"pas (?:du tout )?(?:ma question|ce que (?:je|j')|repondu|compris)|a cote de la plaque"
    r"|hors sujet",
    r"(?:deja|encore) (?:dit|explique|demande|repete)|je repete|you don'?t understand"
    r"|not what i asked",
)
_CLAIMS = whole_words(
    r"rembours\w*|litige|reclam\w*|retourner|annul\w*|dedommag\w*|indemnis\w*|refund|compensation"
)
_LOOKS_FOR = whole_words(
    r"(?:re)?cherch(?:e|ons|er)|budget|moins (?:de|cher)|jusqu'a|maximum|environ|entre \d+ et"
    r"|looking for|suche|cerco"
)
_AMOUNT = re.compile(
    r"(?<![\d.,])(\d{1,3}(?:[ .]\d{3}){1,5}|\d{1,12})(?:[.,]\d{1,2})? ?(?:€|eur(?:os?)?\b)"
    r"|€ ?(\d{1,12})"
)
#: Capitals and exclamation marks: a customer who shouts.
_SHOUTS = re.compile(r"!{3,}")
_SUMMARY_CHARS = 400
#: Messages that are looked at for numbers and products, the newest; of each the beginning.
_SUMMARY_MESSAGES = 50
_NUMBERS_CHARS = 500
_SUMMARY_NUMBERS = 5


@dataclass(frozen=True, slots=True)
class Signs:
    """What the words of one message call for. ``amount_eur``: the highest at stake, 0 for none."""

    reasons: frozenset[Reason]
    amount_eur: int
    is_misunderstood: bool

    def reasons_alone(self, amount_eur: int) -> frozenset[Reason]:
        """Return the reasons of this message, whatever was said before."""
        is_costly = 0 < amount_eur <= self.amount_eur
        return self.reasons | {Reason.AMOUNT} if is_costly else self.reasons


def signs_of(text: str) -> Signs:
    """Return what a message calls for; it takes up to 5 ms for 4,000 characters."""
    plain = folded(text)
    holds = {
        Reason.DANGER: bool(danger_in(text)),
        Reason.LEGAL: bool(first_match(_LEGAL, plain)),
        Reason.ANGER: bool(affirmed(_ANGER, plain)) or _is_loud(text),
        Reason.WISH: bool(first_match(_WISH, plain)),
    }
    return Signs(
        reasons=frozenset(reason for reason in holds if holds[reason]),
        amount_eur=_amount_at_stake(text, plain),
        is_misunderstood=bool(first_match(_NOT_UNDERSTOOD, plain)),
    )


def reasons_in(
    messages: Sequence[Message],
    question_id: str,
    failed: Container[str],
    amount_eur: int,
    read: Callable[[str], Signs] = signs_of,
) -> tuple[Reason, ...]:
    """Return why this question calls for a human and no earlier one did, the gravest first.

    ``failed``: ids of questions that ended without an answer or with half of one.
    ``amount_eur``: from so many euros at stake on; 0 = nobody is called for an amount.
    ``read``: ``signs_of``, or what it returned before.
    """
    asked = [message for message in messages if message.author is Author.CUSTOMER]
    at = next((n for n, message in enumerate(asked) if message.id == question_id), None)
    if at is None:
        return ()
    ids = [message.id for message in asked]
    signs = [read(message.text) for message in asked[: at + 1]]
    found = _reasons_at(at, signs, ids, failed, amount_eur)
    for earlier in range(at):
        found = found and found - _reasons_at(earlier, signs, ids, failed, amount_eur)
    return tuple(reason for reason in Reason if reason in found)


def _reasons_at(
    at: int,
    signs: Sequence[Signs],
    ids: Sequence[str],
    failed: Container[str],
    amount_eur: int,
) -> frozenset[Reason]:
    before = ids[max(0, at - 2) : at]
    have_failed = len(before) == 2 and all(id_ in failed for id_ in before)
    is_again = signs[at].is_misunderstood and any(s.is_misunderstood for s in signs[:at])
    failures = {Reason.FAILURES} if have_failed or is_again else set()
    return signs[at].reasons_alone(amount_eur) | failures


def _is_loud(text: str) -> bool:
    """Whether the words are shouted."""
    letters = [char for char in text if char.isalpha()]
    is_loud = len(letters) >= 12 and sum(char.isupper() for char in letters) > 0.8 * len(letters)
    return is_loud and _SHOUTS.search(text) is not None


def _amount_at_stake(text: str, plain: str) -> int:
    """Return the highest amount in euros of a text that complains or claims; 0 of any other.

    A customer who looks for something tells a budget, and often names a mechanism or a fabric.
    """
    found = [match.group(1) or match.group(2) for match in _AMOUNT.finditer(plain)]
    if not found or first_match(_LOOKS_FOR, plain):
        return 0
    has_problem = (
        problem_in(text) is not Problem.UNKNOWN or severity_in(text) is not Severity.SLIGHT
    )
    if not (has_problem or first_match(_CLAIMS, plain)):
        return 0
    return max(int(re.sub(r"[ .]", "", number)) for number in found)


def summary_for(messages: Sequence[Message], reasons: Sequence[Reason]) -> str:
    """Return, for the adviser, what the customer said first, what it is about, and the reasons."""
    asked = [message for message in messages if message.author is Author.CUSTOMER]
    numbers = (
        number
        for message in reversed(asked[-_SUMMARY_MESSAGES:])
        for number in _ORDER.findall(message.text[:_NUMBERS_CHARS].upper())
    )
    orders = dict.fromkeys(islice(numbers, _SUMMARY_NUMBERS))
    products = dict.fromkeys(
        str(source.get("label", ""))
        for message in messages[-_SUMMARY_MESSAGES:]
        for source in message.sources
        if source.get("kind") == "product"
    )
    lines = [f"Escalade : {', '.join(FRENCH[reason] for reason in reasons)}."]
    if asked:
        lines.append(f"D'abord : « {_short(asked[0].text)} »")
    if len(asked) > 1:
        lines.append(f"Maintenant : « {_short(asked[-1].text)} »")
    named = [*orders, *list(products)[:3]]
    return "\n".join([*lines, *([f"Il est question de : {', '.join(named)}."] if named else [])])


_ORDER = re.compile(r"\b(?:CMD|SAV)[ -]?\d{4}[ -]?\d{5}\b|\b[A-Z]{3}-[A-Z]{3}-\d{3}\b")


def _short(text: str) -> str:
    line = " ".join(text[: 2 * _SUMMARY_CHARS].split())
    return line if len(line) <= _SUMMARY_CHARS else f"{line[: _SUMMARY_CHARS - 1]}…"


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


class SignsCache:
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
SIGNS: Part[SignsCache] = Part("signs", lambda: SignsCache(_MAX_KEPT))


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
