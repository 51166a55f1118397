"""When a human must be called, whatever the model does: rules on the customer's words. Pure.

Danger, anger, legal words, two failures, an amount at stake, or an explicit wish.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from chat.conversations.types import Author, Message
from chat.shop.tickets.problems import Problem, Severity, danger_in, problem_in, severity_in
from chat.shop.tickets.vocabulary import affirmed, folded, said, whole_words


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
        Reason.LEGAL: bool(said(_LEGAL, plain)),
        Reason.ANGER: bool(affirmed(_ANGER, plain)) or _is_loud(text),
        Reason.WISH: bool(said(_WISH, plain)),
    }
    return Signs(
        reasons=frozenset(reason for reason in holds if holds[reason]),
        amount_eur=_amount_at_stake(text, plain),
        is_misunderstood=bool(said(_NOT_UNDERSTOOD, plain)),
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
    if not found or said(_LOOKS_FOR, plain):
        return 0
    has_problem = (
        problem_in(text) is not Problem.UNKNOWN or severity_in(text) is not Severity.SLIGHT
    )
    if not (has_problem or said(_CLAIMS, plain)):
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
