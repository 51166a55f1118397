"""Which part of a conversation the model is given. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chat.sessions.types import JSON, Author, Message

#: Never more exchanges than this, however short they are.
MAX_MESSAGES = 40


def history(messages: Sequence[Message], question_id: str, max_chars: int) -> list[JSON]:
    """Return the messages for the model: the latest that fit, ending with the question.

    Each answer stands behind its question, though others may have been asked in between;
    what was asked later is left out. The question itself is always there, whole.

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
        kept.append({"role": _role(message), "content": message.text})
    kept.reverse()
    return kept


def _in_order(messages: Sequence[Message], question_id: str) -> Iterator[Message]:
    answers: dict[str, list[Message]] = {}
    for message in messages:
        if message.reply_to:
            answers.setdefault(message.reply_to, []).append(message)
    for message in messages:
        if not message.reply_to:
            yield from (m for m in (message,) if m.text)
        if message.id == question_id:
            return
        yield from (m for m in answers.get(message.id, ()) if m.text)


def _role(message: Message) -> str:
    match message.author:
        case Author.CUSTOMER:
            return "user"
        case Author.SYSTEM:
            return "system"
    return "assistant"
