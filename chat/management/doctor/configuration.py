"""The configuration: what Django itself says of it."""

from __future__ import annotations

from collections.abc import Sequence

from django.core import checks
from django.core.checks import CheckMessage

from chat.management.doctor.findings import Finding, Level, ok, warning
from meuble_project.env import Env

NAME = "Configuration"


def look_at_configuration(env: Env) -> list[Finding]:
    found = checks.run_checks(include_deployment_checks=not env.debug)
    return judge_configuration([one for one in found if not one.is_silenced()], debug=env.debug)


def judge_configuration(messages: Sequence[CheckMessage], *, debug: bool) -> list[Finding]:
    findings = [_finding(message) for message in messages if message.level >= checks.WARNING]
    if debug:
        what = "DEBUG=1 : pour le développement seulement"
        findings.insert(0, warning(NAME, what, "DEBUG=0   # dans .env"))
    return findings or [ok(NAME, "rien à redire")]


def _finding(message: CheckMessage) -> Finding:
    level = Level.WRONG if message.level >= checks.ERROR else Level.WARNING
    what = " ".join(message.msg.split())
    mend = " ".join((message.hint or "python manage.py check --deploy").split())
    return Finding(f"{NAME} : {message.id or 'sans nom'}", level, what, mend)
