from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from chat.web.access.keys import hash_of, split_key
from chat.web.access.models import ApiKey

pytestmark = pytest.mark.django_db


def test_command_prints_a_key_that_works_alone_on_standard_output():
    out, err = StringIO(), StringIO()

    call_command("create_api_key", "site web", stdout=out, stderr=err)

    prefix, secret = split_key(out.getvalue().strip())
    assert ApiKey.objects.get(prefix=prefix).secret_hash == hash_of(secret)
    assert secret not in err.getvalue()


def test_command_prints_json_for_scripts():
    out = StringIO()

    call_command("create_api_key", "site web", json=True, stdout=out)

    printed = json.loads(out.getvalue())
    assert printed["name"] == "site web"
    assert ApiKey.objects.get(pk=printed["id"]).prefix == split_key(printed["key"])[0]


@pytest.mark.parametrize("name", ["", "   ", "x" * 101])
def test_command_refuses_a_bad_name(name):
    with pytest.raises(CommandError):
        call_command("create_api_key", name)

    assert not ApiKey.objects.exists()
