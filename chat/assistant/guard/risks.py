"""Risks in a growing sentence: where a commitment of the shop may begin, and recited instructions.

Pure. It runs for every token of every answer, so each word is looked up when it comes and once more
when it is complete, and expressions are only searched for around what could begin them. Long runs
of the secret instructions are found word by word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from chat.assistant.guard.claims import ALONE, PRICED, WORDS
from chat.assistant.guard.visible_text import letters, plain_signs

#: So many words in a row that stand so in the secret begin a run.
_RUN_WORDS = 4
#: A run of so many words is told; or a shorter one that is nearly all of its sentence.
LEAK_WORDS = 8
_ALMOST_ALL = 0.7
#: So many letters in a row, whatever stands between them, are a run as well.
WINDOW = 32
WORD = re.compile(r"[^\W_]+")
#: Nothing that a shop says has so long a word: base64, hexadecimal.
MAX_WORD_CHARS = 48


class Secret:
    """``text``: what must not be told, such as the instructions."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._runs: set[tuple[str, ...]] = set()
        self._windows: set[str] = set()
        for text in texts:
            words = WORD.findall(plain_signs(text))
            ends = range(_RUN_WORDS, len(words) + 1)
            self._runs.update(tuple(words[end - _RUN_WORDS : end]) for end in ends)
            plain = letters(text)
            self._windows.update(plain[at : at + WINDOW] for at in range(len(plain) - WINDOW + 1))

    def is_in(self, sentence: str) -> bool:
        """Whether a long run of its letters is there, however they are set apart or written."""
        plain = letters(sentence) if self._windows else ""
        return any(
            plain[at : at + WINDOW] in self._windows for at in range(len(plain) - WINDOW + 1)
        )

    def reader(self) -> Reader:
        return Reader(self._runs)


class Reader:
    """Reads one sentence as it grows. Positions count signs of the plain text."""

    def __init__(self, runs: set[tuple[str, ...]]) -> None:
        self._runs = runs
        self._words: list[str] = []
        self._starts: list[int] = []
        self._read = 0
        self._run = 0  # words of the run that goes on
        self._longest = 0
        self._leak_from: int | None = None

    def read(self, plain: str, *, to_end: bool = False) -> None:
        """Take the words that are complete by now."""
        if not self._runs:
            return
        for match in WORD.finditer(plain, self._read):
            if match.end() == len(plain) and not to_end:
                self._read = match.start()
                return
            self._words.append(match.group())
            self._starts.append(match.start())
            last = tuple(self._words[-_RUN_WORDS:])
            if last in self._runs:
                self._run = self._run + 1 if self._run else _RUN_WORDS
                self._longest = max(self._longest, self._run)
                if self._run == LEAK_WORDS and self._leak_from is None:
                    self._leak_from = self._starts[-self._run]
            else:
                self._run = 0
        self._read = len(plain)

    @property
    def held_from(self) -> int | None:
        """Where a run begins that the sentence may still be in, or that is a leak; else None."""
        if self._leak_from is not None:
            return self._leak_from
        return self._starts[-self._run] if self._run else None

    @property
    def is_leak(self) -> bool:
        if self._longest >= LEAK_WORDS:
            return True
        return self._longest >= _RUN_WORDS and self._longest >= _ALMOST_ALL * len(self._words)


#: From a word that begins like this on, the rest of its sentence waits for its end.
_ROOTS = (
    *("garan", "livr", "stock", "dispon", "rembours", "offert", "offr", "remis", "reduc", "avoir"),
    *("promo", "rabais", "gratui", "delai", "rupture", "ticket", "dossier", "demande", "rappel"),
    *("reclam", "courriel", "mail", "e-mail", "email", "cree", "ouvert", "enregistr", "transm"),
    *("envo", "dedommag", "indemn", "echang", "remplac", "geste", "achat", "accord", "ristourne"),
    *("demain", "apres-demain", "aujourd", "soir", "epuise", "indispo", "reste", "recontact"),
    *("contact", "rendez", "rdv", "retour", "appel", "ecri", "commande", "planif", "program"),
    *("solde", "signal", "conseiller", "equipe", "manager", "technicien", "virement", "paiement"),
    *("message", "sms", "reserv", "annul", "modifi", "confirm", "valide", "regle", "fait"),
    *("prochain", "numero", "cadeau", "gracieux", "euro", "eur", "balles", "dollar", "pound"),
    *("refund", "reimburs", "compens"),
    *("warrant", "guarantee", "deliver", "free", "tomorrow", "today", "tonight", "next", "sold"),
    *("case", "code", "voucher", "available", "unavailable", "left", "exemplaire", "piece", "call"),
    *("replace", "grant", "lifetime", "life", "sent", "created", "opened", "booked", "schedul"),
    *("register", "submit", "done", "order", "request", "complaint", "appoint", "you'll"),
    *("kostenlos", "erstatt", "liefer", "lager", "garanz", "rimbors", "gratis", "consegn"),
    *("morgen", "domani", "ausverkauft", "esaurit", "anfrage", "richiesta"),
    *("erstellt", "gesendet", "inviat", "creat", "rabatt", "sconto", "inform", "will", "pret"),
    *("effectu", "prevenu", "averti", "depos", "applique", "annee", "mois", "semaine", "jour"),
    *("month", "week", "day", "year", "jahr", "anni", "anno", "monat", "woche", "tage", "settiman"),
    *("janvier", "fevrier", "avril", "juin", "juillet", "aout", "septembre", "octobre"),
    *("novembre", "decembre", "january", "february", "april", "july", "august", "september"),
    *("october", "november", "december", "http", "www", "sav"),
    *("advis", "transfer", "send", "write", "filed", "applied", "give"),
)
#: The same, as whole words.
_WHOLE = ("vie", "an", "ans", "mars", "mai", "march", "june", "may", "heure", "heures", "hours")
#: Units that are too short, or too common, to be risky but behind "un" or "one".
_UNITS = ("h", "j", "hour", "stunde", "stunden", "ore", "tag", "tagen", "giorni", "mese", "mesi")


def _by_start(roots: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    starts = {root[:2] for root in roots}
    return {start: tuple(r for r in roots if r.startswith(start)) for start in starts}


_BY_START = _by_start(_ROOTS)
_MEANS = {
    **dict.fromkeys(_WHOLE, "risk"),
    **dict.fromkeys(_UNITS, "unit"),
    **dict.fromkeys(WORDS, "number"),
    **dict.fromkeys(ALONE, "article"),
}
#: How a word begins that nothing follows yet, and that may still become one of these.
_BEGINNINGS = frozenset(
    word[:size] for word in (*_ROOTS, *_MEANS) for size in range(1, len(word) + 1)
)
_HYPHENED = frozenset(word for word in _BEGINNINGS if "-" in word)
#: Of those beginnings, what is a word of its own in nearly every sentence.
_COMMON = frozenset(
    (
        *("le", "la", "de", "en", "ce", "se", "si", "ma", "au", "me", "te", "on", "ou", "où"),
        *("à", "a", "mon", "moi", "we", "you", "i", "in", "of", "for", "do", "to", "can", "my"),
        *("so", "no"),
    )
)
_SIGNS = re.compile(
    r"[€$£%&<\[|]|\d ?[/.-] ?\d|يورو|ضمان|توصيل|مجان|استرداد|://|\w\.\w"
    rf"|\b[a-z]+[\d@]+[a-z]|[^\s]{{{MAX_WORD_CHARS}}}"
)
#: One of these stands in all that ``_SIGNS`` finds, but for what is too long for a word.
_SIGN = re.compile(r"[€$£%&<\[|\d/.@\u0600-\u06ff]")
_LOOK_BACK = 8
_APART = re.compile(r"(?<!\w)[a-z](?:[ .·-]{1,4}[a-z](?!\w)){3}")
_APART_LETTERS = 4
_WORD = re.compile(r"\w+")
_DIGIT = re.compile(r"\d")
#: What a number says may stand so far behind it; after that it is only a size.
_NUMBER_CHARS = 32
_PRICE_WORD = re.compile(PRICED)
#: Said of a price, a number needs no unit to commit.
#: Longer than all that stands before the number in what this finds.
_PRICED_CHARS = 64
_PRICED_NUMBER = re.compile(rf"{PRICED}\b[^.\d\n]{{0,25}}?(\d|\b(?:{'|'.join(WORDS)})\b)")


class Risks:
    """Reads one sentence as it grows. Positions count signs of the plain text."""

    def __init__(self) -> None:
        #: Where the first risk begins; what follows does not move it.
        self.at: int | None = None
        self._word_at = 0  # where the word begins that nothing follows yet
        self._spaced_at = 0  # behind the last space
        self._numbers: list[tuple[int, int]] = []  # where each begins and ends
        self._article_at: int | None = None  # "un", when it is the last complete word
        self._price_at: int | None = None
        self._letters: list[int] = []  # where the last ones begin that stand alone, in a row

    def read(self, plain: str, *, to_end: bool = False) -> None:
        """Look at what is new in the sentence; at its end its last word is complete."""
        if self.at is not None:
            return
        sign = self._sign(plain)
        size = len(plain)
        until = size if sign is None else sign
        is_last_whole = to_end or sign is not None
        word_at = until
        for match in _WORD.finditer(plain, self._word_at, until):
            start, end = match.span()
            is_whole = is_last_whole or (
                end < size and not (plain[end] == "-" and plain[start:] in _HYPHENED)
            )
            self.at = self._risk(plain, match.group(), start, is_whole=is_whole)
            if self.at is not None:
                return
            if not is_whole:
                word_at = start
        self._word_at = word_at
        self.at = sign

    def held_from(self, plain: str, piece: str = "") -> int:
        """Return from where on the sentence must wait for what follows.

        ``piece``: what came last of it, as written.
        """
        held = end = len(plain) if self.at is None else self.at
        may_be_risk = True  # what stands, or will stand, behind the last complete word
        if self.at is None and self._word_at < end:
            word = plain[self._word_at :]
            may_be_risk = word in _BEGINNINGS and not _is_common(piece, plain)
            if may_be_risk or len(word) >= MAX_WORD_CHARS // 2:
                held = self._word_at
        if self._article_at is not None and may_be_risk:
            held = min(held, self._article_at)
        for start, stop in self._numbers:
            if stop > end - _NUMBER_CHARS:
                return min(held, start)
        return held

    def _sign(self, plain: str) -> int | None:
        """Where a sign or an expression begins that is risky in any word."""
        spaced_at = self._spaced_at
        space = plain.rfind(" ", spaced_at)
        if space >= 0:
            self._spaced_at = space + 1
        if len(plain) - spaced_at < MAX_WORD_CHARS and not _SIGN.search(plain, spaced_at):
            return None
        match = _SIGNS.search(plain, max(0, spaced_at - _LOOK_BACK))
        return match.start() if match else None

    def _risk(self, plain: str, word: str, start: int, *, is_whole: bool) -> int | None:
        """Where the risk begins that this word makes, if it makes one."""
        roots = _BY_START.get(plain[start : start + 2])
        if roots and plain.startswith(roots, start):
            return start
        end = start + len(word)
        if not word.isalpha() and (digit := _DIGIT.search(plain, start, end)):
            return self._number(plain, digit.start(), end, end)
        return self._whole(plain, word, start) if is_whole else None

    def _whole(self, plain: str, word: str, start: int) -> int | None:
        """Where the risk begins that a complete word makes."""
        means, article_at = _MEANS.get(word), self._article_at
        if means == "risk" or (means == "unit" and article_at is not None):
            return start
        self._article_at = start if means == "article" else None
        if len(word) == 1:
            return self._apart(plain, start)
        self._letters.clear()
        if means == "number":
            return self._number(plain, start, start + 1, start + len(word))
        if means is None and self._price_at is None and _PRICE_WORD.fullmatch(word):
            self._price_at = start
        return None

    def _number(self, plain: str, start: int, stop: int, end: int) -> int | None:
        """Note a number; where it stands if a word like "prix" makes it a price."""
        if self._numbers and self._numbers[-1][0] == start:
            del self._numbers[-1]  # now it is longer
        while self._numbers and self._numbers[0][1] <= start - _NUMBER_CHARS:
            del self._numbers[0]  # only a size: what is read next stands further on
        self._numbers.append((start, stop))
        if self._price_at is None:
            return None
        priced_at = max(self._price_at, start - _PRICED_CHARS)
        priced = _PRICED_NUMBER.search(plain, priced_at, end)
        return priced.start(1) if priced else None

    def _apart(self, plain: str, start: int) -> int | None:
        """Where letters that stand alone begin, if they are so many that they may be a word."""
        self._letters = [*self._letters[1 - _APART_LETTERS :], start]
        if len(self._letters) < _APART_LETTERS:
            return None
        match = _APART.match(plain, self._letters[0], start + 1)
        return match.start() if match else None


def _is_common(piece: str, plain: str) -> bool:
    """Whether the piece is one common word, which came whole."""
    is_first = len(piece) == len(plain) and (len(piece) > 1 or not piece.isascii())
    return (is_first or piece[:1].isspace()) and piece.strip().lower() in _COMMON
