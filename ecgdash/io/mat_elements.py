"""MATLAB 5 files decoded without belief: numbers, text and structures, nothing else.

scipy's reader reserves what an element claims, inflates without bound, and ends the whole
process (a segmentation fault in 1.17) at some damaged files, which no server may do. The part of
the format that ECGs need is small: here every size is compared with the bytes around it before
it is used, and what is compressed is inflated up to a limit and against its checksum. Tests
compare the values with scipy's on files of both layouts that are read.

The layout: MathWorks, "MAT-File Format", chapter 1 (Level 5 MAT-files).
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.errors import CorruptFile, FileTooLarge

__all__ = ["is_mat5", "variables"]

_HEADER_BYTES: Final = 128
_MATRIX: Final = 14
_COMPRESSED: Final = 15
_UTF8: Final = 16
_DTYPES: Final = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_STRUCT_CLASS: Final = 2
_CHAR_CLASS: Final = 4
_NUMBER_CLASSES: Final = frozenset(range(6, 16))
_COMPLEX: Final = 0x0800
_MAX_INFLATED: Final = 128 * 1024 * 1024
_MAX_DEPTH: Final = 4
_MAX_FIELDS: Final = 256
_MAX_AXES: Final = 32
_MAX_TEXT: Final = 1_000_000
_MAX_ELEMENTS: Final = 1_000


@dataclass(frozen=True)
class _Element:
    """One tagged stretch of bytes."""

    kind: int
    body: memoryview


class _Broken(Exception):
    """Something claims more than there is, or is not what must stand there."""


def is_mat5(path: Path) -> bool:
    """Whether the file is a MATLAB 5 file (versions 5 to 7)."""
    with path.open("rb") as stream:
        head = stream.read(_HEADER_BYTES)
    return head.startswith(b"MATLAB 5.0") and head[126:128] in (b"IM", b"MI")


def variables(path: Path) -> dict[str, Any]:
    """Decode a file's variables.

    Returns
    -------
    dict
        By name: arrays of numbers, text, or dicts of a structure's fields (of a single
        structure; arrays of structures, cells and objects are left out).

    Raises
    ------
    CorruptFile
        If an element claims more than the file holds, or the file ends within one.
    FileTooLarge
        If the file inflates to more than 128 MB.
    """
    raw = path.read_bytes()
    order = "<" if raw[126:128] == b"IM" else ">"
    found: dict[str, Any] = {}
    left = _MAX_INFLATED
    try:
        for count, element in enumerate(_elements(memoryview(raw)[_HEADER_BYTES:], order)):
            if count >= _MAX_ELEMENTS:
                raise _Broken
            one = element
            if element.kind == _COMPRESSED:
                body = _inflated(element.body, left)
                left -= len(body)
                one = _next(_elements(memoryview(body), order))
            if one.kind == _MATRIX and len(one.body):
                name, value = _matrix(one.body, order, 0)
                if value is not None:
                    found[name] = value
    except _TooLarge as error:
        raise FileTooLarge(
            "the MATLAB file inflates to more than 128 MB",
            where=path.name,
            accepted="Accepted: at most 128 MB",
            todo="Save fewer variables",
        ) from error
    except (_Broken, ValueError, struct.error, zlib.error) as error:
        raise CorruptFile(
            "an element of the MATLAB file contradicts itself or is cut off",
            where=path.name,
            todo="Download or export the file again",
        ) from error
    return found


class _TooLarge(Exception):
    """What is compressed inflates beyond the limit."""


def _elements(data: memoryview, order: str) -> Iterator[_Element]:
    """Yield the elements that lie one after the other."""
    at = 0
    while at < len(data):
        if at + 8 > len(data):
            raise _Broken
        kind, size = struct.unpack_from(f"{order}II", data, at)
        if kind >> 16:  # a small element: size and kind share the first word
            size, kind, start, after = kind >> 16, kind & 0xFFFF, at + 4, at + 8
            if size > 4:
                raise _Broken
        else:
            start = at + 8
            after = start + (size if kind == _COMPRESSED else -(-size // 8) * 8)
        if start + size > len(data):
            raise _Broken
        yield _Element(kind, data[start : start + size])
        at = after


def _next(parts: Iterator[_Element]) -> _Element:
    found = next(parts, None)
    if found is None:
        raise _Broken
    return found


def _inflated(data: memoryview, limit: int) -> bytes:
    stream = zlib.decompressobj()
    body = stream.decompress(data, limit + 1)
    if len(body) > limit:
        raise _TooLarge
    if not stream.eof:  # the checksum stands at the end
        raise _Broken
    return body


def _matrix(body: memoryview, order: str, depth: int) -> tuple[str, Any]:
    """Return a matrix's name and value; None for a class that is not read."""
    parts = _elements(body, order)
    flags, sizes, name = _next(parts), _numbers(_next(parts), order), _next(parts)
    if depth > _MAX_DEPTH or len(flags.body) != 8 or sizes.dtype.kind != "i":
        raise _Broken
    if not 2 <= len(sizes) <= _MAX_AXES:
        raise _Broken
    word = struct.unpack_from(f"{order}I", flags.body)[0]
    kind, shape = word & 0xFF, tuple(int(size) for size in sizes)
    if min(shape) < 0 or word & _COMPLEX:
        raise _Broken
    text = bytes(name.body).decode("latin-1")
    count = int(np.prod(shape, dtype=object))
    if kind in _NUMBER_CLASSES:
        return text, _shaped(_numbers(_next(parts), order), shape, count)
    if kind == _CHAR_CLASS:
        return text, _characters(_next(parts), order, count) if count else ""
    if kind == _STRUCT_CLASS and count == 1:
        return text, _fields(parts, order, depth)
    return text, None


def _numbers(element: _Element, order: str) -> np.ndarray[Any, Any]:
    dtype = _DTYPES.get(element.kind)
    if dtype is None or len(element.body) % int(dtype[1]):
        raise _Broken
    return np.frombuffer(element.body, dtype=order + dtype)


def _shaped(flat: np.ndarray[Any, Any], shape: tuple[int, ...], count: int) -> np.ndarray[Any, Any]:
    if flat.size != count:
        raise _Broken
    return flat.reshape(shape, order="F")


def _characters(element: _Element, order: str, count: int) -> str:
    if len(element.body) > _MAX_TEXT:
        raise _Broken
    if element.kind == _UTF8:
        return bytes(element.body).decode("utf-8")
    codes = _numbers(element, order)
    if codes.dtype.kind != "u" and codes.dtype.itemsize != 1 or codes.size != count:
        raise _Broken
    return "".join(map(chr, codes.tolist())) if codes.dtype.kind == "u" else ""


def _fields(parts: Iterator[_Element], order: str, depth: int) -> dict[str, Any]:
    widths, names = _numbers(_next(parts), order), _next(parts)
    if widths.size != 1 or widths[0] <= 0 or len(names.body) % int(widths[0]):
        raise _Broken
    width = int(widths[0])
    if len(names.body) // width > _MAX_FIELDS:
        raise _Broken
    keys = [
        bytes(names.body[i : i + width]).partition(b"\0")[0].decode("latin-1")
        for i in range(0, len(names.body), width)
    ]
    values = list(islice(parts, _MAX_FIELDS + 1))
    if len(values) != len(keys):
        raise _Broken
    fields: dict[str, Any] = {}
    for key, value in zip(keys, values, strict=True):
        if value.kind != _MATRIX:
            raise _Broken
        fields[key] = _matrix(value.body, order, depth + 1)[1] if len(value.body) else None
    return fields
