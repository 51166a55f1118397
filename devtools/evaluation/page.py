"""Self-contained HTML report of a run, with every conversation and its failures. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from chat.core.reporting.charts import bars
from chat.core.reporting.french import full_moment, lasting, number, plural
from chat.core.reporting.tables import HTMLTable
from devtools.evaluation.checks import told_calls
from devtools.evaluation.differences import Changed
from devtools.evaluation.results import Line, Played, PlayedTurn, lines_of, total_of
from devtools.evaluation.run import Run
from devtools.evaluation.text import changes, spent

_MAX_RESULT_CHARS = 1500


def as_page(run: Run, shop_name: str) -> str:
    changed = run.changed
    lines = lines_of(run.played)
    total = total_of(lines)
    context = {
        "shop_name": shop_name,
        "made_at": full_moment(run.made_at),
        "is_clean": not total.failed,
        "verdict": _verdict(total.conversations, total.failed),
        "cards": [
            ("Conversations", number(total.conversations), plural(len(lines), "sujet", "sujets")),
            ("Réussies", number(total.passed), f"{number(total.failed)} en échec"),
            ("Vérifications", number(total.checks), lasting(run.seconds)),
        ],
        "charts": [("Conversations réussies", "", _chart(lines))],
        "table": _table([*lines, total]),
        "changes": list(changes(run)),
        "played": [_shown(one, changed) for one in sorted(run.played, key=lambda one: one.passed)],
        "spent": spent(run),
    }
    return render_to_string("evaluation/report.html", context)


def _chart(lines: Sequence[Line]) -> SafeString:
    rows = [
        (line.label, line.passed * 100 // line.conversations, f"{line.passed}/{line.conversations}")
        for line in lines
    ]
    return bars(rows, "Conversations réussies")


def _table(lines: Sequence[Line]) -> HTMLTable:
    head = ("Sujet", "Conversations", "Réussies", "Échouées", "Vérifications")
    rows = [
        (line.label, *map(str, (line.conversations, line.passed, line.failed, line.checks)))
        for line in lines
    ]
    return HTMLTable("Par sujet", head, rows)


def _verdict(conversations: int, failed: int) -> str:
    if failed:
        return f"{plural(failed, 'conversation échoue', 'conversations échouent')}."
    return (
        f"{plural(conversations, 'conversation réussie', 'conversations réussies')}, aucun échec."
    )


def _shown(one: Played, changed: Changed) -> dict[str, Any]:
    marks = [
        label
        for label, names in (
            ("échoue désormais", changed.newly_failing),
            ("réussit désormais", changed.newly_passing),
            ("nouvelle", changed.new),
            ("réponse changée", tuple(changed.texts)),
        )
        if one.name in names
    ]
    return {
        "name": one.name,
        "passed": one.passed,
        "about": one.conversation.about,
        "at": full_moment(one.conversation.at),
        "marks": marks,
        "trouble": one.trouble,
        "turns": [_shown_turn(turn) for turn in one.turns],
        "checks": len(one.checks),
        "failures": len(one.failures),
    }


def _shown_turn(turn: PlayedTurn) -> dict[str, Any]:
    calls = [
        {"told": told_calls([call]), "result": _result(call.result)} for call in turn.observed.calls
    ]
    return {"turn": turn, "calls": calls}


def _result(result: object) -> str:
    text = json.dumps(result, ensure_ascii=False, indent=1)
    return text if len(text) <= _MAX_RESULT_CHARS else text[: _MAX_RESULT_CHARS - 1] + "…"
