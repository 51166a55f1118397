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

from chat import live
from chat.assistant.turn import let_begin, take_turn
from chat.protocol import (
    Envelope,
    Failed,
    MessageAccepted,
    MessageDone,
    SpeakerChanged,
    encode,
)
from chat.sessions.store import default_store
from chat.sessions.types import End
from chat.views.problems import logged
from chat.views.questions import Question
from chat.voice import Voice

#: A comment is sent after so long a silence, so that nothing in between gives up.
HEARTBEAT_S = 15.0
HEARTBEAT = b": ping\n\n"
#: An adviser whose name is not known by then is not named.
LONGEST_TAKEOVER_S = 2.0
#: What is heard beyond this is not kept: the end of the stream brings the whole answer.
MAX_KEPT_CHARS = 256 * 1024

#: Events about an answer on its way. Its end is told by the turn itself, exactly once.
_PASSED = {"message.delta", "tool.started", "session.state", "session.ended"}
_ENDS = {"message.done", "error"}


class Ear:
    """What was heard of one session, until it is sent to who asked one question in it."""

    def __init__(self, question_id: str) -> None:
        self._question_id = question_id
        self._heard: list[Envelope] = []
        self._kept_chars = 0
        self._ahead: set[str] = set()
        self._voice = Voice()
        self.news = asyncio.Event()
        #: Set once an adviser answers.
        self.taken = asyncio.Event()

    async def hear(self, envelope: Envelope) -> None:
        if envelope.type == SpeakerChanged.type:
            self.taken.set()
        if self._voice.admits(envelope) and self._kept_chars <= MAX_KEPT_CHARS:
            self._kept_chars += len(envelope.text)
            self._heard.append(envelope)
            self.news.set()

    def put_behind(self, questions: Iterable[str]) -> None:
        """Pass nothing on until these have their end: until then it is their answers' events."""
        ends = [n for n, envelope in enumerate(self._heard) if self._ends_another(envelope)]
        ended = {self._heard[n].about for n in ends}
        if ends:
            del self._heard[: ends[-1] + 1]
        self._ahead = set(questions) - ended

    def take(self) -> list[str]:
        """Return what there is to send, encoded, and forget it."""
        heard, self._heard = self._heard, []
        self._kept_chars = 0
        self.news.clear()
        texts = []
        for envelope in heard:
            if self._ends_another(envelope):
                self._ahead.discard(envelope.about)
            elif envelope.type in _PASSED and not self._ahead:
                texts.append(envelope.text)
        return texts

    def _ends_another(self, envelope: Envelope) -> bool:
        return envelope.type in _ENDS and envelope.about not in ("", self._question_id)


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


async def answer_in_events(question: Question, owner: str) -> EventStream:
    """Ask the question; return its answer as a stream of events.

    Raises:
        ChatError: it was not accepted.
    """
    events = _events(question, owner)
    first = await anext(events)
    return EventStream(first, events)


async def _events(question: Question, owner: str) -> AsyncGenerator[bytes, None]:
    numbers = count(1)
    ear = Ear(question.message_id)
    async with live.listening(question.session_id, ear.hear, at_once=True):
        turn = await take_turn(
            question.session_id,
            owner=owner,
            message_id=question.message_id,
            text=question.text,
            create=question.create,
            asker=ear.hear,
        )
        await let_begin()  # the model goes before what we say
        yield _frame(next(numbers), encode(MessageAccepted(question.message_id)))
        ear.put_behind(turn.ahead)
        ended = asyncio.ensure_future(turn.ended())
        ended.add_done_callback(lambda _: ear.news.set())
        try:
            while not ended.done():
                yield await _news_or_heartbeat(ear, numbers)
            for text in ear.take():
                yield _frame(next(numbers), text)
            end = ended.result()
            if end.outcome.end is End.TAKEN_OVER:
                yield _frame(next(numbers), encode(await _taken_over(question, owner, ear)))
            if end.answer is not None:
                yield _frame(next(numbers), encode(MessageDone(end.answer)))
            elif end.outcome.end is not End.TAKEN_OVER:
                failed = Failed.from_error(end.outcome.error(), question.message_id)
                yield _frame(next(numbers), encode(failed))
        except Exception as error:  # noqa: BLE001 - logged with an id; nothing of it goes out
            yield _frame(next(numbers), encode(Failed.from_error(logged(error))))
        finally:
            ended.cancel()


async def _news_or_heartbeat(ear: Ear, numbers: Iterable[int]) -> bytes:
    try:
        async with asyncio.timeout(HEARTBEAT_S):
            await ear.news.wait()
    except TimeoutError:
        return HEARTBEAT
    return b"".join(_frame(n, text) for text, n in zip(ear.take(), numbers, strict=False))


async def _taken_over(question: Question, owner: str, ear: Ear) -> SpeakerChanged:
    """Return who took over. The model falls silent a moment before that is stored and told."""
    session = await default_store().load(question.session_id, owner)
    if not session.has_adviser:
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_TAKEOVER_S):
                await ear.taken.wait()
        session = await default_store().load(question.session_id, owner)
    return SpeakerChanged("adviser", session.adviser)


def _frame(number: int, data: str) -> bytes:
    return f"id: {number}\ndata: {data}\n\n".encode()
