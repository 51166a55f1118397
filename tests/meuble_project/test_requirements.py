"""The locks of requirements hold what the lists ask for. ``.ci/lock`` writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from meuble_project.env import ROOT

#: By lock, the lists that it is made of.
LOCKS = {
    "requirements.lock": ("requirements.txt",),
    "requirements-dev.lock": ("requirements.txt", "requirements-dev.txt"),
}
HOW = "run .ci/lock"
HASH = re.compile(r"sha256:[0-9a-f]{64}")
#: Linux and macOS on two processors, and Windows.
PLATFORMS = 5


@dataclass(frozen=True, slots=True)
class Locked:
    """``because``: the packages and lists that ask for it, as the comment below it says."""

    requirement: Requirement
    hashes: tuple[str, ...]
    because: str

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        [specifier] = self.requirement.specifier
        assert specifier.operator == "==", self.requirement
        return specifier.version


def read_lock(lock: str) -> list[Locked]:
    entries = re.split(r"^(?=[A-Za-z0-9])", (ROOT / lock).read_text(), flags=re.MULTILINE)
    return [_locked(entry) for entry in entries if not entry.startswith("#")]


def _locked(entry: str) -> Locked:
    words = " ".join(line for line in entry.replace("\\\n", "").split("\n") if line[:5] != "    #")
    requirement, *options = re.split(r"\s+--hash=", words.strip())
    because = " ".join(re.findall(r"^    #(.*)$", entry, re.MULTILINE))
    return Locked(Requirement(requirement), tuple(options), because)


def read_lists(lock: str) -> list[Requirement]:
    lines = [line for name in LOCKS[lock] for line in (ROOT / name).read_text().splitlines()]
    return [Requirement(line) for line in lines if not line.startswith(("#", "-r "))]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_locked_at_a_release_that_it_allows(lock):
    locked = read_lock(lock)

    for wanted in read_lists(lock):
        found = [one for one in locked if one.name == canonicalize_name(wanted.name)]
        assert found, f"{wanted} is not in {lock}: {HOW}"
        for one in found:
            assert wanted.specifier.contains(one.version), f"{lock} has {one.version}: {HOW}"


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_nothing_that_no_list_asks_for_any_more(lock):
    names = {canonicalize_name(wanted.name) for wanted in read_lists(lock)}
    direct = {one.name for one in read_lock(lock) if "-r requirements" in one.because}

    assert direct == names, HOW


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_what_its_packages_require(lock):
    """As those that are installed here say themselves, with the extras that the lists name."""
    locked = read_lock(lock)
    extras = {canonicalize_name(wanted.name): wanted.extras for wanted in read_lists(lock)}
    here = [one for one in locked if one.requirement.marker is None]

    assert len(here) > 50
    for one in here:
        for needed in _required_by(one.name, extras.get(one.name, set())):
            found = [other for other in locked if other.name == canonicalize_name(needed.name)]
            assert found, f"{one.name} needs {needed}, which is not in {lock}: {HOW}"


def _required_by(name: str, extras: set[str]) -> list[Requirement]:
    needed = [Requirement(line) for line in distribution(name).requires or ()]
    return [
        one
        for one in needed
        if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in {"", *extras})
    ]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_hashes_and_no_address(lock):
    text = (ROOT / lock).read_text()

    assert not re.search(r"://|--index|--extra-index|--find-links|--trusted", text)
    for one in read_lock(lock):
        assert one.hashes, one.requirement
        assert all(HASH.fullmatch(digest) for digest in one.hashes), one.requirement
        assert one.because, one.requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_packages_of_machine_code_have_hashes_for_every_platform(lock):
    """A lock that was written from the files of one machine would install on that one only."""
    compiled = [one for one in read_lock(lock) if _has_machine_code(one.name)]

    assert len(compiled) > 8
    few = {one.name: len(one.hashes) for one in compiled if len(one.hashes) < PLATFORMS}
    assert few == {}


def _has_machine_code(name: str) -> bool:
    try:
        wheel = distribution(name).read_text("WHEEL") or ""
    except PackageNotFoundError:  # of another system or Python
        return False
    return re.search(r"^Tag: .*-any$", wheel, re.MULTILINE) is None


def test_tests_run_on_the_releases_of_production():
    production = {one.name: one for one in read_lock("requirements.lock")}
    development = {one.name: one for one in read_lock("requirements-dev.lock")}

    assert production.keys() <= development.keys()
    for name, one in production.items():
        assert development[name].version == one.version, HOW
        assert development[name].hashes == one.hashes, HOW


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_one_release_of_a_package_holds_for_a_machine(python, system):
    """pip refuses a list that names two."""
    environment = default_environment() | {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": system,
        "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[system],
        "os_name": "nt" if system == "win32" else "posix",
    }
    for lock in LOCKS:
        names = [
            one.name
            for one in read_lock(lock)
            if one.requirement.marker is None or one.requirement.marker.evaluate(environment)
        ]
        assert len(names) == len(set(names))
        assert {canonicalize_name(wanted.name) for wanted in read_lists(lock)} <= {*names}


def test_every_installation_demands_hashes():
    installing = {
        name: re.findall(r"^.*\bpip install\b(?:.*\\\n)*.*$", (ROOT / name).read_text(), re.M)
        for name in ("Makefile", "Dockerfile", ".ci/image-python", "docs/operations.md")
    }

    for name, commands in installing.items():
        assert commands, name
        assert all("--require-hashes" in command for command in commands), name
