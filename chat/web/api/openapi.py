"""The contract of the API, OpenAPI 3.1, written here and compared by tests with what is served."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings

from chat.core.errors import (
    AssistantTimeout,
    AssistantUnavailable,
    ChatError,
    Forbidden,
    IdConflict,
    InvalidJSON,
    InvalidMessage,
    InvalidSessionId,
    PayloadTooLarge,
    RateLimited,
    SessionBusy,
    SessionNotFound,
    Unauthorized,
)
from chat.web.api.problems import ALL_BY_CODE, CONTENT_TYPE, MethodNotAllowed
from chat.web.api.schemas import ID_REGEX, Schema, ref, schemas

Errors = tuple[type[ChatError], ...]

#: What every operation that asks for a key may answer.
_ANY: Errors = (Unauthorized, RateLimited, AssistantUnavailable, MethodNotAllowed, ChatError)
_ASKING: Errors = (
    InvalidJSON,
    InvalidMessage,
    InvalidSessionId,
    SessionNotFound,
    IdConflict,
    SessionBusy,
    PayloadTooLarge,
    AssistantTimeout,
)
_ABOUT: Errors = (InvalidSessionId, SessionNotFound)

_EVENTS = """\
Les événements de la conversation, chacun en JSON sur une ligne `data:`, avec un `id:` croissant :
`message.accepted` (la question est gardée), puis `tool.started` et `message.delta` à mesure, enfin
`message.done` avec la réponse entière, ou `error`, ou `speaker.changed` si un conseiller répond.
Une ligne de commentaire passe toutes les 15 s. Qui quitte le flux n'arrête pas la réponse :
redemandez avec le même `message_id`."""

_INTRODUCTION = """\
Le même assistant que sur la page, pour d'autres programmes.

Une conversation vit 24 heures après son dernier message. Chaque clé ne voit que les conversations
qu'elle a ouvertes. Renvoyer le même `message_id` avec le même texte redonne la première réponse :
après une coupure, renvoyez sans crainte. La barre oblique finale est admise partout."""


def document() -> dict[str, Any]:
    """Return the whole contract."""
    return _document(settings.ENV.shop_name, settings.ENV.chat_max_message_chars)


@lru_cache(4)
def _document(shop_name: str, max_message_chars: int) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{shop_name} : assistant",
            "version": "1",
            "description": _INTRODUCTION,
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "schemas": schemas(max_message_chars),
            "responses": {_name(status): _problem(errors) for status, errors in _by_status()},
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`Authorization: Bearer mdf_…`, une clé faite par "
                    "`manage.py create_api_key`. Facultative en développement (DEBUG=1).",
                }
            },
        },
    }


def _paths() -> dict[str, Any]:
    return {
        "/api/chat": {"post": _ask()},
        "/api/chat/{session_id}": {
            "parameters": [
                {
                    "name": "session_id",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "pattern": ID_REGEX},
                }
            ],
            "get": _operation("Lire une conversation", _gives("Conversation"), _ANY + _ABOUT),
            "delete": _operation(
                "Effacer une conversation", {"204": {"description": "Effacée."}}, _ANY + _ABOUT
            ),
        },
        "/api/chat/sessions/count": {
            "get": _operation("Compter les conversations vivantes", _gives("SessionCount"), _ANY)
        },
        "/api/openapi.json": {"get": _public("Ce contrat", _document_of("application/json"))},
        "/api/docs": {"get": _public("Ce contrat, en page", _document_of("text/html"))},
        "/healthz": {"get": _public("Le processus vit", _json({"type": "object"}))},
        "/readyz": {"get": _ready()},
        "/metrics": {"get": _metrics()},
    }


def _ask() -> dict[str, Any]:
    given = {
        "description": "La réponse.",
        "content": {
            "application/json": {"schema": ref("Answer")},
            "text/event-stream": {"schema": {"type": "string", "description": _EVENTS}},
        },
    }
    operation = _operation("Poser une question", {"200": given}, _ANY + _ASKING)
    operation["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": ref("Question")}},
    }
    operation["description"] = (
        "Avec `Accept: text/event-stream`, la réponse vient à mesure qu'elle s'écrit. "
        "64 Kio au plus."
    )
    return operation


def _ready() -> dict[str, Any]:
    responses = _gives("Readiness")
    responses["503"] = {**responses["200"], "description": "Ce serveur s'arrête."}
    operation = _public("Prêt à servir", responses)
    operation["description"] = (
        "`degraded` : Redis, la base, le modèle ou une tâche de fond manque ; le service continue."
    )
    return operation


def _metrics() -> dict[str, Any]:
    responses = {**_document_of("text/plain"), **_refusals((Forbidden,))}
    operation = _public("Mesures pour Prometheus", responses)
    operation["description"] = "Du réseau interne seulement."
    return operation


def _operation(summary: str, responses: dict[str, Any], errors: Errors) -> dict[str, Any]:
    return {"summary": summary, "responses": {**responses, **_refusals(errors)}}


def _public(summary: str, responses: dict[str, Any]) -> dict[str, Any]:
    errors = _refusals((MethodNotAllowed, ChatError))
    return {"summary": summary, "responses": {**responses, **errors}, "security": []}


def _gives(name: str) -> dict[str, Any]:
    return _json(ref(name))


def _json(schema: Schema) -> dict[str, Any]:
    return {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}}


def _document_of(media_type: str) -> dict[str, Any]:
    return {"200": {"description": "OK", "content": {media_type: {}}}}


def _refusals(errors: Errors) -> dict[str, Any]:
    statuses = sorted({error.status for error in errors})
    return {str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in statuses}


def _by_status() -> list[tuple[int, list[type[ChatError]]]]:
    statuses = sorted({error.status for error in ALL_BY_CODE.values()})
    return [
        (status, [error for error in ALL_BY_CODE.values() if error.status == status])
        for status in statuses
    ]


def _problem(errors: list[type[ChatError]]) -> dict[str, Any]:
    status = errors[0].status
    response: dict[str, Any] = {
        "description": " ".join(f"`{error.code}` : {error.message}" for error in errors),
        "content": {CONTENT_TYPE: {"schema": ref("Problem")}},
    }
    if status in (409, 429, 503, 504):
        response["headers"] = {
            "Retry-After": {
                "description": "Secondes à attendre.",
                "required": status in (429, 503),
                "schema": {"type": "integer", "minimum": 1},
            }
        }
    return response


def _name(status: int) -> str:
    return f"Problem{status}"
