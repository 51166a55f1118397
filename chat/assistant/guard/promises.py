"""Sentences that grant something, or say that something exists. Pure; the text is folded."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: Each part of a sentence is denied, or made conditional, for itself.
_CLAUSE = re.compile(
    r"[,;:()\n!?]| - | mais | car | donc | but | so | (?:et|and) (?=vous|je|j'|nous|you|we|i )"
)

_GIVEN_ROOTS = (
    r"(?:rembours|dedommag|indemnis|offr|offer(?:t|te|ts|tes)\b|accord|gratui|echang|remplac)"
)
_GIVEN = re.compile(
    rf"\b(?:vous|nous|je|j'|on|te|leur|lui)\b[^.\n]{{0,40}}\b{_GIVEN_ROOTS}"
    rf"|\b(?:sera|seront|serez|est|sont|etes|soyez) (?:\w{{1,30}}ment )?{_GIVEN_ROOTS}"
    r"|\bgeste commercial\b|\bbon d'achat\b|\b(?:a vie|for life|lifetime)\b|\bgratuitement\b"
    r"|\bcode promo|\bpromo code|\bvoucher\b|\ba titre gracieux\b|\bcadeau\b"
    r"|\byou(?:'ll| will| are| have been| get| shall)[^.\n]{0,30}\b(?:refund|reimburs|compensat"
    r"|free)"
    r"|\b(?:we|i)(?:'ll| will| shall|'m| am|'ve| have| can)?[^.\n]{0,30}\b(?:refund|reimburs"
    r"|compensat|replace|offer you|give you|grant)"
    r"|\b(?:full|total|complete|integral|partial) (?:refund|remboursement|compensation)\b"
    r"|\bfree of charge\b|\bfor free\b|\b(?:is|are|it's) free\b|\bkostenlos\b|\berstatte[nt]?\b"
    r"|\bgratis\b|\brimborsat[oaie]\b|\bvi rimbors|\bاسترداد|\bمجان"
    r"|\bremboursement (?:integral|total|complet|immediat|garanti|accorde|valide)"
    r"|\bremboursement (?:de|est|sera|a ete)\b[^.\n]{0,30}(?:\d|accept|valid|accord|effectu|fait)"
)
_DENIED = re.compile(
    r"\b(?:ne|n')(?! ?(?:hesit|vous inquiet|ayez|craign|en doutez|t'inquiet))\b|\bn'(?!hesit"
    r"|ayez|en doutez)"
    r"|\b(?:cannot|can't|can not|won't|not|never|nicht|kein|non posso)\b"
)
_OPEN = re.compile(
    r"\b(?:si|s'|lorsque|quand|une fois|avant d|pourr\w*|peut|peuvent|if|when|once|may|might"
    r"|could)\b"
)
_ASKS = re.compile(
    r"\b(?:souhaitez|voulez|desirez|puis-je|voudriez|aimeriez|do you|would you|shall i|may i)\b"
)

_THINGS = (
    r"tickets?|dossiers?|demandes?|reclamations?|signalements?|cases?|requests?|complaints?"
    r"|anfrage|richiesta"
)
_MESSAGES = (
    r"rappels?|rendez-vous|rdv|e?-?mails?|courriels?|messages?|sms|call-?backs?|appointments?"
    r"|virements?|paiements?|remboursements?|refunds?|equipe|conseillers?|adviser|manager|technicien"
    r"|livreur|avoirs?|transferts?"
)
_ORDERS = r"commandes?|retours?|orders?|reservations?|livraisons?"
_MADE = (
    r"(?:cree|ouvert|enregistre|transmis|envoye|programme|planifie|confirme|pris|valide|depose|effectue"
    r"|fait|emis|prevenu|averti|contacte|reserve|annule|modifie|traite|mis en place)(?:e|s"
    r"|es)?"
    r"|created|opened|sent|booked|scheduled|confirmed|registered|submitted|issued|notified|logged|placed"
    r"|cancelled|filed|erstellt|gesendet|creat[oa]|inviat[oa]"
)
_KINDS = (("ticket", _THINGS), ("", _MESSAGES), ("order", _ORDERS))
_STATES = {
    kind: re.compile(
        rf"\b(?:{words})\b[^.\n]{{0,50}}\b(?:{_MADE})\b|\b(?:{_MADE})\b[^.\n]{{0,30}}\b(?:{words})\b"
    )
    for kind, words in _KINDS
}
_COMES = re.compile(
    r"(?:un conseiller|l'equipe|nous|on|quelqu'un|un technicien|je) (?:va|allons|vont|vais|vous)"
    r" (?:vous )?(?:rappel|recontact|appel|ecri|envo)"
    r"|vous (?:serez|allez etre) (?:rappele|recontacte|contacte)"
    r"|vous (?:rappellera|recontactera|appellera|contactera|ecrira)"
    r"|(?:someone|an adviser|an advisor|an agent|we|i|our team)(?: will|'ll)"
    r" (?:call|contact|email|e-mail|write|send)|you will be (?:called|contacted)"
)
#: A number is given to what it numbers.
_NUMBERED = re.compile(
    r"(?:numero|n°) (?:de )?(?:ticket|dossier|suivi) ?(?::|est)? ?[\w-]{0,40}\d"
    r"|\bticket [a-z]{2,4}-?\d|(?:case|ticket) (?:number|no\.?) ?(?:is|:)? ?[\w-]{0,40}\d"
)
_I_DID = re.compile(
    r"\bj'ai (?:bien |deja )?(?:cree|ouvert|enregistre|transmis|envoye|programme|planifie|pris"
    r"|valide|depose"
    r"|effectue|rembourse|annule|modifie|reserve|prevenu|contacte|applique|accorde)"
    r"|\bi(?:'ve| have)? (?:already |just )?(?:sent|opened|created|booked|scheduled|registered"
    r"|refunded|cancelled|filed|applied|emailed)\b"
    r"|\bc'est (?:fait|enregistre|valide|regle)\b|\bit'?s done\b"
)


def is_given(text: str) -> bool:
    """Whether some part of it grants what no tool can."""
    return any(
        _GIVEN.search(clause) and not (_DENIED.search(clause) or _is_open(clause))
        for clause in _CLAUSE.split(text)
    )


def said_done(text: str) -> Iterator[str]:
    """Yield, for each thing said to exist: "ticket", "order", or "" for any other."""
    if "?" in text and _ASKS.search(text):
        return
    for clause in _CLAUSE.split(text):
        if _DENIED.search(clause) or _is_open(clause):
            continue
        yield from (kind for kind, pattern in _STATES.items() if pattern.search(clause))
        if _NUMBERED.search(clause):
            yield "ticket"
        if _COMES.search(clause) or _I_DID.search(clause):
            yield ""


def _is_open(clause: str) -> bool:
    return bool(_OPEN.search(clause) or _ASKS.search(clause))
