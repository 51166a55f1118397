"""What the admin says of where conversations are kept."""

from __future__ import annotations

from django import template
from django.conf import settings

from chat.conversations.store.protocol import STORE

register = template.Library()


@register.simple_tag
def storage_is_degraded() -> bool:
    """Whether this worker keeps conversations in memory though Redis is configured."""
    configured = not settings.ENV.redis_url.startswith("memory://")
    return configured and STORE.get().backend == "memory"
