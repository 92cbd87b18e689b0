"""ECGs and their waveforms, which lie in a table of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, func, insert, select

from ecgdash.domain.ecg import EcgRecord, Identity, Sex
from ecgdash.domain.gate import GateResult
from ecgdash.errors import NotFound
from ecgdash.store.base import StoreBase, new_key
from ecgdash.store.codec import EncodedWaveform, decode, encode
from ecgdash.store.evidence import evidence_values, findings_values
from ecgdash.store.objects import Findings, StoredEcg
from ecgdash.store.schema import ecg_evidence, ecgs, patients, waveforms
from ecgdash.store.values import flags_from, gate_from, numbers_from, numbers_value

__all__ = ["EcgsPart", "PreparedEcg", "prepare"]

# Made once, as in `base`: every file of an import or every patient of the worklist runs them.
_FACTS: Final = select(ecgs, patients.c.key.label("patient_key")).join(patients)
_ONE: Final = _FACTS.where(ecgs.c.key == bindparam("ecg_key"))
_SAME_WAVEFORM: Final = _FACTS.where(ecgs.c.sha256 == bindparam("content")).order_by(ecgs.c.id)
_OF_PATIENT: Final = _FACTS.where(patients.c.key == bindparam("of_patient")).order_by(
    ecgs.c.recorded_at.is_(None), ecgs.c.recorded_at, ecgs.c.id
)
_ADD_ECG: Final = insert(ecgs).returning(ecgs.c.id)
_ADD_WAVEFORM: Final = insert(waveforms)
_ADD_EVIDENCE: Final = insert(ecg_evidence)


@dataclass(frozen=True)
class PreparedEcg:
    """An ECG made ready for its rows, so that another process can do the work.

    Attributes
    ----------
    patient_id, sex, age_years, recorded_at, local_day, file_format, sha256, gate, identity
        As of the record and its findings.
    values, evidence : dict
        Columns of the ECG and of its evidence.
    waveform : EncodedWaveform
    """

    patient_id: str | None
    sex: Sex | None
    age_years: float | None
    recorded_at: datetime | None
    local_day: date | None
    file_format: str
    sha256: str
    gate: GateResult
    values: dict[str, Any]
    evidence: dict[str, Any]
    waveform: EncodedWaveform
    identity: Identity | None = None


def prepare(record: EcgRecord, findings: Findings) -> PreparedEcg:
    """Hash and compress an ECG; needs no database."""
    return PreparedEcg(
        patient_id=record.patient_id,
        sex=record.sex,
        age_years=record.age_years,
        recorded_at=record.recorded_at,
        local_day=record.local_day,
        file_format=record.file_format,
        sha256=record.sha256,
        gate=findings.gate,
        values=_values(record, findings),
        evidence=evidence_values(findings.evidence),
        waveform=encode(record.signal_mv, record.lsb_uv),
        identity=record.identity,
    )


class EcgsPart(StoreBase):
    """The store's methods about ECGs."""

    def add_ecg(
        self,
        patient_key: str,
        record: EcgRecord,
        findings: Findings,
        run_key: str | None = None,
    ) -> str:
        """Store an ECG with its waveform; return its key.

        The patient is the one of the key: `record.patient_id` is not looked at.
        """
        return self.add_prepared(patient_key, prepare(record, findings), run_key)

    def add_prepared(
        self,
        patient_key: str,
        prepared: PreparedEcg,
        run_key: str | None = None,
        remarks: Sequence[str] = (),
    ) -> str:
        """Store an ECG made ready before; `remarks` follow its notes. Return its key."""
        key = new_key()
        waveform = prepared.waveform
        values = {**prepared.values, "notes": [*prepared.values["notes"], *remarks]}
        with self._writing() as connection:
            patient = self._id_of(connection, patients, patient_key)
            run = None if run_key is None else self._run_id(connection, run_key)
            ecg = connection.execute(
                _ADD_ECG, {"key": key, "patient": patient, "import_run": run, **values}
            ).scalar_one()
            steps = list(waveform.steps_uv)
            connection.execute(
                _ADD_WAVEFORM,
                {"ecg": ecg, "codec": waveform.codec, "steps_uv": steps, "data": waveform.data},
            )
            connection.execute(_ADD_EVIDENCE, {"ecg": ecg, **prepared.evidence})
            self._mark_stale(connection, patient)
        return key

    def ecg(self, key: str) -> StoredEcg:
        """Return an ECG without its waveform; raises `NotFound`."""
        with self._reading() as connection:
            row = connection.execute(_ONE, {"ecg_key": key}).first()
        if row is None:
            raise NotFound("no such ECG in this store", todo="Open it from the patient's list")
        return _stored(row)

    def ecgs_of(self, patient_key: str) -> list[StoredEcg]:
        """Return a patient's ECGs without waveforms, oldest first, undated ones last."""
        with self._reading() as connection:
            rows = connection.execute(_OF_PATIENT, {"of_patient": patient_key})
            return [_stored(row) for row in rows]

    def same_waveform(self, sha256: str) -> list[StoredEcg]:
        """Return the stored ECGs with this content hash, of any patient."""
        with self._reading() as connection:
            rows = connection.execute(_SAME_WAVEFORM, {"content": sha256})
            return [_stored(row) for row in rows]

    def n_ecgs(self) -> int:
        """Return how many ECGs are stored."""
        with self._reading() as connection:
            return int(connection.execute(select(func.count()).select_from(ecgs)).scalar_one())

    def record(self, key: str) -> EcgRecord:
        """Return an ECG with its decoded waveform; raises `NotFound`."""
        return self.records([key])[0]

    def records(self, keys: Sequence[str]) -> list[EcgRecord]:
        """Return ECGs with their decoded waveforms, in the order of the keys.

        Scores are computed from these, never from the file as it was read.
        """
        query = (
            select(ecgs, waveforms, patients.c.code)
            .join(waveforms, waveforms.c.ecg == ecgs.c.id)
            .join(patients, patients.c.id == ecgs.c.patient)
            .where(ecgs.c.key.in_(list(keys)))
        )
        with self._reading() as connection:
            found = {row.key: _record(row) for row in connection.execute(query)}
        missing = [key for key in keys if key not in found]
        if missing:
            raise NotFound(f"{len(missing)} of {len(keys)} ECGs are not in this store")
        return [found[key] for key in keys]


def _values(record: EcgRecord, findings: Findings) -> dict[str, Any]:
    return {
        "recorded_at": record.recorded_at,
        "local_day": record.local_day,
        "leads": list(record.leads),
        "sampling_hz": record.sampling_hz,
        "n_samples": record.n_samples,
        "sha256": record.sha256,
        "age_years": record.age_years,
        "sex": record.sex,
        "statements": list(record.statements),
        "measurements": numbers_value(record.measurements),
        "device": record.device,
        "filters": record.filters,
        "source_name": record.source_name,
        "file_format": record.file_format,
        "lsb_uv": None if record.lsb_uv is None else list(record.lsb_uv),
        "in_millivolts": record.in_millivolts,
        "notes": list(record.notes),
        **findings_values(findings),
    }


_SAME_IN_BOTH = (
    "recorded_at",
    "local_day",
    "sampling_hz",
    "age_years",
    "sex",
    "device",
    "filters",
    "source_name",
    "file_format",
)


def _shared(row: Row[Any]) -> dict[str, Any]:
    """Return the fields that a stored ECG and a record have in common."""
    return {
        **{name: getattr(row, name) for name in _SAME_IN_BOTH},
        "leads": tuple(row.leads),
        "statements": tuple(row.statements),
        "measurements": numbers_from(row.measurements),
        "notes": tuple(row.notes),
    }


def _stored(row: Row[Any]) -> StoredEcg:
    return StoredEcg(
        key=row.key,
        patient_key=row.patient_key,
        n_samples=row.n_samples,
        sha256=row.sha256,
        gate=gate_from(row.gate_findings, row.gate_window_s),
        flags=flags_from(row.flags),
        measured=numbers_from(row.measured),
        **_shared(row),
    )


def _record(row: Row[Any]) -> EcgRecord:
    waveform = EncodedWaveform(row.codec, tuple(row.steps_uv), row.data)
    return EcgRecord(
        signal_mv=decode(waveform, len(row.leads), row.n_samples),
        patient_id=row.code,
        lsb_uv=None if row.lsb_uv is None else tuple(row.lsb_uv),
        in_millivolts=row.in_millivolts,
        **_shared(row),
    )
