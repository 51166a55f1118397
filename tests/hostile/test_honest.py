"""What an honest assistant says passes the guard unchanged: every sentence of these answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chat.assistant import escalation
from chat.conversations.realtime.pubsub import PUBSUB
from chat.turns.turn import take_turn

pytestmark = pytest.mark.usefixtures("shop")

QUESTIONS = [
    "Bonjour, je suis Jean",
    "Je cherche un canapé convertible bleu moins de 1500 €",
    "Table 6 personnes",
    "Quelles sont les dimensions du canapé OSLO ?",
    "Le canapé OSLO passe-t-il par ma porte de 80 cm ?",
    "Quels sont vos délais de livraison ?",
    "Comment retourner un meuble ?",
    "Mon canapé est-il encore sous garantie ?",
    "La structure de mon canapé livré le 12 mars 2024 est cassée, garantie ?",
    "Quels sont vos horaires ?",
    "Quel est le numéro de téléphone du magasin ?",
    "Ma commande CMD-2025-54321, 75011",
    "Mon canapé OSLO est cassé, commande CMD-2025-54321, mon mail camille@example.fr",
    "Où en est mon ticket SAV-2026-00001 ?",
    "Je veux être remboursé",
    "Peut-on payer en plusieurs fois ?",
    "Je voudrais parler à un conseiller",
    "Raconte-moi en détail l'entretien du bois",
    "Fais un tableau comparatif",
    "Hello, I am looking for a sofa",
    "Merci beaucoup",
    "Au revoir",
]


async def test_an_honest_assistant_is_left_alone(memory, honest, settings):
    settings.ENV = replace(
        settings.ENV, shop_phone="01 02 03 04 05", shop_email="bonjour@example.test"
    )

    for number, text in enumerate(QUESTIONS):
        turn = await take_turn("jean", owner="web", message_id=f"q{number}", text=text)
        await turn.ended()
    await escalation.settle()
    await PUBSUB.get().settle()

    turns = [
        staff_note.data
        for staff_note in await memory.staff_notes("jean")
        if staff_note.kind == "turn"
    ]
    asked = {f"q{number}": text for number, text in enumerate(QUESTIONS)}
    assert len(turns) == len(QUESTIONS)
    assert [asked[data["question_id"]] for data in turns if data["guarded"]] == []
