"""EchoNext waveforms: `EchoNext_{split}_waveforms.npy`, N x 1 x 2500 x 12, with its metadata.

The data set's description gives 250 Hz, 10 s and the order I, II, III, aVR, aVL, aVF, V1 to
V6. Its amplitudes were clipped and standardised lead by lead before release: they are no
millivolts and cannot be made so. ECGDash keeps millivolts and its models expect them, so an
EchoNext ECG is refused until the user states a unit (and answers for it). The metadata table
beside it gives patient, age, sex and the cart's intervals; it holds a year and no date, so the
ECGs are undated, and labels of LVEF <= 45 % without the LVEF, which ECGDash does not turn into
an echo (its own definition is <= 40 %).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.errors import CorruptFile, UnknownUnits
from ecgdash.io.about import About
from ecgdash.io.arrays import is_npy, mapped
from ecgdash.io.build import Facts, sex_of
from ecgdash.io.companions import chosen_member, companion_rows, number_in, numbered
from ecgdash.io.hints import ReadHints, gather_hints
from ecgdash.io.plain import PlainEcg, plain_record

SUFFIXES: Final = (".npy",)
ABOUT: Final = About(
    title="EchoNext",
    versions="1.0 and 1.1: `EchoNext_{split}_waveforms.npy` with its metadata table",
    libraries=("numpy",),
    reads="Samples, and from the metadata table patient, age, sex, rate, PR, QRS and QTc.",
    decides=(
        "250 Hz and the order of leads by the data set's description.",
        "Rows of the metadata table belong to the waveforms of its split in order.",
    ),
    checks=("The bytes that the header states against the file's.",),
    limits=(
        "Amplitudes are standardised and state no unit: an ECG is refused unless one is stated.",
        "Only the year is known: the ECGs are undated. Labels (LVEF <= 45 %) are not echoes.",
    ),
    proven=("an array and a table written by numpy and csv in the published layout",),
)
_RATE_HZ: Final = 250.0
_SHAPE: Final = (1, 2500, 12)
_NAME: Final = re.compile(r"echonext_(\w+?)_waveforms", re.IGNORECASE)
_TABLES: Final = ("EchoNext_metadata_100k.csv", "EchoNext_metadata.csv")
_COLUMNS: Final = (
    "split", "ecg_key", "patient_key", "age_at_ecg", "sex", "ventricular_rate", "pr_interval",
    "qrs_duration", "qt_corrected",
)  # fmt: skip


def sniff(path: Path) -> bool:
    """Whether the file is named as EchoNext's waveforms are, and is an array."""
    return _NAME.search(path.name) is not None and is_npy(path)


def members(path: Path) -> Sequence[str]:
    """Return the ECGs' keys of the metadata table, or their numbers without one."""
    array = _array(path)
    rows = _rows(path)
    if len(rows) == len(array):
        keys = [row["ecg_key"] for row in rows]
        if len(set(keys)) == len(keys) and all(keys):
            return keys
    return numbered(len(array), path.name)


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read one ECG of EchoNext; see `ecgdash.io.read_ecg`."""
    known = gather_hints(path, hints)
    array = _array(path)
    place = chosen_member(members(path), known.member, path.name)
    if known.units is None:
        raise UnknownUnits(
            "EchoNext's amplitudes were standardised and are in no unit",
            where=path.name,
            accepted="Accepted: a unit that the user states (units in a sidecar or in the call)",
            todo="State one only if you scaled the waveforms back yourself",
        )
    rows = _rows(path)
    notes = [
        "rate 250 Hz and order of leads by the description of EchoNext, not by the file",
        "EchoNext's amplitudes were standardised before release",
    ]
    if len(rows) == len(array):
        facts = _facts(rows[place], notes)
    else:
        facts = Facts(notes=[*notes, "no metadata table fits the waveforms"])
    values = array[place, 0].T.astype(np.float64)
    ecg = PlainEcg(dict(zip(CANONICAL_LEADS, values, strict=True)), _RATE_HZ, facts=facts)
    return plain_record(path, ecg, known, zone, "echonext")


def _array(path: Path) -> "np.memmap[Any, Any]":
    array = mapped(path)
    if array.shape[1:] != _SHAPE:
        raise CorruptFile(
            f"the array has shape {array.shape}",
            where=path.name,
            accepted="Accepted: N x 1 x 2500 x 12",
        )
    return array


def _rows(path: Path) -> list[Mapping[str, str]]:
    """Return the rows of the file's split, in order."""
    found = _NAME.search(path.name)
    split = found.group(1).lower() if found else ""
    table = companion_rows(path.parent, _TABLES, "", _COLUMNS)
    return [row for row in table.values() if row["split"].lower() == split]


def _facts(row: Mapping[str, str], notes: list[str]) -> Facts:
    return Facts(
        patient_id=row["patient_key"],
        age_years=number_in(row, "age_at_ecg"),
        sex=sex_of(row["sex"]),
        measurements={
            "heart_rate_bpm": number_in(row, "ventricular_rate"),
            "pr_ms": number_in(row, "pr_interval"),
            "qrs_ms": number_in(row, "qrs_duration"),
            "qtc_ms": number_in(row, "qt_corrected"),
        },
        notes=notes,
    )
