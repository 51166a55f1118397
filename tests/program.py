"""A program that uses the API. Whatever it is answered is held against the contract."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import jsonschema
from django.http.response import HttpResponseBase
from django.test import AsyncClient

from chat.web.api.openapi import document


@dataclass
class Program:
    """``key``: what it sends as ``Authorization: Bearer``, if anything."""

    key: str = ""
    client: AsyncClient = field(default_factory=AsyncClient)

    async def ask(self, message: object = "Bonjour", **members: Any) -> Any:
        return await self.post(json.dumps({"message": message, **members}))

    async def post(
        self, body: str | bytes, content_type: str = "application/json", **headers: str
    ) -> Any:
        return await self.call("POST", "/api/chat", body, content_type, **headers)

    async def get(self, path: str) -> Any:
        return await self.call("GET", path)

    async def call(
        self,
        method: str,
        path: str,
        body: str | bytes = b"",
        content_type: str = "application/json",
        **headers: str,
    ) -> Any:
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        response = await self.client.generic(
            method, path, body, content_type=content_type, headers=headers
        )
        check_contract(method, path, response)
        return response

    async def ask_in_events(self, message: str = "Bonjour", **members: Any) -> Any:
        """The stream, or the problem."""
        body = json.dumps({"message": message, **members})
        return await self.post(body, Accept="text/event-stream")


async def events_in(response: Any) -> list[tuple[int, Any]]:
    """Read a stream to its end: number and content of each event. Comments are left out."""
    text = b"".join([part async for part in response]).decode()
    events = []
    for block in text.removesuffix("\n\n").split("\n\n"):
        if block.startswith(":"):
            continue
        number, data = re.fullmatch(r"id: (\d+)\ndata: (.+)", block).groups()  # type: ignore[union-attr]
        events.append((int(number), json.loads(data)))
    return events


def check_contract(method: str, path: str, response: HttpResponseBase) -> None:
    """Fail when this answer is not one that ``openapi.py`` announces."""
    contract = document()
    operation = _operation(contract, method, path)
    if operation is None:
        assert response.status_code in (204, 404, 405), "an address that the contract omits"
        return
    announced = operation["responses"][str(response.status_code)]
    if "$ref" in announced:
        announced = contract["components"]["responses"][announced["$ref"].rsplit("/", 1)[1]]
    _check_headers(announced, response)
    if "content" not in announced:
        return
    media_type = response.headers["Content-Type"].partition(";")[0]
    schema = announced["content"][media_type].get("schema")
    if schema is None or response.streaming:
        return
    jsonschema.validate(
        json.loads(response.content),  # type: ignore[attr-defined]
        {**schema, "components": contract["components"]},
        jsonschema.Draft202012Validator,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )


def _check_headers(announced: dict[str, Any], response: HttpResponseBase) -> None:
    for name, header in announced.get("headers", {}).items():
        if name in response.headers:
            assert int(response.headers[name]) >= 1
        else:
            assert not header["required"], f"{name} is missing"


def _operation(contract: dict[str, Any], method: str, path: str) -> dict[str, Any] | None:
    plain = path.rstrip("/")
    paths = contract["paths"]
    template = plain if plain in paths else "/api/chat/{session_id}"
    if template != plain and not plain.startswith("/api/chat/"):
        return None
    operation: dict[str, Any] | None = paths[template].get(method.lower())
    return operation
