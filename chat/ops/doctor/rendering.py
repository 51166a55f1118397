"""The findings as an operator reads them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap

from chat.core.json import JSON
from chat.ops.doctor.findings import Finding, Level

WORDS = {
    Level.OK: "bien",
    Level.WARNING: "attention",
    Level.WRONG: "À RÉPARER",
    Level.SKIPPED: "non vérifié",
}
NAME_CHARS = 24
LEVEL_CHARS = 12
WHAT_CHARS = 88


def line(finding: Finding) -> str:
    """Aligned columns; what fixes it stands below, whole, to be copied."""
    indent = " " * (NAME_CHARS + LEVEL_CHARS)
    head = f"{finding.name:<{NAME_CHARS}}{WORDS[finding.level]:<{LEVEL_CHARS}}"
    if len(finding.name) >= NAME_CHARS:
        head = f"{finding.name}\n{' ' * NAME_CHARS}{WORDS[finding.level]:<{LEVEL_CHARS}}"
    text = head + f"\n{indent}".join(wrap(finding.what, WHAT_CHARS) or [""])
    return f"{text}\n{indent}→ {finding.fix}" if finding.fix else text


def summary(findings: Sequence[Finding]) -> str:
    wrong, warnings = (
        sum(finding.level is level for finding in findings)
        for level in (Level.WRONG, Level.WARNING)
    )
    if not wrong and not warnings:
        return "Tout va bien."
    return f"{wrong} à réparer, {warnings} à surveiller."


def as_json(findings: Iterable[Finding]) -> JSON:
    listed = [finding.to_json() for finding in findings]
    return {"ok": all(one["level"] != Level.WRONG for one in listed), "checks": listed}
