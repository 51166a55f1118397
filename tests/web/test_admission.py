"""Who may send a long body, by its head alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient

from chat.conversations import cookie
from chat.core.errors import Forbidden, RateLimited, SessionNotFound
from chat.shop.photos.quota import PhotosFull
from chat.web.admission import admit

pytestmark = pytest.mark.django_db(transaction=True)

SHOP = "http://testserver"
TOKEN = "a" * 32


def scope(path="/photos/", size=1_000_000, address="203.0.113.7", **headers):
    given = {"host": "testserver", "content-length": str(size), **headers}
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "scheme": "http",
        "client": [address, 4711],
        "headers": [
            (name.replace("_", "-").encode(), value.encode())
            for name, value in given.items()
            if value
        ],
    }


def camille(csrf=TOKEN):
    signed = f"{cookie.NAME}={cookie.sign(cookie.new_session_id())}"
    return f"{signed}; csrftoken={csrf}" if csrf else signed


async def test_script_with_its_token_is_admitted_for_its_network():
    asked = scope(cookie=camille(), x_csrftoken=TOKEN, origin=SHOP, address="2001:db8::7")

    assert await admit(asked) == "2001:db8::/64"


@pytest.mark.parametrize(
    "headers",
    [{"origin": SHOP}, {"referer": f"{SHOP}/photos/"}, {}],
    ids=["origin", "referer", "a program that says neither"],
)
async def test_form_is_admitted_and_its_token_is_looked_at_later(headers):
    assert await admit(scope(cookie=camille(), **headers)) == "203.0.113.7"


@pytest.mark.parametrize("given", ["", "chat_session=x:y", "csrftoken=" + TOKEN])
async def test_nobody_sends_a_photo_without_a_conversation(given):
    with pytest.raises(SessionNotFound):
        await admit(scope(cookie=given, origin=SHOP))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://zoe.example"},
        {"origin": "null"},
        {"referer": "https://zoe.example/photos/"},
        {"referer": "rubbish"},
        {"x_csrftoken": "b" * 32, "origin": SHOP},
        {"x_csrftoken": "", "origin": "http://testserver.zoe.example"},
        {"x_csrftoken": TOKEN, "origin": "https://zoe.example"},
    ],
)
async def test_page_of_another_site_sends_nothing(headers):
    with pytest.raises(Forbidden):
        await admit(scope(cookie=camille(), **headers))


async def test_form_without_the_cookie_of_its_token_is_refused():
    with pytest.raises(Forbidden):
        await admit(scope(cookie=camille(csrf=""), origin=SHOP))


async def test_photos_are_counted_before_they_come(settings):
    settings.ENV = replace(settings.ENV, photo_rate_per_minute=2)
    asked = scope(cookie=camille(), origin=SHOP)
    for _ in range(2):
        await admit(asked)
    with pytest.raises(RateLimited):
        await admit(asked)


@pytest.mark.parametrize("size, admitted", [(1, 30), (1_000_000, 30), (10_000_000, 3)])
async def test_address_has_so_many_megabytes_a_day_whatever_its_cookies(settings, size, admitted):
    settings.ENV = replace(settings.ENV, photo_mb_per_address_per_day=30)
    for _ in range(admitted):
        await admit(scope(cookie=camille(), size=size))
    with pytest.raises(RateLimited) as refused:
        await admit(scope(cookie=camille(), size=size))

    assert "aujourd'hui" in refused.value.message
    assert 80_000 < refused.value.retry_after_s <= 24 * 3600
    await admit(scope(cookie=camille(), size=size, address="203.0.113.8"))


async def test_body_that_does_not_say_its_length_counts_as_the_longest(settings):
    settings.ENV = replace(settings.ENV, photo_mb_per_address_per_day=30)
    asked = scope(cookie=camille())
    asked["headers"] = [header for header in asked["headers"] if header[0] != b"content-length"]
    for _ in range(2):
        await admit(asked)
    with pytest.raises(RateLimited):
        await admit(asked)


async def test_no_photo_is_read_when_there_is_no_room_for_it(settings):
    settings.ENV = replace(settings.ENV, photos_min_free_mb=999_999_999)
    with pytest.raises(PhotosFull):
        await admit(scope(cookie=camille()))


# The admin


async def staff(**rights):
    client = AsyncClient()
    user = await sync_to_async(User.objects.create_user)("claire", **rights)
    await client.aforce_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"


@pytest.mark.parametrize("size", [65_537, 12_000_000])
async def test_stranger_sends_nothing_long_to_the_admin(size):
    for given in ("", "sessionid=x"):
        with pytest.raises(Forbidden):
            await admit(scope("/admin/login/", size, cookie=given))


async def test_customer_with_an_account_is_a_stranger_there():
    with pytest.raises(Forbidden):
        await admit(scope("/admin/login/", 70_000, cookie=await staff()))


async def test_login_and_imports_are_admitted(settings):
    assert await admit(scope("/admin/login/", 500)) == "203.0.113.7"
    claire = await staff(is_staff=True)
    assert await admit(scope("/admin/chat/product/add/", 12_000_000, cookie=claire))

    settings.ENV = replace(settings.ENV, photos_min_free_mb=999_999_999)
    with pytest.raises(PhotosFull):
        await admit(scope("/admin/chat/product/add/", 12_000_000, cookie=claire))
