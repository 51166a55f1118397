"""Facts established in one conversation, which the model's sentences are checked against. Pure.

They come from results of tools (read leaf by leaf), from the shop's own tables, and from figures
that the customer wrote. Readings of texts are cached, since a message never changes.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from chat.assistant.guard.claims import PRICED, Claim, Kind, claims_of, figures_of, values_of
from chat.assistant.guard.visible_text import folded, visible_text
from chat.core.json import JSON
from chat.core.runtime import Part
from chat.shop.tickets.law import CONFORMITY_YEARS, HIDDEN_DEFECT_YEARS, WITHDRAWAL_DAYS
from chat.shop.tickets.warranty import LABELS, YEARS

#: The customer's own figures, said again.
_BUDGET = re.compile(r"budget|maxim|plafond|vous cherch|vous souhait|your budget")
_OF_THE_SHOP = re.compile(rf"\b{PRICED}\b|remis|offr|rembours")
_RETOLD = re.compile(
    r"\bil y a\b|depuis|achete|commandee? le|livree?s? (?:le|il y a)"
    r"|\bvous (?:m')?(?:avez (?:dit|indique|mentionne|ecrit|achete|recu|commande|signale)|indiquez"
    r"|dites|mentionnez|ecrivez)|\bago\b|since|you (?:said|told|mentioned|bought)"
)
_ENGAGES = re.compile(
    r"garanti|warrant|jusqu|rembours|refund|retour|retract|pour (?:le|la|les|vous)|sera\b|serez"
    r"|expire|until|will\b"
)
_WRITE_THERE = re.compile(r"ecri[vt]|contact|envoy|pay|regl|write|send|contattare|schreib")


def is_budget(text: str) -> bool:
    """Whether the amounts of the sentence may be the customer's own, said again."""
    return bool(_BUDGET.search(text)) and not _OF_THE_SHOP.search(text)


def is_echo(text: str) -> bool:
    """Whether an e-mail address in it may be the customer's own, said again."""
    return not _WRITE_THERE.search(text)


def is_retold(text: str) -> bool:
    """Whether its dates and durations may be what the customer told of the past."""
    return bool(_RETOLD.search(text)) and not _ENGAGES.search(text)


#: What one value of a text counts, in characters, beside the text itself.
_VALUE_CHARS = 50

Read = Callable[[str], frozenset[Any]]


class Readings:
    """Results of ``read(text)``; past ``max_chars``, what was unused longest goes."""

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._known: OrderedDict[tuple[Read, str], frozenset[Any]] = OrderedDict()
        self.chars = 0

    def get(self, read: Read, text: str) -> frozenset[Any] | None:
        known = self._known.get((read, text))
        if known is not None:
            self._known.move_to_end((read, text))
        return known

    def put(self, read: Read, text: str, values: frozenset[Any]) -> None:
        if (read, text) in self._known:
            return
        self._known[read, text] = values
        self.chars += _size(text, values)
        while self.chars > self._max_chars:
            (_, old), old_values = self._known.popitem(last=False)
            self.chars -= _size(old, old_values)

    def clear(self) -> None:
        self._known.clear()
        self.chars = 0


def _size(text: str, values: frozenset[Any]) -> int:
    return len(text) + _VALUE_CHARS * (1 + len(values))


#: Keys of a tool's result under which a thing says its name.
_NAMES = ("name", "nom", "reference", "produit", "product")
#: Words that somebody chose freely: they prove nothing, whoever wrote them.
FREE = frozenset(
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


def said_in(value: Any, name: str, key: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield each leaf as text with the thing it belongs to and its key."""
    match value:
        case dict():
            own = _name_of(value) or name
            for inner_key, inner in value.items():
                yield from said_in(inner, own, str(inner_key))
        case list() | tuple():
            for inner in value:
                yield from said_in(inner, name, key)
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


_NUMBERS = re.compile(r"\b(sav|cmd) ?- ?(\d{4}) ?- ?(\d{1,6})\b")
_LINE_END = re.compile(r"(?<=[.!?…])\s+|\n")
#: Kinds that only a person or a row of the shop can make true.
_NEVER = frozenset({Kind.PROMISE, Kind.LEAK})


#: Values of each kind that are kept of one message.
MAX_VALUES = 300
#: A looked-up text this long may be said again word for word.
_QUOTE_CHARS = 12


class Facts:
    """Grows with every tool result; ``missing`` says what of a sentence nobody looked up.

    What is added waits, in its order, until a sentence commits to something: most answers of a
    long conversation commit to nothing, and the event loop does not read it for them. It is read
    in one go by ``missing``, or before that in steps, by ``learn``.

    ``readings``: what texts of conversations say, kept from one turn to the next.
    """

    def __init__(
        self,
        texts: Iterable[str] = (),
        hosts: Iterable[str] = (),
        readings: Readings | None = None,
    ) -> None:
        #: Of each value, the things it was said of; "" for none in particular.
        self._of: dict[Claim, set[str]] = {}
        self._names: set[str] = set()
        self._numbers: set[str] = set()
        #: What the customer said: never a proof, but they may hear it again.
        self._told: set[Claim] = set()
        self._hosts = set(hosts)
        #: Looked-up texts that commit to something, folded, each with what it was said of.
        self._quotable: dict[str, str] = {}
        #: What was added and not read yet, with how to read it, in its order.
        self._unread: deque[tuple[Callable[[Facts, Any], None], Any]] = deque()
        self._readings = readings
        self._fresh_chars = 0
        for text in texts:
            self.add_text(text)

    def add_text(self, text: str) -> None:
        """Take what a person of the shop, the application or a looked-up text said."""
        self._unread.append((Facts._read_text, text))

    def add_answer(self, text: str) -> None:
        """Take an earlier answer: of each sentence, what it had to have been looked up for."""
        self._unread.append((Facts._read_answer, text))

    def add_customer(self, text: str) -> None:
        """Take what the customer said, to be said back and no more."""
        self._unread.append((Facts._read_customer, text))

    def add_result(self, result: Any) -> None:
        """Take what a tool returned, JSON of any shape; an error says nothing. It is read later."""
        self._unread.append((Facts._read_result, result))

    def add_known(self, facts: Facts) -> None:
        """Take what other facts learned of texts and results; they stay as they are."""
        self._unread.append((Facts._read_known, facts))

    def add_later(self, add: Callable[[Facts], None]) -> None:
        """Call ``add`` with these facts when a claim must be judged, if ever, at its place in
        the order.
        """
        self._unread.append((Facts._read_later, add))

    @property
    def has_unread(self) -> bool:
        """Whether something waits to be read."""
        return bool(self._unread)

    def learn(self, step_chars: int | None = None) -> bool:
        """Read what waits, in its order. Return whether something waits still.

        Args:
            step_chars: stop once so much was read that was not known from an earlier turn; None
                to read all.
        """
        upto = None if step_chars is None else self._fresh_chars + step_chars
        while self._unread and (upto is None or self._fresh_chars < upto):
            read, added = self._unread.popleft()
            behind, self._unread = self._unread, deque()
            read(self, added)
            behind.extendleft(reversed(self._unread))  # what reading it added comes first
            self._unread = behind
        return self.has_unread

    def missing(
        self, sentence: str, context: str = "", *, claims: frozenset[Claim] | None = None
    ) -> frozenset[Claim]:
        """Return the claims of the sentence that match nothing: not of what it speaks of.

        ``claims``: what ``claims_of`` found in both, where it was asked before.
        """
        claims = claims_of(sentence, context) if claims is None else claims
        if not claims:
            return claims
        self.learn()
        subjects = self._subjects(sentence)
        claims -= self._quoted(sentence, subjects)
        numbers = _numbers_in(sentence)
        unknown = frozenset(c for c in claims if not self._known(c, subjects, numbers))
        return unknown - self._said_back(sentence, unknown & self._told)

    def price_of_subject(self, sentence: str) -> int | None:
        """Return the one price in cents known of the one thing the sentence names, if so."""
        self.learn()
        subjects = self._subjects(sentence)
        prices = {
            int(claim.value)
            for claim, names in self._of.items()
            if claim.kind is Kind.AMOUNT and names & subjects
        }
        return prices.pop() if len(subjects) == 1 and len(prices) == 1 else None

    def _once(self, read: Read, text: str) -> frozenset[Any]:
        """Return ``read(text)``, or what it returned in an earlier turn."""
        known = self._readings.get(read, text) if self._readings is not None else None
        if known is None:
            known = read(text)
            self._fresh_chars += len(text)
            if self._readings is not None:
                self._readings.put(read, text, known)
        return known

    def _read_text(self, text: str) -> None:
        for claim in self._once(_some_values, text):
            self._of.setdefault(claim, set()).add("")
        self._numbers.update(self._once(_numbers_in, text))

    def _read_answer(self, text: str) -> None:
        self._unread.extend((Facts._read_sentence, s) for s in _LINE_END.split(text) if s)

    def _read_sentence(self, sentence: str) -> None:
        claims = self._once(figures_of, sentence) - self._told
        subjects = self._subjects(sentence) or {""} if claims else set()
        for claim in claims:
            self._of.setdefault(claim, set()).update(subjects)

    def _read_customer(self, text: str) -> None:
        self._told.update(self._once(_some_values, text))

    def _read_result(self, result: Any) -> None:
        if isinstance(result, dict) and ("error" in result or "erreur" in result):
            return
        self._unread.extend((Facts._read_leaf, leaf) for leaf in said_in(result, ""))

    def _read_leaf(self, leaf: tuple[str, str, str]) -> None:
        name, key, text = leaf
        self._fresh_chars += len(text)
        if name:
            self._names.add(name)
        if key in {"ticket", "number", "ticket_number", "order_number", "numero"}:
            self._numbers.update(_numbers_in(text))
        if key in FREE:
            return
        claims = values_of(text)
        for claim in claims:
            self._of.setdefault(claim, set()).add(name)
        if claims and len(text) >= _QUOTE_CHARS:
            self._quotable[_bare(text)] = name

    def _read_known(self, facts: Facts) -> None:
        facts.learn()
        for claim, names in facts._of.items():
            self._of.setdefault(claim, set()).update(names)
        self._names |= facts._names
        self._numbers |= facts._numbers
        self._quotable |= facts._quotable

    def _read_later(self, add: Callable[[Facts], None]) -> None:
        add(self)

    def _said_back(self, sentence: str, told: frozenset[Claim]) -> frozenset[Claim]:
        """Return which claims that are the customer's own words the sentence may repeat."""
        if not told:
            return told
        text = visible_text(sentence)
        kinds = {Kind.AMOUNT} if is_budget(text) else set()
        kinds |= {Kind.DATE, Kind.DURATION} if is_retold(text) else set()
        kinds |= {Kind.LINK} if is_echo(text) else set()
        return frozenset(claim for claim in told if claim.kind in kinds and _is_theirs(claim))

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

    def _known(self, claim: Claim, subjects: set[str], numbers: frozenset[str]) -> bool:
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

    def _is_row(self, what: str, numbers: frozenset[str]) -> bool:
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
        return {
            name
            for name in self._names
            if name in text and re.search(rf"\b{re.escape(name)}s?\b", text)
        }


def _bare(text: str) -> str:
    """Folded, without the marks of Markdown and a last dot."""
    return folded(text).replace("*", "").strip().rstrip(".")


def _is_theirs(claim: Claim) -> bool:
    """Whether a customer's word of it may be said back: no address of a site, but an e-mail."""
    return claim.kind is not Kind.LINK or "@" in claim.value


def _some_values(text: str) -> frozenset[Claim]:
    """Return what a message says, the first ``MAX_VALUES`` of each kind."""
    return values_of(text, MAX_VALUES)


def _numbers_in(text: str) -> frozenset[str]:
    return frozenset("-".join(match.groups()) for match in _NUMBERS.finditer(folded(text)))


def add_shop_facts(facts: Facts) -> None:
    """Add the guarantee of each component, each for itself, and the periods of the law."""
    facts.add_known(SHOP_FACTS.get())


_LAW: JSON = {
    "conformite_ans": CONFORMITY_YEARS,
    "vices_caches_ans": HIDDEN_DEFECT_YEARS,
    "retractation_jours": WITHDRAWAL_DAYS,
}


def build_shop_facts() -> Facts:
    facts = Facts()
    for component, years in YEARS.items():
        facts.add_result({"name": LABELS[component], "duree_ans": years})
    facts.add_result(_LAW)
    facts.learn()
    return facts


#: The same for all conversations: nothing of any of them is ever added.
SHOP_FACTS: Part[Facts] = Part("shop facts", build_shop_facts)
