"""Shapes of what the API takes and gives, in JSON Schema 2020-12, for ``openapi.py``."""

from __future__ import annotations

from typing import Any

from chat.assistant.sources import KINDS, MAX_SOURCES
from chat.core.ids import ID_PATTERN
from chat.web.api.problems import ALL_BY_CODE

Schema = dict[str, Any]

#: As a JSON Schema says it: `\Z` of Python is `$` there.
ID_REGEX = "^" + ID_PATTERN.pattern.removesuffix(r"\Z") + "$"


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def _object(properties: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _id(description: str) -> Schema:
    return _text(description, pattern=ID_REGEX)


def _moment(description: str) -> Schema:
    return _text(description, format="date-time", examples=["2026-11-23T09:30:00.123Z"])


def schemas(max_message_chars: int) -> dict[str, Schema]:
    """Return every shape by name."""
    return {
        "Question": _question(max_message_chars),
        "Answer": _answer(),
        "Message": _message(),
        "Source": _source(),
        "Conversation": _conversation(),
        "SessionCount": _session_count(),
        "Problem": _problem(),
        "Readiness": _readiness(),
    }


def _question(max_message_chars: int) -> Schema:
    session_id = _id("La conversation à continuer, ou à ouvrir. Absent : une nouvelle.")
    message_id = _id(
        "Choisi par vous pour pouvoir renvoyer la même demande sans effet double. "
        "Absent : il est créé."
    )
    text = _text(
        "Ce que dit le client.", minLength=1, maxLength=max_message_chars, examples=["Bonjour"]
    )
    return _object(
        {
            "message": text,
            "session_id": {**session_id, "type": ["string", "null"]},
            "message_id": {**message_id, "type": ["string", "null"]},
        },
        optional=("session_id", "message_id"),
    )


def _answer() -> Schema:
    return _object(
        {
            "response": _text("La réponse, en Markdown."),
            "session_id": _id("À redonner pour continuer la conversation."),
            "message_id": _id("L'identifiant de la question."),
            "language": _text(
                "La langue de la question ; « fr » dans le doute.",
                enum=["fr", "en", "de", "it", "ar"],
            ),
            "interrupted": {
                "type": "boolean",
                "description": "La réponse a été coupée ; ce qui était écrit est donné.",
            },
        }
    )


def _message() -> Schema:
    return _object(
        {
            "id": _text("L'identifiant du message."),
            "author": _text("Qui parle.", enum=["customer", "assistant", "adviser", "system"]),
            "text": _text("Le texte ; en Markdown s'il est de l'assistant."),
            "html": _text("Le texte en HTML, assaini par le serveur."),
            "sent_at": _moment("Quand il a été reçu."),
            "interrupted": {"type": "boolean", "description": "Coupé avant sa fin."},
            "reply_to": _text("L'identifiant de la question à laquelle il répond, ou vide."),
            "name": _text("Le nom du conseiller qui l'a écrit, ou vide."),
            "sources": {"type": "array", "maxItems": MAX_SOURCES, "items": ref("Source")},
        }
    )


def _source() -> Schema:
    card = ("price", "size", "stock", "image")
    return _object(
        {
            "kind": _text("Ce que c'est.", enum=list(KINDS)),
            "label": _text("Ce qu'un client lit."),
            "ref": _text("La référence du produit, le nom de la règle, le numéro, ou vide."),
            "url": _text("Où le lire, sur ce site."),
            "price": _text("Le prix, d'un produit."),
            "size": _text("Les dimensions, d'un produit."),
            "stock": _text("Le stock et sa date, d'un produit."),
            "image": _text("Le dessin, d'un produit."),
        },
        optional=card,
    )


def _conversation() -> Schema:
    return _object(
        {
            "session_id": _id("La conversation."),
            "messages": {"type": "array", "items": ref("Message")},
            "created_at": _moment("Son premier message."),
            "expires_at": _moment("Quand elle sera effacée si plus rien n'est dit."),
            "speaker": _text("Qui répond maintenant.", enum=["assistant", "adviser"]),
        }
    )


def _session_count() -> Schema:
    return _object(
        {
            "active_sessions": {"type": "integer", "minimum": 0, "examples": [5]},
            "storage_backend": _text("Ce qui garde les conversations.", enum=["redis", "memory"]),
        }
    )


def _problem() -> Schema:
    return _object(
        {
            "type": _text("Où lire ce que veut dire ce code.", format="uri-reference"),
            "title": _text("Ce code en une phrase."),
            "status": {"type": "integer", "description": "Le statut HTTP."},
            "detail": _text("Ce qui s'est passé, à montrer à l'utilisateur."),
            "code": _text("Stable : à tester dans un programme.", enum=sorted(ALL_BY_CODE)),
            "error_id": _text("La référence d'une erreur interne, à donner à l'assistance."),
        },
        optional=("error_id",),
    )


def _readiness() -> Schema:
    part = {"type": "string", "enum": ["ok", "failing"]}
    return _object(
        {
            "status": {"type": "string", "enum": ["ok", "degraded", "failing"]},
            "redis": {"type": "string", "enum": ["ok", "memory", "failing", "cluster"]},
            "database": part,
            "model": part,
            "background": part,
            "failing_tasks": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Les tâches de fond qui échouent sans cesse.",
            },
        }
    )
