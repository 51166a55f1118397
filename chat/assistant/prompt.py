"""What the model is told before the conversation: a template, with the shop's facts."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.template.loader import render_to_string

from chat.assistant.history import history
from chat.sessions.types import JSON, Message, Session


@lru_cache(maxsize=4)
def _system(shop_name: str, shop_phone: str, shop_email: str) -> str:
    context = {"shop_name": shop_name, "shop_phone": shop_phone, "shop_email": shop_email}
    return render_to_string("assistant/system_prompt.txt", context)


def system_prompt() -> str:
    """Return the instructions, in French, as ``templates/assistant/system_prompt.txt`` has them."""
    env = settings.ENV
    return _system(env.shop_name, env.shop_phone, env.shop_email)


def prompt(session: Session, question_id: str) -> list[JSON]:
    """Return all the model is given to answer this question; at most ``PROMPT_MAX_CHARS``
    of conversation besides the question itself.
    """
    messages: tuple[Message, ...] = session.messages
    return [
        {"role": "system", "content": system_prompt()},
        *history(messages, question_id, settings.ENV.prompt_max_chars),
    ]
