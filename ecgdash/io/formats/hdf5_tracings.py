"""HDF5 files of two data sets: CODE-15 (`tracings`, many ECGs) and SPH (`ecg`, one ECG).

CODE-15: N x 4096 x 12 at 400 Hz, in the order DI, DII, DIII, AVR, AVL, AVF, V1 to V6, padded
with zeros, named by `exam_id`; `exams.csv` beside it gives patient, age and sex. The files
state no unit, and real extracts do not look like millivolts (`CODE15_NO_UNIT`): a unit must
be stated, it is never assumed. SPH: 12 x n float16 in mV at 500 Hz by
the data set's description; `metadata.csv` beside it gives rate, length, patient, day, age, sex
and AHA codes, and is compared with the file.

HDF5 can point to other files, claim sizes that it does not hold and inflate without end: only
plain datasets of the file itself are opened, and sizes are compared before anything is read.
"""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.errors import CorruptFile, FileTooLarge, UnsupportedFormat
from ecgdash.io.about import About
from ecgdash.io.arrays import check_values
from ecgdash.io.build import Facts, sex_of
from ecgdash.io.companions import (
    MemberNames,
    chosen_member,
    companion_rows,
    number_in,
    numbered,
    version_of,
)
from ecgdash.io.hints import ReadHints, gather_hints
from ecgdash.io.plain import CODE15_NO_UNIT, PlainEcg, plain_record, rate_as_stated
from ecgdash.io.times import parse_iso

SUFFIXES: Final = (".h5", ".hdf5")
ABOUT: Final = About(
    title="HDF5 of CODE-15 and SPH",
    versions="CODE-15 %: `tracings` and `exam_id`; SPH: `ecg`",
    libraries=("h5py",),
    reads="Samples; patient, age, sex, and for SPH day and AHA codes, from the table beside the "
    "file (`exams.csv`, `metadata.csv`).",
    decides=(
        "Rate and order of leads by the data sets' descriptions; SPH's unit (mV) too.",
        "CODE-15 states no unit and its scale does not look like mV: a unit must be stated.",
        "The zeros that pad a CODE-15 tracing are kept; the gate leaves them out.",
    ),
    checks=(
        "Shapes against the bytes or chunks that are stored.",
        "SPH: samples and rate of `metadata.csv` against the file.",
        "CODE-15: as many exam ids as tracings.",
    ),
    limits=(
        "Links to other files, virtual and external datasets are refused.",
        "Other HDF5 layouts, MATLAB 7.3 among them, are not read.",
    ),
    proven=("h5py on five SPH files", "files written by h5py in the published layouts"),
)
_MAGIC: Final = b"\x89HDF\r\n\x1a\n"
_MAX_CHUNK_BYTES: Final = 64 * 1024 * 1024
"""Of one chunk, inflated (our choice); h5py makes them of about 1 MB."""
_CODE15_HZ: Final = 400.0
_CODE15_COLUMNS: Final = ("patient_id", "age", "is_male")
_SPH_HZ: Final = 500.0
_SPH_COLUMNS: Final = ("aha_code", "patient_id", "age", "sex", "n", "date", "fs")


def sniff(path: Path) -> bool:
    """Whether the file starts with HDF5's magic and holds one of the two layouts."""
    with path.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            return False
    import h5py

    try:
        with h5py.File(path, "r", locking=False) as opened:
            return "tracings" in opened or "ecg" in opened
    except (OSError, RuntimeError, KeyError, ValueError):
        return False


def members(path: Path) -> Sequence[str]:
    """Return the exam ids of a CODE-15 part; empty for a file of one ECG."""
    with _opened(path) as opened:
        return _names(path, version_of(path)) if "tracings" in opened else []


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read one ECG; see `ecgdash.io.read_ecg`."""
    known = gather_hints(path, hints)
    with _opened(path) as opened:
        if "tracings" in opened:
            ecg = _code15(opened, path, known)
        else:
            ecg = _sph(opened, path, zone)
    return plain_record(path, ecg, known, zone, "hdf5")


def _opened(path: Path) -> Any:
    import h5py

    try:
        return h5py.File(path, "r", locking=False)
    except (OSError, RuntimeError) as error:
        raise CorruptFile(
            "the HDF5 file cannot be opened", where=path.name, todo="Download it again"
        ) from error


def _dataset(opened: Any, name: str, where: str) -> Any:
    """Return a dataset that lies in this very file and holds what its shape claims.

    Raises
    ------
    UnsupportedFormat, CorruptFile, FileTooLarge
    """
    import h5py

    try:
        link = opened.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink) or not isinstance(opened[name], h5py.Dataset):
            raise UnsupportedFormat(
                f"{name} is no dataset of the file itself", where=where, todo="Copy it by h5repack"
            )
        dataset = opened[name]
        if dataset.is_virtual or dataset.external:
            raise UnsupportedFormat(
                f"{name} lies in other files", where=where, todo="Copy it by h5repack"
            )
        _check_storage(dataset, where)
    except (KeyError, OSError, RuntimeError, ValueError, TypeError) as error:
        raise CorruptFile(
            f"the dataset {name} cannot be opened ({type(error).__name__})",
            where=where,
            todo="Download the file again",
        ) from error
    return dataset


def _check_storage(dataset: Any, where: str) -> None:
    """Compare a dataset's shape with what is stored."""
    n_bytes = int(np.prod(dataset.shape, dtype=object)) * dataset.dtype.itemsize
    if dataset.chunks is None:
        fits = dataset.id.get_storage_size() == n_bytes
        held = f"{dataset.id.get_storage_size()} bytes"
    else:
        chunk_bytes = int(np.prod(dataset.chunks, dtype=object)) * dataset.dtype.itemsize
        grid = [-(-n // c) for n, c in zip(dataset.shape, dataset.chunks, strict=True)]
        n_chunks = int(np.prod(grid, dtype=object))
        if chunk_bytes > _MAX_CHUNK_BYTES:
            raise FileTooLarge(
                f"a dataset is stored in chunks of {chunk_bytes} bytes",
                where=where,
                accepted=f"Accepted: at most {_MAX_CHUNK_BYTES} bytes",
                todo="Store it in smaller chunks by h5repack",
            )
        fits = dataset.id.get_num_chunks() == n_chunks
        held = f"{dataset.id.get_num_chunks()} chunks of {dataset.chunks}"
    if not fits:
        raise CorruptFile(
            f"a dataset of shape {dataset.shape} does not fit the {held} that are stored",
            where=where,
            todo="Download the file again",
        )


def _values(dataset: Any, place: int | None, where: str) -> np.ndarray[Any, Any]:
    """Return one ECG's numbers as float64.

    Raises
    ------
    CorruptFile
        If they are no numbers or cannot be decoded.
    FileTooLarge
        If there are too many.
    """
    shape = dataset.shape if place is None else dataset.shape[1:]
    if dataset.dtype.kind not in "iuf" or len(shape) != 2:
        raise CorruptFile(
            f"the dataset has shape {dataset.shape} and type {dataset.dtype}",
            where=where,
            accepted="Accepted: numbers, leads and samples",
        )
    check_values(int(np.prod(shape, dtype=object)), where)
    try:
        values = dataset[()] if place is None else dataset[place]
    except (OSError, RuntimeError, ValueError) as error:
        raise CorruptFile(
            "the samples cannot be decoded", where=where, todo="Download the file again"
        ) from error
    return np.asarray(values, dtype=np.float64)


@lru_cache(maxsize=4)  # each of 20,000 tracings of a part asks for them
def _names(path: Path, _version: tuple[int, int]) -> MemberNames:
    with _opened(path) as opened:
        return _exam_ids(opened, path.name)


def _exam_ids(opened: Any, where: str) -> MemberNames:
    tracings = _dataset(opened, "tracings", where)
    if len(tracings.shape) != 3 or tracings.shape[2] != len(CANONICAL_LEADS):
        raise CorruptFile(
            f"the tracings have shape {tracings.shape}",
            where=where,
            accepted="Accepted: N x n x 12",
        )
    names = numbered(len(tracings), where)
    if "exam_id" not in opened:
        return names
    ids = _dataset(opened, "exam_id", where)
    if ids.shape != tracings.shape[:1] or ids.dtype.kind not in "iu":
        raise CorruptFile(
            f"{len(tracings)} tracings and exam ids of shape {ids.shape}", where=where
        )
    return MemberNames(str(number) for number in ids[()])


def _code15(opened: Any, path: Path, known: ReadHints) -> PlainEcg:
    names = _names(path, version_of(path))
    place = chosen_member(names, known.member, path.name)
    values = _values(_dataset(opened, "tracings", path.name), place, path.name)
    notes = ["rate 400 Hz and order of leads by the description of CODE-15, not by the file"]
    row = companion_rows(path.parent, ("exams.csv",), "exam_id", _CODE15_COLUMNS).get(names[place])
    facts = Facts(notes=notes)
    if row is not None:
        sexes = {"true": "male", "1": "male", "false": "female", "0": "female"}
        facts.patient_id = row["patient_id"]
        facts.age_years = number_in(row, "age")
        facts.sex = sex_of(sexes.get(row["is_male"].lower()))
    rows = dict(zip(CANONICAL_LEADS, values.T, strict=True))
    return PlainEcg(rows, _CODE15_HZ, no_unit=CODE15_NO_UNIT, facts=facts)


def _sph(opened: Any, path: Path, zone: tzinfo) -> PlainEcg:
    values = _values(_dataset(opened, "ecg", path.name), None, path.name)
    if values.shape[0] != len(CANONICAL_LEADS):
        raise CorruptFile(
            f"the dataset ecg has shape {values.shape}",
            where=path.name,
            accepted="Accepted: 12 x n",
        )
    notes = ["rate 500 Hz, unit mV and order of leads by the description of SPH, not by the file"]
    if _dataset(opened, "ecg", path.name).dtype.itemsize == 2:
        notes.append(
            "samples are stored in 11 binary digits: beyond 1 mV they are 0.5 uV or more off"
        )
    table = companion_rows(path.parent, ("metadata.csv",), "ecg_id", _SPH_COLUMNS)
    row = table.get(path.name) or table.get(path.stem)
    facts = Facts(notes=notes)
    rate = _SPH_HZ
    if row is not None:
        rate = _agreed_rate(path, row)
        _check_n(path, row, values.shape[1])
        _add_sph_facts(facts, row, zone)
    rows = dict(zip(CANONICAL_LEADS, values, strict=True))
    return PlainEcg(rows, rate, "mV", facts=facts)


def _agreed_rate(path: Path, row: Mapping[str, str]) -> float:
    stated = number_in(row, "fs")
    return rate_as_stated(path, _SPH_HZ, ReadHints(sampling_hz=stated))


def _check_n(path: Path, row: Mapping[str, str], n_samples: int) -> None:
    stated = number_in(row, "n")
    if stated is not None and stated != n_samples:
        raise CorruptFile(
            f"metadata.csv states {stated:g} samples, the file holds {n_samples}",
            where=path.name,
            todo="Download the file again, or correct the table",
        )


def _add_sph_facts(facts: Facts, row: Mapping[str, str], zone: tzinfo) -> None:
    facts.patient_id = row["patient_id"]
    facts.age_years = number_in(row, "age")
    facts.sex = sex_of(row["sex"])
    facts.moment = parse_iso(row["date"], zone) if row["date"] else None
    facts.statements = [f"AHA code {code}" for code in row["aha_code"].split(";") if code.strip()]
