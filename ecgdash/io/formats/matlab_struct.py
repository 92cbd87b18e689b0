"""MATLAB files without WFDB header, of two layouts: CPSC 2018 and extracts of CODE-15.

CPSC 2018 (training set of the challenge): a structure `ECG` with `sex`, `age` and `data`, 12 x
n. The file states neither rate nor unit nor leads; the challenge's description does: 500 Hz, mV,
I, II, III, aVR, aVL, aVF, V1 to V6. Extracts of CODE-15 as data pipelines write them: `feats`,
12 x n, with its rate and length; their amplitudes state no unit and
do not look like millivolts (`CODE15_NO_UNIT`), so a unit must be stated, it is never assumed.
"""

from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.errors import CorruptFile, InputFileError
from ecgdash.io.about import About
from ecgdash.io.arrays import check_values
from ecgdash.io.build import Facts, sex_of
from ecgdash.io.companions import companion_rows, number_in
from ecgdash.io.hints import ReadHints, gather_hints
from ecgdash.io.mat_elements import is_mat5, variables
from ecgdash.io.plain import CODE15_NO_UNIT, PlainEcg, plain_record

SUFFIXES: Final = (".mat",)
ABOUT: Final = About(
    title="MATLAB of CPSC 2018 and CODE-15",
    versions="CPSC 2018: structure `ECG`; extracts of CODE-15: `feats`",
    libraries=("ours",),
    reads="Samples, age and sex (CPSC); samples and rate, and from `meta.csv` beside the file "
    "patient, age and sex (CODE-15).",
    decides=(
        "CPSC: 500 Hz, mV and order of leads by the challenge's description.",
        "CODE-15: order of leads by the data set's description; the unit must be stated.",
    ),
    checks=(
        "Every element's size against the bytes around it; compressed ones by their checksum.",
        "CODE-15: the stated length against the samples.",
    ),
    limits=("MATLAB 7.3 (HDF5) and other layouts are not read.",),
    proven=("scipy on five files of each layout", "files written by scipy"),
)
_CPSC_HZ: Final = 500.0
_CODE15_VARIABLES: Final = ("feats", "curr_sample_rate", "curr_sample_size")
_CODE15_COLUMNS: Final = ("patient_id", "age", "is_male")


def sniff(path: Path) -> bool:
    """Whether a MATLAB 5 file holds one of the two layouts."""
    if not is_mat5(path):
        return False
    try:
        return _layout(variables(path)) is not None
    except InputFileError:
        return True  # broken, and said so when it is read


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read an ECG; see `ecgdash.io.read_ecg`."""
    known = gather_hints(path, hints)
    held = variables(path)
    layout = _layout(held)
    if layout is None:
        raise CorruptFile("the MATLAB file holds neither ECG nor feats", where=path.name)
    ecg = _cpsc(held["ECG"], path.name) if layout == "cpsc" else _code15(held, path)
    return plain_record(path, ecg, known, zone, "matlab")


def _layout(held: Mapping[str, Any]) -> str | None:
    """Return "cpsc" or "code15" by the names of the variables, or None."""
    if isinstance(held.get("ECG"), dict):
        return "cpsc"
    return "code15" if held.keys() >= set(_CODE15_VARIABLES) else None


def _cpsc(held: Mapping[str, Any], where: str) -> PlainEcg:
    if not held.keys() >= {"sex", "age", "data"}:
        raise CorruptFile("the structure ECG does not hold sex, age and data", where=where)
    notes = [
        "rate 500 Hz, unit mV and order of leads by the description of CPSC 2018, not by the file"
    ]
    years = _single(held["age"])
    facts = Facts(age_years=years, sex=sex_of(str(held["sex"])), notes=notes)
    return PlainEcg(_twelve(held["data"], where), _CPSC_HZ, "mV", facts=facts)


def _single(value: Any) -> float | None:
    """Return the one finite number that a variable holds, or None."""
    flat = np.asarray(value).reshape(-1)
    if flat.size != 1 or flat.dtype.kind not in "iuf" or not np.isfinite(flat[0]):
        return None
    return float(flat[0])


def _code15(held: Mapping[str, Any], path: Path) -> PlainEcg:
    rate, length = (_single(held[name]) for name in ("curr_sample_rate", "curr_sample_size"))
    if rate is None or length is None:
        raise CorruptFile("rate or length is no single number", where=path.name)
    rows = _twelve(held["feats"], path.name)
    n_samples = len(rows["I"])
    if length != n_samples:
        raise CorruptFile(
            f"{length:g} samples are stated, {n_samples} are held",
            where=path.name,
            todo="Extract the ECG again",
        )
    facts = Facts(
        notes=["order of leads by the description of CODE-15, not by the file"],
    )
    exam = path.stem.rpartition("_")[2]
    row = companion_rows(path.parent, ("meta.csv",), "exam_id", _CODE15_COLUMNS).get(exam)
    if row is not None:
        facts.patient_id = row["patient_id"]
        facts.age_years = number_in(row, "age")
        facts.sex = sex_of({"true": "male", "false": "female"}.get(row["is_male"].lower()))
    return PlainEcg(rows, rate, no_unit=CODE15_NO_UNIT, facts=facts)


def _twelve(data: Any, where: str) -> dict[str, np.ndarray[Any, Any]]:
    values = np.asarray(data)
    if (
        values.ndim != 2
        or values.shape[0] != len(CANONICAL_LEADS)
        or values.dtype.kind not in "iuf"
    ):
        raise CorruptFile(
            f"the samples have shape {values.shape} and type {values.dtype}",
            where=where,
            accepted="Accepted: numbers, 12 x n",
        )
    check_values(values.size, where)
    return dict(zip(CANONICAL_LEADS, values.astype(np.float64), strict=True))
