"""Guessing at orders through the entry points, each try with a new cookie and a new number."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.test import AsyncClient

from chat.assistant.stream import Chunk, ToolCall
from chat.core.json import JSON
from chat.shop.orders import attempts
from chat.shop.orders.loader import load_orders
from devtools.demo.data import DEMO_ORDERS

pytestmark = pytest.mark.django_db(transaction=True)


class Obeying:
    """A model that looks up whatever order it is asked for, and repeats what it is told."""

    async def stream(
        self, messages: Sequence[JSON], tools: Sequence[JSON], *, deadline: float
    ) -> AsyncGenerator[Chunk, None]:
        last = messages[-1]
        if last["role"] == "tool":
            yield last["content"]
            return
        number, proof, name = re.findall(r"\S+", last["content"])
        arguments = {"order_number": number, "email": None, "postcode": None, "name": name}
        arguments["email" if "@" in proof else "postcode"] = proof
        yield (ToolCall("call_1", "find_order", json.dumps(arguments)),)


async def by_form(text: str, address: str) -> str:
    """Return the page after a message without JavaScript, in a browser that nobody knows."""
    browser = AsyncClient()
    await browser.get("/")
    await browser.post("/messages/", {"text": text}, headers={"X-Forwarded-For": address})
    page = await browser.get("/")
    return str(page.content.decode())


async def by_api(text: str, address: str) -> str:
    answer = await Program().ask(text, address)
    return str(json.loads(answer.content)["response"])


async def by_events(text: str, address: str) -> str:
    answer: Any = await Program().ask(text, address, Accept="text/event-stream")
    return b"".join([part async for part in answer]).decode()


@dataclass
class Program:
    client: AsyncClient = field(default_factory=AsyncClient)

    async def ask(self, text: str, address: str, **headers: str) -> Any:
        return await self.client.post(
            "/api/chat",
            json.dumps({"message": text}),
            content_type="application/json",
            headers={"X-Forwarded-For": address, **headers},
        )


@pytest.mark.parametrize("ask", [by_form, by_api, by_events])
async def test_new_cookies_do_not_try_for_ever(ask, model, settings):
    settings.ENV = replace(
        settings.ENV, trusted_proxies=1, chat_rate_per_minute=0, chat_rate_per_address_per_minute=0
    )
    await database_sync_to_async(load_orders)(DEMO_ORDERS)
    model(Obeying())

    for turn in range(attempts.PER_NETWORK.amount):
        answer = await ask(f"CMD-2026-{turn:05} 69003 Dupont", "192.0.2.7")
        assert "Aucune commande" in answer
    right = "CMD-2026-10001 jean@example.fr Dupont"
    refused = await ask(right, "192.0.2.7")
    elsewhere = await ask(right, "198.51.100.7")

    assert "Trop d" in refused
    assert "ANNECY" not in refused
    assert "ANNECY" in elsewhere
