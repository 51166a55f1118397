"""Settings under test: the project's own, deaf to the developer's environment and ``.env``.

``TEST_REDIS_URL=redis://127.0.0.1:6379/9 make test`` runs the same tests on a Redis, whose
database 9 it empties.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from dataclasses import fields
from pathlib import Path

from meuble_project.env import Env

# Present but empty means the default, and wins over ".env".
os.environ.update({field.name.upper(): "" for field in fields(Env)})
os.environ["DEBUG"] = "1"
os.environ["MEDIA_DIR"] = tempfile.mkdtemp(prefix="meuble-media-")
os.environ["REDIS_URL"] = os.environ.get("TEST_REDIS_URL", "")

from meuble_project.settings import *  # noqa: F403
from meuble_project.settings import DATABASES
from tests.sqlite_warnings import WarningConnection

atexit.register(shutil.rmtree, os.environ["MEDIA_DIR"], ignore_errors=True)

# A file, as in development: in memory, threads share one connection's locks and fail at random.
_FOLDER = Path(tempfile.mkdtemp(prefix="meuble-tests-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
DATABASES["default"]["NAME"] = str(_FOLDER / "db.sqlite3")
DATABASES["default"]["TEST"] = {"NAME": str(_FOLDER / "test.sqlite3")}
if sys.version_info < (3, 13):  # from 3.13 on, Python itself warns of what nobody closed
    DATABASES["default"]["OPTIONS"]["factory"] = WarningConnection

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
