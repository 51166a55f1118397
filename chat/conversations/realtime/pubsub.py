"""Publish and subscribe: what happens in a conversation reaches everybody who watches it.

Subscribers of this worker are called directly. Other workers are reached through the channel layer:
each has one channel, in one group per topic that somebody subscribes to there, and in one group of
all workers. The layer may drop messages: only what the store has is published remotely, offsets
show a reader what it missed, and ``overdue`` names topics whose subscribers wait in silence.

A topic is the id of a session, or ``desk_key`` of one for what only the staff may see.

Told in this order: ``PubSub``, its end of the channel layer, the messages between workers, the
filter that each viewer has.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from channels.layers import InMemoryChannelLayer, get_channel_layer

from chat.conversations.realtime.events import (
    EVENT_TYPES,
    DeskState,
    EncodedEvent,
    Failed,
    MessageDelta,
    MessageDone,
    ServerEvent,
    SessionEnded,
    SessionState,
    StaffNoteAdded,
    ToolStarted,
    encode_event,
    message_of_json,
)
from chat.conversations.store.redis.document import watch_group
from chat.conversations.types import Message
from chat.core import metrics
from chat.core.ids import is_id
from chat.core.json import JSON
from chat.core.runtime import LoopPart
from chat.core.supervisor import TaskSet

logger = logging.getLogger(__name__)

#: A layer that takes longer is away: a message of it is not worth more of a turn's time.
LAYER_TIMEOUT_S = 0.5
#: Parts of that time, each of which counts once, however late its timer is.
_TIMEOUT_STEPS = 5
#: A layer that was away is left alone for so long.
AWAY_S = 2.0
#: An erasure is published again and again for so long from when the layer takes it: a worker whose
#: own connection broke receives nothing for up to a second after Redis is back.
ERASED_AGAIN_S = 3.0
ERASED_EVERY_S = 0.25
#: Erasures that wait for the layer at most; the oldest is dropped first.
MAX_ERASED = 1000
#: Workers whose heartbeats are counted; those that ended are among them.
MAX_WORKERS = 1000
#: Pause before receiving is begun again after an error: first and longest.
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0

ERASED = encode_event(SessionEnded("erased"))
#: Never relayed from another worker to a customer.
_FOR_STAFF = (StaffNoteAdded.type, DeskState.type)


class Command(StrEnum):
    """What the worker that answers in a session is asked to do.

    ``STOP``: end the answer there, keeping what is written. ``PAUSE``: the same for an adviser,
    and begin nothing for a while.
    """

    STOP = "stop"
    PAUSE = "yield"


_COMMANDS = frozenset(Command)

#: Called with each event of a topic. Must not block; an error in it is logged, no more.
Subscriber = Callable[[EncodedEvent], Awaitable[None]]
CommandHandler = Callable[[Command], None]


class PubSub:
    """The subscribers of this worker, and its way to those of others. For one event loop.

    ``layer``: None where there is no other worker. The times and the bound are those of the
    constants.
    """

    def __init__(
        self,
        layer: Any,
        *,
        away_s: float = AWAY_S,
        erased_again_s: float = ERASED_AGAIN_S,
        erased_every_s: float = ERASED_EVERY_S,
        max_erased: int = MAX_ERASED,
    ) -> None:
        self._erased_again_s = erased_again_s
        self._erased_every_s = erased_every_s
        self._max_erased = max_erased
        self._link = _LayerLink(layer, away_s, self.local_topics, self._handle)
        self._subscribers: dict[str, set[Subscriber]] = {}
        self._command_handlers: dict[str, CommandHandler] = {}
        self._erasure_callbacks: list[Callable[[str], None]] = []
        self._remote_callbacks: list[Callable[[str, RemoteEvent], None]] = []
        #: When something last came in topics whose subscribers wait for an end.
        self._waiting: dict[str, float] = {}
        #: Topics whose subscribers were told that the session was erased.
        self._told_erased: set[str] = set()
        #: Sessions erased here, with the time until which other workers are told.
        self._erasures: dict[str, float] = {}
        self._repeating: asyncio.Task[None] | None = None
        self._broadcasts = TaskSet()

    async def close(self) -> None:
        """End the tasks: nothing comes from other workers any more."""
        await self._link.close()
        if self._repeating is not None:
            self._repeating.cancel()
            await asyncio.wait({self._repeating})

    @asynccontextmanager
    async def subscribe(
        self, topic: str, subscriber: Subscriber, *, wait: bool = True
    ) -> AsyncIterator[None]:
        """Have ``subscriber`` called with every event of the topic, from any worker, while inside.

        ``wait=False``: do not wait until events of other workers come; they do soon.
        """
        subscribers = self._subscribers.setdefault(topic, set())
        subscribers.add(subscriber)
        self._told_erased.discard(topic)
        joining = asyncio.create_task(self._link.join(topic), name="join")
        try:
            if wait:
                await joining
            yield
        finally:
            subscribers.discard(subscriber)
            await asyncio.wait({joining})
            if not subscribers and self._subscribers.get(topic) is subscribers:
                del self._subscribers[topic]
                self._waiting.pop(topic, None)
                self._told_erased.discard(topic)
                await self._link.leave(topic)

    def has_subscribers(self, topic: str, workers: int | None) -> bool:
        """Return whether anybody may be subscribed, in any worker. ``workers``: see ``publish``."""
        return self.has_local_subscribers(topic) or self.has_remote_subscribers(topic, workers)

    def has_local_subscribers(self, topic: str) -> bool:
        return topic in self._subscribers

    def has_remote_subscribers(self, topic: str, workers: int | None) -> bool:
        """Return whether another worker may have subscribers. ``workers``: see ``publish``."""
        if self._link.layer is None:
            return False
        return workers is None or workers > self._link.has_joined(topic)

    def local_topics(self) -> list[str]:
        return list(self._subscribers)

    async def publish(
        self,
        topic: str,
        event: ServerEvent,
        *,
        exclude: Subscriber | None = None,
        workers: int | None = None,
    ) -> None:
        """Send an event to all subscribers, in this worker and in others.

        ``exclude``: the subscriber who caused the event. ``workers``: how many workers have
        subscribers, as a script of the store has just counted; None when that is not known.
        """
        if not self.has_subscribers(topic, workers):
            return  # nothing is encoded for nobody
        encoded = encode_event(event)
        await self._deliver(topic, encoded, exclude)
        if self.has_remote_subscribers(topic, workers):
            await self._send_event(topic, encoded)

    async def publish_local(self, topic: str, event: ServerEvent) -> None:
        """Send an event to the subscribers of this worker: cheap, for many events a second."""
        if topic not in self._subscribers:
            return
        await self._deliver(topic, encode_event(event))
        if isinstance(event, SessionState | SessionEnded):
            is_waiting = isinstance(event, SessionState) and bool(event.waiting)
            self._note_waiting(topic, is_waiting=is_waiting)

    async def publish_remote(self, topic: str, event: ServerEvent) -> None:
        """Send an event to the subscribers of other workers."""
        await self._send_event(topic, encode_event(event))

    def broadcast_soon(self, topic: str, event: ServerEvent, *, workers: int | None) -> None:
        """Publish an event in a task of its own, without holding up the caller."""
        if self.has_subscribers(topic, workers):
            self._broadcasts.begin(self._broadcast(topic, event, workers), "broadcast")

    async def settle(self) -> None:
        """Return when all that ``broadcast_soon`` was given so far is published."""
        await self._broadcasts.settle()

    @contextmanager
    def handle_commands(self, session_id: str, handler: CommandHandler) -> Iterator[None]:
        """Have ``handler`` called with the commands for whoever answers in the session.

        One handler per session and worker. Commands of other workers come only while somebody
        here is subscribed to the session; the store's stop flag carries them in any case.
        """
        self._command_handlers[session_id] = handler
        try:
            yield
        finally:
            self._command_handlers.pop(session_id, None)

    async def send_command(self, session_id: str, command: Command) -> None:
        """Ask whoever answers in this session, in any worker, to do something."""
        if handler := self._command_handlers.get(session_id):
            handler(command)
        group = watch_group(session_id)
        await self._link.send(group, RemoteCommand(self._link.channel, group, command))

    def on_erased(self, forget: Callable[[str], None]) -> None:
        """Have ``forget`` called with the id of each session that is erased, in any worker."""
        self._erasure_callbacks.append(forget)

    def on_remote_event(self, note: Callable[[str, RemoteEvent], None]) -> None:
        """Have ``note`` called with each event of other workers in topics that have subscribers
        here, before these.
        """
        self._remote_callbacks.append(note)

    async def publish_erased(self, session_id: str) -> None:
        """Have every worker forget an erased session (``on_erased``) and tell its viewers.

        Repeated for a while in the background: no worker may go on showing what is no more.
        """
        await self._forget(session_id)
        if self._link.layer is None:
            return
        self._erasures[session_id] = asyncio.get_running_loop().time() + self._erased_again_s
        if len(self._erasures) > self._max_erased:
            del self._erasures[next(iter(self._erasures))]
        await self._send_erasures()
        if self._repeating is None:
            self._repeating = asyncio.create_task(self._repeat_erasures(), name="erasures")

    async def erasures_published(self) -> None:
        """Return once all erasures were repeated: for a process that ends after it.

        Waits no longer than that takes with a layer that is there.
        """
        if self._repeating is not None:
            await asyncio.wait({self._repeating}, timeout=2 * self._erased_again_s)

    async def heartbeat(self) -> bool:
        """Subscribe again where the layer was away, and send a numbered beat to every worker.

        To be called every second. Return whether events of another worker may have been lost
        since the last call, in any topic.
        """
        return await self._link.heartbeat()

    def expect_end(self, topic: str) -> None:
        """Note that subscribers here wait for an answer that another worker may be writing."""
        self._note_waiting(topic, is_waiting=True)

    def overdue(self, silence_s: float) -> list[str]:
        """Return the topics in which subscribers here wait and nothing came for so long."""
        since = asyncio.get_running_loop().time() - silence_s
        return [topic for topic, last_at in self._waiting.items() if last_at < since]

    async def _deliver(
        self, topic: str, event: EncodedEvent, exclude: Subscriber | None = None
    ) -> None:
        """Call the subscribers of this worker; with an erasure once, however often it comes."""
        subscribers = tuple(self._subscribers.get(topic, ()))
        if (event.type, event.event_id) == (ERASED.type, ERASED.event_id):
            if topic in self._told_erased:
                return
            if subscribers:
                self._told_erased.add(topic)
        if exclude is not None and len(subscribers) > 1:
            self._note_waiting(topic, is_waiting=True)
        for subscriber in subscribers:
            if subscriber == exclude:
                continue
            try:
                await subscriber(event)
            except Exception:
                logger.exception("a subscriber failed")

    def _note_waiting(self, topic: str, *, is_waiting: bool) -> None:
        """Remember whether subscribers here are to see the conversation again, once it is quiet.

        They are when they wait for an end that may be lost on its way, and when messages came
        from several sides: who sent one of them may have seen it before the other.
        """
        if is_waiting and topic in self._subscribers:
            self._waiting[topic] = asyncio.get_running_loop().time()
        else:
            self._waiting.pop(topic, None)

    async def _broadcast(self, topic: str, event: ServerEvent, workers: int | None) -> None:
        try:
            await self.publish(topic, event, workers=workers)
        except Exception:
            logger.exception("an event was not published: %s", event.type)

    async def _send_event(self, topic: str, event: EncodedEvent) -> None:
        if self._link.layer is not None:
            group = watch_group(topic)
            await self._link.send(group, RemoteEvent(self._link.channel, group, event))

    async def _handle(self, message: WorkerMessage) -> None:
        """Do what a message of another worker asks for.

        Raises:
            UnknownMessage: for the staff, in a topic of customers.
        """
        match message:
            case Erasure(_, session_id):
                await self._forget(session_id)
            case RemoteCommand(_, group, command):
                if handler := self._command_handlers.get(self._link.topic_of(group)):
                    handler(command)
            case RemoteEvent(_, group, event):
                topic = self._link.topic_of(group)
                if event.type in _FOR_STAFF and is_id(topic):
                    raise UnknownMessage
                self._note_remote_event(topic, message)
                self._note_waiting(topic, is_waiting=True)
                await self._deliver(topic, event)

    def _note_remote_event(self, topic: str, event: RemoteEvent) -> None:
        for note in self._remote_callbacks:
            try:
                note(topic, event)
            except Exception:
                logger.exception("an event of another worker was not noted")

    async def _forget(self, session_id: str) -> None:
        """Drop what this worker remembers of an erased session, and tell its viewers."""
        for forget in self._erasure_callbacks:
            try:
                forget(session_id)
            except Exception:
                logger.exception("a copy of an erased conversation may be left")
        await self._deliver(session_id, ERASED)

    async def _repeat_erasures(self) -> None:
        try:
            while self._erasures:
                await asyncio.sleep(self._erased_every_s)
                await self._send_erasures()
        finally:
            self._repeating = None

    async def _send_erasures(self) -> None:
        """Send all, also while the layer is left alone: the store was there just now."""
        now = asyncio.get_running_loop().time()
        for session_id, until in list(self._erasures.items()):
            erasure = Erasure(self._link.channel, session_id)
            if not await self._link.try_to_send(EVERYBODY, erasure):
                self._erasures = dict.fromkeys(self._erasures, now + self._erased_again_s)
                return
            if until < now:
                self._erasures.pop(session_id, None)


def build_pubsub() -> PubSub:
    """Return a ``PubSub`` on the channel layer that the settings ask for."""
    layer = get_channel_layer()
    is_alone = layer is None or isinstance(layer, InMemoryChannelLayer)
    return PubSub(None if is_alone else layer)


#: The subscribers of this worker.
PUBSUB: LoopPart[PubSub] = LoopPart("pubsub", build_pubsub, aclose=PubSub.close)


# This worker's end of the channel layer.

#: The group of all workers.
EVERYBODY = "workers"
_CHANNEL_PREFIX = "ear."


class _LayerLink:
    """One channel of the layer, the groups that it is in, and whether the layer answers.

    ``wanted``: returns the topics whose groups the channel is to be in. ``handle``: called with
    each message of another worker, apart from heartbeats.
    """

    def __init__(
        self,
        layer: Any,
        away_s: float,
        wanted: Callable[[], Collection[str]],
        handle: Callable[[WorkerMessage], Awaitable[None]],
    ) -> None:
        self.layer = layer
        #: "" until it is open.
        self.channel = ""
        self._away_s = away_s
        self._wanted = wanted
        self._handle = handle
        #: By group of the layer that the channel is in.
        self._topics: dict[str, str] = {}
        self._opening = asyncio.Lock()
        self._receiving: asyncio.Task[None] | None = None
        self._away_until = 0.0
        #: Heartbeats are numbered from 1; the last one of each worker, by its channel.
        self._beat = 0
        self._beats: dict[str, int] = {}
        self._has_lost = False
        #: Why messages were ignored, as far as it was logged.
        self._logged: set[str] = set()

    async def close(self) -> None:
        if self._receiving is not None:
            self._receiving.cancel()
            await asyncio.wait({self._receiving})

    def has_joined(self, topic: str) -> bool:
        return watch_group(topic) in self._topics

    def topic_of(self, group: str) -> str:
        """Return the topic of a group that this worker is in, else ""."""
        return self._topics.get(group, "")

    async def join(self, topic: str) -> None:
        """Have other workers' events of this topic brought here."""
        group = watch_group(topic)
        if self._is_away() or group in self._topics:
            return
        try:
            async with _in_time():
                await self._open()
                await self.layer.group_add(group, self.channel)
            self._topics[group] = topic
        except Exception:  # noqa: BLE001 - a layer that is away costs liveness, nothing else
            self._note_away("not subscribed to other workers")

    async def leave(self, topic: str) -> None:
        group = watch_group(topic)
        if self._topics.pop(group, None) is None or self._is_away():
            return
        try:
            async with _in_time():
                await self.layer.group_discard(group, self.channel)
        except Exception:  # noqa: BLE001 - as above
            self._note_away("still subscribed to a session")

    async def heartbeat(self) -> bool:
        """See ``PubSub.heartbeat``.

        A worker without subscribers receives too: it may have copies of what others erase. Beats
        are counted whether they could be sent or not, so one that never comes tells of a loss.
        """
        if not self._is_receiving() and not self._is_away():
            try:
                async with _in_time():
                    await self._open()
            except Exception:  # noqa: BLE001 - as above
                self._note_away("not subscribed to other workers")
        for topic in [topic for topic in self._wanted() if not self.has_joined(topic)]:
            if self._is_away():
                break
            await self.join(topic)
        self._beat += 1
        if self.channel:
            await self.send(EVERYBODY, Heartbeat(self.channel, self._beat))
        has_lost, self._has_lost = self._has_lost, False
        return has_lost

    async def send(self, group: str, message: WorkerMessage) -> None:
        """Send to the other workers of a group; lost while the layer is away."""
        if not self._is_away():
            await self.try_to_send(group, message)

    async def try_to_send(self, group: str, message: WorkerMessage) -> bool:
        """Send whatever is known of the layer. Return whether it took it."""
        encoded = encode_message(message)
        try:
            async with _in_time():
                try:
                    await self.layer.group_send(group, encoded)
                except ConnectionError:  # Redis restarted: the layer connects anew
                    await self.layer.group_send(group, encoded)
        except Exception:  # noqa: BLE001 - as above
            self._note_away("other workers not told")
            return False
        return True

    async def _open(self) -> None:
        async with self._opening:
            if not self.channel:
                self.channel = await self._new_channel()
            if not self._is_receiving():
                self._receiving = asyncio.create_task(self._receive(), name="pubsub")

    async def _new_channel(self) -> str:
        channel: str = await self.layer.new_channel(_CHANNEL_PREFIX)
        await self.layer.group_add(EVERYBODY, channel)
        return channel

    async def _receive(self) -> None:
        """Receive and handle messages for ever; only cancelling ends it.

        One message that cannot be read or handled is ignored. When the layer itself fails, all is
        subscribed to again after a pause that doubles.
        """
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                received = await self.layer.receive(self.channel)
            except ValueError as error:  # of the layer's serializer: it was no message of ours
                self._note_ignored("unreadable", error)
                await asyncio.sleep(0)
                continue
            except Exception as error:  # noqa: BLE001 - whatever the layer raises, receiving goes on
                self._note_restart(error)
                await asyncio.sleep(pause_s)
                pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
                await self._subscribe_again()
                continue
            pause_s = FIRST_PAUSE_S
            try:
                message = decode_message(received)
                if isinstance(message, Heartbeat):
                    self._note_beat(message)
                elif message.sender != self.channel:
                    await self._handle(message)
            except UnknownMessage as error:
                self._note_ignored("unknown", error)
            except InvalidMessage as error:
                self._note_ignored("invalid", error)
            except Exception as error:  # noqa: BLE001 - one message must not stop all others
                self._note_ignored("failed", error)

    async def _subscribe_again(self) -> None:
        """Take a new channel in place of one that fails, in all groups of the old one.

        What cannot be done now is done by ``heartbeat``, or after the next error.
        """
        old, topics = self.channel, self._topics
        with suppress(Exception):
            async with _in_time():
                for group in (*topics, EVERYBODY):
                    await self.layer.group_discard(group, old)
        with suppress(Exception):
            async with _in_time():
                self.channel = await self._new_channel()
        self._topics = {}
        self._has_lost = True
        wanted = self._wanted()
        for topic in topics.values():
            if topic in wanted:
                await self.join(topic)

    def _note_beat(self, beat: Heartbeat) -> None:
        if len(self._beats) >= MAX_WORKERS:
            self._beats.clear()
        if beat.number != self._beats.get(beat.sender, 0) + 1:
            self._has_lost = True
        self._beats[beat.sender] = beat.number

    def _note_ignored(self, reason: str, error: Exception) -> None:
        """Count it, and log it once for each reason; no word of the message."""
        metrics.channel_messages_ignored.labels(reason=reason).inc()
        if reason not in self._logged:
            self._logged.add(reason)
            failed = error if reason == "failed" else None
            logger.warning(
                "message between workers ignored: %s (logged once)", reason, exc_info=failed
            )

    def _note_restart(self, error: Exception) -> None:
        metrics.channel_restarts.inc()
        what = type(error).__name__
        logger.warning("receiving from other workers failed and is begun again: %s", what)

    def _is_receiving(self) -> bool:
        return self._receiving is not None and not self._receiving.done()

    def _is_away(self) -> bool:
        if self.layer is None:
            return True
        return self._away_until > asyncio.get_running_loop().time()

    def _note_away(self, what: str) -> None:
        if not self._is_away():
            debug = logger.isEnabledFor(logging.DEBUG)
            logger.warning("channel layer away: %s", what, exc_info=debug)
        self._away_until = asyncio.get_running_loop().time() + self._away_s


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    """Bound a call of the layer to ``LAYER_TIMEOUT_S`` in which the event loop runs.

    The lateness of this process says nothing of the layer: after a stall, or without a processor,
    the reply is there but was not read yet, and a timeout of the clock would come before it.

    Raises:
        TimeoutError:
    """
    loop = asyncio.get_running_loop()
    step_s = LAYER_TIMEOUT_S / _TIMEOUT_STEPS
    timer: asyncio.TimerHandle
    async with asyncio.timeout(None) as limit:

        def count(steps_left: int) -> None:
            nonlocal timer
            if steps_left:
                timer = loop.call_later(step_s, count, steps_left - 1)
            else:
                limit.reschedule(loop.time())

        timer = loop.call_later(step_s, count, _TIMEOUT_STEPS - 1)
        try:
            yield
        finally:
            timer.cancel()


# Messages between workers. Redis carries whatever any program publishes there, and workers of two
# releases run side by side during a rolling update: a message of an unknown kind is an ordinary
# thing, and one that is not as written here is refused before anything is done with it. No I/O.

#: Longest name of a channel or a group, and the greatest number of a beat.
MAX_NAME_CHARS = 200
MAX_BEAT = 2**53
#: Longest event: several times a whole conversation with its HTML.
MAX_EVENT_CHARS = 8_000_000

#: What every viewer reads of an event, by its type.
_READ: dict[str, dict[str, type]] = {
    "session.state": {"messages": list, "waiting": list, "speaker": str},
    "desk.state": {"messages": list, "waiting": list, "speaker": str},
    "messages.loaded": {"messages": list, "before": str},
    "message.delta": {"id": str, "offset": int, "text": str},
    "message.done": {"message": dict},
    "speaker.changed": {"speaker": str, "name": str},
    "aside.added": {"aside": dict},
    "session.ended": {"reason": str},
    "error": {"code": str, "message": str},
}


class UnknownMessage(Exception):
    """Of a kind, with an event or with a command that this release does not know."""


class InvalidMessage(Exception):
    """Of a known kind, but not as that kind is written."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """``{"type": "beat", "from": "<channel>", "number": 1}``

    ``sender``: "" of a worker that has no channel (yet), as of all kinds.
    """

    sender: str
    number: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """``{"type": "forget", "from": "<channel>", "session": "<id>"}``"""

    sender: str
    session_id: str


@dataclass(frozen=True, slots=True)
class RemoteCommand:
    """``{"type": "order", "from": "<channel>", "group": str, "order": "stop" | "yield"}``"""

    sender: str
    group: str
    command: Command


@dataclass(frozen=True, slots=True)
class RemoteEvent:
    """``{"type": "event", "from": …, "group": str, "event": str, "about": str, "text": JSON}``

    ``message``: of ``message.done``, None where it cannot be read. ``code``: of ``error``. Both
    only of one that was received.
    """

    sender: str
    group: str
    event: EncodedEvent
    message: Message | None = None
    code: str = ""


WorkerMessage = Heartbeat | Erasure | RemoteCommand | RemoteEvent


def encode_message(message: WorkerMessage) -> JSON:
    """Return what the channel layer carries."""
    match message:
        case Heartbeat(sender, number):
            return {"type": "beat", "from": sender, "number": number}
        case Erasure(sender, session_id):
            return {"type": "forget", "from": sender, "session": session_id}
        case RemoteCommand(sender, group, command):
            return {"type": "order", "from": sender, "group": group, "order": command.value}
        case RemoteEvent(sender, group, event):
            told = {"event": event.type, "about": event.question_id, "text": event.json}
            return {"type": "event", "from": sender, "group": group, **told}


def decode_message(received: object) -> WorkerMessage:
    """Read what the channel layer brought.

    Raises:
        UnknownMessage, InvalidMessage: it is to be ignored.
    """
    match received:
        case {"type": "beat", "from": str(sender), "number": int(number)}:
            if number is True or not 0 < number <= MAX_BEAT:
                raise InvalidMessage
            return Heartbeat(_name(sender), number)
        case {"type": "forget", "from": str(sender), "session": str(session_id)}:
            if not is_id(session_id):
                raise InvalidMessage
            return Erasure(_name(sender), session_id)
        case {"type": "order", "from": str(sender), "group": str(group), "order": str(word)}:
            if word not in _COMMANDS:
                raise UnknownMessage
            return RemoteCommand(_name(sender), _name(group), Command(word))
        case {"type": "event", "from": str(sender), "group": str(group), **told}:
            return _event(_name(sender), _name(group), told)
        case {"type": "beat" | "forget" | "order" | "event"}:
            raise InvalidMessage
        case {"type": str()}:
            raise UnknownMessage
    raise InvalidMessage


def _event(sender: str, group: str, told: dict[object, object]) -> RemoteEvent:
    match told:
        case {"event": str(type_), "about": str(about), "text": str(text)}:
            if type_ not in EVENT_TYPES:
                raise UnknownMessage
            if (about and not is_id(about)) or len(text) > MAX_EVENT_CHARS:
                raise InvalidMessage
            data = _decoded(type_, text)
            message = message_of_json(data["message"]) if type_ == MessageDone.type else None
            code = data["code"] if type_ == Failed.type else ""
            event = EncodedEvent.of(data, text, about)
            return RemoteEvent(sender, group, event, message, code)
    raise InvalidMessage


def _decoded(type_: str, text: str) -> JSON:
    """Decode that event, which has what every viewer reads of it.

    Raises:
        InvalidMessage: it has not, or is another.
    """
    try:
        event = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidMessage from error
    if not isinstance(event, dict) or event.get("type") != type_:
        raise InvalidMessage
    if not all(isinstance(event.get(name), kind) for name, kind in _READ.get(type_, {}).items()):
        raise InvalidMessage
    return event


def _name(text: str) -> str:
    if len(text) > MAX_NAME_CHARS:
        raise InvalidMessage
    return text


class SpeakerFilter:
    """Keeps the model's words from one viewer while an adviser answers.

    Whoever takes over has the model fall silent first. What another worker still sends, or sent
    before and arrives late, is dropped here: the state that the viewer was sent has it already.
    """

    def __init__(self) -> None:
        self._is_adviser = False

    def allows(self, event: EncodedEvent) -> bool:
        """Note who answers, if the event says it; return whether the viewer may get the event."""
        if event.speaker:
            self._is_adviser = event.speaker == "adviser"
        return not (self._is_adviser and _is_of_model(event))


def _is_of_model(event: EncodedEvent) -> bool:
    if event.type == MessageDone.type:
        return event.question_id != ""
    return event.type in (MessageDelta.type, ToolStarted.type)
