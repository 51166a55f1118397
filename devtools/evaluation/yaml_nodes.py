"""Strict access to YAML nodes: collects errors with their lines, and converts nothing silently."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from devtools.evaluation.matching import phrase
from devtools.evaluation.types import Phrase, WantedValue

_WHOLE = re.compile(r"\d{1,9}")
_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?")
_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class YamlProblem:
    """Error in a YAML file. ``message``: French."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} : {self.message}"


@dataclass(slots=True)
class YamlFile:
    """File being read, with the errors found so far."""

    file: str
    problems: list[YamlProblem] = field(default_factory=list)

    def blame(self, node: yaml.Node, message: str) -> None:
        self.problems.append(YamlProblem(self.file, node.start_mark.line + 1, message))

    def mappings(self, node: yaml.Node) -> list[YamlMapping]:
        """Return a list of mappings."""
        return [self.mapping(item) for item in self.items(node)]

    def mapping(self, node: yaml.Node) -> YamlMapping:
        values: dict[str, yaml.Node] = {}
        if not isinstance(node, yaml.MappingNode):
            self.blame(node, "des champs « nom: valeur » sont attendus ici.")
            return YamlMapping(self, node, values)
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if not name or name in values:
                self.blame(key, f"champ répété ou sans nom : {name or '?'}.")
            values[name] = value
        return YamlMapping(self, node, values)

    def items(self, node: yaml.Node) -> list[yaml.Node]:
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        self.blame(node, "une liste est attendue ici.")
        return []

    def text(self, node: yaml.Node) -> str:
        """Return a scalar as written, whatever its YAML type; an empty one is an error."""
        if isinstance(node, yaml.ScalarNode) and node.value.strip():
            return str(node.value)
        self.blame(node, "un texte est attendu ici.")
        return ""

    def phrase(self, node: yaml.Node) -> Phrase:
        written = self.text(node)
        try:
            return phrase(written)
        except re.error as error:
            self.blame(node, f"expression régulière invalide : {error}.")
            return phrase("(?!)")

    def value(self, node: yaml.Node) -> WantedValue:
        """Return the expected value of an argument; text, quoted or not, is a pattern."""
        if not isinstance(node, yaml.ScalarNode):
            self.blame(node, "une valeur simple est attendue ici.")
            return None
        written = str(node.value)
        if node.style is None and written in ("null", "~"):
            return None
        if node.style is None and written in _FLAGS:
            return _FLAGS[written]
        if node.style is None and _NUMBER.fullmatch(written):
            return float(written) if "." in written else int(written)
        return self.phrase(node)


@dataclass(slots=True)
class YamlMapping:
    """Mapping that is read field by field; ``finish`` reports the fields that were not read."""

    file: YamlFile
    node: yaml.Node
    values: dict[str, yaml.Node]
    _asked: set[str] = field(default_factory=set)

    @property
    def is_mapping(self) -> bool:
        """Whether the node is a non-empty mapping; if not, that was already reported."""
        return isinstance(self.node, yaml.MappingNode)

    def get(self, name: str) -> yaml.Node | None:
        self._asked.add(name)
        return self.values.get(name)

    def text(self, name: str, *, required: bool = False) -> str:
        node = self.get(name)
        if node is None:
            if required and self.is_mapping:
                self.file.blame(self.node, f"le champ {name} manque.")
            return ""
        return self.file.text(node)

    def choice(self, name: str, values: Any, *, required: bool = False) -> str:
        text = self.text(name, required=required)
        if text and text not in values:
            self.file.blame(self.values[name], f"{name} : l'un de {', '.join(values)}.")
        return text

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self.file.text(item) for item in self._items(name))

    def phrases(self, name: str) -> tuple[Phrase, ...]:
        return tuple(self.file.phrase(item) for item in self._items(name))

    def groups(self, name: str) -> tuple[tuple[Phrase, ...], ...]:
        """Return a list whose items are phrases, or lists of alternatives."""
        return tuple(
            tuple(self.file.phrase(one) for one in item.value)
            if isinstance(item, yaml.SequenceNode)
            else (self.file.phrase(item),)
            for item in self._items(name)
        )

    def nodes(self, name: str) -> list[yaml.Node]:
        return self._items(name)

    def flag(self, name: str) -> bool | None:
        node = self.get(name)
        if node is None:
            return None
        if isinstance(node, yaml.ScalarNode) and node.value in _FLAGS:
            return _FLAGS[node.value]
        self.file.blame(node, f"{name} : true ou false.")
        return None

    def whole(self, name: str) -> int | None:
        node = self.get(name)
        if node is None:
            return None
        if isinstance(node, yaml.ScalarNode) and _WHOLE.fullmatch(node.value):
            return int(node.value)
        self.file.blame(node, f"{name} : un nombre entier.")
        return None

    def finish(self) -> None:
        for name, node in self.values.items():
            if name not in self._asked:
                known = ", ".join(sorted(self._asked))
                self.file.blame(node, f"champ inconnu : {name} (connus : {known}).")

    def _items(self, name: str) -> list[yaml.Node]:
        node = self.get(name)
        return [] if node is None else self.file.items(node)
