from __future__ import annotations

from chat.assistant.guard.facts import Facts, add_shop_facts

SHEET = "Structure 5 ans, charnières et coulisses 3 ans."


def test_guarantee_of_a_sheet_is_said_word_for_word():
    facts = Facts()
    add_shop_facts(facts)
    facts.add_result({"name": "Armoire VENDÔME", "garantie": SHEET})
    facts.add_result({"name": "Armoire LYON", "garantie": "Structure 2 ans, portes 1 an."})

    assert facts.missing(f"- **Garantie** : {SHEET}") == frozenset()
    assert facts.missing(f"Armoire VENDÔME : {SHEET}") == frozenset()
    assert facts.missing(f"Garantie de l'armoire LYON : {SHEET}") != frozenset()
    assert facts.missing("Garantie : structure 3 ans.") != frozenset()
