"""What a tool is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from chat.conversations.types import Session
from chat.core.json import JSON


class BadArguments(Exception):
    """The model's arguments make no sense; the text tells it why, in French."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """The conversation for which a tool runs, as it was when the answer began.

    ``address``: where the question came from, for what is counted by address; "" where that is not
    known: a program with a key, a question taken up from another worker.
    """

    session: Session
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """``parameters``: JSON Schema of the arguments. ``label``: what the customer sees meanwhile.

    ``run`` gets arguments that are an object, nothing more is checked; it returns JSON.
    """

    name: str
    label: str
    description: str
    parameters: JSON
    run: Callable[[JSON, ToolContext], Awaitable[JSON]]
    #: The tool as the model is offered it.
    schema: JSON = field(init=False)

    def __post_init__(self) -> None:
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
            "strict": True,
        }
        object.__setattr__(self, "schema", {"type": "function", "function": function})
