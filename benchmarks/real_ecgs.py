"""Real ECGs that no network is trained on, with the codes others gave them, in two halves.

Half "tune" may be looked at while cut-offs are set. Half "final" is looked at once. A patient's
half follows from a hash of the data set and the patient, so it never moves.
`label_corrections.csv` lists labels that the trace contradicts, with reasons; it was written
before any figure of these benchmarks was made, and figures are given with and without it.
"""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ecgdash.domain import EcgRecord
from ecgdash.errors import EcgDashError

CORRECTIONS = Path(__file__).with_name("label_corrections.csv")
HALVES = ("tune", "final")


@dataclass(frozen=True)
class RealEcg:
    """A real 12-lead ECG; `statements` of the record are its codes, to be left out of flags."""

    dataset: str
    name: str
    patient: str
    record: EcgRecord

    @property
    def half(self) -> str:
        """Where the patient belongs."""
        return half_of(self.dataset, self.patient)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes others gave it."""
        return self.record.statements


def half_of(dataset: str, patient: str) -> str:
    digest = hashlib.sha256(f"ecgdash-real-half/{dataset}/{patient}".encode()).hexdigest()
    return HALVES[int(digest, 16) % 2]


def corrections() -> dict[tuple[str, str], dict[str, bool]]:
    """Return (data set, record) -> label -> whether it holds."""
    found: dict[tuple[str, str], dict[str, bool]] = {}
    with CORRECTIONS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault((row["dataset"], row["record"]), {})[row["label"]] = (
                row["holds"] == "yes"
            )
    return found


def real_ecgs(folder: Path) -> Iterator[RealEcg]:
    """Yield the 12-lead ECGs of at least 9 s, each waveform once."""
    seen: set[str] = set()
    for dataset, name, patient, record in _all(folder):
        if len(record.leads) < 12 or record.duration_s < 9.0 or record.sha256 in seen:
            continue
        seen.add(record.sha256)
        yield RealEcg(dataset, name, patient, record)


def _all(folder: Path) -> Iterator[tuple[str, str, str, EcgRecord]]:
    from ecgdash.io import read_ecg, read_patient_table
    from ecgdash.settings import Settings

    zone = Settings().zone
    table = read_patient_table(folder / "ptbxl500" / "ptbxl_database.csv", zone)
    for header in sorted((folder / "ptbxl500" / "records500").rglob("*_hr.hea")):
        record = table.apply(
            read_ecg(header, zone=zone), f"records500/{header.parent.name}/{header.name}"
        )
        name = str(int(header.stem.removesuffix("_hr")))
        yield "ptbxl500", name, record.patient_id or name, record
    for header in sorted((folder / "cinc2021_mat_hea").rglob("*.hea")):
        try:
            yield "cinc2021", header.stem, header.stem, read_ecg(header, zone=zone)
        except EcgDashError as err:
            print(f"{header.name}: left out, {err.what}")
