from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtools.local_assistant.words import content_words, folded, tokens, topic_of


@given(st.text())
def test_tokens_joined_are_the_text(text):
    assert "".join(tokens(text)) == text


def test_tokens_are_about_a_word_each():
    assert tokens("Vous vous appelez Jean.\n\n- **là**") == [
        *("Vous", " vous", " appelez", " Jean", ".", "\n\n", "-", " *", "*", "là", "*", "*"),
    ]


@pytest.mark.parametrize(
    "text, plain",
    [("Où êtes-vous ?", "ou etes-vous ?"), ("L’ŒUVRE", "l'oeuvre"), ("Zoe\u0301", "zoe")],
)
def test_folded_text_has_neither_case_nor_accents(text, plain):
    assert folded(text) == plain


def test_content_words_are_those_that_say_something():
    assert content_words("Avez-vous l'étagère d'angle que j'ai vue ?") == [
        "étagère",
        "angle",
        "vue",
    ]


@given(st.text())
def test_topic_holds_nothing_that_a_page_could_take_for_markup(text):
    assert not set(topic_of(text)) & set("<>&*_`[]#|~\\\n")
