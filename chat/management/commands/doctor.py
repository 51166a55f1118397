from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from chat.management.console import Exit, OperatorCommand, cannot, leave_with
from chat.ops.doctor import clocks
from chat.ops.doctor.configuration import check_configuration
from chat.ops.doctor.database_state import check_database
from chat.ops.doctor.findings import Finding, Level, secrets_in, skipped, without
from chat.ops.doctor.layer_state import FIX as LAYER_FIX
from chat.ops.doctor.layer_state import check_layer
from chat.ops.doctor.left_state import check_left_conversations
from chat.ops.doctor.model_state import check_model
from chat.ops.doctor.photo_state import check_confinement, check_photos
from chat.ops.doctor.redis_state import check_redis
from chat.ops.doctor.rendering import as_json, line, summary
from chat.ops.doctor.runner import Check, run
from chat.ops.doctor.sentinel_state import check_sentinels
from chat.ops.doctor.site import check_site
from chat.ops.doctor.static_files import check_static_files
from meuble_project import parsers
from meuble_project.env import Env

LONGEST_TIMEOUT_S = 60
_LOGS = "docker compose logs --tail 100 web"


class Command(OperatorCommand):
    help = (
        "Check everything the assistant stands on, from Redis to the proxy, and say for each fault "
        "the line that mends it. Changes nothing. "
        "Exit code: 0 nothing is wrong, 1 something is, 2 wrong usage."
    )
    requires_system_checks = ()  # it makes them itself, and tells of them in its own words

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")
        parser.add_argument(
            "--url", default="", help="the site as customers reach it, e.g. https://chat.example.fr"
        )
        parser.add_argument("--no-model", action="store_true", help="do not call the model")
        parser.add_argument(
            "--timeout", type=float, default=5.0, help="seconds each check may take (default 5)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        timeout_s = options["timeout"]
        if not 0 < timeout_s <= LONGEST_TIMEOUT_S:
            raise cannot(f"--timeout : de 0 à {LONGEST_TIMEOUT_S} secondes.")
        try:
            url = parsers.http_url(options["url"])
        except ValueError as error:
            raise cannot(
                "--url : une adresse comme https://chat.example.fr est attendue."
            ) from error
        env: Env = settings.ENV
        checks = checks_of(env, url, timeout_s, with_model=not options["no_model"])
        secrets = secrets_in(
            (
                *(env.redis_url, *env.channel_layer_urls),
                *(env.database_url, env.openai_base_url, url),
            ),
            (env.openai_api_key, env.secret_key),
        )
        found: list[Finding] = []
        # A little longer than each check gives what it asks: its own words say more than ours.
        for findings in run(checks, timeout_s + 1):
            for finding in (without(secrets, one) for one in findings):
                found.append(finding)
                if not options["json"]:
                    self.stdout.write(line(finding))
                    self.stdout.flush()
        if options["json"]:
            self.stdout.write(json.dumps(as_json(found), ensure_ascii=False, indent=2))
        else:
            self.stdout.write(f"\n{summary(found)}")
        self.stdout.flush()
        wrong = any(finding.level is Level.WRONG for finding in found)
        leave_with(Exit.FOUND if wrong else Exit.FINE)


def checks_of(env: Env, url: str, timeout_s: float, *, with_model: bool) -> list[Check]:
    """Return every check that is to be made, in the order in which it is told."""
    return [
        Check(
            "Redis",
            lambda: check_redis(env.redis_url, env.session_ttl_s, timeout_s, env.redis_sentinels),
            "docker compose up --detach redis",
        ),
        Check(
            "Redis : Sentinel",
            lambda: check_sentinels(env.redis_url, env.redis_sentinels, timeout_s),
            "redis-cli -p 26379 SENTINEL MASTERS",
        ),
        Check(
            "Base",
            lambda: check_database(env.database_url),
            "docker compose up --detach postgres",
        ),
        Check("Couche de messages", lambda: check_layer(timeout_s), LAYER_FIX),
        Check(
            "Modèle",
            (lambda: check_model(env, timeout_s))
            if with_model
            else lambda: [skipped("Modèle", "--no-model")],
            "OPENAI_API_KEY=…, OPENAI_BASE_URL=…   # dans .env",
        ),
        Check(
            "Horloge : Redis",
            lambda: clocks.check_redis_clock(env.redis_url, timeout_s, env.redis_sentinels),
            "docker compose up --detach redis",
        ),
        Check(
            "Horloge : base",
            clocks.check_database_clock,
            "docker compose up --detach postgres",
        ),
        Check("Photos", check_photos, "manage.py migrate   # et les droits de MEDIA_DIR"),
        Check("Photos : confinement", check_confinement, "uname -r   # Linux 5.13 ou plus récent"),
        Check("Conversations laissées", check_left_conversations, "ls -l MEDIA_DIR"),
        Check("Fichiers statiques", check_static_files, "manage.py collectstatic --no-input"),
        Check("Configuration", lambda: check_configuration(env), "manage.py check --deploy"),
        Check(
            "Site",
            (lambda: check_site(url, timeout_s))
            if url
            else lambda: [skipped("Site", "donner --url https://… pour le vérifier")],
            _LOGS,
        ),
    ]
