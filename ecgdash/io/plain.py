"""What CSV and NPY share: samples without any statement of rate or unit."""

from pathlib import Path
from typing import Any

import numpy as np

from ecgdash.domain import EcgRecord
from ecgdash.errors import MissingLeads, UnknownSamplingRate
from ecgdash.io.build import Channel, Facts, build_record, lead_name, require_unit
from ecgdash.io.hints import ReadHints

__all__ = ["plain_record"]


def plain_record(
    path: Path, rows: dict[str, np.ndarray[Any, Any]], known: ReadHints, file_format: str
) -> EcgRecord:
    """Make a record of named rows once rate and unit are stated.

    Raises
    ------
    UnknownSamplingRate, UnknownUnits, MissingLeads
        If a statement is missing.
    """
    if known.sampling_hz is None:
        raise UnknownSamplingRate(
            "the sampling rate is not stated",
            where=path.name,
            accepted="Accepted: sampling_hz in a sidecar or in the call",
            todo=f'Write {path.name}.json, for instance {{"sampling_hz": 500, "units": "mV"}}',
        )
    factor = require_unit(known.units, "all", path.name)
    if len({lead_name(name) for name in rows if lead_name(name)}) == 0:
        raise MissingLeads(
            f"none of {', '.join(rows)} is one of the twelve leads",
            where=path.name,
            todo="State the leads in a sidecar",
        )
    channels = [Channel(name, values * factor) for name, values in rows.items()]
    notes = [f"sampling rate {known.sampling_hz:g} Hz and unit {known.units} as stated by the user"]
    return build_record(
        channels,
        known.sampling_hz,
        Facts(notes=notes),
        source_name=path.name,
        file_format=file_format,
    )
