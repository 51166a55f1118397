"""Static files: with ``DEBUG=0`` pages name them by their hash, so they must be collected."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage

from chat.ops.doctor.findings import Finding, ok, skipped, wrong

NAME = "Fichiers statiques"
FIX = "python manage.py collectstatic --no-input"


def check_static_files() -> list[Finding]:
    storage: Any = staticfiles_storage
    if not isinstance(storage, ManifestFilesMixin):
        return [skipped(NAME, "DEBUG=1 : servis depuis les sources")]
    return [_look_at(storage)]


def _look_at(storage: Any) -> Finding:
    manifest = Path(storage.path(storage.manifest_name))
    if not manifest.exists():
        return evaluate_static_files(str(manifest), None, ())
    stored, _ = storage.load_manifest()
    missing = [name for name in stored.values() if not Path(storage.path(name)).exists()]
    return evaluate_static_files(str(manifest), len(stored), missing)


def evaluate_static_files(manifest: str, count: int | None, missing: Iterable[str]) -> Finding:
    """``count``: files in the manifest, None when there is no manifest."""
    lost = list(missing)
    if count is None:
        return wrong(NAME, f"{manifest} manque : aucune page ne s'affichera", FIX)
    if lost or not count:
        what = f"{len(lost)} fichier(s) manquent sur {count}" if lost else "le manifeste est vide"
        return wrong(NAME, what, FIX)
    return ok(NAME, f"{count} fichiers, tous là")
