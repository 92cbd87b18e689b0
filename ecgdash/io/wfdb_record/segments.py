"""From WFDB headers to leads in millivolts: one segment, or several joined with gaps."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from ecgdash.errors import CorruptFile, MissingLeads, UnknownSamplingRate, UnknownUnits
from ecgdash.io.build import Channel, lead_name, require_unit
from ecgdash.io.wfdb_record.header import NO_FILE, Header, Segment, Signal, parse_header
from ecgdash.io.wfdb_record.signals import read_counts
from ecgdash.io.wfdb_record.sizes import check_claims

__all__ = ["read_channels"]

_DEFAULT_UNIT: Final = "mV"


def read_channels(header: Header, folder: Path, notes: list[str]) -> tuple[list[Channel], float]:
    """Return the signals of a record, of which only the leads have samples, and their rate in Hz.

    Raises
    ------
    CorruptFile
        If files or segments contradict the header.
    UnknownUnits
        If a lead has no gain, or a unit that is no amplitude.
    UnknownSamplingRate
        If leads differ in samples per frame, or segments in rate.
    """
    if header.segments:
        return _joined(header, folder, notes)
    channels = _single(header, folder, notes)
    return channels, header.frames_hz * _samples_per_frame(header, notes)


def _single(header: Header, folder: Path, notes: list[str]) -> list[Channel]:
    """Return the channels of a record of one segment."""
    _check_gains(header)
    counts = read_counts(header, folder, notes)
    if any(signal.unit is None for signal in header.signals):
        notes.append("the header states no unit; the WFDB format defines millivolts then")
    if any(signal.skew and _is_lead(signal) for signal in header.signals):
        notes.append("leads lag by a stated skew; it was taken back, and their ends are absent")
    channels = []
    absent = 0
    for signal, values in zip(header.signals, counts, strict=True):
        if values is None:
            notes.append(f"a signal without file was dropped: {signal.name}")
            continue
        if signal.gain is None or not _is_lead(signal):
            channels.append(Channel(signal.name, np.empty(0)))
            continue
        factor = require_unit(signal.unit or _DEFAULT_UNIT, signal.name, header.where)
        step_mv = factor / signal.gain
        if not np.isfinite(step_mv) or step_mv == 0:
            raise CorruptFile(
                f"lead {signal.name}: the gain {signal.gain:g} is none of a converter",
                where=header.where,
                todo="Correct the header",
            )
        absent += int(np.count_nonzero(np.isnan(values)))
        if signal.baseline:
            values -= signal.baseline  # in place: a long recording fills hundreds of megabytes
        values /= signal.gain
        if factor != 1.0:
            values *= factor
        channels.append(Channel(signal.name, values, abs(step_mv) * 1000.0))
    if absent:
        notes.append(f"{absent} samples are marked as absent in the file")
    return channels


def _is_lead(signal: Signal) -> bool:
    return lead_name(signal.name) is not None and signal.file != NO_FILE


def _samples_per_frame(header: Header, notes: list[str]) -> int:
    found = {signal.per_frame for signal in header.signals if _is_lead(signal)}
    if len(found) > 1:
        raise UnknownSamplingRate(
            "leads differ in sampling rate",
            where=header.where,
            accepted="Accepted: leads of one rate",
            todo="Convert the record with WFDB's xform",
        )
    (per_frame,) = found or {1}
    if per_frame > 1:
        notes.append(
            f"the leads hold {per_frame} samples a frame: their rate is {per_frame} times "
            f"{header.frames_hz:g} Hz"
        )
    return per_frame


def _check_gains(header: Header) -> None:
    for signal in header.signals:
        if _is_lead(signal) and signal.gain is None:
            raise UnknownUnits(
                f"lead {signal.name}: the record is uncalibrated (no gain)",
                where=header.where,
                accepted="Accepted: a gain in units per millivolt",
                todo="State the gain in the header",
            )


def _joined(header: Header, folder: Path, notes: list[str]) -> tuple[list[Channel], float]:
    """Join the segments; what no segment holds stays absent."""
    n_frames = sum(segment.n_frames for segment in header.segments)
    if header.n_frames not in (None, n_frames):
        raise CorruptFile(
            f"the segments hold {n_frames} samples a signal, the record states {header.n_frames}",
            where=header.where,
            todo="Correct the header",
        )
    parts = _parts(header, folder)
    with_leads = [part for part in parts.values() if any(map(_is_lead, part.signals))]
    per_frame = _samples_per_frame(with_leads[0], notes) if with_leads else 1
    everything = {signal.name: signal for part in parts.values() for signal in part.signals}
    check_claims(list(everything.values()), n_frames, header.where)
    whole: dict[str, Channel] = {}
    for name, part in parts.items():
        channels = _single(part, folder, notes)
        _check_rate(part, per_frame)
        for first_frame, length in _places(header, name):
            place = slice(first_frame * per_frame, (first_frame + length) * per_frame)
            _put(whole, channels, place, n_frames * per_frame)
    _note_gaps(header, whole, notes)
    return list(whole.values()), header.frames_hz * per_frame


def _check_rate(part: Header, per_frame: int) -> None:
    if any(map(_is_lead, part.signals)) and _samples_per_frame(part, []) != per_frame:
        raise UnknownSamplingRate(
            "segments differ in samples a frame",
            where=part.where,
            accepted="Accepted: segments of one rate",
            todo="Convert the record with WFDB's xform",
        )


def _places(header: Header, name: str) -> Iterator[tuple[int, int]]:
    """Yield first frame and length wherever the record holds the segment."""
    at = 0
    for segment in header.segments:
        if segment.name == name and segment.n_frames:
            yield at, segment.n_frames
        at += segment.n_frames


def _put(whole: dict[str, Channel], channels: list[Channel], place: slice, n_samples: int) -> None:
    """Write a segment's leads into the whole recording; others are kept by name alone."""
    for channel in channels:
        lead = lead_name(channel.name)
        if lead is None:
            whole.setdefault(channel.name, channel)
            continue
        known = whole.get(lead)
        if known is None:
            known = Channel(lead, np.full(n_samples, np.nan), channel.lsb_uv)
        elif known.lsb_uv != channel.lsb_uv:
            # segments of another gain: no common step
            known = Channel(lead, known.millivolts, None)
        known.millivolts[place] = channel.millivolts
        whole[lead] = known


def _note_gaps(header: Header, whole: dict[str, Channel], notes: list[str]) -> None:
    n_joined = sum(one.name != NO_FILE and one.n_frames > 0 for one in header.segments)
    gap = sum(one.n_frames for one in header.segments if one.name == NO_FILE)
    notes.append(f"joined from {n_joined} segments")
    if gap:
        notes.append(f"gaps between the segments: {gap / header.frames_hz:g} s without samples")
    missing = [
        name
        for name, one in whole.items()
        if len(one.millivolts) and np.isnan(one.millivolts).any()
    ]
    if missing:
        notes.append(f"absent in some part: {', '.join(missing)}")


def _parts(header: Header, folder: Path) -> dict[str, Header]:
    """Return the headers of the segments by name, each checked against the record's."""
    layout = None
    segments = list(header.segments)
    if segments[0].n_frames == 0:
        layout = _part(segments.pop(0), header, folder)
    parts: dict[str, Header] = {}
    for segment in segments:
        if segment.name == NO_FILE:
            continue
        part = parts.get(segment.name) or _part(segment, header, folder)
        if part.n_frames not in (None, segment.n_frames):
            raise CorruptFile(
                f"the segment holds {part.n_frames} samples a signal, the record says "
                f"{segment.n_frames}",
                where=part.where,
                todo="Correct one of the headers",
            )
        parts[segment.name] = replace(part, n_frames=segment.n_frames)
    expected = layout or next(iter(parts.values()), None)
    for part in parts.values():
        _check_signals(part, expected or part, header, varies=layout is not None)
    return parts


def _check_signals(part: Header, expected: Header, header: Header, *, varies: bool) -> None:
    """Compare a segment's signals with the layout's, or without one with the first segment's."""
    names = [signal.name for signal in part.signals]
    known = [signal.name for signal in expected.signals]
    if len(known) != header.n_signals:
        raise CorruptFile(
            f"the record states {header.n_signals} signals, its first segment {len(known)}",
            where=header.where,
            todo="Correct one of the headers",
        )
    if not set(names) <= set(known) if varies else names != known:
        raise CorruptFile(
            "the segment holds other signals than the record",
            where=part.where,
            accepted="Accepted: the signals of the layout, or of the first segment",
            todo="Correct one of the headers",
        )
    leads = [lead_name(signal.name) for signal in part.signals if _is_lead(signal)]
    if len(set(leads)) < len(leads):
        raise MissingLeads(
            "a lead occurs twice",
            where=part.where,
            accepted="Accepted: each lead once",
            todo="Export the ECG again with one signal per lead",
        )


def _part(segment: Segment, header: Header, folder: Path) -> Header:
    file = folder / f"{segment.name}.hea"
    if not file.is_file():
        raise CorruptFile(
            f"the header of the segment {segment.name} is missing",
            where=header.where,
            accepted="Accepted: the header with all its segments",
            todo="Put all into one folder, or into one ZIP",
        )
    part = parse_header(file)
    if part.segments:
        raise CorruptFile(
            "a segment is itself a record of several segments", where=part.where, todo="Join it"
        )
    if part.frames_hz != header.frames_hz:
        raise UnknownSamplingRate(
            f"the segment has {part.frames_hz:g} Hz, the record {header.frames_hz:g} Hz",
            where=part.where,
            accepted="Accepted: segments of the record's rate",
            todo="Correct one of the headers",
        )
    return part
