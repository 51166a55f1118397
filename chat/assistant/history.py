"""Which part of a conversation the model is given. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chat.conversations.types import Author, Message
from chat.core.json import JSON

#: Never more exchanges than this, however short they are.
MAX_MESSAGES = 40


def history(messages: Sequence[Message], question_id: str, max_chars: int) -> list[JSON]:
    """Return the messages for the model: the latest that fit, ending with the question.

    Each answer stands behind its question, though others may have been asked in between;
    what was asked later is left out. The question itself is always there, whole. What the
    application announced is left out; what an adviser said is marked as a human's.

    Args:
        max_chars: bound on the characters of all contents together, the question's excepted.
    """
    kept: list[JSON] = []
    room = max_chars
    for message in reversed(list(_in_order(messages, question_id))):
        if kept:
            room -= len(message.text)
            if room < 0 or len(kept) == MAX_MESSAGES:
                break
        kept.append(_entry(message))
    kept.reverse()
    return kept


def _in_order(messages: Sequence[Message], question_id: str) -> Iterator[Message]:
    answers: dict[str, list[Message]] = {}
    for message in messages:
        if message.reply_to:
            answers.setdefault(message.reply_to, []).append(message)
    for message in messages:
        if not message.reply_to and message.text and message.author is not Author.SYSTEM:
            yield message
        if message.id == question_id:
            return
        yield from (m for m in answers.get(message.id, ()) if m.text)


def _entry(message: Message) -> JSON:
    match message.author:
        case Author.CUSTOMER:
            return {"role": "user", "content": message.text}
        case Author.ADVISER:
            return {"role": "system", "content": adviser_said(message)}
    return {"role": "assistant", "content": message.text}


def adviser_said(message: Message) -> str:
    """Return an adviser's words so that the model takes them neither for its own nor for orders
    of the customer.
    """
    who = f"{message.name}, de l'équipe" if message.name else "L'équipe"
    return f"{who} du magasin (un être humain) a écrit au client : « {message.text} »"
