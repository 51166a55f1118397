"""What the customer wants, told by whole words of the folded text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chat.simulator import facts
from chat.simulator.names import asks_own_name
from chat.simulator.words import folded, whole_words

_STATE = r"(?:e|s|es)?"

#: Tried in order: the first that matches wins. "achat" is no cat, "trouve" is no hole.
_INTENTS: dict[str, re.Pattern[str]] = {
    "markdown_table": whole_words(
        r"(?:avec|en|dans|fais(?:-moi)?|faites(?:-moi)?|montre(?:z)?(?:-moi)?)(?: un)? tableau",
        "tableau comparatif",
        "sous forme de tableau",
    ),
    "long_text": whole_words(
        r"raconte(?:z|r|s)?(?:[- ](?:moi|nous))?",
        r"en details?",
        r"(?:longs?|longue) (?:textes?|reponses?|messages?|explications?)",
        r"(?:texte|reponse|message) (?:long|longue)",
        "longuement",
    ),
    "human": whole_words(
        r"(?:un|une|votre|vos|du|ce) (?:conseillers?|conseilleres?|agents?|humaine?|vendeurs?"
        r"|vendeuses?|operateurs?|operatrices?|interlocuteurs?)",
        r"vraie? (?:personne|conseiller|conseillere)",
        r"(?:parler|discuter|echanger) (?:a|avec) (?:quelqu'un|un|une)",
        r"quelqu'un (?:de chez vous|de vrai|au telephone)",
        r"service client",
        r"(?:speak|talk) to (?:a|an|someone|somebody)(?: human| agent| person)?",
        "humain",
    ),
    "ticket_status": whole_words(
        r"(?:ou en (?:est|sont)|suivi|suivre|statut|etat|avance(?:ment)?|nouvelles)[^.!?]{0,30}"
        r"(?:ticket|dossier|demande|reclamation|sav)s?",
        r"(?:mon|le|du) ticket",
        r"(?:sav|tkt|tck|tic)-[a-z0-9-]+",
    ),
    "damage": whole_words(
        rf"(?:abim|cass|dechir|fissur|ray|tach|affaiss|effondr|bloqu|fendu|tordu|bless){_STATE}",
        rf"(?:abime|casse|dechire|fissure|raye|tache|affaisse|effondre|bloque|blesse|gondole)"
        rf"{_STATE}",
        r"defectueu(?:x|se|ses)|defauts?|grincent?|bancale?s?|trous?|en panne|decolle(?:e|s|nt)?",
        r"ne (?:marche|fonctionne|s'ouvre|ferme|tient)(?:nt)? (?:plus|pas)",
        r"manque (?:une|des|un) (?:pieces?|vis|pieds?)|pieces? manquantes?",
        r"(?<!pas )(?:un|des|de|le|mon|gros|petit) problemes?|probleme avec",
        r"sav|apres[- ]vente|reclamations?|repar(?:er|ation|ations|ez)|prend feu|en feu",
    ),
    "order": whole_words(
        r"commandes?|colis|cmd[\s_-]*\d{4}[\s_-]*\d{5}",
        r"ou (?:est|en est|sont) (?:mon|ma|mes)",
        r"my order|where is my",
    ),
    "returns": whole_words(
        r"retours?|retourner|renvoyer|rembours(?:er|ement|ements|ez|e|ee)|retractation|retracter",
        r"echanger?|change d'avis|annul(?:er|ation)",
    ),
    "guarantee": whole_words(r"garanti(?:e|es|s|r)?", "warranty", "guarantee"),
    "delivery": whole_words(
        r"livr(?:aison|aisons|er|ez|e|ee|es|ees|eur|eurs)|delais?|frais de port",
        r"expedi(?:er|tion|e)|montage|monter|delivery|shipping",
    ),
    "hours": whole_words(
        r"horaires?|ouvert(?:e|s|es|ure|ures)?|ouvrez|ouvrir|ferm(?:e|ez|es|eture)",
        r"(?:quelle|quelles|a) heures?|dimanche|opening hours|jours feries",
    ),
    "address": whole_words(
        r"adresses?|ou (?:etes|vous trouvez|se trouve|est le magasin)(?:[- ]vous)?|showroom",
        r"parking|magasins?|boutique|telephone|numero de tel|vous trouver|venir vous voir",
    ),
    "payment": whole_words(
        r"pai?ements?|payer|paye|plusieurs fois|[34] ?x|[34] fois|carte bancaire|cheque",
        r"financement|credit|paypal|virement",
    ),
}
#: What is only looked at once nothing above was said.
_COURTESIES: dict[str, re.Pattern[str]] = {
    "thanks": whole_words(r"merci|remercie|remercions|thanks?|thank you|danke|grazie|شكرا"),
    "goodbye": whole_words(
        r"au revoir|a bientot|bonne (?:journee|soiree|fin de journee|nuit)|adieu|bye|goodbye",
        r"ciao ciao|a plus tard|tschuss|auf wiedersehen|arrivederci",
    ),
    "yes": re.compile(
        r"\A\s*(?:oui|ok|d'accord|yes|parfait|exactement|volontiers|super)\b[\s\w.!,]{0,20}\Z"
    ),
    "no": re.compile(r"\A\s*(?:non|no|pas du tout|non merci)\b[\s\w'.!,]{0,20}\Z"),
}
_GREETINGS: dict[str, re.Pattern[str]] = {
    "fr": re.compile(r"\s*(?:bonjour|bonsoir|salut|coucou|allo|bjr)\b"),
    "en": re.compile(r"\s*(?:hello|hi|hey|good (?:morning|evening|afternoon))\b"),
    "de": re.compile(r"\s*(?:guten (?:tag|morgen|abend)|hallo|gruss gott|servus|moin)\b"),
    "it": re.compile(r"\s*(?:buongiorno|buonasera|ciao|salve)\b"),
}
_ARABIC = re.compile(r"[\u0600-\u06ff]{2}")
_DETAILS = whole_words(
    r"dimensions?|details?|fiche|caracteristiques?|mesures?|largeur|hauteur|profondeur|composition",
    r"matieres?|coloris|entretien|prix d[eu]|combien coute",
)
#: Wants that a message holding only a number carries on.
_NEEDING_NUMBER = {"damage", "guarantee", "returns", "order", "ticket_status", "delivery"}


def intent_of(text: str) -> str:
    """Return what the text is about, one of ``answers.INTENTS``; "other" if nothing is known."""
    plain = folded(text)
    if asks_own_name(text):
        return "own_name"
    for intent, pattern in _INTENTS.items():
        if pattern.search(plain):
            return intent
    if facts.product_reference(text) or (facts.product_noun(text) and _DETAILS.search(plain)):
        return "details"
    if facts.product_noun(text):
        return "product"
    if _ARABIC.search(text):
        return "greeting"
    for intent, pattern in _COURTESIES.items():
        if pattern.search(plain):
            return intent
    return "greeting" if greeting_language(text) else "other"


def greeting_language(text: str) -> str:
    """Return the language in which the text begins by greeting: "fr", "en"…; "" if it does not."""
    if _ARABIC.search(text):
        return "ar"
    plain = folded(text)
    return next((code for code, pattern in _GREETINGS.items() if pattern.match(plain)), "")


def subject_of(said: Sequence[str]) -> str:
    """Return the text to understand: the last message, after the one it completes.

    "Mon canapé est cassé" then "CMD-2025-54321" is still about the sofa.
    """
    last = said[-1] if said else ""
    if not facts.is_bare_reference(last):
        return last
    for text in list(reversed(said))[1:4]:
        if intent_of(text) in _NEEDING_NUMBER:
            return f"{text}\n{last}"
    return last
