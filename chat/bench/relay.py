"""The floor: what a strong engineer would write by hand to pass a model's words on, and no more.

No store, no Django, no tools, no checks: one ``AsyncOpenAI``, its typed stream, Starlette. Served
by uvicorn with uvloop and httptools, as Starlette's users do: what is bare is the work done,
not the server.

``python -m chat.bench.relay MODEL_URL``
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator

from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionUserMessageParam
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from chat.bench.hosting import serve

MODEL = "assistant-local"
DONE = json.dumps({"type": "message.done", "message": {"author": "assistant"}})


class Relay:
    """One client for all requests."""

    def __init__(self, model_url: str) -> None:
        self._client = AsyncOpenAI(api_key="bench", base_url=model_url)

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/stream", self.stream, methods=["POST"]),
                Route("/whole", self.whole, methods=["POST"]),
                Route("/collected", self.collected, methods=["POST"]),
                Route("/empty", empty),
                WebSocketRoute("/socket", self.talk),
            ]
        )

    async def stream(self, request: Request) -> Response:
        body = await request.json()
        return StreamingResponse(self._frames(body["message"]), media_type="text/event-stream")

    async def whole(self, request: Request) -> Response:
        body = await request.json()
        completion = await self._client.chat.completions.create(
            model=MODEL, messages=[_asked(body["message"])]
        )
        return JSONResponse({"response": completion.choices[0].message.content})

    async def collected(self, request: Request) -> Response:
        """The same of a streamed answer, as whoever wants to stop it, or to look at it, asks."""
        body = await request.json()
        pieces = [
            json.loads(event).get("text", "") async for event in self._events(body["message"])
        ]
        return JSONResponse({"response": "".join(pieces)})

    async def talk(self, socket: WebSocket) -> None:
        await socket.accept()
        try:
            while True:
                asked = await socket.receive_json()
                async for event in self._events(asked["text"]):
                    await socket.send_text(event)
        except WebSocketDisconnect:
            return

    async def _frames(self, text: str) -> AsyncIterator[str]:
        async for event in self._events(text):
            yield f"data: {event}\n\n"

    async def _events(self, text: str) -> AsyncIterator[str]:
        stream = await self._client.chat.completions.create(
            model=MODEL, messages=[_asked(text)], stream=True
        )
        async with stream:
            async for chunk in stream:
                if chunk.choices and (content := chunk.choices[0].delta.content):
                    yield json.dumps({"type": "message.delta", "text": content})
        yield DONE


async def empty(request: Request) -> Response:
    return JSONResponse({})


def _asked(text: str) -> ChatCompletionUserMessageParam:
    return {"role": "user", "content": text}


if __name__ == "__main__":
    serve(Relay(sys.argv[1]).application())
