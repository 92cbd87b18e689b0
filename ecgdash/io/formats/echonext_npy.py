"""EchoNext waveforms: `EchoNext_{split}_waveforms.npy`, N x 1 x 2500 x 12, with its metadata.

The data set's description gives 250 Hz, 10 s and the order I, II, III, aVR, aVL, aVF, V1 to
V6. Its amplitudes were clipped and standardised lead by lead before release: they are no
millivolts and cannot be made so. An EchoNext ECG is kept in arbitrary units, shown and never
scored, because the models expect millivolts; a unit that the user states (and answers for)
holds. The metadata table beside it gives patient, age, sex and the cart's intervals; it holds a
year and no date, so the ECGs are undated, and labels of LVEF <= 45 % without the LVEF, which
ECGDash does not turn into an echo (its own definition is <= 40 %).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.errors import CorruptFile
from ecgdash.io.about import About
from ecgdash.io.arrays import is_npy, mapped
from ecgdash.io.build import Facts, sex_of
from ecgdash.io.companions import (
    MemberNames,
    chosen_member,
    companion_rows,
    number_in,
    numbered,
)
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
        "Amplitudes are standardised: in arbitrary units and not scored, unless one is stated.",
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

_SPLITS: dict[str, tuple[object, Sequence[Mapping[str, str]], MemberNames]] = {}
"""By split: the table, its rows of the split, and their keys."""


def sniff(path: Path) -> bool:
    """Whether the file is named as EchoNext's waveforms are, and is an array."""
    return _NAME.search(path.name) is not None and is_npy(path)


def members(path: Path) -> Sequence[str]:
    """Return the ECGs' keys of the metadata table, or their numbers without one."""
    return _names(path, _array(path).shape[0])


def _names(path: Path, n_ecgs: int) -> MemberNames:
    rows, keys = _rows(path)
    if len(rows) == n_ecgs and len(set(keys)) == len(keys) and all(keys):
        return keys
    return numbered(n_ecgs, path.name)


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read one ECG of EchoNext; see `ecgdash.io.read_ecg`."""
    known = gather_hints(path, hints)
    array = _array(path)
    rows, _ = _rows(path)
    place = chosen_member(_names(path, len(array)), known.member, path.name)
    notes = [
        "rate 250 Hz and order of leads by the description of EchoNext, not by the file",
        "EchoNext's amplitudes were standardised before release",
    ]
    if known.units is None:
        notes.append("amplitudes are in arbitrary units, not in millivolts")
    if len(rows) == len(array):
        facts = _facts(rows[place], notes)
    else:
        facts = Facts(notes=[*notes, "no metadata table fits the waveforms"])
    values = array[place, 0].T.astype(np.float64)
    leads = dict(zip(CANONICAL_LEADS, values, strict=True))
    # What is no millivolt travels as if it were, and says that it is none.
    ecg = PlainEcg(leads, _RATE_HZ, None if known.units else "mV", facts=facts)
    record = plain_record(path, ecg, known, zone, "echonext")
    return record if known.units else replace(record, in_millivolts=False)


def _array(path: Path) -> "np.memmap[Any, Any]":
    array = mapped(path)
    if array.shape[1:] != _SHAPE:
        raise CorruptFile(
            f"the array has shape {array.shape}",
            where=path.name,
            accepted="Accepted: N x 1 x 2500 x 12",
        )
    return array


def _rows(path: Path) -> tuple[Sequence[Mapping[str, str]], MemberNames]:
    """Return the rows of the file's split, in order, and their keys."""
    found = _NAME.search(path.name)
    split = found.group(1).lower() if found else ""
    table = companion_rows(path.parent, _TABLES, "", _COLUMNS)
    held = _SPLITS.get(split)
    # The same table is the same object until its file changes; 72,475 ECGs ask for it.
    if held is None or held[0] is not table:
        rows = [row for row in table.values() if row["split"].lower() == split]
        held = (table, rows, MemberNames(row["ecg_key"] for row in rows))
        _SPLITS[split] = held
    return held[1], held[2]


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
