"""OpenAI's JSON: completions, stream chunks, errors, models.

Source: https://platform.openai.com/docs/api-reference/chat and a recorded stream.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

from chat.simulator.request import JSON

DONE = b"data: [DONE]\n\n"
FINGERPRINT = "fp_meubledefrance"


@dataclass(frozen=True, slots=True)
class Usage:
    prompt: int
    completion: int

    def to_json(self) -> JSON:
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }


def dumps(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@lru_cache(maxsize=8192)
def _quoted(text: str) -> bytes:
    return dumps(text)


class Chunks:
    """The ``chat.completion.chunk`` events of one answer, each a whole SSE event.

    Only what differs is written anew for each token: the rest is kept as bytes.
    """

    def __init__(self, id_: str, created: int, model: str, *, include_usage: bool) -> None:
        head: JSON = {
            "id": id_,
            "object": "chat.completion.chunk",
            "created": created,
            "model": model,
            "service_tier": "default",
            "system_fingerprint": FINGERPRINT,
        }
        self._head = b"data: " + dumps(head)[:-1] + b',"choices":'
        self._tail = (b',"usage":null' if include_usage else b"") + b"}\n\n"
        self._text_head = self._head + b'[{"index":0,"delta":{"content":'
        self._text_tail = b'},"logprobs":null,"finish_reason":null}]' + self._tail

    def text(self, token: str) -> bytes:
        return self._text_head + _quoted(token) + self._text_tail

    def role(self) -> bytes:
        return self._choice({"role": "assistant", "content": "", "refusal": None})

    def call(self, call_id: str, name: str) -> bytes:
        """The first chunk of an answer that calls a tool; its arguments follow."""
        function = {"name": name, "arguments": ""}
        call = {"index": 0, "id": call_id, "type": "function", "function": function}
        return self._choice(
            {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None}
        )

    def arguments(self, fragment: str) -> bytes:
        return self._choice({"tool_calls": [{"index": 0, "function": {"arguments": fragment}}]})

    def finish(self, reason: str) -> bytes:
        return self._choice({}, reason)

    def usage(self, usage: Usage) -> bytes:
        return self._head + b'[],"usage":' + dumps(usage.to_json()) + b"}\n\n"

    def _choice(self, delta: JSON, reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return self._head + dumps([choice]) + self._tail


def completion(
    id_: str, created: int, model: str, message: JSON, reason: str | None, usage: Usage
) -> JSON:
    """Return a whole answer. ``message``: its content or tool_calls."""
    whole = {"role": "assistant", "content": None, **message, "refusal": None, "annotations": []}
    choice = {"index": 0, "message": whole, "logprobs": None, "finish_reason": reason}
    return {
        "id": id_,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [choice],
        "usage": usage.to_json(),
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }


def error(message: str, type_: str, code: str | None = None, param: str | None = None) -> JSON:
    return {"error": {"message": message, "type": type_, "param": param, "code": code}}


def model(id_: str) -> JSON:
    return {"id": id_, "object": "model", "created": 1_735_689_600, "owned_by": "meuble-de-france"}


def models(*ids: str) -> JSON:
    return {"object": "list", "data": [model(id_) for id_ in ids]}
