"""Programs that tests need. A test without its program is skipped, and fails where ``CI=true``."""

from __future__ import annotations

import os
import shutil

import pytest

#: The first is the old headless mode, without a window: half the processor time for the same page.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def find_program(title: str, *names: str) -> str:
    """Return the path of the first of these programs that is installed, or skip or fail the test.

    ``title``: what the reason calls it.
    """
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        reason = f"{title} is not installed: `make test` says how"
        if os.environ.get("CI") == "true":  # noqa: TID251 - the tests' own question
            pytest.fail(reason)
        pytest.skip(reason)
    return path
