"""The channel layer: a message that this process sends to itself."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import repeat
from time import perf_counter
from typing import Any

from channels.layers import InMemoryChannelLayer, channel_layers
from django.conf import settings
from django.utils.module_loading import import_string

from chat.core.ids import new_id
from chat.ops.doctor.findings import Finding, masked, ok, skipped, wrong

NAME = "Couche de messages"
FIX = "docker compose restart redis   # puis relancer ce diagnostic"


def check_layer(timeout_s: float) -> list[Finding]:
    """Return one finding for each server that the layer is spread over."""
    layer = channel_layers.make_backend("default")
    if isinstance(layer, InMemoryChannelLayer):
        return [skipped(NAME, "en mémoire : un seul processus")]
    return asyncio.run(_check_each(settings.CHANNEL_LAYERS["default"], timeout_s))


async def _check_each(config: dict[str, Any], timeout_s: float) -> list[Finding]:
    make, options = import_string(config["BACKEND"]), config["CONFIG"]
    hosts: list[dict[str, Any]] = options["hosts"]
    names = [NAME] if len(hosts) == 1 else [f"{NAME} : {masked(host['address'])}" for host in hosts]
    layers = [make(**{**options, "hosts": [host]}) for host in hosts]
    asked = map(_send_to_itself, names, layers, repeat(timeout_s))
    return list(await asyncio.gather(*asked))


async def _send_to_itself(name: str, layer: Any, timeout_s: float) -> Finding:
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
        return wrong(name, what, FIX)
    finally:
        with suppress(Exception):
            await layer.flush()
    if heard["word"] != group:
        return wrong(name, "un autre message est revenu", FIX)
    return ok(name, f"un message revient en {(perf_counter() - start) * 1000:.0f} ms")
