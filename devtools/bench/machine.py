"""CPU time and memory of processes, and description of the machine, from Linux's ``/proc``."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PROC = Path("/proc")
#: Whether this system reports CPU time and memory of other processes.
CAN_TELL = (PROC / "self" / "stat").exists()
#: Reason why a measurement of a process has no verdict.
NOT_HERE = "" if CAN_TELL else "only Linux tells it"
#: Share of a core above which a process of the bench itself is the bottleneck.
SATURATED = 0.85
PACKAGES = (
    *("Django", "channels", "daphne", "channels-redis", "django-redis", "redis", "openai"),
    *("aiohttp", "starlette", "uvicorn", "httptools", "uvloop"),
)


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process with all its threads, in steps of 10 ms."""
    if not CAN_TELL:
        return 0.0
    user, system = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def busy_s() -> float:
    """Return the CPU time of all programs since boot, including time stolen by the host."""
    if not CAN_TELL:
        return 0.0
    first = (PROC / "stat").read_text().partition("\n")[0].split()[1:9]
    user, nice, system, _idle, _waiting, irq, softirq, stolen = map(int, first)
    return (user + nice + system + irq + softirq + stolen) / os.sysconf("SC_CLK_TCK")


def memory_kb(pid: int) -> float:
    """Return the resident memory of a process in kB."""
    return int(_proc_field(f"{pid}/status", "VmRSS").split()[0]) * 1.024


def free_bytes() -> int:
    """Return the available memory; a terabyte if the system does not report it."""
    return int(_proc_field("meminfo", "MemAvailable").split()[0]) * 1024 if CAN_TELL else 10**12


def _proc_field(file: str, name: str) -> str:
    """Return the value of a line such as ``VmRSS:   6032 kB``.

    Raises:
        OSError: the file or the line does not exist.
    """
    for line in (PROC / file).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    raise OSError(f"no {name} in {PROC / file}")


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def described(redis_version: str) -> dict[str, str]:
    """Return the description of the machine and the versions, for reports."""
    try:
        processor = _proc_field("cpuinfo", "model name")
    except OSError:
        processor = platform.machine()
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return {
        "machine": f"{processor}, {cores()} cores, {memory_gb:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "Redis": redis_version,
        **{name: found for name in PACKAGES if (found := _version(name))},
        "load before": f"{os.getloadavg()[0]:.2f}",
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
