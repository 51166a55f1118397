"""Chat sessions at rest, and the right to answer in them.

Every operation is atomic, whoever else writes from whichever process, and may be repeated
after an unknown result without a second effect. All raise ``StoreUnavailable`` when the
store does not answer; that is never read as "no such session".

``owner`` says who asks: a session of another owner is not found. ``ANY_OWNER`` is staff.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Protocol

from django.conf import settings

from chat.conversations.store.adviser_store import AdviserStore, StaffNote
from chat.conversations.store.erasures import ErasureFolder, Erasures, erasure_folder
from chat.conversations.store.maintenance import Maintenance
from chat.conversations.types import Message, Outcome, Session
from chat.core.json import JSON
from chat.core.runtime import Part

ANY_OWNER = "*"
WEB_OWNER = "web"

#: A worker that has not renewed for this long has lost its turn to any other.
LEASE_S = 5.0
#: A question that its own worker has not begun by then may be answered by any other.
GRACE_S = 3.0
#: A question whose acceptance set no deadline is answered within this time.
ANSWER_WITHIN_S = 30.0
#: How often workers begin to answer one question, before it ends as failed.
MAX_ATTEMPTS = 3
#: Sessions that one look for questions that nobody answers finds.
MAX_ORPHANS = 500
#: A longer conversation takes no more questions: its whole state goes to every socket that
#: opens, and no client may take more than 2 MB of a worker.
MAX_SESSION_BYTES = 500_000
#: How long after an erasure late writers are still told of it.
ERASED_S = 48 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTimes:
    """How long a question is reserved for a worker that gives no sign of life.

    ``lease_s``: see ``LEASE_S``. ``grace_s``: see ``GRACE_S``. All workers of one Redis have the
    same ones.
    """

    lease_s: float = LEASE_S
    grace_s: float = GRACE_S


#: Those of the product.
LEASE_TIMES = LeaseTimes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A stored question. ``fresh``: stored by this very call.

    ``outcome``: how it ended, or None while its answer is to come.
    ``created``: the session, when this call began it.
    ``ahead``: ids of questions that are answered before it.
    ``lease``: the right to answer it, if it was asked for and nobody else is to answer.
    ``listening``: how many workers have viewers; None when that is not known.
    ``left_s``: until its deadline, while it has no outcome.
    """

    fresh: bool
    outcome: Outcome | None
    adviser: str
    created: Session | None = None
    ahead: tuple[str, ...] = ()
    lease: Lease | None = None
    listening: int | None = None
    left_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to answer one question, until it is not renewed for ``LEASE_S``.

    ``again``: somebody began before; what they wrote is dropped, the answer keeps its id.
    ``granted_at``: event loop time from which it counts: no later than the store granted it,
    however late this process reads the reply.
    ``deadline``: event loop time at which the answer ends, finished or not.
    ``attempt``: how often the answer was begun, this time included.
    """

    session: Session
    question_id: str
    answer_id: str
    token: str
    again: bool
    granted_at: float
    deadline: float
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """A question that the store ended as failed: nobody is to try any more.

    ``outcome``: with ``assistant_timeout`` when its deadline has passed, else with
    ``assistant_unavailable`` after ``MAX_ATTEMPTS``; interrupted when something was written.
    ``attempts``: how often workers began to answer it.
    """

    question_id: str
    outcome: Outcome
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimResult:
    """What came of asking for the next question: maybe a lease.

    ``ended``: outcomes of the caller's own questions that have one by now.
    ``given_up``: questions, whoever's, that this very call ended: the caller tells viewers.
    """

    lease: Lease | None = None
    ended: dict[str, Outcome] = field(default_factory=dict)
    given_up: tuple[GivenUp, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """``stop``: the customer asked to stop. ``listening``: as in ``Accepted``."""

    stop: bool
    listening: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """``listening``: as in ``Accepted``. ``watching``: the same of the staff."""

    listening: int | None
    watching: int | None


class LeaseLost(Exception):
    """Somebody else answers, took over, ended or erased: nothing more may be written."""


#: Whether a missing session is created: "always", only if it never existed ("new"), or
#: always because its id was made just now ("fresh").
Create = Literal["always", "new", "fresh"]


class Store(AdviserStore, Maintenance, Erasures, Protocol):
    @property
    def backend(self) -> Literal["redis", "memory"]:
        """What serves now."""

    async def accept(
        self,
        session_id: str,
        owner: str,
        message: Message,
        *,
        create: Create,
        answer_id: str = "",
        answer_within_s: float = ANSWER_WITHIN_S,
        arrived_at: float | None = None,
    ) -> Accepted:
        """Store a customer's message as a question to be answered.

        A missing session is created, as ``create`` says. A known
        id with the same text changes nothing, except that a failed question is asked again.

        ``answer_within_s``: until the deadline of the question, which is stored with it and holds
        for all workers. A question that is asked again gets a new one, and its attempts anew.

        ``arrived_at``: event loop time at which this worker was asked to. For ``ERASED_S`` after an
        erasure, no message that was part of what was erased, and none that arrived before it, is
        stored under that id again: neither in a conversation that it would begin, nor in one that
        was begun since.

        ``answer_id``: not "" to ask as well for the right to answer it, under that id. It is
        given only at once, when no other question waits, else ``claim`` has to be asked.

        Raises:
            IdConflict: the id is known with another text.
            SessionNotFound: of another owner.
            SessionGone: ended, erased, or (with "new") expired.
            SessionFull: it is longer than ``MAX_SESSION_BYTES``.
        """

    async def claim(
        self, session_id: str, owned: Sequence[str], new_answer_id: str, *, last_try: bool = True
    ) -> ClaimResult:
        """Ask for the right to answer the first question that has no end.

        Granted for one of ``owned`` as soon as nobody answers, for another's when its worker
        has not begun within ``GRACE_S`` or stopped renewing. Without ``last_try`` not for one
        that would be begun for the last time: see ``chat/turns/orphans.py``.

        A question that nobody answers and whose deadline has passed, or that was begun
        ``MAX_ATTEMPTS`` times, is ended here in the same atomic step; what was kept of its answer
        stays as an interrupted message. Then the next question is looked at.

        Raises:
            SessionNotFound: expired or erased meanwhile.
        """

    async def write(self, lease: Lease, offset: int, piece: str) -> Written:
        """Keep more of the draft and renew the lease. ``offset``: UTF-8 bytes before ``piece``.

        No lease is renewed past the question's deadline and ``LEASE_S``.

        Raises:
            LeaseLost:
        """

    async def finish(
        self,
        lease: Lease,
        outcome: Outcome,
        answer: Message | None,
        staff_note: StaffNote | None = None,
    ) -> Finished:
        """Give the question its end, storing the answer and the staff note if there are any.

        Raises:
            LeaseLost:
        """

    async def release(self, lease: Lease) -> None:
        """Leave the question to any other worker, at once; nothing when the lease is lost.

        The attempt does not count: only the deadline bounds how often a question is handed over.
        """

    async def abandon(self, session_id: str, question_id: str, outcome: Outcome) -> None:
        """Give a question that nobody answers its end.

        Raises:
            LeaseLost: it is being answered, or has ended.
        """

    async def outcome(self, session_id: str, question_id: str) -> Outcome | None:
        """Return how a question ended, or None while it has no end.

        Raises:
            SessionNotFound:
        """

    async def stop(self, session_id: str, owner: str) -> bool:
        """Ask whoever answers to stop. Return whether somebody does."""

    async def load(self, session_id: str, owner: str) -> Session:
        """Return the session as it is now.

        Raises:
            SessionNotFound: never existed, or of another owner.
            SessionGone: expired or erased.
        """

    async def put_form(
        self, session_id: str, owner: str, form: JSON | None, *, expected_version: int
    ) -> bool:
        """Keep a ticket that is being made in place of the one with that version; None: remove it.

        ``form``: JSON with a ``version`` above every earlier one's of this conversation (see
        ``Session.form_version``); removing counts as one version more. ``expected_version``: 0
        where there is none. False, changing nothing, when another one is there; True again when
        the same is repeated. Who answers does not matter; ending the conversation removes it.

        Raises:
            PayloadTooLarge: over 16 kB.
            SessionNotFound, SessionGone:
        """

    async def end(self, session_id: str, owner: str) -> bool:
        """Close the conversation; it stays readable until it expires. False when not found."""

    async def erase(self, session_id: str, owner: str) -> bool:
        """Remove every trace of the conversation but its id. False when not found.

        That its contact requests and photos are to go as well is noted in the same step (see
        ``Erasures``), also for a conversation that expired, and for one of ``WEB_OWNER`` that
        never began: photos may come before the first word.
        """

    async def count(self) -> int:
        """Return how many sessions are active."""

    async def orphans(self) -> dict[str, int]:
        """Return sessions with a question that nobody answers, at most ``MAX_ORPHANS``.

        By id how often that question was begun, 0 once its deadline passed.
        """

    async def ping(self) -> None:
        """Return when the store answers."""


def build_store() -> Store:
    """Return the store that ``REDIS_URL`` asks for."""
    from chat.conversations.store.failover.store import FailoverStore  # noqa: PLC0415
    from chat.conversations.store.memory.store import MemoryStore  # noqa: PLC0415 - they import this module
    from chat.conversations.store.redis.store import RedisStore  # noqa: PLC0415

    env = settings.ENV
    in_memory = partial(
        MemoryStore,
        env.session_ttl_s,
        max_sessions=env.memory_max_sessions,
        max_bytes=env.memory_max_mb * 1_000_000,
    )
    if env.redis_url.startswith("memory://"):
        return in_memory(erasures=ErasureFolder(erasure_folder()))
    return FailoverStore(RedisStore.of_django(env.session_ttl_s), in_memory())


def close_store(store: Store) -> None:
    """End the threads of a store that ``build_store`` made."""
    from chat.conversations.store.failover.store import FailoverStore  # noqa: PLC0415 - it imports this module

    if isinstance(store, FailoverStore):
        store.close()


#: The conversations of this worker.
STORE: Part[Store] = Part("store", build_store, close=close_store)
