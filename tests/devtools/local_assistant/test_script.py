from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.conversations.markup import html_of
from chat.conversations.types import Author, Message
from devtools.local_assistant.intents import intent_of, subject_of
from devtools.local_assistant.tools import Call
from tests.devtools.local_assistant.asking import reply, words


@pytest.mark.parametrize(
    "text, intent",
    [
        ("Quels sont vos horaires ?", "hours"),
        ("Vous ouvrez le dimanche ?", "hours"),
        ("QUELS SONT VOS HORAIRES", "hours"),
        ("Livrez-vous à Lyon ?", "delivery"),
        ("Quel est le délai ?", "delivery"),
        ("Je veux retourner ma lampe", "returns"),
        ("Puis-je être remboursé si je change d'avis", "returns"),
        ("Combien dure la garantie ?", "guarantee"),
        ("Je cherche un canapé", "product"),
        ("avez-vous des tables basses ?", "product"),
        ("une armoire en chêne", "product"),
        ("pouvez-vous me conseiller un lit ?", "product"),
        ("quelles sont les dimensions du canapé Oslo ?", "details"),
        ("parlez-moi du SAL-CAP-001", "details"),
        ("Où est ma commande ?", "order"),
        ("CMD-2025-54321", "order"),
        ("cmd 2025 54321", "order"),
        ("Mon canapé est cassé", "damage"),
        ("Le tissu est déchiré", "damage"),
        ("il y a un trou dans la housse", "damage"),
        ("le tiroir ne ferme plus", "damage"),
        ("Où en est mon dossier SAV ?", "ticket_status"),
        ("Je veux parler à un conseiller", "human"),
        ("passez-moi une vraie personne", "human"),
        ("Puis-je payer en 3 fois ?", "payment"),
        ("Quelle est votre adresse ?", "address"),
        ("Merci beaucoup", "thanks"),
        ("Au revoir", "goodbye"),
        ("Bonjour", "greeting"),
        ("Hello!", "greeting"),
        ("مرحبا", "greeting"),
        ("oui", "yes"),
        ("Non, merci.", "thanks"),
        ("non", "no"),
        ("explique-moi en détail", "long_text"),
        ("Racontez-moi", "long_text"),
        ("compare avec un tableau", "markdown_table"),
        ("un tableau pour mon salon", "other"),  # something to hang on a wall
        ("mon achat me plaît, je trouve", "other"),  # neither cat nor hole
        ("pas de problème", "other"),
        ("Test", "other"),
        ("", "other"),
    ],
)
def test_intent_is_told_by_whole_words(text, intent):
    assert intent_of(text) == intent


def test_introduction_is_answered_by_name():
    assert words("Bonjour, je suis Jean").startswith("Bonjour Jean, ")


def test_name_is_remembered_over_the_messages_given():
    said = ["Bonjour, je suis Jean", "Je cherche une table", "Comment je m'appelle?"]

    assert words(*said) == "Vous vous appelez Jean."


@pytest.mark.parametrize("question", ["Quel est mon nom ?", "what's my name"])
def test_unknown_name_is_admitted_and_asked(question):
    said = words("je suis intéressé par un lit", question)

    assert "Je ne connais pas encore votre prénom" in said
    assert said.endswith("Comment vous appelez-vous ?")


def test_known_customer_is_greeted_by_name():
    assert words("je suis Zoé", "Bonjour").startswith("Bonjour Zoé, ")
    assert words("je suis Zoé", "Bonsoir").startswith("Bonsoir Zoé, ")
    assert words("je suis Zoé", "merci !").startswith("Avec grand plaisir, Zoé !")


def test_greeting_opens_the_answer_to_a_question():
    assert words("Bonjour, puis-je payer en 3 fois ?").startswith("Bonjour ! Vous pouvez")


@pytest.mark.parametrize(
    "text, opening",
    [
        ("Hello", "Hello!"),
        ("Good morning", "Hello!"),
        ("Guten Tag", "Guten Tag!"),
        ("Buongiorno", "Buongiorno!"),
        ("السلام عليكم", "مرحبًا"),
    ],
)
def test_foreign_greeting_is_answered_in_its_language(text, opening):
    assert words(text).startswith(opening)


def test_unknown_topic_comes_back_in_the_answer():
    assert "« Test timeout »" in words("Test timeout")
    assert "« napperons brodés »" in words("Et pour les napperons brodés ?")


def test_bare_number_goes_on_with_what_it_was_asked_for():
    assert subject_of(["Mon canapé est cassé", "CMD-2025-54321"]) == (
        "Mon canapé est cassé\nCMD-2025-54321"
    )
    assert subject_of(["Bonjour", "CMD-2025-54321"]) == "CMD-2025-54321"
    call = reply("Mon canapé est cassé", "cmd2025-54321", tools=("prepare_ticket",))
    assert isinstance(call, Call)
    assert "CMD-2025-54321" in call.arguments


def test_long_text_is_long_and_has_paragraphs():
    text = words("raconte")

    assert 150 <= len(text.split()) <= 300
    assert text.count("\n\n") >= 4


def test_table_is_one_that_pages_render():
    message = Message(author=Author.ASSISTANT, text=words("montre avec un tableau"))

    assert "<table>" in html_of(message)
    assert html_of(message).count("<tr>") == 5


@pytest.mark.parametrize(
    "text", ["Vos horaires ?", "Où est ma commande CMD-2025-54321 ?", "Mon canapé est cassé"]
)
def test_nothing_is_invented_where_no_tool_is_offered(text):
    assert words(text).startswith("Je ne peux pas le vérifier d'ici")


def test_danger_is_warned_of_even_where_no_tool_is_offered():
    assert "112" in words("Le lampadaire a pris feu !")


@given(st.lists(st.text(max_size=200), max_size=4))
def test_any_message_gets_the_same_encodable_answer_twice(said):
    first = words(*said)

    assert first.strip()
    assert first.encode()
    assert words(*said) == first
