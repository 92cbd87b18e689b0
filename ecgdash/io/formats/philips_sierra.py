"""Philips Sierra / PhilipsECG XML 1.03 to 1.04.02, XLI-compressed or not, by ecgdatakit.

These files hold 11 s of which the last second ends in a calibration pulse
(0, 1 mV, 0 in all leads at once). ecgdatakit returns it as ECG; here the last
second is removed, because the pulse would reach the models and the maximum of
every lead would be 1 mV.
"""

from datetime import tzinfo
from pathlib import Path
from typing import Final

import numpy as np

from ecgdash.domain import EcgRecord
from ecgdash.io.build import Channel, build_record, lead_name
from ecgdash.io.hints import ReadHints
from ecgdash.io.kit import channels_of, facts_of, parse_with_kit, rate_of
from ecgdash.io.xml_safety import parse_xml, root_tag

SUFFIXES: Final = (".xml",)
PULSE_S: Final = 0.36
PULSE_MV: Final = 1.0


def sniff(path: Path) -> bool:
    """Whether the root element is restingecgdata."""
    return root_tag(path) == "restingecgdata"


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read a Philips file; see `ecgdash.io.read_ecg`."""
    parse_xml(path)
    notes: list[str] = []
    decoded = parse_with_kit(path, "sierra_xml", notes)
    facts = facts_of(decoded, zone, notes)
    rate = rate_of(decoded, path.name)
    channels = _without_calibration(channels_of(decoded.leads, path.name), rate, notes)
    return build_record(channels, rate, facts, source_name=path.name, file_format="philips-sierra")


def _without_calibration(channels: list[Channel], rate: float, notes: list[str]) -> list[Channel]:
    """Remove the last second if all leads end in the same 1 mV pulse."""
    named = [channel.millivolts for channel in channels if lead_name(channel.name)]
    lengths = {len(samples) for samples in named}
    if len(named) < 2 or len(lengths) != 1 or lengths.pop() <= 2 * rate:
        return channels
    tail = np.stack(named)[:, -round(PULSE_S * rate) :]
    same_in_all = float(np.ptp(tail, axis=0).max()) < 1e-9
    if not same_in_all or abs(float(tail.max()) - PULSE_MV) > 0.05:
        return channels
    notes.append("the last second, which holds the calibration pulse, was removed")
    end = -round(rate)
    return [Channel(c.name, c.millivolts[:end], c.lsb_uv) for c in channels]
