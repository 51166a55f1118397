from __future__ import annotations

import asyncio

from chat import live
from chat.assistant.writer import DraftWriter
from tests.builders import JEAN, ask, leased
from tests.fakes import Listener


async def test_closed_writer_says_nothing_more_though_it_was_about_to(store):
    await ask(store)
    listener = Listener()
    async with live.listening(JEAN, listener):
        writer = DraftWriter(store, await leased(store))
        await writer.add("Bon")
        await writer.add("jour")
        writer._say_late(asyncio.get_running_loop().time())
        writer.close()
        for _ in range(5):
            await asyncio.sleep(0)

    assert [envelope.type for envelope in listener.heard] == ["message.delta"]
    assert writer.text == "Bonjour"
