"""What the customer said their name is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from chat.simulator.words import folded, whole_words

#: "je m'appelle …": a name follows, whatever its case. Not in "comment je m'appelle".
_SURE = re.compile(
    r"(?<!comment )\b(?:je m'?appelle|j'm'appelle|je me (?:pr[ée]n|n)omme"
    r"|mon (?:nom|nom de famille|pr[ée]nom) (?:est|c'est)"
    r"|my name is|my name's|ich hei(?:ß|ss)e|mi chiamo)\s*:?\s+",
    re.IGNORECASE,
)
#: "je suis …": a name only when it is written as one ("moi c'est important").
_PERHAPS = re.compile(
    r"\b(?:je suis|moi,? c'est|appelez[- ]moi|i am|i'm)\s*:?\s+(?=\S)",
    re.IGNORECASE,
)
_TITLE = r"(?:(?:Monsieur|Madame|Mademoiselle|Mme|Mlle|Mr|M\.|Dr)\s+)?"
_LETTER = r"[^\W\d_]"
_PART = rf"{_LETTER}+(?:['-]{_LETTER}+)*"
_LINK = r"(?:de la|de|du|des|d'|le|la|van|von|ben|el|al|da|di)"
_NAME = re.compile(rf"({_TITLE})({_PART})((?:\s+(?:{_LINK}\s+)?{_PART}){{0,3}})", re.IGNORECASE)
_NEXT = re.compile(rf"\s+((?:{_LINK}\s+)?)({_PART})", re.IGNORECASE)

#: What follows "je suis" or "moi c'est" without being a name, folded; "-e", "-s" and "-es" aside.
_NOT_NAMES = frozenset(
    re.findall(
        r"\S+",
        """
        a absent actuellement afraid ai ainsi alle allemand allergique also american amoureux
        anglais arrive assez assistant at au aussi aux avec belge bien bientot bloque bonjour ca
        calme celui certain chez client cliente comme comment comprends content convaincu curieux
        d dans de debordant deborde decide decu deja demain depuis des desespere desole devant
        difficile dispo disponible droitier du eleve embete en enceinte enchante encore energique
        enerve ennuye ensuite entre et etonne etudiant etudiante exactement fache fan fatigue fier
        francais from furieux gaucher habitue handicape here hesitant hesite heureux hors ici
        impatient in indecis inquiet insatisfait inscrit interesse interested italien jamais je
        jeune joignable just juste l la le les libre lie locataire loin looking lost ma mal malade
        malheureux mecontent membre mes mieux mon motive ne nerveux not nouveau nouvelle novice
        nul occupe ok on ou oui pareil parent partant parti particulier pas passe passionne
        patient perdu perdue perplexe pire plus plutot pour presque presse pret prete prevenu
        prise pro prochainement proche professionnel profondement proprietaire pu quand que quel
        quelle quelqu'un qui quoi rassure ravi reconnaissant rentre retraite revenu sans satisfait
        sceptique senior seul seulement si sorry soulage sous stresse suisse sur sure surpris
        telephone tente tes the tomber ton toujours tout toute toutefois tres triste trop un une
        urgent usager vendeur venu vers very victime vieux visiteur voisin volontaire votre
        vraiment welcome y
        """,
    )
)
#: What ends a name written in capitals by someone who forgets the full stop.
_NOT_SURNAMES = _NOT_NAMES | {
    *("bonsoir", "c'est", "il", "elle", "est", "j'ai", "j'aimerais", "j'habite", "merci", "nous"),
    *("quels", "quelles", "s'il", "svp", "vous"),
}
_QUESTION = whole_words(
    r"comment (?:est-ce que |est ce que |c'est que )?(?:je m'?appelle|m'appelle je|m'appelle-je)",
    r"je m'?appelle (?:deja )?comment",
    r"(?:quel|quelle|quoi|rappelle[rz]?|connais(?:sez)?|souvenez|souviens|retenu|sais|savez|donne[rz]?"
    r"|dis|dites)\b[^.!?]{0,40}\bmon (?:pre)?nom",
    r"mon (?:pre)?nom,? (?:c'est|est) (?:quoi|lequel)",
    r"qui (?:suis[- ]je|je suis)",
    r"what(?:'s| is) my name|who am i|do you (?:know|remember) my name",
    r"wie heisse ich|come mi chiamo",
)


def asks_own_name(text: str) -> bool:
    return _QUESTION.search(folded(text)) is not None


def name_in(texts: Iterable[str]) -> str:
    """Return the name given last in what the customer said, as written, or "".

    "je suis perdu" gives none, "je suis Jean-Pierre" and "je m'appelle zoé" do: "Zoé".
    """
    name = ""
    for text in texts:
        name = _name_in_one(text) or name
    return name


def _name_in_one(text: str) -> str:
    plain = unicodedata.normalize("NFC", text).replace("’", "'")
    found = [(match.end(), True) for match in _SURE.finditer(plain)]
    found += [(match.end(), False) for match in _PERHAPS.finditer(plain)]
    for end, sure in sorted(found, reverse=True):
        name = _name_at(plain, end, sure)
        if name:
            return name
    return ""


def _name_at(text: str, start: int, sure: bool) -> str:
    match = _NAME.match(text, start)
    if match is None:
        return ""
    title, first, rest = match.group(1), match.group(2), match.group(3)
    if _is_no_name(first) or len(first) > 40 or not (sure or first[0].isupper()):
        return ""
    if rest.strip() and folded(first) in {"monsieur", "madame", "mademoiselle"}:
        return ""
    return f"{title}{_capitalised(first)}{_surnames(rest)}"


def _surnames(rest: str) -> str:
    """Return as much of the following words as is written like a surname."""
    kept = ""
    for match in _NEXT.finditer(rest):
        word = match.group(2)
        if not word[0].isupper() or folded(word) in _NOT_SURNAMES:
            break
        kept += match.group(0)
    return kept


def _is_no_name(word: str) -> bool:
    plain = folded(word)
    if plain.startswith(("d'", "l'", "qu'", "j'", "n'", "s'", "c'", "a-")):
        return True
    return any(plain.removesuffix(end) in _NOT_NAMES for end in ("", "e", "s", "es"))


def _capitalised(word: str) -> str:
    if not word.islower():
        return word
    return re.sub(rf"(^|[-'])({_LETTER})", lambda m: m.group(1) + m.group(2).upper(), word)
