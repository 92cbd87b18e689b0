"""Files to the store: read, gate, flag, compare with what is there, keep.

One transaction per file: an import that is killed leaves every finished file
and no half one, and importing again skips what is there.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecgdash.domain.ecg import EcgRecord
from ecgdash.domain.patient import Diagnosis, EchoStudy, Patient
from ecgdash.errors import EcgDashError, InputFileError, InvalidValue, printable
from ecgdash.services.import_report import ImportReport, TableOutcome
from ecgdash.services.import_tables import ReadTables, patient_table_outcome
from ecgdash.services.judging import findings_of
from ecgdash.services.worklists import refresh_worklist
from ecgdash.settings import Settings
from ecgdash.store import Findings, ImportRow, Store

if TYPE_CHECKING:
    from ecgdash.domain.model import FamilyCard
    from ecgdash.io import PatientTable, ReadHints

__all__ = ["import_paths", "import_records"]

_LOG = logging.getLogger(__name__)

UNNAMED: Final = "unidentified-"

_WITHHELD_TODO: Final = {
    "poor_quality": "Record the ECG again if a score is wanted; this one is stored without",
    "excluded": "Nothing to repair: it is stored and shown without a score",
}

Item = tuple[str, EcgRecord | EcgDashError]
"""Name to show, and the ECG or why it could not be read."""


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
) -> ImportReport:
    """Import ECG files, folders and ZIPs, with the tables that belong to them.

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

    Raises
    ------
    TableError
        If a table cannot be read at all; nothing is stored then.
    """
    from ecgdash.io import Limits, find_ecg_files, read_ecg, read_patient_table

    if not site.strip():
        raise InvalidValue("the site has no name", todo="Name it, or leave --site out")
    tables = ReadTables.read(echo, diagnoses, settings)
    table = (
        None if patient_table is None else read_patient_table(Path(patient_table), settings.zone)
    )
    named = [Path(path) for path in paths]
    limits = Limits.of(settings)

    def items() -> Iterator[Item]:
        # An archive's files exist only until the next one is opened: read each as it comes.
        for file in find_ecg_files(named, limits):
            try:
                if file.error is not None:
                    raise file.error
                record = read_ecg(
                    file.path,
                    zone=settings.zone,
                    hints=hints,
                    member=file.member,
                    max_file_mb=settings.max_file_mb,
                )
                yield file.display_name, _completed(record, table, file.display_name)
            except EcgDashError as err:
                yield file.display_name, err

    n_files = 0 if _any_archive(named) else sum(1 for _ in find_ecg_files(named, limits))
    run = _Run(store, site, settings, simulated)
    report = _run(run, items(), n_files, tables, on_progress)
    if table is None:
        return report
    n_used = sum(table.find(row.file) is not None for row in run.rows if row.ecg)
    outcome = patient_table_outcome(Path(str(patient_table)), table, n_used)
    return report if outcome is None else replace(report, tables=(*report.tables, outcome))


def _any_archive(paths: Sequence[Path]) -> bool:
    return any(
        path.suffix.lower() == ".zip" or (path.is_dir() and any(path.rglob("*.[zZ][iI][pP]")))
        for path in paths
    )


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
    n_records = len(records) if isinstance(records, Sized) else 0
    tables = ReadTables(list(echoes), list(diagnoses))
    run = _Run(store, site, settings, simulated)
    return _run(run, records, n_records, tables, on_progress)


def _run(
    run: "_Run",
    items: Iterable[Item],
    n_items: int,
    tables: ReadTables,
    on_progress: Callable[[int, int], None] | None,
) -> ImportReport:
    started = time.monotonic()
    for done, (name, item) in enumerate(items, start=1):
        run.take(name, item)
        if on_progress is not None:
            on_progress(done, n_items)
    outcomes = run.take_tables(tables)
    run.store.finish_import(run.key)
    refresh_worklist(run.store, _cards(run.settings))
    _LOG.info("imported %d files", len(run.rows))
    return ImportReport(
        key=run.key,
        rows=tuple(run.rows),
        tables=outcomes,
        seconds=time.monotonic() - started,
        patient_keys=tuple(run.touched),
        n_same_waveform=run.n_same_waveform,
    )


class _Run:
    """One import under way."""

    def __init__(
        self, store: Store, site: str, settings: Settings, simulated: bool = False
    ) -> None:
        self.store = store
        self.site = site
        self.settings = settings
        self.simulated = simulated
        self.key = store.start_import(site)
        self.rows: list[ImportRow] = []
        self.touched: dict[str, None] = {}
        self.n_same_waveform = 0

    def take(self, name: str, item: EcgRecord | EcgDashError) -> None:
        """Store one ECG, or why there is none, in one transaction."""
        name = printable(name)  # a file's name can hold what no database stores
        if isinstance(item, EcgRecord):
            # Computed outside the transaction: others may write meanwhile.
            findings = findings_of(item)
            with self.store.transaction():
                row = self._keep(name, item, findings)
                self.store.add_import_row(self.key, row)
        else:
            row = _rejected(name, item)
            self.store.add_import_row(self.key, row)
        self.rows.append(row)

    def _keep(self, name: str, record: EcgRecord, findings: Findings) -> ImportRow:
        remarks: list[str] = []
        code = record.patient_id
        if code is None:
            code = UNNAMED + record.sha256[:10]
            remarks.append("no patient id in the file: kept as a patient of its own")
        patient = Patient(code, self.site, record.sex, _birth_year(record))
        patient_key = self.store.put_patient(patient, simulated=self.simulated)
        row = ImportRow(name, "accepted", record.file_format, patient.id)
        twins = self.store.same_waveform(record.sha256)
        for twin in twins:
            if twin.patient_key == patient_key and twin.recorded_at == record.recorded_at:
                return replace(
                    row, outcome="duplicate", ecg=twin.key, reason="the same ECG is stored already"
                )
        if twins:
            self.n_same_waveform += 1
            remark = _twin_remark(patient_key, [twin.patient_key for twin in twins])
            remarks.append(remark)
            record = replace(record, notes=(*record.notes, remark))
        ecg = self.store.add_ecg(patient_key, record, findings, self.key)
        self.touched[patient_key] = None
        if not findings.gate.analysable:
            return replace(
                row,
                outcome="withheld",
                ecg=ecg,
                reason="; ".join((*findings.gate.reasons, *remarks)),
                todo=_WITHHELD_TODO[findings.gate.status],
            )
        todo = "Check whose ECG this is and when it was recorded" if twins else ""
        if record.patient_id is None:
            todo = "Give a patient table, or the patient id in the file or its sidecar"
        return replace(row, ecg=ecg, reason="; ".join(remarks), todo=todo)

    def take_tables(self, tables: ReadTables) -> tuple[TableOutcome, ...]:
        """Store echoes and diagnoses, each table in one transaction."""
        outcomes = []
        if tables.echoes or tables.given[0]:
            outcomes.append(self._take_echoes(tables))
        if tables.diagnoses or tables.given[1]:
            outcomes.append(self._take_diagnoses(tables))
        return tuple(outcomes)

    def _patient_key(self, code: str) -> str:
        return self.store.put_patient(Patient(code, self.site), simulated=self.simulated)

    def _take_echoes(self, tables: ReadTables) -> TableOutcome:
        n_new = 0
        with self.store.transaction():
            for study in tables.echoes:
                key = self._patient_key(study.patient_id)
                if self.store.add_echo(key, study):
                    n_new += 1
                    self.touched[key] = None
        n_old = len(tables.echoes) - n_new
        return TableOutcome(tables.echo_file, n_new, n_old, tables.echo_problems)

    def _take_diagnoses(self, tables: ReadTables) -> TableOutcome:
        by_patient: dict[str, list[Diagnosis]] = {}
        for item in tables.diagnoses:
            by_patient.setdefault(item.patient_id, []).append(item)
        n_new = 0
        with self.store.transaction():
            for code, items in by_patient.items():
                key = self._patient_key(code)
                added = self.store.add_diagnoses(key, items)
                n_new += added
                if added:
                    self.touched[key] = None
        n_old = len(tables.diagnoses) - n_new
        return TableOutcome(tables.diagnosis_file, n_new, n_old, tables.diagnosis_problems)


def _completed(record: EcgRecord, table: "PatientTable | None", name: str) -> EcgRecord:
    return record if table is None else table.apply(record, name)


def _rejected(name: str, err: EcgDashError) -> ImportRow:
    reason = err.what
    if err.accepted and isinstance(err, InputFileError):
        reason = f"{err.what}. {err.accepted}"
    return ImportRow(name, "rejected", reason=f"{reason}.", todo=f"{err.todo}." if err.todo else "")


def _twin_remark(patient_key: str, twins: Sequence[str]) -> str:
    if any(twin != patient_key for twin in twins):
        return "the same waveform is stored for another patient"
    return "the same waveform is stored at another time"


def _birth_year(record: EcgRecord) -> int | None:
    """Return the year of birth by age and date; ages that code "over 89" give none."""
    if record.local_day is None or record.age_years is None or not 0 <= record.age_years < 120:
        return None
    return record.local_day.year - int(record.age_years)


def _cards(settings: Settings) -> "list[FamilyCard]":
    from ecgdash.services.scoring import installed_cards

    return installed_cards(settings)
