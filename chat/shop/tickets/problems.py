"""Classification of a customer's description: problem, component, severity, danger. Pure.

Source: the shop's after-sales guide (problems, evidence asked).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from chat.core.text import FoldingTable, normalized

_APOSTROPHES = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "œ": "oe", "æ": "ae"}
)
_SPACES = re.compile(r"\s+")
#: Negations before a word: "pas de", "sans aucune", "n'a jamais été".
_DENIAL = re.compile(
    r"(?<!\w)(?:pas|plus|jamais|aucune?|sans|ni|zero)"
    r"(?: (?:du tout|de|une?|des|la|les?|mon|ma|mes|notre|nos|votre|vos|ete|aucune?|encore))*"
    r" (?:[dl]')?\Z"
)
#: Number of characters before a word that are searched for a negation.
_BEFORE_CHARS = 40


def _visible(code: int) -> int | None:
    """Return the code point, None for accents and invisible characters."""
    char = chr(code)
    hidden = unicodedata.combining(char) or unicodedata.category(char) == "Cf"
    return None if hidden else code


_VISIBLE = FoldingTable(_visible)


def folded(text: str) -> str:
    """Fold a text to lower case without accents, with straight apostrophes and single spaces.

    ``"L’ÉTÉ  où"`` becomes ``"l'ete ou"``. Invisible characters are dropped.
    """
    plain = text.casefold().translate(_APOSTROPHES)
    if not plain.isascii():
        plain = normalized("NFKD", plain).translate(_VISIBLE)
    return _SPACES.sub(" ", plain).strip()


def whole_words(*alternatives: str) -> re.Pattern[str]:
    """Return a pattern that matches any of these expressions as whole words of a folded text."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(alternatives)})(?!\w)")


def first_match(pattern: re.Pattern[str], plain: str) -> str:
    """Return the first match in a folded text, or ""."""
    match = pattern.search(plain)
    return match[0] if match else ""


def affirmed(pattern: re.Pattern[str], plain: str) -> str:
    """Return the first match that is not preceded by a negation, or "".

    ``"ni tache ni accroc"`` and ``"n'a pas ete dechire"`` have none. ``plain``: folded text.
    """
    for match in pattern.finditer(plain):
        start = match.start()
        if not _DENIAL.search(plain[max(0, start - _BEFORE_CHARS) : start]):
            return match[0]
    return ""


class Problem(StrEnum):
    """Kinds of problem, most serious first; if a text names several, the first one counts."""

    STRUCTURE = "structure"
    MECHANISM = "mechanism"
    DELIVERY = "delivery"
    DIMENSIONS = "dimensions"
    CUSHIONS = "cushions"
    ASSEMBLY = "assembly"
    FABRIC = "fabric"
    SMELL = "smell"
    UNKNOWN = "unknown"


class Component(StrEnum):
    """Parts of a piece of furniture that have a guarantee of their own."""

    STRUCTURE = "structure"
    MECHANISM = "mechanism"
    FABRIC = "fabric"
    CUSHIONS = "cushions"


class Severity(StrEnum):
    """Severities, most serious first, as for ``Problem``."""

    DANGER = "danger"
    UNUSABLE = "unusable"
    HINDRANCE = "hindrance"
    SLIGHT = "slight"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence required for a problem. ``showing``: subject of the pictures, in French."""

    photos: int
    videos: int = 0
    showing: str = ""


EVIDENCE: dict[Problem, Evidence] = {
    Problem.STRUCTURE: Evidence(3, 1),
    Problem.MECHANISM: Evidence(2, 1),
    Problem.FABRIC: Evidence(3),
    Problem.CUSHIONS: Evidence(2),
    Problem.DELIVERY: Evidence(
        4, showing="le dommage, l'emballage, l'étiquette, le bon de livraison"
    ),
    Problem.DIMENSIONS: Evidence(3, showing="le mètre, lisible"),
}
_OTHER_EVIDENCE = Evidence(2)

_STATE = r"(?:e|ee|es|ees|er|ent|ant)?"

#: Names of a part or an event that determine the problem by themselves.
_NAMED: dict[Problem, re.Pattern[str]] = {
    Problem.STRUCTURE: whole_words(
        r"structures?|cadres?|chassis|armatures?|ossatures?|charpentes?|traverses?|longerons?",
        r"(?<!repose[- ])(?<!a )(?<!au )pieds?|lattes?|sommiers?|accoudoirs?|bancal(?:e|es|s)?",
        rf"effondr{_STATE}|effondrements?|ecroul{_STATE}|fissur{_STATE}|fissures?",
    ),
    Problem.MECHANISM: whole_words(
        r"mecanismes?|mecaniques?|moteurs?|motorisation|verins?|charnieres?|tiroirs?|glissieres?",
        r"coulisses?|coulissante?s?|telecommandes?|repose[- ]pieds?|electriques?",
        r"(?:se )?(?:de|re)pli(?:e|ent|er)",
    ),
    Problem.DELIVERY: whole_words(
        r"(?<!depuis la )(?<!apres la )livraisons?|livreurs?|transporteurs?|transport|colis",
        r"cartons?|emballages?|bon de livraison",
        r"(?:recue?s?|arrivee?s?|livree?s?) (?:abime|casse|endommage|brise|raye)(?:e|s|es)?",
    ),
    Problem.DIMENSIONS: whole_words(
        r"dimensions?|(?<!sur )mesures|tailles?",
        r"trop (?:grand|petit|large|haut|long|etroit|profond|bas)(?:e|s|es|ue|ues|sse|sses)?",
        r"ne (?:passe|rentre|tient|loge)(?:nt)? pas (?:par|dans|entre|sous)",
    ),
    Problem.CUSHIONS: whole_words(
        r"coussins?|assises?|mousses?|garnissages?|rembourrages?|matelassures?"
    ),
    Problem.ASSEMBLY: whole_words(
        r"montages?|(?<!fait )monter|assembl(?:er|age)|notices?|visseries?|vis|percages?",
        r"pieces? manquantes?|manque (?:une|des|deux|trois) (?:pieces?|vis)",
    ),
    Problem.FABRIC: whole_words(
        r"tissus?|revetements?|similicuir|simili|housses?|coutures?|bouloch(?:e|es|ent|age)",
        rf"decolor{_STATE}|decolorations?|fils? tires?",
    ),
    Problem.SMELL: whole_words(r"odeurs?|sent(?:ent)? (?:mauvais|fort)|pue(?:nt)?|emanations?"),
}
#: Words that may just describe the product, or follow from another problem: used if none of the
#: above matches. "Mon canapé convertible en cuir a un pied cassé" concerns the structure.
_HINTED: dict[Problem, re.Pattern[str]] = {
    Problem.MECHANISM: whole_words(r"convertibles?|canapes?[- ]lits?|clic[- ]clac|bz|relax"),
    Problem.CUSHIONS: whole_words(rf"affaiss{_STATE}|affaissements?|tass(?:e|ee|es|ees)"),
    Problem.FABRIC: whole_words(
        r"cuirs?|velours|accrocs?|taches?|tach(?:e|ee|es|ees)|dechir(?:e|ee|es|ees|ures?)"
    ),
    Problem.DELIVERY: whole_words(r"livr(?:e|ee|es|ees)"),
}

#: Danger: injury, fire, electricity, or a structure giving way.
#: Source: the shop's rules ("blessé", "effondré", "prend feu"…); the four other languages of
#: the shop say the same.
_DANGER = whole_words(
    rf"bless{_STATE}|blessures?|saign{_STATE}|fractur(?:e|ee|es)|commotion|hopital|urgences",
    r"pompiers?|samu|(?:me suis|s'est|m'a|l'a|lui a) (?:coupee?|brulee?|ecrasee?|coincee?)",
    rf"dangers?|dangereu(?:x|se|ses)|effondr{_STATE}|effondrements?|ecroul{_STATE}|ecroulements?",
    r"(?:a|ont|vient de|viennent de) (?:cede|ceder)|(?:pris?|prend|prennent|en|au|mis le) feu",
    r"incendies?|flammes?|fumees?|fume|etincelles?|court[- ]circuits?|electrocut(?:e|ee|es|ion)",
    r"basculee? sur|tombee?s? sur (?:moi|ma|mon|mes|le pied|la tete|un|une|notre|elle|lui)",
    r"injur(?:ed|y|ies)|hurt|bleeding|danger(?:ous)?|collapsed?|collapsing|(?:on|caught) fire",
    r"verletzt|verletzung|gefahrlich|gefahr|feuer|brennt|zusammengebrochen|eingesturzt",
    r"ferit[oaie]|pericol(?:o|osa|oso)|crollat[oaie]|preso fuoco|va a fuoco|incendio",
    r"(?:ال)?(?:اصابه|اصابة|اصبت|حريق|جرح|جرحت|خطر|خطير|انهار|انهارت)",
)
_SEVERE: dict[Severity, re.Pattern[str]] = {
    Severity.UNUSABLE: whole_words(
        r"inutilisables?|hors[- ]service|en panne|impossible (?:de|d')|ne peu(?:x|t) plus",
        r"n(?:e |')(?:se |s')?(?:marche|fonctionne|tient|ouvre|ferme|deplie|replie)(?:nt)?"
        r" (?:plus|pas)",
        r"cass(?:e|ee|es|ees)|bris(?:e|ee|es|ees)|romp(?:u|ue|us|ues)|bloqu(?:e|ee|es|ees)",
        r"arrach(?:e|ee|es|ees)|unusable|broken|kaputt|rott[oaie]",
    ),
    Severity.HINDRANCE: whole_words(
        r"gen(?:e|ee|es|ent|ant|ante|ants)|grinc(?:e|ent|ement|ements)|bancal(?:e|es|s)?|bruits?",
        r"inconfort(?:able|ables)?|desagreables?|difficile(?:ment|s)?|penibles?|mal au dos",
    ),
}
_QUIET = (Severity.UNUSABLE, Severity.HINDRANCE)


def danger_in(text: str) -> str:
    """Return the first word of danger, folded, or "".

    Denied words count: "personne n'est blessé" is mostly said about furniture that gave way, and a
    needless check by an adviser costs less than a late one.
    """
    match = _DANGER.search(folded(text))
    return match[0] if match else ""


def problem_in(text: str) -> Problem:
    """Return the most serious problem that the text names, else that it hints at."""
    plain = folded(text)
    for table in (_NAMED, _HINTED):
        for problem in Problem:
            if problem in table and affirmed(table[problem], plain):
                return problem
    return Problem.UNKNOWN


def components_in(text: str) -> tuple[Component, ...]:
    """Return the components that the text names, in the order of ``Component``; () if none."""
    plain = folded(text)
    for table in (_NAMED, _HINTED):
        found = tuple(
            part
            for part in Component
            if (pattern := table.get(Problem(part))) and affirmed(pattern, plain)
        )
        if found:
            return found
    return ()


def severity_in(text: str) -> Severity:
    """Return the severity according to the text; ``SLIGHT`` by default."""
    if danger_in(text):
        return Severity.DANGER
    plain = folded(text)
    return next((grade for grade in _QUIET if affirmed(_SEVERE[grade], plain)), Severity.SLIGHT)


def evidence_for(problem: Problem) -> Evidence:
    """Return the photos and videos required for a problem."""
    return EVIDENCE.get(problem, _OTHER_EVIDENCE)
