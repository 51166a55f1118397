"""Extraction of the customer's name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from devtools.local_assistant.words import EMPTY, folded, whole_words, word_set

#: "je m'appelle …": followed by a name in any case. Excludes "comment je m'appelle".
_SURE = re.compile(
    r"(?<!comment )\b(?:je m'?appelle|j'm'appelle|je me (?:pr[ée]n|n)omme"
    r"|mon (?:nom|nom de famille|pr[ée]nom) (?:est|c'est)"
    r"|au nom de|(?:mon )?nom(?: de famille)? ?:"
    r"|my name is|my name's|ich hei(?:ß|ss)e|mi chiamo)\s*:?\s+",
    re.IGNORECASE,
)
#: "je suis …": followed by a name only if that is capitalised (unlike "moi c'est important").
_PERHAPS = re.compile(r"\b(?:je suis|moi,? c'est|appelez[- ]moi|i am|i'm)\s*:?\s+(?=\S)", re.I)
_TITLE = r"(?:(?:Monsieur|Madame|Mademoiselle|Mme|Mlle|Mr|M\.|Dr)\s+)?"
_LETTER = r"[^\W\d_]"
_PART = rf"{_LETTER}+(?:['-]{_LETTER}+)*"
_LINK = r"(?:de la|de|du|des|d'|le|la|van|von|ben|el|al|da|di)"
_NAME = re.compile(rf"({_TITLE})({_PART})((?:\s+(?:{_LINK}\s+)?{_PART}){{0,3}})", re.IGNORECASE)
_NEXT = re.compile(rf"\s+((?:{_LINK}\s+)?)({_PART})", re.IGNORECASE)

#: Folded words after "je suis" or "moi c'est" that are not names, without "-e", "-s" and "-es".
_NOT_NAMES = EMPTY | word_set("""
absent actuellement afraid allemand anglais arrive assez at belge bientot bloque calme certain
client content convaincu curieux debordant deborde decide decu demain desespere devant difficile
disponible enceinte enchante enerve ennuye ensuite etonne etudiant exactement fache fatigue fier
francais from furieux handicape here hesitant heureux impatient important in indecis inquiet
insatisfait interesse interested italien jamais locataire loin looking lost mal malade malheureux
mecontent membre merci not nouveau nouvelle occupe ok parent particulier pas passionne perdu
perplexe presque presse pret pro professionnel proprietaire quelqu'un rassure ravi retraite
satisfait senior seul sorry stresse suisse sure surpris tente tombe tomber toujours triste urgent
venu very victime voisin
""")
_QUESTION = whole_words(
    r"comment (?:est[- ]ce que |c'est que )?(?:je m'?appelle|m'appelle[- ]je)",
    r"je m'?appelle (?:deja )?comment|qui (?:suis[- ]je|je suis)|wie heisse ich|come mi chiamo",
    r"(?:quel(?:le)?|quoi|rappelle[rz]?|connais(?:sez)?|souven(?:ez|ir)|souviens|retenu|sais|savez"
    r"|donne[rz]?|dis|dites)\b[^.!?]{0,40}\bmon (?:pre)?nom",
    r"mon (?:pre)?nom,? (?:c'est|est) (?:quoi|lequel)",
    r"what(?:'s| is) my name|who am i|do you (?:know|remember) my name",
)


def asks_own_name(text: str) -> bool:
    return _QUESTION.search(folded(text)) is not None


def name_in(texts: Iterable[str]) -> str:
    """Return the last name that the customer gave, or "".

    "je suis perdu" contains none; "je suis Jean-Pierre" and "je m'appelle zoé" ("Zoé") do.
    """
    name = ""
    for text in texts:
        plain = unicodedata.normalize("NFC", text).replace("’", "'")
        found = [(match.end(), True) for match in _SURE.finditer(plain)]
        found += [(match.end(), False) for match in _PERHAPS.finditer(plain)]
        names = (_name_at(plain, end, sure) for end, sure in sorted(found, reverse=True))
        name = next(filter(None, names), name)
    return name


def name_alone(text: str) -> str:
    """Return the name that a message consists of, as an answer to "à quel nom ?", or ""."""
    plain = unicodedata.normalize("NFC", text).replace("’", "'").strip(" \t\n.,;:!")
    match = _NAME.fullmatch(plain)
    return "" if match is None or _is_no_name(match.group(2)) else plain


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
    """Return the following words that are written like a surname."""
    kept = ""
    for match in _NEXT.finditer(rest):
        word = match.group(2)
        plain = folded(word)
        if not word[0].isupper() or plain in _NOT_NAMES or plain.startswith(("c'", "j'", "s'")):
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
