"""Which store a test runs on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from meuble_project import backends


def use_redis(settings: Any, url: str) -> None:
    """Have pytest-django's ``settings`` say what ``REDIS_URL`` would; forget caches yourself."""
    settings.ENV = replace(settings.ENV, redis_url=url)
    settings.CACHES = {**settings.CACHES, "default": backends.cache_for(url)}
    settings.CHANNEL_LAYERS = {"default": backends.channel_layer_for(url)}
