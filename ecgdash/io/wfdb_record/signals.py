"""Samples of WFDB records: sizes checked before anything is decoded, sums after.

The decoders are wfdb's own, fed with the header as `header` understood it; what
the package gets wrong is done here: skew (it moves frames where samples are meant, and
fails on FLAC), files whose signals are not listed side by side (it takes the neighbour's),
and averages over frames (all samples are kept).
"""

import hashlib
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.errors import CorruptFile, UnsupportedFormat
from ecgdash.io.wfdb_record.header import NO_FILE, Header, Signal
from ecgdash.io.wfdb_record.sizes import (
    BITS,
    FLAC,
    agreed_length,
    check_claims,
    stream_info,
)

__all__ = ["read_counts"]

_WORD: Final = 65_536
_DIFFERENCES: Final = "8"
"""Holds differences: the initial value is where they start, not the first sample."""


def read_counts(header: Header, folder: Path, notes: list[str]) -> list[NDArray[np.float64] | None]:
    """Decode a record of one segment.

    Returns
    -------
    list of ndarray or None
        For each signal its samples in units of the converter, NaN where absent, of length
        frames x samples per frame; None for a signal without file.

    Raises
    ------
    CorruptFile
        If a file is missing, its size is another than the header's numbers ask for, or the
        samples do not have the stated first value or checksum.
    UnsupportedFormat
        If the storage format is none of WFDB's.
    FileTooLarge
        If more is claimed than `MAX_VALUES`.
    """
    check_claims(header.signals, header.n_frames or 0, header.where)
    groups = _groups(header)
    n_frames = agreed_length(header, groups, folder, notes)
    check_claims(header.signals, n_frames, header.where)
    raw: list[NDArray[Any] | None] = []
    for signals in groups:
        if signals[0].file == NO_FILE:
            raw += [None] * len(signals)
        else:
            raw += _decoded(signals, n_frames, folder, header.where)
    _check_sums(header, raw, notes)
    return [
        None if one is None else _values(one, signal)
        for one, signal in zip(raw, header.signals, strict=True)
    ]


def _groups(header: Header) -> list[list[Signal]]:
    """Return the signals by file."""
    groups = [list(signals) for _, signals in groupby(header.signals, key=lambda one: one.file)]
    names = [signals[0].file for signals in groups if signals[0].file != NO_FILE]
    if not names:
        raise CorruptFile(
            "none of the signals has a file", where=header.where, todo="Give the header of a record"
        )
    if len(set(names)) < len(names):
        raise CorruptFile(
            "signals of one file are not listed side by side",
            where=header.where,
            accepted="Accepted: all signals of a file in lines that follow each other",
            todo="Correct the header",
        )
    for signals in groups:
        if len({(one.fmt, one.offset, one.block_size) for one in signals}) > 1:
            raise CorruptFile(
                f"signals of the file {signals[0].file} differ in format or byte offset",
                where=header.where,
                todo="Correct the header",
            )
        if signals[0].fmt not in BITS and signals[0].file != NO_FILE:
            raise UnsupportedFormat(
                f"there is no WFDB signal format {signals[0].fmt}",
                where=header.where,
                accepted=f"Accepted: {', '.join(BITS)}",
                todo="Convert the record with WFDB's xform",
            )
    return groups


def _decoded(signals: list[Signal], n_frames: int, folder: Path, where: str) -> list[NDArray[Any]]:
    """Let wfdb decode one file; its size is known to be right."""
    # wfdb's public reader would understand the header anew, and differently
    from wfdb.io._signal import _rd_segment

    n = len(signals)
    file = folder.resolve() / signals[0].file
    if "::" in str(file):
        # wfdb opens files by fsspec, for which this chains remote addresses
        raise CorruptFile(
            "the folder's path holds '::', which wfdb takes for an address",
            where=where,
            accepted="Accepted: folders without '::'",
            todo="Move the record",
        )
    try:
        arrays = _rd_segment(
            file_name=[file.name] * n,
            dir_name=str(file.parent),
            pn_dir=None,
            fmt=[one.fmt for one in signals],
            n_sig=n,
            sig_len=n_frames,
            byte_offset=[one.offset for one in signals],
            samps_per_frame=[one.per_frame for one in signals],
            skew=[0] * n,
            init_value=[one.initial for one in signals],
            sampfrom=0,
            sampto=n_frames,
            channels=list(range(n)),
            ignore_skew=True,
        )
    except (ValueError, IndexError, OSError, KeyError, TypeError, RuntimeError) as error:
        raise CorruptFile(
            f"the WFDB record cannot be decoded ({type(error).__name__})",
            where=where,
            todo="Check that its signal files are complete",
        ) from error
    if signals[0].fmt in FLAC:
        _check_md5(file, signals, arrays, where)
    # wfdb returns every n-th value of one array; each signal is gone through several times.
    return [np.ascontiguousarray(one) for one in arrays]


def _check_md5(file: Path, signals: list[Signal], arrays: list[NDArray[Any]], where: str) -> None:
    """Compare the digest that a FLAC stream states with its samples; zeros mean none."""
    info = stream_info(file, where)
    if signals[0].offset or not any(info.md5):
        return
    width = -(-info.bits // 8)
    samples = np.ascontiguousarray(np.stack(arrays, axis=1), dtype="<i4")
    as_bytes = samples.view(np.uint8).reshape(-1, 4)[:, :width]
    if hashlib.md5(as_bytes.tobytes(), usedforsecurity=False).digest() != info.md5:
        raise CorruptFile(
            f"the samples of {file.name} do not have the digest that it states",
            where=where,
            todo="Copy the signal files again",
        )


def _check_sums(header: Header, raw: list[NDArray[Any] | None], notes: list[str]) -> None:
    """Compare first values and 16-bit sums; a field that is 0 in every line states nothing."""
    pairs = [(s, one) for s, one in zip(header.signals, raw, strict=True) if one is not None]
    if any(signal.initial for signal, _ in pairs):
        for signal, one in pairs:
            if signal.initial is None or signal.fmt == _DIFFERENCES:
                continue
            if signal.initial != int(one[0]):
                raise _contradicted(
                    signal, f"begins with {int(one[0])}, not {signal.initial}", header
                )
    if not any(signal.checksum for signal, _ in pairs):
        notes.append("the header states no checksums; the samples could not be compared with them")
        return
    for signal, one in pairs:
        found = int(one.sum(dtype=np.int64)) % _WORD
        if signal.checksum is not None and signal.checksum % _WORD != found:
            raise _contradicted(
                signal, f"has the checksum {found}, not {signal.checksum % _WORD}", header
            )


def _contradicted(signal: Signal, what: str, header: Header) -> CorruptFile:
    return CorruptFile(
        f"a signal of {signal.file} {what}",
        where=header.where,
        accepted="Accepted: samples as the header sums them up",
        todo="Copy the header and the signal files again",
    )


def _values(raw: NDArray[Any], signal: Signal) -> NDArray[np.float64]:
    """Return the samples with absent ones as NaN, and the signal's lag taken back."""
    values = raw.astype(np.float64)
    if signal.fmt != _DIFFERENCES:
        # the smallest value of a format marks an absent sample
        absent = raw == -(2 ** (BITS[signal.fmt] - 1))
        if absent.any():
            values[absent] = np.nan
    lag = min(signal.skew * signal.per_frame, len(values))
    return np.concatenate([values[lag:], np.full(lag, np.nan)]) if lag else values
