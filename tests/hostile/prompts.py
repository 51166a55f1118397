"""The set of prompts.yaml as values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("prompts.yaml")
#: ``{word *40}`` stands for the word forty times.
_REPEATED = re.compile(r"\{(\S+? ?[^{}]*?)\*(\d+)\}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """``never``: what may not be read in the answer, as regular expressions."""

    id: str
    family: str
    text: str
    never: tuple[str, ...] = ()


def read_prompts() -> list[Prompt]:
    data = yaml.safe_load(FILE.read_text())
    return [
        _prompt(family, language, number, entry)
        for family, by_language in data.items()
        for language, entries in by_language.items()
        for number, entry in enumerate(entries)
    ]


def _prompt(family: str, language: str, number: int, entry: str | dict[str, Any]) -> Prompt:
    entry = {"text": entry} if isinstance(entry, str) else entry
    text = _REPEATED.sub(lambda match: match[1] * int(match[2]), entry["text"])
    return Prompt(f"{family}-{language}-{number}", family, text, tuple(entry.get("never", ())))
