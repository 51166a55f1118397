"""Which of the offered tools answers the customer, if one does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from chat.simulator import facts
from chat.simulator.arguments import CannotFill, Said, arguments_for
from chat.simulator.request import Tool
from chat.simulator.words import content_words, folded, search_stem

#: By intent, the names of the tools that serve it, the best first.
_SERVING: dict[str, tuple[str, ...]] = {
    "human": ("ask_for_human",),
    "ticket_status": ("ticket_status",),
    "danger": ("prepare_ticket", "ask_for_human"),
    "anger": ("ask_for_human",),
    "law": ("check_guarantee", "shop_information"),
    "damage": ("prepare_ticket",),
    "order": ("find_order",),
    "returns": ("check_guarantee", "shop_information"),
    "guarantee": ("check_guarantee", "shop_information"),
    "delivery": ("find_order", "shop_information"),
    "hours": ("shop_information",),
    "address": ("shop_information",),
    "payment": ("shop_information",),
    "details": ("product_details", "search_products"),
    "product": ("search_products",),
}
#: Intents that no tool helps with.
_SPOKEN = {
    *("own_name", "introduction", "greeting", "thanks", "goodbye"),
    *("yes", "no", "long_text", "markdown_table"),
    *("orders", "robot", "discount", "photos", "off_topic", "door"),
}


@dataclass(frozen=True, slots=True)
class Call:
    """``arguments``: JSON text, as the wire carries it."""

    name: str
    arguments: str


def choose_call(intent: str, said: Said, tools: Sequence[Tool]) -> Call | None:
    """Return the call that serves the customer, or None when talking does.

    None also when a number that the tool needs was not given: the assistant asks for it.
    """
    for tool in _candidates(intent, said, tools):
        try:
            arguments = arguments_for(tool.parameters, said)
        except CannotFill:
            continue
        return Call(tool.name, json.dumps(arguments, ensure_ascii=False))
    return None


def _candidates(intent: str, said: Said, tools: Sequence[Tool]) -> list[Tool]:
    if said.forced:
        return [*_serving(intent, tools), *tools]
    if intent in _SPOKEN:
        return []
    serving = _serving(intent, tools)
    for needing, name in (("delivery", "find_order"), ("returns", "check_guarantee")):
        if intent == needing and not facts.order_number(said.subject):
            serving = [tool for tool in serving if tool.name != name]
    return serving or _by_description(said, tools)


def _serving(intent: str, tools: Sequence[Tool]) -> list[Tool]:
    by_name = {tool.name: tool for tool in tools}
    return [by_name[name] for name in _SERVING.get(intent, ()) if name in by_name]


def _by_description(said: Said, tools: Sequence[Tool]) -> list[Tool]:
    """Return the unfamiliar tool that shares most words with the message.

    One word of its name is enough, of its description it takes two.
    """
    familiar = {name for names in _SERVING.values() for name in names}
    wanted = {search_stem(folded(word)) for word in content_words(said.subject)}
    scored = [
        (_score(tool, wanted), -index, tool)
        for index, tool in enumerate(tools)
        if tool.name not in familiar
    ]
    best = max(scored, key=lambda entry: entry[:2], default=None)
    return [best[2]] if best and best[0] >= 2 else []


def _score(tool: Tool, wanted: set[str]) -> int:
    named = {search_stem(word) for word in folded(tool.name).replace("-", "_").split("_")}
    described = {search_stem(folded(word)) for word in content_words(tool.description)}
    return 2 * len(named & wanted) + len((described - named) & wanted)
