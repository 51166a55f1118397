from __future__ import annotations

from datetime import date, datetime

import pytest

from chat.shop import hours
from devtools.evaluation.reading import BadConversations, read_conversations
from tests.devtools.evaluation.builders import expecting, one_in, write

MINIMAL = "- name: one\n  category: advice\n  turns:\n    - customer: Bonjour\n"


def test_conversation_is_read_with_all_it_says(tmp_path):
    text = """
- name: canape-bleu
  category: door
  about: "Pourquoi"
  today: 2026-11-22T20:30
  setup: {products: [SAL-CAP-001], orders: [CMD-2025-54321]}
  never: ["remise"]
  turns:
    - customer: "Bonjour"
    - customer: "Et la porte ?"
      expect: {language: fr}
"""

    read = one_in(tmp_path, text)

    assert (read.name, read.category, read.about) == ("canape-bleu", "door", "Pourquoi")
    assert read.at == datetime(2026, 11, 22, 20, 30, tzinfo=hours.PARIS)
    assert (read.products, read.orders) == (("SAL-CAP-001",), ("CMD-2025-54321",))
    assert [phrase.written for phrase in read.never] == ["remise"]
    assert [turn.text for turn in read.turns] == ["Bonjour", "Et la porte ?"]
    assert read.turns[1].expected.language == "fr"


def test_day_without_an_hour_is_in_the_opening_hours(tmp_path):
    assert one_in(tmp_path, f"{MINIMAL}  today: 2026-03-01\n").at == datetime(
        2026, 3, 1, 11, tzinfo=hours.PARIS
    )


def test_every_expectation_is_read(tmp_path):
    expected = expecting(
        tmp_path,
        """tools:
  - shop_information
  - search_products: {query: "canap", max_price_eur: 1500, colour: null, category: "12"}
no_tools: [find_order]
rows: {tickets: 1, contacts: 0}
priority: P0
asked: true
says: [oslo, [non, jamais]]
announces: [prévenu]
amounts: ["1290", "34.50"]
dates: [2027-03-12]
never: [remise]
language: en
interrupted: true
error: assistant_timeout
sources: [product]
form: {step: recap, email: "@"}
min_chars: 1
max_chars: 20""",
    )

    assert [wanted.name for wanted in expected.tools] == ["shop_information", "search_products"]
    arguments = expected.tools[1].arguments
    assert (arguments["max_price_eur"], arguments["colour"]) == (1500, None)
    assert arguments["category"].written == "12"  # a quoted number is a text
    assert expected.no_tools == ("find_order",)
    assert expected.rows == {"tickets": 1, "contacts": 0}
    assert (expected.priority, expected.asked) == ("P0", True)
    assert [[one.written for one in group] for group in expected.says] == [
        ["oslo"],
        ["non", "jamais"],
    ]
    assert expected.amounts_cents == (129000, 3450)
    assert expected.dates == (date(2027, 3, 12),)
    assert (expected.language, expected.interrupted) == ("en", True)
    assert (expected.error, expected.sources) == ("assistant_timeout", ("product",))
    assert expected.form is not None
    assert (expected.form.is_there, expected.form.step) == (True, "recap")
    assert expected.form.fields["email"].written == "@"
    assert (expected.min_chars, expected.max_chars) == (1, 20)


def test_customer_may_use_the_recap(tmp_path):
    text = f"{MINIMAL}    - press: validate\n    - edit: {{email: zoe@example.fr}}\n"

    turns = one_in(tmp_path, text).turns

    assert [turn.told for turn in turns] == [
        *("Bonjour", "[Valider]", "[Modifier : email = zoe@example.fr]"),
    ]
    assert turns[2].edits == {"email": "zoe@example.fr"}


def test_form_may_be_expected_not_to_be_there(tmp_path):
    form = expecting(tmp_path, "form: none").form

    assert form is not None
    assert not form.is_there


def test_no_tool_at_all_may_be_expected(tmp_path):
    assert expecting(tmp_path, "no_tools: all").no_tools == ("all",)


@pytest.mark.parametrize(
    "text, line, said",
    [
        (f"{MINIMAL}  colour: bleu\n", 5, "champ inconnu : colour"),
        (f"{MINIMAL}      answer: oui\n", 5, "champ inconnu : answer"),
        (f"{MINIMAL}      expect: {{say: [oui]}}\n", 5, "champ inconnu : say"),
        (f"{MINIMAL}  setup: {{adviser: claire}}\n", 5, "champ inconnu : adviser"),
        (f"{MINIMAL}      expect: {{rows: {{letters: 1}}}}\n", 5, "champ inconnu : letters"),
        (f"{MINIMAL}  name: two\n", 5, "champ répété"),
        ("- category: advice\n  turns: [{customer: Oui}]\n", 1, "le champ name manque"),
        ("- name: one\n  turns: [{customer: Oui}]\n", 1, "le champ category manque"),
        ("- name: one\n  category: advice\n", 1, "au moins un message"),
        ("- name: one\n  category: advice\n  turns:\n    - expect: {}\n", 4, "un seul des trois"),
        (f"{MINIMAL}      press: validate\n", 4, "un seul des trois"),
        (f"{MINIMAL}    - press: shake\n", 5, "l'un de"),
        (
            f"{MINIMAL}    - edit: {{colour: bleu}}\n      press: drop\n",
            5,
            "champ inconnu : colour",
        ),
        (f"{MINIMAL}      expect: {{form: {{step: dance}}}}\n", 5, "l'un de"),
        (f"{MINIMAL}      expect: {{form: {{colour: bleu}}}}\n", 5, "champ inconnu : colour"),
        ("- name: One!\n  category: advice\n  turns: [{customer: Oui}]\n", 1, "minuscules"),
        ("- name: one\n  category: poems\n  turns: [{customer: Oui}]\n", 2, "l'un de"),
        (f"{MINIMAL}  today: demain\n", 5, "today"),
        (f"{MINIMAL}  today: 2026-11-22T10:00+05:00\n", 5, "sans fuseau"),
        (f"{MINIMAL}      expect: {{says: [oui}}\n", 5, "fichier illisible"),
        (f"{MINIMAL}      expect: {{says: ['(']}}\n", 5, "expression régulière"),
        (f"{MINIMAL}      expect: {{says: oui}}\n", 5, "une liste"),
        (f"{MINIMAL}      expect: {{asked: peut-être}}\n", 5, "true ou false"),
        (f"{MINIMAL}      expect: {{max_chars: beaucoup}}\n", 5, "nombre entier"),
        (f"{MINIMAL}      expect: {{amounts: [cher]}}\n", 5, "des euros"),
        (f"{MINIMAL}      expect: {{dates: [2026-02-30]}}\n", 5, "des jours"),
        (f"{MINIMAL}      expect: {{tools: [fly]}}\n", 5, "outil inconnu : fly"),
        (f"{MINIMAL}      expect: {{no_tools: [fly]}}\n", 5, "outil inconnu : fly"),
        (f"{MINIMAL}      expect: {{language: es}}\n", 5, "l'un de"),
        (f"{MINIMAL}      expect: {{priority: P9}}\n", 5, "l'un de"),
        (f"{MINIMAL}\n{MINIMAL}", 6, "déjà pris (some.yaml:1)"),
        ("name: one\n", 1, "une liste"),
        ("- bonjour\n", 1, "nom: valeur"),
        ("", 1, "aucune conversation"),
    ],
)
def test_mistake_is_told_with_its_line(tmp_path, text, line, said):
    with pytest.raises(BadConversations) as bad:
        read_conversations(write(tmp_path, text))

    assert [(problem.line, said in problem.message) for problem in bad.value.problems] == [
        (line, True)
    ], str(bad.value)


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path):
    write(tmp_path, f"{MINIMAL}  colour: bleu\n", "a.yaml")
    write(tmp_path, "- name: two\n  category: poems\n  turns: []\n", "b.yaml")

    with pytest.raises(BadConversations) as bad:
        read_conversations(tmp_path)

    assert [str(problem).split(" : ")[0] for problem in bad.value.problems] == [
        *("a.yaml:5", "b.yaml:1", "b.yaml:2"),
    ]


def test_file_that_is_no_text_is_told(tmp_path):
    (tmp_path / "some.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(BadConversations, match="illisible"):
        read_conversations(tmp_path)
