"""The customer's photos, shown to a model that sees."""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings

from chat.conversations.store.protocol import WEB_OWNER
from chat.conversations.types import Author, Session
from chat.core.ids import ref_of
from chat.core.json import JSON
from chat.core.lookups import look_up
from chat.shop.photos.vision import image_parts, sees

logger = logging.getLogger(__name__)

#: An answer waits no longer for the database.
LONGEST_S = 1.0


async def with_photos(prompt: list[JSON], session: Session) -> list[JSON]:
    """Return the prompt with the photos that no finished answer has seen, beside the question.

    The prompt as it is when the model sees nothing, and when the photos cannot be read.
    """
    if session.owner != WEB_OWNER or not sees(settings.ENV):  # only browsers send any
        return prompt
    try:
        ref, seen_until = ref_of(session.id), _seen_until(session)
        parts = await look_up(image_parts, ref, seen_until, longest_s=LONGEST_S)
    except Exception as error:  # noqa: BLE001 - the answer matters more
        logger.warning("photos are not shown to the model: %s", type(error).__name__)
        return prompt
    if not parts:
        return prompt
    *before, question = prompt
    text = {"type": "text", "text": question["content"]}
    return [*before, {**question, "content": [text, *parts]}]


def _seen_until(session: Session) -> datetime | None:
    """Return when the last question was asked that has a whole answer: what had been sent by then
    was seen by it.
    """
    answered = {
        message.reply_to
        for message in session.messages
        if message.author is Author.ASSISTANT and not message.interrupted
    }
    asked = (message.sent_at for message in session.messages if message.id in answered)
    return max(asked, default=None)
