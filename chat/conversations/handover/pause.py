"""Having the model fall silent before an adviser speaks."""

from __future__ import annotations

import asyncio

from chat.conversations.realtime.pubsub import PUBSUB, Command
from chat.conversations.store.protocol import Store
from chat.conversations.types import Session

#: A worker that hears the order ends its answer within milliseconds. One that does not hear it
#: is cut off by the store, and finds out when it keeps its draft, every 0.4 s at the latest.
LONGEST_WAIT_S = 0.5
FIRST_LOOK_S = 0.005
LONGEST_LOOK_S = 0.05


async def pause_assistant(store: Store, session: Session) -> bool:
    """Have the answer under way ended with all that viewers saw of it.

    Return whether nobody writes any more. It is the store that makes sure in any case: this
    only saves the last words, which it may not have yet.
    """
    if not session.waiting or session.has_adviser:
        return True
    await PUBSUB.get().send_command(session.id, Command.PAUSE)
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + LONGEST_WAIT_S
    look_s = FIRST_LOOK_S
    while await store.outcome(session.id, session.waiting[0]) is None:
        if loop.time() + look_s > give_up_at:
            return False
        await asyncio.sleep(look_s)
        look_s = min(LONGEST_LOOK_S, look_s * 2)
    return True
