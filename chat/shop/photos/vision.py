"""Photos as a model that sees is given them."""

from __future__ import annotations

import base64
import logging
from datetime import datetime
from typing import Any

from channels.db import database_sync_to_async

from chat.photos import files
from chat.photos.models import MAX_PHOTOS, Photo
from meuble_project.env import Env

logger = logging.getLogger(__name__)

#: Families of models that take images. Source: developers.openai.com/api/docs/models.
SEEING = ("gpt-4o", "gpt-4.1", "gpt-5", "gpt-6")


def sees(env: Env) -> bool:
    """Whether the model is to be shown photos, as ``OPENAI_VISION`` says.

    "auto": the local assistant, and models of a family known to see at OpenAI itself: under
    another server the same name may be anything.
    """
    if env.openai_vision != "auto":
        return env.openai_vision == "on"
    known = env.openai_model.startswith(SEEING) and not env.openai_base_url
    return known or env.uses_local_assistant


def image_parts(session_ref: str, since: datetime | None = None) -> list[dict[str, Any]]:
    """Return the conversation's photos as parts of a message, small, in the order they were sent.

    Args:
        since: only those sent after that.

    A file that cannot be read is left out.
    """
    photos = Photo.objects.filter(session_ref=session_ref)
    if since is not None:
        photos = photos.filter(sent_at__gt=since)
    parts = []
    for photo in photos[:MAX_PHOTOS]:
        try:
            content = files.read(photo.name, small=True)
        except OSError as error:
            logger.warning("a photo is not shown to the model: %s", type(error).__name__)
            continue
        url = f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return parts


aimage_parts = database_sync_to_async(image_parts, thread_sensitive=False)
