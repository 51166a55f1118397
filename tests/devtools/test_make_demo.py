from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import CommandError, call_command

from devtools.management.commands.make_demo import passwords_file
from tests.web.access.staff import is_in, make_groups


@pytest.fixture(autouse=True)
def _own_media_dir(settings, tmp_path: Path) -> None:
    """An installation of its own for each test."""
    settings.ENV = replace(settings.ENV, media_dir=str(tmp_path / "media"))


def make_demo(username: str = "demo") -> str:
    """Run the command and return the password that it shows for this account."""
    shown = io.StringIO()
    call_command("make_demo", stdout=shown)
    pairs = re.findall(r"(\w+) / (\S+)$", shown.getvalue(), re.MULTILINE)
    passwords: dict[str, str] = dict(pairs)
    return passwords[username]


@pytest.mark.django_db
def test_demo_shows_a_password_that_opens_the_admin(client):
    password = make_demo()

    assert client.login(username="demo", password=password)
    assert is_in(client)


@pytest.mark.django_db
@pytest.mark.parametrize("username", ["demo", "claire", "responsable"])
def test_demo_password_stays_the_same_and_ends_no_login(client, username):
    make_groups()
    first = make_demo(username)
    client.login(username=username, password=first)

    assert make_demo(username) == first
    assert is_in(client)
    assert get_user_model().objects.count() == 3


@pytest.mark.django_db
def test_demo_password_is_another_in_another_installation(settings, tmp_path):
    first = make_demo()
    settings.ENV = replace(settings.ENV, media_dir=str(tmp_path / "another"))
    second = make_demo()

    assert authenticate(username="demo", password=first) is None
    assert authenticate(username="demo", password=second) is not None
    assert len({make_demo(name) for name in ("demo", "claire", "responsable")}) == 3


@pytest.mark.django_db
def test_demo_passwords_can_be_read_by_nobody_else():
    passwords_file().parent.mkdir()
    passwords_file().write_text("{}")
    passwords_file().chmod(0o644)
    password = make_demo()

    assert password in passwords_file().read_text()
    assert passwords_file().stat().st_mode & 0o777 == 0o600


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"demo": 1}', b'{"demo": ""}', b'{"demo": "a\\nb"}', b"\xff"],
)
def test_demo_makes_passwords_anew_where_the_file_has_none(content):
    first = make_demo()
    passwords_file().write_bytes(content)
    second = make_demo()

    assert second != first
    assert authenticate(username="demo", password=second) is not None
    assert make_demo() == second


@pytest.mark.django_db
def test_demo_says_that_passwords_cannot_be_kept(tmp_path):
    (tmp_path / "media").write_text("a file where the folder should be")

    with pytest.raises(CommandError, match=r"demo_passwords\.json"):
        make_demo()


@pytest.mark.django_db
def test_demo_shows_a_password_that_opens_an_account_whose_own_was_changed():
    first = make_demo()
    user = get_user_model().objects.get(username="demo")
    user.set_password("changed-in-the-admin")
    user.save()

    assert make_demo() == first
    assert authenticate(username="demo", password=first) is not None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "username, group", [("claire", "Conseillers"), ("responsable", "Responsables")]
)
def test_demo_has_an_adviser_and_a_manager(client, username, group):
    make_groups()
    assert client.login(username=username, password=make_demo(username))
    user = get_user_model().objects.get(username=username)
    assert [row.name for row in user.groups.all()] == [group]
    assert not user.is_superuser
    assert is_in(client)


@pytest.mark.django_db
def test_demo_repairs_an_account_that_was_locked():
    make_demo()
    get_user_model().objects.update(is_active=False, is_staff=False)

    assert authenticate(username="demo", password=make_demo()) is not None


@pytest.mark.django_db
def test_demo_refuses_production(settings):
    settings.ENV = replace(settings.ENV, debug=False)

    with pytest.raises(CommandError, match="DEBUG=1"):
        make_demo()
    assert not get_user_model().objects.exists()
