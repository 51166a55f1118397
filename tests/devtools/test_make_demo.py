from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import CommandError, call_command

from tests.access.staff import is_in, make_groups


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
def test_demo_password_is_new_each_time():
    first, second = make_demo(), make_demo()

    assert authenticate(username="demo", password=first) is None
    assert authenticate(username="demo", password=second) is not None
    assert get_user_model().objects.count() == 3


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
