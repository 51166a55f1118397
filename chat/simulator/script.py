"""What the local assistant answers: a pure function of the messages and tools it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chat.simulator import texts
from chat.simulator.answers import Context, answer
from chat.simulator.arguments import Said
from chat.simulator.calls import Call, choose_call
from chat.simulator.intents import intent_of, subject_of
from chat.simulator.lexicon import in_french
from chat.simulator.names import name_in
from chat.simulator.pending import is_answer, pending_in
from chat.simulator.phrasing import phrase_results
from chat.simulator.request import ChatRequest, Turn
from chat.simulator.words import encodable

#: Who reports what happened looks for nothing.
_REPORTS = {"damage", "danger"}
#: Where a tool has the safety of people said, it need not be said twice.
_SAFE = "112"
#: Messages of the user that are looked at for references, the newest first.
_EARLIER = 10


@dataclass(frozen=True, slots=True)
class Say:
    text: str


Reply = Say | Call


def reply_to(request: ChatRequest) -> Reply:
    """Return what to say or which tool to call. The same request always gets the same reply.

    Once the last messages are tool results, they are said and nothing is called again. Images
    are counted, not looked at.
    """
    reply = _reply_to(request)
    if isinstance(reply, Say) and request.images:
        counted = "1 photo" if request.images == 1 else f"{request.images} photos"
        return Say(f"J'ai reçu {counted}. {reply.text}")
    return reply


def _reply_to(request: ChatRequest) -> Reply:
    said = [in_french(turn.text) for turn in request.turns if turn.role == "user"]
    name = name_in(turn.text for turn in request.turns if turn.role == "user")
    subject = subject_of(said)
    intent = _intent(said, subject)
    pending = pending_in(request)
    if pending is not None and is_answer(intent_of(said[-1]) if said else "", said):
        subject, intent = said[-1], "damage"
    results = _trailing_results(request.turns)
    if results:
        is_said = subject != said[-1] or any(_SAFE in result for result in results)
        opening = "" if is_said else texts.OPENINGS.get(intent, "")
        return Say(
            encodable("\n\n".join(filter(None, (opening, phrase_results(results, subject)))))
        )
    earlier = tuple(said[-2 : -_EARLIER - 2 : -1])
    is_report = intent in _REPORTS and (pending is None or pending.missing != "product")
    call = _call(request, intent, Said(subject, earlier, name, is_report=is_report))
    if call is not None:
        return call
    return Say(encodable(answer(intent, Context(request.asked, subject, name))))


def _trailing_results(turns: Sequence[Turn]) -> list[str]:
    results: list[str] = []
    for turn in reversed(turns):
        if turn.role != "tool":
            break
        results.insert(0, turn.text)
    return results


def _intent(said: Sequence[str], subject: str) -> str:
    intent = intent_of(subject)
    if intent in {"greeting", "other"} and said and name_in(said[-1:]):
        return "introduction"
    return intent


def _call(request: ChatRequest, intent: str, said: Said) -> Call | None:
    match request.tool_choice:
        case "none":
            return None
        case "auto":
            return choose_call(intent, said, request.tools)
        case "required":
            tools = request.tools
        case chosen:
            tools = tuple(tool for tool in request.tools if tool.name == chosen)
    forced = Said(said.subject, said.earlier, said.name, forced=True)
    return choose_call(intent, forced, tools)
