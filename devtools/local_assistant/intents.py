"""Detection of a customer's intent from whole words of the folded text."""

from __future__ import annotations

from collections.abc import Sequence

from devtools.local_assistant import facts
from devtools.local_assistant.names import asks_own_name
from devtools.local_assistant.words import folded, word_table

#: Intents in order of precedence; expressions match whole words only.
_INTENTS = word_table(r"""
markdown_table: (?:avec|en|dans|fais(?:-moi)?|faites(?:-moi)?|montrez?(?:-moi)?)(?: un)? tableau
    tableau comparatif|sous forme de tableau
long_text: raconte[zrs]?(?:[- ](?:moi|nous))?|en details?|longuement
    long(?:s|ue)? (?:texte|reponse|message|explication)s?|(?:texte|reponse|message) long(?:ue)?
human: (?:une?|votre|vos|du|ce) (?:conseiller\w*|vendeu\w+|operat\w+|agents?|humaine?|interlocut\w+)
    humain|vraie? (?:personne|conseillere?)|service client
    (?:parler|discuter|echanger) (?:a|avec) (?:quelqu'un|une?)
    quelqu'un (?:de chez vous|de vrai|au telephone)
    (?:speak|talk) to (?:an?|someone|somebody)(?: human| agent| person)?
    (?:(?:me|etre) rappele[rzs]?|r?appele[rz]?[- ]moi)(?! (?:l[ea]s?|m(?:on|a|es)|ce|quel))
danger: bless(?:e|es|ee|ees|ures?)|danger(?:eu\w+)?|etincelles?|de la fumee|electrocut\w+
    (?:suis|est) (?:coupee?|brulee?)|(?:pris|prend|prendre|en) feu|basculee? sur
    (?:effondr|ecroul)(?:e|es|ee|ees)
    tombee? (?:dessus|sur (?:moi|lui|elle|nous|un enfant|m(?:on|a|es) \w+))|injured|collapsed
    on fire|verletzt|ferit[oa]
anger: scandal(?:e|es|eu\w+)|honteu(?:x|se)|inadmissibles?|inacceptables?|intolerables?|voleurs?
    escrocs?|arnaqu\w+|plainte|(?<!vert )avocate?s?|tribunal|huissier
    (?:j'en ai|y en a) (?:marre|assez)|furieu(?:x|se)|colere|excedee?|ras[- ]le[- ]bol
    personne ne (?:me )?repond|60 millions de consommateurs|dgccrf|unacceptable|lawyer
ticket_status: (?:mon|le|du) ticket|(?:sav|tkt|tck|tic)-[a-z0-9-]+
    (?:ou en (?:est|sont)|suivi|suivre)[^.!?]{0,30}(?:ticket|dossier|demande|reclamation|sav)s?
    (?:statut|etat|avance\w*|nouvelles)[^.!?]{0,30}(?:ticket|dossier|demande|reclamation|sav)s?
law: vices? caches?|conformite|mediat(?:ion|eurs?|rice)|legalement|(?:mes|quels) droits
    droits? lega(?:l|ux)|code de la consommation|que dit la loi
damage: (?:abim|cass|dechir|fissur|ray|tach|affaiss|bloqu|gondol)(?:e|es|ee|ees)
    (?:fendu|tordu|decousu|deforme|decolle)(?:e|s|es|nt)?|fuite|trous?|dechirures?|defectueu\w+
    defauts?|grinc(?:e|ent|ements?)|bancale?s?|en panne
    ne (?:marche|fonctionne|s'ouvre|ferme|tient)(?:nt)? (?:plus|pas)
    manque (?:une?|des) (?:pieces?|vis|pieds?)|pieces? manquantes?|probleme avec
    (?<!pas )(?:un|des|de|le|mon|gros|petit) problemes?|sav|apres[- ]vente|reclamations?
    repar(?:er|ations?|ez)
returns: retours?|retourner|renvoyer|rembours\w+|retract(?:ation|er)|echanger?|change d'avis
    annul(?:er|ation)|return my|send (?:it|this) back|refund
guarantee: garanti(?:e|es|s|r)?|warranty|guarantee
order: commandes?|colis|cmd[\s_-]*\d{4}[\s_-]*\d{5}|ou (?:est|en est|sont) (?:mon|ma|mes)|my order
    where is my
delivery: livr(?:aisons?|er|ez|e|ee|es|ees|eurs?)|delais?|frais de port|expedi(?:er|tion|e)|montage
    monter|delivery|shipping
hours: horaires?|ouvert\w*|ouvrez|ouvrir|ferm(?:e|ez|es|eture)|(?:quelles?|a) heures?|dimanche
    opening hours|jours feries
address: adresses?|ou (?:etes|vous trouvez|se trouve|est le magasin)(?:[- ]vous)?|showroom|parking
    magasins?|boutique|telephone|numero de tel|vous trouver|venir vous voir
payment: pai?ements?|payer|paye|plusieurs fois|[34] ?x|[34] fois|carte bancaire|cheque|financement
    credit|paypal|virement
""")
#: Intents that are tried if none of the above matches.
_LAST = {"door": facts.DOOR} | word_table(r"""
discount: promo(?:s|tions?)?|remises?|reductions?|rabais|ristournes?|soldes?|bons? d'achat|discount
    geste commercial|code (?:promo|reduction)|moins cher
photos: photos?|images?|videos?|pictures?
off_topic: meteo|temps fait|poemes?|capitale|politique|elections?|president|match|recettes?
    foot(?:ball)?|devoirs?|maths?|mathematiques|python|javascript|cod(?:e|er) (?:un|en)|blagues?
    bourse|bitcoin|script|horoscope|religion|guerre|tradui(?:s|re|sez)|dissertation|weather|joke
    medicaments?
product: (?:avez|auriez|vendez|proposez|faites)[- ]vous|il (?:me|nous) fau(?:t|drait)
    (?:je|on|nous) (?:cherche|veux|voudrais|aimerais)|montrez?[- ](?:moi|nous)
    (?:je|nous) recherch(?:e|ons)
thanks: merci|remercie|remercions|thanks?|thank you|danke|grazie
goodbye: au revoir|a bientot|bonne (?:journee|soiree|fin de journee|nuit)|adieu|bye|goodbye
    ciao ciao|a plus tard|tschuss|auf wiedersehen|arrivederci
yes: \A\s*(?:oui|ok|d'accord|yes|parfait|exactement|volontiers|super)\b[\s\w.!,]{0,20}\Z
no: \A\s*(?:non|no|pas du tout|non merci)\b[\s\w'.!,]{0,20}\Z
""")
#: Greetings by language.
_GREETINGS = word_table(r"""
fr: \A\s*(?:bonjour|bonsoir|salut|coucou|allo|bjr)
en: \A\s*(?:hello|hi|hey|good (?:morning|evening|afternoon))
de: \A\s*(?:guten (?:tag|morgen|abend)|hallo|gruss gott|servus|moin)
it: \A\s*(?:buongiorno|buonasera|ciao|salve)
ar: [\u0600-\u06ff]{2,}
""")
#: ``of_one``: question about a detail of a named product. ``owned``: the product is the customer's
#: own, so not a request for information. ``about_it``: "il est en stock ?", about the last product.
_SIGNS = word_table(r"""
orders: (?:tes|vos|your|tous? les|toutes les|previous) (?:instructions?|consignes?|regles?|rules)
    prompt(?: systeme)?|system prompt|you are now|tu es (?:maintenant|desormais)|jailbreak
robot: (?:es[- ]tu|etes[- ]vous|tu es|vous etes|suis[- ]je avec)[^.!?]{0,20}(?:robot|humaine?|bot)
    (?:es[- ]tu|etes[- ]vous|tu es|vous etes|parle[- ]je a)[^.!?]{0,20}(?:machine|vraie?|chatgpt)
    (?:es[- ]tu|etes[- ]vous|tu es|vous etes)[^.!?]{0,20}(?:ia|intelligence|ordinateur)
    are you (?:an? )?(?:robot|bot|human|ai|real)
details: dimensions?|details?|fiche|caracteristiques?|mesures?|largeur|hauteur|profondeur|matieres?
    composition|coloris|entretien|entretenir|nettoyer|laver|prix d[eu]|(?:combien )?coute(?:nt)?
    portes? (?:de|d'|fait|mesure)|pass(?:e|era|er)(?:-t-(?:il|elle))? (?:par|dans)
of_one: delais?|livr(?:aison|e|es|ez|er)|(?:en )?stock|disponibles?|prix|combien
owned: m(?:on|a|es)|notre|nos|j'ai (?:achete|commande|recu)|commandee?s?
about_it: (?:est|coute)[- ](?:il|elle)|(?:il|elle) (?:est|coute|passe|fait)
    cel(?:ui|le)[- ](?:la|ci)
no_human: (?:pas|plus|aucun|sans)(?: avoir)?(?: besoin)? d'une? (?:conseillere?|humaine?)
    (?:pas|plus|aucun|sans)(?: parler)? ?(?:a |de )?(?:une? )?(?:conseillere?s?|humaine?)
    (?:pas|plus|sans)(?: etre)? rappele[rz]?
""")
#: Intents that a message with only a number continues.
_NEEDING_NUMBER = {
    *("damage", "danger", "guarantee", "law", "returns", "order", "ticket_status", "delivery"),
}


def intent_of(text: str) -> str:
    """Return the intent of a text, "other" if unknown."""
    plain = folded(text)
    first = _said_first(text, plain)
    if first:
        return first
    for intent, pattern in _INTENTS.items():
        if pattern.search(plain) and not (intent == "human" and _SIGNS["no_human"].search(plain)):
            return intent
    has_noun = bool(facts.product_noun(text))
    if facts.product_reference(text) or (has_noun and _SIGNS["details"].search(plain)):
        return "details"
    if has_noun:
        return "product"
    known = next((intent for intent, pattern in _LAST.items() if pattern.search(plain)), "")
    return known or ("greeting" if greeting_language(text) else "other")


def _said_first(text: str, plain: str) -> str:
    """Return the intent that takes precedence over all others, or ""."""
    if asks_own_name(text):
        return "own_name"
    if _SIGNS["orders"].search(plain):
        return "orders"
    if _SIGNS["robot"].search(plain):
        return "robot"
    if _INTENTS["guarantee"].search(plain) and ("?" in text or "garantie de" in plain):
        return "danger" if _INTENTS["danger"].search(plain) else "guarantee"
    name = facts.product_name(text)
    is_named = " " in name and _SIGNS["of_one"].search(plain) and not _SIGNS["owned"].search(plain)
    return "details" if is_named else ""


def greeting_language(text: str) -> str:
    """Return the language of the greeting at the start of a text: "fr", "en"…; "" if none."""
    plain = folded(text)
    return next((code for code, pattern in _GREETINGS.items() if pattern.search(plain)), "")


def subject_of(said: Sequence[str]) -> str:
    """Return the text to interpret: the last message, preceded by the one that it continues.

    "Mon canapé est cassé" followed by "CMD-2025-54321" still concerns the sofa.
    """
    last = said[-1] if said else ""
    earlier = list(reversed(said))[1:4]
    if _goes_on(last):
        for text in earlier:
            if intent_of(text) in {"product", "details"}:
                return f"{last}\n{text}"
    if facts.is_bare_reference(last):
        for text in earlier:
            if intent_of(text) in _NEEDING_NUMBER:
                return f"{text}\n{last}"
    return last


def _goes_on(text: str) -> bool:
    """Return whether a message just adds a criterion or a question about the last product."""
    if facts.product_noun(text) or facts.product_reference(text):
        return False
    if facts.is_wish(text) and intent_of(text) in {"door", "other", "yes", "product"}:
        return True
    plain = folded(text)
    return bool(_SIGNS["details"].search(plain) or _SIGNS["about_it"].search(plain))
