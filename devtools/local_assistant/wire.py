"""Encoding of OpenAI's JSON: completions, stream chunks, errors, models.

Source: https://platform.openai.com/docs/api-reference/chat and a recorded stream.
"""

from __future__ import annotations

import json
from functools import lru_cache

from aiohttp import web

from devtools.local_assistant.request import JSON

DONE = b"data: [DONE]\n\n"


def dumps(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def json_response(data: object, status: int = 200) -> web.Response:
    return web.Response(body=dumps(data), status=status, content_type="application/json")


@lru_cache(maxsize=8192)
def _quoted(text: str) -> bytes:
    return dumps(text)


class Chunks:
    """Encoder of the ``chat.completion.chunk`` events of one answer, each a complete SSE event.

    The constant part is encoded once; only the rest is encoded for each token.
    """

    def __init__(self, id_: str, created: int, model: str, *, include_usage: bool) -> None:
        head = dumps(_head(id_, "chat.completion.chunk", created, model))
        self._head = b"data: " + head[:-1] + b',"choices":'
        self._tail = (b',"usage":null' if include_usage else b"") + b"}\n\n"
        self._text_head = self._head + b'[{"index":0,"delta":{"content":'
        self._text_tail = b'},"logprobs":null,"finish_reason":null}]' + self._tail
        self._include_usage = include_usage

    def text(self, token: str) -> bytes:
        return self._text_head + _quoted(token) + self._text_tail

    def role(self) -> bytes:
        return self._choice({"role": "assistant", "content": "", "refusal": None})

    def call(self, call_id: str, name: str) -> bytes:
        """Encode the first chunk of a tool call; its arguments follow."""
        calls = [{"index": 0, **tool_call(call_id, name, "")}]
        whole = {"role": "assistant", "content": None, "tool_calls": calls, "refusal": None}
        return self._choice(whole)

    def arguments(self, fragment: str) -> bytes:
        return self._choice({"tool_calls": [{"index": 0, "function": {"arguments": fragment}}]})

    def finish(self, reason: str, usage: JSON) -> bytes:
        """Encode the last chunk, the usage if requested, and the end of the stream."""
        told = self._head + b'[],"usage":' + dumps(usage) + b"}\n\n" if self._include_usage else b""
        return self._choice({}, reason) + told + DONE

    def _choice(self, delta: JSON, reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return self._head + dumps([choice]) + self._tail


def _head(id_: str, kind: str, created: int, model: str) -> JSON:
    head: JSON = {"id": id_, "object": kind, "created": created, "model": model}
    return {**head, "service_tier": "default", "system_fingerprint": "fp_meubledefrance"}


def completion(
    id_: str, created: int, model: str, message: JSON, reason: str | None, usage: JSON
) -> JSON:
    """Return an answer that is not streamed. ``message``: its content or tool_calls."""
    whole = {"role": "assistant", "content": None, **message, "refusal": None, "annotations": []}
    choice = {"index": 0, "message": whole, "logprobs": None, "finish_reason": reason}
    return {**_head(id_, "chat.completion", created, model), "choices": [choice], "usage": usage}


def tool_call(call_id: str, name: str, arguments: str) -> JSON:
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


def usage(prompt: int, completion: int) -> JSON:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def error(message: str, type_: str, param: str | None = None) -> JSON:
    return {"error": {"message": message, "type": type_, "param": param, "code": None}}


def model(id_: str) -> JSON:
    return {"id": id_, "object": "model", "created": 1_735_689_600, "owned_by": "meuble-de-france"}
