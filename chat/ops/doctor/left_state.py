"""Conversations that a worker left in a file when it stopped while Redis was away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chat.conversations.store.failover.left_file import UNREADABLE, left_files, left_folder
from chat.ops.doctor.findings import Finding, ok, warning, wrong

_NAME = "Conversations laissées"


def check_left_conversations() -> list[Finding]:
    return [evaluate_left(left_files(left_folder()))]


def evaluate_left(paths: Sequence[Path]) -> Finding:
    """Judge the files that lie there; a running worker merges readable ones within seconds."""
    if not paths:
        return ok(_NAME, "aucun fichier")
    names = ", ".join(map(str, paths))
    if any(path.suffix == UNREADABLE for path in paths):
        what = f"illisible par cette version, effacé après 24 h : {names}"
        return wrong(_NAME, what, "python manage.py serve   # de la version qui l'a écrit")
    what = f"à réunir dès que Redis et un serveur tournent : {names}"
    return warning(_NAME, what, "docker compose up --detach redis web")
