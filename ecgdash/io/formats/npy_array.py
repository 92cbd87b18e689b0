"""ECGs as NumPy arrays (.npy) with a sidecar: leads and samples, or many ECGs of both.

The axis whose length equals the number of stated leads is the lead axis; where
both or none fit, the file is refused. The first of three axes counts ECGs, named
"0", "1", ... Nothing is unpickled.
"""

from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile, MissingLeads
from ecgdash.io.about import About
from ecgdash.io.arrays import check_values, is_npy, mapped
from ecgdash.io.companions import chosen_member, numbered
from ecgdash.io.hints import ReadHints, gather_hints
from ecgdash.io.plain import PlainEcg, plain_record

SUFFIXES: Final = (".npy",)
ABOUT: Final = About(
    title="NumPy array",
    versions="leads x samples or samples x leads; ECGs x both; whole or floating-point numbers",
    libraries=("numpy",),
    reads="Samples; rate, unit, leads and whose ECG it is from a sidecar (`NAME.npy.json`) or "
    "the call.",
    decides=("The axis as long as the list of leads is the lead axis.",),
    checks=("The bytes that the header states against the file's.",),
    limits=(
        "Object arrays are refused: nothing is unpickled.",
        "At most 20 million numbers an ECG and a million ECGs.",
    ),
    proven=("arrays written by numpy",),
)


def sniff(path: Path) -> bool:
    """Whether the file starts with NumPy's magic."""
    return is_npy(path)


def members(path: Path) -> Sequence[str]:
    """Return the names of the ECGs in an array of three axes; empty for one ECG."""
    array = mapped(path)
    return numbered(array.shape[0], path.name) if array.ndim == 3 else []


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read an ECG array; see `ecgdash.io.read_ecg`."""
    known = gather_hints(path, hints)
    array: np.ndarray[Any, Any] = mapped(path)
    if array.ndim == 3:
        names = numbered(array.shape[0], path.name)
        array = array[chosen_member(names, known.member, path.name)]
    if array.ndim != 2:
        raise CorruptFile(
            f"the array has shape {array.shape} and type {array.dtype}",
            where=path.name,
            accepted="Accepted: two axes, leads and samples, or three, ECGs first",
        )
    if known.leads is None:
        raise MissingLeads(
            f"an array of shape {array.shape} states no lead names",
            where=path.name,
            todo="State the leads, in the array's order, in a sidecar or in the call",
        )
    fits = [axis for axis in (0, 1) if array.shape[axis] == len(known.leads)]
    if len(fits) != 1:
        raise MissingLeads(
            f"{len(known.leads)} lead names do not tell the lead axis of shape {array.shape}",
            where=path.name,
            accepted="Accepted: one axis as long as the list of leads",
        )
    check_values(array.size, path.name)
    rows = (array if fits[0] == 0 else array.T).astype(np.float64)
    ecg = PlainEcg(dict(zip(known.leads, rows, strict=True)))
    return plain_record(path, ecg, known, zone, "npy")
