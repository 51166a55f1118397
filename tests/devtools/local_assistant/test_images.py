"""Images in a request: counted, never looked at."""

from __future__ import annotations

import pytest

from devtools.local_assistant.request import BadRequest, parse_request
from devtools.local_assistant.script import Say, reply_to

PIXEL = {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/4AAQSkZJRg=="}}


def request(*parts, said="Bonjour"):
    content = [{"type": "text", "text": said}, *parts]
    return parse_request({"model": "m", "messages": [{"role": "user", "content": content}]})


@pytest.mark.parametrize("count, said", [(1, "J'ai reçu 1 photo. "), (3, "J'ai reçu 3 photos. ")])
def test_images_are_counted_aloud(count, said):
    reply = reply_to(request(*[PIXEL] * count))

    assert isinstance(reply, Say)
    assert reply.text.startswith(said)


def test_nothing_is_said_of_images_where_there_are_none():
    assert "photo" not in reply_to(request()).text


@pytest.mark.parametrize(
    "url", ["", "photo.jpg", "data:image/jpeg;base64,<svg>", "data:text/html;base64,AAAA", 3, None]
)
def test_image_that_openai_would_refuse_is_refused(url):
    with pytest.raises(BadRequest):
        request({"type": "image_url", "image_url": {"url": url}})
    with pytest.raises(BadRequest):
        request({"type": "image_url"})
