"""When a word is shown, and that no claim passes however the answer comes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.assistant.guard.claims import Kind
from chat.assistant.guard.facts import Facts
from chat.assistant.guard.filter import Guard
from chat.assistant.guard.replacements import SAYS

DONE = SAYS["fr"][Kind.DONE]
#: About as a model's server cuts its answers.
_TOKEN = re.compile(r"\s?\w+|\s?[^\w\s]|\s")
HARMLESS = [
    " Bonjour, voici un petit canapé.",
    " Pour une chambre d'enfant, on en a un en chêne.",
    " Le **OSLO** mesure 190 cm de large.",
    "\n- **BERGEN** : le plus *compact*, en un seul bloc\n",
    " Mais mardi nous sommes là, anglais compris !",
    " Le centre, la mairie : un, deux, trois.",
    " Ôtez l'œillet ; ﬁnesse d'un cœur…",
]
RISKY = [
    " Garanti un an.",
    " Comptez une semaine de délai.",
    " Expédié sous une h, pour toute la belle famille.",
    " Vous aurez un bon d'achat.",
    " Votre garantie dure un à 3 mois.",
    " Il coûte trente-sept pour vous et pour toute la belle famille.",
    " Tout est sur evil.com et chez les amis de la famille.",
    " Tout est sur ftp://a/b, pour les amis de la famille.",
    " Le **prix est de 49 €**.",
    " Un e-mail vous a été envoyé.",
    " Vous serez r e m b o u r s é.",
    " Il est en st**o**ck.",
    " You'll get a refund within one hour.",
    " An adviser has been notified.",
    " We'll send you the list.",
    " Nous vous accordons 20 % de remise !",
]
WORDS = [
    *("un", "une", "one", "le", "la", "de", "en", "à", "vous", "nous", "sera", "sous", "et"),
    *("deux", "vingt", "cent", "3", "12", "1,5", "€", "euros", "prix", "coûte", "an", "ans"),
    *("semaine", "jours", "mois", "h", "stock", "disponible", "remise", "%", "remboursé"),
    *("offert", "garanti", "livré", "demain", "canapé", "bon", "d'achat", "petit", "**beau**"),
    *("ticket", "créé", ",", ":"),
]
SIZES = st.lists(st.integers(1, 9), min_size=1)


def pieces_of(text: str, sizes: list[int]) -> list[str]:
    pieces: list[str] = []
    at = 0
    while at < len(text):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(text[at : at + size])
        at += size
    return pieces


def shown(pieces: list[str]) -> tuple[str, Guard]:
    guard = Guard(Facts())
    return "".join(guard.feed(piece) for piece in pieces) + guard.flush(), guard


def claims_in(text: str) -> list[object]:
    return [c for part in re.split(r"(?<=[.!?…])\s|\n", text) for c in Facts().missing(part)]


@given(st.lists(st.sampled_from(HARMLESS), max_size=5), SIZES)
def test_what_commits_to_nothing_is_shown_as_it_is_however_it_is_cut(sentences, sizes):
    text = "".join(sentences)

    for pieces in (pieces_of(text, sizes), _TOKEN.findall(text), [text]):
        assert shown(pieces)[0] == text


@given(st.lists(st.sampled_from([*HARMLESS, *RISKY]), max_size=5), SIZES)
def test_no_claim_passes_however_it_is_cut(sentences, sizes):
    text = "".join(sentences)
    risky = sum(sentence in RISKY for sentence in sentences)

    for pieces in (pieces_of(text, sizes), _TOKEN.findall(text), [text]):
        said, guard = shown(pieces)
        assert claims_in(said) == []
        assert guard.replaced.total() == risky
        assert said.count("**") % 2 == 0


@given(st.lists(st.sampled_from(WORDS), max_size=8), SIZES)
def test_no_claim_of_any_words_passes_however_it_is_cut(words, sizes):
    text = f"{' '.join(words)}."

    for pieces in (pieces_of(text, sizes), _TOKEN.findall(text), [text]):
        assert claims_in(shown(pieces)[0]) == []


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour Jean",
        "Pour ce salon, le canapé",
        "Voici la table",
        "Le mieux",
        "Nous en avons",
        "Bien sûr, on a moi",
        "À la maison",
        "Où la mettre ?",
    ],
)
def test_a_common_word_is_shown_with_its_own_token(text):
    guard = Guard(Facts())

    for token in _TOKEN.findall(text):
        assert guard.feed(token) == token


def test_an_article_waits_for_the_word_behind_it_only():
    guard = Guard(Facts())

    fed = [guard.feed(token) for token in ["Voici", " un", " petit", " canapé", " bleu"]]
    assert fed == ["Voici", "", " un petit", " canapé", " bleu"]


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        (" Un e-mail est envoyé.", f" {DONE[0].upper()}{DONE[1:]}."),
        (" Garanti en un an.", " Durée à confirmer par un conseiller."),
        (" Comptez un an de garantie.", " Comptez (durée à confirmer par un conseiller)."),
        ("- **Garantie** : 25 ans\n", "- Durée à confirmer par un conseiller.\n"),
        ("Le **tissu est à 4 €**.", "Le **tissu est à (prix à confirmer par un conseiller)**."),
        ("**Le canapé à 4 €** !", "**Le canapé à (prix à confirmer par un conseiller)**."),
        ("Le canapé **OSLO** à 4 €.", "Le canapé **OSLO** à (prix à confirmer par un conseiller)."),
    ],
)
def test_what_stands_instead_leaves_no_mark_alone(text, instead):
    for pieces in (list(text), _TOKEN.findall(text), [text]):
        assert shown(pieces)[0] == instead


@pytest.mark.parametrize(("text", "kept"), [("Le **OSLO**", "Le **OSLO**"), ("Le **", "Le ")])
def test_a_cut_leaves_a_word_in_bold_as_it_was(text, kept):
    guard = Guard(Facts())

    assert guard.feed(text) + guard.cut() == kept


def test_a_number_far_behind_which_nothing_came_is_a_size():
    guard = Guard(Facts())

    assert guard.feed("Il mesure 190 cm") == "Il mesure "
    assert guard.feed(" de large et il se plie en") == ""
    assert guard.feed(" bas") != ""


@pytest.mark.parametrize("size", [1, 4])
def test_a_long_sentence_is_judged_where_it_stands(size):
    text = "Garantie " + "mot " * 160 + "de 20 ans. Bien."
    said, guard = shown(pieces_of(text, [size]))

    assert list(guard.replaced) == [Kind.DURATION]
    assert "20" not in said
    assert said.endswith("Bien.")
