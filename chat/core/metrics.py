"""Prometheus metrics of one worker. Labels never hold text of customers, ids or addresses.

Each process counts for itself: Prometheus scrapes each worker. ``docs/operations.md`` lists the
metrics and their alerts.
"""

from __future__ import annotations

import math

from prometheus_client import (
    REGISTRY,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

disable_created_metrics()  # type: ignore[no-untyped-call]

_FIRST_TEXT_S = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30)
_TURN_S = (0.1, 0.2, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 60)

#: ``outcome``: an ``End`` of the conversation's types, or "lost" when another worker took it over.
turns = Counter("chat_turns", "Turns of the assistant, by how they ended.", ["outcome"])
#: ``code``: "assistant_timeout" (its deadline) or "assistant_unavailable" (too many attempts).
questions_given_up = Counter(
    "chat_questions_given_up", "Questions that no worker could answer, by why.", ["code"]
)
turn_seconds = Histogram(
    "chat_turn_seconds", "Seconds from the start of an answer to its end.", buckets=_TURN_S
)
first_text_seconds = Histogram(
    "chat_first_text_seconds",
    "Seconds from the start of an answer to its first text.",
    buckets=_FIRST_TEXT_S,
)
#: ``kind``: "prompt" or "completion", as the model's server bills them.
tokens = Counter("chat_tokens", "Tokens used.", ["kind"])
#: ``outcome``: "sent" or "failed".
model_requests = Counter("chat_model_requests", "Requests to the model's server.", ["outcome"])
#: ``kind``: kind of the unverified statement, a ``Kind`` of the guard.
guard_replaced = Counter("chat_guard_replaced", "Sentences of the model replaced.", ["kind"])
#: ``reason``: a rule of the assistant's escalation.
escalations = Counter("chat_escalations", "Advisers called by rule.", ["reason"])

overload_refused = Counter(
    "chat_overload_refused", "Questions refused because this worker could not answer in time."
)

sessions_active = Gauge("chat_sessions_active", "Sessions alive, of all workers.")
store_degraded = Gauge("chat_store_degraded", "1 while memory serves in place of Redis.")
#: Session documents and staff notes that this release cannot read.
unreadable_records = Counter("chat_unreadable_records", "Stored records that could not be read.")
store_errors = Counter("chat_store_errors", "Calls that the session store did not answer.")

#: ``reason``: "unreadable", "unknown" (of another release, or a foreign message), "invalid" or
#: "failed" (its handler raised an error).
channel_messages_ignored = Counter(
    "chat_channel_messages_ignored", "Messages between workers that were ignored.", ["reason"]
)
channel_restarts = Counter(
    "chat_channel_restarts", "Times that listening to other workers was begun again after an error."
)
#: ``task``: name of the background task.
background_failures = Counter(
    "chat_background_failures", "Failed runs of background tasks, each started again.", ["task"]
)
loop_stalls = Counter("chat_loop_stalls", "Times the event loop stood still for over a second.")
loop_stall_seconds = Counter("chat_loop_stall_seconds", "Seconds that these stalls took.")
#: ``outcome``: "done", or "failed" (retried later).
erasures = Counter("chat_erasures", "Clean-ups after erased sessions.", ["outcome"])
erasures_pending = Gauge("chat_erasures_pending", "Erased sessions still to be cleaned up after.")

sockets_open = Gauge("chat_sockets_open", "WebSockets open in this worker.")
#: ``reason``: "slow", "flood" or "crowd" (too many sockets of one visitor or address).
clients_dropped = Counter("chat_clients_dropped", "Clients cut to protect the others.", ["reason"])
photos_used_bytes = Gauge("chat_photos_used_bytes", "What stored photos take, of all workers.")
photos_quota_bytes = Gauge("chat_photos_quota_bytes", "What they may take; 0 for no limit.")
disk_free_bytes = Gauge(
    "chat_disk_free_bytes", "What is free where photos are kept and where long bodies wait."
)
bodies_refused = Counter(
    "chat_bodies_refused", "Request bodies refused because this worker received too many."
)
#: ``door``: "api", "visitor", "address", "page" or "order" (wrong proofs of an order).
rate_limited = Counter("chat_rate_limited", "Requests refused for their rate.", ["door"])
limits_away = Counter(
    "chat_limits_away", "Requests counted by this worker alone because Redis could not."
)
#: ``code``: of chat.core.errors.
api_errors = Counter("chat_api_errors", "Problems answered by the API.", ["code"])


def set_space(used: float, quota: float, free: float) -> None:
    """Set the gauges of disk space, in bytes; NaN for an unknown value."""
    photos_used_bytes.set(used)
    photos_quota_bytes.set(quota)
    disk_free_bytes.set(free)


def exposition(active_sessions: int | None) -> bytes:
    """Return all metrics as text. ``active_sessions``: None when the store does not answer."""
    sessions_active.set(math.nan if active_sessions is None else active_sessions)
    return generate_latest(REGISTRY)
