"""Errors that are reported to users, each with a stable code, a French message and a status.

Each class has its row in ``docs/errors.md``; a test compares them. Any other exception is a bug:
it is logged with an id, and the user gets ``Internal`` with that id.
"""

from __future__ import annotations


class ChatError(Exception):
    """Base class of the errors that are reported to users.

    ``retry_after_s``: whole seconds after which a retry makes sense, or None.
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
    """An unexpected exception. ``error_id`` identifies its traceback in the logs."""

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
    """A session that existed before. ``reason``: "expired", "ended", "erased" or "unreadable"."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class SessionUnreadable(SessionGone):
    """A session whose stored format this release cannot read; its data is quarantined unchanged."""

    code = "session_unreadable"
    status = 503
    message = (
        "Cette conversation ne peut pas être affichée pour le moment. Elle est conservée. Vous "
        "pouvez en ouvrir une nouvelle."
    )

    def __init__(self) -> None:
        super().__init__("unreadable")
        self.retry_after_s = 600


class IdConflict(ChatError):
    code = "id_conflict"
    status = 409
    message = "Cet identifiant de message a déjà servi pour un autre texte."


class SessionBusy(ChatError):
    code = "session_busy"
    status = 409
    message = "Une réponse précédente est encore en cours. Réessayez dans un instant."


class AssignedToAnother(ChatError):
    """A conversation is assigned to another adviser. ``name``: of that adviser, "" if unknown."""

    code = "held_by_another"
    status = 409
    message = "Un autre conseiller tient cette conversation."

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} tient cette conversation." if name else None)
        self.name = name


class NotAssigned(ChatError):
    """An adviser writes in a conversation that is not, or no longer, assigned to them."""

    code = "not_held"
    status = 409
    message = "Vous ne tenez pas cette conversation. Prenez la main pour y écrire."


class PayloadTooLarge(ChatError):
    code = "payload_too_large"
    status = 413
    message = "Le contenu envoyé est trop volumineux."


class SessionFull(PayloadTooLarge):
    """The conversation has reached its maximum size."""

    message = "Cette conversation est devenue trop longue. Ouvrez-en une nouvelle pour continuer."


class RateLimited(ChatError):
    code = "rate_limited"
    status = 429
    message = "Vous écrivez très vite. Patientez un instant avant le prochain message."


class AssistantUnavailable(ChatError):
    code = "assistant_unavailable"
    status = 503
    message = "L'assistant est momentanément indisponible. Réessayez dans un instant."


class Overloaded(AssistantUnavailable):
    """The worker is overloaded and refused a question before storing it."""

    message = "Beaucoup de clients écrivent en ce moment. Renvoyez votre message dans un instant."


class StoreUnavailable(AssistantUnavailable):
    """The session store did not answer: whether the operation took place is unknown."""

    message = "Le service est momentanément indisponible. Réessayez dans un instant."

    def __init__(self) -> None:
        super().__init__(retry_after_s=3)


class StoreFull(StoreUnavailable):
    """The memory store has reached its limit: new sessions are refused, none is evicted."""

    message = "Trop de conversations sont en cours pour l'instant. Réessayez dans un instant."

    def __init__(self) -> None:
        super().__init__()
        self.retry_after_s = 30


class DeskUnavailable(StoreUnavailable):
    """An adviser's action cannot be confirmed, since another worker may not receive it."""

    message = (
        "Impossible de le confirmer pour l'instant : un serveur ne répond pas, et l'assistant "
        "pourrait continuer à répondre. Réessayez dans un instant."
    )


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
        SessionUnreadable,
        IdConflict,
        SessionBusy,
        PayloadTooLarge,
        RateLimited,
        AssistantUnavailable,
        AssistantTimeout,
    )
}


class InvalidPhoto(ChatError):
    """An uploaded file is not a photo, or not an accepted one. ``message`` gives the reason."""

    code = "invalid_photo"
    status = 422
    message = "Cette photo n'a pas pu être lue."


class TooManyPhotos(ChatError):
    code = "too_many_photos"
    status = 409
    message = "Cinq photos au plus par conversation. Retirez-en une pour en ajouter une autre."


class StaleForm(ChatError):
    """A button belongs to a version of the ticket draft that has changed since."""

    code = "stale_form"
    status = 409
    message = "Le récapitulatif a changé entre-temps. Relisez-le avant de valider."


class InvalidForm(ChatError):
    """Fields of a ticket draft are invalid. ``fields``: the reason in French, by field name."""

    code = "invalid_form"
    status = 422
    message = "Certains champs du récapitulatif sont à corriger."

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__()
        self.fields = fields


#: Errors of photo uploads, by code.
OF_PHOTOS: dict[str, type[ChatError]] = {
    error.code: error for error in (InvalidPhoto, TooManyPhotos)
}
