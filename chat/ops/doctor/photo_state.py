"""Photos: whether there is room for more, and how their decoders are confined."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connections

from chat.ops.doctor.database_state import is_missing
from chat.ops.doctor.findings import Finding, ok, skipped, warning, wrong
from chat.shop.photos.processor import SYSTEM_LAYERS, layers_of_confinement
from chat.shop.photos.quota import MB, Space, space

NEARLY_FULL = 0.8
_CLEAN = "python manage.py delete_photos   # ou PHOTOS_MAX_TOTAL_MB=… dans .env"
_KERNEL = "uname -r   # Linux 5.13 ou plus récent, avec seccomp et Landlock, x86_64 ou aarch64"
_DISK = "df -h   # puis agrandir le volume des photos, ou PHOTOS_MIN_FREE_MB=… dans .env"


def check_photos() -> list[Finding]:
    try:
        if is_missing(connections[DEFAULT_DB_ALIAS]):
            raise OperationalError
        found = space()
    except DatabaseError:
        return [skipped("Photos : place", "la base ne répond pas")]
    return [evaluate_quota(found), evaluate_disk(found)]


def check_confinement() -> list[Finding]:
    return [evaluate_confinement(layers_of_confinement())]


def evaluate_confinement(layers: Sequence[str]) -> Finding:
    """``layers``: as ``layers_of_confinement``."""
    name, what = "Photos : confinement", ", ".join(layers) or "aucun"
    missing = [layer for layer in SYSTEM_LAYERS if layer not in layers]
    if missing == list(SYSTEM_LAYERS):
        return wrong(name, f"{what} : un décodeur piégé lirait les fichiers du site", _KERNEL)
    if missing:
        return warning(name, f"{what} ; sans {', '.join(missing)}", _KERNEL)
    return ok(name, what)


def evaluate_quota(found: Space) -> Finding:
    name = "Photos : place prise"
    if not found.max_bytes:
        return ok(name, f"{_mb(found.used_bytes)}, sans limite")
    what = f"{_mb(found.used_bytes)} sur {_mb(found.max_bytes)}"
    if found.is_over_quota:
        return wrong(name, f"{what} : plus aucune photo n'est acceptée", _CLEAN)
    if found.used_bytes > NEARLY_FULL * found.max_bytes:
        return warning(name, what, _CLEAN)
    return ok(name, what)


def evaluate_disk(found: Space) -> Finding:
    name = "Photos : place libre"
    what = f"{_mb(found.free_bytes)}, plancher {_mb(found.min_free_bytes)}"
    if found.is_disk_full:
        return wrong(name, f"{what} : plus aucune photo n'est acceptée", _DISK)
    if found.free_bytes < 2 * found.min_free_bytes:
        return warning(name, what, _DISK)
    return ok(name, what)


def _mb(size_bytes: int) -> str:
    return f"{size_bytes // MB} Mo"
