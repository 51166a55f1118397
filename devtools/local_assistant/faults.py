"""Simulated faults: kinds, parameters, requests for them, and scheduling.

In JSON, for ``POST /faults``: ``{"kind": "cut", "after": 5, "times": 1}``.
In a customer's message: ``[[panne:coupure apres=5]]``, ``[[lent delai_ms=1000]]``.
``docs/local-assistant.md`` lists them all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from devtools.local_assistant.request import JSON

MAX_FAULTS = 100


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
    """Planned fault with its pace. None: the server's default.

    ``after``: tokens given before it happens. ``every_ms``: between two drips.
    ``delay_ms``: before the headers. ``first_token_ms``: between them and the first token.
    ``tokens_per_s``: 0 is as fast as possible. ``match``: only requests whose last user
    message contains this text. ``times``: how often it still happens; None: until it is taken away.
    """

    kind: Kind
    times: int | None = 1
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
    """Invalid fault; the text gives the reason."""


@dataclass(frozen=True, slots=True)
class Directives:
    """Directives of a message. ``text``: the message without them. ``unknown``: as written."""

    text: str
    faults: tuple[Fault, ...] = ()
    unknown: tuple[str, ...] = ()


#: Minimum and maximum of each numeric parameter.
_BOUNDS = {
    "times": (1, 1_000_000), "after": (0, 100_000), "delay_ms": (0, 600_000),
    "first_token_ms": (0, 600_000), "tokens_per_s": (0, 100_000), "every_ms": (1, 600_000),
    "retry_after_s": (0, 86_400), "status": (400, 599),
}  # fmt: skip
_KINDS_OF_VALUE = {"bytes": bool, "text": str, "tool": str, "arguments": str, "match": str}
_MAX_TEXT_CHARS = 100_000
_FRENCH_KINDS: dict[str, Kind] = {
    "lent": Kind.SLOW, "silence": Kind.HANG, "gel": Kind.HANG_MIDSTREAM, "goutte": Kind.DRIP,
    "limite": Kind.RATE_LIMIT, "429": Kind.RATE_LIMIT, "erreur": Kind.ERROR,
    "erreur_flux": Kind.ERROR_MIDSTREAM, "cle": Kind.AUTH, "401": Kind.AUTH,
    "charabia": Kind.GARBAGE, "utf8": Kind.BAD_UTF8, "coupure": Kind.CUT,
    "coupure_propre": Kind.CLEAN_CUT, "vide": Kind.EMPTY, "json": Kind.WRONG_JSON,
    "sans_fin": Kind.ENDLESS, "refus": Kind.REFUSE, "filtre": Kind.CONTENT_FILTER,
    "outil_inconnu": Kind.UNKNOWN_TOOL, "arguments_casses": Kind.BROKEN_ARGUMENTS,
    "boucle_outils": Kind.CALL_LOOP,
}  # fmt: skip
_FRENCH_FIELDS = {
    "apres": "after", "delai_ms": "delay_ms", "premier_jeton_ms": "first_token_ms",
    "jetons_s": "tokens_per_s", "toutes_les_ms": "every_ms", "octets": "bytes",
    "statut": "status", "attendre_s": "retry_after_s", "outil": "tool",
}  # fmt: skip
#: Parameters that a directive may set; those with free text are excluded.
_IN_DIRECTIVES = {*_BOUNDS, "bytes", "tool"} - {"times"}
_DIRECTIVE = re.compile(r"\[\[\s*(panne:|lent\b|jetons_s=)([^\[\]]{0,200})\]\]", re.IGNORECASE)
_SETTING = re.compile(r"(\w{1,30})=([\w.-]{1,60})")

#: Names of the kinds in directives.
DIRECTIVE_NAMES = tuple(name for name in _FRENCH_KINDS if not name.isdigit())


def parse_fault(data: object) -> Fault:
    """Parse a fault from JSON.

    Raises:
        BadFault: unknown kind or field, or a value out of bounds.
    """
    if not isinstance(data, dict) or str(data.get("kind")) not in set(Kind):
        raise BadFault(f"a fault is a JSON object with a kind, one of: {', '.join(Kind)}")
    for name, value in data.items():
        if name != "kind" and (name, value) != ("times", None):
            _check(name, value)
    return Fault(**{**data, "kind": Kind(str(data["kind"]))})


def _check(name: str, value: object) -> None:
    if name in _BOUNDS:
        least, most = _BOUNDS[name]
        is_number = type(value) in ({int, float} if name == "tokens_per_s" else {int})
        if not is_number or not least <= value <= most:  # type: ignore[operator]  # a number
            raise BadFault(f"{name}: a number from {least} to {most}")
    elif name not in _KINDS_OF_VALUE or not isinstance(value, _KINDS_OF_VALUE[name]):
        raise BadFault(f"{name}: unknown, or not such a value")
    elif len(str(value)) > _MAX_TEXT_CHARS:
        raise BadFault(f"{name}: at most {_MAX_TEXT_CHARS} characters")


def read_directives(text: str) -> Directives:
    """Extract the directives of a message; invalid ones are reported and have no effect."""
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
    kind, _, settings = rest.strip().partition(" ") if opening == "panne:" else ("lent", "", rest)
    data: JSON = {"kind": _FRENCH_KINDS.get(kind.lower(), kind.lower())}
    if re.fullmatch(r"[45]\d\d", kind) and kind not in _FRENCH_KINDS:
        data = {"kind": Kind.ERROR, "status": int(kind)}
    for setting in settings.split():
        match = _SETTING.fullmatch(setting)
        name = _FRENCH_FIELDS.get(match[1], match[1]) if match else ""
        if match is None or name not in _IN_DIRECTIVES:
            raise BadFault(setting)
        is_yes = match[2].lower() in {"1", "oui", "true"}
        data[name] = {"bytes": is_yes, "tool": match[2]}.get(name, _number(match[2]))
    return parse_fault(data)


def _number(written: str) -> float | str:
    """Parse a number; return the text unchanged if it is not one."""
    plain = written.replace(".", "", 1)
    return (float if "." in written else int)(written) if plain.isdecimal() else written


@dataclass(frozen=True, slots=True)
class Pace:
    """Pace of an answer: ``delay_ms`` before the headers, then ``first_token_ms`` before a token.

    ``tokens_per_s``: 0 is as fast as possible.
    """

    delay_ms: int = 0
    first_token_ms: int = 200
    tokens_per_s: float = 40

    def changed_by(self, fault: Fault) -> Pace:
        given = {name: getattr(fault, name) for name in self.__slots__}
        return replace(self, **{name: value for name, value in given.items() if value is not None})


@dataclass
class FaultPlan:
    """Queue of planned faults. Each request takes the first one that matches it."""

    planned: list[Fault] = field(default_factory=list)

    def add(self, kind: str, **settings: Any) -> None:
        """Plan a fault: ``add("cut", after=5)``, ``add("error", status=503, times=None)``.

        Raises:
            BadFault: it is invalid, or too many are planned.
        """
        self.add_json({"kind": kind, **settings})

    def add_json(self, data: object) -> Fault:
        if len(self.planned) >= MAX_FAULTS:
            raise BadFault(f"at most {MAX_FAULTS} faults may be planned")
        self.planned.append(parse_fault(data))
        return self.planned[-1]

    def clear(self) -> None:
        self.planned.clear()

    def take(self, asked: str) -> Fault | None:
        """Return the fault for a request with this question, and count its use."""
        index = next((n for n, fault in enumerate(self.planned) if fault.match in asked), None)
        if index is None:
            return None
        fault = self.planned[index]
        if fault.times is not None:
            left = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
            self.planned[index : index + 1] = left
        return fault


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Pace and fault of one request. ``unknown``: invalid directives."""

    pace: Pace
    fault: Fault | None = None
    unknown: tuple[str, ...] = ()


def behaviour_for(asked: str, pace: Pace, plan: FaultPlan) -> Behaviour:
    """Return the behaviour for a request; directives take precedence over planned faults."""
    directives = read_directives(asked)
    chosen: Fault | None = None
    for fault in directives.faults:
        pace = pace.changed_by(fault)
        chosen = chosen if fault.kind is Kind.SLOW else fault
    if chosen is None and (planned := plan.take(asked)) is not None:
        pace = pace.changed_by(planned)
        chosen = None if planned.kind is Kind.SLOW else planned
    return Behaviour(pace, chosen, directives.unknown)
