"""The channel layer: a message that this process sends to itself."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import perf_counter
from typing import Any

from channels.layers import InMemoryChannelLayer, channel_layers

from chat.management.doctor.findings import Finding, ok, skipped, wrong
from chat.sessions.types import new_id

NAME = "Couche de messages"
MEND = "docker compose restart redis   # puis relancer ce diagnostic"


def look_at_layer(timeout_s: float) -> list[Finding]:
    layer = channel_layers.make_backend("default")
    if isinstance(layer, InMemoryChannelLayer):
        return [skipped(NAME, "en mémoire : un seul processus")]
    return [asyncio.run(_send_to_itself(layer, timeout_s))]


async def _send_to_itself(layer: Any, timeout_s: float) -> Finding:
    group = f"doctor.{new_id()}"
    start = perf_counter()
    try:
        async with asyncio.timeout(timeout_s):
            channel = await layer.new_channel()
            await layer.group_add(group, channel)
            await layer.group_send(group, {"type": "doctor", "word": group})
            heard = await layer.receive(channel)
    except Exception as error:  # noqa: BLE001 - whatever it is, the layer does not carry
        what = f"le message envoyé n'est pas revenu ({type(error).__name__})"
        return wrong(NAME, what, MEND)
    finally:
        with suppress(Exception):
            await layer.flush()
    if heard["word"] != group:
        return wrong(NAME, "un autre message est revenu", MEND)
    return ok(NAME, f"un message revient en {(perf_counter() - start) * 1000:.0f} ms")
