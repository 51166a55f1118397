"""Photos of a conversation: sent, listed, shown, withdrawn, and whoever means no good."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from uuid import UUID

import pytest
from channels.db import database_sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient, Client
from PIL import Image

from chat.conversations import cookie
from chat.core.ids import ref_of
from chat.ops.ending import end_session, erase_session
from chat.shop.photos import files
from chat.shop.photos.models import Photo
from chat.shop.photos.processor import MAX_BYTES, PHOTO_PROCESSOR, PhotoProcessor
from chat.shop.photos.services import attach
from devtools.local_assistant.request import parse_request
from tests import database
from tests.fakes import FakeLLM
from tests.shop.photos import pictures

pytestmark = pytest.mark.django_db(transaction=True)

TABLE = Photo._meta.db_table

JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    """Each test has a folder of its own for photos."""
    settings.ENV = replace(settings.ENV, media_dir=str(tmp_path / "media"))


def browser():
    client = AsyncClient()
    client.cookies[cookie.NAME] = cookie.sign(cookie.new_session_id())
    return client


@pytest.fixture
def camille():
    return browser()


def id_of(client):
    return cookie.session_id_from({cookie.NAME: client.cookies[cookie.NAME].value})


def upload(data, name="photo.jpg", claimed="image/jpeg"):
    return {"photo": SimpleUploadedFile(name, data, claimed)}


async def send(client, data=None, **more):
    data = pictures.photo() if data is None else data
    return await client.post("/photos/", upload(data, **more), headers=JSON)


async def listed(client):
    answer = await client.get("/photos/", headers=JSON)
    return json.loads(answer.content)["photos"]


def code_of(answer):
    return answer.status_code, json.loads(answer.content)["code"]


async def test_photo_is_kept_listed_and_shown(camille):
    answer = await send(camille, pictures.photo(exif=pictures.exif(6)))

    assert answer.status_code == 201
    told = json.loads(answer.content)["photo"]
    (same,) = await listed(camille)
    assert (told["id"], told["width"], told["height"]) == (same["id"], 48, 64)
    shown = await camille.get(same["url"])
    assert shown.headers["Content-Type"] == "image/jpeg"
    assert shown.headers["Content-Disposition"] == 'inline; filename="photo.jpg"'
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in shown.headers["Cache-Control"]
    assert dict(Image.open(BytesIO(shown.content)).getexif()) == {}
    row = await Photo.objects.aget()
    assert row.session_ref == ref_of(id_of(camille))


@pytest.mark.parametrize(
    "name, claimed",
    [
        ("photo.exe", "application/octet-stream"),
        ("../../x.html", "text/html"),
        ("a", "image/svg+xml"),
    ],
)
async def test_neither_name_nor_claimed_type_is_asked(camille, name, claimed):
    answer = await send(camille, pictures.photo("PNG"), name=name, claimed=claimed)

    assert answer.status_code == 201
    assert (await camille.get((await listed(camille))[0]["url"])).headers[
        "Content-Type"
    ] == "image/jpeg"


@pytest.mark.parametrize(
    "data, code",
    [
        (b"<svg onload='alert(1)'/>", (422, "invalid_photo")),
        (b"<!doctype html><script>", (422, "invalid_photo")),
        (pictures.photo()[:300], (422, "invalid_photo")),
        (pictures.animated("WEBP"), (422, "invalid_photo")),
        (pictures.png_of(60_000, 60_000, 1), (422, "invalid_photo")),
        (pictures.photo().ljust(MAX_BYTES + 1, b"\0"), (413, "payload_too_large")),
    ],
    ids=["svg", "html", "cut", "animated", "bomb", "10MB+1"],
)
async def test_what_is_no_photo_is_refused_and_leaves_nothing(camille, data, code):
    answer = await send(camille, data)

    assert code_of(answer) == code
    assert await Photo.objects.acount() == 0
    assert list(files.stored()) == []


async def test_form_without_a_file_is_told_so(camille):
    assert code_of(await camille.post("/photos/", {}, headers=JSON)) == (422, "invalid_photo")
    nothing = {"photo": "text"}
    assert code_of(await camille.post("/photos/", nothing, headers=JSON)) == (422, "invalid_photo")


async def test_same_file_is_one_photo_and_six_are_too_many(camille):
    first = await send(camille)
    again = await send(camille)
    for number in range(4):
        assert (await send(camille, pictures.photo(width=70 + number))).status_code == 201
    sixth = await send(camille, pictures.photo(width=90))

    assert json.loads(first.content)["photo"]["id"] == json.loads(again.content)["photo"]["id"]
    assert code_of(sixth) == (409, "too_many_photos")
    assert len(await listed(camille)) == 5


async def test_many_at_once_are_never_six(camille):
    answers = await asyncio.gather(
        *(send(camille, pictures.photo(width=64 + number)) for number in range(8))
    )

    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [409] * 3
    assert await Photo.objects.acount() == 5


async def test_stranger_sees_and_withdraws_nothing(camille):
    await send(camille)
    (photo,) = await listed(camille)
    zoe = browser()

    assert await listed(zoe) == []
    assert code_of(await zoe.get(f"/photos/{photo['id']}/")) == (403, "forbidden")
    assert code_of(await zoe.get(f"/photos/{photo['id']}/?s=1:x")) == (403, "forbidden")
    await zoe.post(f"/photos/{photo['id']}/delete/", headers=JSON)
    assert len(await listed(camille)) == 1
    assert code_of(
        await AsyncClient().post("/photos/", upload(pictures.photo()), headers=JSON)
    ) == (
        404,
        "session_not_found",
    )


async def test_id_of_the_conversation_is_in_no_address(camille):
    await send(camille)
    (photo,) = await listed(camille)

    assert id_of(camille) not in json.dumps(photo)
    assert ref_of(id_of(camille)) not in json.dumps(photo)


async def test_withdrawn_photo_is_gone_from_its_address_too(camille):
    await send(camille)
    (photo,) = await listed(camille)

    for _ in range(2):
        answer = await camille.post(f"/photos/{photo['id']}/delete/", headers=JSON)
        assert answer.status_code == 204
    assert code_of(await camille.get(photo["url"])) == (404, "not_found")
    assert list(files.stored()) == []


async def test_photo_of_a_ticket_is_not_withdrawn(camille):
    await send(camille)
    await database_sync_to_async(attach)(ref_of(id_of(camille)), "SAV-2026-00042")
    (photo,) = await listed(camille)

    assert photo["attached"] is True
    answer = await camille.post(f"/photos/{photo['id']}/delete/", headers=JSON)
    assert code_of(answer) == (403, "forbidden")


@pytest.mark.parametrize("path", ["/photos/", f"/photos/{UUID(int=7)}/delete/"])
def test_form_of_another_site_is_refused(path):
    client = Client(enforce_csrf_checks=True)
    client.get("/")

    assert client.post(path, upload(pictures.photo())).status_code == 403


async def test_sending_is_limited_by_visitor_and_address(settings):
    settings.ENV = replace(
        settings.ENV,
        photo_rate_per_minute=2,
        chat_rate_per_address_per_minute=4,
        trusted_proxies=1,
    )
    statuses = []
    for _ in range(3):
        client = browser()
        for number in range(3):
            answer = await client.post(
                "/photos/",
                upload(pictures.photo(width=64 + number)),
                headers={**JSON, "x-forwarded-for": "203.0.113.7"},
            )
            statuses.append(answer.status_code)

    assert statuses == [201, 201, 429, 201, 201, 429, 429, 429, 429]
    assert answer.headers["Retry-After"]


async def test_when_too_many_wait_one_is_told_when_to_come_back(camille, replace_parts):
    with closing(PhotoProcessor(places=1, max_waiting=0)) as full:
        full._slots.acquire()
        replace_parts(PHOTO_PROCESSOR.to(full))

        answer = await send(camille)

    assert code_of(answer) == (503, "assistant_unavailable")
    assert answer.headers["Retry-After"] == "5"


async def test_database_that_takes_no_photo_is_said(camille):
    with database.refusing(f'INSERT INTO "{TABLE}"'):
        assert code_of(await send(camille)) == (503, "assistant_unavailable")

    assert list(files.stored()) == []


async def test_database_that_is_away_is_said(camille):
    with database.refusing(f'FROM "{TABLE}"'):
        told = await camille.get("/photos/", headers=JSON)
        page = await camille.get("/photos/")

    assert code_of(told) == (503, "assistant_unavailable")
    assert page.status_code == 503
    assert "momentanément indisponibles" in page.content.decode()


async def test_over_is_over(camille, model):
    model(FakeLLM(["Bonjour"]))
    await camille.post("/messages/", {"text": "Bonjour"})
    await end_session(id_of(camille), "web")

    assert code_of(await send(camille)) == (404, "session_not_found")


async def test_erasing_the_conversation_erases_its_photos(camille, model):
    model(FakeLLM(["Bonjour"]))
    await camille.post("/messages/", {"text": "Bonjour"})
    await send(camille)
    (photo,) = await listed(camille)
    session_id = id_of(camille)

    await camille.post("/conversation/erase/")

    assert await Photo.objects.acount() == 0
    assert list(files.stored()) == []
    assert (await camille.get(photo["url"])).status_code == 404
    camille.cookies[cookie.NAME] = cookie.sign(session_id)
    assert code_of(await send(camille)) == (404, "session_not_found")


async def test_photos_before_the_first_word_are_erased_as_well(camille):
    await send(camille)

    await camille.post("/conversation/erase/")

    assert await Photo.objects.acount() == 0


async def test_conversation_erased_while_a_photo_comes_keeps_nothing(camille, model):
    model(FakeLLM(["Bonjour"]))
    await camille.post("/messages/", {"text": "Bonjour"})
    loop = asyncio.get_running_loop()

    def erase():
        erasing = erase_session(id_of(camille), "web")
        asyncio.run_coroutine_threadsafe(erasing, loop).result(database.LONGEST_S)

    # Asked within `keep`, once the conversation was seen to go on.
    with database.before(f'SELECT "{TABLE}"."slot"', erase):
        answer = await send(camille)

    assert code_of(answer) == (404, "session_not_found")
    assert await Photo.objects.acount() == 0
    assert list(files.stored()) == []


async def test_page_without_javascript(camille):
    empty = (await camille.get("/photos/")).content.decode()
    assert 'enctype="multipart/form-data"' in empty

    sent = await camille.post("/photos/", upload(pictures.photo()))
    assert (sent.status_code, sent.headers["Location"]) == (302, "/photos/")
    page = (await camille.get("/photos/")).content.decode()
    picture = re.search(r'<img class="photos__picture" src="([^"]+)"', page)[1]
    assert (await camille.get(picture.replace("&amp;", "&"))).status_code == 200

    refused = await camille.post("/photos/", upload(b"<svg/>"))
    assert refused.status_code == 422
    assert 'role="alert"' in refused.content.decode()

    action = re.search(r'action="(/photos/[^"]+/delete/)"', page)[1]
    assert (await camille.post(action)).status_code == 302
    assert "photos__picture" not in (await camille.get("/photos/")).content.decode()


async def test_model_that_sees_is_shown_photos_once(camille, model):
    llm = model(FakeLLM(["Je vois."], rounds=[["Oui."], ["Encore."]]))
    await send(camille)
    await camille.post("/messages/", {"text": "Voici mon canapé"})
    await camille.post("/messages/", {"text": "Alors ?"})
    await send(camille, pictures.photo(width=80))
    await camille.post("/messages/", {"text": "Et celle-ci ?"})

    shown = [asked[-1]["content"] for asked in llm.asked]
    assert [len(content) if isinstance(content, list) else 0 for content in shown] == [2, 0, 2]
    assert shown[0][0] == {"type": "text", "text": "Voici mon canapé"}
    request = parse_request({"model": "m", "messages": llm.asked[0]})
    assert request.last_asked.images == 1


async def test_model_that_does_not_see_is_shown_none(camille, model, settings):
    settings.ENV = replace(settings.ENV, openai_vision="off")
    llm = model(FakeLLM(["Bonjour."]))
    await send(camille)
    await camille.post("/messages/", {"text": "Voici mon canapé"})

    assert llm.asked[0][-1]["content"] == "Voici mon canapé"


async def test_answer_comes_when_photos_cannot_be_read(camille, model):
    llm = model(FakeLLM(["Bonjour."]))
    await send(camille)
    with database.refusing(f'FROM "{TABLE}"'):
        await camille.post("/messages/", {"text": "Voici"})

    assert llm.asked[0][-1]["content"] == "Voici"
