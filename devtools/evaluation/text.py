"""Text report of a run for the terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chat.core.reporting.french import lasting, number, plural
from chat.core.reporting.tables import text_table
from devtools.evaluation.results import Played, lines_of, total_of
from devtools.evaluation.run import Run

_MAX_TEXTS = 20


def as_text(run: Run) -> str:
    return "\n".join(_lines(run)) + "\n"


def _lines(run: Run) -> Iterator[str]:
    lines = lines_of(run.played)
    head = ["Sujet", "conversations", "réussies", "échouées", "vérifications"]
    rows = [
        (line.label, *map(number, (line.conversations, line.passed, line.failed, line.checks)))
        for line in [*lines, total_of(lines)]
    ]
    yield from text_table(head, rows)
    yield ""
    yield from _failures(run.played)
    yield from changes(run)
    yield spent(run)


def _failures(played: Sequence[Played]) -> Iterator[str]:
    for one in played:
        if not one.passed:
            yield f"ÉCHEC {one.name}"
            yield from (f"  - {reason}" for reason in one.failures)
            yield ""


def changes(run: Run) -> Iterator[str]:
    """Yield the differences from the last run, in French."""
    changed, last = run.changed, run.last
    if last is None:
        yield "Première exécution avec ce modèle : rien à comparer."
        return
    yield f"Depuis l'exécution du {last.made_at} :"
    if not changed.any:
        yield "  aucune différence"
    for label, names in (
        ("échouent désormais", changed.newly_failing),
        ("réussissent désormais", changed.newly_passing),
        ("nouvelles", changed.new),
    ):
        if names:
            yield f"  {label} : {', '.join(names)}"
    if changed.texts:
        shown = [
            f"{name} (message {', '.join(map(str, turns))})"
            for name, turns in list(changed.texts.items())[:_MAX_TEXTS]
        ]
        more = len(changed.texts) - len(shown)
        end = f" et {number(more)} de plus" if more else ""
        yield f"  réponse changée : {', '.join(shown)}{end}"


def spent(run: Run) -> str:
    """Return one line with the model, the time and the cost."""
    played = run.played
    asked, cached = sum(one.asked for one in played), sum(one.cached for one in played)
    tokens = sum(one.prompt_tokens + one.completion_tokens for one in played if one.asked)
    return (
        f"Modèle : {run.model} ; {lasting(run.seconds)} ; {plural(asked, 'réponse', 'réponses')} "
        f"du modèle, {number(cached)} de la réserve, {plural(tokens, 'jeton', 'jetons')}."
    )
