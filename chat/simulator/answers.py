"""What the local assistant says when it calls no tool. In French, with Markdown.

It invents no opening hour, price or date: those come from the tools it is offered.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from chat.simulator import facts, texts
from chat.simulator.intents import greeting_language
from chat.simulator.words import topic_of


@dataclass(frozen=True, slots=True)
class Context:
    """``asked``: the last message. ``subject``: with what it completes. ``name``: known, or ""."""

    asked: str
    subject: str
    name: str


def answer(intent: str, context: Context) -> str:
    """Return the sentence or page for this intent, opened by a greeting if the customer greets."""
    text = _FIXED.get(intent) or _COMPOSED[intent](context)
    if intent in _GREETS_ALREADY or greeting_language(context.asked) != "fr":
        return text
    return f"{_hello(context)} ! {text}"


def _hello(context: Context) -> str:
    word = "Bonsoir" if context.asked.lstrip().lower().startswith("bonsoir") else "Bonjour"
    return f"{word} {context.name}".rstrip()


def _comma_name(context: Context) -> str:
    return f", {context.name}" if context.name else ""


def _own_name(context: Context) -> str:
    return f"Vous vous appelez {context.name}." if context.name else texts.UNKNOWN_NAME


def _greeting(context: Context) -> str:
    language = greeting_language(context.asked)
    if language in texts.FOREIGN_GREETINGS:
        return texts.FOREIGN_GREETINGS[language].format(name=_comma_name(context))
    opening = f"{_hello(context)}, " if context.name else f"{_hello(context)} et bienvenue, "
    return opening + texts.GREETING


def _introduction(context: Context) -> str:
    return f"Bonjour {context.name}, {texts.NICE_TO_MEET}"


def _product(context: Context) -> str:
    noun = facts.product_noun(context.subject)
    label = facts.PRODUCTS.get(noun, "un meuble")
    article, _, bare = label.partition(" ")
    return texts.PRODUCT.format(article=article.capitalize(), noun=bare)


def _details(context: Context) -> str:
    reference = facts.product_reference(context.subject)
    noun = facts.product_noun(context.subject)
    what = f"l'article **{reference}**" if reference else facts.PRODUCTS.get(noun, "cet article")
    return texts.DETAILS.format(what=what)


def _order(context: Context) -> str:
    number = facts.order_number(context.subject)
    return texts.ORDER_KNOWN.format(number=number) if number else texts.ORDER_UNKNOWN


def _damage(context: Context) -> str:
    number = facts.order_number(context.subject)
    ending = texts.DAMAGE_KNOWN.format(number=number) if number else texts.DAMAGE_UNKNOWN
    return texts.DAMAGE + ending


def _ticket_status(context: Context) -> str:
    reference = facts.ticket_reference(context.subject)
    return texts.TICKET_KNOWN.format(reference=reference) if reference else texts.TICKET_UNKNOWN


def _thanks(context: Context) -> str:
    return f"Avec grand plaisir{_comma_name(context)} ! {texts.AFTER_THANKS}"


def _goodbye(context: Context) -> str:
    return f"Au revoir{_comma_name(context)}, {texts.AFTER_GOODBYE}"


def _other(context: Context) -> str:
    topic = topic_of(context.asked)
    if not topic:
        return texts.NOTHING_SAID
    choice = zlib.crc32(topic.encode("utf-8", "replace")) % len(texts.REFLECTIONS)
    return texts.REFLECTIONS[choice].format(topic=topic)


_GREETS_ALREADY = {"greeting", "introduction", "own_name", "thanks", "goodbye"}
_FIXED: dict[str, str] = {
    "markdown_table": texts.TABLE,
    "long_text": texts.LONG_TEXT,
    "human": texts.HUMAN,
    "returns": texts.RETURNS,
    "guarantee": texts.GUARANTEE,
    "delivery": texts.DELIVERY,
    "hours": texts.HOURS,
    "address": texts.ADDRESS,
    "payment": texts.PAYMENT,
    "danger": texts.DANGER,
    "anger": texts.ANGER,
    "law": texts.LAW,
    "orders": texts.ORDERS,
    "robot": texts.ROBOT,
    "discount": texts.DISCOUNT,
    "photos": texts.PHOTOS,
    "off_topic": texts.OFF_TOPIC,
    "door": texts.DOOR,
    "yes": texts.YES,
    "no": texts.NO,
}
_COMPOSED: dict[str, Callable[[Context], str]] = {
    "own_name": _own_name,
    "introduction": _introduction,
    "greeting": _greeting,
    "ticket_status": _ticket_status,
    "damage": _damage,
    "order": _order,
    "details": _details,
    "product": _product,
    "thanks": _thanks,
    "goodbye": _goodbye,
    "other": _other,
}
INTENTS = frozenset(_FIXED) | frozenset(_COMPOSED)
