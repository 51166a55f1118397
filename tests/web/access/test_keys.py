from __future__ import annotations

import pytest

from chat.web.access.keys import hash_of, is_same, new_key, split_key


def test_a_new_key_can_be_taken_apart_and_proved():
    key = new_key()

    prefix, secret = split_key(key.text)

    assert prefix == key.prefix
    assert is_same(hash_of(secret), key.secret_hash)
    assert secret not in key.secret_hash


def test_keys_differ():
    assert len({new_key().text for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mdf_",
        "mdf_0123456789ab_",
        "mdf_0123456789ab_" + "a" * 42,
        "mdf_0123456789ab_" + "a" * 44,
        "mdf_0123456789ab_" + "a" * 42 + "é",
        "mdf_0123456789ab_" + "a" * 43 + "\n",
        "mdf_0123456789AB_" + "a" * 43,
        "sk-0123456789ab_" + "a" * 43,
        "a" * 100_000,
    ],
)
def test_what_is_no_key_of_ours(text):
    assert split_key(text) is None
