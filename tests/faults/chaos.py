"""``python -m tests.faults.chaos``: random faults with random seeds, for as long as you like.

The seed printed first makes the same customers and the same faults again.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.catalogue import SCENARIOS
from tests.faults.cluster import Cluster, migrated_database
from tests.faults.invariants import violations
from tests.faults.play import Play
from tests.faults.records import RunRecord, figures


async def play_until(deadline: float, seed: int, database: Path) -> tuple[list[RunRecord], int]:
    """Play scenarios drawn from ``seed``; return their records and how many broke a promise."""
    rng = random.Random(seed)  # noqa: S311 - not a secret
    records: list[RunRecord] = []
    broken = 0
    while time.monotonic() < deadline:
        scenario, own_seed = rng.choice(SCENARIOS), rng.randrange(10**6)
        async with Cluster(database, scenario.options()) as cluster:
            record = await Play(cluster, scenario, own_seed).run()
            found = violations(record)
            say(f"{scenario.name}, seed {own_seed}: {figures([record])}")
            if found:
                broken += 1
                say("\n".join([*(f"  BROKEN {violation}" for violation in found), cluster.logs()]))
        records.append(record)
    return records, broken


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    say(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="meuble-chaos-") as folder:
        database = migrated_database(Path(folder))
        deadline = time.monotonic() + options.seconds
        records, broken = asyncio.run(play_until(deadline, options.seed, database))
    say(f"{len(records)} runs, {broken} broken: {figures(records)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
