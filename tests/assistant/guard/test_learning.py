"""Facts are read when a claim must be judged; that changes nothing of how it is judged."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.assistant.guard.facts import Facts, add_shop_facts

#: How often times are measured again before they count.
ROUNDS = 10
OSLO = {"nom": "Canapé OSLO", "price_cents": 129_900, "stock": 4, "garantie": "Structure 5 ans."}
LIMA = {"nom": "Canapé LIMA", "price_cents": 89_900, "stock": 0, "delivery_weeks_max": 6}
TEXTS = [
    "Le canapé OSLO coûte 1 299 €. Livré sous 6 semaines.",
    "Mon budget est de 9 €, mon mail camille@example.fr, livré le 12/03/2025.",
    "Il coûte 9 €.\nVotre demande porte le numéro SAV-2026-00042.",
    "Le canapé LIMA est en stock, garanti deux ans.",
    "Bonjour, quels meubles pour un petit salon ?",
]
ADDED = st.one_of(
    st.tuples(st.sampled_from(["add_text", "add_answer", "add_customer"]), st.sampled_from(TEXTS)),
    st.tuples(st.just("add_result"), st.sampled_from([OSLO, LIMA, [OSLO, LIMA], {"error": "x"}])),
)
SENTENCES = [
    *("Le canapé OSLO coûte 1 299 €.", "Le canapé LIMA coûte 9 €.", "Votre budget de 9 € suffit."),
    *("Il est garanti 5 ans.", "Le tissu est garanti 2 ans.", "Livré sous 6 semaines."),
    *("Un meuble livré le 12/03/2025, donc.", "Garanti jusqu'au 12 mars.", "Il est en stock."),
    *("Votre ticket SAV-2026-00042 est ouvert.", "Votre mail est camille@example.fr."),
    "Garantie du canapé OSLO : structure 5 ans.",
]


def add(facts: Facts, added: list[tuple[str, Any]], *, eagerly: bool) -> Facts:
    add_shop_facts(facts)
    for how, what in added:
        getattr(facts, how)(what)
        if eagerly:
            facts.learn()
    return facts


@given(st.lists(ADDED, max_size=6), st.lists(ADDED, max_size=3))
def test_what_is_read_late_proves_the_same(before, after):
    eager = add(add(Facts(), before, eagerly=True), after, eagerly=True)
    lazy = Facts()
    lazy.add_later(lambda facts: add(facts, before, eagerly=False) and None)
    add(lazy, after, eagerly=False)

    for sentence in SENTENCES:
        assert lazy.missing(sentence) == eager.missing(sentence)
        assert lazy.price_of_subject(sentence) == eager.price_of_subject(sentence)


def test_what_the_customer_told_later_takes_nothing_from_an_earlier_answer():
    first, last = Facts(), Facts()
    first.add_customer("9 €")
    first.add_answer("Il coûte 9 €.")
    last.add_answer("Il coûte 9 €.")
    last.add_customer("9 €")

    assert first.missing("Il coûte 9 €.")
    assert not last.missing("Il coûte 9 €.")


@pytest.mark.parametrize("sentence", ["Bonjour Jean !", "Ce canapé a 3 places, en 200 cm."])
def test_a_sentence_that_commits_to_nothing_makes_nothing_be_read(sentence):
    facts = Facts()
    facts.add_later(lambda _: pytest.fail("read"))

    assert facts.missing(sentence) == frozenset()


def test_the_facts_of_the_shop_learn_nothing_of_a_conversation():
    facts, other = Facts(), Facts()
    add_shop_facts(facts)
    add_shop_facts(other)
    assert facts.missing("La structure est garantie 3 ans.")

    facts.add_text("La structure est garantie 3 ans, ou 44 ans.")

    assert not facts.missing("La structure est garantie 3 ans.")
    assert not other.missing("Le mécanisme est garanti 3 ans.")
    assert other.missing("La structure est garantie 3 ans.")
    assert other.missing("Il est garanti 44 ans.")


def learning_s(sentences: int) -> float:
    facts = Facts()
    facts.add_answer(". " * sentences)
    began_s = time.thread_time()
    facts.learn()
    return time.thread_time() - began_s


def test_answer_of_many_short_sentences_is_learned_in_linear_time():
    """Sixteen times the sentences cost about sixteen times as much; the least costs seen count."""
    many_s = few_s = float("inf")
    for _ in range(ROUNDS):
        many_s, few_s = min(many_s, learning_s(16_000)), min(few_s, learning_s(1_000))
        if many_s < 32 * few_s:
            return
    pytest.fail(f"{many_s * 1000:.1f} ms for 16,000 sentences, {few_s * 1000:.1f} ms for 1,000")
