"""The JSON API: the same assistant for other programs. Its contract: ``openapi.py``."""

from __future__ import annotations

import orjson
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from chat.conversations.rendering import encoded_messages
from chat.conversations.store.protocol import STORE
from chat.conversations.types import End
from chat.core.ids import isoformat
from chat.core.json import JSON
from chat.core.text import language_of
from chat.ops.ending import erase_session
from chat.turns.outcome import TurnEnd
from chat.turns.turn import take_turn
from chat.web.api.api_view import ApiView, no_content
from chat.web.api.problems import NotFound
from chat.web.api.request_parsing import Question, checked_session_id, read_question
from chat.web.api.sse import answer_in_events

EVENT_STREAM = "text/event-stream"
ADVISER_ANSWERS = (
    "Un conseiller suit cette conversation : il vous répondra lui-même, dans la conversation."
)


class Ask(ApiView):
    """``/api/chat``"""

    async def post(self, request: HttpRequest) -> HttpResponseBase:
        question = read_question(request)
        if _wants_events(request):
            return await answer_in_events(question, self.owner)
        turn = await take_turn(
            question.session_id,
            owner=self.owner,
            message_id=question.message_id,
            text=question.text,
            create=question.create,
            address=question.address,
            arrived_at=question.arrived_at,
        )
        return json_response(answer_json(question, await turn.ended()))


class Conversation(ApiView):
    """``/api/chat/{session_id}``"""

    async def get(self, request: HttpRequest, session_id: str) -> HttpResponse:
        session = await STORE.get().load(checked_session_id(session_id), self.owner)
        body = {
            "session_id": session.id,
            "created_at": isoformat(session.created_at),
            "expires_at": isoformat(session.expires_at),
            "speaker": "adviser" if session.has_adviser else "assistant",
        }
        encoded = b"".join([part async for part in encoded_messages(session.messages)])
        whole = orjson.dumps(body)[:-1] + b',"messages":[' + encoded + b"]}"
        return HttpResponse(whole, content_type="application/json")

    async def delete(self, request: HttpRequest, session_id: str) -> HttpResponse:
        await erase_session(checked_session_id(session_id), self.owner)
        return no_content()


class SessionCount(ApiView):
    """``/api/chat/sessions/count``"""

    async def get(self, request: HttpRequest) -> HttpResponse:
        store = STORE.get()
        active = await store.count()
        return json_response({"active_sessions": active, "storage_backend": store.backend})


class Nowhere(ApiView):
    """Any other address under ``/api``."""

    public = True

    async def get(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        raise NotFound

    post = put = patch = delete = get


def _wants_events(request: HttpRequest) -> bool:
    if "text/" not in request.headers.get("Accept", "").lower():  # hardly any: spare the parsing
        return False
    return request.get_preferred_type(["application/json", EVENT_STREAM]) == EVENT_STREAM


def answer_json(question: Question, end: TurnEnd) -> JSON:
    """Return the body for a question that has its end.

    Raises:
        ChatError: it failed with nothing written.
    """
    outcome = end.outcome
    if end.answer is None and outcome.end is not End.TAKEN_OVER:
        raise outcome.error()
    return {
        "response": ADVISER_ANSWERS if end.answer is None else end.answer.text,
        "session_id": question.session_id,
        "message_id": question.message_id,
        "language": language_of(question.text),
        "interrupted": end.answer is not None and end.answer.interrupted,
    }


def json_response(body: JSON, status: int = 200) -> HttpResponse:
    return HttpResponse(orjson.dumps(body), status=status, content_type="application/json")
