"""What one request is answered, with what was told to go wrong in it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import cycle

from chat.simulator import texts, wire
from chat.simulator.arguments import Said
from chat.simulator.calls import Call, choose_call
from chat.simulator.control import Behaviour
from chat.simulator.faults import DIRECTIVE_NAMES, Fault, Kind, read_directives
from chat.simulator.hostile import obey
from chat.simulator.request import JSON, ChatRequest
from chat.simulator.script import Reply, Say, reply_to
from chat.simulator.words import count_tokens, encodable, tokens

#: Tokens before a fault in mid-stream, where it says nothing itself.
_AFTER = {Kind.GARBAGE: 0, Kind.DRIP: 0}
_AFTER_OTHERS = 5
#: Faults after which nothing of the answer comes any more.
_STOPS_AFTER = {
    *(Kind.HANG_MIDSTREAM, Kind.DRIP, Kind.ERROR_MIDSTREAM, Kind.CUT, Kind.CLEAN_CUT),
    Kind.CONTENT_FILTER,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply cut in tokens. ``reason``: its ``finish_reason``; None where it never ends well.

    ``after``: how many tokens come before the fault, if there is one.
    """

    reply: Reply
    tokens: tuple[str, ...]
    reason: str | None
    usage: wire.Usage
    after: int = 0

    @property
    def message(self) -> JSON:
        """The answer as the ``message`` of a completion that is not streamed."""
        text = "".join(self.tokens)
        if isinstance(self.reply, Say):
            return {"content": text}
        function = {"name": self.reply.name, "arguments": text}
        return {"tool_calls": [{"id": _call_id(self), "type": "function", "function": function}]}


def without_directives(request: ChatRequest) -> ChatRequest:
    """Return the request as the script should read it."""
    return replace(
        request,
        turns=tuple(
            replace(turn, text=read_directives(turn.text).text)
            if turn.role == "user" and "[[" in turn.text
            else turn
            for turn in request.turns
        ),
    )


def answer_to(request: ChatRequest, behaviour: Behaviour) -> Answer:
    """Return what is said or called. ``request``: without its directives."""
    fault = behaviour.fault
    reply = _reply(request, behaviour)
    pieces = tokens(encodable(reply.text if isinstance(reply, Say) else reply.arguments))
    reason: str | None = "stop" if isinstance(reply, Say) else "tool_calls"
    after = 0
    if fault is not None:
        after = _AFTER.get(fault.kind, _AFTER_OTHERS) if fault.after is None else fault.after
        if fault.kind in _STOPS_AFTER:
            pieces = pieces[:after]
            reason = "content_filter" if fault.kind is Kind.CONTENT_FILTER else None
    if request.max_tokens is not None and len(pieces) > request.max_tokens:
        pieces, reason = pieces[: request.max_tokens], "length"
    usage = wire.Usage(_prompt_tokens(request), len(pieces))
    return Answer(reply, tuple(pieces), reason, usage, after)


def frames(
    answer: Answer, chunks: wire.Chunks, fault: Fault | None, *, include_usage: bool
) -> Iterator[bytes]:
    """Yield what a stream sends, one item for each token; with the fault that is in the bytes.

    What happens to the connection (hanging, dripping, closing) is left to the sender.
    """
    kind = fault.kind if fault else None
    if kind is Kind.EMPTY:
        yield wire.DONE
        return
    opening = _opening(answer, chunks)
    pieces = cycle(answer.tokens or ("…",)) if kind is Kind.ENDLESS else iter(answer.tokens)
    write = chunks.text if isinstance(answer.reply, Say) else chunks.arguments
    breaks_at = min(answer.after, len(answer.tokens) - 1)
    for index, token in enumerate(pieces):
        if index == breaks_at and kind in _BROKEN_FRAMES:
            yield opening + _BROKEN_FRAMES[kind]
            opening = b""
        yield opening + write(token)
        opening = b""
    yield opening + _closing(answer, chunks, kind, include_usage=include_usage)


_BROKEN_FRAMES = {
    Kind.GARBAGE: b'data: {"id":"chatcmpl-","choices":[{"index":0,"delta":{"content":\n\n',
    Kind.BAD_UTF8: b'data: {"choices":[{"index":0,"delta":{"content":"\xff\xfe\xc3"}}]}\n\n',
}


def _opening(answer: Answer, chunks: wire.Chunks) -> bytes:
    if isinstance(answer.reply, Say):
        return chunks.role()
    return chunks.call(_call_id(answer), answer.reply.name)


def _closing(
    answer: Answer, chunks: wire.Chunks, kind: Kind | None, *, include_usage: bool
) -> bytes:
    if kind is Kind.ERROR_MIDSTREAM:
        failure = wire.error(
            "The server had an error while processing your request.", "server_error"
        )
        return b"data: " + wire.dumps(failure) + b"\n\n" + wire.DONE
    if answer.reason is None:
        return b""
    usage = chunks.usage(answer.usage) if include_usage else b""
    return chunks.finish(answer.reason) + usage + wire.DONE


def _call_id(answer: Answer) -> str:
    return f"call_{answer.usage.prompt:06d}{answer.usage.completion:06d}"


def _prompt_tokens(request: ChatRequest) -> int:
    spoken = sum(count_tokens(turn.text) + 4 for turn in request.turns)
    return spoken + sum(20 + count_tokens(tool.description) for tool in request.tools)


def _reply(request: ChatRequest, behaviour: Behaviour) -> Reply:
    if behaviour.unknown:
        names, known = ", ".join(behaviour.unknown), ", ".join(DIRECTIVE_NAMES)
        return Say(texts.FAULT_UNKNOWN.format(names=f"`{names}`", known=known))
    scripted = _scripted(request, behaviour.fault) if behaviour.fault else None
    if scripted is not None:
        return scripted
    return obey(request) if behaviour.hostile else reply_to(request)


def _scripted(request: ChatRequest, fault: Fault) -> Reply | None:
    """Return what the fault makes the assistant say or call, if it says anything of it.

    Calls that cannot work are made once a turn: then the assistant says what it was told of it.
    """
    offered = request.tools[0].name if request.tools else "search_products"
    first = request.turns[-1].role != "tool"
    match fault.kind:
        case Kind.SAY:
            return Say(fault.text)
        case Kind.CALL:
            return Call(fault.tool or offered, fault.arguments)
        case Kind.UNKNOWN_TOOL if first:
            return Call(fault.tool or "outil_inconnu", "{}")
        case Kind.BROKEN_ARGUMENTS if first:
            return Call(fault.tool or offered, '{"query": "canap')
        case Kind.CALL_LOOP if request.tool_choice != "none":
            return choose_call("other", Said(request.asked, forced=True), request.tools)
    return None
