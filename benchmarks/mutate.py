"""Seeded damage to the bytes of a file, and which bytes of the original it touched."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

__all__ = ["MUTATORS", "Mutant", "mutate"]

_HEAD_BYTES: Final = 4096
"""Half of all damage falls here, where most formats state what follows."""
_NUMBER: Final = re.compile(rb"\d+(?:[.,]\d+)?")
_WORDS: Final = (
    b"0", b"1", b"-1", b"2", b"7", b"12", b"250", b"1000", b"4999", b"65535", b"65536",
    b"2147483647", b"2147483648", b"4294967295", b"10000000000", b"1e308", b"nan", b"inf",
    b"", b" ", b"0x10", b"99999999999999999999999",
)  # fmt: skip
_INTS: Final = (0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1)


@dataclass(frozen=True)
class Mutant:
    """Damaged bytes.

    Attributes
    ----------
    data : bytes
    kind : str
        The row of `MUTATORS`.
    touched : tuple of (int, int)
        Half-open ranges of the original that were changed or removed; an insertion
        touches the byte before and the byte after it.
    """

    data: bytes
    kind: str
    touched: tuple[tuple[int, int], ...]


Mutator = Callable[[bytes, np.random.Generator], tuple[bytes, list[tuple[int, int]]]]


def mutate(data: bytes, rng: np.random.Generator) -> Mutant:
    """Return one mutant of at least one byte."""
    kind = list(MUTATORS)[int(rng.integers(len(MUTATORS)))]
    damaged, touched = MUTATORS[kind](data, rng)
    return Mutant(damaged, kind, tuple(touched))


def _place(data: bytes, rng: np.random.Generator) -> int:
    within = min(len(data), _HEAD_BYTES) if rng.random() < 0.5 else len(data)
    return int(rng.integers(within))


def _replaced(data: bytes, start: int, stop: int, new: bytes) -> bytes:
    return data[:start] + new + data[stop:]


def _flip_bits(data: bytes, rng: np.random.Generator) -> tuple[bytes, list[tuple[int, int]]]:
    damaged, touched = bytearray(data), []
    for _ in range(int(rng.integers(1, 9))):
        at = _place(data, rng)
        damaged[at] ^= 1 << int(rng.integers(8))
        touched.append((at, at + 1))
    return bytes(damaged), touched


def _set_bytes(data: bytes, rng: np.random.Generator) -> tuple[bytes, list[tuple[int, int]]]:
    at = _place(data, rng)
    stop = min(len(data), at + int(rng.integers(1, 17)))
    fill = [rng.bytes(stop - at), bytes(stop - at), b"\xff" * (stop - at)][int(rng.integers(3))]
    return _replaced(data, at, stop, fill), [(at, stop)]


def _truncate(data: bytes, rng: np.random.Generator) -> tuple[bytes, list[tuple[int, int]]]:
    stop = int(rng.integers(len(data))) if rng.random() < 0.7 else len(data) - 1
    return data[:stop], [(stop, len(data))]


def _remove(data: bytes, rng: np.random.Generator) -> tuple[bytes, list[tuple[int, int]]]:
    at = _place(data, rng)
    stop = min(len(data), at + int(2 ** rng.uniform(0, 12)))
    return _replaced(data, at, stop, b""), [(at, stop)]


def _insert(data: bytes, rng: np.random.Generator) -> tuple[bytes, list[tuple[int, int]]]:
    at = _place(data, rng)
    return _replaced(data, at, at, rng.bytes(int(2 ** rng.uniform(0, 8)))), [
        (max(at - 1, 0), at + 1)
    ]


def _repeat(data: bytes, rng: np.random.Generator) -> tuple[bytes, list[tuple[int, int]]]:
    at = _place(data, rng)
    stop = min(len(data), at + int(2 ** rng.uniform(0, 12)))
    return _replaced(data, stop, stop, data[at:stop]), [(at, stop)]


def _append(data: bytes, rng: np.random.Generator) -> tuple[bytes, list[tuple[int, int]]]:
    tail = rng.bytes(64) if rng.random() < 0.5 else data[-int(2 ** rng.uniform(0, 10)) :]
    return data + tail, [(len(data) - 1, len(data))]


def _swap(data: bytes, rng: np.random.Generator) -> tuple[bytes, list[tuple[int, int]]]:
    size = max(1, min(int(2 ** rng.uniform(0, 9)), len(data) // 2))
    first, second = sorted(int(rng.integers(len(data) - size + 1)) for _ in range(2))
    second = max(second, min(first + size, len(data) - size))
    if second < first + size:
        first = second - size
    parts = (data[:first], data[second : second + size], data[first + size : second])
    damaged = b"".join((*parts, data[first : first + size], data[second + size :]))
    return damaged, [(first, first + size), (second, second + size)]


def _renumber(data: bytes, rng: np.random.Generator) -> tuple[bytes, list[tuple[int, int]]]:
    """Write another number where the text holds one."""
    at = _place(data, rng)
    found = _NUMBER.search(data, at) or _NUMBER.search(data)
    if found is None:
        return _set_bytes(data, rng)
    old = found.group()
    whole = old.decode("ascii").replace(",", ".")
    near = (str(float(whole) * 2), str(int(float(whole)) + 1), str(int(float(whole)) // 2))
    choices = (*_WORDS, *(text.encode() for text in near), old[::-1], old[:-1], old + b"0")
    new = choices[int(rng.integers(len(choices)))]
    return _replaced(data, found.start(), found.end(), new), [found.span()]


def _reinteger(data: bytes, rng: np.random.Generator) -> tuple[bytes, list[tuple[int, int]]]:
    """Overwrite a place by a telling integer of 1, 2 or 4 bytes, either byte order."""
    width = int(rng.choice([1, 2, 4]))
    at = min(_place(data, rng), max(len(data) - width, 0))
    value = int(rng.choice(_INTS)) % 256**width
    order = "little" if rng.random() < 0.7 else "big"
    return _replaced(data, at, at + width, value.to_bytes(width, order)), [(at, at + width)]


MUTATORS: Final[dict[str, Mutator]] = {
    "flip bits": _flip_bits,
    "set bytes": _set_bytes,
    "truncate": _truncate,
    "remove": _remove,
    "insert": _insert,
    "repeat": _repeat,
    "append": _append,
    "swap": _swap,
    "another number": _renumber,
    "another integer": _reinteger,
}
