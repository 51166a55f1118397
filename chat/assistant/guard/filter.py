"""Between the model and the customer: sentences that commit the shop to what nobody looked up
do not pass. Pure; holds back as little as it can.
"""

from __future__ import annotations

import re
from collections import Counter

from chat.assistant.guard.claims import COMMITS, PRICED, PRICES, REDUCES, Claim, Kind, folded
from chat.assistant.guard.facts import Facts
from chat.assistant.guard.folding import plain_signs, sizes
from chat.assistant.guard.leaks import MAX_WORD_CHARS, Secret
from chat.assistant.guard.numerals import WORDS
from chat.assistant.guard.wording import by_sheet, instead_of

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
)
#: The same, as whole words.
_WHOLE = ("vie", "an", "ans", "mars", "mai", "march", "june", "may", "heure", "heures", "hours")
_RISK = re.compile(
    rf"[€$£%&<\[|]|\d ?[/.-] ?\d|\b(?:{'|'.join(_ROOTS)}|(?:{'|'.join(_WHOLE)})\b)"
    r"|يورو|ضمان|توصيل|مجان|استرداد|://|\w\.\w|(?<!\w)[a-z](?:[ .·-]{1,4}[a-z](?!\w)){3}"
    rf"|\b[a-z]+[\d@]+[a-z]|[^\s]{{{MAX_WORD_CHARS}}}"
)
#: What a number says may stand so far behind it; after that it is only a size.
_NUMBER_CHARS = 32
_NUMBER = re.compile(rf"\d|\b(?:{'|'.join(WORDS)}|une?|one)\b")
#: Said of a price, a number needs no unit to commit.
_PRICED_NUMBER = re.compile(rf"{PRICED}\b[^.\d\n]{{0,25}}?(\d|\b(?:{'|'.join(WORDS)})\b)")
_PRICE_WORD = re.compile(rf"\b{PRICED}")
#: How a word begins that nothing follows yet, and that may still become one of these.
_BEGINNINGS = frozenset(
    word[:size] for word in (*_ROOTS, *_WHOLE, *WORDS) for size in range(1, len(word) + 1)
)
_OBSCURE = re.compile(rf"[A-Za-z0-9+/=_-]{{{MAX_WORD_CHARS},}}")
#: A sentence ends here; a dot within a number or behind an initial is none.
_END = re.compile(r"(?:[!?…]|(?<!\s)(?<!\b[A-Z])\.)[\"»”)*_]{0,4}(?=\s)|\n")
_LOOK_BACK = 8
#: A sentence longer than this is judged where it stands.
MAX_HELD_CHARS = 600
#: What the line after it completes: a heading, an item, the head of a table.
_OPENS = re.compile(r":[*_ ]*\n?\Z|\A\s*(?:[-*•|#]|\d+[.)]).*\n?\Z", re.DOTALL)
_SHORT_CHARS = 60

#: Which one is named when several are missing: the gravest.
_GRAVITY = (
    *(Kind.LEAK, Kind.LINK, Kind.DONE, Kind.PROMISE, Kind.AMOUNT, Kind.STOCK),
    *(Kind.DURATION, Kind.DATE, Kind.PERCENT),
)


class Guard:
    """Feed it the answer piece by piece; what it returns may be shown."""

    def __init__(self, facts: Facts, *, language: str = "fr", secret: Secret | None = None) -> None:
        self.facts = facts
        #: How many sentences were replaced, by what they claimed.
        self.replaced: Counter[Kind] = Counter()
        self._language = language
        self._secret = secret or Secret()
        self._context = ""  # what the line before leaves open
        self._drops = False  # the rest of a sentence too long to be held, replaced already
        self._begin("")

    def _begin(self, sentence: str) -> None:
        self._sentence = ""  # the one under way, as the model wrote it
        self._plain = ""  # the same, folded sign by sign
        self._uneven: list[int] | None = None  # where each folded sign comes from
        self._shown = 0  # so much of it was shown
        self._risk_at: int | None = None  # in the folded one
        self._searched = 0
        self._price_at: int | None = None
        self._held_at: int | None = None  # in the sentence as written
        self._reader = self._secret.reader()
        if sentence:
            self._take(sentence)

    def feed(self, piece: str) -> str:
        """Take more of the answer and return what can be shown by now."""
        seen = max(0, len(self._sentence) - _LOOK_BACK)
        self._take(piece)
        out = ""
        while end := self._end(seen):
            following = self._sentence[end:]
            if following:
                sentence, shown = self._sentence[:end], self._shown
                self._begin(sentence)
                self._shown = shown
            replaced = self.replaced.total()
            out += self._judged()
            is_long = self._sentence[-1:] not in "\n" and not _END.search(f"{self._sentence} ")
            self._drops = is_long and (self._drops or self.replaced.total() > replaced)
            self._begin(following)
            seen = 0
        return out + self._show(self._free())

    def flush(self) -> str:
        """The answer has ended: judge what is held."""
        shown = self._judged()
        self._drops = False
        self._begin("")
        return shown

    def cut(self) -> str:
        """The answer was cut: judge what is held, without the word or number that was cut."""
        rest = self._sentence[self._shown :]
        whole = re.sub(r"[^\s]+\Z", "", rest)
        self._sentence = self._sentence[: self._shown] + whole
        sentence, shown = self._sentence, self._shown
        self._begin(sentence)
        self._shown = shown
        return self.flush()

    def _take(self, piece: str) -> None:
        signs = sizes(piece)
        if signs is not None and self._uneven is None:
            self._uneven = list(range(len(self._plain)))
        if self._uneven is not None:
            at = len(self._sentence)
            for offset, size in enumerate(signs or [1] * len(piece)):
                self._uneven.extend([at + offset] * size)
        self._sentence += piece
        self._plain += plain_signs(piece)
        self._reader.read(self._plain)

    def _end(self, seen: int) -> int:
        """Where the sentence under way ends; 0 while it does not."""
        match = _END.search(self._sentence, seen)
        if match:
            return match.end()
        return len(self._sentence) if len(self._sentence) - self._shown > MAX_HELD_CHARS else 0

    def _show(self, upto: int) -> str:
        start, self._shown = self._shown, max(self._shown, upto)
        return self._sentence[start : self._shown]

    def _risk(self, *, to_end: bool = False) -> int:
        """Where, in the folded sentence, that begins which may commit to something."""
        if self._risk_at is None:
            match = _RISK.search(self._plain, self._searched)
            found = [match.start()] if match else []
            found += self._priced()
            if found:
                self._risk_at = min(found)
            else:  # what is complete need not be looked at again
                self._searched = max(0, self._last_word() - 20)
        end = len(self._plain) if self._risk_at is None else self._risk_at
        number = _NUMBER.search(self._plain, max(0, end - _NUMBER_CHARS), end)
        at = number.start() if number else end
        if to_end:
            self._reader.read(self._plain, to_end=True)
        held = self._reader.held_from
        return at if held is None else min(at, held)

    def _priced(self) -> list[int]:
        """Where the number stands that a word like "prix" makes a price, if there is one."""
        if self._price_at is None and (word := _PRICE_WORD.search(self._plain, self._searched)):
            self._price_at = word.start()
        if self._price_at is None:
            return []
        priced = _PRICED_NUMBER.search(self._plain, self._price_at)
        return [priced.start(1)] if priced else []

    def _last_word(self) -> int:
        """Where the word begins that nothing follows yet."""
        plain = self._plain
        at = len(plain)
        while at and plain[at - 1].isalnum():
            at -= 1
        return at

    def _free(self) -> int:
        """How much of the sentence commits to nothing, whatever follows."""
        if self._drops:
            return 0
        if self._held_at is not None:  # what follows the risk does not move it
            return self._held_at
        at = self._risk()
        start = self._last_word()
        if start < at:
            word = self._plain[start:]
            if word in _BEGINNINGS or len(word) >= MAX_WORD_CHARS // 2:
                at = start
        if self._risk_at is not None:
            self._held_at = self._raw(at)
        return self._raw(at)

    def _raw(self, at: int) -> int:
        """Return where a folded sign stands in the sentence as written."""
        if self._uneven is None:
            return at
        return self._uneven[at] if at < len(self._uneven) else len(self._sentence)

    def _judged(self) -> str:
        """The sentence has ended, or was cut: return what of it may be shown."""
        if self._drops:
            return self._sentence[len(self._sentence.rstrip()) :]
        free = self._show(self._raw(self._risk(to_end=True)))
        rest = self._sentence[self._shown :]
        context, self._context = self._context, self._left_open()
        if not rest and not self._reader.is_leak:
            return free
        missing = self.facts.missing(self._sentence, context)
        is_leak = self._reader.is_leak or self._secret.is_in(self._sentence)
        if is_leak or _OBSCURE.search(self._sentence):
            missing |= {Claim(Kind.LEAK, "")}
        if missing:
            kind = _gravest(missing)
            self.replaced[kind] += 1
            rest = self._instead(rest, kind)
        return free + rest

    def _left_open(self) -> str:
        """Return the words that make of the next line more than it says itself."""
        line = self._sentence
        is_short = (
            line.endswith("\n") and len(line) < _SHORT_CHARS and not line.rstrip().endswith(".")
        )
        if line and not line.strip():
            return self._context  # a blank line
        if not (is_short or _OPENS.search(line) or len(line) > MAX_HELD_CHARS):
            return ""
        plain = folded(line)
        own = [
            match.group() for find in (COMMITS, REDUCES, PRICES) if (match := find.search(plain))
        ]
        is_item = bool(re.match(r"\s*(?:[-*•|]|\d+[.)])", line))
        return " ".join([*([self._context] if is_item and self._context else []), *own])[:200]

    def _instead(self, rest: str, kind: Kind) -> str:
        says = instead_of(kind, self._language)
        price = self.facts.price_of_subject(self._sentence) if kind is Kind.AMOUNT else None
        if price is not None:
            says = by_sheet(price, self._language)
        end = rest[len(rest.rstrip()) :]
        shown = self._sentence[: self._shown]
        if not re.search(r"\w", shown):
            return f"{says[0].upper()}{says[1:]}.{end}"
        bold = "**" if shown.count("**") % 2 else ""
        space = "" if shown[-1].isspace() else " "
        return f"{space}({says}){bold}.{end}"


def _gravest(missing: frozenset[Claim]) -> Kind:
    kinds = {claim.kind for claim in missing}
    return next(kind for kind in _GRAVITY if kind in kinds)
