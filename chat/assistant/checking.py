"""The guard of one answer, with what this conversation has established so far."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from chat.assistant.guard.facts import Facts
from chat.assistant.guard.filter import Guard
from chat.assistant.guard.leaks import Secret
from chat.assistant.guard.shop_facts import add_shop_facts
from chat.assistant.prompt import instructions
from chat.language import language_of
from chat.sessions.types import Author, Session


def guard_for(session: Session, question_id: str) -> Guard:
    """Return a guard that knows what people of the shop, the application and earlier answers said.

    What the customer said is known to be theirs: it may be said back to them, and proves nothing.
    """
    env = settings.ENV
    facts = Facts(hosts=_hosts(env.site_url, env.shop_email))
    add_shop_facts(facts)
    asked = ""
    for message in session.messages:
        match message.author:
            case Author.CUSTOMER:
                facts.add_customer(message.text)
                asked = message.text if message.id == question_id else asked
            case Author.ASSISTANT:
                facts.add_result(list(message.sources))
                facts.add_answer(message.text)
            case _:
                facts.add_text(message.text)
    return Guard(facts, language=language_of(asked), secret=_secret(instructions()))


def _hosts(site_url: str, email: str) -> list[str]:
    return [host for host in (urlsplit(site_url).hostname, email.rpartition("@")[2]) if host]


@lru_cache(maxsize=4)
def _secret(text: str) -> Secret:
    return Secret(text.splitlines())
