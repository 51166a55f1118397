"""Key function and JSON serializer of Django's Redis cache, readable in redis-cli."""

from __future__ import annotations

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django_redis.serializers.base import BaseSerializer


def readable_key(key: str, key_prefix: str, version: int) -> str:
    """Return ``key`` unchanged, without Django's prefix ``:1:``.

    Supports one version and one prefix: two caches on one Redis database would share their keys.
    """
    return key


class UTF8JSONSerializer(BaseSerializer):
    """Serializes each value as one JSON document in UTF-8, without escaping accents.

    Loads any JSON text in UTF-8, including values written by Lua. Integers bypass the serializer:
    django-redis stores them bare, so that ``incr`` works.
    """

    def dumps(self, value: Any) -> bytes:
        text = json.dumps(
            value, cls=DjangoJSONEncoder, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
        return text.encode()

    def loads(self, value: bytes) -> Any:
        return json.loads(value.decode())
