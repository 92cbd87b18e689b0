"""NumPy files opened without belief: never unpickled, mapped, and as long as they say."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.errors import CorruptFile

__all__ = ["is_npy", "mapped"]

_MAGIC: Final = b"\x93NUMPY"
_LONGEST_HEADER: Final = 10_000


def is_npy(path: Path) -> bool:
    """Whether the file starts with NumPy's magic."""
    with path.open("rb") as stream:
        return stream.read(len(_MAGIC)) == _MAGIC


def mapped(path: Path) -> "np.memmap[Any, Any]":
    """Map an array of plain numbers; nothing is read yet.

    Raises
    ------
    CorruptFile
        If it is none, or its header states another size than the file has.
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
    if array.dtype.kind not in "iuf" or not isinstance(array, np.memmap):
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
