"""What this runs on, and what a process uses; Linux says it in ``/proc``."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PROC = Path("/proc")
#: Beyond this share of a core a process of ours, not what it measures, sets the figure.
SATURATED = 0.85
PACKAGES = (
    *("Django", "channels", "daphne", "channels-redis", "django-redis", "redis", "openai"),
    *("aiohttp", "starlette", "uvicorn", "httptools", "uvloop"),
)


def can_tell() -> bool:
    """Whether this system tells the CPU time and the memory of other processes."""
    return (PROC / "self" / "stat").exists()


def cpu_s(pid: int) -> float:
    """Return the CPU time that the process has used, all its threads, to 10 ms."""
    if not can_tell():
        return 0.0
    stat = (PROC / str(pid) / "stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def busy_s() -> float:
    """Return the CPU time that all programs together have used, and the host took, since boot."""
    if not can_tell():
        return 0.0
    first = (PROC / "stat").read_text().partition("\n")[0].split()[1:9]
    user, nice, system, _idle, _waiting, irq, softirq, stolen = map(int, first)
    return (user + nice + system + irq + softirq + stolen) / os.sysconf("SC_CLK_TCK")


def memory_kb(pid: int) -> float:
    """Return the physical memory of the process, in thousands of bytes."""
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1.024
    raise OSError(f"no VmRSS of {pid}")


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def described(redis_version: str) -> dict[str, str]:
    """Return the machine and the versions, to print beside figures."""
    load = f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown"
    return {
        "machine": f"{_processor()}, {cores()} cores, {_memory_gb():.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "Redis": redis_version,
        **{name: found for name in PACKAGES if (found := _version(name))},
        "load before": load,
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    try:
        lines = (PROC / "cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _memory_gb() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (ValueError, OSError):
        return 0.0
