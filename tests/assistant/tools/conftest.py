from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

from chat.assistant.tools import use
from chat.assistant.tools.types import Tool, ToolContext
from chat.conversations.types import Author, Message, Session
from chat.shop.orders.loader import load_orders
from devtools.demo.data import DEMO_ORDERS


def session_of(*said: str, id_: str = "camille") -> Session:
    """A conversation in which the customer said this, and an adviser another order's proof."""
    moment = datetime(2026, 11, 23, 9, tzinfo=UTC)
    messages = [Message(author=Author.CUSTOMER, text=text) for text in said]
    messages.append(Message(author=Author.ASSISTANT, text="CMD-2026-10001 et 69003 ?"))
    return Session(
        id=id_,
        owner="web",
        epoch="1",
        created_at=moment,
        expires_at=moment,
        messages=tuple(messages),
    )


Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def ask() -> Ask:
    """Call a tool as the model does, with arguments that its schema allows."""

    async def ask(tool: Tool, session: Session, **arguments: Any) -> dict[str, Any]:
        given = {**dict.fromkeys(tool.parameters["properties"]), **arguments}
        jsonschema.validate(given, tool.parameters)
        return await use(tool, json.dumps(given), ToolContext(session, ""))

    return ask


@pytest.fixture
def _orders(transactional_db: None) -> None:
    load_orders(DEMO_ORDERS)
