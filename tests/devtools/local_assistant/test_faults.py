from __future__ import annotations

import re

import pytest

from devtools.local_assistant.faults import (
    DIRECTIVE_NAMES,
    BadFault,
    Fault,
    FaultPlan,
    Kind,
    Pace,
    behaviour_for,
    parse_fault,
    read_directives,
)
from meuble_project.env import ROOT
from tests.documents import read_page

PACE = Pace(0, 200, 40)


@pytest.mark.parametrize(
    "text, fault",
    [
        ("[[panne:500]]", Fault(kind=Kind.ERROR, status=500)),
        ("[[panne:503]]", Fault(kind=Kind.ERROR, status=503)),
        ("[[panne:429 attendre_s=7]]", Fault(kind=Kind.RATE_LIMIT, retry_after_s=7)),
        ("[[panne:coupure apres=5]]", Fault(kind=Kind.CUT, after=5)),
        ("[[ PANNE:Coupure ]]", Fault(kind=Kind.CUT)),
        ("[[panne:cut after=5]]", Fault(kind=Kind.CUT, after=5)),
        ("[[panne:goutte octets=oui]]", Fault(kind=Kind.DRIP, bytes=True)),
        ("[[panne:goutte toutes_les_ms=5]]", Fault(kind=Kind.DRIP, every_ms=5)),
        ("[[panne:outil_inconnu outil=f]]", Fault(kind=Kind.UNKNOWN_TOOL, tool="f")),
        ("[[lent delai_ms=1000]]", Fault(kind=Kind.SLOW, delay_ms=1000)),
        ("[[lent premier_jeton_ms=9]]", Fault(kind=Kind.SLOW, first_token_ms=9)),
        ("[[lent jetons_s=2.5]]", Fault(kind=Kind.SLOW, tokens_per_s=2.5)),
        ("[[jetons_s=200]]", Fault(kind=Kind.SLOW, tokens_per_s=200)),
    ],
)
def test_directive_asks_for_a_fault(text, fault):
    assert read_directives(f"Bonjour {text} !").faults == (fault,)
    assert read_directives(f"Bonjour {text}").text == "Bonjour"


@pytest.mark.parametrize("name", DIRECTIVE_NAMES)
def test_every_directive_name_is_understood(name):
    assert read_directives(f"[[panne:{name}]]").unknown == ()


@pytest.mark.parametrize(
    "text",
    [
        "[[panne:inconnue]]",
        "[[panne:]]",
        "[[panne:coupure apres=-1]]",
        "[[panne:coupure apres=mille]]",
        "[[panne:coupure apres]]",
        "[[panne:coupure fois=3]]",
        "[[panne:say text=x]]",
        "[[jetons_s=vite]]",
        "[[lent delai_ms=9999999]]",
    ],
)
def test_directive_that_makes_no_sense_is_told(text):
    assert read_directives(text).unknown == (text,)
    assert read_directives(text).faults == ()


@pytest.mark.parametrize("text", ["", "Bonjour", "[panne:500]", "[[500]]", "panne:500", "[[ ]]"])
def test_other_text_is_no_directive(text):
    assert read_directives(text) == type(read_directives(""))(text)


def test_fault_of_json_happens_once_unless_told_otherwise():
    assert parse_fault({"kind": "cut", "after": 3}) == Fault(kind=Kind.CUT, after=3, times=1)
    assert parse_fault({"kind": "hang", "times": None}) == Fault(kind=Kind.HANG, times=None)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"kind": "boum"},
        {"kind": 3},
        {"kind": "cut", "when": "now"},
        {"kind": "cut", "times": 0},
        {"kind": "cut", "times": True},
        {"kind": "cut", "times": 1.5},
        {"kind": "cut", "after": "5"},
        {"kind": "cut", "after": 1.5},
        {"kind": "cut", "after": True},
        {"kind": "error", "status": 200},
        {"kind": "error", "status": 600},
        {"kind": "drip", "every_ms": 0},
        {"kind": "drip", "bytes": 1},
        {"kind": "say", "text": 3},
        {"kind": "say", "text": "x" * 100_001},
        {"kind": "slow", "tokens_per_s": float("nan")},
        {"kind": "slow", "delay_ms": 10**9},
    ],
)
def test_fault_that_makes_no_sense_is_refused(data):
    with pytest.raises(BadFault):
        parse_fault(data)


def test_planned_faults_happen_in_order_and_end():
    plan = FaultPlan()
    plan.add("error", times=2)
    plan.add("hang", times=None)

    kinds = [fault.kind for _ in range(4) if (fault := plan.take("Bonjour"))]

    assert kinds == [Kind.ERROR, Kind.ERROR, Kind.HANG, Kind.HANG]
    plan.clear()
    assert plan.take("Bonjour") is None


def test_planned_fault_waits_for_its_message():
    plan = FaultPlan()
    plan.add("hang", match="table")

    assert plan.take("Un lit ?") is None
    assert plan.take("Une table ?") == Fault(kind=Kind.HANG, match="table")
    assert plan.take("Une table ?") is None


def test_plan_is_bounded():
    plan = FaultPlan()
    for _ in range(100):
        plan.add("hang")

    with pytest.raises(BadFault):
        plan.add("hang")


def test_directive_comes_before_the_plan_and_pace_adds_up():
    plan = FaultPlan()
    plan.add("hang")

    behaviour = behaviour_for("[[lent delai_ms=10]] [[panne:coupure jetons_s=5]]", PACE, plan)

    assert behaviour.fault == Fault(kind=Kind.CUT, tokens_per_s=5)
    assert behaviour.pace == Pace(10, 200, 5)
    assert len(plan.planned) == 1


def test_slowness_is_a_pace_and_no_fault():
    plan = FaultPlan()
    plan.add("slow", first_token_ms=1)

    assert behaviour_for("Bonjour", PACE, plan).pace == Pace(0, 1, 40)
    assert behaviour_for("Bonjour", PACE, plan).pace == PACE


def test_documentation_lists_every_kind_and_directive():
    page = read_page(ROOT / "docs" / "local-assistant.md")
    rows = page.rows("kind", "directive", "effect")
    named = {
        name: kind.strip("`")
        for kind, directives, _what in rows
        for name in re.findall(r"`(?:\[\[)?(\w+)", directives)
    }
    paces = {"jetons_s"}

    assert [kind for kind, _directives, _what in rows] == [f"`{kind.value}`" for kind in Kind]
    assert set(DIRECTIVE_NAMES) <= named.keys()
    for name in named.keys() - paces:
        [fault] = read_directives(f"[[panne:{name}]]").faults
        assert fault.kind.value == named[name], name
