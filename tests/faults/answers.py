"""Answers that betray whatever was done to them.

Every answer of the local assistant is numbered, and so is each of its words: a word lost, said
twice, of another answer or of another conversation shows in the text itself. Words end with a
character beyond 16 bits, so that bytes, UTF-16 units and code points count differently. Numbers are
spelt with letters: the guard would hold digits back until their sentence ends, and nothing would be
seen of an answer on its way.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from devtools.local_assistant.faults import Fault, FaultPlan, Kind

_QUESTION = re.compile(r"Question (\S+) en (\d+) mots")
_HEAD = re.compile(r"«(?P<token>[^»]*)» fois (?P<number>[a-z]+) en (?P<words>[a-z]+) mots :")
_SPELT = str.maketrans("0123456789", "qgxkzjyvhb")
_READ = str.maketrans("qgxkzjyvhb", "0123456789")


def question(token: str, words: int) -> str:
    """What a customer asks to get ``words`` words about ``token``."""
    return f"Question {token} en {words} mots"


def numbered(token: str, number: int, words: int) -> str:
    said = " ".join(f"{number}é{n}é🛋" for n in range(1, words + 1))
    return f"«{token}» fois {number} en {words} mots : {said}".translate(_SPELT)


def wrong_with(text: str, token: str = "") -> str:
    """Say why ``text`` is not the beginning of one answer (to ``token``); "" when it is.

    A text that ends within its own head says too little to be wrong.
    """
    head = _HEAD.match(text)
    if head is None:
        is_early = text[:1] in {"", "«"} and ":" not in text
        return "" if is_early else f"no answer begins so: {text[:60]!r}"
    if token and head["token"] != token.translate(_SPELT):
        return f"the answer to {head['token']!r} was given to {token!r}"
    whole = _whole(head)
    if whole.startswith(text):
        return ""
    pairs = zip(text, whole, strict=False)
    at = next((n for n, (told, right) in enumerate(pairs) if told != right), len(whole))
    return f"two answers in one: …{text[max(0, at - 20) : at]!r} then {text[at : at + 20]!r}"


def is_whole(text: str) -> bool:
    head = _HEAD.match(text)
    return head is not None and text == _whole(head)


def _whole(head: re.Match[str]) -> str:
    number, words = head["number"].translate(_READ), head["words"].translate(_READ)
    return numbered(head["token"], int(number), int(words))


@dataclass
class NumberedAnswers(FaultPlan):
    """Has the local assistant say numbered answers wherever no fault was planned.

    ``asked``: how often each question came, by its token.
    """

    said: int = field(default=0)
    asked: Counter[str] = field(default_factory=Counter)

    def take(self, asked: str) -> Fault | None:
        fault = super().take(asked)
        asked_for = _QUESTION.search(asked)
        if fault is not None or asked_for is None:
            return fault
        self.said += 1
        token, words = asked_for.groups()
        self.asked[token] += 1
        return Fault(kind=Kind.SAY, text=numbered(token, self.said, int(words)))
