"""What an operator can measure, in Prometheus's words. No text, no id, no address.

One process counts for itself: Prometheus scrapes each worker. ``docs/operations.md`` has the
list with what to watch.
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

#: ``outcome``: an ``End`` of chat.sessions.types, or "lost" when another worker took it over.
turns = Counter("chat_turns", "Turns of the assistant, by how they ended.", ["outcome"])
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
#: ``kind``: what a sentence claimed that nobody had looked up, a ``Kind`` of the guard.
guard_replaced = Counter("chat_guard_replaced", "Sentences of the model replaced.", ["kind"])
#: ``reason``: of chat.assistant.escalation.
escalations = Counter("chat_escalations", "Advisers called by rule.", ["reason"])

sessions_active = Gauge("chat_sessions_active", "Sessions alive, of all workers.")
store_degraded = Gauge("chat_store_degraded", "1 while memory serves in place of Redis.")
store_errors = Counter("chat_store_errors", "Calls that the session store did not answer.")

sockets_open = Gauge("chat_sockets_open", "WebSockets open in this worker.")
#: ``reason``: "slow", "flood" or "crowd" (too many sockets of one visitor or address).
clients_dropped = Counter("chat_clients_dropped", "Clients cut to protect the others.", ["reason"])
#: ``door``: "api", "visitor", "address" or "order" (wrong proofs of an order).
rate_limited = Counter("chat_rate_limited", "Requests refused for their rate.", ["door"])
limits_away = Counter("chat_limits_away", "Requests let pass because Redis could not count them.")
#: ``code``: of chat.errors.
api_errors = Counter("chat_api_errors", "Problems answered by the API.", ["code"])


def exposition(active_sessions: int | None) -> bytes:
    """Return everything measured. ``active_sessions``: None when the store does not say."""
    sessions_active.set(math.nan if active_sessions is None else active_sessions)
    return generate_latest(REGISTRY)
