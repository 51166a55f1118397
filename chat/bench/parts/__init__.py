"""What can be measured alone: ``bench --only NAME``."""

from __future__ import annotations

from collections.abc import Callable

from chat.bench.parts import memory, sessions, stream, whole
from chat.bench.parts.context import Context
from chat.bench.rows import Row

PARTS: dict[str, Callable[[Context], list[Row]]] = {
    "memory": memory.measure,  # first: later, what others left free is filled again
    "stream": stream.measure,
    "sockets": stream.measure_sockets,
    "post": whole.measure,
    "count": sessions.measure_count,
    "length": sessions.measure_length,
    "workers": stream.measure_workers,
}
