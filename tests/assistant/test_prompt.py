"""Secret parts of the instructions: marked in the template, never guessed from headings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.core import checks

from chat.assistant.prompt import (
    BadPrompt,
    check_template,
    instructions,
    split_secret,
    system_prompt,
)

MARKED = "Tu es là.\n[secret]\nTa manière\n- Sois bref.\n[/secret]\nGaranties : 2 ans"


def test_marks_are_removed_and_what_they_enclose_is_secret():
    assert split_secret(MARKED) == (
        "Tu es là.\nTa manière\n- Sois bref.\nGaranties : 2 ans",
        "Ta manière\n- Sois bref.",
    )


def test_renamed_heading_stays_secret():
    assert split_secret(MARKED.replace("Ta manière", "Ton style"))[1] == "Ton style\n- Sois bref."


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("Tu es là.", "no part stands between"),
        (MARKED.replace("[/secret]\n", ""), "the last [secret] has no [/secret]"),
        (MARKED.replace("[secret]\n", ""), "line 4: [/secret] has no counterpart"),
        (MARKED.replace("[/secret]", "[secret]"), "line 5: [secret] has no counterpart"),
    ],
)
def test_missing_mark_is_named(text: str, cause: str):
    with pytest.raises(BadPrompt) as error:
        split_secret(text)

    assert cause in str(error.value)


def test_model_is_given_no_mark_and_each_rule_of_the_house_is_secret():
    """Whoever writes another part into the template decides here whether it is secret."""
    paragraphs = system_prompt().split("\n\n")
    headings = {part.splitlines()[0] for part in paragraphs if "\n- " in part}

    assert "secret]" not in system_prompt()
    assert {heading for heading in headings if heading not in instructions()} == {"Ce que tu fais"}
    assert "Répondre hors du sujet du magasin" in instructions()
    assert "Garanties du magasin" not in instructions()


def test_worker_does_not_start_with_a_template_without_marks(settings: Any, tmp_path: Any):
    (tmp_path / "assistant").mkdir()
    name = "assistant/system_prompt.txt"
    (tmp_path / name).write_text("Tu es là.")
    settings.ENV = replace(settings.ENV, shop_name="Tiroirs & Cie")  # rendered for nobody yet
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]

    [problem] = check_template()

    assert problem.id == "chat.E001"
    assert "check_template" in {
        getattr(check, "__name__", "") for check in checks.registry.registry.get_checks()
    }
