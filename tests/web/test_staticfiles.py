from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import override_settings

IMPORT = re.compile(r'^\s*(?:import|export)\b[^;"]*"(\./[^"]+)";', re.MULTILINE)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Everything collected as in production, with two modules of ours beside it."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("collected")
    (source / "page.js").write_text('import { wait } from "./wait.js";\nwait();\n')
    (source / "wait.js").write_text("export function wait() {}\n" * 40)
    manifest = {"BACKEND": "chat.web.staticfiles.ModuleManifestStorage"}
    storages = {**settings.STORAGES, "staticfiles": manifest}
    with override_settings(STATICFILES_DIRS=[source], STATIC_ROOT=target, STORAGES=storages):
        call_command("collectstatic", interactive=False, verbosity=0)
        yield target


def test_modules_import_one_another_by_their_hashed_names(collected):
    page = staticfiles_storage.stored_name("page.js")
    wait = staticfiles_storage.stored_name("wait.js")

    assert re.fullmatch(r"page\.[0-9a-f]{12}\.js", page)
    assert f'from "./{wait}";' in (collected / page).read_text()


def test_no_module_of_ours_imports_a_name_without_hash(collected):
    for name in staticfiles_storage.hashed_files:
        if name.startswith("chat/") and name.endswith(".js"):
            script = (collected / staticfiles_storage.stored_name(name)).read_text()
            for target in IMPORT.findall(script):
                assert re.search(r"\.[0-9a-f]{12}\.js$", target), f"{name} imports {target}"


def test_files_are_stored_compressed_too(collected):
    assert (collected / f"{staticfiles_storage.stored_name('wait.js')}.gz").is_file()
