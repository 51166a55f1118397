"""Sanitising of untrusted text before it is stored, displayed or e-mailed. Pure."""

from __future__ import annotations

import re

#: Control characters except line feed and tab, surrogates, and bidirectional controls: databases
#: refuse some, and others spoof the display of pages and e-mails.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff]")


def lines_of(text: str) -> str:
    """Return the sanitised, trimmed text with ``\\n`` as line break."""
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def line_of(text: str) -> str:
    """Return the sanitised text on one line, with single spaces."""
    return _UNWANTED.sub("", " ".join(text.split())).strip()
