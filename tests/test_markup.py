from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import markup
from chat.markup import html_of
from chat.sessions.types import Author, Message


def assistant(text: str) -> str:
    return html_of(Message(author=Author.ASSISTANT, text=text))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Bonjour Jean", "<p>Bonjour Jean</p>"),
        ("Un\nDeux", "<p>Un<br>\nDeux</p>"),
        ("**Gras** et _doux_", "<p><strong>Gras</strong> et <em>doux</em></p>"),
        ("- un\n- deux", "<ul>\n<li>un</li>\n<li>deux</li>\n</ul>"),
        ("# Titre", "<h3>Titre</h3>"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>"),
        ("![x](http://a.example/i.png)", "<p></p>"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        (
            "[x](https://a.example)",
            '<p><a href="https://a.example" rel="noopener noreferrer nofollow">x</a></p>',
        ),
    ],
)
def test_answer_is_rendered_and_sanitised(text, html):
    assert assistant(text) == html


def test_words_of_a_customer_are_escaped_not_rendered():
    message = Message(author=Author.CUSTOMER, text="**gras** <script>\n\nfin")

    assert html_of(message) == "<p>**gras** &lt;script&gt;</p>\n<p>fin</p>"


@given(st.text(alphabet=st.sampled_from("ab é'\"&<>.,;:-=#*_\n\t 1)(!~|`+\\"), max_size=40))
def test_short_way_renders_as_the_long_one(text):
    """What has no Markdown in it skips the renderer: both must say the same."""
    if markup._MARKUP.search(text) or not text.strip():
        return
    rendered = markup._markdown.render(text)

    def plain(html: str) -> str:
        return re.sub(r"\s+", " ", html.replace("&quot;", '"').replace("&#x27;", "'")).strip()

    assert plain(assistant(text)) == plain(rendered)


@given(st.text(max_size=200))
def test_no_text_makes_active_html(text):
    tags = "|".join(markup._TAGS)

    assert not re.search(rf"<(?!/?(?:{tags})\b)", assistant(text))
