"""What of a sentence may be the customer's own words, said again. Pure; the text is as read."""

from __future__ import annotations

import re

from chat.assistant.guard.claims import PRICED

#: The customer's own figures, said again.
_BUDGET = re.compile(r"budget|maxim|plafond|vous cherch|vous souhait|your budget")
_OF_THE_SHOP = re.compile(rf"\b{PRICED}\b|remis|offr|rembours")
_RETOLD = re.compile(
    r"\bil y a\b|depuis|achete|commandee? le|livree?s? (?:le|il y a)"
    r"|\bvous (?:m')?(?:avez (?:dit|indique|mentionne|ecrit|achete|recu|commande|signale)|indiquez"
    r"|dites|mentionnez|ecrivez)|\bago\b|since|you (?:said|told|mentioned|bought)"
)
_ENGAGES = re.compile(
    r"garanti|warrant|jusqu|rembours|refund|retour|retract|pour (?:le|la|les|vous)|sera\b|serez"
    r"|expire|until|will\b"
)
_WRITE_THERE = re.compile(r"ecri[vt]|contact|envoy|pay|regl|write|send|contattare|schreib")


def is_budget(text: str) -> bool:
    """Whether the amounts of the sentence may be the customer's own, said again."""
    return bool(_BUDGET.search(text)) and not _OF_THE_SHOP.search(text)


def is_echo(text: str) -> bool:
    """Whether an e-mail address in it may be the customer's own, said again."""
    return not _WRITE_THERE.search(text)


def is_retold(text: str) -> bool:
    """Whether its dates and durations may be what the customer told of the past."""
    return bool(_RETOLD.search(text)) and not _ENGAGES.search(text)
