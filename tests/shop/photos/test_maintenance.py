"""What ``delete_photos`` finds and removes."""

from __future__ import annotations

import json
import os
import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from chat.core.clock import now
from chat.shop.photos import files
from chat.shop.photos.maintenance import GRACE_S, LIFE
from chat.shop.photos.models import Photo
from chat.shop.photos.services import attach, keep
from tests.database import refusing

CAMILLE, ZOE = "c" * 16, "z" * 16

pytestmark = pytest.mark.django_db


def sent(photo, age):
    Photo.objects.filter(pk=photo.pk).update(sent_at=now() - age)
    return photo


def written(name, age_s):
    moment = time.time() - age_s
    for small in (False, True):
        os.utime(files.path_of(name, small=small), (moment, moment))
    return name


@pytest.fixture
def shelf(processed):
    """Of each kind one, and of each kind one that only looks like it."""
    attached = sent(keep(CAMILLE, "1" * 64, processed), 2 * LIFE)
    attach(CAMILLE, "SAV-2026-00042")
    lost = keep(ZOE, "3" * 64, processed)
    files.remove(lost.name)
    return {
        "attached": attached,
        "old": sent(keep(CAMILLE, "2" * 64, processed), LIFE + timedelta(minutes=1)),
        "young": sent(keep(CAMILLE, "4" * 64, processed), LIFE - timedelta(minutes=1)),
        "lost": lost,
        "stray": written(files.write(processed), GRACE_S + 60),
        "fresh": written(files.write(processed), GRACE_S - 60),
    }


def run(capsys, *arguments):
    call_command("delete_photos", *arguments)
    return capsys.readouterr().out


def test_what_nobody_wants_is_removed_and_nothing_else(shelf, capsys):
    said = run(capsys)

    assert "1 photo(s) sans dossier depuis 30 jours, 1 ligne(s) sans fichier, 1 fichier(s)" in said
    assert set(Photo.objects.all()) == {shelf["attached"], shelf["young"]}
    assert {name for name, _ in files.stored()} == {
        shelf["attached"].name,
        shelf["young"].name,
        shelf["fresh"],
    }
    again = json.loads(run(capsys, "--json"))
    assert again == {"deleted": True, "old": 0, "lost": 0, "stray": 0}


def test_dry_run_deletes_nothing(shelf, capsys):
    before = set(files.stored())
    said = json.loads(run(capsys, "--dry-run", "--json"))

    assert said == {"deleted": False, "old": 1, "lost": 1, "stray": 1}
    assert "À blanc" in run(capsys, "--dry-run")
    assert Photo.objects.count() == 4
    assert set(files.stored()) == before


def test_folder_that_is_not_mounted_loses_no_row(processed, media):
    photo = keep(CAMILLE, "1" * 64, processed)
    media.rename(media.with_name("elsewhere"))

    with pytest.raises(CommandError, match="monté") as refused:
        call_command("delete_photos")

    assert refused.value.returncode == 2
    assert list(Photo.objects.all()) == [photo]


def test_nothing_at_all_is_fine(capsys):
    assert "0 photo(s)" in run(capsys)


def test_file_of_another_program_is_left_alone(media, capsys):
    (media / "ab").mkdir(parents=True)
    stranger = media / "ab" / "vacances.jpg"
    stranger.write_bytes(b"")
    os.utime(stranger, (0, 0))

    assert "0 fichier(s)" in run(capsys)
    assert stranger.exists()


def test_database_that_is_away_is_said():
    with refusing('"chat_photo"'), pytest.raises(CommandError, match="base de données"):
        call_command("delete_photos")
