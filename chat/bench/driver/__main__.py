"""``python -m chat.bench.driver``"""

from __future__ import annotations

import asyncio
import gc
import json
import sys

from chat.bench.driver.load import JOBS

try:
    from uvloop import run
except ImportError:  # a driver that saturates says so
    from asyncio import run  # type: ignore[assignment]


async def main() -> None:
    gc.freeze()
    while line := await asyncio.to_thread(sys.stdin.readline):
        job = json.loads(line)
        try:
            result = await JOBS[job["kind"]](job)
        except Exception as error:  # noqa: BLE001 - told to whoever gave the job
            result = {"broken": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    run(main())
