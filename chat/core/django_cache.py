"""How Django's cache writes to Redis: keys and values that a human can read in redis-cli."""

from __future__ import annotations

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django_redis.serializers.base import BaseSerializer


def readable_key(key: str, key_prefix: str, version: int) -> str:
    """Return ``key`` as it is, without Django's ``:1:`` in front.

    One version and one prefix only: two caches on one Redis database would share their keys.
    """
    return key


class UTF8JSONSerializer(BaseSerializer):
    """One JSON document per key, accents as they are.

    Reads any JSON text in UTF-8, also what Lua wrote. Whole numbers never come here: django-redis
    stores them bare, so that ``incr`` works.
    """

    def dumps(self, value: Any) -> bytes:
        text = json.dumps(
            value, cls=DjangoJSONEncoder, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
        return text.encode()

    def loads(self, value: bytes) -> Any:
        return json.loads(value.decode())
