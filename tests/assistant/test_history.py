from __future__ import annotations

from chat.assistant.prompt import MAX_MESSAGES, history
from chat.conversations.types import Author, Message


def q(id_, text):
    return Message(author=Author.CUSTOMER, id=id_, text=text)


def a(reply_to, text):
    return Message(author=Author.ASSISTANT, text=text, reply_to=reply_to)


def roles(messages):
    return [(m["role"], m["content"]) for m in messages]


def test_history_is_the_conversation_up_to_the_question():
    said = [q("1", "Je suis Jean"), a("1", "Bonjour Jean"), q("2", "Mon nom ?")]

    assert roles(history(said, "2", 1000)) == [
        ("user", "Je suis Jean"),
        ("assistant", "Bonjour Jean"),
        ("user", "Mon nom ?"),
    ]


def test_what_was_asked_later_is_left_out_and_answers_follow_their_question():
    said = [q("1", "Un"), q("2", "Deux"), q("3", "Trois"), a("1", "Réponse un")]

    assert roles(history(said, "2", 1000)) == [
        ("user", "Un"),
        ("assistant", "Réponse un"),
        ("user", "Deux"),
    ]
    assert roles(history(said, "1", 1000)) == [("user", "Un")]


def test_history_is_bounded_in_characters_but_keeps_the_question_whole():
    said = [q("1", "x" * 50), a("1", "y" * 50), q("2", "z" * 500)]

    assert roles(history(said, "2", 60)) == [("assistant", "y" * 50), ("user", "z" * 500)]
    assert roles(history(said, "2", 0)) == [("user", "z" * 500)]


def test_history_is_bounded_in_messages():
    said = [m for n in range(100) for m in (q(str(n), "q"), a(str(n), "a"))]

    assert len(history(said, "99", 10**6)) == MAX_MESSAGES


def test_empty_answers_and_other_authors():
    said = [
        q("1", "Un"),
        a("1", ""),
        Message(author=Author.SYSTEM, text="Claire, du magasin, vous répond maintenant."),
        Message(author=Author.ADVISER, text="Je regarde", name="Claire"),
        Message(author=Author.SYSTEM, text="L'assistant (IA) reprend la conversation."),
        q("2", "Deux"),
    ]
    claire = "Claire, de l'équipe du magasin (un être humain) a écrit au client : « Je regarde »"

    assert roles(history(said, "2", 1000)) == [
        ("user", "Un"),
        ("system", claire),
        ("user", "Deux"),
    ]
