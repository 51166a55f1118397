"""Reference applications of the bench ("floor" and "before"), as one small Starlette application.

The floor is the minimal hand-written relay of a model's stream: no store, no Django, no tools, no
checks, one ``AsyncOpenAI`` for all requests and its typed stream.

"Before" (``/chat``) is a copy of the requester's blocking design: a synchronous client in an
asynchronous view, made for each request; ``.env`` read for each request; a session read, appended
to and written back whole under one key. It runs in a process of its own.

Served by uvicorn with uvloop and httptools, the usual server of Starlette: only the work per
request is minimal. ``python -m devtools.bench.floor MODEL_URL REDIS_URL``
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import AsyncIterator

import redis
import uvicorn
from dotenv import dotenv_values
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionUserMessageParam
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from chat.management.exit_with_parent import end_with_input
from meuble_project.env import ROOT

MODEL = "assistant-local"
DONE = json.dumps({"type": "message.done", "message": {"author": "assistant"}})
TTL_S = 86_400
BACKLOG = 4096


async def stream(request: Request) -> Response:
    body = await request.json()
    events = _events(request.app.state.model, body["message"])
    frames = (f"data: {event}\n\n" async for event in events)
    return StreamingResponse(frames, media_type="text/event-stream")


async def whole(request: Request) -> Response:
    body = await request.json()
    completion = await request.app.state.model.chat.completions.create(
        model=MODEL, messages=[_asked(body["message"])]
    )
    return JSONResponse({"response": completion.choices[0].message.content})


async def collected(request: Request) -> Response:
    """Return a whole answer that is read from the model as a stream."""
    body = await request.json()
    events = _events(request.app.state.model, body["message"])
    pieces = [json.loads(event).get("text", "") async for event in events]
    return JSONResponse({"response": "".join(pieces)})


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            asked = await socket.receive_json()
            async for event in _events(socket.app.state.model, asked["text"]):
                await socket.send_text(event)
    except WebSocketDisconnect:
        return


async def empty(request: Request) -> Response:
    return JSONResponse({})


async def _events(model: AsyncOpenAI, text: str) -> AsyncIterator[str]:
    stream = await model.chat.completions.create(model=MODEL, messages=[_asked(text)], stream=True)
    async with stream:
        async for chunk in stream:
            if chunk.choices and (content := chunk.choices[0].delta.content):
                yield json.dumps({"type": "message.delta", "text": content})
    yield DONE


def _asked(text: str) -> ChatCompletionUserMessageParam:
    return {"role": "user", "content": text}


async def before(request: Request) -> Response:
    dotenv_values(ROOT / ".env.example")
    store, model_url = request.app.state.store, request.app.state.model_url
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


def serve(model_url: str, redis_url: str) -> None:
    """Print the URL, then serve on loopback until standard input ends."""
    posts = {"/stream": stream, "/whole": whole, "/collected": collected, "/chat": before}
    routes = [Route(path, view, methods=["POST"]) for path, view in posts.items()]
    application = Starlette(
        routes=[*routes, Route("/empty", empty), WebSocketRoute("/socket", talk)]
    )
    application.state.model = AsyncOpenAI(api_key="bench", base_url=model_url)
    application.state.model_url = model_url
    application.state.store = redis.Redis.from_url(redis_url)
    threading.Thread(target=end_with_input, daemon=True).start()
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(
        application,
        log_level="warning",
        access_log=False,
        backlog=BACKLOG,
        ws="websockets-sansio",
        ws_per_message_deflate=False,  # as the driver requests from our worker
        lifespan="off",
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    serve(*sys.argv[1:])
