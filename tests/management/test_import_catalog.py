from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from chat.shop.catalog.models import Product
from devtools.demo.data import DEMO_FILE

pytestmark = pytest.mark.django_db

HEADER = "référence;nom;catégorie;prix;livraison_min;livraison_max\n"
GOOD = "SAL-CAP-001;Canapé OSLO;Salon;1 299,00;6;8\n"


def run(path: Path, **options: Any) -> tuple[str, str, int]:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_catalog", path, stdout=out, stderr=err, **options)
    except SystemExit as leaving:
        return out.getvalue(), err.getvalue(), int(str(leaving.code))
    return out.getvalue(), err.getvalue(), 0


@pytest.fixture
def file(tmp_path):
    def write(text: str) -> Path:
        path: Path = tmp_path / "catalogue.csv"
        path.write_text(text)
        return path

    return write


def test_import_says_what_it_did_and_then_that_nothing_is_left(file):
    path = file(HEADER + GOOD)

    assert run(path) == (
        "1 produits créés, 0 modifiés, 0 retirés de la vente, 0 inchangés.\n",
        "",
        0,
    )
    assert run(path) == ("Rien à changer : 1 produits déjà à jour.\n", "", 0)
    assert Product.objects.get().price_min_cents == 129_900


def test_dry_run_writes_nothing_and_says_so(file):
    out, _, code = run(file(HEADER + GOOD), dry_run=True)

    assert out.startswith("À blanc, rien n'est écrit : 1 produits créés")
    assert code == 0
    assert not Product.objects.exists()


def test_faults_are_all_told_and_nothing_is_written(file):
    path = file(HEADER + GOOD + GOOD + "X;=A1;Salon;-1;6;8\n")

    out, err, code = run(path)

    assert (out, code) == ("", 1)
    assert "ligne 3, colonne reference : SAL-CAP-001 figure déjà à la ligne 2." in err
    for column in ("référence", "nom", "prix"):
        assert f"ligne 4, colonne {column} : " in err
    assert "4 erreur(s) : rien n'a été écrit." in err
    assert not Product.objects.exists()


def test_json_is_for_programs(file):
    good, _, _ = run(file(HEADER + GOOD), json=True)
    bad, _, code = run(file(HEADER + "X;Y;Z;1;6;8\n"), json=True)

    assert json.loads(good)["created"] == ["SAL-CAP-001"]
    assert [fault["column"] for fault in json.loads(bad)["errors"]] == ["référence"]
    assert code == 1


def test_missing_products_are_taken_off_sale(file):
    run(DEMO_FILE)

    out, _, _ = run(file(HEADER + GOOD), deactivate_missing=True)

    assert "69 retirés de la vente" in out
    assert Product.objects.filter(is_active=True).count() == 1


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(CommandError, match="illisible") as refused:
        run(tmp_path / "none.csv")

    assert refused.value.returncode == 2
