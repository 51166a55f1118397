from __future__ import annotations

import pytest

from chat.conversations.handover.contacts import arecord_contact, checked_email, checked_subject
from chat.conversations.handover.models import ContactRequest
from chat.core.errors import InvalidMessage
from chat.core.ids import ref_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("text", ["", "camille", "a@b", "camille@example.test\n,b@c.fr", "é" * 300])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(InvalidMessage):
        checked_email(text)


def test_address_and_subject_are_tidied():
    assert checked_email(" Camille@Example.TEST ") == "camille@example.test"
    assert checked_subject(" Mon \x00canapé\n est  là ") == "Mon canapé est là"
    with pytest.raises(InvalidMessage):
        checked_subject("x" * 501)


async def test_an_address_is_kept_once_for_each_conversation():
    found = [
        await arecord_contact("one", "camille@example.test", "Canapé"),
        await arecord_contact("one", "camille@example.test", "Encore"),
        await arecord_contact("two", "camille@example.test", ""),
    ]

    assert found == [True, False, True]
    rows = [row async for row in ContactRequest.objects.order_by("pk")]
    assert [(row.session_ref, row.subject) for row in rows] == [
        (ref_of("one"), "Canapé"),
        (ref_of("two"), ""),
    ]
