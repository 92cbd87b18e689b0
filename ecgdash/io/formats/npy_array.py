"""ECGs as NumPy arrays (.npy) with a sidecar: two axes, leads and samples.

The axis whose length equals the number of stated leads is the lead axis; where
both or none fit, the file is refused. Nothing is unpickled.
"""

from datetime import tzinfo
from pathlib import Path
from typing import Final

import numpy as np

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile, MissingLeads
from ecgdash.io.hints import ReadHints, gather_hints
from ecgdash.io.plain import plain_record

SUFFIXES: Final = (".npy",)
_MAGIC: Final = b"\x93NUMPY"


def sniff(path: Path) -> bool:
    """Whether the file starts with NumPy's magic."""
    with path.open("rb") as stream:
        return stream.read(len(_MAGIC)) == _MAGIC


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read an ECG array; see `ecgdash.io.read_ecg`."""
    known = gather_hints(path, hints)
    try:
        # Mapped, a header that claims more than the file holds fails before memory is taken.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError, OverflowError) as error:
        raise CorruptFile(
            "the array is no plain numeric one, or shorter than its header claims",
            where=path.name,
            accepted="Accepted: plain numeric arrays",
            todo="Save it again by numpy.save",
        ) from error
    if array.ndim != 2 or array.dtype.kind not in "iuf":
        raise CorruptFile(
            f"the array has shape {array.shape} and type {array.dtype}",
            where=path.name,
            accepted="Accepted: numbers in two axes, leads and samples",
        )
    if known.leads is None:
        raise MissingLeads(
            f"an array of shape {array.shape} states no lead names",
            where=path.name,
            todo="State the leads, in the array's order, in a sidecar",
        )
    fits = [axis for axis in (0, 1) if array.shape[axis] == len(known.leads)]
    if len(fits) != 1:
        raise MissingLeads(
            f"{len(known.leads)} lead names do not tell the lead axis of shape {array.shape}",
            where=path.name,
            accepted="Accepted: one axis as long as the list of leads",
        )
    rows = (array if fits[0] == 0 else array.T).astype(np.float64)
    return plain_record(path, dict(zip(known.leads, rows, strict=True)), known, "npy")
