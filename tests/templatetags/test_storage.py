from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.auth.models import User

from chat.conversations.store.memory.store import MemoryStore
from chat.conversations.store.protocol import STORE

pytestmark = pytest.mark.django_db

WARNING = "Redis ne répond pas"


@pytest.fixture
def claire(client):
    client.force_login(User.objects.create_superuser("claire"))
    return client


@pytest.mark.parametrize(
    ("redis_url", "backend", "warned"),
    [
        ("redis://127.0.0.1:6379/0", "memory", True),
        ("redis://127.0.0.1:6379/0", "redis", False),
        ("memory://", "memory", False),
    ],
)
def test_admin_says_when_memory_stands_in_for_redis(
    claire, settings, replace_parts, redis_url, backend, warned
):
    settings.ENV = replace(settings.ENV, redis_url=redis_url)
    store = MemoryStore(60)
    store.backend = backend
    replace_parts(STORE.to(store))

    page = claire.get("/admin/password_change/").content.decode()

    assert (WARNING in page) is warned
