"""An answer as Server-Sent Events: the events of ``docs/protocol.md``, for one question.

The stream listens to the turn and does not carry it: whoever leaves loses nothing, and asks
again with the same ``message_id``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, suppress
from itertools import count

from django.http import StreamingHttpResponse

from chat.conversations.realtime.events import (
    EncodedEvent,
    Failed,
    MessageAccepted,
    MessageDelta,
    MessageDone,
    SessionEnded,
    SessionState,
    SpeakerChanged,
    ToolStarted,
    encode,
)
from chat.conversations.realtime.pubsub import PUBSUB, SpeakerFilter
from chat.conversations.store.protocol import STORE
from chat.conversations.types import End
from chat.turns.turn import let_begin, take_turn
from chat.web.api.problems import logged
from chat.web.api.request_parsing import Question

HEARTBEAT_S = 15.0
HEARTBEAT = b": ping\n\n"
#: An adviser whose name is not known by then is not named.
LONGEST_TAKEOVER_S = 2.0
#: What is heard beyond this is not kept: the end of the stream brings the whole answer.
MAX_KEPT_CHARS = 256 * 1024

#: Events about an answer on its way. Its end is told by the turn itself, exactly once.
_PASSED = {MessageDelta.type, ToolStarted.type, SessionState.type, SessionEnded.type}
_ENDS = {MessageDone.type, Failed.type}


class EventBuffer:
    """Events of one session, until they are sent to who asked one question in it."""

    def __init__(self, question_id: str) -> None:
        self._question_id = question_id
        self._heard: list[EncodedEvent] = []
        self._kept_chars = 0
        self._ahead: set[str] = set()
        self._speaker_filter = SpeakerFilter()
        self.news = asyncio.Event()
        #: Set once an adviser answers.
        self.taken = asyncio.Event()

    async def add(self, event: EncodedEvent) -> None:
        if event.type == SpeakerChanged.type:
            self.taken.set()
        if self._speaker_filter.allows(event) and self._kept_chars <= MAX_KEPT_CHARS:
            self._kept_chars += len(event.json)
            self._heard.append(event)
            self.news.set()

    def put_behind(self, questions: Iterable[str]) -> None:
        """Pass nothing on until these have their end: until then it is their answers' events."""
        ends = [n for n, event in enumerate(self._heard) if self._ends_another(event)]
        ended = {self._heard[n].question_id for n in ends}
        if ends:
            del self._heard[: ends[-1] + 1]
        self._ahead = set(questions) - ended

    def take(self) -> list[str]:
        """Return what there is to send, encoded, and forget it."""
        heard, self._heard = self._heard, []
        self._kept_chars = 0
        self.news.clear()
        texts = []
        for event in heard:
            if self._ends_another(event):
                self._ahead.discard(event.question_id)
            elif event.type in _PASSED and not self._ahead:
                texts.append(event.json)
        return texts

    def _ends_another(self, event: EncodedEvent) -> bool:
        return event.type in _ENDS and event.question_id not in ("", self._question_id)


class EventStream(StreamingHttpResponse):
    """Closes its events when its reader is gone; Django's would leave them to the collector."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes, None]) -> None:
        super().__init__(
            rest,
            content_type="text/event-stream; charset=utf-8",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        self._first = first
        self._rest = rest

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async with aclosing(self._rest):
            yield self._first
            async for part in self._rest:
                yield part


async def answer_in_events(
    question: Question, owner: str, *, heartbeat_s: float = HEARTBEAT_S
) -> EventStream:
    """Ask the question; return its answer as a stream of events.

    ``heartbeat_s``: a comment is sent after so long a silence, so that nothing in between gives up.

    Raises:
        ChatError: it was not accepted.
    """
    events = _events(question, owner, heartbeat_s)
    first = await anext(events)
    return EventStream(first, events)


async def _events(
    question: Question, owner: str, heartbeat_s: float
) -> AsyncGenerator[bytes, None]:
    numbers = count(1)
    buffer = EventBuffer(question.message_id)
    async with PUBSUB.get().subscribe(question.session_id, buffer.add, wait=False):
        turn = await take_turn(
            question.session_id,
            owner=owner,
            message_id=question.message_id,
            text=question.text,
            create=question.create,
            asker=buffer.add,
            address=question.address,
            arrived_at=question.arrived_at,
        )
        await let_begin()  # the model goes before what we say
        yield _frame(next(numbers), encode(MessageAccepted(question.message_id)))
        buffer.put_behind(turn.ahead)
        ended = asyncio.ensure_future(turn.ended())
        ended.add_done_callback(lambda _: buffer.news.set())
        try:
            while not ended.done():
                yield await _news_or_heartbeat(buffer, numbers, heartbeat_s)
            for text in buffer.take():
                yield _frame(next(numbers), text)
            end = ended.result()
            if end.outcome.end is End.TAKEN_OVER:
                yield _frame(next(numbers), encode(await _taken_over(question, owner, buffer)))
            if end.answer is not None:
                yield _frame(next(numbers), encode(MessageDone(end.answer)))
            elif end.outcome.end is not End.TAKEN_OVER:
                failed = Failed.from_error(end.outcome.error(), question.message_id)
                yield _frame(next(numbers), encode(failed))
        except Exception as error:  # noqa: BLE001 - logged with an id; nothing of it goes out
            yield _frame(next(numbers), encode(Failed.from_error(logged(error))))
        finally:
            ended.cancel()


async def _news_or_heartbeat(
    buffer: EventBuffer, numbers: Iterable[int], heartbeat_s: float
) -> bytes:
    try:
        async with asyncio.timeout(heartbeat_s):
            await buffer.news.wait()
    except TimeoutError:
        return HEARTBEAT
    return b"".join(_frame(n, text) for text, n in zip(buffer.take(), numbers, strict=False))


async def _taken_over(question: Question, owner: str, buffer: EventBuffer) -> SpeakerChanged:
    """Return who took over. The model falls silent a moment before that is stored and told."""
    session = await STORE.get().load(question.session_id, owner)
    if not session.has_adviser:
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_TAKEOVER_S):
                await buffer.taken.wait()
        session = await STORE.get().load(question.session_id, owner)
    return SpeakerChanged("adviser", session.adviser)


def _frame(number: int, data: str) -> bytes:
    return f"id: {number}\ndata: {data}\n\n".encode()
