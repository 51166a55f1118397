"""What a conversation of the evaluation is, and what is expected of it: plain values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time

from chat import shop

#: What conversations are about, as the report calls it.
CATEGORIES = {
    "advice": "Conseil",
    "no_result": "Rien à proposer",
    "door": "Passage de porte",
    "delivery": "Livraison",
    "guarantee": "Garantie",
    "law": "Droits légaux",
    "breakage": "Meuble abîmé",
    "danger": "Danger",
    "anger": "Colère",
    "photos": "Photos",
    "follow_up": "Suivi",
    "human": "Conseiller demandé",
    "off_topic": "Hors sujet",
    "courtesy": "Politesse et langues",
}
#: Rows that a conversation may make, as ``rows`` of an expectation names them.
ROWS = ("tickets", "contacts", "mails")
#: The buttons of the recap that decide.
PRESSES = {"validate": "Valider", "drop": "Abandonner"}
#: What of the form may be expected and edited.
FORM_FIELDS = (
    *("words", "product_name", "product_reference", "order_number", "delivered_on"),
    *("customer_name", "email"),
)
PRIORITIES = ("P0", "P1", "P2", "P3")
#: A Monday at which the shop is open: the day of a conversation that names none.
USUAL_MOMENT = datetime(2026, 11, 23, 11, tzinfo=shop.PARIS)
USUAL_TIME = time(11)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A pattern as it was written, and as it is looked for (see ``wording``)."""

    written: str
    pattern: re.Pattern[str]


#: What one argument of a call must be: a pattern for text, anything else by equality.
WantedValue = Phrase | int | float | bool | None


@dataclass(frozen=True, slots=True)
class WantedCall:
    """A call of a tool that must be among those made; other arguments may be anything."""

    name: str
    arguments: dict[str, WantedValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WantedForm:
    """The request being prepared. ``step``: what is asked next, or "" for any; a form that is
    not there at all has neither step nor fields and ``is_there`` False.
    """

    is_there: bool
    step: str = ""
    fields: dict[str, Phrase] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must be true once a turn has ended. What is None or empty is not looked at.

    ``no_tools``: names that must not be called; ``("all",)``: none. ``says``: each group is
    met by any one of its phrases, in the answer; ``announces``: in what the application itself
    said. ``amounts_cents``, ``dates``: stated in the answer, in any usual writing.
    ``error``: code of the error that the turn must end with.
    ``sources``: kinds that the answer must name.
    """

    tools: tuple[WantedCall, ...] = ()
    no_tools: tuple[str, ...] = ()
    rows: dict[str, int] = field(default_factory=dict)
    priority: str = ""
    asked: bool | None = None
    says: tuple[tuple[Phrase, ...], ...] = ()
    announces: tuple[tuple[Phrase, ...], ...] = ()
    amounts_cents: tuple[int, ...] = ()
    dates: tuple[date, ...] = ()
    never: tuple[Phrase, ...] = ()
    language: str = ""
    interrupted: bool = False
    error: str = ""
    sources: tuple[str, ...] = ()
    form: WantedForm | None = None
    min_chars: int | None = None
    max_chars: int | None = None


@dataclass(frozen=True, slots=True)
class CustomerTurn:
    """What the customer does: writes ``text``, or uses the recap of their request: a button
    (``press``, one of ``PRESSES``) or its fields (``edits``).
    """

    text: str
    expected: Expected
    press: str = ""
    edits: dict[str, str] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """As a transcript has it."""
        if self.press:
            return f"[{PRESSES[self.press]}]"
        changed = ", ".join(f"{name} = {value}" for name, value in self.edits.items())
        return self.text or f"[Modifier : {changed}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """``at``: the moment at which it is played. ``never``: holds for each of its turns.

    ``products``, ``orders``: of the demonstration, which it needs.
    """

    name: str
    category: str
    turns: tuple[CustomerTurn, ...]
    at: datetime = USUAL_MOMENT
    about: str = ""
    products: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    never: tuple[Phrase, ...] = ()
