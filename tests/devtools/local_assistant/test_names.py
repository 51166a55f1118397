from __future__ import annotations

import pytest

from devtools.local_assistant.names import asks_own_name, name_in


@pytest.mark.parametrize(
    "text, name",
    [
        ("Bonjour, je suis Jean", "Jean"),
        ("je suis Jean.", "Jean"),
        ("Je suis Jean Dupont", "Jean Dupont"),
        ("Je suis Jean et je cherche une table", "Jean"),
        ("JE SUIS JEAN", "JEAN"),
        ("Je m'appelle Zoé", "Zoé"),
        ("je m’appelle zoé", "Zoé"),
        ("je mappelle Karim", "Karim"),
        ("Je m'appelle Zoe\u0301 !", "Zoé"),
        ("moi c'est Jean-Pierre", "Jean-Pierre"),
        ("je m'appelle jean-pierre, enchanté", "Jean-Pierre"),
        ("Je suis Anne-Sophie O'Connor", "Anne-Sophie O'Connor"),
        ("Je suis Jean de La Fontaine", "Jean de La Fontaine"),
        ("Mon nom est Camille", "Camille"),
        ("mon prénom est Élodie", "Élodie"),
        ("Mon nom de famille est Martin", "Martin"),
        ("Je suis Madame Martin", "Madame Martin"),
        ("My name is John", "John"),
        ("Hi, I'm Sarah", "Sarah"),
        ("Ich heiße Jürgen", "Jürgen"),
        ("je suis محمد", ""),  # no capital tells it from a word
        ("je m'appelle محمد", "محمد"),
        ("Appelez-moi Léa", "Léa"),
        ("je suis perdu", ""),
        ("Je suis Perdue", ""),
        ("je suis intéressé par un lit", ""),
        ("Je suis désolée", ""),
        ("Je suis À la recherche d'un lit", ""),
        ("je suis à la recherche", ""),
        ("JE SUIS TRÈS CONTENT", ""),
        ("Je suis d'accord", ""),
        ("je suis l'acheteur", ""),
        ("je suis Cliente chez vous", ""),
        ("pour moi c'est important", ""),
        ("moi c'est pareil", ""),
        ("Appelez-moi demain", ""),
        ("je m'appelle comment ?", ""),
        ("Comment je m'appelle ?", ""),
        ("je ne suis pas Jean", ""),
        ("je suis", ""),
        ("Je suis 3 fois déçu", ""),
        ("", ""),
    ],
)
def test_name_is_read_as_the_customer_gave_it(text, name):
    assert name_in([text]) == name


def test_last_name_given_wins():
    assert name_in(["je suis Jean", "merci", "non, je m'appelle Paul", "et la table ?"]) == "Paul"


def test_sentence_after_a_name_without_full_stop_is_no_surname():
    assert name_in(["Bonjour je suis Jean Je cherche un lit"]) == "Jean"


@pytest.mark.parametrize(
    "text",
    [
        "Comment je m'appelle ?",
        "Comment je m'appelle?",
        "comment est-ce que je m’appelle",
        "je m'appelle comment déjà ?",
        "Quel est mon nom ?",
        "quel est mon prénom",
        "C'est quoi mon nom ?",
        "Vous souvenez-vous de mon nom ?",
        "Qui suis-je ?",
        "what's my name",
        "What is my name?",
    ],
)
def test_question_about_the_own_name_is_understood(text):
    assert asks_own_name(text)


@pytest.mark.parametrize("text", ["Je m'appelle Jean", "mon nom est Jean", "quel est le prix ?"])
def test_other_sentences_do_not_ask_for_the_name(text):
    assert not asks_own_name(text)
