"""Run a command of ``manage.py`` that ends with the process that started it.

``python -m chat.management.lifeline COMMAND…``: standard input is a pipe that the other process
holds open. However that one ends, ``kill -9`` included, the system closes it.
"""

from __future__ import annotations

import os
import sys
import threading

from django.core.management import execute_from_command_line


def end_with_input() -> None:
    """Wait for the end of standard input, then leave."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_input, daemon=True).start()
    execute_from_command_line(sys.argv)
