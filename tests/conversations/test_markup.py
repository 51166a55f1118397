from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.conversations import markup
from chat.conversations.markup import html_of
from chat.conversations.types import Author, Message


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
            '<p><a rel="noopener noreferrer nofollow">x</a></p>',
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
        for entity, char in (("<br />", "<br>"), ("&quot;", '"'), ("&#x27;", "'")):
            html = html.replace(entity, char)
        return re.sub(r"\s+", " ", html).strip()

    assert plain(assistant(text)) == plain(rendered)


@given(st.text(max_size=200))
def test_no_text_makes_active_html(text):
    tags = "|".join(markup._TAGS)

    assert not re.search(rf"<(?!/?(?:{tags})\b)", assistant(text))


TABLE = "|" + "a|" * 50 + "\n|" + "-|" * 50 + "\n"


@pytest.mark.parametrize(
    "text",
    [
        TABLE + "a\n" * 1_000,  # each short row would get 49 cells more
        "> " + TABLE.replace("\n", "\n> ") + "a\n> " * 1_000,
        "- - - a\n" * 2_000,
        "[" * 20_000,
        "mot [ mot " * 2_000,
        "![a](" * 4_000,
        "a\n=\n" * 5_000,
        "*a* " + "\n" * 20_000 + "b",
        "\n" * 20_000 + "b",
        " \n" * 10_000 + "b",
        "**a *b _c " * 2_000,
        "<a:" * 7_000,
    ],
)
def test_text_made_to_be_slow_holds_nobody_up(text):
    started = time.process_time()
    html = assistant(text)

    assert time.process_time() - started < 0.25, "rendered on the event loop"
    assert len(html) < 8 * len(text) + 100
    assert html == markup._paragraphs(text)


def test_long_answer_of_an_assistant_is_still_rendered():
    line = "- **Canapé Oslo** : 3 places, 899 €, livré en 10 jours (tissu lavable)\n"
    table = "| Modèle | Prix | Délai |\n|---|---|---|\n" + "| Oslo | 899 € | 10 j |\n" * 20
    html = assistant("# Notre sélection\n\n" + line * 60 + "\n" + table)

    assert (html.count("<li>"), html.count("<td>")) == (60, 60)


def test_what_is_kept_for_speed_is_bounded():
    kept = markup.RenderCache(max_chars=10)
    for text in "abc":
        kept.put(text, "<p>")  # four characters with its text
        kept.get("a")

    assert [kept.get(text) for text in "abc"] == ["<p>", None, "<p>"]
    assert kept.chars == 8


def test_worker_that_starts_has_rendered_nothing(restart_worker):
    message = Message(author=Author.ASSISTANT, id="a1", text="**Oslo**")
    before = markup.is_rendering_due(message)
    html_of(message)
    after = markup.is_rendering_due(message)
    restart_worker()

    assert (before, after, markup.is_rendering_due(message)) == (True, False, True)
