"""French word normalisation for the catalogue search: folding, stems, synonyms. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import snowballstemmer

from chat.core.text import normalized

#: Characters without a Unicode decomposition.
_UNFOLDING = str.maketrans({"’": "'", "œ": "oe", "æ": "ae", "ø": "o", "ß": "ss"})
_WORD = re.compile(r"[a-z0-9]+")

#: Folded words of a request that do not describe a product.
STOP_WORDS = frozenset(
    re.findall(
        r"\S+",
        """
        a ai aimerais aimerait ainsi alors article articles as au aurais aussi autour aux
        avec avez avoir avons beau belle besoin bien bonjour bonsoir budget c ca ce cela ces
        cet cette chaque cherche cherchons chez cm coloris combien comme comment compte
        conseil conseillez convive convives couchage couleur couleurs cout coute coutent
        couvert couverts d dans de des dimension dimensions disponible disponibles dispose
        disposez donc du elle en encore entre environ est et etait etre eu eur euro euros
        existe faire faut genre hello il ils j je joli jolie l la le les leur leurs lui m ma
        mais maxi maximum me meilleur meme merci mes mesurant metre metres mettre meuble meubles
        mien mini minimum mm modele modeles moi mon montre montrez n ne nom non nos notre
        nous of on ont ou oui par pas personne personnes peu peut peux place places plait
        plus pour pourquoi pourriez pouvez prefere preference prix produit produits propose
        proposer proposez qu quand que quel quelle quelles quels qui quoi s sa salut sans se
        ses si sois soit son sont souhaite suis sur svp t ta taille te tes the ton toujours
        tous tout toute toutes tres trouve trouver tu type un une va vais vendez vends vers
        veux voir vont vos votre voudrais voulons vous y
        """,
    )
)

#: Customers' words (left) and the catalogue's words (right), all folded. A phrase of several words
#: requires all of them.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "sofa": ("canape",),
    "divan": ("canape",),
    "couch": ("canape",),
    "canap": ("canape",),
    "clic": ("convertible",),
    "clac": ("convertible",),
    "bz": ("convertible",),
    "dressing": ("armoire",),
    "penderie": ("armoire",),
    "garde": ("armoire",),
    "robe": ("armoire",),
    "carpette": ("tapis",),
    "moquette": ("tapis",),
    "luminaire": ("lampe", "lampadaire", "suspension", "applique"),
    "eclairage": ("lampe", "lampadaire", "suspension", "applique"),
    "abat": ("lampe", "lampadaire"),
    "glace": ("miroir",),
    "tele": ("tv",),
    "television": ("tv",),
    "bibliotheque": ("bibliotheque", "etagere"),
    "rayonnage": ("etagere", "bibliotheque"),
    "rallonge": ("rallonge", "extensible"),
    "extensible": ("extensible", "rallonge"),
    "electrique": ("electrique", "relaxation"),
    "relax": ("relaxation",),
    "repose": ("pouf",),
    "sommier": ("sommier", "lattes"),
    "vaisselier": ("vaisselier", "buffet"),
    "enfilade": ("buffet", "enfilade"),
    "bahut": ("buffet",),
    "secretaire": ("bureau",),
    "cadre": ("tableau", "cadre"),
    "affiche": ("tableau",),
    "peinture": ("tableau",),
    "pendule": ("horloge",),
    "plaid": ("plaid",),
    "voilage": ("rideau",),
}

#: General terms (right) that also cover a material (left): a search for wood finds oak.
_KINDS_OF_MATERIAL = {
    kind: frozenset(re.findall(r"\S+", members))
    for kind, members in (
        ("bois", "chene hetre noyer pin acacia teck manguier frene bouleau rotin bambou"),
        ("metal", "acier laiton fer aluminium fonte"),
        ("tissu", "velours lin coton bouclette laine polyester chenille microfibre"),
        ("pierre", "marbre travertin ceramique terrazzo"),
    )
}


def folded(text: str) -> str:
    """Fold a text to lower case without accents: "Canapé d’angle" becomes "canape d'angle"."""
    decomposed = normalized("NFKD", text.lower().translate(_UNFOLDING))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def words_of(text: str) -> list[str]:
    """Return the folded words and numbers of a text, in order."""
    return _WORD.findall(folded(text))


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """Return the common stem of a folded word, its plural and its feminine: "chais"."""
    # A stemmer holds the word as state, so threads must not share one. Creating one takes 2 µs.
    return str(snowballstemmer.stemmer("french").stemWord(word))


def alternatives(word: str) -> tuple[str, ...]:
    """Return the folded synonyms of a word in the catalogue, including the word itself."""
    known = SYNONYMS.get(word) or SYNONYMS.get(word.rstrip("sx"))
    return tuple(dict.fromkeys((*known, word))) if known else (word,)


def kinds_of_material(materials: Iterable[str]) -> list[str]:
    """Return the general terms of materials: "bois" for "Chêne massif"."""
    said = {word for material in materials for word in words_of(material)}
    return [kind for kind, members in _KINDS_OF_MATERIAL.items() if said.intersection(members)]


def distance(left: str, right: str, limit: int) -> int:
    """Return the edit distance with swaps (Damerau-Levenshtein), at most ``limit + 1``."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, letter in enumerate(left, 1):
        before, last, row = row, before, [i]
        for j, other in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if last and j > 1 and letter == right[j - 2] and left[i - 2] == other:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]


def nearest_word(word: str, vocabulary: Iterable[str]) -> str:
    """Return the closest word, or "": one edit is allowed from 4 letters, two from 8."""
    limit = 0 if len(word) < 4 else 1 if len(word) < 8 else 2
    if not limit:
        return ""
    scored = [(distance(word, known, limit), known) for known in vocabulary if len(known) > 2]
    best = min(scored, default=(limit + 1, ""))
    return best[1] if best[0] <= limit else ""
