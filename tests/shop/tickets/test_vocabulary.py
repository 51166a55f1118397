from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.shop.tickets.problems import affirmed, first_match, folded, whole_words

CAT = whole_words(r"chats?")
HOLE = whole_words(r"trous?")
STAIN = whole_words(r"tach(?:e|es|ee|ees)")


@pytest.mark.parametrize(
    "text, plain",
    [
        ("L’ÉTÉ  où", "l'ete ou"),
        ("  Œuvre\n", "oeuvre"),
        ("bru\u00adlé", "brule"),
        ("ta\u200bche", "tache"),
        ("de\u0301chire\u0301", "dechire"),
        ("ＴＡＣＨＥ", "tache"),
        ("", ""),
    ],
)
def test_text_is_folded(text, plain):
    assert folded(text) == plain


@pytest.mark.parametrize(
    "pattern, text, found",
    [
        (CAT, "griffé par le chat", "chat"),
        (CAT, "les CHATS.", "chats"),
        (CAT, "l'achat", ""),
        (CAT, "mon achat, un château et un chaton", ""),
        (CAT, "(chat)", "chat"),
        (HOLE, "je trouve", ""),
        (HOLE, "trouvé, trouble, détroit", ""),
        (HOLE, "il y a un trou", "trou"),
        (STAIN, "tâché", "tache"),
        (STAIN, "attaché, détaché, pistache", ""),
        (STAIN, "l’tache d'une", "tache"),
    ],
)
def test_only_whole_words_are_found(pattern, text, found):
    assert first_match(pattern, folded(text)) == found


@pytest.mark.parametrize(
    "text",
    [
        "il n'y a pas de tache",
        "sans aucune tache",
        "ni tache ni rien",
        "ce n'est pas une tache",
        "pas du tout taché",
        "n'a jamais été tachée",
        "aucune tache",
        "ce n'est plus taché",
    ],
)
def test_what_is_denied_is_not_affirmed(text):
    assert first_match(STAIN, folded(text))
    assert affirmed(STAIN, folded(text)) == ""


@pytest.mark.parametrize(
    "text",
    [
        "une tache qui ne part pas",
        "pas seulement taché",
        "je ne sais pas, il est taché",
        "pas de trou mais une tache",
        "aucune aide, une tache",
        "pas de tache ici, mais une grosse tache là",
    ],
)
def test_a_denial_of_something_else_changes_nothing(text):
    assert affirmed(STAIN, folded(text)).startswith("tache")


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert folded(folded(text)) == folded(text)


@given(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.from_regex(r"[a-z]{1,5}", fullmatch=True))
def test_nothing_is_found_inside_a_word(before, after):
    assert first_match(CAT, f"{before}chat{after}") == ""
