"""What a chat session is: plain immutable values, no I/O."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from chat.core.clock import now
from chat.core.errors import BY_CODE, AssistantUnavailable, ChatError, Internal, SessionUnreadable
from chat.core.ids import isoformat, new_id
from chat.core.json import JSON


def fingerprint(text: str) -> str:
    """16 hex digits that tell one text from another; Lua computes the same with sha1hex."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:16]


class Unreadable(Exception):
    """A stored record is of no form that this release knows."""


@contextmanager
def decoding() -> Iterator[None]:
    """Turn whatever a malformed record raises into ``Unreadable``. Nothing else belongs inside."""
    try:
        yield
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, OSError) as error:
        raise Unreadable(type(error).__name__) from error
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error


def unknown_fields(data: JSON, known: frozenset[str]) -> JSON | None:
    """Return what another release wrote into a record besides the known fields, to be written back
    unchanged; None when there is nothing.
    """
    return None if data.keys() <= known else {n: v for n, v in data.items() if n not in known}


class Author(StrEnum):
    CUSTOMER = "customer"
    ASSISTANT = "assistant"
    ADVISER = "adviser"
    SYSTEM = "system"


_AUTHORS: dict[str, Author] = {author.value: author for author in Author}
MESSAGE_FIELDS = frozenset(
    ("id", "author", "text", "sent_at", "interrupted", "reply_to", "name", "sources")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One entry of the transcript.

    ``interrupted``: ended before its end (stop, deadline, failure).
    ``reply_to``: id of the customer's message that this one answers, or "".
    ``name``: of the adviser who wrote it, or "".
    ``sources``: what an answer rests on, each ``{"kind", "label", "ref", "url"}``, of a product
    also "price", "size", "stock" and "image" where they are known.
    ``extra``: fields as another release wrote them, which go back into the document unchanged:
    those that are unknown here, and an author that is, who counts as the application.
    """

    author: Author
    text: str
    id: str = field(default_factory=new_id)
    sent_at: datetime = field(default_factory=now)
    interrupted: bool = False
    reply_to: str = ""
    name: str = ""
    sources: tuple[JSON, ...] = ()
    extra: JSON | None = field(default=None, hash=False)

    def to_json(self) -> JSON:
        data: JSON = {
            "id": self.id,
            "author": self.author.value,
            "text": self.text,
            "sent_at": isoformat(self.sent_at),
            "interrupted": self.interrupted,
        }
        if self.reply_to:
            data["reply_to"] = self.reply_to
        if self.name:
            data["name"] = self.name
        if self.sources:
            data["sources"] = list(self.sources)
        if self.extra:
            data |= self.extra
        return data

    @classmethod
    def from_json(cls, data: JSON) -> Message:
        """Read what ``to_json`` wrote, also of another release.

        Raises:
            Unreadable, or what ``decoding`` turns into it:
        """
        id_, text, sent_at = data["id"], data["text"], datetime.fromisoformat(data["sent_at"])
        author = _AUTHORS.get(data["author"])
        reply_to, name = data.get("reply_to") or "", data.get("name") or ""
        if not (type(id_) is type(text) is type(reply_to) is type(name) is str and sent_at.tzinfo):
            raise Unreadable("not a text, or no time zone")
        sources = data.get("sources", ())
        if sources and not all(isinstance(source, dict) for source in sources):
            raise Unreadable("not a source")
        extra = unknown_fields(data, MESSAGE_FIELDS)
        if author is None:
            author, extra = Author.SYSTEM, {**(extra or {}), "author": _text_in(data["author"])}
        return cls(
            id=id_,
            author=author,
            text=text,
            sent_at=sent_at,
            interrupted=bool(data.get("interrupted")),
            reply_to=reply_to,
            name=name,
            sources=tuple(sources),
            extra=extra,
        )


def place_by_time(messages: Sequence[Message], message: Message) -> int:
    """Return the index of the first message that was sent later, else that of the end.

    A customer may go from one worker to another between two messages. Under this rule both keep
    their order in every copy, as long as the clocks differ by less than that takes: whatever stands
    before a message was sent before its acknowledgement, and the customer's next message after it.
    """
    places = range(len(messages))
    return next((n for n in places if messages[n].sent_at > message.sent_at), len(messages))


def _text_in(value: object) -> str:
    if not isinstance(value, str):
        raise Unreadable("not a text")
    return value


def moment_of_text(text: str) -> datetime:
    """Read an aware moment; one without a zone cannot be compared with others."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise Unreadable("no time zone")
    return moment


class End(StrEnum):
    """How a question ended. Each has exactly one end."""

    DONE = "done"
    STOPPED = "stopped"  # by the customer
    INTERRUPTED = "interrupted"  # deadline or failure, with something written
    FAILED = "failed"  # with a code, nothing written
    TAKEN_OVER = "taken_over"  # an adviser answers instead


_ENDS: dict[str, End] = {end.value: end for end in End}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of one question. ``code`` is an error code when something failed.

    ``error_id``: where the log tells of it, when it was a bug.
    ``raw``: as another release wrote it, when it says more than this one understands.
    """

    end: End
    answer_id: str = ""
    code: str = ""
    retry_after_s: int | None = None
    error_id: str = ""
    raw: str = field(default="", compare=False)

    def error(self) -> ChatError:
        """Return the failure as the customer is told of it; ``code`` must be one."""
        if self.error_id:
            return Internal(self.error_id)
        known = BY_CODE.get(self.code, AssistantUnavailable)
        if issubclass(known, SessionUnreadable):
            return known()
        return known(retry_after_s=self.retry_after_s)

    def to_text(self) -> str:
        """``"failed||assistant_timeout|5|"``: what the store keeps."""
        if self.raw:
            return self.raw
        retry = "" if self.retry_after_s is None else str(self.retry_after_s)
        return f"{self.end}|{self.answer_id}|{self.code}|{retry}|{self.error_id}"

    @classmethod
    def from_text(cls, text: str) -> Outcome:
        """Read what ``to_text`` wrote, also of another release: an end that is not known here
        counts as done when it names an answer, else as failed.
        """
        end, answer_id, code, retry, error_id = (*text.split("|"), "", "", "", "")[:5]
        known = _ENDS.get(end)
        outcome = cls(
            end=known or (End.DONE if answer_id else End.FAILED),
            answer_id=answer_id,
            code=code or ("" if known or answer_id else AssistantUnavailable.code),
            retry_after_s=int(retry) if retry.isdecimal() else None,
            error_id=error_id,
        )
        return outcome if outcome.to_text() == text else replace(outcome, raw=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The answer being written now, as far as it was kept."""

    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A conversation as read at one moment.

    ``owner``: who may reach it: "web" (a browser), "api" (open API) or "key:<id>".
    ``epoch``: random; another one means another conversation under the same id.
    ``adviser``: name of the human who answers, "" when the assistant does; ``adviser_id``: theirs.
    ``asked_at``: since when the customer waits for a human, None when they do not.
    ``instruction``: what the last adviser told the assistant to heed, or "".
    ``waiting``: ids of the questions with no end yet, in order; the first may be answered now.
    ``failed``: error codes by id of the questions that ended without an answer.
    ``ended``: nothing more may be said, the transcript can still be read.
    ``form``: a ticket that is being made, as ``Store.put_form`` was given it, or None.
    ``form_version``: the last that a form of this conversation had, removals counted.
    ``extra``: fields of its document that another release wrote, None for none.
    """

    id: str
    owner: str
    epoch: str
    created_at: datetime
    expires_at: datetime
    messages: tuple[Message, ...] = ()
    adviser: str = ""
    adviser_id: str = ""
    asked_at: datetime | None = None
    instruction: str = ""
    draft: Draft | None = None
    waiting: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    ended: bool = False
    form: JSON | None = None
    form_version: int = 0
    extra: JSON | None = None

    @property
    def has_adviser(self) -> bool:
        return self.adviser != ""
