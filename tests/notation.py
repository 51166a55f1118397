"""The notation of the events in ``docs/protocol.md``, and whether a JSON value is as it says.

``{"id", "step": "problem" | "recap", "rows": [["email", "<value>"]…], "price"?, "form": FORM}``

A field without a value may be anything, and one with ``?`` may be absent. One text or number is an
example; several texts are all there are. ``[X…]`` is a list of any length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_TOKEN = re.compile(
    r'\s*(?:(?P<text>"[^"]*")|(?P<number>\d+)|…all of (?P<base>[a-z.]+)…|(?P<name>[A-Za-z]+)'
    r"|(?P<sign>[{}\[\]:,|?…]))"
)


class Name(str):
    """``bool``, ``null``, or what a statement of the page explains: ``MESSAGE``."""


#: One of these alternatives: an example, a name, a list of one open or several fixed items (as
#: alternatives each), or the fields of an object. None are anything.
Shapes = tuple[Any, ...]
_ANYTHING: Shapes = ()


class BadNotation(AssertionError):
    """A statement that is not of this notation; the message has what was not understood."""


def parse(text: str) -> Shapes:
    """Read one statement.

    Raises:
        BadNotation: it is not of this notation.
    """
    reader = _Reader(text.rstrip())
    shapes = reader.alternatives()
    if reader.rest:
        raise BadNotation(f"{reader.rest[:60]!r} in {text!r}")
    return shapes


class _Reader:
    """``rest``: what was not read yet."""

    def __init__(self, text: str) -> None:
        self.rest = text

    def alternatives(self) -> Shapes:
        shapes = [self._shape()]
        while self._skip("|"):
            shapes.append(self._shape())
        return tuple(shapes)

    def _shape(self) -> Any:
        match self._token():
            case ("text", text):
                return text[1:-1]
            case ("number", number):
                return int(number)
            case ("name", name):
                return Name(name)
            case ("sign", "["):
                return self._list()
            case ("sign", "{"):
                return self._object()
        raise BadNotation(f"no value before {self.rest[:60]!r}")

    def _list(self) -> list[Shapes | Name]:
        items: list[Shapes | Name] = [self.alternatives()]
        while self._skip(","):
            items.append(self.alternatives())
        if self._skip("…"):
            items.append(Name("…"))
        self._expect("]")
        return items

    def _object(self) -> dict[str, Shapes]:
        fields: dict[str, Shapes] = {}
        while not fields or self._skip(","):
            kind, text = self._token()
            if kind not in ("text", "base"):
                raise BadNotation(f"no field before {self.rest[:60]!r}")
            name = text if kind == "base" else text[1:-1]
            name += "?" if self._skip("?") else ""
            if name in fields:
                raise BadNotation(f"{name!r} twice")
            fields[name] = self.alternatives() if self._skip(":") else _ANYTHING
        self._expect("}")
        return fields

    def _token(self) -> tuple[str, str]:
        match = _TOKEN.match(self.rest)
        if match is None or match.lastgroup is None:
            raise BadNotation(f"not understood: {self.rest[:60]!r}")
        self.rest = self.rest[match.end() :]
        return match.lastgroup, match[match.lastgroup]

    def _skip(self, sign: str) -> bool:
        match = _TOKEN.match(self.rest)
        found = match is not None and match["sign"] == sign
        if found and match is not None:
            self.rest = self.rest[match.end() :]
        return found

    def _expect(self, sign: str) -> None:
        if not self._skip(sign):
            raise BadNotation(f"no {sign} before {self.rest[:60]!r}")


def misfits(shapes: Shapes, value: Any, named: dict[str, Shapes], at: str) -> Iterator[str]:
    """Yield where the value is none of the shapes. ``named``: what each name stands for."""
    if len(shapes) > 1 and all(type(shape) is str for shape in shapes) and isinstance(value, str):
        if value not in shapes and not any("<" in shape for shape in shapes):
            yield f"{at}: {value!r} is none of {shapes}"
        return
    found = [list(_misfits(shape, value, named, at)) for shape in shapes]
    if all(found):
        yield from (problem for problems in found for problem in problems)


def _misfits(shape: Any, value: Any, named: dict[str, Shapes], at: str) -> Iterator[str]:
    match shape:
        case Name() if shape in named:
            yield from misfits(named[shape], value, named, at)
        case dict() if isinstance(value, dict):
            yield from _misfits_of_object(shape, value, named, at)
        case [item, "…"] if isinstance(value, list):
            for one in value:
                yield from misfits(item, one, named, f"{at}[]")
        case list() if isinstance(value, list) and len(value) == len(shape):
            for item, one in zip(shape, value, strict=True):
                yield from misfits(item, one, named, f"{at}[]")
        case _ if not _fits(shape, value):
            yield f"{at}: {value!r} is not {shape!r}"


def _fits(shape: Any, value: Any) -> bool:
    if isinstance(shape, Name):
        return value is None if shape == "null" else shape == "bool" and isinstance(value, bool)
    return type(shape) in (int, str) and type(value) is type(shape)


def _misfits_of_object(
    shape: dict[str, Shapes], value: dict[str, Any], named: dict[str, Shapes], at: str
) -> Iterator[str]:
    fields: dict[str, Shapes] = {}
    for name, shapes in shape.items():
        fields |= named[name][0] if name in named else {name: shapes}
    known = {name.removesuffix("?"): shapes for name, shapes in fields.items()}
    yield from (f"{at}.{name} is sent, not documented" for name in value.keys() - known.keys())
    yield from (
        f"{at}.{name} is documented, not sent"
        for name in fields.keys() - value.keys()
        if "?" not in name
    )
    for name in known.keys() & value.keys():
        yield from misfits(known[name], value[name], named, f"{at}.{name}")
