"""WebSockets as the worker speaks them, to clients that behave and to others."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server.limits import KIB, MIB
from tests.server.worker_process import UPGRADE, WorkerProcess, frame

TOO_LARGE = {
    "type": "error",
    "code": "payload_too_large",
    "message": "Le contenu envoyé est trop volumineux.",
}


async def test_frames_are_passed_on_as_text_and_bytes(worker: WorkerProcess):
    async with worker.socket("/echo") as socket:
        await socket.send("Où est l'armoire ?")
        await socket.send(b"\x00\xff")
        await socket.send(["en ", "trois ", "morceaux"])
        assert [await socket.recv() for _ in range(3)] == [
            "Où est l'armoire ?",
            b"\x00\xff",
            "en trois morceaux",
        ]


async def test_handshake_names_no_software_and_takes_no_compression(worker: WorkerProcess):
    async with worker.socket("/echo") as socket:
        assert socket.request is not None
        assert socket.response is not None
        assert "permessage-deflate" in socket.request.headers["Sec-WebSocket-Extensions"]
        assert set(socket.response.headers) == {"upgrade", "connection", "sec-websocket-accept"}


async def test_client_does_not_say_below_which_path_we_are(worker: WorkerProcess):
    async with worker.socket("/root", additional_headers={"Daphne-Root-Path": "/x"}) as socket:
        await socket.send("?")
        assert await socket.recv() == '""'


async def test_compressed_frame_is_a_protocol_error(worker: WorkerProcess):
    async with worker.raw_socket(b"/echo") as client:
        await client.send(frame(b"bomb", rsv=4))
        assert await client.close_code() == 1002


async def test_text_that_is_not_utf_8_is_refused(worker: WorkerProcess):
    async with worker.raw_socket(b"/echo") as client:
        await client.send(frame(b"\xff"))
        assert await client.close_code() == 1007


async def test_client_that_speaks_before_it_is_answered_is_dropped(worker: WorkerProcess):
    async with worker.raw(UPGRADE % b"/never") as client:
        await client.send_until_cut(frame(b"early" * 1000))


# Long messages


async def test_message_at_the_limit_is_passed_on(worker: WorkerProcess):
    async with worker.socket("/echo") as socket:
        await socket.send("x" * 64 * KIB)
        assert await socket.recv() == "x" * 64 * KIB


@pytest.mark.parametrize(
    "message",
    ["x" * (64 * KIB + 1), b"x" * (64 * KIB + 1), ["x" * 40 * KIB] * 2, [""] * 1100, "x" * MIB],
    ids=["text", "bytes", "sum", "fragments", "longest"],
)
async def test_long_message_is_refused_and_the_socket_lives(worker: WorkerProcess, message):
    async with worker.socket("/echo") as socket:
        await socket.send(message)
        await socket.send("still there?")
        assert json.loads(await socket.recv()) == TOO_LARGE
        assert await socket.recv() == "still there?"


async def test_long_message_is_discarded_as_it_comes(worker: WorkerProcess):
    async with worker.raw_socket(b"/stuck") as client:
        before_kib = worker.memory_kib()
        for _ in range(15):
            await client.send(frame(bytes(64 * KIB), opcode=0 if _ else 2, fin=False))
        await client.send(frame(b"", opcode=9))
        assert await client.reader.readexactly(2) == b"\x8a\x00"  # all of it was read
        assert worker.memory_kib() - before_kib < 512


async def test_message_of_more_than_a_mebibyte_ends_the_connection(worker: WorkerProcess):
    async with worker.socket("/echo") as socket:
        await socket.send("x" * (MIB + 1))
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    assert socket.close_code == 1009


async def test_message_declared_endless_ends_the_connection_at_once(worker: WorkerProcess):
    async with worker.raw_socket(b"/echo") as client:
        await client.send(b"\x81\xff" + (2**62).to_bytes(8) + bytes(4))
        assert await client.close_code() == 1009


async def test_endless_fragments_end_the_connection(worker: WorkerProcess):
    async with worker.raw_socket(b"/echo") as client:
        await client.send(frame(b"", fin=False) + frame(b"", opcode=0, fin=False) * 20_000)
        assert await client.close_code() == 1009


async def test_eleventh_long_message_ends_the_connection(worker: WorkerProcess):
    async with worker.socket("/echo") as socket:
        for _ in range(11):
            await socket.send("x" * 65 * KIB)
        refusals = [json.loads(message) for message in [await socket.recv() for _ in range(10)]]
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    assert refusals == [TOO_LARGE] * 10
    assert socket.close_code == 1009


# Floods


async def test_flood_that_is_consumed_arrives_whole_and_in_order(worker: WorkerProcess):
    words = [str(number) for number in range(5_000)]
    async with worker.raw_socket(b"/echo") as client:
        client.writer.write(b"".join(frame(word.encode()) for word in words))
        heard = [await _heard(client.reader) for _ in words]
    assert heard == words


async def test_flood_that_is_not_consumed_is_bounded_and_ended(start_worker):
    worker = start_worker(flood_s=0.5, check_s=0.05)
    before_kib = worker.memory_kib()
    peak_kib = 0

    async def watch() -> None:
        nonlocal peak_kib
        while True:
            peak_kib = max(peak_kib, worker.memory_kib())
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    async with worker.raw_socket(b"/stuck") as client:
        flood = frame(b"me") * 10_000 + frame(bytes(60 * KIB)) * 10
        sending = asyncio.create_task(client.send_until_cut(flood))
        assert await client.close_code() == 4429
        sending.cancel()
        await asyncio.wait([sending])
    watching.cancel()
    assert peak_kib - before_kib < 400
    assert await worker.dropped("flood") == 1


async def test_busy_client_leaves_the_others_their_turn(worker: WorkerProcess):
    async with worker.raw_socket(b"/echo") as busy, worker.socket("/echo") as socket:
        busy.writer.write(frame(b"x") * 5_000)
        await socket.send("me too")
        assert await socket.recv() == "me too"
        busy.writer.write(frame(b"last"))
        while await _heard(busy.reader) != "last":
            pass


# Clients that do not read


async def test_client_that_does_not_read_is_dropped(start_worker):
    worker = start_worker()
    before_kib = worker.memory_kib()
    async with (
        worker.raw_socket(b"/chatter", deaf=True) as one,
        worker.raw_socket(b"/chatter", deaf=True) as two,
        worker.raw_socket(b"/chatter", deaf=True) as three,
    ):
        for client in (one, two, three):
            await client.send(frame(b"go on"))
        peak_kib = 0
        while await worker.dropped("slow") < 3:
            peak_kib = max(peak_kib, worker.memory_kib())
    assert peak_kib - before_kib < 3 * 2048


async def test_client_that_pings_and_does_not_read_is_dropped(start_worker):
    worker = start_worker()
    before_kib = worker.memory_kib()
    async with worker.raw_socket(b"/echo", deaf=True) as client:
        await client.send_until_cut(frame(b"", opcode=9) * 1000)
    assert await worker.dropped("slow") == 1
    assert worker.memory_kib() - before_kib < 2048


async def test_long_state_reaches_a_client_that_reads(worker: WorkerProcess):
    async with worker.socket("/long-state") as socket:
        await socket.send("all of it")
        lengths = [len(await socket.recv()) for _ in range(11)]
    assert lengths == [3 * MIB] + [5] * 10
    assert await worker.dropped("slow") == 0


async def test_dead_client_is_dropped_and_a_silent_one_is_not(start_worker):
    worker = start_worker(ping_s=0.1, pong_s=1, check_s=0.05)
    async with (
        worker.socket("/echo", ping_interval=None) as silent,
        worker.raw_socket(b"/echo") as dead,
    ):
        pings = await dead.rest()
        await silent.send("still there?")
        assert await silent.recv() == "still there?"
    assert pings.startswith(b"\x89")


# Ends


@pytest.mark.parametrize(
    "path, code", [("/fail", 1011), ("/leave", 1000), ("/say-after-close", 4404)]
)
async def test_socket_whose_application_ends_is_closed(worker: WorkerProcess, path, code):
    async with worker.socket(path) as socket:
        if path != "/say-after-close":
            await socket.send("anything")
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    assert socket.close_code == code


async def test_what_is_said_after_the_end_is_nobodys_error(start_worker):
    worker = start_worker()
    async with worker.socket("/say-after-close") as socket:
        await socket.wait_closed()
    worker.signal(15)
    assert await worker.exit_code() == 0
    assert "Traceback" not in worker.log.read_text()


async def test_application_may_refuse_the_handshake(worker: WorkerProcess):
    with pytest.raises(InvalidStatus) as refusal:
        async with worker.socket("/reject"):
            pass
    assert refusal.value.response.status_code == 403


async def _heard(reader: asyncio.StreamReader) -> str:
    """One short text frame."""
    head = await reader.readexactly(2)
    assert head[0] == 0x81
    return (await reader.readexactly(head[1])).decode()
