"""Typed access to the fields of one imported row; errors are collected, not raised."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, TypeVar

from chat.shop.hours import PARIS
from chat.shop.imports.reading import RowProblem

T = TypeVar("T")

FIRST_YEAR, LAST_YEAR = 2000, 2100

_WHOLE = re.compile(r"-?[0-9]{1,15}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_YES = {"true", "oui", "yes", "1", "vrai"}
_NO = {"false", "non", "no", "0", "faux"}
#: Placeholder for an invalid value; a row with errors is not used.
_NOTHING = datetime(FIRST_YEAR, 1, 1, tzinfo=PARIS)


@dataclass
class Cells:
    """Fields of a row by name, with validation.

    ``prefix``: prepended to names in ``faults``, e.g. ``"lines[0]."``.
    """

    line: int
    data: dict[str, Any]
    prefix: str = ""
    faults: list[RowProblem] = field(default_factory=list)

    def only(self, names: Iterable[str]) -> None:
        """Refuse fields of other names, since a misspelt column would otherwise be ignored."""
        for name in sorted(set(self.data) - set(names), key=str):
            self.fault(str(name)[:40], "n'est pas connu")

    def text(self, name: str, *, most: int, required: bool = True) -> str:
        """Return a trimmed text of at most ``most`` characters."""
        value = self._given(name, required=required)
        if value is None:
            return ""
        if not isinstance(value, str):
            return self._wrong(name, "un texte est attendu", "")
        line = value.strip()
        if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\t" for char in line):
            return self._wrong(name, "contient un caractère illisible", "")
        if len(line) > most:
            return self._wrong(name, f"plus de {most} caractères", "")
        return line

    def whole(self, name: str, *, least: int, most: int) -> int:
        """Return an integer between ``least`` and ``most``, inclusive."""
        value = self._given(name)
        if value is None:
            return least
        if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            return self._wrong(name, "un nombre entier est attendu", least)
        if not least <= value <= most:
            return self._wrong(name, f"doit être entre {least} et {most}", least)
        return value

    def flag(self, name: str) -> bool:
        """Return a JSON boolean, or "oui" and "non" in a CSV file."""
        value = self._given(name)
        match value:
            case None:
                return False
            case bool():
                return value
            case str() if value.strip().lower() in _YES:
                return True
            case str() if value.strip().lower() in _NO:
                return False
        return self._wrong(name, "« oui » ou « non » est attendu", default=False)

    def moment(self, name: str) -> datetime:
        """Return an aware date and time; a date alone is midnight, Paris time."""
        return self.moment_or_none(name, required=True) or _NOTHING

    def moment_or_none(self, name: str, *, required: bool = False) -> datetime | None:
        """Return an aware date and time, None for an empty field."""
        value = self._given(name, required=required)
        if value is None:
            return None
        moment = _moment(value.strip()) if isinstance(value, str) else None
        if moment is None:
            return self._wrong(name, "une date comme 2025-03-12 est attendue", None)
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            return self._wrong(name, f"l'année doit être entre {FIRST_YEAR} et {LAST_YEAR}", None)
        return moment

    def words(self, name: str, *, among: Iterable[str]) -> list[str]:
        """Return a list of distinct words from ``among``, separated by blanks in a CSV file."""
        value = self._given(name, required=False)
        given = value.split() if isinstance(value, str) else value
        if given is None:
            return []
        known = list(among)
        if not isinstance(given, list) or any(word not in known for word in given):
            return self._wrong(name, f"une liste parmi : {', '.join(known)}", [])
        return [word for word in known if word in given]

    def fault(self, name: str, message: str) -> None:
        self.faults.append(RowProblem(self.line, f"{self.prefix}{name}", message))

    def _given(self, name: str, *, required: bool = True) -> Any:
        value = self.data.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            if required:
                self.fault(name, "manque")
            return None
        return value

    def _wrong(self, name: str, message: str, default: T) -> T:
        self.fault(name, message)
        return default


def _moment(text: str) -> datetime | None:
    if not _MOMENT.fullmatch(text):
        return None
    try:
        if len(text) == len("2025-03-12"):
            return datetime.combine(date.fromisoformat(text), time(), PARIS)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=PARIS)
