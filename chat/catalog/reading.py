"""The reading of files is shared by all imports; these are its names for the catalogue."""

from __future__ import annotations

from chat.imports.reading import MAX_BYTES, MAX_ROWS, Problem, RawRow, Unreadable, read_rows

__all__ = ["MAX_BYTES", "MAX_ROWS", "Problem", "RawRow", "Unreadable", "read_rows"]
