"""What was looked up in this conversation, to hold the model's sentences against. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from chat.assistant.guard.claims import (
    Claim,
    Kind,
    claims_of,
    folded,
    is_budget,
    is_echo,
    is_retold,
    values_of,
)
from chat.sessions.types import JSON

#: Keys of a tool's result under which a thing says its name.
_NAMES = ("name", "nom", "reference", "produit", "product")
#: Words that somebody chose freely: they prove nothing, whoever wrote them.
_FREE = frozenset(
    (
        *_NAMES,
        "description",
        "items",
        "atouts",
        "error",
        "erreur",
        "categorie",
        "caption",
        "legende",
    )
)
_CENTS = re.compile(r"_cents\Z")
_EUROS = re.compile(r"(?:prix|price|montant|total|amount)|_eur\Z")
_UNIT_KEYS = {
    re.compile(r"weeks|semaines"): "semaines",
    re.compile(r"days|jours"): "jours",
    re.compile(r"months|mois"): "mois",
    re.compile(r"years|annees|_ans\Z"): "ans",
    re.compile(r"hours|heures"): "heures",
}
_STOCK_KEYS = re.compile(r"stock|quantit|disponib")
_NUMBERS = re.compile(r"\b(sav|cmd) ?- ?(\d{4}) ?- ?(\d{1,6})\b")
_LINE_END = re.compile(r"(?<=[.!?…])\s+|\n")
#: Kinds that only a person or a row of the shop can make true.
_NEVER = frozenset({Kind.PROMISE, Kind.LEAK})


#: A looked-up text this long may be said again word for word.
_QUOTE_CHARS = 12


class Facts:
    """Grows with every tool result; ``missing`` says what of a sentence nobody looked up."""

    def __init__(self, texts: Iterable[str] = (), hosts: Iterable[str] = ()) -> None:
        #: Of each value, the things it was said of; "" for none in particular.
        self._of: dict[Claim, set[str]] = {}
        self._names: set[str] = set()
        self._numbers: set[str] = set()
        #: What the customer said: never a proof, but they may hear it again.
        self._told: set[Claim] = set()
        self._hosts = set(hosts)
        #: Looked-up texts that commit to something, folded, each with what it was said of.
        self._quotable: dict[str, str] = {}
        for text in texts:
            self.add_text(text)

    def add_text(self, text: str) -> None:
        """Take what a person of the shop, the application or a looked-up text said."""
        for claim in values_of(text):
            self._of.setdefault(claim, set()).add("")
        self._numbers.update(_numbers_in(text))

    def add_answer(self, text: str) -> None:
        """Take an earlier answer: of each sentence, what it had to have been looked up for."""
        for sentence in _LINE_END.split(text):
            for claim in claims_of(sentence):
                if claim.kind not in {Kind.DONE, Kind.LINK, *_NEVER} and claim not in self._told:
                    self._of.setdefault(claim, set()).update(self._subjects(sentence) or {""})

    def add_customer(self, text: str) -> None:
        """Take what the customer said, to be said back and no more."""
        self._told.update(values_of(text))

    def add_result(self, result: Any) -> None:
        """Take what a tool returned, JSON of any shape; an error says nothing."""
        if isinstance(result, dict) and ("error" in result or "erreur" in result):
            return
        for name, key, text in _said(result, ""):
            if name:
                self._names.add(name)
            if key in {"ticket", "number", "ticket_number", "order_number", "numero"}:
                self._numbers.update(_numbers_in(text))
            if key in _FREE:
                continue
            claims = values_of(text)
            for claim in claims:
                self._of.setdefault(claim, set()).add(name)
            if claims and len(text) >= _QUOTE_CHARS:
                self._quotable[_bare(text)] = name

    def missing(self, sentence: str, context: str = "") -> frozenset[Claim]:
        """Return the claims of the sentence that match nothing: not of what it speaks of."""
        claims = claims_of(sentence, context)
        if not claims:
            return claims
        subjects = self._subjects(sentence)
        claims -= self._quoted(sentence, subjects)
        numbers = _numbers_in(sentence)
        may_be_told = {Kind.AMOUNT} if is_budget(sentence) else set()
        may_be_told |= {Kind.DATE, Kind.DURATION} if is_retold(sentence) else set()
        may_be_told |= {Kind.LINK} if is_echo(sentence) else set()
        return frozenset(
            claim
            for claim in claims
            if not self._known(claim, subjects, numbers)
            and not (claim.kind in may_be_told and claim in self._told and _is_theirs(claim))
        )

    def price_of_subject(self, sentence: str) -> int | None:
        """Return the one price in cents known of the one thing the sentence names, if so."""
        subjects = self._subjects(sentence)
        prices = {
            int(claim.value)
            for claim, names in self._of.items()
            if claim.kind is Kind.AMOUNT and names & subjects
        }
        return prices.pop() if len(subjects) == 1 and len(prices) == 1 else None

    def _quoted(self, sentence: str, subjects: set[str]) -> frozenset[Claim]:
        """Return the claims of what the sentence repeats word for word of a thing, unless it
        names another that was looked up so.
        """
        text = _bare(sentence)
        owners = set(self._quotable.values())
        return frozenset(
            claim
            for quote, name in self._quotable.items()
            if quote in text and subjects & owners <= {name}
            for claim in values_of(quote)
        )

    def _known(self, claim: Claim, subjects: set[str], numbers: set[str]) -> bool:
        if claim.kind in _NEVER:
            return False
        if claim.kind is Kind.LINK:
            return claim in self._of or claim.value.rpartition("@")[2] in self._hosts
        if claim.kind is Kind.DONE:
            return self._is_row(claim.value, numbers)
        names = self._of.get(claim) or self._dated(claim)
        if not names:
            return False
        return not subjects or "" in names or bool(names & subjects)

    def _is_row(self, what: str, numbers: set[str]) -> bool:
        """Whether what is said to exist has a number that the application gave."""
        prefix = {"ticket": "sav", "order": "cmd"}.get(what)
        if prefix is None:
            known = what in self._numbers or Claim(Kind.DONE, what) in self._told
            return bool(what) and known
        named = {number for number in numbers if number.startswith(prefix)}
        return bool(named) and named <= self._numbers

    def _dated(self, claim: Claim) -> set[str]:
        """A date without its year is that of any year looked up."""
        if claim.kind is not Kind.DATE or len(claim.value) != len("03-12"):
            return set()
        return {
            name
            for known, names in self._of.items()
            if known.kind is Kind.DATE and known.value.endswith(claim.value)
            for name in names
        }

    def _subjects(self, sentence: str) -> set[str]:
        text = folded(sentence)
        return {name for name in self._names if re.search(rf"\b{re.escape(name)}s?\b", text)}


def _bare(text: str) -> str:
    """Folded, without the marks of Markdown and a last dot."""
    return folded(text).replace("*", "").strip().rstrip(".")


def _is_theirs(claim: Claim) -> bool:
    """Whether a customer's word of it may be said back: no address of a site, but an e-mail."""
    return claim.kind is not Kind.LINK or "@" in claim.value


def _numbers_in(text: str) -> set[str]:
    return {"-".join(match.groups()) for match in _NUMBERS.finditer(folded(text))}


def _said(value: Any, name: str, key: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield each leaf as text with the thing it belongs to and its key."""
    match value:
        case dict():
            own = _name_of(value) or name
            for inner_key, inner in value.items():
                yield from _said(inner, own, str(inner_key))
        case list() | tuple():
            for inner in value:
                yield from _said(inner, name, key)
        case bool() | None:
            if _STOCK_KEYS.search(key) and value is not None:
                yield name, key, "en stock" if value else "rupture"
        case int() | float():
            yield name, key, _number(key, value)
        case _:
            yield name, key, str(value)


def _name_of(thing: JSON) -> str:
    """The words by which a sentence would call it: its name, without what follows a comma."""
    for key in _NAMES:
        if isinstance(thing.get(key), str) and thing[key].strip():
            return folded(thing[key].split(",")[0].strip())
    return ""


def _number(key: str, number: float) -> str:
    if _CENTS.search(key):
        return f"{number / 100:.2f} €"
    if _EUROS.search(key):
        return f"{number:.2f} €"
    for pattern, unit in _UNIT_KEYS.items():
        if pattern.search(key):
            return f"{number:g} {unit}"
    if _STOCK_KEYS.search(key):
        return f"reste {number:g}, {'en stock' if number > 0 else 'rupture'}"
    return f"{number:g}"
