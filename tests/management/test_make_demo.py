from __future__ import annotations

import io
from dataclasses import replace

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import CommandError, call_command


def make_demo() -> str:
    """Run the command and return the password that it shows."""
    shown = io.StringIO()
    call_command("make_demo", stdout=shown)
    return shown.getvalue().split()[-1]


@pytest.mark.django_db
def test_demo_shows_a_password_that_opens_the_admin(client):
    password = make_demo()

    assert client.login(username="demo", password=password)
    assert client.get("/admin/").status_code == 200


@pytest.mark.django_db
def test_demo_password_is_new_each_time():
    first, second = make_demo(), make_demo()

    assert authenticate(username="demo", password=first) is None
    assert authenticate(username="demo", password=second) is not None
    assert get_user_model().objects.count() == 1


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
