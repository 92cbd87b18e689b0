"""The machine in one line: processor, memory, accelerator, libraries; no host name, no path."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from ecgdash import __version__

FLAGS = ("avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8")
"""Instruction sets on which the speed of a network depends."""


def machine(cpuinfo: Path = Path("/proc/cpuinfo")) -> dict[str, str]:
    """Describe the machine; what cannot be told is said to be unknown."""
    lines = _processor(cpuinfo)
    flags = lines.get("flags", "").split()
    return {
        "processor": lines.get("model name") or platform.machine() or "unknown",
        "cores": str(n_cores()),
        "instruction sets": ", ".join(f for f in FLAGS if f in flags) or "unknown",
        "memory": f"{_memory_gib():.0f} GiB",
        "accelerator": torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "openvino": _version("openvino"),
        "ecgdash": __version__,
    }


def n_cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_average() -> float:
    """Return the mean number of processes at work over the last minute."""
    return os.getloadavg()[0]


def peak_bytes() -> int:
    """Return the largest resident memory that this program ever had.

    `getrusage` would do, but Linux hands the size of the process that started this one on.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _processor(cpuinfo: Path) -> dict[str, str]:
    if not cpuinfo.is_file():
        return {}
    first = cpuinfo.read_text(encoding="utf-8").split("\n\n")[0]
    rows = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in rows}


def _memory_gib() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
