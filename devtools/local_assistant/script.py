"""Replies of the local assistant, as a pure function of the messages and the available tools.

Opening hours, prices and dates come from the results of tools only.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from zlib import crc32

from devtools.local_assistant import facts
from devtools.local_assistant.intents import greeting_language, intent_of, subject_of
from devtools.local_assistant.names import name_alone, name_in
from devtools.local_assistant.phrasing import phrase_results
from devtools.local_assistant.request import ChatRequest
from devtools.local_assistant.tools import Call, Said, choose_call, forced_call
from devtools.local_assistant.words import encodable, in_french, topic_of

#: Intents that report an incident, so do not trigger a product search.
_REPORTS = {"damage", "danger"}
#: Text in a tool's result that marks safety advice, so that it is not repeated.
_SAFE = "112"
#: Number of the user's last messages that are searched for references.
_EARLIER = 10
#: Instruction in a system message to call a tool with the customer's next message, and the field
#: that was asked for.
_NAMED = re.compile(r"Appelle (\w+)")
_MISSING = re.compile(r"Il manque : (\w+)")
#: Parsers for a bare answer to one of our questions.
_ANSWERS = {
    *("other", "yes", "no", "order", "product", "details", "address", "introduction", "delivery"),
    *("damage", "danger", "photos", "off_topic", "door"),
}
#: Intents whose sentences contain a greeting.
_GREETING = {"greeting", "introduction", "own_name", "thanks", "goodbye"}
SENTENCES = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Say:
    text: str


Reply = Say | Call


def reply_to(request: ChatRequest) -> Reply:
    """Return the text to send or the tool to call. Deterministic.

    If the last messages are tool results, they are put into words and no tool is called. Images
    are counted only.
    """
    reply = _reply_to(request)
    if isinstance(reply, Say):
        count = request.last_asked.images
        opening = f"J'ai reçu {count} photo{'s' if count > 1 else ''}. " if count else ""
        return Say(encodable(opening + reply.text))
    return reply


def _reply_to(request: ChatRequest) -> Reply:
    written = [turn.text for turn in request.turns if turn.role == "user"]
    said = [in_french(text) for text in written] or [""]
    alone = name_alone(said[-1]) if _was_asked_name(request) else ""
    name = alone or name_in(written)
    subject = f"{subject_of(said[:-1])}\n{said[-1]}" if alone else subject_of(said)
    intent = intent_of(subject)
    if intent in {"greeting", "other"} and name_in(said[-1:]):
        intent = "introduction"
    missing = _missing(request)
    if missing is not None and intent_of(said[-1]) in _ANSWERS and "?" not in said[-1]:
        subject, intent = said[-1], "damage"
    trailing = takewhile(lambda turn: turn.role == "tool", reversed(request.turns))
    results = [turn.text for turn in trailing][::-1]
    if results:
        is_said = subject != said[-1] or any(_SAFE in result for result in results)
        opening = "" if is_said else _opening(intent)
        return Say(opening + phrase_results(results, subject))
    is_report = intent in _REPORTS and missing != "product"
    earlier = tuple(said[-2 : -_EARLIER - 2 : -1])
    call = _call(request, intent, Said(subject, earlier, name, is_report=is_report))
    return call or Say(_sentence(intent, request.last_asked.text, subject, name))


def _was_asked_name(request: ChatRequest) -> bool:
    """Return whether the assistant's last message asked for the name of an order."""
    spoken = [turn.text for turn in request.turns if turn.role == "assistant" and turn.text]
    return "nom de famille" in (spoken[-1] if spoken else "")


def _missing(request: ChatRequest) -> str | None:
    """Return the field of the ticket draft that was asked for last.

    "" if the draft is complete, None if there is no draft.
    """
    for turn in reversed(request.turns):
        named = _NAMED.search(turn.text) if turn.role == "system" else None
        if named and named[1] in request.tools:
            missing = _MISSING.search(turn.text)
            return missing[1] if missing else ""
    return None


def _call(request: ChatRequest, intent: str, said: Said) -> Call | None:
    match request.tool_choice:
        case "none":
            return None
        case "auto":
            return choose_call(intent, said, request.tools)
    return forced_call(intent, said, request.tools)


def _sentence(intent: str, asked: str, subject: str, name: str) -> str:
    """Return the reply without a tool call, with a greeting if the customer greets."""
    word = "Bonsoir" if asked.lstrip().lower().startswith("bonsoir") else "Bonjour"
    hello, topic, language = f"{word} {name}".rstrip(), topic_of(asked), greeting_language(asked)
    text = SENTENCES.get(intent) or _opening(intent) + SENTENCES["no_tool"]
    match intent:
        case "own_name" if not name:
            text = SENTENCES["unknown_name"]
        case "greeting":
            text = SENTENCES["foreign_greetings"].get(language, text)
        case "other" if topic:
            text = SENTENCES["reflections"][crc32(topic.encode("utf-8", "replace")) % 3]
        case "order" if facts.order_number(subject):
            text = SENTENCES["no_tool"]
    said = str(text).format(
        hello=hello,
        welcome="" if name else " et bienvenue",
        name=name,
        comma_name=f", {name}" if name else "",
        topic=topic,
    )
    return f"{hello} ! {said}" if language == "fr" and intent not in _GREETING else said


def _opening(intent: str) -> str:
    """Return the text before the results of a tool."""
    opening = SENTENCES["openings"].get(intent)
    return f"{opening}\n\n" if opening else ""
