"""Conversations and what was seen of them, with what does not matter filled in."""

from __future__ import annotations

from pathlib import Path

from chat.core.json import JSON
from devtools.evaluation.checks import checks_of
from devtools.evaluation.matching import phrase
from devtools.evaluation.observed import Call, ObservedTurn
from devtools.evaluation.reading import read_conversations
from devtools.evaluation.results import Played, PlayedTurn
from devtools.evaluation.types import Conversation, CustomerTurn, Expected


def write(folder: Path, text: str, name: str = "some.yaml") -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder


def one_in(folder: Path, text: str) -> Conversation:
    """The only conversation of this text."""
    (conversation,) = read_conversations(write(folder, text))
    return conversation


def expecting(folder: Path, expectations: str) -> Expected:
    """What these lines of YAML, indented by nothing, expect."""
    indented = "\n".join(f"        {line}" for line in expectations.splitlines())
    text = (
        f"- name: one\n  category: advice\n  turns:\n    - customer: Bonjour\n"
        f"      expect:\n{indented}\n"
    )
    return one_in(folder, text).turns[0].expected


def call(name: str = "search_products", **arguments: object) -> Call:
    given: JSON = dict(arguments)
    return Call("call-1", name, given, {"produits": []})


def conversation(name: str = "one", category: str = "advice") -> Conversation:
    return Conversation(name=name, category=category, turns=(CustomerTurn("Bonjour", Expected()),))


def played(
    name: str = "one", answer: str = "Bonjour", *, says: str = "", category: str = "advice"
) -> Played:
    """A conversation of one turn; ``says``: what the answer had to say."""
    observed = ObservedTurn(end="done", answer=answer, calls=(call(),))
    expected = Expected(says=((phrase(says),),)) if says else Expected()
    turn = PlayedTurn("Bonjour", observed, tuple(checks_of(expected, observed)))
    return Played(conversation=conversation(name, category), turns=(turn,), seconds=0.5, asked=1)
