"""Photos as message parts for a model with vision."""

from __future__ import annotations

import base64
import logging
from datetime import datetime
from typing import Any

from chat.shop.photos import files
from chat.shop.photos.models import MAX_PHOTOS, Photo
from meuble_project.env import Env

logger = logging.getLogger(__name__)

#: Families of models that accept images. Source: developers.openai.com/api/docs/models.
SEEING = ("gpt-4o", "gpt-4.1", "gpt-5", "gpt-6")


def sees(env: Env) -> bool:
    """Return whether photos are sent to the model, according to ``OPENAI_VISION``.

    "auto": for the local assistant, and for models of ``SEEING`` at OpenAI itself, since another
    server may use the same name for any model.
    """
    if env.openai_vision != "auto":
        return env.openai_vision == "on"
    known = env.openai_model.startswith(SEEING) and not env.openai_base_url
    return known or env.uses_local_assistant


def image_parts(session_ref: str, since: datetime | None = None) -> list[dict[str, Any]]:
    """Return the conversation's photos as message parts, small size, in the order of upload.

    Args:
        since: only photos uploaded after that time.

    Unreadable files are omitted.
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
