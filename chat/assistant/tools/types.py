"""What a tool is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chat.sessions.types import JSON, Session


class BadArguments(Exception):
    """The model's arguments make no sense; the text tells it why, in French."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """``parameters``: JSON Schema of the arguments. ``label``: what the customer sees meanwhile.

    ``run`` gets arguments that are an object, nothing more is checked; it returns JSON.
    """

    name: str
    label: str
    description: str
    parameters: JSON
    run: Callable[[JSON, Session], Awaitable[JSON]]

    @property
    def schema(self) -> JSON:
        """The tool as the model is offered it."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": self.parameters,
                "strict": True,
            },
        }
