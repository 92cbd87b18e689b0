"""One damaged file put to its reader, and what became of it (see `fuzz_readers`)."""

import re
import resource
import shutil
import signal
import tempfile
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import numpy as np

from benchmarks.mutate import Mutant, mutate
from ecgdash.domain import EcgRecord
from ecgdash.errors import InputFileError
from ecgdash.io import read_ecg
from ecgdash.io.formats import wfdb_files
from ecgdash.io.hints import sidecar_of

CPU_LIMIT_S = 5.0
MEMORY_LIMIT_MB = 1024


class Hang(BaseException):
    """Raised by the timer; no reader catches it."""


@dataclass(frozen=True)
class Target:
    """What is damaged: the files of one ECG, and the fields that may change length or rate.

    `beside` are files that are read with it, such as a data set's table.
    """

    name: str
    file: Path
    member: str | None
    stated_by: tuple[bytes, ...]
    beside: tuple[Path, ...] = ()


@dataclass
class Tally:
    """What became of the mutants of one target."""

    n: int = 0
    same: int = 0
    field_changed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    stray: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    peak_mb: float = 0.0


def length_and_rate(record: EcgRecord) -> tuple[int, float]:
    """Return what must not change."""
    return record.n_samples, record.sampling_hz


def parts_of(target: Target) -> list[Path]:
    """Return the files that make up one ECG, the one that is read first."""
    header, sidecar = wfdb_files.header_of(target.file), sidecar_of(target.file)
    named = [] if header is None else [header.parent / n for n in wfdb_files.signal_files(header)]
    parts = [*named, *([sidecar] if sidecar else []), *target.beside]
    return list(dict.fromkeys([target.file, *(part for part in parts if part.is_file())]))


def mutant_of(target: Target, folder: Path, seed: int, index: int) -> tuple[Path, Path, Mutant]:
    """Write one mutant into a folder; return the file to read, the damaged part, the damage."""
    rng = np.random.default_rng([seed, zlib.crc32(target.name.encode()), index])
    parts = parts_of(target)
    chosen = (
        parts[0] if len(parts) == 1 or rng.random() < 0.6 else parts[int(rng.integers(len(parts)))]
    )
    for part in parts:
        if part != chosen:
            shutil.copyfile(part, folder / part.name)
    mutant = mutate(chosen.read_bytes(), rng)
    (folder / chosen.name).write_bytes(mutant.data)
    return folder / target.file.name, chosen, mutant


def may_change(target: Target, part: Path, mutant: Mutant) -> bool:
    """Whether the damage touched a field that states length or rate."""
    original = part.read_bytes()
    for pattern in target.stated_by:
        for found in re.finditer(pattern, original, re.MULTILINE):
            start, stop = found.span(1 if found.re.groups else 0)
            if any(a < stop and start < b for a, b in mutant.touched):
                return True
    return False


def arm() -> None:
    """Let the timer raise `Hang` in this process."""
    signal.signal(signal.SIGPROF, _hang)


def _hang(_signal: int, _frame: FrameType | None) -> None:
    raise Hang


def try_mutant(
    target: Target, base: tuple[int, float] | None, seed: int, index: int, tally: Tally
) -> None:
    """Read one mutant and enter what became of it."""
    with tempfile.TemporaryDirectory(prefix="ecgdash-fuzz-") as name:
        file, part, mutant = mutant_of(target, Path(name), seed, index)
        tally.n += 1
        started = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, CPU_LIMIT_S)
        try:
            record = read_ecg(file, member=target.member)
        except InputFileError as error:
            tally.refused[type(error).__name__] += 1
            problem = _hidden(error, tally)
        except Hang:
            problem = f"more than {CPU_LIMIT_S:g} s of processor time"
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            problem = f"{type(error).__name__}: {error}"
        else:
            problem = _accepted(target, base, record, part, mutant, tally)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        tally.slowest_s = max(tally.slowest_s, time.process_time() - started)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if peak_mb > MEMORY_LIMIT_MB and tally.peak_mb <= MEMORY_LIMIT_MB:
        problem = f"memory rose to {peak_mb:.0f} MB"
    tally.peak_mb = max(tally.peak_mb, peak_mb)
    if problem:
        where = f"{part.name} bytes {mutant.touched[:3]}"
        tally.violations.append(f"{target.name}:{index} ({mutant.kind}, {where}): {problem}")


def _hidden(error: InputFileError, tally: Tally) -> str:
    """Count what a decoder threw; running out of memory is a violation even when caught."""
    cause = error.__cause__
    if cause is not None and not isinstance(cause, InputFileError):
        tally.stray[type(cause).__name__] += 1
    return "out of memory" if isinstance(cause, MemoryError) else ""


def _accepted(
    target: Target,
    base: tuple[int, float] | None,
    record: EcgRecord,
    part: Path,
    mutant: Mutant,
    tally: Tally,
) -> str:
    if base is None or length_and_rate(record) == base:
        tally.same += 1
        return ""
    if may_change(target, part, mutant):
        tally.field_changed += 1
        return ""
    now = length_and_rate(record)
    return f"accepted with {now[0]} samples at {now[1]:g} Hz instead of {base[0]} at {base[1]:g}"


def base_of(target: Target) -> tuple[int, float] | None:
    """Return length and rate of the undamaged file; None where it is refused."""
    try:
        return length_and_rate(read_ecg(target.file, member=target.member))
    except InputFileError:
        return None


def add(total: Tally, part: Tally) -> None:
    total.n += part.n
    total.same += part.same
    total.field_changed += part.field_changed
    total.refused += part.refused
    total.stray += part.stray
    total.violations += part.violations
    total.slowest_s = max(total.slowest_s, part.slowest_s)
    total.peak_mb = max(total.peak_mb, part.peak_mb)
