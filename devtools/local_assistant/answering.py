"""Answer to one request as bytes, including the effect of a fault. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, cycle, repeat

from devtools.local_assistant import wire
from devtools.local_assistant.faults import (
    DIRECTIVE_NAMES,
    Behaviour,
    Fault,
    Kind,
    read_directives,
)
from devtools.local_assistant.request import JSON, ChatRequest
from devtools.local_assistant.script import SENTENCES, Reply, Say
from devtools.local_assistant.tools import Call, Said, forced_call
from devtools.local_assistant.words import encodable, tokens

#: Default number of tokens before a fault in mid-stream; 5 for all other kinds.
_AFTER = {Kind.GARBAGE: 0, Kind.DRIP: 0}
#: Faults that end the answer.
_STOPS_AFTER = {
    *(Kind.HANG_MIDSTREAM, Kind.DRIP, Kind.ERROR_MIDSTREAM, Kind.CUT, Kind.CLEAN_CUT),
    Kind.CONTENT_FILTER,
}
_BROKEN_FRAMES = {
    Kind.GARBAGE: b'data: {"id":"chatcmpl-","choices":[{"index":0,"delta":{"content":\n\n',
    Kind.BAD_UTF8: b'data: {"choices":[{"index":0,"delta":{"content":"\xff\xfe\xc3"}}]}\n\n',
}
_FAILED = wire.error("The server had an error while processing your request.", "server_error")
#: Function that computes a reply: ``script.reply_to``, or one of a test.
Script = Callable[[ChatRequest], Reply]


@dataclass(frozen=True, slots=True)
class Answer:
    """Reply split into tokens. ``reason``: its ``finish_reason``; None if a fault prevents it.

    ``prompt_tokens``: of the request. ``after``: number of tokens before the fault, if any.
    """

    reply: Reply
    tokens: tuple[str, ...]
    reason: str | None
    prompt_tokens: int
    after: int = 0

    @property
    def usage(self) -> JSON:
        return wire.usage(self.prompt_tokens, len(self.tokens))

    @property
    def call_id(self) -> str:
        return f"call_{self.prompt_tokens:06d}{len(self.tokens):06d}"


def answer_to(request: ChatRequest, behaviour: Behaviour, script: Script) -> Answer:
    """Return the answer of the script, or the one that a fault prescribes."""
    fault = behaviour.fault
    reply = _reply(_without_directives(request), behaviour, script)
    pieces = tokens(encodable(reply.text if isinstance(reply, Say) else reply.arguments))
    reason: str | None = "stop" if isinstance(reply, Say) else "tool_calls"
    after = 0
    if fault is not None:
        after = _AFTER.get(fault.kind, 5) if fault.after is None else fault.after
        if fault.kind in _STOPS_AFTER:
            pieces = pieces[:after]
            reason = "content_filter" if fault.kind is Kind.CONTENT_FILTER else None
    if request.max_tokens is not None and len(pieces) > request.max_tokens:
        pieces, reason = pieces[: request.max_tokens], "length"
    spoken = sum(len(turn.text.split()) + 4 for turn in request.turns)
    return Answer(reply, tuple(pieces), reason, spoken + 30 * len(request.tools), after)


def _without_directives(request: ChatRequest) -> ChatRequest:
    """Return the request without directives in its messages."""
    turns = (
        replace(turn, text=read_directives(turn.text).text) if turn.role == "user" else turn
        for turn in request.turns
    )
    return replace(request, turns=tuple(turns))


def _reply(request: ChatRequest, behaviour: Behaviour, script: Script) -> Reply:
    if behaviour.unknown:
        names, known = ", ".join(behaviour.unknown), ", ".join(DIRECTIVE_NAMES)
        return Say(SENTENCES["unknown_directive"].format(names=names, known=known))
    scripted = _scripted(request, behaviour.fault) if behaviour.fault else None
    return scripted or script(request)


def _scripted(request: ChatRequest, fault: Fault) -> Reply | None:
    """Return the reply that a fault prescribes, None if it does not.

    Invalid calls are made once per turn; then the assistant reports their result.
    """
    offered = request.tools or ("search_products",)
    first = request.turns[-1].role != "tool"
    match fault.kind:
        case Kind.SAY:
            return Say(fault.text)
        case Kind.CALL:
            return Call(fault.tool or offered[0], fault.arguments)
        case Kind.UNKNOWN_TOOL if first:
            return Call(fault.tool or "outil_inconnu", "{}")
        case Kind.BROKEN_ARGUMENTS if first:
            return Call(fault.tool or offered[0], '{"query": "canap')
        case Kind.CALL_LOOP if request.tool_choice != "none":
            return forced_call("other", Said(request.last_asked.text), offered)
    return None


def frames(answer: Answer, chunks: wire.Chunks, fault: Fault | None) -> Iterator[bytes]:
    """Yield the frames of a stream, one per token, including faults in the content.

    Faults of the connection (hanging, dripping, closing) are left to the sender.
    """
    kind = fault.kind if fault else None
    if kind is Kind.EMPTY:
        yield wire.DONE
        return
    write: Callable[[str], bytes] = chunks.text
    if isinstance(answer.reply, Say):
        opening = chunks.role()
    else:
        opening, write = chunks.call(answer.call_id, answer.reply.name), chunks.arguments
    pieces = cycle(answer.tokens or ("…",)) if kind is Kind.ENDLESS else iter(answer.tokens)
    breaks_at = min(answer.after, len(answer.tokens) - 1)
    for index, token in enumerate(pieces):
        if index == breaks_at and kind in _BROKEN_FRAMES:
            yield opening + _BROKEN_FRAMES[kind]
            opening = b""
        yield opening + write(token)
        opening = b""
    if kind is Kind.ERROR_MIDSTREAM:
        yield opening + b"data: " + wire.dumps(_FAILED) + b"\n\n" + wire.DONE
    else:
        yield opening + (chunks.finish(answer.reason, answer.usage) if answer.reason else b"")


def whole_frames(
    answer: Answer, head: tuple[str, int, str], fault: Fault | None
) -> Iterator[bytes]:
    """Yield the body of an answer that is not streamed, including faults in the content."""
    text = "".join(answer.tokens)
    message: JSON = {"content": text}
    if isinstance(answer.reply, Call):
        message = {"tool_calls": [wire.tool_call(answer.call_id, answer.reply.name, text)]}
    body = wire.dumps(wire.completion(*head, message, answer.reason, answer.usage))
    half = body[: len(body) // 2]
    match fault.kind if fault else None:
        case Kind.CUT | Kind.HANG_MIDSTREAM | Kind.GARBAGE:
            yield half
        case Kind.ENDLESS:
            yield from chain((half,), repeat(b" encore" * 8))
        case Kind.WRONG_JSON:
            yield b'{"status":"ok"}'
        case Kind.BAD_UTF8:
            yield body.replace(b'"content":"', b'"content":"\xff\xfe\xc3', 1)
        case Kind.ERROR_MIDSTREAM:
            yield wire.dumps(_FAILED)
        case Kind.DRIP | Kind.EMPTY:
            return
        case _:
            yield body
