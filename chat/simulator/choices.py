"""Which value of an enumeration a message speaks for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chat.simulator.words import folded, search_stem

#: What is said (right) when a value holding these words (left) is meant; both folded.
_SIGNS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(value), re.compile(rf"(?<!\w)(?:{said})"))
    for value, said in (
        ("structure", r"structure|cadre|effondr|fissur|pied|lattes?|chassis"),
        ("mechanism|mecani", r"mecani|relax|convertible|tiroir|charniere|verin|electrique"),
        ("fabric|tissu|revetement", r"tissu|cuir|dechir|accroc|decolor|couture|velours|housse"),
        ("cushion|coussin", r"coussin|assise|mousse|affaiss"),
        (
            "danger",
            r"danger|bless|feu\b|effondr|ecroul|etincelle|brul|bascul|tombee?|coupee?\b|electrocut|fumee",
        ),
        (
            "complaint|reclamation",
            r"scandal|hont|inadmiss|inaccept|voleur|escroc|arnaqu|plainte|avocat|tribunal|marre"
            r"|assez|colere|furieu|personne ne|unacceptable|lawyer",
        ),
        ("wish|demande", r"conseill|humain|quelqu'un|personne|rappele|appele|someone|agent"),
        ("return|retour|retract", r"retour|renvoy|rembours|retract|echang|change d'avis"),
        ("guarantee|warranty|garanti", r"garanti|warranty"),
        ("delivery|livraison|transport", r"livr|transport|carton|delai|expedi"),
        ("dimension", r"dimension|mesure|taille|trop (?:grand|petit|large)"),
        ("assembly|montage", r"montage|monter|notice|visserie|vis\b|pieces? manquante"),
        ("delivery|livraison", r"montage|monter|etage|frais de port"),
        ("smell|odeur", r"odeur|sent mauvais"),
        ("danger", r"danger|bless|prend feu|effondr|coupant"),
        ("unusable|inutilisable", r"inutilisable|ne (?:marche|fonctionne) plus|cass|bloqu"),
        ("hindrance|hinder|gene", r"gen[ae]|grince|bancal|difficile"),
        ("slight|minor|leger", r"leger|petit|esthetique"),
        ("horaire|hours|opening", r"horaire|ouvert|ouvr|ferm|heure|dimanche|feries"),
        ("contact", r"adresse|magasin|boutique|showroom|parking|telephone|contact|joindre|ou etes"),
        ("address|adresse|location", r"adresse|magasin|boutique|showroom|parking|ou etes"),
        ("payment|paiement", r"pai?ement|payer|plusieurs fois|carte|cheque|financement"),
        ("care|entretien", r"entretien|nettoy|tache"),
        ("salon|living", r"canape|fauteuil|table basse|meuble tv|pouf|banquette|sofa"),
        ("salle|dining|repas", r"tables?\b|chaise|buffet|vaisselier|repas"),
        ("chambre|bedroom", r"lits?\b|matelas|sommier|armoire|commode|chevet|dressing"),
        ("deco", r"tapis|lampe|miroir|vase|coussin|rideau|luminaire|lampadaire"),
    )
)
_NEUTRAL = re.compile(r"(?:unknown|other|autres?|inconnu|general|divers|none)\Z")


def chosen(values: Sequence[object], text: str) -> object:
    """Return the value that the text names, or one that its words mean, or None."""
    plain = folded(text)
    stems = {search_stem(word) for word in re.findall(r"\w+", plain)}
    for value in values:
        words = [word for word in re.split(r"[\W_]+", folded(str(value))) if len(word) > 2]
        if words and all(search_stem(word) in stems for word in words):
            return value
    for meant, said in _SIGNS:
        if said.search(plain):
            for value in values:
                if meant.search(folded(str(value))):
                    return value
    return None


def neutral(values: Sequence[object]) -> object:
    """Return the value that commits to nothing ("other", "inconnu"), or None."""
    return next((value for value in values if _NEUTRAL.match(folded(str(value)))), None)
