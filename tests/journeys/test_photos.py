"""Photos, from the file on Camille's telephone to the thumbnail above the field."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import re
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.async_api import FilePayload, Page, Route, expect

from tests.journeys.conftest import MakeCustomer
from tests.journeys.customer import FAST, PHONE, Customer, Tab
from tests.journeys.shop import Shop
from tests.shop.photos import pictures

MIB = 1 << 20
SMALL_PHONE: dict[str, Any] = {**PHONE, "viewport": {"width": 375, "height": 667}}


def given(name: str, data: bytes, mime_type: str = "image/jpeg") -> FilePayload:
    return FilePayload(name=name, mimeType=mime_type, buffer=data)


def sofa(width: int = 900) -> FilePayload:
    data = pictures.photo(width=width, height=600, exif=pictures.exif())
    return given(f"canape-{width}.jpg", data)


async def choose(tab: Tab, *files: FilePayload) -> None:
    async with tab.page.expect_file_chooser() as chooser:
        await tab.page.get_by_text("Ajouter une photo").click()
    await (await chooser.value).set_files(list(files))


async def has_photos(page: Page, count: int) -> None:
    await expect(page.locator("[data-photo=stored]")).to_have_count(count)


async def test_photos_are_sent_shown_and_withdrawn(camille: Customer):
    tab = await camille.open()
    await choose(tab, sofa(), sofa(901))
    await has_photos(tab.page, 2)
    await expect(tab.page.locator(".photos [role=status]")).to_have_text("Photo ajoutée.")
    picture = tab.page.get_by_role("img", name="Photo 1")
    await expect(picture).to_be_visible()
    await expect(picture).to_have_js_property("naturalWidth", 768)

    await tab.page.reload()
    await tab.is_connected()
    await has_photos(tab.page, 2)

    await tab.page.get_by_role("button", name="Retirer : Photo 1").press("Enter")
    await has_photos(tab.page, 1)
    await expect(tab.page.get_by_role("button", name="Retirer : Photo 1")).to_be_focused()
    await tab.page.keyboard.press("Enter")
    await has_photos(tab.page, 0)
    await expect(tab.page.locator("[data-photos]")).to_be_focused()
    await tab.page.reload()
    await tab.is_connected()
    await expect(tab.page.locator(".photos")).to_have_count(0)


async def test_assistant_is_shown_the_photos(camille: Customer):
    tab = await camille.open()
    await choose(tab, sofa(), sofa(901))
    await has_photos(tab.page, 2)
    answer = await tab.ask(f"Mon canapé est abîmé {FAST}")
    await expect(answer).to_contain_text("J'ai reçu 2 photos.")
    answer = await tab.ask(f"Merci {FAST}")
    await expect(answer).not_to_contain_text("photo")


async def test_no_code_for_photos_is_loaded_before_it_is_wanted(camille: Customer):
    tab = await camille.tab()
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    await tab.open()
    assert [path for path in asked if "photos" in path] == []


async def test_what_is_no_photo_is_said_in_french(camille: Customer):
    tab = await camille.open()
    await choose(
        tab,
        given("notes.html", b"<h1>Bonjour</h1>", "text/html"),
        given("deguise.jpg", b"<svg onload='alert(1)'/>"),
        given("lourde.jpg", bytes(10 * MIB + 1)),
        sofa(),
    )
    await has_photos(tab.page, 1)
    failed = tab.page.locator("[data-photo=failed]")
    await expect(failed).to_have_count(3)
    for row, name in enumerate(("notes.html", "deguise.jpg", "lourde.jpg")):
        await expect(failed.nth(row)).to_contain_text(name)
    await expect(failed.nth(1)).to_contain_text("n'est pas une photo")
    await expect(failed.nth(2)).to_contain_text("dépasse 10 Mo")
    await tab.check_accessible()
    await failed.first.get_by_role("button", name="Retirer").click()
    await expect(failed).to_have_count(2)
    tab.forgive("422")


async def test_sending_is_cancelled_and_tried_again(camille: Customer):
    tab = await camille.open()
    held: list[Route] = []

    async def hold(route: Route) -> None:
        if route.request.method == "POST":
            held.append(route)
        else:
            await route.continue_()

    await tab.page.route("**/photos/", hold)
    await choose(tab, sofa(), sofa(901))
    sending = tab.page.locator("[data-photo=sending]")
    await expect(sending.get_by_role("progressbar")).to_be_visible()
    await expect(tab.page.locator("[data-photo=waiting]")).to_have_text(re.compile("En attente"))
    await tab.check_accessible()
    await sending.get_by_role("button", name="Annuler").click()
    await expect(tab.page.locator("[data-photo=waiting]")).to_have_count(0)
    await expect(sending).to_have_count(1)

    await held[-1].abort()
    failed = tab.page.locator("[data-photo=failed]")
    await expect(failed).to_contain_text("vérifiez la connexion")
    await tab.page.unroute("**/photos/")
    await failed.get_by_role("button", name="Réessayer").click()
    await has_photos(tab.page, 1)
    tab.forgive("ERR_FAILED", "ERR_ABORTED")


async def test_photos_are_pasted_and_dropped(camille: Customer):
    tab = await camille.open()
    hand_over = """([type, data, target]) => {
      const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], "a.png", { type: "image/png" }));
      const options = { bubbles: true, cancelable: true };
      const event = type === "paste"
        ? new ClipboardEvent("paste", { ...options, clipboardData: transfer })
        : new DragEvent(type, { ...options, dataTransfer: transfer });
      return document.querySelector(target).dispatchEvent(event);
    }"""
    pasted = base64.b64encode(pictures.photo("PNG")).decode()
    dropped = base64.b64encode(pictures.photo("PNG", width=70)).decode()

    await tab.page.evaluate(hand_over, ["paste", pasted, "[data-field]"])
    await has_photos(tab.page, 1)
    await tab.page.evaluate(hand_over, ["dragover", dropped, "[data-transcript]"])
    await expect(tab.page.locator("[data-dropping]")).to_have_count(1)
    is_left_to_the_browser = await tab.page.evaluate(
        hand_over, ["drop", dropped, "[data-transcript]"]
    )
    await has_photos(tab.page, 2)
    assert is_left_to_the_browser is False
    await expect(tab.page.locator("[data-dropping]")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_photos_fit_a_telephone_and_pass_axe(
    make_customer: MakeCustomer, scheme: str, tmp_path: Path
):
    camille = await make_customer(**SMALL_PHONE, color_scheme=scheme)
    tab = await camille.open()
    await choose(tab, *(sofa(900 + number) for number in range(6)))
    await has_photos(tab.page, 5)
    await expect(tab.page.locator("[data-photo=failed]")).to_contain_text("Cinq photos au plus")
    await tab.check_fits()
    await tab.check_accessible()
    await expect(tab.field).to_be_in_viewport()
    await tab.page.screenshot(path=tmp_path / "photos.png")


async def test_erasing_forgets_the_photos(camille: Customer):
    tab = await camille.open()
    await tab.ask(f"Bonjour {FAST}")
    await choose(tab, sofa())
    await has_photos(tab.page, 1)
    address = await tab.page.locator(".photos__link").get_attribute("href")
    await tab.page.get_by_role("button", name="Effacer").click()
    await tab.page.locator("[data-erase-dialog] .button--danger").click()
    await expect(tab.questions).to_have_count(0)
    await expect(tab.page.locator(".photos")).to_have_count(0)
    assert (await tab.page.request.get(f"{tab.url}{address}")).status == 404


async def test_photos_without_javascript(make_customer: MakeCustomer):
    camille = await make_customer(java_script_enabled=False)
    tab = await camille.tab()
    await tab.page.goto(tab.url)
    await tab.page.get_by_role("link", name="Ajouter une photo").click()
    await tab.page.set_input_files("input[type=file]", sofa())
    await tab.page.get_by_role("button", name="Envoyer").click()
    await expect(tab.page.get_by_role("img", name="Photo 1")).to_be_visible()
    await tab.page.get_by_role("button", name="Retirer la photo 1").click()
    await expect(tab.page.get_by_role("img")).to_have_count(0)


def posted(shop: Shop, data: bytes) -> tuple[int, dict[str, Any]]:
    """Send a photo as a program would: page, cookie, token, form."""
    address = urlsplit(shop.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=50)
    connection.request("GET", "/")
    page = connection.getresponse()
    found = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
    assert found
    kept = [value.partition(";")[0] for value in page.msg.get_all("Set-Cookie", [])]
    field = 'Content-Disposition: form-data; name="{}"'
    body = b"\r\n".join(
        [
            b"--edge",
            field.format("csrfmiddlewaretoken").encode(),
            b"",
            found[1].encode(),
            b"--edge",
            field.format("photo").encode() + b'; filename="a.jpg"',
            b"Content-Type: image/jpeg",
            b"",
            data,
            b"--edge--",
            b"",
        ]
    )
    headers = {
        "Cookie": "; ".join(kept),
        "Accept": "application/json",
        "Content-Type": "multipart/form-data; boundary=edge",
    }
    with suppress(BrokenPipeError, ConnectionResetError):  # it may be refused while it comes
        connection.request("POST", "/photos/", body, headers)
    answer = connection.getresponse()
    told: dict[str, Any] = json.loads(answer.read())
    connection.close()
    return answer.status, told


async def test_worker_takes_ten_megabytes_here_and_no_more(shop: Shop):
    photo = pictures.photo(width=3000, height=2000)
    longest, longer, far_too_long = (
        photo.ljust(10 * MIB + more, b"\0") for more in (0, 1, 128 * 1024)
    )

    status, told = await asyncio.to_thread(posted, shop, longest)
    assert (status, told["photo"]["width"]) == (201, 2000)
    for data in (longer, far_too_long):
        status, told = await asyncio.to_thread(posted, shop, data)
        assert (status, told["code"]) == (413, "payload_too_large")
    kept = [path for path in (shop.folder / "media").rglob("*.jpg") if "small" not in path.name]
    assert kept
    assert all(Image.open(BytesIO(path.read_bytes())).size[0] <= 2000 for path in kept)
