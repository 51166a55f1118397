"""What each worker says of its storage: only it knows of copies that wait to be merged."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

TIMEOUT_S = 3

#: By what ``/readyz`` says of Redis.
WORDS = {
    "ok": "Redis, aucune copie en attente",
    "memory": "en mémoire : des copies seront réunies au retour de Redis",
    "failing": "Redis ne répond pas à ce serveur",
}
SILENT = "pas de réponse"


def storage_of(address: str) -> str:
    """Ask ``/readyz`` of the worker at ``http://host:port``."""
    request = urllib.request.Request(f"{address}/readyz")  # noqa: S310 - checked to be http(s)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 # nosec B310
            body = answer.read()
    except urllib.error.HTTPError as error:
        body = error.read()  # 503 says what is failing
    except OSError:
        return SILENT
    try:
        return WORDS.get(json.loads(body)["redis"], SILENT)
    except (ValueError, KeyError, TypeError):
        return SILENT
