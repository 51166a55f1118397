"""Files that are there whole, or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

from chat.management.console import cannot


def write_whole(path: Path, text: str) -> None:
    """Write the file in one step, readable by its owner only; nothing is left when interrupted.

    Raises:
        CommandError: there is no such folder, or no right to write there.
    """
    part: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=path.parent, prefix=".", delete=False
        ) as file:
            part = Path(file.name)
            file.write(text)
        part.replace(path)
    except OSError as error:
        raise cannot(f"Impossible d'écrire {path} : {error.strerror}.") from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
