"""Arrays opened without belief: never unpickled, mapped, as long as they say, and bounded."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.errors import CorruptFile, FileTooLarge

__all__ = ["check_values", "is_npy", "mapped"]

_MAGIC: Final = b"\x93NUMPY"
_LONGEST_HEADER: Final = 10_000
_MAX_VALUES: Final = 20_000_000
"""Of one ECG (our choice): 55 minutes of 12 leads at 500 Hz, some 600 MB of memory on the way."""


def is_npy(path: Path) -> bool:
    """Whether the file starts with NumPy's magic."""
    with path.open("rb") as stream:
        return stream.read(len(_MAGIC)) == _MAGIC


def check_values(count: int, where: str) -> None:
    """Refuse an ECG of more numbers than memory is meant to hold.

    Raises
    ------
    FileTooLarge
    """
    if count > _MAX_VALUES:
        raise FileTooLarge(
            f"the ECG holds {count} numbers",
            where=where,
            accepted=f"Accepted: at most {_MAX_VALUES}, leads times samples",
            todo="Cut the recording",
        )


def mapped(path: Path) -> "np.memmap[Any, Any]":
    """Map an array of plain numbers; nothing is read yet.

    Raises
    ------
    CorruptFile
        If it is none, holds none, or its header states another size than the file has.
    """
    try:
        # Mapped, a header that claims more than the file holds fails before memory is taken.
        array = np.load(path, mmap_mode="r", allow_pickle=False, max_header_size=_LONGEST_HEADER)
    except (ValueError, OSError, EOFError, OverflowError, SyntaxError) as error:
        raise CorruptFile(
            "the array is no plain numeric one, or shorter than its header claims",
            where=path.name,
            accepted="Accepted: plain numeric arrays",
            todo="Save it again by numpy.save",
        ) from error
    if array.dtype.kind not in "iuf" or not isinstance(array, np.memmap) or not array.size:
        raise CorruptFile(
            f"the array has shape {array.shape} and type {array.dtype}",
            where=path.name,
            accepted="Accepted: whole or floating-point numbers",
        )
    held = path.stat().st_size - array.offset
    if held != array.nbytes:
        raise CorruptFile(
            f"the header states {array.nbytes} bytes of numbers, the file holds {held}",
            where=path.name,
            todo="Save it again by numpy.save",
        )
    return array
