"""The guard of one answer: withholds sentences that commit the shop to unproven facts. Pure.

It stands between the model and the customer and holds back as little text as possible.
``build_guard`` builds one from what the conversation has established so far.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from chat.assistant.guard.claims import COMMITS, PRICES, REDUCES, Claim, Kind, claims_of
from chat.assistant.guard.facts import Facts, Readings, add_shop_facts
from chat.assistant.guard.replacements import by_sheet, replacement_for
from chat.assistant.guard.risks import MAX_WORD_CHARS, Risks, Secret
from chat.assistant.guard.visible_text import folded, plain_signs, sizes
from chat.assistant.prompt import instructions
from chat.conversations.types import Author, Message, Session
from chat.core.runtime import Part
from chat.core.text import language_of

_OBSCURE = re.compile(rf"[A-Za-z0-9+/=_-]{{{MAX_WORD_CHARS},}}")
#: A sentence ends here; a dot within a number or behind an initial is none.
_END = re.compile(r"(?:[!?…]|(?<!\s)(?<!\b[A-Z])\.)[\"»”)*_]{0,4}(?=\s)|\n")
_ENDS = frozenset("!?….\n")
_LOOK_BACK = 8
#: What sets a word in bold or apart goes with the word.
_MARKS = "*_~`"
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
    """Feed it the answer piece by piece; what it returns may be shown.

    With ``in_steps``, a sentence that commits to something is not judged before the facts are
    read: while it ``waits``, ``facts.learn`` is to be called until nothing is unread, then
    ``feed("")``. Without, they are read in one go.
    """

    def __init__(
        self,
        facts: Facts,
        *,
        language: str | Callable[[], str] = "fr",
        secret: Secret | None = None,
        in_steps: bool = False,
    ) -> None:
        """``language``: of what stands in place of a sentence, or how to find it when needed."""
        self.facts = facts
        #: How many sentences were replaced, by what they claimed.
        self.replaced: Counter[Kind] = Counter()
        self._language = language
        self._secret = secret or Secret()
        self._in_steps = in_steps
        self._ahead = ""  # what was fed behind a sentence that waits
        self._context = ""  # what the line before leaves open
        self._drops = False  # the rest of a sentence too long to be held, replaced already
        self._begin()

    def _begin(self) -> None:
        self._sentence = ""  # the one under way, as the model wrote it
        self._plain = ""  # the same, folded sign by sign
        self._uneven: list[int] | None = None  # where each folded sign comes from
        self._shown = 0  # so much of it was shown
        self._is_over = False  # nothing more belongs to it: ``_claims`` are to be judged
        self._is_long = False  # because it is too long
        self._claims: frozenset[Claim] = frozenset()
        self._held_at: int | None = None  # in the sentence as written
        self._risks = Risks()
        self._reader = self._secret.reader()

    def waits(self) -> bool:
        """Whether the facts must be read before the answer goes on."""
        return self._in_steps and bool(self._claims) and self.facts.has_unread

    def feed(self, piece: str) -> str:
        """Take more of the answer and return what can be shown by now."""
        out = ""
        piece, self._ahead = self._ahead + piece, ""
        while True:
            if not self._is_over:
                size, is_long = self._rest_of_sentence(piece)
                if size is None:
                    self._take(piece)
                    free = self._free(piece)
                    if self._sentence[self._shown : free].isspace():
                        return out  # a blank is no news: it goes with the word behind it
                    return out + self._show(free)
                self._take(piece[:size])
                piece = piece[size:]
                self._is_long = is_long
                out += self._close()
            if self.waits():
                self._ahead = piece
                return out
            replaced = self.replaced.total()
            out += self._judged()
            self._drops = self._is_long and (self._drops or self.replaced.total() > replaced)
            self._begin()

    def close(self, *, is_cut: bool = False) -> str:
        """The answer has ended: return what of the rest commits to nothing; ``flush`` is next."""
        if self._is_over:
            return ""
        if is_cut:
            self._drop_cut_word()
        return self._close()

    def flush(self) -> str:
        """The answer has ended: judge what is held."""
        shown = self.close() + self._judged()
        self._drops = False
        self._begin()
        return shown

    def cut(self) -> str:
        """The answer was cut: judge what is held, without the word or number that was cut."""
        return self.close(is_cut=True) + self.flush()

    def _drop_cut_word(self) -> None:
        rest = self._sentence[self._shown :]
        closes = not rest.strip(_MARKS) and self._sentence[: self._shown].count("**") % 2
        whole = rest if closes else _without_last_word(rest)
        sentence, shown = self._sentence[: self._shown] + whole, self._shown
        self._begin()
        self._take(sentence)
        self._shown = shown

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

    def _rest_of_sentence(self, piece: str) -> tuple[int | None, bool]:
        """How much of the piece ends the sentence under way, None while it goes on; and whether
        it is judged before its end because it is too long.
        """
        size = len(self._sentence)
        seen = max(0, size - _LOOK_BACK)
        text = self._sentence + piece
        if not _ENDS.isdisjoint(text[seen:]) and (match := _END.search(text, seen)):
            return match.end() - size, False
        if len(text) - self._shown > MAX_HELD_CHARS:
            return len(piece), not _END.search(f"{text} ", seen)
        return None, False

    def _show(self, upto: int) -> str:
        start, self._shown = self._shown, max(self._shown, upto)
        return self._sentence[start : self._shown]

    def _free(self, piece: str) -> int:
        """How much of the sentence commits to nothing, whatever follows."""
        if self._drops:
            return 0
        if self._held_at is not None:  # what follows the risk does not move it
            return self._held_at
        self._risks.read(self._plain)
        self._reader.read(self._plain)
        at = self._without_marks(self._raw(self._until_risk(piece)))
        if self._risks.at is not None:
            self._held_at = at
        return at

    def _until_risk(self, piece: str = "") -> int:
        """Return so much of the folded sentence as neither risks nor may become a leak."""
        at, leak_at = self._risks.held_from(self._plain, piece), self._reader.held_from
        return at if leak_at is None else min(at, leak_at)

    def _raw(self, at: int) -> int:
        """Return where a folded sign stands in the sentence as written."""
        if self._uneven is None:
            return at
        return self._uneven[at] if at < len(self._uneven) else len(self._sentence)

    def _without_marks(self, at: int) -> int:
        """Return the same without the marks before it: they go with what follows."""
        while at and self._sentence[at - 1] in _MARKS:
            at -= 1
        return at

    def _close(self) -> str:
        """The sentence has ended, or was cut: return what of it commits to nothing, and note what
        the rest commits to.
        """
        self._is_over = True
        if self._drops:
            return ""
        self._risks.read(self._plain, to_end=True)
        self._reader.read(self._plain, to_end=True)
        at = self._until_risk()
        is_free = at == len(self._plain)
        free = self._show(len(self._sentence) if is_free else self._without_marks(self._raw(at)))
        context, self._context = self._context, self._left_open()
        if self._sentence[self._shown :] or self._reader.is_leak:
            self._claims = claims_of(self._sentence, context)
        return free

    def _judged(self) -> str:
        """Return what of the rest of the sentence that has ended may be shown."""
        if self._drops:
            return self._sentence[len(self._sentence.rstrip()) :]
        rest = self._sentence[self._shown :]
        if not rest and not self._reader.is_leak:
            return ""
        missing = self.facts.missing(self._sentence, claims=self._claims)
        is_leak = self._reader.is_leak or self._secret.is_in(self._sentence)
        if is_leak or _OBSCURE.search(self._sentence):
            missing |= {Claim(Kind.LEAK, "")}
        if missing:
            kind = _gravest(missing)
            self.replaced[kind] += 1
            rest = self._instead(rest, kind)
        return rest

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
        language = self._language if isinstance(self._language, str) else self._language()
        says = replacement_for(kind, language)
        price = self.facts.price_of_subject(self._sentence) if kind is Kind.AMOUNT else None
        if price is not None:
            says = by_sheet(price, language)
        end = rest[len(rest.rstrip()) :]
        shown = self._sentence[: self._shown]
        if not re.search(r"\w", shown):
            return f"{says[0].upper()}{says[1:]}.{end}"
        bold = "**" if shown.count("**") % 2 else ""
        space = "" if shown[-1].isspace() else " "
        return f"{space}({says}){bold}.{end}"


def _without_last_word(text: str) -> str:
    words = text.split()
    return text[: text.rindex(words[-1])] if words and not text[-1].isspace() else text


def _gravest(missing: frozenset[Claim]) -> Kind:
    kinds = {claim.kind for claim in missing}
    return next(kind for kind in _GRAVITY if kind in kinds)


#: So much of a conversation is read in one step of the event loop: 1 to 2 ms.
STEP_CHARS = 2_000
#: What is kept of conversations that were read, values counted as characters.
MAX_KEPT_CHARS = 8_000_000

#: What this worker read of conversations.
READINGS: Part[Readings] = Part("readings", lambda: Readings(MAX_KEPT_CHARS))


def build_guard(session: Session, question_id: str) -> Guard:
    """Return a guard that knows what people of the shop, the application and earlier answers said.

    What the customer said is known to be theirs: it may be said back to them, and proves nothing.
    The conversation is not read before the answer commits to something, then a message at a time,
    each once: see ``learn_in_steps``.
    """
    env = settings.ENV
    facts = Facts(hosts=_hosts(env.site_url, env.shop_email), readings=READINGS.get())
    add_shop_facts(facts)
    facts.add_later(lambda facts: _add_conversation(facts, session.messages))
    return Guard(
        facts,
        language=lambda: _language_asked(session.messages, question_id),
        secret=_secret(instructions()),
        in_steps=True,
    )


#: Makes the guard of an answer from the conversation and the id of the question.
GUARD: Part[Callable[[Session, str], Guard]] = Part("guard", lambda: build_guard)


async def learn_in_steps(facts: Facts) -> None:
    """Read what the facts are still to learn, giving way to others every ``STEP_CHARS``."""
    is_more = facts.learn(STEP_CHARS)
    while is_more:
        await asyncio.sleep(0)
        is_more = facts.learn(STEP_CHARS)


def forget_readings() -> None:
    """Drop what is kept of all conversations, to be read again when it is needed."""
    READINGS.get().clear()


def _add_conversation(facts: Facts, messages: tuple[Message, ...]) -> None:
    for message in messages:
        match message.author:
            case Author.CUSTOMER:
                facts.add_customer(message.text)
            case Author.ASSISTANT:
                facts.add_result(message.sources)
                facts.add_answer(message.text)
            case _:
                facts.add_text(message.text)


def _language_asked(messages: tuple[Message, ...], question_id: str) -> str:
    asked = [
        message.text
        for message in messages
        if message.id == question_id and message.author is Author.CUSTOMER
    ]
    return language_of(asked[-1] if asked else "")


@lru_cache(maxsize=4)
def _hosts(site_url: str, email: str) -> tuple[str, ...]:
    return tuple(host for host in (urlsplit(site_url).hostname, email.rpartition("@")[2]) if host)


@lru_cache(maxsize=4)
def _secret(text: str) -> Secret:
    return Secret(text.splitlines())
