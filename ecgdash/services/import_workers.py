"""Reads, judges, measures, hashes and compresses files, in this process or in several.

Workers are processes of their own: one whose decoder crashes, or that the system kills
for memory, costs the one file it had in hand.
"""

import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from itertools import chain, islice
from multiprocessing import connection as pipes
from pathlib import Path
from typing import TYPE_CHECKING, Final

import ecgdash
from ecgdash.domain.ecg import EcgRecord
from ecgdash.errors import EcgDashError, InvalidValue, printable
from ecgdash.services.import_failures import died, failed, rejected
from ecgdash.services.import_files import FileTask
from ecgdash.services.import_privacy import Pseudonyms
from ecgdash.store import ImportRow, PreparedEcg, prepare

if TYPE_CHECKING:
    from ecgdash.io import ReadHints

__all__ = [
    "READY",
    "Examined",
    "ReadPlan",
    "examine",
    "examine_all",
    "examine_record",
    "left_out",
    "name_shown",
]

READY: Final = "ready"
"""What a worker sends when its libraries are loaded."""

FEW_FILES: Final = 20
"""Fewer are done before a second process has started."""
_HELD: Final = 3
"""Tasks a worker has in hand: one under way, the next at once when it is done."""
_AHEAD: Final = 8
"""Tasks per worker that may be ahead of the one whose turn it is: bounds the memory."""


@dataclass(frozen=True)
class ReadPlan:
    """How files are read; a worker is told once."""

    zone: tzinfo
    hints: "ReadHints | None"
    max_file_mb: int
    keep_names: bool = False
    hidden: Pseudonyms | None = None
    """What replaces patient ids, where the site has a key."""


@dataclass(frozen=True)
class Examined:
    """A file that was dealt with as far as that needs no store.

    Attributes
    ----------
    row : ImportRow or None
        What became of it, where that is known already.
    ecg : PreparedEcg or None
        The ECG, where one was read.
    """

    name: str
    source: str | None
    row: ImportRow | None = None
    ecg: PreparedEcg | None = None


def examine(task: FileTask, plan: ReadPlan) -> Examined:
    """Read one file and make it ready for the store; every failure is a row with its reason."""
    from ecgdash.io import read_ecg

    name = name_shown(task, plan.hidden)
    try:
        if task.error is not None:
            raise task.error
        record = read_ecg(
            task.path,
            zone=plan.zone,
            hints=plan.hints,
            member=task.member,
            max_file_mb=plan.max_file_mb,
            keep_names=plan.keep_names,
        )
        if task.facts is not None:
            record = task.facts.apply(record, task.name)
        if plan.hidden is not None:
            name = plan.hidden.text(name, record.patient_id)
            record = plan.hidden.record(record)
    except EcgDashError as err:
        return Examined(name, task.source, rejected(name, err))
    except Exception as err:  # noqa: BLE001 - one file of an import of thousands
        return Examined(name, task.source, failed(name, err))
    return examine_record(name, record, task.source)


def name_shown(task: FileTask, hidden: Pseudonyms | None) -> str:
    """Return a file's name for the report, without the id that its row in the table states."""
    row = None if task.facts is None else task.facts.find(task.name)
    return task.name if hidden is None or row is None else hidden.text(task.name, row.patient_id)


def examine_record(name: str, record: EcgRecord, source: str | None = None) -> Examined:
    """Judge, measure, hash and compress one ECG."""
    from ecgdash.services.judging import findings_of

    try:
        return Examined(name, source, ecg=prepare(record, findings_of(record)))
    except EcgDashError as err:
        return Examined(name, source, rejected(name, err))
    except Exception as err:  # noqa: BLE001 - one file of an import of thousands
        return Examined(name, source, failed(name, err))


def examine_all(
    tasks: Iterable[FileTask | Examined], plan: ReadPlan, jobs: int | None = None
) -> Generator[Examined, None, None]:
    """Deal with tasks in their order; what is an `Examined` already passes through.

    Parameters
    ----------
    tasks : iterable
        Read only a few ahead.
    plan : ReadPlan
    jobs : int, optional
        Worker processes; 1 or fewer: this process. Default: one per core, none for few files.

    Raises
    ------
    EcgDashError
        If worker processes cannot start.
    """
    stream = iter(tasks)
    if jobs is None:
        jobs = _cores()
        first = list(islice(stream, FEW_FILES)) if jobs > 1 else []
        stream = chain(first, stream)
        jobs = jobs if len(first) == FEW_FILES else 1
    if jobs < 1:
        raise InvalidValue(f"{jobs} worker processes cannot work", accepted="Accepted: 1 or more")
    if jobs == 1 or os.name != "posix":
        for task in stream:
            yield task if isinstance(task, Examined) else examine(task, plan)
        return
    pool = _Pool(plan, jobs)
    try:
        yield from pool.run(stream)
    finally:
        pool.close()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass
class _Ticket:
    """A task and, later, its result."""

    task: FileTask | Examined
    result: Examined | None = None
    n_deaths: int = 0


@dataclass
class _Worker:
    """One process, its end of the line, and the tasks it has in hand, in order."""

    process: "subprocess.Popen[bytes]"
    line: "pipes.Connection[object, object]"
    ready: bool = False
    held: "deque[_Ticket]" = field(default_factory=deque)

    @classmethod
    def start(cls, plan: ReadPlan) -> "_Worker":
        """Start a process that never runs the caller's main module, a Streamlit page for one."""
        ours, theirs = socket.socketpair()
        root = str(Path(ecgdash.__file__).resolve().parents[1])
        found = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        process = subprocess.Popen(
            [sys.executable, "-m", "ecgdash.services.import_worker", str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            env={**os.environ, **one, "PYTHONPATH": found},
            # What a decoder prints may name a person.
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        theirs.close()
        worker = cls(process, pipes.Connection(ours.detach()))
        worker.line.send(plan)
        return worker

    def give(self, ticket: _Ticket) -> None:
        self.held.append(ticket)
        self.line.send(ticket.task)

    def stop(self) -> None:
        self.line.close()
        self.process.kill()
        self.process.wait()


class _Pool:
    """Workers, and the tickets in the order in which their results are due."""

    def __init__(self, plan: ReadPlan, jobs: int) -> None:
        self.plan = plan
        self.jobs = jobs
        self.workers: list[_Worker] = []
        self.due: deque[_Ticket] = deque()

    def run(self, tasks: Iterator[FileTask | Examined]) -> Iterator[Examined]:
        """Yield results in the order of the tasks."""
        self.workers = [_Worker.start(self.plan) for _ in range(self.jobs)]
        more = True
        while more or self.due:
            more = more and self._fill(tasks)
            while self.due and self.due[0].result is not None:
                result = self.due.popleft().result
                assert result is not None
                yield result
            if self.due:
                self._wait()

    def close(self) -> None:
        """End all workers at once; what they had in hand is not stored."""
        for worker in self.workers:
            worker.stop()

    def _fill(self, tasks: Iterator[FileTask | Examined]) -> bool:
        """Hand out tasks until all hands are full; False: there are no more."""
        while len(self.due) < _AHEAD * self.jobs:
            worker = min(self.workers, key=lambda one: len(one.held))
            if len(worker.held) >= _HELD:
                return True
            task = next(tasks, None)
            if task is None:
                return False
            ticket = _Ticket(task, task if isinstance(task, Examined) else None)
            self.due.append(ticket)
            if ticket.result is None:
                self._give(worker, ticket)
        return True

    def _give(self, worker: _Worker, ticket: _Ticket) -> None:
        try:
            worker.give(ticket)
        except OSError:
            self._replace(worker)

    def _wait(self) -> None:
        """Take what workers have finished; wait for one if none has."""
        if self.due[0].result is not None:
            return
        lines = {worker.line: worker for worker in self.workers}
        for line in pipes.wait(list(lines)):
            worker = next(one for own, one in lines.items() if own is line)
            try:
                answer = worker.line.recv()
            except (EOFError, OSError):
                self._replace(worker)
                continue
            if isinstance(answer, Examined):
                worker.held.popleft().result = answer
            else:
                worker.ready = True

    def _replace(self, worker: _Worker) -> None:
        """Hand the files of a worker that ended to a new one, but the one that ended two."""
        worker.stop()
        if not worker.ready:
            raise EcgDashError(
                "the worker processes of the import cannot start", todo="Import with --jobs 1"
            )
        held = list(worker.held)
        if held:
            # The system may have ended an innocent one: each file has two chances.
            held[0].n_deaths += 1
            if held[0].n_deaths > 1:
                task = held[0].task
                row = died(task.name, worker.process.returncode)
                held[0].result = Examined(task.name, task.source, row)
        new = _Worker.start(self.plan)
        self.workers[self.workers.index(worker)] = new
        for ticket in held:
            if ticket.result is None:
                new.give(ticket)


def left_out(name: str, source: str, reason: str) -> Examined:
    """Return a file that is not read because another holds the same record."""
    return Examined(name, source, ImportRow(printable(name), "duplicate", reason=reason))
