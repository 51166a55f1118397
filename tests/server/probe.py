"""A worker with an application made for testing the worker: ``python -m tests.server.probe``.

The only argument is JSON: ``grace_s``, and ``bounds`` other than the product's, like
``{"head_s": 0.2}``. The first line printed is the URL.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any

from chat.conversations.realtime.events import Failed, encode
from chat.core import metrics
from chat.core.errors import Forbidden, PayloadTooLarge, RateLimited
from chat.core.supervisor import DRAIN
from server.limits import Bounds
from server.worker import Worker

TOKENS = 10
_working = asyncio.Event()
_turns: set[asyncio.Task[None]] = set()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    doors = SOCKETS if scope["type"] == "websocket" else PAGES
    await doors[scope["path"].removeprefix("/admin")](scope, receive, send)


# Pages


async def count_body(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer how many bytes came, in how many pieces."""
    size, pieces, more = 0, 0, True
    while more:
        event = await receive()
        size, pieces, more = size + len(event["body"]), pieces + 1, event["more_body"]
    await answer(send, f"{size} bytes in {pieces}")


async def tell_length(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer what the head says of the body's length."""
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    names = ("content-length", "transfer-encoding")
    await answer(send, json.dumps({name: headers.get(name) for name in names}))


async def tell_root(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer below which path the application believes to be."""
    await answer(send, json.dumps(scope["root_path"]))


async def dropped(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer how many clients were dropped, by reason."""
    counts = {
        reason: metrics.clients_dropped.labels(reason=reason)._value.get()
        for reason in ("slow", "flood")
    }
    await answer(send, json.dumps(counts))


async def pour(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer with 64 MiB."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(1024):
        await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
    await send({"type": "http.response.body"})


async def write_turn(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Stream tokens, most of them after the worker was told to stop."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    async for token in turn():
        await send({"type": "http.response.body", "body": token.encode(), "more_body": True})
    await send({"type": "http.response.body"})


async def stall(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Begin an answer and do not end it."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    await asyncio.Event().wait()


async def never(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await asyncio.Event().wait()


async def fail(scope: dict[str, Any], receive: Any, send: Any) -> None:
    raise RuntimeError("a bug in the application")


async def fail_late(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise RuntimeError("a bug in the application")


async def say_nothing(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Return without an answer."""


async def background(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer once the background work has begun."""
    await _working.wait()
    await answer(send, "working")


async def admit(scope: dict[str, Any]) -> str:
    """Admit a long body for whom its head names, unless its head asks to be refused."""
    headers = dict(scope["headers"])
    if b"x-refuse" in headers:
        raise RateLimited(retry_after_s=7) if headers[b"x-refuse"] == b"rate" else Forbidden
    return str(headers.get(b"x-sender", b"somebody"))


async def work_in_background() -> None:
    _working.set()
    await asyncio.Event().wait()


async def answer(send: Any, text: str) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text.encode()})


# Sockets


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    async for event in frames(receive, send):
        kind = "text" if "text" in event else "bytes"
        await send({"type": "websocket.send", kind: event[kind]})


async def tell_root_open(scope: dict[str, Any], receive: Any, send: Any) -> None:
    async for _ in frames(receive, send):
        await send({"type": "websocket.send", "text": json.dumps(scope["root_path"])})


async def stuck(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Hear one frame and never another."""
    async for _ in frames(receive, send):
        await asyncio.Event().wait()


async def chatter(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Talk without end to whoever says something."""
    async for _ in frames(receive, send):
        while True:
            await send({"type": "websocket.send", "text": "x" * 1000})
            await asyncio.sleep(0)


async def long_state(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer with one message of 3 MiB and a few short ones."""
    async for _ in frames(receive, send):
        await send({"type": "websocket.send", "text": "x" * 3 * 2**20})
        for _ in range(10):
            await send({"type": "websocket.send", "text": "short"})


async def answer_turn(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Stream tokens in a task of its own, most of them after the worker was told to stop."""
    tasks = [asyncio.create_task(say_turn(send)) async for event in frames(receive, send) if event]
    await asyncio.gather(*tasks)


async def say_turn(send: Any) -> None:
    with DRAIN.get().busy():
        async for token in turn():
            await send({"type": "websocket.send", "text": token})


async def say_after_close(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": 4404})
    await send({"type": "websocket.send", "text": "nobody hears this"})


async def reject(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.close"})


async def leave(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Return while the socket is open."""
    async for _ in frames(receive, send):
        return


async def fail_open(scope: dict[str, Any], receive: Any, send: Any) -> None:
    async for _ in frames(receive, send):
        raise RuntimeError("a bug in the application")


async def frames(receive: Any, send: Any) -> Any:
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        yield event


async def turn() -> Any:
    """The first token at once, the others after the signal."""
    yield "0 "
    while not DRAIN.get().is_begun:
        await asyncio.sleep(0.01)
    for number in range(1, TOKENS):
        await asyncio.sleep(0.02)
        yield f"{number} "


PAGES = {
    "/background": background,
    "/count": count_body,
    "/photos/": count_body,
    "/length": tell_length,
    "/suivi/SAV-1:secret/": tell_root,
    "/root": tell_root,
    "/dropped": dropped,
    "/pour": pour,
    "/turn": write_turn,
    "/stall": stall,
    "/never": never,
    "/fail": fail,
    "/fail-late": fail_late,
    "/say-nothing": say_nothing,
}
SOCKETS = {
    "/echo": echo,
    "/root": tell_root_open,
    "/stuck": stuck,
    "/chatter": chatter,
    "/long-state": long_state,
    "/turn": answer_turn,
    "/say-after-close": say_after_close,
    "/reject": reject,
    "/leave": leave,
    "/fail": fail_open,
}


def main(grace_s: float, bounds: dict[str, Any]) -> None:
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    worker = Worker(
        application,
        host="127.0.0.1",
        port=0,
        grace_s=grace_s,
        drain=DRAIN.get(),
        too_long=encode(Failed.from_error(PayloadTooLarge())),
        bounds=Bounds(**bounds),
        admit=admit,
        background=work_in_background,
    )
    sys.stdout.write(worker.listen() + "\n")
    sys.stdout.flush()
    worker.run()


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
