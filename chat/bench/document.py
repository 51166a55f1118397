"""``docs/performance.md`` as a run writes it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chat.bench.rows import Row, Run, verdict_words
from chat.bench.table import HEAD, KEY, cells, parts_of

INTRODUCTION = """\
# Performance

Written by `python manage.py bench --write-docs`; do not edit.

Everything but the model's own time is ours, so it is measured beside a **floor** in the same run: a
bare Starlette relay (uvicorn, uvloop, httptools) with the plain typed stream of one `AsyncOpenAI`,
without a store, tools, checks or Django. **Before** is a copy of the blocking design that this
replaces: a synchronous client made for each request, the session read and written back whole.

The model is the local assistant: 40 tokens, 50 a second, the first after 200 ms. It, Redis and the
clients run on the same machine, in processes of their own. Our worker runs as in production:
`DEBUG=0`, keys checked, Redis with `appendonly`.

Turns per second are the text that came within the seconds that count, divided by an answer's
length, as answers come in waves. CPU is that of the serving process, all its threads, Redis apart.
Added times are what is left once the model's own are taken off.
"""


def as_document(run: Run) -> str:
    return "\n".join(_lines(run)) + "\n"


def _lines(run: Run) -> Iterator[str]:
    yield INTRODUCTION
    yield f"**{verdict_words(run)}** Run of {run.began_at}, {run.size}, {run.lasted_s:.0f} s."
    yield ""
    yield from _table(["", "what it ran on"], [[name, said] for name, said in run.machine.items()])
    for part, rows in parts_of(run):
        yield f"## {part.capitalize()}"
        yield ""
        yield from _table([*HEAD[:-1], "verdict"], [_marked(row) for row in rows])
        notes = dict.fromkeys(f"- {row.name}: {row.note}" for row in rows if row.note)
        yield from notes
        if notes:
            yield ""
    yield KEY
    yield ""
    yield from (f"- {remark}" for remark in run.remarks)
    yield ""
    yield from _profile(run)


def _profile(run: Run) -> Iterator[str]:
    yield "## Where a turn's time goes"
    yield ""
    if not run.profile:
        yield "Not profiled in this run: add `--profile`."
        return
    yield "CPU time of the worker while turns were streamed, by the package whose code ran."
    yield ""
    shares = [[place, f"{share:.1%}"] for place, share in run.profile.items() if share >= 0.005]
    yield from _table(["package", "share"], shares)


def _marked(row: Row) -> list[str]:
    name, *others = cells(row)
    return [name.replace(" *", " \\*"), *others]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield _line(head)
    yield _line(["---", *["---:"] * (len(head) - 1)])
    yield from map(_line, rows)
    yield ""


def _line(cells_: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells_)} |"
