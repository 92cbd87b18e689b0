"""The 8:1:1 split: a patient's side follows from the patient's id alone."""

import hashlib
from collections.abc import Iterable
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["SPLITS", "Split", "rows_of_split", "split_of"]

Split = Literal["train", "validation", "test"]
SPLITS: Final[tuple[Split, ...]] = ("train", "validation", "test")

_TENTHS: Final[tuple[Split, ...]] = ("train",) * 8 + ("validation", "test")


def split_of(patient_id: str) -> Split:
    """Return the side of a patient, by a hash of the id.

    All ECGs of a patient are on one side (paper 000), on any machine, in any
    order, and when patients are added later.
    """
    digest = hashlib.sha256(f"ecgdash-split:{patient_id}".encode()).digest()
    return _TENTHS[int.from_bytes(digest[:8], "big") % 10]


def rows_of_split(patient_ids: Iterable[str], split: Split) -> NDArray[np.int64]:
    """Return the rows whose patient is on one side."""
    return np.array([i for i, one in enumerate(patient_ids) if split_of(one) == split], np.int64)
