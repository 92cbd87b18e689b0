"""One group of a DICOM waveform sequence: its size, its channels, its samples in millivolts.

After PS3.3 C.10.9: value = sample x sensitivity x correction factor + baseline, in the unit
of the channel. pydicom's array does not turn big-endian words, reads what is left of data
that are too long, and keeps padding as samples; so the samples are decoded here.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.errors import CorruptFile, FileTooLarge, UnknownUnits, UnsupportedFormat
from ecgdash.io.build import Channel, lead_name, millivolts_per, require_unit
from ecgdash.io.dicom_file import DicomFile

__all__ = ["Group", "channels_of", "filters_of", "group_of"]

_SCP_LEAD: Final = {
    "1": "I", "2": "II", "61": "III", "62": "aVR", "63": "aVL", "64": "aVF",
    "3": "V1", "4": "V2", "5": "V3", "6": "V4", "7": "V5", "8": "V6",
}  # fmt: skip
"""Lead numbers of SCP-ECG, which the codes "5.6.3-9-1" (SCPECG) and "2:1" (MDC) share
(PS3.16, CID 3001)."""
_LEAD_CODE: Final = re.compile(r"^(?:5\.6\.3-9-|2:)(\d+)$")
_NUMPY_KIND: Final = {
    (8, "SB"): "i1", (8, "UB"): "u1", (16, "SS"): "i2", (16, "US"): "u2",
    (32, "SL"): "i4", (32, "UL"): "u4",
}  # fmt: skip
_MOST_SAMPLES: Final = 10_000_000


@dataclass(frozen=True)
class Group:
    """A multiplex group whose statements about its size fit each other.

    Attributes
    ----------
    index : int
        Place in the waveform sequence.
    item : pydicom Dataset
    definitions : list of pydicom Dataset
        One for each channel.
    units : list of pydicom Dataset or None
        The unit of each channel.
    dtype : numpy dtype
        Of a stored sample.
    rate_hz : float
    n_samples : int
        Of each channel.
    names : tuple of str
        Of the channels, in order; canonical where a channel is one of the twelve leads.
    """

    index: int
    item: Any
    definitions: list[Any]
    units: list[Any]
    dtype: np.dtype[Any]
    rate_hz: float
    n_samples: int
    names: tuple[str, ...]

    @property
    def leads(self) -> frozenset[str]:
        """The channels that are one of the twelve leads."""
        return frozenset(name for name in map(lead_name, self.names) if name)

    @property
    def offset_ms(self) -> float:
        """Start of the group after the start of the recording."""
        return float(self.item.get("MultiplexGroupTimeOffset") or 0.0)


def _damaged(what: str, where: str) -> CorruptFile:
    return CorruptFile(what, where=where, todo="Export the ECG again")


def group_of(file: DicomFile, index: int, item: Any, where: str) -> Group:
    """Compare what a group states about its size.

    Raises
    ------
    CorruptFile
        If samples x channels x bits is not the length of its data, or the number of
        channels is not that of their definitions.
    UnsupportedFormat
        If its samples are not plain integers.
    """
    n_channels, n_samples = int(item.NumberOfWaveformChannels), int(item.NumberOfWaveformSamples)
    bits, kind = int(item.WaveformBitsAllocated), str(item.WaveformSampleInterpretation)
    if (bits, kind) not in _NUMPY_KIND:
        raise UnsupportedFormat(
            f"waveform group {index + 1} holds {bits}-bit samples of the kind {kind}",
            where=where,
            accepted="Accepted: SB, UB, SS, US, SL, UL with 8, 16 or 32 bits",
            todo="Export the ECG with 16-bit samples",
        )
    definitions = file.items(item, "ChannelDefinitionSequence")
    if len(definitions) != n_channels:
        raise _damaged(
            f"waveform group {index + 1} states {n_channels} channels and defines "
            f"{len(definitions)}",
            where,
        )
    expected, held = n_samples * n_channels * bits // 8, len(item.WaveformData)
    # a value of odd length is padded to an even one
    if n_samples < 1 or held != expected + expected % 2:
        raise _damaged(
            f"waveform group {index + 1} states {n_samples} samples of {n_channels} channels with "
            f"{bits} bits, which take {expected} bytes; it holds {held}",
            where,
        )
    units = [file.items(d, "ChannelSensitivityUnitsSequence") for d in definitions]
    sources = [file.items(d, "ChannelSourceSequence") for d in definitions]
    return Group(
        index,
        item,
        definitions,
        units=[found[0] if found else {} for found in units],
        dtype=np.dtype(("<" if file.little_endian else ">") + _NUMPY_KIND[bits, kind]),
        rate_hz=float(item.SamplingFrequency),
        n_samples=n_samples,
        names=tuple(
            _channel_name(source[0] if source else {}, str(d.get("ChannelLabel") or ""), where)
            for source, d in zip(sources, definitions, strict=True)
        ),
    )


def _channel_name(source: Any, label: str, where: str) -> str:
    """Return the lead that the code, the meaning or the label of a channel names.

    Raises
    ------
    CorruptFile
        If two of them name different leads.
    """
    code = str(source.get("CodeValue") or "")
    match = _LEAD_CODE.match(code)
    texts = (
        _SCP_LEAD.get(match.group(1), "") if match else code,
        str(source.get("CodeMeaning") or ""),
        label,
    )
    named = [lead for lead in map(lead_name, texts) if lead is not None]
    if len(set(named)) > 1:
        raise _damaged(f"a channel is called {' and '.join(dict.fromkeys(named))}", where)
    return named[0] if named else texts[1] or texts[2]


def channels_of(group: Group, where: str, notes: list[str]) -> list[Channel]:
    """Return the leads of a group in millivolts; other channels carry only their names.

    Raises
    ------
    UnknownUnits
        If a lead states no unit of amplitude, or two.
    CorruptFile, FileTooLarge
        If a lead states no usable sensitivity; if the group is too large.
    """
    item = group.item
    n_channels = len(group.names)
    if group.n_samples * n_channels > _MOST_SAMPLES:
        raise FileTooLarge(
            f"the waveform group holds {group.n_samples * n_channels} samples",
            where=where,
            accepted=f"Accepted: at most {_MOST_SAMPLES}",
            todo="Cut the recording",
        )
    n_values = group.n_samples * n_channels
    counts = np.frombuffer(item.WaveformData, dtype=group.dtype, count=n_values)
    table = counts.reshape(group.n_samples, n_channels)
    padding = _padding(item, group.dtype)
    channels = []
    for column, definition in enumerate(group.definitions):
        name = group.names[column]
        if lead_name(name) is None:
            channels.append(Channel(name, np.empty(0)))
            continue
        values = table[:, column].astype(np.float64)
        absent = np.isin(values, padding)
        if absent.any():
            values[absent] = np.nan
            shown = " or ".join(str(value) for value in padding)
            notes.append(f"samples equal to {shown} are padding and were marked as absent")
        channels.append(_scaled(name, values, definition, group.units[column], where))
        if float(definition.get("ChannelSampleSkew") or definition.get("ChannelTimeSkew") or 0):
            notes.append(f"lead {name} states a skew against the others, which was not undone")
    return channels


def _padding(item: Any, dtype: np.dtype[Any]) -> list[int]:
    """Return the values that mark padding.

    The smallest signed integer does in real files that state 0, which is a valid sample
    too; so a stated 0 is not believed.
    """
    found = [int(np.iinfo(dtype).min)] if dtype.kind == "i" else []
    stated = item.get("WaveformPaddingValue")
    if isinstance(stated, bytes) and len(stated) >= dtype.itemsize:
        stated = int(np.frombuffer(stated[: dtype.itemsize], dtype=dtype)[0])
    if isinstance(stated, int) and stated != 0 and stated not in found:
        found.append(stated)
    return found


def _scaled(
    name: str, values: NDArray[np.float64], definition: Any, unit: Any, where: str
) -> Channel:
    factor = _millivolts(name, unit, where)
    step = _number(definition, "ChannelSensitivity", None, name, where)
    step *= _number(definition, "ChannelSensitivityCorrectionFactor", 1.0, name, where)
    if step == 0.0:
        raise _damaged(f"lead {name} states a sensitivity of 0", where)
    baseline = _number(definition, "ChannelBaseline", 0.0, name, where)
    exact = baseline / step == round(baseline / step)
    millivolts = (values * step + baseline) * factor
    return Channel(name, millivolts, abs(step) * factor * 1000.0 if exact else None)


def _number(definition: Any, keyword: str, default: float | None, name: str, where: str) -> float:
    raw = definition.get(keyword)
    value = default if raw in (None, "") else float(raw)
    if value is None or not np.isfinite(value):
        raise _damaged(f"lead {name} states no usable {keyword}", where)
    return value


def _millivolts(name: str, unit: Any, where: str) -> float:
    code = str(unit.get("CodeValue") or "")
    factor = require_unit(code or None, name, where)
    meaning = str(unit.get("CodeMeaning") or "")
    if millivolts_per(meaning) not in (None, factor):
        raise UnknownUnits(
            f"lead {name} states the units {code} and {meaning}",
            where=where,
            todo="Export the ECG again",
        )
    return factor


def filters_of(group: Group) -> str:
    """Return the filters that all leads of the group state alike."""
    stated = set()
    for name, definition in zip(group.names, group.definitions, strict=True):
        if lead_name(name) is None:
            continue
        parts = (
            ("high-pass", definition.get("FilterLowFrequency")),
            ("low-pass", definition.get("FilterHighFrequency")),
            ("notch", definition.get("NotchFilterFrequency")),
        )
        stated.add(", ".join(f"{what} {float(hertz):g} Hz" for what, hertz in parts if hertz))
    return stated.pop() if len(stated) == 1 else ""
