"""Damage files of every format and see whether the readers stay honest.

    python -m benchmarks.fuzz_readers [--mutants 20000] [--seed 1] [--only NAME]
                                      [--real FOLDER] [--jobs 2] [--show NAME:INDEX]

Every mutant must end in a record or in one of our typed errors, within 5 s of processor
time and 1 GB of memory; and none may be accepted with another length or rate, unless the
changed bytes are a field that states it (`stated_by` of `tests/io/every_format.py`).
Mutants are shared out evenly over one generated file of every format, or with --real over
every file below FOLDER that is of one of the formats. Any violation is printed as NAME:INDEX,
which --show takes, and the exit code is 1.
"""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from multiprocessing import Queue, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import Empty
from typing import Any

from benchmarks.fuzzing import (
    Tally,
    Target,
    add,
    arm,
    base_of,
    length_and_rate,
    mutant_of,
    try_mutant,
)
from ecgdash.errors import InputFileError
from ecgdash.io import find_ecg_files, read_ecg
from tests.io.every_format import SEEDS

DEAD_AFTER_S = 90.0
"""Wall time without a word from a worker after which it hangs in compiled code."""


def generated(folder: Path, only: str | None) -> list[Target]:
    """Write one file of every format."""
    targets = []
    for name, made in SEEDS.items():
        if only is None or name == only:
            own = folder / name.replace("/", "-")
            own.mkdir()
            file = made.write(own)
            beside = tuple(sorted(other for other in own.iterdir() if other != file))
            targets.append(Target(name, file, made.member, made.stated_by, beside))
    return targets


def real(folder: Path) -> list[Target]:
    """Return every file below a folder that reads; of PTB-XL's 706 each twentieth."""
    from ecgdash.io import sniff_format

    fields: dict[str, tuple[bytes, ...]] = {}
    for made in SEEDS.values():
        fields[made.reader] = (*fields.get(made.reader, ()), *made.stated_by)
    targets = []
    for i, found in enumerate(find_ecg_files([folder])):
        if "ptbxl500" in found.display_name and i % 20:
            continue
        with contextlib.suppress(InputFileError):
            name = sniff_format(found.path) if found.error is None else None
            if name is not None:
                targets.append(
                    Target(found.display_name, found.path, found.member, fields.get(name, ()))
                )
    return targets


def _work(
    targets: list[Target],
    jobs: "Queue[tuple[int, int, int] | None]",
    seed: int,
    out: "Queue[tuple[str, int, Any]]",
) -> None:
    arm()
    bases: dict[int, tuple[int, float] | None] = {}
    while (job := jobs.get()) is not None:
        which, start, stop = job
        target = targets[which]
        if which not in bases:
            bases[which] = base_of(target)
        tally = Tally()
        for index in range(start, stop):
            out.put(("at", which, index))
            try_mutant(target, bases[which], seed, index, tally)
        out.put(("done", which, tally))
    out.put(("end", 0, 0))


def run(targets: list[Target], n_mutants: int, seed: int, n_jobs: int) -> list[Tally]:
    """Share the mutants out over processes and collect what became of them."""
    context = get_context("fork")
    jobs, out = context.Queue(), context.Queue()
    each = -(-n_mutants // len(targets))
    step = 25
    for which in range(len(targets)):
        for start in range(0, each, step):
            jobs.put((which, start, min(start + step, each)))
    for _ in range(n_jobs):
        jobs.put(None)
    workers = [
        context.Process(target=_work, args=(targets, jobs, seed, out)) for _ in range(n_jobs)
    ]
    for worker in workers:
        worker.start()
    tallies = [Tally() for _ in targets]
    for which, found in _reports(workers, out, targets):
        add(tallies[which], found)
        done, total = sum(t.n for t in tallies), each * len(targets)
        print(
            f"\r{done} of {total} mutants, {sum(len(t.violations) for t in tallies)} violations",
            end="",
            file=sys.stderr,
        )
    print(file=sys.stderr)
    return tallies


def _reports(
    workers: Sequence[BaseProcess], out: "Queue[tuple[str, int, Any]]", targets: list[Target]
) -> Iterator[tuple[int, Tally]]:
    """Yield tallies until all workers ended; one that dies or falls silent is a violation."""
    at = ("none", 0)
    left = len(workers)
    while left:
        try:
            what, which, value = out.get(timeout=DEAD_AFTER_S)
        except Empty:
            for worker in workers:
                worker.kill()
            yield 0, Tally(n=1, violations=[f"{at[0]}:{at[1]}: a process died or hung near here"])
            return
        if what == "at":
            at = (targets[which].name, value)
        elif what == "end":
            left -= 1
        else:
            yield which, value


def _table(targets: list[Target], tallies: list[Tally]) -> None:
    print(
        "| file | mutants | refused | same length and rate | field changed | slowest s | peak MB |"
    )
    print("|---|---|---|---|---|---|---|")
    for target, tally in zip(targets, tallies, strict=True):
        print(
            f"| {target.name} | {tally.n} | {tally.refused.total()} | {tally.same} | "
            f"{tally.field_changed} | {tally.slowest_s:.2f} | {tally.peak_mb:.0f} |"
        )
    total = Tally()
    for tally in tallies:
        add(total, tally)
    print(
        f"\n{total.n} mutants: {total.refused.total()} refused, {total.same} accepted as they were,"
    )
    print(f"{total.field_changed} accepted with a changed field of length or rate;")
    print(f"refused by {dict(total.refused.most_common())};")
    print(f"decoders had thrown {dict(total.stray.most_common())};")
    print(f"slowest {total.slowest_s:.2f} s, peak {total.peak_mb:.0f} MB;")
    print(f"{len(total.violations)} violations")


def _show(targets: list[Target], name: str, index: int, seed: int) -> None:
    """Write one mutant to the working folder and say what the reader makes of it."""
    target = next(t for t in targets if t.name == name)
    folder = Path(tempfile.mkdtemp(prefix="ecgdash-mutant-"))
    file, part, mutant = mutant_of(target, folder, seed, index)
    print(f"{file}: {mutant.kind} in {part.name}, {mutant.touched}")
    for a, b in mutant.touched[:4]:
        original = part.read_bytes()
        print(f"  was {original[max(a - 40, 0) : b + 40]!r}")
        print(f"  now {mutant.data[max(a - 40, 0) : b + 40]!r}")
    print(base_of(target), "->", length_and_rate(read_ecg(file, member=target.member)))


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--real", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--show")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecgdash-seeds-") as folder:
        targets = real(args.real) if args.real else generated(Path(folder), args.only)
        if args.only:
            targets = [target for target in targets if target.name == args.only]
        if args.show:
            name, _, index = args.show.rpartition(":")
            _show(targets, name, int(index), args.seed)
            return 0
        tallies = run(targets, args.mutants, args.seed, args.jobs)
    _table(targets, tallies)
    violations = [line for tally in tallies for line in tally.violations]
    print("\n".join(violations[:200]))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
