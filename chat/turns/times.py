"""The times of turns: how often an answer is told and kept, how long others are waited for."""

from __future__ import annotations

from dataclasses import dataclass

from chat.core.runtime import Part

#: Steps of the event loop from when a question is stored until its model is asked: the first of the
#: task that answers, and that in which aiohttp sends.
STEPS_TO_ASK = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTimes:
    """Seconds. Read once by whatever cares for one question or one answer."""

    #: Viewers here get at most one delta in this time, or in what the load of the process makes of
    #: it; the first text of an answer goes at once.
    coalesce_s: float = 0.03
    #: How often the draft is kept, with and without viewers in other processes.
    keep_watched_s: float = 0.1
    keep_alone_s: float = 0.4
    #: The lease is renewed this often even when nothing is written.
    renew_s: float = 1.5
    #: Waiting for another process's turn to end: first and longest pause between two looks.
    first_look_s: float = 0.05
    longest_look_s: float = 0.4
    #: How long nothing is begun after the order to yield: by then an adviser has the conversation.
    yield_s: float = 1.5
    #: Pause between two calls of a store that is away.
    store_pause_s: float = 0.4
    #: A finished answer that cannot be stored is tried again for this long.
    store_again_s: float = 8.0
    #: Viewers who wait for another process's answer are shown the whole state after this silence.
    silence_s: float = 2.0


#: The times of this worker's turns.
TURN_TIMES: Part[TurnTimes] = Part("times of turns", TurnTimes)
