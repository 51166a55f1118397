"""The contract of the API, for programs and for people."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.safestring import SafeString

from chat.conversations.markup import safe_html_of
from chat.conversations.types import Author, Message
from chat.core import rate_limits
from chat.core.client_address import request_address
from chat.web.api.api_view import ApiView
from chat.web.api.openapi import document
from chat.web.api.problems import ALL_BY_CODE

CACHE_CONTROL = "public, max-age=300"


class OpenAPI(ApiView):
    """``/api/openapi.json``"""

    public = True

    async def get(self, request: HttpRequest) -> HttpResponse:
        rate_limits.check_page("", request_address(request))
        return JsonResponse(
            document(),
            json_dumps_params={"ensure_ascii": False},
            headers={"Cache-Control": CACHE_CONTROL},
        )


class Docs(ApiView):
    """``/api/docs``: the same contract, to read; each error code has its anchor."""

    public = True

    async def get(self, request: HttpRequest) -> HttpResponse:
        rate_limits.check_page("", request_address(request))
        contract = document()
        context = {
            "shop_name": settings.ENV.shop_name,
            "introduction": _prose(contract["info"]["description"]),
            "operations": _operations(contract),
            "schemas": _schemas(contract),
            "errors": ALL_BY_CODE.values(),
            "base_url": request.build_absolute_uri("/").rstrip("/"),
        }
        return render(request, "chat/api_docs.html", context)


def _operations(contract: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "method": method.upper(),
            "path": path,
            "needs_key": "security" not in operation,
            "summary": operation["summary"],
            "description": _prose(operation.get("description", "")),
            "statuses": sorted(operation["responses"]),
            "takes": _names_in(operation.get("requestBody", {})),
            "gives": _names_in(operation["responses"].get("200", {})),
            "stream": _prose(_stream_of(operation)),
        }
        for path, item in contract["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]


def _stream_of(operation: dict[str, Any]) -> str:
    content = operation["responses"].get("200", {}).get("content", {})
    description: str = content.get("text/event-stream", {}).get("schema", {}).get("description", "")
    return description


def _prose(markdown: str) -> SafeString:
    """Markdown of ours, rendered as the assistant's is; there, a line's end is one on the page."""
    text = re.sub(r"(?<!\n)\n(?!\n)", " ", markdown)
    return safe_html_of(Message(author=Author.ASSISTANT, text=text))


def _names_in(body: dict[str, Any]) -> list[str]:
    """Names of the shapes that a body refers to, e.g. ``["Answer"]``."""
    schemas = [media.get("schema", {}) for media in body.get("content", {}).values()]
    return [schema["$ref"].rsplit("/", 1)[1] for schema in schemas if "$ref" in schema]


def _schemas(contract: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "members": [
                {
                    "name": member,
                    "type": _type_of(of),
                    "required": member in schema["required"],
                    "description": of.get("description", ""),
                    "values": of.get("enum", []),
                }
                for member, of in schema["properties"].items()
            ],
        }
        for name, schema in contract["components"]["schemas"].items()
    ]


def _type_of(schema: dict[str, Any]) -> str:
    kind = schema["type"]
    if kind == "array":
        items = schema["items"]
        return f"[{items['$ref'].rsplit('/', 1)[1] if '$ref' in items else _type_of(items)}…]"
    return " | ".join(kind) if isinstance(kind, list) else str(kind)
