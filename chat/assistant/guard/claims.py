"""What one sentence commits the shop to: amounts, dates, durations, gifts, done deeds. Pure.

Numbers written out in French or English are read as far as a price or a duration needs them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from chat.assistant.guard.visible_text import folded, visible_text

_NUMBER_UNITS = {
    word: value
    for value, word in enumerate(
        (
            *("zero", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
            *("dix", "onze", "douze", "treize", "quatorze", "quinze", "seize"),
        )
    )
}
_NUMBER_UNITS |= {
    "une": 1,
    "vingt": 20,
    "vingts": 20,
    "trente": 30,
    "quarante": 40,
    "cinquante": 50,
}
_NUMBER_UNITS |= {"soixante": 60, "septante": 70, "huitante": 80, "octante": 80, "nonante": 90}
_NUMBER_UNITS |= {
    word: value
    for value, word in enumerate(
        (
            *("one", "two", "three", "four", "five", "_", "seven", "eight", "nine", "ten"),
            *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
            *("eighteen", "nineteen", "twenty"),
        ),
        start=1,
    )
    if word != "_"
}
_NUMBER_UNITS |= {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80}
_NUMBER_UNITS |= {"ninety": 90}
_NUMBER_UNITS |= {"zwei": 2, "drei": 3, "vier": 4, "funf": 5, "zehn": 10, "zwanzig": 20}
_NUMBER_UNITS |= {"tre": 3, "quattro": 4, "cinque": 5, "dieci": 10, "venti": 20}
_SCALES = {"cent": 100, "cents": 100, "hundred": 100}
_THOUSANDS = {"mille", "thousand"}
#: Words that make a number; one alone that may be an article or an adverb is none.
ALONE = frozenset({"un", "une", "one"})

#: Every word that a number may be made of.
_COUNTING = frozenset({*_NUMBER_UNITS, *_SCALES, *_THOUSANDS} - ALONE)
WORDS = tuple(sorted(_COUNTING, key=len, reverse=True))
_WORD = "|".join(sorted({*_NUMBER_UNITS, *_SCALES, *_THOUSANDS}, key=len, reverse=True))
_LATIN = re.compile(r"[a-z]+")
#: Sixteen words at most: "neuf cent quatre-vingt-dix-neuf mille neuf cent quatre-vingt-dix-neuf"
#: has 13, and Python refuses to write a number of thousands of digits ("cent cent cent…").
_RUN = re.compile(rf"\b(?:{_WORD})(?:(?:[ -]|[ -](?:et|and)[ -])(?:{_WORD})){{0,15}}\b")


def digits_for_words(text: str) -> str:
    """Return ``text``, which is folded (lower case, no accents), with its numbers in digits.

    ``"mille deux cent cinquante euros"`` becomes ``"1250 euros"``; "un" and "une" stay.
    """
    if _COUNTING.isdisjoint(_LATIN.findall(text)):
        return text
    return _RUN.sub(_in_digits, text)


def _in_digits(match: re.Match[str]) -> str:
    run = match.group()
    words = re.split(r"[ -]", run)
    return run if _COUNTING.isdisjoint(words) else str(_value(words))


def _value(words: list[str]) -> int:
    total = below = 0
    for word in words:
        if word in {"et", "and"}:
            continue
        if word in _THOUSANDS:
            total, below = total + max(below, 1) * 1000, 0
        elif word in _SCALES:
            below = max(below, 1) * 100
        elif word in {"vingt", "vingts"} and below % 100 == 4:
            below += 76  # quatre-vingts
        else:
            below += _NUMBER_UNITS[word]
    return total + below


#: Each part of a sentence is denied, or made conditional, for itself.
_CLAUSE = re.compile(
    r"[,;:()\n!?]| - | mais | car | donc | but | so | (?:et|and) (?=vous|je|j'|nous|you|we|i )"
)

_GIVEN_ROOTS = (
    r"(?:rembours|dedommag|indemnis|offr|offer(?:t|te|ts|tes)\b|accord|gratui|echang|remplac)"
)
_GIVEN = re.compile(
    rf"\b(?:vous|nous|je|j'|on|te|leur|lui)\b[^.\n]{{0,40}}\b{_GIVEN_ROOTS}"
    rf"|\b(?:sera|seront|serez|est|sont|etes|soyez) (?:\w{{1,30}}ment )?{_GIVEN_ROOTS}"
    r"|\bgeste commercial\b|\bbon d'achat\b|\b(?:a vie|for life|lifetime)\b|\bgratuitement\b"
    r"|\bcode promo|\bpromo code|\bvoucher\b|\ba titre gracieux\b|\bcadeau\b"
    r"|\byou(?:'ll| will| are| have been| get| shall)[^.\n]{0,30}\b(?:refund|reimburs|compensat"
    r"|free)"
    r"|\b(?:we|i)(?:'ll| will| shall|'m| am|'ve| have| can)?[^.\n]{0,30}\b(?:refund|reimburs"
    r"|compensat|replace|offer you|give you|grant)"
    r"|\b(?:full|total|complete|integral|partial) (?:refund|remboursement|compensation)\b"
    r"|\bfree of charge\b|\bfor free\b|\b(?:is|are|it's) free\b|\bkostenlos\b|\berstatte[nt]?\b"
    r"|\bgratis\b|\brimborsat[oaie]\b|\bvi rimbors|\bاسترداد|\bمجان"
    r"|\bremboursement (?:integral|total|complet|immediat|garanti|accorde|valide)"
    r"|\bremboursement (?:de|est|sera|a ete)\b[^.\n]{0,30}(?:\d|accept|valid|accord|effectu|fait)"
)
_DENIED = re.compile(
    r"\b(?:ne|n')(?! ?(?:hesit|vous inquiet|ayez|craign|en doutez|t'inquiet))\b|\bn'(?!hesit"
    r"|ayez|en doutez)"
    r"|\b(?:cannot|can't|can not|won't|not|never|nicht|kein|non posso)\b"
)
_OPEN = re.compile(
    r"\b(?:si|s'|lorsque|quand|une fois|avant d|pourr\w*|peut|peuvent|if|when|once|may|might"
    r"|could)\b"
)
_ASKS = re.compile(
    r"\b(?:souhaitez|voulez|desirez|puis-je|voudriez|aimeriez|do you|would you|shall i|may i)\b"
)

_THINGS = (
    r"tickets?|dossiers?|demandes?|reclamations?|signalements?|cases?|requests?|complaints?"
    r"|anfrage|richiesta"
)
_MESSAGES = (
    r"rappels?|rendez-vous|rdv|e?-?mails?|courriels?|messages?|sms|call-?backs?|appointments?"
    r"|virements?|paiements?|remboursements?|refunds?|equipe|conseillers?|adviser|manager|technicien"
    r"|livreur|avoirs?|transferts?"
)
_ORDERS = r"commandes?|retours?|orders?|reservations?|livraisons?"
_MADE = (
    r"(?:cree|ouvert|enregistre|transmis|envoye|programme|planifie|confirme|pris|valide|depose|effectue"
    r"|fait|emis|prevenu|averti|contacte|reserve|annule|modifie|traite|mis en place)(?:e|s"
    r"|es)?"
    r"|created|opened|sent|booked|scheduled|confirmed|registered|submitted|issued|notified|logged|placed"
    r"|cancelled|filed|erstellt|gesendet|creat[oa]|inviat[oa]"
)
_KINDS = (("ticket", _THINGS), ("", _MESSAGES), ("order", _ORDERS))
_STATES = {
    kind: re.compile(
        rf"\b(?:{words})\b[^.\n]{{0,50}}\b(?:{_MADE})\b|\b(?:{_MADE})\b[^.\n]{{0,30}}\b(?:{words})\b"
    )
    for kind, words in _KINDS
}
_COMES = re.compile(
    r"(?:un conseiller|l'equipe|nous|on|quelqu'un|un technicien|je) (?:va|allons|vont|vais|vous)"
    r" (?:vous )?(?:rappel|recontact|appel|ecri|envo)"
    r"|vous (?:serez|allez etre) (?:rappele|recontacte|contacte)"
    r"|vous (?:rappellera|recontactera|appellera|contactera|ecrira)"
    r"|(?:someone|an adviser|an advisor|an agent|we|i|our team)(?: will|'ll)"
    r" (?:call|contact|email|e-mail|write|send)|you will be (?:called|contacted)"
)
#: A number is given to what it numbers.
_NUMBERED = re.compile(
    r"(?:numero|n°) (?:de )?(?:ticket|dossier|suivi) ?(?::|est)? ?[\w-]{0,40}\d"
    r"|\bticket [a-z]{2,4}-?\d|(?:case|ticket) (?:number|no\.?) ?(?:is|:)? ?[\w-]{0,40}\d"
)
_I_DID = re.compile(
    r"\bj'ai (?:bien |deja )?(?:cree|ouvert|enregistre|transmis|envoye|programme|planifie|pris"
    r"|valide|depose"
    r"|effectue|rembourse|annule|modifie|reserve|prevenu|contacte|applique|accorde)"
    r"|\bi(?:'ve| have)? (?:already |just )?(?:sent|opened|created|booked|scheduled|registered"
    r"|refunded|cancelled|filed|applied|emailed)\b"
    r"|\bc'est (?:fait|enregistre|valide|regle)\b|\bit'?s done\b"
)


def is_given(text: str) -> bool:
    """Whether some part of it grants what no tool can."""
    return any(
        _GIVEN.search(clause) and not (_DENIED.search(clause) or _is_open(clause))
        for clause in _CLAUSE.split(text)
    )


def said_done(text: str) -> Iterator[str]:
    """Yield, for each thing said to exist: "ticket", "order", or "" for any other."""
    if "?" in text and _ASKS.search(text):
        return
    for clause in _CLAUSE.split(text):
        if _DENIED.search(clause) or _is_open(clause):
            continue
        yield from (kind for kind, pattern in _STATES.items() if pattern.search(clause))
        if _NUMBERED.search(clause):
            yield "ticket"
        if _COMES.search(clause) or _I_DID.search(clause):
            yield ""


def _is_open(clause: str) -> bool:
    return bool(_OPEN.search(clause) or _ASKS.search(clause))


__all__ = ["Claim", "Kind", "claims_of", "folded", "values_of"]


class Kind(StrEnum):
    AMOUNT = "amount"  # cents
    PERCENT = "percent"
    DURATION = "duration"  # "12 months", "14 days", "48 hours"
    DATE = "date"  # "2027-03-12", "03-12" without its year, or a word like "demain"
    STOCK = "stock"  # "in", "out", or how many are left
    PROMISE = "promise"  # something given that no tool can grant
    DONE = "done"  # something said to exist or to have been sent
    LINK = "link"  # a foreign address
    LEAK = "leak"  # the instructions, or something unreadable


@dataclass(frozen=True, slots=True)
class Claim:
    kind: Kind
    value: str


#: Longer runs of digits are unreadable, see ``leaks.MAX_WORD_CHARS``. Every repetition here has a
#: bound: a customer may write 4,000 characters, and the event loop waits while they are read.
_DIGITS = r"\d{1,48}"
_NUMBER = rf"\d{{1,3}}(?:[ .']\d{{3}}){{1,5}}(?:,\d{{1,2}})?|{_DIGITS}(?:[.,]\d{{1,2}})?"
_MONEY = r"(?:€|\$|£|eur(?:os?)?\b|balles\b|dollars?\b|pounds?\b|يورو)"
_CURRENCY = re.compile(r"[€$£]|eur|balles|dollar|pound|يورو")
_AMOUNT = re.compile(
    rf"(?<![\d.,])({_NUMBER}) ?(?:(?:a|et|ou|-|to|and|bis"
    rf"|e) ?({_NUMBER}) ?)?(k ?)?{_MONEY} ?(\d{{2}}\b)?"
    rf"|(?:€|\$|£|\beur) ?({_NUMBER})"
)
PRICED = (
    r"(?:cout\w*|prix|tarif\w*|vaut|vendue?s?|vendre|vendons|pay\w*"
    r"|price[ds]?|costs?|kostet|preis|costa|prezzo)"
)
#: "Il coûte 499." A size or a count has its unit.
_BARE_PRICE = re.compile(
    rf"\b{PRICED}\b[^.\d\n]{{0,25}}?(?<![\d.,])({_NUMBER})(?!\d)(?! ?(?:%|x|cm|mm|m\b|kg|h\b|j\b"
    rf"|ans?\b|mois|jours?"
    r"|semaines?|places?|personnes?|fois|years?|months?|weeks?|days?|times|produits?|modeles?))"
)
_PRICE_CELL = re.compile(rf"(?<=\|) *({_NUMBER}) *(?=\||$)", re.MULTILINE)
_PERCENT = re.compile(rf"(?<!\d)({_NUMBER}) ?(?:%|pour ?cent|percent|prozent|per cento)")
_UNITS = {
    "hours": r"h|heures?|hours?|stunden?|ore",
    "days": r"jours?|j|days?|tagen?|giorni?|أيام|يوم",
    "weeks": r"semaines?|weeks?|wochen?|settiman[ae]",
    "months": r"mois|months?|monaten?|mes[ei]",
    "years": r"ans?|annees?|years?|jahren?|ann[oi]|سنوات|سنة",
}
_UNIT = "|".join(f"(?P<{name}>{words})" for name, words in _UNITS.items())
_DURATION = re.compile(
    rf"\b(?:(?P<low>{_DIGITS}) ?(?:a|et|ou|-|to|and|bis|e) ?)?"
    rf"(?P<high>{_DIGITS}|une?|one|a)[ -]?(?:{_UNIT})\b"
)
_WITHIN = re.compile(r"\b(?:sous|dans les|delai de|delai :|within|d'ici|en|in) ?\Z")
#: Longer than all that ``_WITHIN`` finds, with a character before it.
_WITHIN_CHARS = 16
_FRENCH_MONTHS = (
    *("janvier", "fevrier", "mars", "avril", "mai", "juin"),
    *("juillet", "aout", "septembre", "octobre", "novembre", "decembre"),
)
_ENGLISH_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTHS = {
    name: n for names in (_FRENCH_MONTHS, _ENGLISH_MONTHS) for n, name in enumerate(names, 1)
}
_MONTH = "|".join(_MONTHS)
_DATE = re.compile(
    rf"\b(?P<day>\d{{1,2}})(?:er|st|nd|rd"
    rf"|th)? (?:of )?(?P<month>{_MONTH})(?:,? (?P<year>\d{{4}}))?\b"
    rf"|\b(?P<emonth>{'|'.join(_ENGLISH_MONTHS)}) (?P<eday>\d{{1,2}})(?:st|nd|rd"
    rf"|th)?(?:,? (?P<eyear>\d{{4}}))?\b"
    r"|\b(?P<d>\d{1,2})[/.](?P<m>\d{1,2})(?:[/.](?P<y>\d{2,4}))?\b"
    r"|\b(?P<iso>\d{4}-\d{2}-\d{2})\b"
    r"|\b(?P<word>demain|apres-demain|aujourd'hui|ce soir|la semaine prochaine|lundi prochain"
    r"|tomorrow|today|tonight|next week|morgen|domani)\b"
)
#: "Que puis-je faire pour vous aujourd'hui ?"
_NOW = frozenset({"aujourd'hui", "today"})
#: Words that make a duration, a date or a rate a commitment of the shop.
COMMITS = re.compile(
    r"garanti|garanz|warrant|guarantee|couvert|couvre|cover|livr|delivr|deliver|liefer|consegn"
    r"|delai|expedi|ship|sous \d|within|rembours|refund|erstatt|rimbors|retract|retour|return"
    r"|renvo|repon[sd]|repl|rappel|call|interven|repar|repair|echang|recev|receiv|recept|arriv"
    r"|fabriqu|dispon|availab|pret|ready|valab|valid|legal|conformit|vice|mediat|jusqu|until"
    r"|avant le|ضمان|توصيل"
)
REDUCES = re.compile(
    r"remis|reduc|promo|rabais|sold|discount|offert|ristourne|credit|interet|off\b|rabatt|sconto"
)
PRICES = re.compile(rf"\b{PRICED}\b|€")
_STOCKED = r"(?:en|in) (?:stock|magasin|rayon)"
_NOT_STOCKED = re.compile(
    rf"(?:pas|plus|non|not|jamais) (?:actuellement |currently )?(?:{_STOCKED}|disponible|available)"
    r"|rupture|epuise|indisponible|out of stock|sold out|unavailable|ausverkauft|esaurit"
)
_IN_STOCK = re.compile(
    rf"\b{_STOCKED}\b|disponibles? (?:immediatement|de suite|en magasin|des)"
    r"|(?:est|sont|is|are) (?:actuellement |bien |currently )?(?:disponibles?|available)\b"
    r"|auf lager|disponibilita|disponibile"
)
_LEFT = re.compile(
    r"(?:rest(?:e|ent)|left|exemplaires?|pieces?)[^.\d]{0,20}(\d{1,48})"
    r"|(?<!\d)(\d{1,48}) (?:exemplaires?|left|en stock|in stock|restante?s?|pieces? (?:en|dispon))"
)
_STOCK_WORDS = r"stock|magasin|rayon|dispon|availab|rupture|epuise|sold out|ausverk|esaurit|lager"
#: One of these stands in all that the three expressions above find.
_STOCK_WORD = re.compile(rf"{_STOCK_WORDS}|reste|left|exemplaire|piece|restant")
#: Without a digit, a unit behind an article, a word for a day or one for a stock, no text has an
#: amount, a rate, a duration, a date or a stock: each expression above needs one of these.
_FIGURE = re.compile(
    rf"\d|\b(?:une?|one|a)[ -]?(?:{'|'.join(_UNITS.values())})\b"
    r"|demain|aujourd'hui|ce soir|prochain|tomorrow|today|tonight|next week|morgen|domani"
    rf"|{_STOCK_WORDS}"
)
_TICKET = re.compile(r"\bsav ?- ?\d{4} ?- ?\d{1,6}\b")
_TOPS = "com|net|org|io|ru|biz|info|xyz|example|test|site|shop|top|co|eu|fr|de|uk|it|app|dev|me"
_DOTTED = re.compile(r"\.[\w.-]")
#: A run of the characters that names of sites are made of, with what tells that it is one. Each
#: run is read once, as a whole: names found from every character on took 250 ms for "1.1.1.1…".
_NAME = re.compile(r"(//)?([\w.+-]+)(@)?")
_WWW = re.compile(r"\bwww\.([\w.-]+)")
_APART_IN_NAME = re.compile(r"\+|\.\.+")
_TOP = re.compile(rf"(?:{_TOPS})\b")


def claims_of(sentence: str, context: str = "") -> frozenset[Claim]:
    """Return what the sentence commits the shop to; empty when to nothing.

    ``context``: words of the line before that this one completes, as in "Garantie :" and "20 ans".
    """
    text = digits_for_words(visible_text(sentence))
    before = f"{context} " if context else ""
    return frozenset(
        (
            *(_figures(text, before) if _FIGURE.search(text) else ()),
            *_deeds(text),
            *_links(sentence),
            *_cells(sentence, before),
        )
    )


def figures_of(sentence: str) -> frozenset[Claim]:
    """Return those of its claims that a look-up can prove: no deed, promise or address."""
    text = digits_for_words(visible_text(sentence))
    return frozenset(_figures(text, "")) if _FIGURE.search(text) else frozenset()


def values_of(text: str, at_most: int | None = None) -> frozenset[Claim]:
    """Return every amount, rate, duration, date and stock that a looked-up text contains.

    ``at_most``: so many of each kind.
    """
    plain = digits_for_words(visible_text(text))
    if not _FIGURE.search(plain):
        return frozenset(islice(_links(text), at_most))
    read = (_amounts, _percents, _durations, _dates, _stocks, _tickets)
    found = (*(find(plain) for find in read), _links(text))
    return frozenset(claim for claims in found for claim in islice(claims, at_most))


def _figures(text: str, before: str) -> Iterator[Claim]:
    yield from _amounts(text)
    for match in _BARE_PRICE.finditer(text):
        yield Claim(Kind.AMOUNT, str(_cents(match.group(1))))
    rates = list(_percents(text))
    if rates and REDUCES.search(before + text):
        yield from rates
    times = [*_durations(text), *_dates(text)]
    if times and COMMITS.search(before + text):
        is_question = text.rstrip().endswith("?")
        yield from (
            c for c in times if not (is_question and c.kind is Kind.DATE and c.value in _NOW)
        )
    yield from _stocks(text)


def _deeds(text: str) -> Iterator[Claim]:
    if is_given(text):
        yield Claim(Kind.PROMISE, "")
    for what in said_done(text):
        yield Claim(Kind.DONE, what)
    yield from _tickets(text)


def _amounts(text: str) -> Iterator[Claim]:
    if not _CURRENCY.search(text):
        return
    for match in _AMOUNT.finditer(text):
        first, second, thousand, cents, prefixed = match.groups()
        for number in (first, second, prefixed):
            if number:
                value = _cents(number) * (1000 if thousand else 1)
                yield Claim(Kind.AMOUNT, str(value + (int(cents) if cents else 0)))


def _cells(sentence: str, before: str) -> Iterator[Claim]:
    """Numbers alone in a cell of a table whose head speaks of prices."""
    if "|" in sentence and PRICES.search(before):
        for match in _PRICE_CELL.finditer(sentence.strip()):
            yield Claim(Kind.AMOUNT, str(_cents(match.group(1))))


def _cents(number: str) -> int:
    """``"1 299,50"``, ``"1.299"`` and ``"1299.5"`` are euros; three digits behind a dot are
    thousands.
    """
    plain = re.sub(r"[ .'](?=\d{3}(?!\d))", "", number).replace(",", ".")
    return round(float(plain) * 100)


def _percents(text: str) -> Iterator[Claim]:
    if not ("%" in text or "cent" in text or "prozent" in text):
        return
    for match in _PERCENT.finditer(text):
        yield Claim(Kind.PERCENT, str(_cents(match.group(1))))


def _durations(text: str) -> Iterator[Claim]:
    for match in _DURATION.finditer(text):
        unit = next(name for name in _UNITS if match.group(name))
        if match.group("high") == "a" and unit not in {"weeks", "months", "years"}:
            continue
        if unit == "hours" and not _is_within(text, match.start()):
            continue  # an hour of the day
        for number in (match.group("low"), match.group("high")):
            if number:
                yield Claim(Kind.DURATION, _duration(int(number) if number.isdigit() else 1, unit))


def _is_within(text: str, at: int) -> bool:
    return _WITHIN.search(text[max(0, at - _WITHIN_CHARS) : at]) is not None


def _duration(number: int, unit: str) -> str:
    match unit:
        case "weeks":
            return f"{number * 7} days"
        case "years":
            return f"{number * 12} months"
    return f"{number} {unit}"


def _dates(text: str) -> Iterator[Claim]:
    for match in _DATE.finditer(text):
        found = match.groupdict()
        if found["iso"] or found["word"]:
            yield Claim(Kind.DATE, found["iso"] or found["word"])
            continue
        named = found["month"] or found["emonth"]
        month = _MONTHS[named] if named else int(found["m"])
        day = int(found["day"] or found["eday"] or found["d"])
        year = found["year"] or found["eyear"] or found["y"]
        if not 1 <= month <= 12 or not 1 <= day <= 31:
            continue
        short = f"{month:02}-{day:02}"
        if not year:
            yield Claim(Kind.DATE, short)
        else:
            yield Claim(Kind.DATE, f"{2000 + int(year) if len(year) == 2 else year}-{short}")


def _stocks(text: str) -> Iterator[Claim]:
    if not _STOCK_WORD.search(text):
        return
    if _NOT_STOCKED.search(text):
        yield Claim(Kind.STOCK, "out")
    elif _IN_STOCK.search(text):
        yield Claim(Kind.STOCK, "in")
    for match in _LEFT.finditer(text):
        yield Claim(Kind.STOCK, match.group(1) or match.group(2))


def _tickets(text: str) -> Iterator[Claim]:
    for match in _TICKET.finditer(text) if "sav" in text else ():
        yield Claim(Kind.DONE, match.group().replace(" ", ""))


def _links(sentence: str) -> Iterator[Claim]:
    if not ("." in sentence or "//" in sentence):
        return
    text = folded(sentence)
    if not ("//" in text or _DOTTED.search(text)):
        return
    user, ends_at = "", -1  # of "camille@", and where the name that it goes with must begin
    for match in _NAME.finditer(text):
        slashes, name, at = match.groups()
        if user and match.start() != ends_at:
            yield from (Claim(Kind.LINK, host) for host in _hosts(user))
            user = ""
        if at and not slashes and not user:
            user, ends_at = name, match.end()
            continue
        hosts = list(_hosts(name))
        if slashes:
            hosts.append(name.partition("+")[0].strip("."))
        before = f"{user}@" if hosts and user else ""
        yield from (Claim(Kind.LINK, before + host) for host in hosts or _hosts(user))
        user = ""
    yield from (Claim(Kind.LINK, host) for host in _hosts(user))


def _hosts(name: str) -> Iterator[str]:
    """Yield the names of sites in a run of their characters: "evil.com", "evil" of "www.evil"."""
    for part in _APART_IN_NAME.split(name):
        if found := _WWW.search(part):
            yield found.group(1).strip(".")
            continue
        labels = part.split(".")
        for at in range(len(labels) - 1, 0, -1):
            if labels[at - 1] and (top := _TOP.match(labels[at])):
                yield ".".join([*labels[:at], top.group()]).strip(".-")
                break
