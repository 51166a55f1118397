"""The requester's "before": a small copy of the blocking design, to measure it where ours runs.

A synchronous client in an asynchronous view, made for each request; ``.env`` read for each
request; a session read, appended to and written back whole under one key.

``python -m chat.bench.naive MODEL_URL REDIS_URL``.
"""

from __future__ import annotations

import json
import sys

import redis
from dotenv import dotenv_values
from openai import OpenAI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chat.bench.hosting import serve
from meuble_project.env import ROOT

MODEL = "assistant-local"
TTL_S = 86_400


def naive(model_url: str, redis_url: str) -> Starlette:
    store = redis.Redis.from_url(redis_url)

    async def chat(request: Request) -> Response:
        dotenv_values(ROOT / ".env.example")
        client = OpenAI(api_key="bench", base_url=model_url)
        body = await request.json()
        key = f"naive:{body.get('session_id', 'one')}"
        history = json.loads(store.get(key) or "[]")
        history.append({"role": "user", "content": body["message"]})
        completion = client.chat.completions.create(model=MODEL, messages=history[-20:])
        answer = completion.choices[0].message.content
        history.append({"role": "assistant", "content": answer})
        store.set(key, json.dumps(history), ex=TTL_S)
        return JSONResponse({"response": answer})

    async def empty(request: Request) -> Response:
        return JSONResponse({})

    return Starlette(routes=[Route("/chat", chat, methods=["POST"]), Route("/empty", empty)])


if __name__ == "__main__":
    serve(naive(sys.argv[1], sys.argv[2]))
