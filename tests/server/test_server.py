"""HTTP as the worker speaks it, to clients that behave and to others."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator

import pytest

from server.limits import KIB, MAX_BODY_BYTES, MIB, body_limit
from tests.server.worker_process import WorkerProcess, get, post

TOO_LARGE = {
    "type": "/api/docs#payload_too_large",
    "title": "Le contenu envoyé est trop volumineux.",
    "status": 413,
    "detail": "Le contenu envoyé est trop volumineux.",
    "code": "payload_too_large",
}


@pytest.mark.parametrize(
    "path, limit",
    [
        ("/", 64 * KIB),
        ("/api/chat", 64 * KIB),
        ("/admin", 64 * KIB),
        ("/admin/", 12 * MIB),
        ("/admin/chat/product/add/", 12 * MIB),
        ("/api/admin/", 64 * KIB),
    ],
)
def test_body_limit_is_longer_in_the_admin_only(path, limit):
    assert body_limit(path) == limit


async def test_answer_names_no_software(worker: WorkerProcess):
    async with worker.raw(get("/count", close=True)) as client:
        answer = await client.rest()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nDate: " in answer
    assert b"erver:" not in answer


async def test_requests_in_one_packet_are_answered_in_order(worker: WorkerProcess):
    async with worker.raw(get("/count") + get("/fail") + get("/dropped", close=True)) as client:
        answers = await client.rest()
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"500", b"200"]


async def test_background_work_runs(worker: WorkerProcess):
    assert "working" in await worker.get("/background")


# Long bodies


async def test_body_at_the_limit_is_taken(worker: WorkerProcess):
    request = post("/count", f"Content-Length: {MAX_BODY_BYTES}", "Connection: close")
    async with worker.raw(request + bytes(MAX_BODY_BYTES)) as client:
        assert b"65536 bytes" in await client.rest()


async def test_declared_long_body_is_refused_before_it_is_sent(worker: WorkerProcess):
    async with worker.raw(post("/count", f"Content-Length: {MAX_BODY_BYTES + 1}")) as client:
        head, body = await client.answer()
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"content-type: application/problem+json\r\n" in head
    assert b"connection: close\r\n" in head
    assert json.loads(body) == TOO_LARGE


async def test_client_that_asks_before_sending_is_refused_at_once(worker: WorkerProcess):
    request = post("/count", "Content-Length: 70000", "Expect: 100-continue")
    async with worker.raw(request) as client:
        assert (await client.head()).startswith(b"HTTP/1.1 413 ")


async def test_client_that_sends_all_before_it_reads_gets_the_answer(worker: WorkerProcess):
    async with worker.raw(post("/count", f"Content-Length: {4 * MIB}")) as client:
        await client.send(bytes(4 * MIB))
        _, body = await client.answer()
    assert json.loads(body) == TOO_LARGE


async def test_long_body_in_chunks_is_refused_while_it_comes(worker: WorkerProcess):
    async with worker.raw(post("/count", "Transfer-Encoding: chunked")) as client:
        for _ in range(16):
            await client.send(b"1000\r\n" + bytes(0x1000) + b"\r\n")
        await client.send(b"1\r\nx\r\n")  # the one byte too many; the end is never sent
        _, body = await client.answer()
    assert json.loads(body) == TOO_LARGE


@pytest.mark.parametrize("declared", [True, False])
async def test_long_body_is_taken_in_the_admin(worker: WorkerProcess, declared):
    size = 3 * MIB + 5
    how = f"Content-Length: {size}" if declared else "Transfer-Encoding: chunked"
    body = bytes(size) if declared else b"%x\r\n" % size + bytes(size) + b"\r\n0\r\n\r\n"
    async with worker.raw(post("/admin/count", how, "Connection: close") + body) as client:
        assert f"{size} bytes in 49".encode() in await client.rest()


async def test_body_too_long_for_the_admin_is_refused(worker: WorkerProcess):
    request = post("/admin/count", f"Content-Length: {12 * MIB + 1}")
    async with worker.raw(request) as client:
        assert (await client.head()).startswith(b"HTTP/1.1 413 ")


# Bad requests


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"rubbish\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 10_000 + b"\r\nZ: " + b"z" * 10_000 + b"\r\n\r\n",
        b"GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
async def test_bad_request_is_told_so_once(worker: WorkerProcess, request_bytes):
    async with worker.raw(request_bytes) as client:
        answer = await client.rest()
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.count(b"HTTP/1.1") == 1
    assert b"aphne" not in answer


@pytest.mark.parametrize("value", [b"/x", b"//zoe.test", b"\xff"])
async def test_client_does_not_say_below_which_path_we_are(worker: WorkerProcess, value):
    request = get("/root", close=True).replace(b"Host", b"Daphne-Root-Path: " + value + b"\r\nHost")
    async with worker.raw(request) as client:
        answer = await client.rest()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'""' in answer


# Failing applications


@pytest.mark.parametrize("path", ["/fail", "/say-nothing"])
async def test_application_that_does_not_answer_is_answered_for(worker: WorkerProcess, path):
    async with worker.raw(get(path)) as client:
        head, body = await client.answer()
    problem = json.loads(body)
    assert head.startswith(b"HTTP/1.1 500 ")
    assert problem["code"] == "internal"
    assert problem["error_id"] in problem["detail"]
    assert f"error_id={problem['error_id']}" in worker.log.read_text()


async def test_answer_that_breaks_off_is_seen_to_be_cut(worker: WorkerProcess):
    async with worker.raw(get("/fail-late")) as client:
        answer = await client.rest()
    assert answer.endswith(b"4\r\nhalf\r\n")  # and no last chunk


# Slow clients

QUICK = {
    "head_s": 0.2,
    "body_s": 0.2,
    "long_body_start_s": 0.2,
    "idle_s": 0.2,
    "linger_s": 0.2,
    "check_s": 0.05,
}


@pytest.fixture(scope="module")
def quick_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    process = WorkerProcess(tmp_path_factory.mktemp("quick") / "log.txt", **QUICK)
    yield process
    process.end()


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"GET / HTTP/1.1\r\nX: ",
        post("/count", "Content-Length: 60000"),
        post("/count", "Transfer-Encoding: chunked") + b"ffff\r\n",
        post("/admin/count", "Content-Length: 3000000"),
        post("/admin/count", "Content-Length: 3000000", "X-Refuse: 1"),
        post("/count", "Content-Length: 70000"),  # refused, and goes on sending
        get("/count"),  # answered, and sends half of the next
    ],
)
async def test_bytes_that_drip_in_buy_no_time(quick_worker: WorkerProcess, beginning):
    async with quick_worker.raw(beginning) as client:

        async def drip() -> None:
            while True:
                await client.send(b"0")
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        await client.rest()  # returns when the worker hangs up
        dripping.cancel()
        await asyncio.wait([dripping])


async def test_long_answer_waits_for_who_reads_and_drops_who_does_not(start_worker):
    worker = start_worker(stalled_s=0.5)
    before_kib = worker.memory_kib()
    deaf_request = get("/pour")
    async with (
        worker.raw(deaf_request, deaf=True) as deaf,
        worker.raw(get("/pour", close=True)) as reader,
    ):
        size = len(await reader.rest())
        while not await worker.dropped("slow"):
            assert worker.memory_kib() - before_kib < 4096
        assert size > 64 * MIB
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await deaf.reader.readexactly(64 * MIB)


async def test_log_has_neither_ids_nor_query_strings(start_worker):
    worker = start_worker()
    await worker.get("/count?token=secret")
    async with worker.raw(get("/suivi/SAV-1:secret/", close=True)) as client:
        await client.rest()
    async with worker.raw(get("/count/kkkk/llll?token=secret", close=True)) as client:
        await client.rest()
    worker.signal(15)
    await worker.exit_code()
    log = worker.log.read_text()
    assert "GET /count 200" in log
    assert "secret" not in log
