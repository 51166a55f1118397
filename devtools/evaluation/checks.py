"""Comparison of an observed turn with its expectations. Pure.

Every expectation results in one check; a failed one has its reason in French.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from chat.core.text import language_of
from chat.shop.tickets.rules import in_french
from devtools.evaluation.matching import is_in, states_amount, states_date
from devtools.evaluation.observed import Call, ObservedTurn
from devtools.evaluation.types import Expected, Phrase, WantedCall, WantedValue

_MAX_QUOTED_CHARS = 160


@dataclass(frozen=True, slots=True)
class Check:
    """Result of one expectation. ``wanted``, ``reason``: French; the reason is "" for success."""

    kind: str
    wanted: str
    reason: str = ""

    @property
    def holds(self) -> bool:
        return not self.reason


def checks_of(
    expected: Expected, observed: ObservedTurn, never: Sequence[Phrase] = ()
) -> list[Check]:
    """Return all checks of one turn. ``never``: phrases forbidden in the whole conversation."""
    checks = [check for judge in _JUDGES for check in judge(expected, observed)]
    return [*checks, *_never((*expected.never, *never), observed)]


def _ends(expected: Expected, observed: ObservedTurn) -> Iterator[Check]:
    if expected.error:
        told = "" if observed.error == expected.error else f"fin : {_end(observed)}"
        yield Check("end", f"finit par l'erreur {expected.error}", told)
        return
    wanted = "réponse interrompue" if expected.interrupted else "réponse menée à son terme"
    fine = not observed.error and observed.end == "done" and not observed.interrupted
    if expected.interrupted:
        fine = observed.interrupted
    yield Check("end", wanted, "" if fine else f"fin : {_end(observed)}")


def _end(observed: ObservedTurn) -> str:
    cut = ", interrompue" if observed.interrupted else ""
    return f"{observed.end}{cut}{f' ({observed.error})' if observed.error else ''}"


def _tools(expected: Expected, observed: ObservedTurn) -> Iterator[Check]:
    for wanted in expected.tools:
        kept = any(_is_call(wanted, call) for call in observed.calls)
        reason = "" if kept else f"appels : {told_calls(observed.calls)}"
        yield Check("tools", f"appelle {_told_wanted(wanted)}", reason)
    for name in expected.no_tools:
        called = [call for call in observed.calls if name in ("all", call.name)]
        wanted_text = "n'appelle aucun outil" if name == "all" else f"n'appelle pas {name}"
        yield Check("no_tools", wanted_text, f"appels : {told_calls(called)}" if called else "")


def _is_call(wanted: WantedCall, call: Call) -> bool:
    if call.name != wanted.name or call.arguments is None:
        return False
    return all(_is_value(value, call.arguments.get(k)) for k, value in wanted.arguments.items())


def _is_value(wanted: WantedValue, value: object) -> bool:
    if isinstance(wanted, Phrase):
        return isinstance(value, str) and is_in(wanted, value)
    if isinstance(wanted, bool) or isinstance(value, bool):
        return wanted is value
    return wanted == value


def _told_wanted(wanted: WantedCall) -> str:
    told = (
        f"{name} = {f'/{value.written}/' if isinstance(value, Phrase) else value}"
        for name, value in wanted.arguments.items()
    )
    return f"{wanted.name}({', '.join(told)})"


def told_calls(calls: Sequence[Call]) -> str:
    """Format calls on one line, without empty arguments."""
    return " ; ".join(f"{call.name}({_told_arguments(call)})" for call in calls) or "aucun"


def _told_arguments(call: Call) -> str:
    if call.arguments is None:
        return "arguments illisibles"
    return ", ".join(f"{k} = {v!r}" for k, v in call.arguments.items() if v is not None)


def _rows(expected: Expected, observed: ObservedTurn) -> Iterator[Check]:
    for name, count in expected.rows.items():
        made = observed.rows.get(name, 0)
        yield Check("rows", f"{name} : {count}", "" if made == count else f"il y en a {made}")
    if expected.priority:
        fine = observed.priority == expected.priority
        reason = "" if fine else f"priorité {observed.priority or 'inconnue'}"
        yield Check("priority", f"priorité {expected.priority}", reason)
    if expected.asked is not None:
        fine = observed.asked is expected.asked
        wanted = "un conseiller est demandé" if expected.asked else "aucun conseiller demandé"
        yield Check("asked", wanted, "" if fine else "c'est le contraire")


def _prepared(expected: Expected, observed: ObservedTurn) -> Iterator[Check]:
    wanted, form = expected.form, observed.form
    if wanted is None:
        return
    if not wanted.is_there:
        yield Check("form", "aucune demande en préparation", "il y en a une" if form else "")
        return
    found = form or {}
    if wanted.step:
        step = str(found.get("step", "aucune demande"))
        reason = "" if step == wanted.step else f"étape : {step}"
        yield Check("form", f"demande à l'étape « {wanted.step} »", reason)
    for name, phrase in wanted.fields.items():
        value = str(found.get(name, ""))
        reason = "" if is_in(phrase, value) else f"« {_quoted(value)} »"
        yield Check("form", f"demande : {name} = /{phrase.written}/", reason)


def _says(expected: Expected, observed: ObservedTurn) -> Iterator[Check]:
    announced = "\n".join(observed.announced)
    for kind, groups, text in (
        ("says", expected.says, observed.answer),
        ("announces", expected.announces, announced),
    ):
        verb = "dit" if kind == "says" else "l'application annonce"
        for group in groups:
            fine = any(is_in(phrase, text) for phrase in group)
            wanted = " ou ".join(f"/{phrase.written}/" for phrase in group)
            yield Check(kind, f"{verb} {wanted}", "" if fine else f"« {_quoted(text)} »")


def _facts(expected: Expected, observed: ObservedTurn) -> Iterator[Check]:
    for cents in expected.amounts_cents:
        fine = states_amount(cents, observed.answer)
        wanted = f"donne le montant {cents / 100:.2f} €".replace(".", ",")
        yield Check("amounts", wanted, "" if fine else f"« {_quoted(observed.answer)} »")
    for day in expected.dates:
        fine = states_date(day, observed.answer)
        reason = "" if fine else f"« {_quoted(observed.answer)} »"
        yield Check("dates", f"donne la date du {in_french(day)}", reason)
    for kind in expected.sources:
        reason = (
            ""
            if kind in observed.sources
            else f"sources : {', '.join(observed.sources) or 'aucune'}"
        )
        yield Check("sources", f"cite une source « {kind} »", reason)


def _form(expected: Expected, observed: ObservedTurn) -> Iterator[Check]:
    length = len(observed.answer)
    if expected.language:
        found = language_of(observed.answer)
        reason = "" if found == expected.language else f"langue : {found}"
        yield Check("language", f"répond en « {expected.language} »", reason)
    if expected.min_chars is not None:
        reason = "" if length >= expected.min_chars else f"{length} caractères"
        yield Check("min_chars", f"au moins {expected.min_chars} caractères", reason)
    if expected.max_chars is not None:
        reason = "" if length <= expected.max_chars else f"{length} caractères"
        yield Check("max_chars", f"au plus {expected.max_chars} caractères", reason)


def _never(phrases: Sequence[Phrase], observed: ObservedTurn) -> Iterator[Check]:
    text = "\n".join((observed.answer, *observed.announced))
    for phrase in phrases:
        reason = f"« {_quoted(text)} »" if is_in(phrase, text) else ""
        yield Check("never", f"ne dit pas /{phrase.written}/", reason)


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_QUOTED_CHARS else line[: _MAX_QUOTED_CHARS - 1] + "…"


_JUDGES: tuple[Callable[[Expected, ObservedTurn], Iterator[Check]], ...] = (
    *(_ends, _tools, _rows, _prepared, _says, _facts, _form),
)
