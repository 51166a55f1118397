"""Errors a user may meet: one stable ``code``, one French sentence, one HTTP status.

Each has its row in ``docs/errors.md``; a test compares them. Anything else that goes
wrong is a bug: it is logged with an id, and the user gets ``Internal`` with that id.
"""

from __future__ import annotations


class ChatError(Exception):
    """A failure that a user is told about.

    ``retry_after_s``: whole seconds after which trying again makes sense, or None.
    """

    code = "internal"
    status = 500
    message = "Une erreur est survenue. Veuillez réessayer."

    def __init__(self, message: str | None = None, *, retry_after_s: int | None = None) -> None:
        super().__init__(self.code)
        if message is not None:
            self.message = message
        self.retry_after_s = retry_after_s


class Internal(ChatError):
    """A bug. ``error_id`` finds its traceback in the logs."""

    def __init__(self, error_id: str) -> None:
        super().__init__(f"Une erreur est survenue (référence {error_id}). Veuillez réessayer.")
        self.error_id = error_id


class InvalidJSON(ChatError):
    code = "invalid_json"
    status = 400
    message = "Le contenu envoyé n'est pas du JSON valide."


class InvalidMessage(ChatError):
    code = "invalid_message"
    status = 422
    message = "Ce message est vide, trop long ou illisible."


class InvalidSessionId(ChatError):
    code = "invalid_session_id"
    status = 422
    message = "L'identifiant de conversation n'est pas valide."


class Unauthorized(ChatError):
    code = "unauthorized"
    status = 401
    message = "Une clé d'accès valide est nécessaire."


class Forbidden(ChatError):
    code = "forbidden"
    status = 403
    message = "Cet accès n'est pas autorisé."


class SessionNotFound(ChatError):
    code = "session_not_found"
    status = 404
    message = "Cette conversation n'existe pas ou plus. Ouvrez-en une nouvelle."


class SessionGone(SessionNotFound):
    """It existed. ``reason``: "expired", "ended" or "erased"."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class IdConflict(ChatError):
    code = "id_conflict"
    status = 409
    message = "Cet identifiant de message a déjà servi pour un autre texte."


class SessionBusy(ChatError):
    code = "session_busy"
    status = 409
    message = "Une réponse précédente est encore en cours. Réessayez dans un instant."


class PayloadTooLarge(ChatError):
    code = "payload_too_large"
    status = 413
    message = "Le contenu envoyé est trop volumineux."


class SessionFull(PayloadTooLarge):
    """The conversation takes no more messages."""

    message = "Cette conversation est devenue trop longue. Ouvrez-en une nouvelle pour continuer."


class RateLimited(ChatError):
    code = "rate_limited"
    status = 429
    message = "Vous écrivez très vite. Patientez un instant avant le prochain message."


class AssistantUnavailable(ChatError):
    code = "assistant_unavailable"
    status = 503
    message = "L'assistant est momentanément indisponible. Réessayez dans un instant."


class StoreUnavailable(AssistantUnavailable):
    """The session store did not answer: nothing is known of what was asked of it."""

    message = "Le service est momentanément indisponible. Réessayez dans un instant."

    def __init__(self) -> None:
        super().__init__(retry_after_s=3)


class AssistantTimeout(ChatError):
    code = "assistant_timeout"
    status = 504
    message = "L'assistant n'a pas répondu à temps. Vous pouvez réessayer."


#: Every class whose ``code`` may be stored as the outcome of a turn, by code.
BY_CODE: dict[str, type[ChatError]] = {
    error.code: error
    for error in (
        ChatError,
        InvalidJSON,
        InvalidMessage,
        InvalidSessionId,
        Unauthorized,
        Forbidden,
        SessionNotFound,
        IdConflict,
        SessionBusy,
        PayloadTooLarge,
        RateLimited,
        AssistantUnavailable,
        AssistantTimeout,
    )
}
