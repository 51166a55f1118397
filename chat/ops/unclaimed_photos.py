"""Photos sent before the first message of a conversation that never began."""

from __future__ import annotations

from datetime import timedelta

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import transaction

from chat.conversations.store.protocol import STORE, Store
from chat.core.clock import now
from chat.core.errors import SessionNotFound
from chat.shop.photos.removals import remove_files
from chat.shop.photos.services import claim, forget, unclaimed_refs

#: How long a photo waits for the first message.
UNCLAIMED_LIFE = timedelta(hours=1)
#: Conversations looked at in one run.
MAX_REFS = 200
#: How often to run.
UNCLAIMED_S = 300.0

_aunclaimed_refs = database_sync_to_async(unclaimed_refs, thread_sensitive=False)
_aclaim = database_sync_to_async(claim, thread_sensitive=False)


def _delete(session_ref: str) -> int:
    with transaction.atomic():
        names = forget(session_ref)
    remove_files(names)
    return len(names)


_adelete = database_sync_to_async(_delete, thread_sensitive=False)


async def remove_unclaimed_photos(store: Store | None = None) -> int:
    """Delete photos that no message followed within ``UNCLAIMED_LIFE``. Runs every
    ``UNCLAIMED_S`` in every worker; several at once do no harm.

    Only a store that knows all conversations is believed: nothing is deleted while memory serves in
    place of Redis.

    Returns:
        How many were deleted.

    Raises:
        StoreUnavailable:
    """
    store = store or STORE.get()
    deleted = 0
    for ref in await _aunclaimed_refs(now() - UNCLAIMED_LIFE, MAX_REFS):
        if await _has_begun(store, ref):
            await _aclaim(ref)
        elif _knows_all(store):
            deleted += await _adelete(ref)
    return deleted


async def _has_begun(store: Store, ref: str) -> bool:
    try:
        await store.find(ref)
    except SessionNotFound:
        return False
    return True


def _knows_all(store: Store) -> bool:
    return store.backend == "redis" or settings.ENV.redis_url.startswith("memory:")
