"""The smallest real run: every process, every part. No time is judged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devtools.bench.results import Verdict
from devtools.bench.run import PARTS

ROOT = Path(__file__).parents[3]


def bench(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "bench", *arguments],
        capture_output=True,
        cwd=ROOT,
        env={"DEBUG": "1", "PATH": os.defpath, "PYTHONUTF8": "1"} | environ,
        text=True,
        check=False,
        timeout=280,
    )


@pytest.mark.timeout(300)
def test_smallest_run_fills_every_row(redis_server, tmp_path):
    page = tmp_path / "bench.html"
    path = str(Path(shutil.which("redis-server") or "").parent)
    ran = bench("--size", "smoke", "--json", "--html", str(page), PATH=path)
    told = json.loads(ran.stdout or "{}")
    assert ran.returncode in (0, 1), told.get("broken", ran.stderr)
    assert [row["name"] for row in told["rows"] if row["ours"] is None] == []
    assert {row["verdict"] for row in told["rows"]} <= set(Verdict)
    assert told["holds"] is (ran.returncode == 0)
    failed = [row for row in told["rows"] if row["name"].startswith("answers that failed")]
    assert [row["ours"] for row in failed] == [0, 0, 0]
    compared = [row for row in told["rows"] if row["floor"] is not None]
    assert {"first text", "turns", "sockets", "post", "sessions", "page"} == {
        row["part"] for row in compared
    }
    assert {row["part"] for row in told["rows"] if row["before"] is not None} == {"post", "length"}
    assert [line for line in told["remarks"] if line.startswith("Failed")] == []
    assert "<svg" in page.read_text()


def test_run_without_redis_says_what_is_missing(tmp_path):
    ran = bench("--size", "smoke", "--only", "length", PATH=str(tmp_path))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "redis-server is not installed" in ran.stderr


@pytest.mark.parametrize(
    "arguments", [["--only", "nothing"], ["--rounds", "0"], ["--drivers", "0"]]
)
def test_wrong_usage_is_refused_before_anything_starts(arguments):
    ran = bench(*arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr


def test_every_part_has_a_name_to_ask_for():
    assert list(PARTS) == ["memory", "stream", "sockets", "post", "count", "length", "workers"]
