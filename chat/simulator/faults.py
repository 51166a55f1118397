"""What can be made to go wrong, and how it is asked for. Pure.

In JSON, for ``POST /faults``: ``{"kind": "cut", "after": 5, "times": 1}``.
In a customer's message: ``[[panne:coupure apres=5]]``, ``[[lent delai_ms=1000]]``.
``docs/local-assistant.md`` lists them all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from chat.simulator.request import JSON


class Kind(StrEnum):
    SLOW = "slow"  # only the pace changes
    HANG = "hang"  # takes the request, never answers
    HANG_MIDSTREAM = "hang_midstream"
    DRIP = "drip"  # sends something now and then that is no answer, for ever
    RATE_LIMIT = "rate_limit"  # 429 with Retry-After
    ERROR = "error"  # any status from 400
    ERROR_MIDSTREAM = "error_midstream"  # an error object in the stream
    AUTH = "auth"  # 401, wrong key
    HTML = "html"  # 200, the page of some proxy
    GARBAGE = "garbage"  # broken JSON in the stream
    BAD_UTF8 = "bad_utf8"
    CUT = "cut"  # the connection closes in mid-stream
    CLEAN_CUT = "clean_cut"  # the stream ends, without finish_reason and [DONE]
    EMPTY = "empty"  # a stream with [DONE] at once
    WRONG_JSON = "wrong_json"  # one JSON body where a stream was asked
    ENDLESS = "endless"
    REFUSE = "refuse"  # closes the connection at once
    CONTENT_FILTER = "content_filter"
    UNKNOWN_TOOL = "unknown_tool"  # calls a tool that was not offered
    BROKEN_ARGUMENTS = "broken_arguments"  # calls a tool with arguments that are no JSON
    CALL_LOOP = "call_loop"  # calls a tool again and again
    CALL = "call"  # calls this tool with these arguments
    SAY = "say"  # says this text


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong, and its pace. None: the server's own.

    ``after``: tokens given before it happens. ``every_ms``: between two drips.
    ``delay_ms``: before the headers. ``first_token_ms``: between them and the first token.
    ``tokens_per_s``: 0 is as fast as possible. ``match``: only requests whose last user
    message contains this text.
    """

    kind: Kind
    after: int | None = None
    delay_ms: int | None = None
    first_token_ms: int | None = None
    tokens_per_s: float | None = None
    every_ms: int = 1_000
    bytes: bool = False
    status: int = 500
    retry_after_s: int = 1
    text: str = ""
    tool: str = ""
    arguments: str = "{}"
    match: str = ""


class BadFault(Exception):
    """Not a fault we can make; the text says why."""


@dataclass(frozen=True, slots=True)
class Directives:
    """What a message asked for. ``text``: the message without it. ``unknown``: as written."""

    text: str
    faults: tuple[Fault, ...] = ()
    unknown: tuple[str, ...] = ()


_TEN_MINUTES_MS = 600_000
#: Highest value of each number; none is below 0.
_LIMITS: dict[str, int] = {
    "after": 100_000,
    "delay_ms": _TEN_MINUTES_MS,
    "first_token_ms": _TEN_MINUTES_MS,
    "tokens_per_s": 100_000,
    "every_ms": _TEN_MINUTES_MS,
    "retry_after_s": 86_400,
    "status": 599,
}
_LEAST = {"status": 400, "every_ms": 1}
_MAX_TEXT_CHARS = 100_000
_MAX_TIMES = 1_000_000

_FRENCH_KINDS: dict[str, Kind] = {
    "lent": Kind.SLOW,
    "silence": Kind.HANG,
    "gel": Kind.HANG_MIDSTREAM,
    "goutte": Kind.DRIP,
    "limite": Kind.RATE_LIMIT,
    "429": Kind.RATE_LIMIT,
    "erreur": Kind.ERROR,
    "erreur_flux": Kind.ERROR_MIDSTREAM,
    "cle": Kind.AUTH,
    "401": Kind.AUTH,
    "charabia": Kind.GARBAGE,
    "utf8": Kind.BAD_UTF8,
    "coupure": Kind.CUT,
    "coupure_propre": Kind.CLEAN_CUT,
    "vide": Kind.EMPTY,
    "json": Kind.WRONG_JSON,
    "sans_fin": Kind.ENDLESS,
    "refus": Kind.REFUSE,
    "filtre": Kind.CONTENT_FILTER,
    "outil_inconnu": Kind.UNKNOWN_TOOL,
    "arguments_casses": Kind.BROKEN_ARGUMENTS,
    "boucle_outils": Kind.CALL_LOOP,
}
_FRENCH_FIELDS = {
    "apres": "after",
    "delai_ms": "delay_ms",
    "premier_jeton_ms": "first_token_ms",
    "jetons_s": "tokens_per_s",
    "toutes_les_ms": "every_ms",
    "octets": "bytes",
    "statut": "status",
    "attendre_s": "retry_after_s",
    "outil": "tool",
}
#: What a directive may set: a customer's message holds no other text.
_IN_DIRECTIVES = {*_LIMITS, "bytes", "tool"}
_DIRECTIVE = re.compile(r"\[\[\s*(panne:|lent\b|jetons_s=)([^\[\]]{0,200})\]\]", re.IGNORECASE)
_SETTING = re.compile(r"(\w{1,30})=([\w.-]{1,60})")

#: How a directive names each kind.
DIRECTIVE_NAMES = tuple(name for name in _FRENCH_KINDS if not name.isdigit())


def parse_fault(data: object) -> tuple[Fault, int | None]:
    """Return the fault that this JSON value describes, and how many times it happens.

    None: until it is taken away. Without ``times``, once.

    Raises:
        BadFault: unknown kind or field, or a value out of bounds.
    """
    if not isinstance(data, dict):
        raise BadFault("a fault is a JSON object with a kind")
    times = data.get("times", 1)
    if times is not None and not (_is_whole(times) and 1 <= times <= _MAX_TIMES):
        raise BadFault("times: a whole number from 1, or null")
    return _fault({name: value for name, value in data.items() if name != "times"}), times


def read_directives(text: str) -> Directives:
    """Take the directives out of a message. One that is not understood is told, not obeyed."""
    faults: list[Fault] = []
    unknown: list[str] = []
    for match in _DIRECTIVE.finditer(text):
        try:
            faults.append(_from_directive(match.group(1).lower(), match.group(2)))
        except BadFault:
            unknown.append(match.group(0))
    return Directives(_DIRECTIVE.sub("", text).strip(), tuple(faults), tuple(unknown))


def _from_directive(opening: str, rest: str) -> Fault:
    if opening == "jetons_s=":
        rest = opening + rest
    name, _, settings = rest.strip().partition(" ") if opening == "panne:" else ("lent", "", rest)
    data: JSON = {"kind": _FRENCH_KINDS.get(name.lower(), name.lower())}
    if re.fullmatch(r"[45]\d\d", name) and name not in _FRENCH_KINDS:
        data = {"kind": Kind.ERROR, "status": int(name)}
    for setting in settings.split():
        match = _SETTING.fullmatch(setting)
        field = _FRENCH_FIELDS.get(match.group(1), match.group(1)) if match else ""
        if match is None or field not in _IN_DIRECTIVES:
            raise BadFault(setting)
        data[field] = _read_value(field, match.group(2))
    return _fault(data)


def _read_value(field: str, written: str) -> object:
    if field == "bytes":
        return written.lower() in {"1", "oui", "true"}
    if field == "tool":
        return written
    try:
        return float(written) if field == "tokens_per_s" else int(written)
    except ValueError as error:
        raise BadFault(f"{field}: not a number") from error


def _fault(data: Mapping[str, object]) -> Fault:
    known = {field.name for field in fields(Fault)}
    for name, value in data.items():
        if name not in known:
            raise BadFault(f"unknown field: {name}")
        if name != "kind":
            _check(name, value)
    try:
        kind = Kind(str(data.get("kind")))
    except ValueError as error:
        raise BadFault(f"unknown kind; there are: {', '.join(Kind)}") from error
    return Fault(**{**data, "kind": kind})  # type: ignore[arg-type]


def _check(name: str, value: object) -> None:
    if name == "bytes":
        if not isinstance(value, bool):
            raise BadFault("bytes: true or false")
        return
    if name not in _LIMITS:
        if not isinstance(value, str) or len(value) > _MAX_TEXT_CHARS:
            raise BadFault(f"{name}: a text of at most {_MAX_TEXT_CHARS} characters")
        return
    fractional = name == "tokens_per_s" and isinstance(value, float)
    if not (_is_whole(value) or fractional):
        raise BadFault(f"{name}: a number")
    if not _LEAST.get(name, 0) <= value <= _LIMITS[name]:  # type: ignore[operator]
        raise BadFault(f"{name}: from {_LEAST.get(name, 0)} to {_LIMITS[name]}")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
