"""Text: Unicode normal forms in linear time, folding tables, language detection. Pure.

Language detection chooses among the shop's five languages for short messages: it scores the most
frequent words, and typical spellings of unknown words. Refused: py3langid, which needs 0.6 s and
120 MB for each process and classifies "Hello" as Italian.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Literal, TypeVar

#: Chunk size. A letter and its accent are not composed across a chunk boundary.
CHUNK_CHARS = 256
#: Maximum growth factor. Rare characters expand to 18 ("ﷺ"); none that we search for exceeds 4.
GROWTH = 4
#: Maximum number of cached characters of one table; Unicode has a million.
MAX_KNOWN_SIGNS = 4_000

Folded = TypeVar("Folded", bound=str | int | None)


class FoldingTable(dict[int, Folded]):
    """Table for ``str.translate`` that caches a pure function ``fold`` of the code point."""

    def __init__(self, fold: Callable[[int], Folded]) -> None:
        super().__init__()
        self._fold = fold

    def __missing__(self, code: int) -> Folded:
        folded = self._fold(code)
        if len(self) < MAX_KNOWN_SIGNS:
            self[code] = folded
        return folded


def normalized(form: Literal["NFD", "NFKC", "NFKD"], text: str) -> str:
    """Return the normal form of a text, chunk by chunk, truncated to ``GROWTH`` times its length.

    CPython sorts the combining marks of a run by insertion sort: 20,000 unsorted ones take 0.3 s.
    """
    if text.isascii():
        return text
    chunks = (text[at : at + CHUNK_CHARS] for at in range(0, len(text), CHUNK_CHARS))
    return "".join(unicodedata.normalize(form, chunk)[: GROWTH * CHUNK_CHARS] for chunk in chunks)


DEFAULT = "fr"
LANGUAGES = ("fr", "en", "de", "it", "ar")

#: Characters that are examined; more do not change the result.
_ENOUGH_CHARS = 400
_WORD = re.compile(r"[a-zà-öø-ÿœß]+")
_ARABIC = re.compile(r"[\u0621-\u064a\u0671-\u06d3]")
_LATIN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ]")

_WORDS = {
    "fr": """
        bonjour bonsoir salut coucou merci oui non ok svp stp bien bonne bon voir
        je tu il elle on nous vous ils elles me te se moi toi lui leur y
        le la les un une des du de au aux l d j m t s n c qu
        ce cet cette ces mon ma mes ton ta tes son sa ses notre nos votre vos
        et ou mais donc car ni que qui quoi dont où quand comment combien pourquoi quel quelle quels
        quelles si ne pas plus moins très trop aussi encore déjà toujours jamais ici
        dans sur sous avec sans pour par chez vers entre depuis avant après en à
        suis es est sommes êtes sont être ai as avons avez ont avoir était été
        a eu pris mis dit vu reçu feu
        peux peut pouvez puis voudrais veux voulez cherche aimerais faut fait faire
        ça cela rien tout tous toute toutes quelque autre même
        canapé canapés fauteuil table tables chaise chaises lit matelas armoire meuble bureau
        tissu cuir bois livraison livrer livrez prix commande garantie retour magasin panne cassé
        problème colis appelle nom personnes places
    """,
    "en": """
        hello hi hey thanks thank yes no ok please sorry good morning evening goodbye bye
        i you he she it we they me him her us them my your his its our their
        the a an this that these those
        and or but so because if then than as of to in on at by for with from without about into
        is are am was were be been being have has had do does did can could will would should may
        might not don didn doesn isn aren won ll ve re m s t
        what which who whom whose where when why how
        need want like looking look buy order ordered get got know tell show help make
        much many more most some any all very too also only just still here there now
        sofa couch chair chairs table bed mattress wardrobe furniture delivery deliver price
        warranty return leather wood broken late shop store name people
    """,
    "de": """
        hallo guten gute tag morgen abend servus moin danke bitte ja nein ok tschüss entschuldigung
        ich du er sie es wir ihr mich mir dich dir ihn ihm ihnen uns euch mein meine meinen dein
        ihre der die das den dem des ein eine einen einem einer eines kein keine keinen
        und oder aber denn weil wenn dass ob als wie so auch noch schon nur sehr mehr
        in im an am auf mit ohne für von vom zu zum zur bei nach aus über unter bis seit um
        ist sind bin bist war waren sein habe hast hat haben hatte wird werden wurde kann können
        möchte will wollen soll muss gibt geht machen suche brauche kaufen bestellt bestellen
        nicht was wer wo wann warum welche welcher welches wieviel viel kosten kostet
        sofa tisch stuhl stühle bett schrank möbel lieferung liefern preis garantie leder holz
        bestellung kaputt heiße heißt
    """,
    "it": """
        ciao buongiorno buonasera salve grazie sì si no ok prego scusi arrivederci
        io tu lui lei noi voi loro mi ti ci vi lo la li gli le ne
        il i un uno una del dello della dei degli delle al allo alla ai agli alle dal dalla nel
        nella sul sulla con per tra fra di a da in su
        e o ma se che chi cui quale quali quando come dove perché quanto quanti quanta
        non più meno molto troppo anche ancora già sempre mai qui
        è sono sei siamo siete ho hai ha abbiamo avete hanno essere avere era stato stata
        vorrei voglio posso può potete cerco cerca fare fatto mio mia miei tuo suo vostro vostra
        questo questa quello quella tutto tutti
        divano divani poltrona sedia sedie tavolo tavoli letto materasso armadio mobili pelle legno
        consegna prezzo costa ordine garanzia negozio rotto bisogno chiamo nome
    """,
}

#: Spellings typical of one language and rare in the other three; each scores half a word.
_SPELLINGS = {
    "fr": re.compile(r"[çêâûœëïé]|eau|\bqu|(?:aux|eux|ois|oir|ait|tion|ement|ez|elle)\b"),
    "en": re.compile(r"th|w|ght|sh|oo|\bkn|(?:ing|ed|ck|ly|ness|ey)\b"),
    "de": re.compile(r"[äöüß]|sch|lich|keit|ei|cht|tz|ck|pf|\bge|(?:ung|en)\b"),
    "it": re.compile(r"[ìò]|zion|gli|cch|ità|[bcdfglmnprstvz][io]\b|(?:tt|ss)[ae]\b"),
}


def _weights() -> dict[str, dict[str, float]]:
    """Return the score of each word per language: one point, divided among its languages."""
    holders: dict[str, list[str]] = {}
    for language, words in _WORDS.items():
        for word in set(words.split()):
            holders.setdefault(word, []).append(language)
    return {word: dict.fromkeys(of, 1 / len(of)) for word, of in holders.items()}


_WEIGHTS = _weights()


def language_of(text: str) -> str:
    """Return "fr", "en", "de", "it" or "ar"; "fr" for a tie or when no word is known.

    Ambiguous text ("sofa", "ok", "123") counts as French, the language of most customers.
    """
    start = text[:_ENOUGH_CHARS].lower()
    if len(_ARABIC.findall(start)) > len(_LATIN.findall(start)):
        return "ar"
    scores = dict.fromkeys(LANGUAGES, 0.0)
    for word in _WORD.findall(start):
        known = _WEIGHTS.get(word)
        if known is None:
            known = {name: 0.5 for name, sign in _SPELLINGS.items() if sign.search(word)}
        for language, weight in known.items():
            scores[language] += weight
    best = max(scores.values())
    winners = [language for language in LANGUAGES if scores[language] == best]
    return winners[0] if len(winners) == 1 else DEFAULT


#: Fewer words tell too little to change what is known of the customer's language.
_TELLING_WORDS = 3


def tells_language(text: str) -> bool:
    """Return whether a text has enough words to change the language of its conversation."""
    return len(text.split(None, _TELLING_WORDS)) >= _TELLING_WORDS
