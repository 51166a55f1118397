"""Types of the evaluation: conversations, customer turns and expectations."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time

from chat.shop import hours

#: Categories of conversations with their French labels.
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
#: Kinds of rows that a conversation may create, as used by ``rows`` of an expectation.
ROWS = ("tickets", "contacts", "mails")
#: Buttons of the recap.
PRESSES = {"validate": "Valider", "drop": "Abandonner"}
#: Fields of the draft that may be expected and edited.
FORM_FIELDS = (
    *("words", "product_name", "product_reference", "order_number", "delivered_on"),
    *("customer_name", "email"),
)
PRIORITIES = ("P0", "P1", "P2", "P3")
#: Default date and time of a conversation: a Monday during opening hours.
USUAL_MOMENT = datetime(2026, 11, 23, 11, tzinfo=hours.PARIS)
USUAL_TIME = time(11)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Pattern as written, and as compiled for matching (see ``matching``)."""

    written: str
    pattern: re.Pattern[str]


#: Expected value of an argument: a pattern for text, equality for all other types.
WantedValue = Phrase | int | float | bool | None


@dataclass(frozen=True, slots=True)
class WantedCall:
    """Expected tool call; arguments that it does not name may have any value."""

    name: str
    arguments: dict[str, WantedValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WantedForm:
    """Expected ticket draft. ``step``: next step, or "" for any. ``is_there``: False if there must
    be no draft; then it has neither step nor fields.
    """

    is_there: bool
    step: str = ""
    fields: dict[str, Phrase] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Expectations on a finished turn. None and empty values are not checked.

    ``no_tools``: tools that must not be called; ``("all",)``: no tool at all. ``says``: groups of
    alternative phrases in the answer; ``announces``: the same in messages of the application.
    ``amounts_cents``, ``dates``: stated in the answer, in any usual notation. ``error``: code of
    the error of the turn. ``sources``: kinds of sources that the answer must name.
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
    """Action of the customer: a message (``text``), a button of the recap (``press``, one of
    ``PRESSES``), or edits of its fields (``edits``).
    """

    text: str
    expected: Expected
    press: str = ""
    edits: dict[str, str] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """The action as shown in a transcript."""
        if self.press:
            return f"[{PRESSES[self.press]}]"
        changed = ", ".join(f"{name} = {value}" for name, value in self.edits.items())
        return self.text or f"[Modifier : {changed}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Conversation to play. ``at``: simulated time. ``never``: phrases forbidden in every turn.

    ``products``, ``orders``: of the demonstration, which it requires.
    """

    name: str
    category: str
    turns: tuple[CustomerTurn, ...]
    at: datetime = USUAL_MOMENT
    about: str = ""
    products: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    never: tuple[Phrase, ...] = ()
