"""The configuration: what Django itself says of it."""

from __future__ import annotations

from collections.abc import Sequence

from django.core import checks
from django.core.checks import CheckMessage

from chat.ops.doctor.findings import Finding, Level, ok, warning
from meuble_project.env import Env

NAME = "Configuration"


def check_configuration(env: Env) -> list[Finding]:
    found = checks.run_checks(include_deployment_checks=not env.debug)
    messages = [one for one in found if not one.is_silenced()]
    return [*evaluate_configuration(messages, debug=env.debug), *evaluate_mails(env)]


def evaluate_mails(env: Env) -> list[Finding]:
    """E-mails that nobody sends are no fault while developing."""
    if env.debug or not env.email_url.startswith("console:"):
        return []
    what = "EMAIL_URL=console:// : aucun e-mail ne part, personne ne les lit"
    fix = "EMAIL_URL=smtp+tls://UTILISATEUR:MOT_DE_PASSE@hôte:587   # dans .env"
    return [warning("E-mails", what, fix)]


def evaluate_configuration(messages: Sequence[CheckMessage], *, debug: bool) -> list[Finding]:
    findings = [_finding(message) for message in messages if message.level >= checks.WARNING]
    if debug:
        what = "DEBUG=1 : pour le développement seulement"
        findings.insert(0, warning(NAME, what, "DEBUG=0   # dans .env"))
    return findings or [ok(NAME, "rien à redire")]


def _finding(message: CheckMessage) -> Finding:
    level = Level.WRONG if message.level >= checks.ERROR else Level.WARNING
    what = " ".join(message.msg.split())
    fix = " ".join((message.hint or "python manage.py check --deploy").split())
    return Finding(f"{NAME} : {message.id or 'sans nom'}", level, what, fix)
