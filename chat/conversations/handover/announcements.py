"""What the application tells the customer when who answers changes. Pure.

Stored as system messages, in Markdown; a human's gender is never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chat.conversations.types import Author, Message
from chat.shop import hours as shop

#: Where a customer leaves an e-mail address.
CONTACT_PATH = "/rappel/"

NO_BREAK_SPACE = "\u00a0"
_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août"),
    *("septembre", "octobre", "novembre", "décembre"),
)
_AGAIN = "L'assistant (IA) reprend la conversation."
_UNANSWERED = (
    " Votre dernier message est resté sans réponse : si vous l'attendez encore, écrivez-le de "
    "nouveau."
)


def taken(name: str) -> str:
    return f"{name}, du magasin, vous répond maintenant."


def handed_back(messages: Sequence[Message]) -> str:
    return _AGAIN + (_UNANSWERED if is_unanswered(messages) else "")


def adviser_away(name: str, messages: Sequence[Message]) -> str:
    return f"{name} n'est plus disponible. {handed_back(messages)}"


def asked(moment: datetime, *, on_page: bool) -> str:
    """Tell when somebody can come. ``on_page``: whether the customer has our page before them."""
    leave = f" Vous pouvez aussi [laisser votre e-mail]({CONTACT_PATH})." if on_page else ""
    if shop.is_open(moment):
        return (
            "Un conseiller a été prévenu. La réponse viendra ici dès que possible ; d'ici là, "
            f"l'assistant (IA) reste à votre écoute.{leave}"
        )
    return (
        "Votre demande est notée, mais le magasin est fermé : personne ne peut vous répondre "
        f"avant la réouverture, {opening(moment)}.{leave}"
    )


def opening(moment: datetime) -> str:
    """``"lundi 23 novembre à 10 h"``: when the shop opens next."""
    opens = shop.next_opening(moment)
    hour = f"{opens.hour} h {opens.minute:02}" if opens.minute else f"{opens.hour} h"
    hour = hour.replace(" ", NO_BREAK_SPACE)
    day = f"{shop.DAYS[opens.weekday()]} {opens.day} {_MONTHS[opens.month - 1]}"
    return f"{day} à {hour}"


def is_unanswered(messages: Sequence[Message]) -> bool:
    """Whether the customer had the last word."""
    said = (m.author for m in reversed(messages) if m.author is not Author.SYSTEM)
    return next(said, None) is Author.CUSTOMER
