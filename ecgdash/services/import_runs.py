"""One import under way, and taking one back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from ecgdash.domain.ecg import Identity
from ecgdash.domain.patient import Patient
from ecgdash.errors import printable
from ecgdash.services.import_audit import AUDIT, Remark, audit_ecg
from ecgdash.services.import_report import ImportReport, StoredRows, TableOutcome
from ecgdash.services.import_workers import Examined
from ecgdash.services.scoring import ScoringEngine, installed_cards, score_patients
from ecgdash.services.worklists import refresh_worklist
from ecgdash.settings import Settings
from ecgdash.store import ImportRow, PreparedEcg, Store, StoredEcg, Undone
from ecgdash.store.import_undo import birth_year_of

__all__ = ["SAME_ECG", "ImportRun", "undo_import"]

UNNAMED: Final = "unidentified-"
SAME_ECG: Final = "the same ECG is stored already"

_FAR_AHEAD: Final = datetime(9000, 1, 1, tzinfo=UTC)
_WITHHELD_TODO: Final = {
    "poor_quality": "Record the ECG again if a score is wanted; this one is stored without",
    "excluded": "Nothing to repair: it is stored and shown without a score",
}


class ImportRun:
    """Puts examined files and tables into the store.

    Parameters
    ----------
    store : Store
    site : str
        Whose patient ids these are.
    simulated : bool
        Whether the people are simulated.
    fingerprint : str, optional
        Of the call: one that did not finish goes on under its own key.
    dates_moved : bool
        Whether the data set moved its dates into the future: then none is remarked on.
    """

    def __init__(  # noqa: PLR0913 - one keyword per fact
        self,
        store: Store,
        site: str,
        *,
        simulated: bool = False,
        fingerprint: str | None = None,
        dates_moved: bool = False,
    ) -> None:
        self.now = _FAR_AHEAD if dates_moved else datetime.now(UTC)
        self.store = store
        self.site = site
        self.simulated = simulated
        self.fingerprint = fingerprint
        unfinished = None if fingerprint is None else store.open_import(fingerprint)
        self.resumes = unfinished is not None
        self.repeats = fingerprint is not None and store.has_finished_import(fingerprint)
        self.key = unfinished or store.start_import(site, fingerprint)
        self.n_resumed = 0

    def is_done(self, source: str) -> bool:
        """Tell whether the run that did not finish had dealt with this very file; count it."""
        done = self.resumes and self.store.has_import_row(self.key, source)
        self.n_resumed += done
        return done

    def known(self, source: str) -> Examined | None:
        """Return a file that the same call stored before, so that it is not read again."""
        if self.fingerprint is None or not self.repeats:
            return None
        row = self.store.row_of_earlier_import(self.fingerprint, source)
        if row is None:
            return None
        again = ImportRow(
            row.file, "duplicate", row.file_format, row.patient_code, row.ecg, SAME_ECG
        )
        return Examined(row.file, source, again)

    def take(self, item: Examined) -> None:
        """Store one ECG, or why there is none, in one transaction."""
        with self.store.transaction():
            if item.source is not None and self.store.has_import_row(self.key, item.source):
                return  # a second process with the same call was faster
            row = item.row
            if row is None:
                assert item.ecg is not None
                # A file's name can hold what no database stores.
                row = self._keep(printable(item.name), item.ecg)
            self.store.add_import_row(self.key, row, item.source)

    def _keep(self, name: str, ecg: PreparedEcg) -> ImportRow:
        remarks: list[str] = []
        code = ecg.patient_id
        if code is None:
            code = UNNAMED + ecg.sha256[:10]
            remarks.append("no patient id in the file: kept as a patient of its own")
        year = birth_year_of(ecg.local_day, ecg.age_years)
        who = ecg.identity or Identity()
        patient = Patient(code, self.site, ecg.sex, year, who.name, who.birth_date)
        patient_key = self.store.put_patient(
            patient, simulated=self.simulated, run_key=self.key if ecg.identity else None
        )
        row = ImportRow(name, "accepted", ecg.file_format, patient.id)
        twins = self.store.same_waveform(ecg.sha256)
        for twin in twins:
            if twin.patient_key == patient_key and twin.recorded_at == ecg.recorded_at:
                return replace(row, outcome="duplicate", ecg=twin.key, reason=SAME_ECG)
        found = self._audit(ecg, patient_key, twins)
        remarks += [remark.text for remark in found]
        notes = [remark.text for remark in found]
        row = replace(
            row,
            ecg=self.store.add_prepared(patient_key, ecg, self.key, notes),
            audit=tuple(remark.name for remark in found),
        )
        if not ecg.gate.analysable:
            return replace(
                row,
                outcome="withheld",
                reason="; ".join((*ecg.gate.reasons, *remarks)),
                todo=_WITHHELD_TODO[ecg.gate.status],
            )
        todo = AUDIT[found[0].name] if found else ""
        if ecg.patient_id is None:
            todo = "Give a patient table, or the patient id in the file or its sidecar"
        return replace(row, reason="; ".join(remarks), todo=todo)

    def _audit(
        self, ecg: PreparedEcg, patient_key: str, twins: Sequence[StoredEcg]
    ) -> list[Remark]:
        return list(audit_ecg(ecg, self.store.patient(patient_key), twins, self.now))

    def report(self, tables: tuple[TableOutcome, ...], seconds: float) -> ImportReport:
        """Return what became of everything."""
        audit = self.store.import_audit(self.key)
        return ImportReport(
            key=self.key,
            rows=StoredRows(self.store, self.key),
            tables=tables,
            seconds=seconds,
            patient_keys=tuple(self.store.patients_of_import(self.key)),
            n_same_waveform=sum(n for name, n in audit.items() if name.startswith("same_waveform")),
            n_resumed=self.n_resumed,
            audit=audit,
        )


def undo_import(
    store: Store, key: str, *, settings: Settings, engines: Sequence[ScoringEngine] = ()
) -> Undone:
    """Take an import back as a whole; histories and the worklist follow.

    Parameters
    ----------
    store : Store
    key : str
        Of the import, from its report.
    settings : Settings
    engines : sequence of ScoringEngine
        They renew the scores that rested on what was removed. None: the scores of the
        patients that remain are removed, because nobody can renew them.

    Raises
    ------
    NotFound
        If there is no such import.
    StoreError
        If it was undone before, or a later import relies on it.
    """
    undone = store.undo_import(key, keep_scores=bool(engines))
    if engines and undone.patient_keys:
        score_patients(store, engines, undone.patient_keys)
    refresh_worklist(store, installed_cards(settings))
    return undone
