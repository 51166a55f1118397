"""The background tasks of a worker, with how often each runs."""

from __future__ import annotations

import asyncio

from django.conf import settings

from chat.conversations.handover.advisers import return_expired_assignments
from chat.conversations.store.failover.advisers import BEAT_S
from chat.conversations.store.failover.left_file import forget_old, left_folder
from chat.conversations.store.failover.store import FailoverStore
from chat.conversations.store.protocol import STORE
from chat.conversations.store.redis.aof import LOOK_S, Rewriter
from chat.core.runtime import Part
from chat.core.supervisor import DRAIN, Periodic, Service, Supervisor
from chat.core.watchdog import watch_loop
from chat.ops.erasure import finish_erasures
from chat.ops.retention import apply_retention
from chat.ops.stats.flush import keep_numbers
from chat.ops.unclaimed_photos import UNCLAIMED_S, remove_unclaimed_photos
from chat.shop import hours
from chat.shop.tickets.mailer import send_mails
from chat.turns.turn import Orphans, hand_over_turns
from chat.turns.viewers import follow_store, refresh_viewers


async def beat() -> None:
    """Show the other workers that this one has Redis, every ``BEAT_S``."""
    store = STORE.get()
    if isinstance(store, FailoverStore):
        await store.beat()


async def take_up_left() -> None:
    """Go on with the conversations that a worker left when it stopped while Redis was away."""
    store = STORE.get()
    if isinstance(store, FailoverStore):
        await store.take_up_left(left_folder())
        forget_old(left_folder(), settings.ENV.session_ttl_s)


async def keep_conversations(wait_s: float) -> None:
    """Leave nothing in this process's memory, which is about to end.

    Raises:
        OSError: what only this process had is lost.
    """
    store = STORE.get()
    if isinstance(store, FailoverStore):
        await store.leave()
        await store.hand_down(left_folder(), wait_s)


def conversation_tasks() -> list[Periodic]:
    """Return new tasks on conversations: they ask the session store."""
    return [
        Periodic("beat", BEAT_S, beat),
        Periodic("left_conversations", 1.0, take_up_left, while_draining=False),
        Periodic("viewers", 1.0, refresh_viewers),
        Periodic("orphans", 1.0, Orphans().take_up, while_draining=False),
        Periodic("absent_advisers", 1.0, return_expired_assignments, while_draining=False),
        Periodic("erasures", 5.0, finish_erasures, while_draining=False),
        Periodic("unclaimed_photos", UNCLAIMED_S, remove_unclaimed_photos, while_draining=False),
    ]


def all_tasks() -> list[Periodic | Service]:
    """Return new tasks of one worker."""
    return [
        *conversation_tasks(),
        Periodic("retention", 600.0, apply_retention, while_draining=False),
        Periodic("append_only_file", LOOK_S, Rewriter.of_django().run, while_draining=False),
        Service("numbers", keep_numbers),
        Service("mails", send_mails),
        Service("watchdog", watch_loop),
    ]


def begin() -> None:
    """Prepare what the first customers would wait for, on the event loop of the worker."""
    follow_store()
    asyncio.get_running_loop().run_in_executor(None, hours.prepare)


def build_supervisor() -> Supervisor:
    return Supervisor(all_tasks(), on_start=begin)


#: Runs the background tasks of this worker.
SUPERVISOR: Part[Supervisor] = Part("supervisor", build_supervisor)


def ensure_started() -> bool:
    """Start the background tasks on the running event loop; return whether this call did."""
    return SUPERVISOR.get().ensure_started()


def is_started() -> bool:
    """Return whether the background tasks run on the running event loop."""
    return SUPERVISOR.get().is_started()


async def stop_worker(grace_s: float) -> None:
    """Stop this process politely under a server that only tells when it shuts down.

    Takes no new turn, waits ``grace_s`` at most for those that run, leaves the rest to other
    workers, then ends the background tasks and keeps what only memory has.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + grace_s
    drain = DRAIN.get()
    drain.begin()
    await drain.wait_idle(grace_s)
    await hand_over_turns()
    await SUPERVISOR.get().stop()
    await keep_conversations(max(0.0, give_up_at - loop.time()))
