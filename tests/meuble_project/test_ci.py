"""What runs the tests elsewhere, as far as it can be checked here."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from meuble_project.env import ROOT

WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
RUN: dict[str, Any] = WORKFLOW["jobs"]["run"]


def pythons_read(folder: Path) -> list[str]:
    """Run the step that reads the Dockerfile, as GitHub does."""
    [step] = [step for step in WORKFLOW["jobs"]["pythons"]["steps"] if step.get("id") == "read"]
    output = folder / "output"
    subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=ROOT,
        env={"PATH": os.defpath, "GITHUB_OUTPUT": str(output)},
        check=True,
    )
    name, _, value = output.read_text().strip().partition("=")
    assert name == "pythons"
    pythons: list[str] = json.loads(value)
    return pythons


def test_workflow_runs_on_the_oldest_python_and_on_that_of_the_image(tmp_path):
    [oldest] = re.findall(
        r"sys\.version_info < \((3), (\d+)\)", (ROOT / ".ci/make-venv").read_text()
    )
    [image] = set(re.findall(r"^FROM python:(3\.\d+)", (ROOT / "Dockerfile").read_text(), re.M))

    assert pythons_read(tmp_path) == [".".join(oldest), image]
    assert RUN["strategy"]["matrix"]["python"] == "${{ fromJSON(needs.pythons.outputs.pythons) }}"
    assert RUN["container"]["image"] == "python:${{ matrix.python }}"


def test_workflow_runs_what_anybody_runs_and_ends_in_time():
    assert [step["run"] for step in RUN["steps"] if "run" in step][-1] == ".ci/run"
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert RUN["timeout-minutes"] == 30
    assert not [step for step in RUN["steps"] if "continue-on-error" in step]


def test_workflow_may_write_nothing():
    assert WORKFLOW["permissions"] == {"contents": "read"}


def test_hook_before_a_commit_puts_right_what_can_be():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [one for repo in config["repos"] for one in repo["hooks"]]

    assert {repo["repo"] for repo in config["repos"]} == {"local"}
    assert [one["entry"] for one in hooks] == ["make fix"]
    assert {one["language"] for one in hooks} == {"system"}
