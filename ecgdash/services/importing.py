"""Files to the store: read, gate, flag, compare with what is there, keep.

Worker processes do all that needs no store; this process writes, one transaction per
file. An import that is killed leaves every finished file and no half one, and the same
call goes on where it stopped.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgdash.domain.ecg import EcgRecord
from ecgdash.domain.patient import Diagnosis, EchoStudy
from ecgdash.errors import InvalidValue
from ecgdash.services.import_data_sets import LEFT_OUT, DataSets
from ecgdash.services.import_files import (
    FileTask,
    UnpackedFolders,
    any_archive,
    file_tasks,
    fingerprint_of,
)
from ecgdash.services.import_privacy import Pseudonyms
from ecgdash.services.import_report import ImportReport
from ecgdash.services.import_runs import ImportRun, undo_import
from ecgdash.services.import_table_rows import take_tables
from ecgdash.services.import_tables import ReadTables, patient_table_outcome
from ecgdash.services.import_workers import (
    Examined,
    ReadPlan,
    examine_all,
    examine_record,
    left_out,
    name_shown,
)
from ecgdash.services.scoring import installed_cards
from ecgdash.services.worklists import refresh_worklist
from ecgdash.settings import Settings
from ecgdash.store import Store

if TYPE_CHECKING:
    from ecgdash.io import ReadHints

__all__ = ["import_paths", "import_records", "undo_import"]

_LOG = logging.getLogger(__name__)


def import_paths(  # noqa: PLR0913 - one keyword per option of the command
    store: Store,
    paths: Sequence[Path],
    *,
    settings: Settings,
    echo: Path | None = None,
    patient_table: Path | None = None,
    diagnoses: Path | None = None,
    site: str = "local",
    simulated: bool = False,
    hints: "ReadHints | None" = None,
    on_progress: Callable[[int, int], None] | None = None,
    jobs: int | None = None,
    data_sets: DataSets | None = None,
    known_as: str | None = None,
) -> ImportReport:
    """Import ECG files, folders and ZIPs, with the tables that belong to them.

    A call that was stopped at any moment goes on when it is made again: files that are
    done are not read again, unless their content has changed.

    Parameters
    ----------
    store : Store
    paths : sequence of Path
        May be empty where only tables are imported.
    settings : Settings
    echo, patient_table, diagnoses : Path, optional
    site : str
        Whose patient ids these are.
    simulated : bool
        Whether the people are simulated; shown wherever they are.
    hints : ReadHints, optional
        Rate, unit and leads of the files that do not state them.
    on_progress : callable, optional
        Told files done and in all; 0 in all: not known before archives are unpacked.
    jobs : int, optional
        Worker processes; 1: this process alone. Default: one per core, none for few files.
    data_sets : DataSets, optional
        What was recognised in the folders; its facts stand in for a patient table.
    known_as : str, optional
        What the call is known by, where its paths are copies that lie elsewhere each time.

    Raises
    ------
    TableError
        If a table cannot be read at all; nothing is stored then.
    """
    from ecgdash.io import Limits, find_ecg_files, read_patient_table

    if not site.strip():
        raise InvalidValue("the site has no name", todo="Name it, or leave --site out")
    if jobs is not None and jobs < 1:
        raise InvalidValue(f"{jobs} worker processes cannot work", accepted="Accepted: 1 or more")
    sets = data_sets or DataSets()
    sets.check()
    hidden = Pseudonyms.of_settings(settings, site)
    tables = ReadTables.read(echo, diagnoses, sets, settings).under(hidden)
    table_file = None if patient_table is None else Path(patient_table)
    table = sets.table if table_file is None else read_patient_table(table_file, settings.zone)
    named = [Path(path) for path in paths]
    limits = Limits.of(settings)
    known = frozenset(sets.files)
    own = (echo, table_file, diagnoses, *sets.files)
    given = [None if one is None else Path(one) for one in own]
    where = named if known_as is None else []
    mark = None if hidden is None else hidden.mark
    stated = (site, simulated, hints, settings.site_zone, known_as, sets.mappings, mark)
    call = fingerprint_of(where, given, *stated)
    run = ImportRun(
        store, site, simulated=simulated, fingerprint=call, dates_moved=sets.dates_moved
    )

    used: set[str] = set()

    def tasks(unpacked: UnpackedFolders) -> Iterator[FileTask | Examined]:
        for task in file_tasks(named, limits, table, unpacked, known):
            if sets.is_table(task.name, task.path):
                continue
            key = None if table is None else table.key_of(task.name)
            if key is not None:
                used.add(key)
            if run.is_done(task.source):
                continue
            if sets.is_left_out(task.name):
                yield left_out(name_shown(task, hidden), task.source, LEFT_OUT)
            else:
                yield run.known(task.source) or task

    counted = on_progress is not None and not any_archive(named)
    files = find_ecg_files(named, limits) if counted else ()
    n_files = sum(file.path not in known for file in files)
    plan = ReadPlan(
        settings.zone, hints, settings.max_file_mb, settings.keep_names and hidden is None, hidden
    )
    progress = _Progress(run, n_files, on_progress)
    with (
        UnpackedFolders(lambda: progress.n_taken) as unpacked,
        closing(examine_all(tasks(unpacked), plan, jobs)) as examined,
    ):
        report = _run(run, examined, tables, settings, progress, sets.sources())
    if table is None:
        return report
    name = sets.records_file if table_file is None else table_file.name
    outcome = patient_table_outcome(name, table, used)
    return report if outcome is None else replace(report, tables=(*report.tables, outcome))


def import_records(  # noqa: PLR0913 - the same keywords
    store: Store,
    records: Iterable[tuple[str, EcgRecord]],
    *,
    settings: Settings,
    site: str = "local",
    simulated: bool = False,
    echoes: Sequence[EchoStudy] = (),
    diagnoses: Sequence[Diagnosis] = (),
    on_progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Import ECGs that are in memory already, by the same rules as files.

    Parameters
    ----------
    records : iterable of (str, EcgRecord)
        Name to show, and the ECG.
    simulated : bool
        Whether the people are simulated; shown wherever they are.
    """
    # Simulated people have nothing to hide, and their stories are found by their ids.
    hidden = None if simulated else Pseudonyms.of_settings(settings, site)
    run = ImportRun(store, site, simulated=simulated)
    examined = (
        examine_record(name, record if hidden is None else hidden.record(record))
        for name, record in records
    )
    progress = _Progress(run, len(records) if isinstance(records, Sized) else 0, on_progress)
    tables = ReadTables.of(echoes, diagnoses).under(hidden)
    return _run(run, examined, tables, settings, progress)


class _Progress:
    """Tells how many files are done, those of an earlier run of the call included."""

    def __init__(
        self, run: ImportRun, n_files: int, tell: Callable[[int, int], None] | None
    ) -> None:
        self.run, self.n_files, self.tell = run, n_files, tell
        self.n_taken = 0

    def step(self) -> None:
        """Count one file."""
        self.n_taken += 1
        if self.tell is not None:
            self.tell(self.n_taken + self.run.n_resumed, self.n_files)


def _run(  # noqa: PLR0913, PLR0917 - one call from each way in
    run: ImportRun,
    examined: Iterable[Examined],
    tables: ReadTables,
    settings: Settings,
    progress: _Progress,
    sources: Sequence[dict[str, Any]] = (),
) -> ImportReport:
    started = time.monotonic()
    if sources:
        run.store.set_import_sources(run.key, sources)
    for item in examined:
        # It was judged outside the transaction: others may write meanwhile.
        run.take(item)
        progress.step()
    outcomes = take_tables(run, tables)
    refresh_worklist(run.store, installed_cards(settings))
    run.store.finish_import(run.key)
    _LOG.info("imported %d files", progress.n_taken)
    return replace(run.report(outcomes, time.monotonic() - started), sources=tuple(sources))
