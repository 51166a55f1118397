"""Text that strangers wrote, as it may be stored, shown and sent. Pure."""

from __future__ import annotations

import re

#: Control characters but for the end of a line and the tab, halves of a character, and marks
#: that turn the direction of what follows: databases refuse some, pages and e-mails are fooled.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff]")


def lines_of(text: str) -> str:
    """Return the text, trimmed, with its line breaks as ``\\n``."""
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def line_of(text: str) -> str:
    """Return the text on one line, with single spaces."""
    return _UNWANTED.sub("", " ".join(text.split())).strip()
