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
        r"humain|(?:(?:me|etre) rappele[rzs]?|r?appele[rz]?[- ]moi)"
        r"(?! (?:l[ea]s?|m(?:on|a|es)|ce|quel))",
    ),
    "danger": whole_words(
        rf"bless{_STATE}|blessures?|danger(?:eux|euse|euses)?|etincelles?",
        r"de la fumee|electrocut\w+",
        r"(?:suis|est) (?:coupee?|brulee?)|(?:pris|prend|prendre|en) feu",
        rf"(?:effondr|ecroul){_STATE}|(?:effondre|ecroule){_STATE}|basculee? sur",
        r"tombee? (?:dessus|sur (?:moi|lui|elle|nous|un enfant|m(?:on|a|es) \w+))",
        r"injured|collapsed|on fire|verletzt|ferit[oa]",
    ),
    "anger": whole_words(
        r"scandal(?:e|es|eux|euse|euses)|honteu(?:x|se)|inadmissibles?|inacceptables?|intolerables?",
        r"voleurs?|escrocs?|arnaqu(?:e|es|eurs?)|(?:porter )?plainte|(?<!vert )avocate?s?",
        r"tribunal|huissier",
        r"(?:j'en ai|y en a) (?:marre|assez)|furieu(?:x|se)|colere|excedee?|ras[- ]le[- ]bol",
        r"personne ne (?:me )?repond|60 millions de consommateurs|dgccrf|unacceptable|lawyer",
    ),
    "ticket_status": whole_words(
        r"(?:ou en (?:est|sont)|suivi|suivre|statut|etat|avance(?:ment)?|nouvelles)[^.!?]{0,30}"
        r"(?:ticket|dossier|demande|reclamation|sav)s?",
        r"(?:mon|le|du) ticket",
        r"(?:sav|tkt|tck|tic)-[a-z0-9-]+",
    ),
    "law": whole_words(
        r"vices? caches?|conformite|mediat(?:ion|eur|eurs|rice)|legalement",
        r"(?:mes|quels) droits|droits? lega(?:l|ux)",
        r"code de la consommation|que dit la loi",
    ),
    "damage": whole_words(
        rf"(?:abim|cass|dechir|fissur|ray|tach|affaiss|effondr|bloqu|fendu|tordu|bless){_STATE}",
        rf"(?:abime|casse|dechire|fissure|raye|tache|affaisse|effondre|bloque|blesse|gondole)"
        rf"{_STATE}",
        r"defectueu(?:x|se|ses)|defauts?|grinc(?:e|ent|ement|ements)|bancale?s?|trous?",
        r"en panne|decolle(?:e|s|nt)?|decousu(?:e|s|es)?|deforme(?:e|s|es)?|dechirures?|fuite",
        r"ne (?:marche|fonctionne|s'ouvre|ferme|tient)(?:nt)? (?:plus|pas)",
        r"manque (?:une|des|un) (?:pieces?|vis|pieds?)|pieces? manquantes?",
        r"(?<!pas )(?:un|des|de|le|mon|gros|petit) problemes?|probleme avec",
        r"sav|apres[- ]vente|reclamations?|repar(?:er|ation|ations|ez)|prend feu|en feu",
    ),
    "returns": whole_words(
        r"retours?|retourner|renvoyer|rembours(?:er|ement|ements|ez|e|ee)|retractation|retracter",
        r"echanger?|change d'avis|annul(?:er|ation)",
        r"return my|send (?:it|this) back|refund",
    ),
    "guarantee": whole_words(r"garanti(?:e|es|s|r)?", "warranty", "guarantee"),
    "order": whole_words(
        r"commandes?|colis|cmd[\s_-]*\d{4}[\s_-]*\d{5}",
        r"ou (?:est|en est|sont) (?:mon|ma|mes)",
        r"my order|where is my",
    ),
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
    r"matieres?|coloris|entretien|entretenir|nettoyer|laver|prix d[eu]|(?:combien )?coute(?:nt)?",
    r"portes? (?:de|d'|fait|mesure)|pass(?:e|era|er)(?:-t-(?:il|elle))? (?:par|dans)",
)
#: What is a detail of a product that is called by its name.
_OF_ONE = whole_words(r"delais?|livr(?:aison|e|es|ez|er)|(?:en )?stock|disponibles?|prix|combien")
#: Their own one is no product to be read about.
_OWNED = whole_words(r"m(?:on|a|es)|notre|nos|j'ai (?:achete|commande|recu)|commandee?s?")
#: "Il est en stock ?", "et en bleu ?": of what was spoken of before.
_ABOUT_IT = whole_words(
    r"(?:est|coute)[- ](?:il|elle)|(?:il|elle) (?:est|coute|passe|fait)",
    r"cel(?:ui|le)[- ](?:la|ci)",
)
_NO_HUMAN = whole_words(
    r"(?:pas|plus|aucun|sans)(?: avoir)?(?: besoin)?(?: parler)? ?(?:a |d'|de )?"
    r"(?:un |une )?(?:conseillere?s?|humaine?|rappele[rz]?)"
)
_SEEKING = whole_words(
    r"(?:avez|auriez|vendez|proposez|faites)[- ]vous|il (?:me|nous) fau(?:t|drait)",
    r"(?:je|on|nous) (?:cherche|veux|voudrais|aimerais)|montre(?:z)?[- ](?:moi|nous)",
    r"(?:je|nous) recherch(?:e|ons)",
)
_PHOTOS = whole_words(r"photos?|images?|videos?|pictures?")
_DISCOUNT = whole_words(
    r"promo(?:s|tion|tions)?|remises?|reductions?|rabais|ristournes?|soldes?|bons? d'achat|discount"
    r"|geste commercial|code (?:promo|reduction)|moins cher"
)
_ROBOT = whole_words(
    r"(?:es[- ]tu|etes[- ]vous|tu es|vous etes|suis[- ]je avec|parle[- ]je a)[^.!?]{0,20}"
    r"(?:robot|ia|humaine?|machine|intelligence|ordinateur|chatgpt|vrai|vraie|bot)",
    r"are you (?:a |an )?(?:robot|bot|human|ai|real)",
)
_ORDERS = whole_words(
    r"(?:tes|vos|your|tous? les|toutes les|previous) (?:instructions?|consignes?|regles?|rules)",
    r"prompt(?: systeme)?|system prompt|you are now|tu es (?:maintenant|desormais)|jailbreak",
)
_ELSEWHERE = whole_words(
    r"meteo|temps fait|poemes?|capitale|politique|elections?|president|match|recettes?"
    r"|foot(?:ball)?|devoirs?|maths?|mathematiques|python|javascript|cod(?:e|er) (?:un|en)"
    r"|blagues?|bourse|bitcoin|script|horoscope|religion|guerre|tradui(?:s|re|sez)|dissertation"
    r"|weather|joke|medicaments?"
)
#: Wants that a message holding only a number carries on.
_NEEDING_NUMBER = {
    *("damage", "danger", "guarantee", "law", "returns", "order", "ticket_status", "delivery"),
}


def intent_of(text: str) -> str:
    """Return what the text is about, one of ``answers.INTENTS``; "other" if nothing is known."""
    plain = folded(text)
    if asks_own_name(text):
        return "own_name"
    first = _said_first(text, plain)
    if first:
        return first
    for intent, pattern in _INTENTS.items():
        if pattern.search(plain) and not (intent == "human" and _NO_HUMAN.search(plain)):
            return intent
    if facts.product_reference(text) or (facts.product_noun(text) and _DETAILS.search(plain)):
        return "details"
    if facts.product_noun(text):
        return "product"
    return _said_last(text, plain)


def _said_first(text: str, plain: str) -> str:
    """Return the intent that wins over the words of any other, or ""."""
    if _ORDERS.search(plain):
        return "orders"
    if _ROBOT.search(plain):
        return "robot"
    if _INTENTS["guarantee"].search(plain) and ("?" in text or "garantie de" in plain):
        return "danger" if _INTENTS["danger"].search(plain) else "guarantee"
    named = facts.product_name(text) != facts.product_noun_said(text)
    if named and _OF_ONE.search(plain) and not _OWNED.search(plain):
        return "details"
    return ""


def _said_last(text: str, plain: str) -> str:
    """Return what is meant where nothing was said of furniture and orders."""
    for intent, pattern in (
        *(("discount", _DISCOUNT), ("photos", _PHOTOS), ("off_topic", _ELSEWHERE)),
        *(("door", facts.DOOR), ("product", _SEEKING)),
    ):
        if pattern.search(plain):
            return intent
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


def _goes_on(text: str) -> bool:
    """Whether it only adds a wish or a question to the product spoken of before."""
    if facts.product_noun(text) or facts.product_reference(text):
        return False
    if intent_of(text) in {"door", "other", "yes", "product"} and facts.is_wish(text):
        return True
    plain = folded(text)
    return bool(_DETAILS.search(plain) or _ABOUT_IT.search(plain))


def subject_of(said: Sequence[str]) -> str:
    """Return the text to understand: the last message, after the one it completes.

    "Mon canapé est cassé" then "CMD-2025-54321" is still about the sofa.
    """
    last = said[-1] if said else ""
    if _goes_on(last):
        for text in list(reversed(said))[1:4]:
            if intent_of(text) in {"product", "details"}:
                return f"{last}\n{text}"
    if not facts.is_bare_reference(last):
        return last
    for text in list(reversed(said))[1:4]:
        if intent_of(text) in _NEEDING_NUMBER:
            return f"{text}\n{last}"
    return last
