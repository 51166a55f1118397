"""Long bodies on a worker: admitted by their head, few at a time, and never left behind."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from server.bodies import MAX_IMPORTS, MAX_LONG_BODIES_PER_SENDER, MAX_PHOTOS
from server.limits import MIB
from tests.server.worker_process import Raw, WorkerProcess, post

LONG = ["Content-Length: 3000000", "Transfer-Encoding: chunked"]
BUSY = {
    "type": "/api/docs#assistant_unavailable",
    "title": "Trop d'envois sont en cours. Réessayez dans quelques secondes.",
    "status": 503,
    "detail": "Trop d'envois sont en cours. Réessayez dans quelques secondes.",
    "code": "assistant_unavailable",
}


def files_of(worker: WorkerProcess) -> list[str]:
    """Return the temporary files that a worker has open: they have no name."""
    links = []
    for handle in Path(f"/proc/{worker.process.pid}/fd").iterdir():
        try:
            links.append(str(handle.readlink()))
        except FileNotFoundError:
            continue
    return [link for link in links if link.endswith("(deleted)")]


async def begin(
    worker: WorkerProcess, stack: AsyncExitStack, *headers: str, path: str = "/photos/"
) -> Raw:
    """Send the head of a long body and a first byte."""
    asked = post(path, "Content-Length: 3000000", *headers)
    return await stack.enter_async_context(worker.raw(asked + b"x"))


async def until_under_way(worker: WorkerProcess, count: int) -> None:
    while len(files_of(worker)) != count:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("length", LONG)
@pytest.mark.parametrize("more", [[], ["Expect: 100-continue"]])
async def test_head_that_is_refused_costs_no_file(worker: WorkerProcess, length, more):
    async with worker.raw(post("/admin/count", length, "X-Refuse: 1", *more)) as client:
        head, body = await client.answer()

        assert head.startswith(b"HTTP/1.1 403 ")
        assert json.loads(body)["code"] == "forbidden"
        assert files_of(worker) == []


async def test_body_that_came_with_a_refused_head_is_dropped(worker: WorkerProcess):
    asked = post("/admin/count", "Content-Length: 3000000", "X-Refuse: 1")
    async with worker.raw(asked) as client:
        await client.send(bytes(3_000_000))
        assert (await client.head()).startswith(b"HTTP/1.1 403 ")
        assert (await client.rest()).count(b"HTTP/1.1") == 0


async def test_client_that_asks_before_sending_is_told_to_go_on(worker: WorkerProcess):
    asked = post("/admin/count", "Content-Length: 70000", "Expect: 100-continue")
    async with worker.raw(asked) as client:
        assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(bytes(70_000))
        assert (await client.head()).startswith(b"HTTP/1.1 200 ")


async def test_one_sender_has_a_few_places_and_others_have_theirs(start_worker):
    worker = start_worker()
    async with AsyncExitStack() as stack:
        held = [await begin(worker, stack) for _ in range(MAX_LONG_BODIES_PER_SENDER)]
        await until_under_way(worker, len(held))

        head, body = await (await begin(worker, stack)).answer()
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 5\r\n" in head
        assert json.loads(body) == BUSY

        await begin(worker, stack, "X-Sender: another")
        await until_under_way(worker, len(held) + 1)
        held[0].writer.transport.abort()
        await until_under_way(worker, len(held))
        await begin(worker, stack)
        await until_under_way(worker, len(held) + 1)
    await until_under_way(worker, 0)


async def test_worker_has_so_many_places_and_no_more(start_worker):
    worker = start_worker()
    async with AsyncExitStack() as stack:
        for number in range(MAX_PHOTOS):
            await begin(worker, stack, f"X-Sender: {number}")
        await until_under_way(worker, MAX_PHOTOS)

        refused = await begin(worker, stack, "X-Sender: late")
        assert (await refused.head()).startswith(b"HTTP/1.1 503 ")
        assert len(files_of(worker)) == MAX_PHOTOS


async def test_short_forms_of_strangers_take_no_place_in_the_admin(start_worker):
    worker = start_worker()
    async with AsyncExitStack() as stack:
        for number in range(MAX_PHOTOS + MAX_IMPORTS):
            drip = post("/admin/count", "Content-Length: 60000", f"X-Sender: {number}") + b"x"
            await stack.enter_async_context(worker.raw(drip))
        assert "5 bytes" in await _count(worker, 5, "/admin/count")
        await begin(worker, stack, path="/admin/count")
        await until_under_way(worker, 1)


async def test_photos_leave_the_places_of_the_staff_free(start_worker):
    worker = start_worker()
    async with AsyncExitStack() as stack:
        for number in range(MAX_PHOTOS + MAX_IMPORTS):
            await begin(worker, stack, f"X-Sender: {number}")
        await until_under_way(worker, MAX_PHOTOS)
        await begin(worker, stack, path="/admin/count")
        await until_under_way(worker, MAX_PHOTOS + 1)


async def test_chunks_reach_the_application_with_their_length(worker: WorkerProcess):
    asked = post("/length", "Transfer-Encoding: chunked", "Connection: close")
    async with worker.raw(asked + b"5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n") as client:
        told = (await client.rest()).partition(b"\r\n\r\n")[2]
    assert b'{"content-length": "8", "transfer-encoding": null}' in told


async def test_bodies_together_have_a_length_and_who_passes_it_is_sent_away(start_worker):
    worker = start_worker(max_photo_bytes=2 * MIB)
    async with AsyncExitStack() as stack:
        first, second = [await begin(worker, stack) for _ in range(2)]
        await first.send(bytes(MIB))
        await until_under_way(worker, 2)

        await second.send(bytes(MIB + 4096))
        assert (await second.head()).startswith(b"HTTP/1.1 503 ")
        await until_under_way(worker, 1)

        await first.send(bytes(3_000_000 - MIB - 1))
        assert (await first.head()).startswith(b"HTTP/1.1 503 "), "alone it is too long as well"
        await until_under_way(worker, 0)


async def test_short_bodies_together_have_a_length_as_well(start_worker):
    worker = start_worker(max_short_bytes=100_000)
    asked = post("/count", "Content-Length: 60000")
    async with worker.raw(asked + bytes(59_999)) as first, worker.raw(asked) as second:
        await asyncio.sleep(0)
        await second.send(bytes(59_999))
        done, _ = await asyncio.wait(
            [asyncio.create_task(one.head()) for one in (first, second)],
            return_when=asyncio.FIRST_COMPLETED,
        )
        (head,) = {task.result().partition(b"\r\n")[0] for task in done}
        assert head == b"HTTP/1.1 503 Service Unavailable"
    assert "65536 bytes" in await _count(worker, 65_536), "what is over is given back"


async def _count(worker: WorkerProcess, size: int, path: str = "/count") -> str:
    asked = post(path, f"Content-Length: {size}", "Connection: close")
    async with worker.raw(asked + bytes(size)) as client:
        return (await client.rest()).decode()


async def test_browser_is_refused_with_a_page(worker: WorkerProcess):
    asked = post("/admin/count", LONG[0], "X-Refuse: 1", "Accept: text/html,*/*")
    async with worker.raw(asked) as client:
        head, body = await client.answer()

    assert b"content-type: text/html; charset=utf-8\r\n" in head
    assert b"content-security-policy: default-src 'none'" in head
    assert "Cet accès n&#x27;est pas autorisé." in body.decode()


async def test_refusal_that_twisted_has_no_name_for_is_written(worker: WorkerProcess):
    async with worker.raw(post("/admin/count", LONG[0], "X-Refuse: rate")) as client:
        head, body = await client.answer()

    assert head.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
    assert b"retry-after: 7\r\n" in head
    assert json.loads(body)["code"] == "rate_limited"
