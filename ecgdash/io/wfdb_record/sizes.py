"""Sizes of WFDB signal files, compared with the header before anything is decoded.

Packed formats may end in a filled-up block (WFDB's C library writes it so) or without it;
any other difference between the bytes and the header's numbers is refused: every real
record that was looked at has exactly the bytes it needs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ecgdash.domain import LIMB_LEADS
from ecgdash.errors import CorruptFile, FileTooLarge
from ecgdash.io.build import lead_name
from ecgdash.io.wfdb_record.header import NO_FILE, Header, Signal

__all__ = ["BITS", "FLAC", "MAX_VALUES", "agreed_length", "check_claims", "stream_info"]

MAX_VALUES: Final = 24_000_000
"""Samples of all signals, derived limb leads included (our choice: 12 leads at 500 Hz for
an hour; as 64-bit numbers they stay below a gigabyte while they are converted)."""
BITS: Final = {
    "8": 8, "16": 16, "24": 24, "32": 32, "61": 16, "80": 8, "160": 16, "212": 12, "310": 10,
    "311": 10, "508": 8, "516": 16, "524": 24,
}  # fmt: skip
_PACKED: Final = {"212": (2, 3), "310": (3, 4), "311": (3, 4)}
"""Samples and bytes of one block."""
FLAC: Final = frozenset({"508", "516", "524"})
_MAT_TYPES: Final = {"80": 50, "16": 30, "32": 20}
"""Numeric class of MATLAB 4 files by WFDB format (wfdb2mat writes these)."""
_STREAM_INFO_BYTES: Final = 42


@dataclass(frozen=True)
class StreamInfo:
    """What a FLAC stream states: channels, bits, samples a channel, digest of all samples."""

    channels: int
    bits: int
    n_samples: int
    md5: bytes


def check_claims(signals: Sequence[Signal], n_frames: int, where: str) -> None:
    """Refuse a header that claims more than is read, before anything is allocated.

    Parameters
    ----------
    signals : sequence of Signal
    n_frames : int
        Of the whole record.
    where : str

    Raises
    ------
    FileTooLarge
    """
    n_values = sum(signal.per_frame for signal in signals)
    leads = {lead_name(signal.name): signal.per_frame for signal in signals}
    if leads.keys() >= {"I", "II"}:
        n_values += leads["I"] * len(set(LIMB_LEADS) - leads.keys())
    if n_values * n_frames > MAX_VALUES:
        raise FileTooLarge(
            f"the header claims {len(signals)} signals of {n_frames} samples",
            where=where,
            accepted=f"Accepted: at most {MAX_VALUES} samples in all",
            todo="Correct the header, or cut the recording",
        )


def agreed_length(
    header: Header, groups: list[list[Signal]], folder: Path, notes: list[str]
) -> int:
    """Return the number of frames, once every signal file's size was found to be what it needs.

    Raises
    ------
    CorruptFile
        If a file is missing or holds another number of frames than the header or another file.
    FileTooLarge
        If a FLAC stream claims more than `MAX_VALUES`.
    """
    n_frames = header.n_frames
    for signals in groups:
        if signals[0].file == NO_FILE:
            continue
        file = folder / signals[0].file
        if not file.is_file():
            raise CorruptFile(
                f"the signal file {file.name} is missing",
                where=header.where,
                accepted="Accepted: the header with all its signal files",
                todo="Put both into one folder, or into one ZIP",
            )
        found = _length_of(file, signals, n_frames, header.where)
        if n_frames is None:
            notes.append(f"the header states no length; {file.name} holds {found} samples a signal")
        elif found != n_frames:
            raise CorruptFile(
                f"the signal file {file.name} holds {found} samples a signal, not {n_frames}",
                where=header.where,
                accepted="Accepted: files as long as the header says",
                todo="Copy the signal files again",
            )
        n_frames = found
        _check_mat(file, signals, n_frames, header.where)
    return n_frames or 0


def _length_of(file: Path, signals: list[Signal], n_frames: int | None, where: str) -> int:
    """Return how many whole frames a file holds; `n_frames` wherever its size allows that."""
    frame = sum(one.per_frame for one in signals)
    first = signals[0]
    if first.fmt in FLAC:
        return _flac_length(file, signals, where)
    held = file.stat().st_size - first.offset
    if n_frames is not None:
        needed, whole = _bytes_of(n_frames * frame, first.fmt)
        if first.block_size > 0:
            whole = -(-whole // first.block_size) * first.block_size
        if needed <= held <= whole:
            return n_frames
    samples, size = _PACKED.get(first.fmt, (1, BITS[first.fmt] // 8))
    fitting = held * samples // size // frame if held > 0 else 0
    needed, whole = _bytes_of(fitting * frame, first.fmt)
    if fitting == 0 or fitting == n_frames or not needed <= held <= whole:
        raise CorruptFile(
            f"the signal file {file.name} holds {max(held, 0)} bytes, which are no whole frames"
            + ("" if n_frames is None else f" and not those of {n_frames} samples a signal"),
            where=where,
            accepted="Accepted: complete signal files",
            todo="Copy the signal files again",
        )
    return fitting


def _bytes_of(n_samples: int, fmt: str) -> tuple[int, int]:
    """Return the bytes of so many samples without and with the last block filled up."""
    if fmt not in _PACKED:
        return n_samples * BITS[fmt] // 8, n_samples * BITS[fmt] // 8
    samples, size = _PACKED[fmt]
    whole = -(-n_samples // samples) * size
    left = n_samples % samples
    if fmt == "212":
        return n_samples // samples * size + 2 * left, whole
    if fmt == "310":
        return n_samples // samples * size + (0, 2, 4)[left], whole
    return n_samples // samples * size + (0, 2, 3)[left], whole


def _check_mat(file: Path, signals: list[Signal], n_frames: int, where: str) -> None:
    """Compare the 20-byte header of a MATLAB 4 file with the WFDB header's numbers."""
    if file.suffix.lower() != ".mat" or signals[0].offset == 0:
        return
    with file.open("rb") as stream:
        kind, rows, columns, _, n_name = np.frombuffer(
            stream.read(20).ljust(20, b"\0"), "<i4"
        ).tolist()
    frame = sum(one.per_frame for one in signals)
    wanted = (_MAT_TYPES.get(signals[0].fmt), frame, n_frames, signals[0].offset)
    if (kind, rows, columns, 20 + n_name) != wanted:
        raise CorruptFile(
            f"the signal file {file.name} states {rows} x {columns} values, the header "
            f"{frame} x {n_frames}, or they differ in type or start",
            where=where,
            accepted="Accepted: MATLAB 4 files as wfdb2mat writes them",
            todo="Export the record again",
        )


def _flac_length(file: Path, signals: list[Signal], where: str) -> int:
    """Return the frames that a FLAC stream states; what it states is compared first."""
    info = stream_info(file, where)
    first = signals[0]
    n_samples = info.n_samples - first.offset
    if info.channels != len(signals) or info.bits > BITS[first.fmt]:
        raise CorruptFile(
            f"the FLAC file {file.name} holds {info.channels} signals of {info.bits} bits, not "
            f"{len(signals)} of {BITS[first.fmt]}",
            where=where,
            todo="Copy the signal files again",
        )
    if len({one.per_frame for one in signals}) > 1 or n_samples % first.per_frame:
        raise CorruptFile(
            f"the FLAC file {file.name} holds no whole frames", where=where, todo="Write it again"
        )
    check_claims(signals, n_samples // first.per_frame, where)
    if n_samples <= 0:
        raise CorruptFile(
            f"the FLAC file {file.name} states no samples", where=where, todo="Write it again"
        )
    return n_samples // first.per_frame


def stream_info(file: Path, where: str) -> StreamInfo:
    """Read the block that every FLAC stream begins with (RFC 9639, 8.2).

    Raises
    ------
    CorruptFile
        If there is none.
    """
    with file.open("rb") as stream:
        head = stream.read(_STREAM_INFO_BYTES)
    if len(head) < _STREAM_INFO_BYTES or head[:4] != b"fLaC" or head[4] & 0x7F or head[7] != 34:  # noqa: PLR2004 - the block's length
        raise CorruptFile(f"{file.name} is no FLAC file", where=where, todo="Copy it again")
    packed = int.from_bytes(head[18:26], "big")
    return StreamInfo(
        channels=(packed >> 41 & 0x7) + 1,
        bits=(packed >> 36 & 0x1F) + 1,
        n_samples=packed & (1 << 36) - 1,
        md5=head[26:42],
    )
