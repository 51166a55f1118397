"""Records that no worker can read, and messages that none understands, put into Redis."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import redis.asyncio
from channels_redis.serializers import registry

from chat.conversations.store.redis.document import watch_channel
from tests.faults.adviser import DESK
from tests.faults.answers import question
from tests.faults.cluster import Cluster, WorkerProcess, erase, measured
from tests.faults.scenario import Strike
from tests.faults.scene import Scene, ask
from tests.faults.visitor import Visitor

#: Of the sweep, which comes round every second, and of a lease that somebody may still hold.
SWEPT_S = 8
#: Milliseconds where workers hear one another, never where they do not.
TOLD_S = 3
#: Pages that wait for something read it again by themselves once, until then.
QUIET_S = 3
LOOK_S = 0.1
WORKERS = "chat__group__workers"


@dataclass(frozen=True)
class Defect:
    """``text``: what becomes of the document. ``fields``: of the hash. ``{id}``: of its question.

    ``hash_lost``: the document is all there is. ``no_text``: the key is a list.
    """

    text: Callable[[str], str] = str
    fields: Mapping[str, str] = field(default_factory=dict)
    hash_lost: bool = False
    no_text: bool = False


def _newer(text: str) -> str:
    document = json.loads(text)
    messages = document["messages"]
    document["messages"] = [{"v": 2, "id": m["id"], "parts": [m["text"]]} for m in messages]
    return json.dumps(document)


DEFECTS = {
    "cut": Defect(lambda text: text[:-20]),
    "author": Defect(lambda text: text.replace('"customer"', '"robot"')),
    "newer": Defect(_newer),
    "list": Defect(lambda text: "[]"),
    "bytes": Defect(lambda text: "\x00\udcff\x00"),
    "end": Defect(fields={"t:{id}": "postponed|x"}),
    "moments": Defect(fields={"hold_until": "bientôt", "asked_at": "hier", "adviser_at": "x"}),
    "form": Defect(fields={"form": "{", "form_version": "x"}),
    "alone": Defect(lambda text: text[:-20], hash_lost=True),
    "key": Defect(no_text=True),
}


class Records:
    """Conversations made by the API at one worker, then broken in Redis behind its back."""

    def __init__(self, scene: Scene, worker: WorkerProcess, client: Any) -> None:
        self._scene = scene
        self._worker = worker
        self._client = client
        self._run = scene.record.scenario.replace(" ", "-").replace(",", "")

    async def make(self, name: str, say: str = "") -> tuple[str, str]:
        """Have somebody ask and be answered; return the ids of session and question."""
        session_id = f"{self._run}-{name}"
        body = {"message": say or question(session_id, 1), "session_id": session_id}
        url = f"http://{self._worker.address}/api/chat"
        async with self._scene.cluster.web.post(url, json=body) as response:
            told = await response.json()
            assert response.status == 200, told
        document = json.loads(await self._client.get(f"session:{session_id}") or "{}")
        return session_id, document["messages"][0]["id"] if document else ""

    async def hold(self, session_id: str, ago_s: int) -> None:
        """Have an adviser hold it who left so long ago."""
        at = await self._ago(ago_s)
        fields = {"adviser": "Zoé", "adviser_id": "99", "hold_until": str(at), "state": "held"}
        await self._client.hset(f"chat:state:{session_id}", mapping=fields)
        await self._client.zadd("chat:held", {session_id: at})

    async def open(self, session_id: str, question_id: str, ago_s: int) -> None:
        """Have its question wait again, and nobody answer it since then."""
        at = await self._ago(ago_s)
        key, state = f"session:{session_id}", f"chat:state:{session_id}"
        document = json.loads(await self._client.get(key))
        gone = [f"m:{message['id']}" for message in document["messages"][1:]]
        document["messages"] = document["messages"][:1]
        await self._client.set(key, json.dumps(document), keepttl=True)
        await self._client.hdel(state, f"t:{question_id}", *gone)
        fields = {"pending": question_id, "head_at": str(at), "n": "1", "state": "answering"}
        await self._client.hset(state, mapping=fields)
        await self._client.zadd("chat:turns", {session_id: at})

    async def spoil(self, session_id: str, question_id: str, defect: Defect) -> None:
        key, state = f"session:{session_id}", f"chat:state:{session_id}"
        text = (await self._client.get(key)).decode()
        fields = {name.format(id=question_id): value for name, value in defect.fields.items()}
        if fields:
            await self._client.hset(state, mapping=fields)
        if defect.hash_lost:
            await self._client.delete(state)
        spoilt = defect.text(text).encode(errors="surrogateescape")
        if defect.no_text:
            await self._client.delete(key)
            await self._client.rpush(key, spoilt)
        else:
            await self._client.set(key, spoilt, keepttl=True)

    async def spoil_all(self, kind: str) -> list[str]:
        """Make one of each; ``kind``: "held", "open" or "" is what it was before. Return ids."""
        made = await asyncio.gather(*(self.make(f"{name}{kind}") for name in DEFECTS))
        for (session_id, question_id), defect in zip(made, DEFECTS.values(), strict=True):
            if kind == "held":
                await self.hold(session_id, 600)
            elif kind == "open":
                await self.open(session_id, question_id, 600)
            await self.spoil(session_id, question_id, defect)
        return [session_id for session_id, _ in made]

    async def field(self, session_id: str, name: str) -> str:
        value: bytes | None = await self._client.hget(f"chat:state:{session_id}", name)
        return (value or b"").decode()

    async def _ago(self, seconds: int) -> int:
        now_s, _ = await self._client.time()
        return (int(now_s) - seconds) * 1000


async def in_the_sweep(scene: Scene, strike: Strike, victim: WorkerProcess) -> None:
    """Break conversations that the sweep comes upon first; others must be swept all the same."""
    async with redis.asyncio.Redis.from_url(scene.cluster.redis.url) as client:
        records = Records(scene, victim, client)
        held, _ = await records.make("sound-held")
        asked, question_id = await records.make("sound-open")
        await records.spoil_all("held")
        await records.spoil_all("open")
        await records.hold(held, 60)
        await records.open(asked, question_id, 60)

        async def handed_back() -> None:
            while await records.field(held, "adviser"):
                await asyncio.sleep(LOOK_S)

        async def answered() -> None:
            while not await records.field(asked, f"t:{question_id}"):
                await asyncio.sleep(LOOK_S)

        await asyncio.gather(
            scene.must("a conversation is handed back", SWEPT_S, handed_back()),
            scene.must("an orphan is answered", SWEPT_S, answered()),
        )
    await _look_around(scene)


async def in_give_back(scene: Scene, strike: Strike, victim: WorkerProcess) -> None:
    """Break conversations, go on with them while Redis is away, and have it back."""
    cluster = scene.cluster
    async with redis.asyncio.Redis.from_url(cluster.redis.url) as client:
        records = Records(scene, victim, client)
        spoilt = await records.spoil_all("")
    kept: list[str] = []
    async with without_redis(cluster):
        await until_degraded(scene, [victim])
        for id_ in spoilt:
            body = {"message": question(f"{id_}-later", 1), "session_id": id_}
            url = f"http://{victim.address}/api/chat"
            async with cluster.web.post(url, json=body) as response:
                if response.status == 200:
                    kept.append(f"{id_}-later")
        await asyncio.sleep(strike.lasts_s)
    await scene.witness.see_it_back()
    async with redis.asyncio.Redis.from_url(cluster.redis.url) as client:
        everything = await _everything(client)
    lost = [mark for mark in kept if mark not in everything]
    if lost:
        scene.record.broken.append(f"acknowledged and nowhere in Redis: {lost}")
    await _look_around(scene)


@asynccontextmanager
async def without_redis(cluster: Cluster) -> AsyncIterator[None]:
    """Kill Redis, and start it again with what it had kept."""
    await asyncio.to_thread(cluster.redis.kill)
    try:
        yield
    finally:
        await asyncio.to_thread(cluster.redis.start)


async def until_degraded(scene: Scene, workers: Sequence[WorkerProcess]) -> None:
    """Wait until these workers go on from memory; they notice at their next call."""
    for worker in workers:
        while not await measured(scene.cluster.web, worker.address, "chat_store_degraded"):
            await asyncio.sleep(LOOK_S)


async def _look_around(scene: Scene) -> None:
    """What shows all conversations shows those that can be read."""
    pages = [DESK, f"{DESK}?q=mots", "/admin/"]
    for worker in scene.cluster.running:
        for path in pages:
            if (status := await scene.cluster.adviser.look(worker.address, path)) != 200:
                scene.record.broken.append(f"{worker.name}{path} answered {status}")
        for path in ("/api/chat/sessions/count", "/metrics"):
            async with scene.cluster.web.get(f"http://{worker.address}{path}") as response:
                if response.status != 200:
                    scene.record.broken.append(f"{worker.name}{path} answered {response.status}")


async def _everything(client: Any) -> str:
    parts = []
    async for key in client.scan_iter():
        raw, kind = b"", await client.type(key)
        if kind == b"string":
            raw = await client.get(key)
        elif kind == b"list":
            raw = b" ".join(await client.lrange(key, 0, -1))
        elif kind == b"hash":
            raw = b" ".join((await client.hgetall(key)).values())
        parts.append(raw.decode(errors="replace"))
    return "\n".join(parts)


# Messages


def strange_messages(session_id: str) -> list[bytes]:
    """What a newer release, another program or a broken one might send to all workers."""
    group = watch_channel(session_id).removeprefix("chat__group__")
    known = {"from": "elsewhere"}
    messages: list[Any] = [
        {"type": "weather", **known},
        {"type": "forget", **known},
        {"type": "forget", "session": 7, **known},
        {"type": "forget", "session": {}, **known},
        {"type": "beat", **known},
        {"type": "beat", "number": "x", **known},
        {"type": "beat", "number": 1},
        {"type": "beat", "number": 1, "from": {}},
        {"type": "event", **known},
        {"type": "event", "group": [], **known},
        {"type": "event", "group": group, **known},
        {"type": "event", "group": group, "event": 1, "about": [], "text": {}, **known},
        {"type": "order", "group": group, "order": {}, **known},
        {"type": "order", "group": group, **known},
        {"type": None},
        {"type": []},
        {},
        [1, 2],
        "text",
        None,
    ]
    serializer = registry.get_serializer("msgpack", symmetric_encryption_keys=None)
    packed = [serializer.serialize(message) for message in messages]
    return [b"", b"\xff\xc1\x00", b"\x81", b"x" * 70_000, *packed]


async def on_the_channel(scene: Scene, strike: Strike, victim: WorkerProcess) -> None:
    """Send all workers what they do not understand; what they do is heard all the same."""
    addresses = [victim.address, *(worker.address for worker in scene.others(victim))]
    listener, eraser = await scene.welcome(addresses, 3), await scene.welcome(addresses, 3)
    for guest in (listener, eraser):
        id_ = await ask(guest)
        for tab in guest.tabs:
            await tab.until(lambda tab=tab, id_=id_: tab.view.has(id_) and tab.has_end(id_))  # type: ignore[misc]
    async with redis.asyncio.Redis.from_url(scene.cluster.redis.url) as client:
        for message in strange_messages(listener.session_id):
            await client.publish(WORKERS, message)
            await client.publish(watch_channel(listener.session_id), message)
    await asyncio.sleep(QUIET_S)
    await asyncio.gather(_hear_adviser(scene, victim, listener), _hear_end(scene, victim, eraser))


async def _hear_adviser(scene: Scene, worker: WorkerProcess, guest: Visitor) -> None:
    adviser, said = scene.cluster.adviser, f"{guest.script[0][0].id}adviser"
    status = await adviser.take_over(worker.address, guest.session_id)
    assert status == 200, status
    guest.record.taken_over_at = asyncio.get_running_loop().time()
    assert await adviser.say(worker.address, guest.session_id, said, "Bonjour") == 200
    for tab in guest.tabs:
        shown = tab.until(lambda tab=tab: tab.view.has(said))  # type: ignore[misc]
        await scene.must(f"{tab.record.name} shows the adviser's words", TOLD_S, shown)


async def _hear_end(scene: Scene, worker: WorkerProcess, guest: Visitor) -> None:
    assert await erase(scene.cluster.web, worker.address, guest.cookies) == 302
    guest.record.erased = True
    for tab in guest.tabs:
        told = tab.until(lambda tab=tab: bool(tab.view.ended))  # type: ignore[misc]
        await scene.must(f"{tab.record.name} is told of the erasure", TOLD_S, told)
