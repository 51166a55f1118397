"""The guard of one answer, with what this conversation has established so far."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from chat.assistant.guard.facts import Facts
from chat.assistant.guard.filter import Guard
from chat.assistant.guard.leaks import Secret
from chat.assistant.guard.readings import Readings
from chat.assistant.guard.shop_facts import add_shop_facts
from chat.assistant.prompt import instructions, system_prompt
from chat.conversations.types import Author, Message, Session
from chat.core.language import language_of
from chat.core.runtime import Part

#: So much of a conversation is read in one step of the event loop: 1 to 2 ms.
STEP_CHARS = 2_000
#: What is kept of conversations that were read, values counted as characters.
MAX_KEPT_CHARS = 8_000_000

#: What this worker read of conversations.
READINGS: Part[Readings] = Part("readings", lambda: Readings(MAX_KEPT_CHARS))


def build_guard(session: Session, question_id: str) -> Guard:
    """Return a guard that knows what people of the shop, the application and earlier answers said.

    What the customer said is known to be theirs: it may be said back to them, and proves nothing.
    The conversation is not read before the answer commits to something, then a message at a time,
    each once: see ``learn_in_steps``.
    """
    env = settings.ENV
    facts = Facts(hosts=_hosts(env.site_url, env.shop_email), readings=READINGS.get())
    add_shop_facts(facts)
    facts.add_later(lambda facts: _add_conversation(facts, session.messages))
    return Guard(
        facts,
        language=lambda: _language_asked(session.messages, question_id),
        secret=_secret(system_prompt(), env.shop_phone, env.shop_email),
        in_steps=True,
    )


#: Makes the guard of an answer from the conversation and the id of the question.
GUARD: Part[Callable[[Session, str], Guard]] = Part("guard", lambda: build_guard)


async def learn_in_steps(facts: Facts) -> None:
    """Read what the facts are still to learn, giving way to others every ``STEP_CHARS``."""
    is_more = facts.learn(STEP_CHARS)
    while is_more:
        await asyncio.sleep(0)
        is_more = facts.learn(STEP_CHARS)


def forget_readings() -> None:
    """Drop what is kept of all conversations, to be read again when it is needed."""
    READINGS.get().clear()


def _add_conversation(facts: Facts, messages: tuple[Message, ...]) -> None:
    for message in messages:
        match message.author:
            case Author.CUSTOMER:
                facts.add_customer(message.text)
            case Author.ASSISTANT:
                facts.add_result(message.sources)
                facts.add_answer(message.text)
            case _:
                facts.add_text(message.text)


def _language_asked(messages: tuple[Message, ...], question_id: str) -> str:
    asked = [
        message.text
        for message in messages
        if message.id == question_id and message.author is Author.CUSTOMER
    ]
    return language_of(asked[-1] if asked else "")


@lru_cache(maxsize=4)
def _hosts(site_url: str, email: str) -> tuple[str, ...]:
    return tuple(host for host in (urlsplit(site_url).hostname, email.rpartition("@")[2]) if host)


@lru_cache(maxsize=4)
def _secret(system_prompt: str, phone: str, email: str) -> Secret:
    """Return what of the instructions nobody may be told; it changes with any of these only."""
    return Secret(instructions().splitlines())
