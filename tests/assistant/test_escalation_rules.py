from __future__ import annotations

import pytest

from chat.assistant import escalation
from chat.assistant.escalation import Reason, reasons_in, summary_for
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.adviser_store import StaffNoteKind
from chat.conversations.types import Author, Message
from chat.turns.turn import take_turn
from tests.builders import JEAN, question
from tests.fakes import FakeLLM, Listener

R = Reason


def reasons(*texts: str, failed=(), amount_eur=1000):
    messages = [question(text, f"q{n}") for n, text in enumerate(texts)]
    return reasons_in(messages, f"q{len(texts) - 1}", set(failed), amount_eur)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Mon canapé OSLO s'est effondré, je me suis blessé", (R.DANGER,)),
        ("La lampe a pris feu !", (R.DANGER,)),
        ("My chair collapsed", (R.DANGER,)),
        ("Je vais saisir mon avocat", (R.LEGAL,)),
        ("Voici une mise en demeure.", (R.LEGAL,)),
        ("Je préviens la DGCCRF et le tribunal", (R.LEGAL,)),
        ("I will see you in court", (R.LEGAL,)),
        ("C'est scandaleux, vous êtes des voleurs", (R.ANGER,)),
        ("JE VEUX MON CANAPÉ MAINTENANT !!!", (R.ANGER,)),
        ("This is unacceptable", (R.ANGER,)),
        ("Mon canapé à 2 500 € a un pied cassé", (R.AMOUNT,)),
        ("Je demande le remboursement de 1000 euros", (R.AMOUNT,)),
        ("Je voudrais parler à un conseiller", (R.WISH,)),
        ("Can I talk to a human?", (R.WISH,)),
        ("Effondré, inadmissible, j'appelle mon avocat", (R.DANGER, R.LEGAL, R.ANGER)),
        ("Bonjour, je cherche un canapé", ()),
        ("Mon budget est de 5 000 €", ()),
        ("Je cherche un canapé convertible bleu à moins de 1500 €", ()),
        ("Un lit en cuir entre 1500 et 2000 €", ()),
        ("Mon canapé à 900 € a un pied cassé", ()),
        ("Je ne suis pas en colère", ()),
        ("Vos conseils sont utiles", ()),
        ("BONJOUR JE CHERCHE UN CANAPÉ", ()),
        ("Un fauteuil de justesse", ()),
    ],
)
def test_reasons_in_one_message(text, found):
    assert reasons(text) == found


def test_amounts_call_nobody_when_told_so():
    assert reasons("Mon canapé à 2 500 € est cassé", amount_eur=0) == ()


def test_a_reason_calls_once_in_a_conversation():
    assert reasons("C'est scandaleux", "Vraiment scandaleux") == ()
    assert reasons("C'est scandaleux", "Mon avocat vous écrira") == (R.LEGAL,)


@pytest.mark.parametrize(
    ("failed", "found"), [(("q0", "q1"), (R.FAILURES,)), (("q1",), ()), (("q0",), ()), ((), ())]
)
def test_two_failures_in_a_row_call_a_human(failed, found):
    assert reasons("Un", "Deux", "Trois", failed=failed) == found


def test_twice_not_understood_calls_a_human():
    assert reasons("Vous ne comprenez pas") == ()
    assert reasons("Vous ne comprenez pas", "Ce n'est pas ma question") == (R.FAILURES,)


def test_the_summary_tells_what_it_is_about():
    cited = {"kind": "product", "label": "Canapé OSLO", "ref": "SAL-CAP-001", "url": "/produits/x/"}
    messages = [
        question("Bonjour, ma commande cmd-2025-54321"),
        Message(author=Author.ASSISTANT, text="Oui ?", sources=(cited,)),
        question("Je vais voir mon avocat", "q2"),
    ]

    assert summary_for(messages, (R.LEGAL,)) == (
        "Escalade : termes juridiques.\n"
        "D'abord : « Bonjour, ma commande cmd-2025-54321 »\n"
        "Maintenant : « Je vais voir mon avocat »\n"
        "Il est question de : CMD-2025-54321, Canapé OSLO."
    )


async def ask(text: str, id_: str) -> None:
    turn = await take_turn(JEAN, owner="web", message_id=id_, text=text)
    await turn.ended()
    await escalation.settle()


async def test_danger_calls_a_human_once_and_tells_the_customer_first(store, model):
    model(FakeLLM(["Je vous écoute."]))
    listener = Listener()

    async with PUBSUB.get().subscribe(JEAN, listener):
        await ask("Mon lit s'est effondré", "q1")
        await ask("Il s'est effondré d'un coup", "q2")

    session = await store.load(JEAN, "web")
    told = [m.text for m in session.messages if m.author is Author.SYSTEM]
    assert len(told) == 1
    assert told[0].startswith("**N'utilisez plus ce meuble")
    assert session.asked_at is not None
    assert listener.types().count("adviser.asked") == 1
    events = [a for a in await store.staff_notes(JEAN) if a.kind is StaffNoteKind.EVENT]
    assert [event.data for event in events] == [{"reason": "danger"}, {"reasons": ["danger"]}]
    assert [m.text for m in session.messages if m.author is Author.ASSISTANT] == [
        "Je vous écoute."
    ] * 2


async def test_number_that_cannot_be_read_holds_up_no_answer(store, model):
    model(FakeLLM(["Je vous écoute."]))

    await ask("Remboursez € " + "⑳" * 3900, "q1")

    session = await store.load(JEAN, "web")
    assert [m.text for m in session.messages if m.author is Author.ASSISTANT] == ["Je vous écoute."]
    assert session.waiting == ()


async def test_a_second_reason_is_told_to_the_staff(store, model):
    model(FakeLLM(["Je vous écoute."]))

    await ask("C'est scandaleux", "q1")
    await ask("Mon avocat vous écrira", "q2")

    events = [a.data for a in await store.staff_notes(JEAN) if a.kind is StaffNoteKind.EVENT]
    assert {"reasons": ["legal"]} in events
