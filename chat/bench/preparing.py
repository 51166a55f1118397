"""What a worker needs before it starts: tables, and a key for the API. Prints the key.

``python -m chat.bench.preparing``, with the worker's environment.
"""

from __future__ import annotations

import sys

import django
from django.core.management import call_command

if __name__ == "__main__":
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("create_api_key", "bench", stdout=sys.stdout, stderr=open("/dev/null", "w"))  # noqa: SIM115, PTH123
