"""Options by which a user states what a file leaves open."""

from typing import Annotated

import typer

from ecgdash.io import ReadHints

__all__ = ["Leads", "SamplingHz", "Units", "hints_of"]

SamplingHz = Annotated[
    float | None, typer.Option(help="Samples a second, of files that do not state it.")
]
Units = Annotated[str | None, typer.Option(help="nV, uV, mV or V, of files that state no unit.")]
Leads = Annotated[
    str | None, typer.Option(help="Lead names in the order of the file: I,II,III,aVR,...")
]


def hints_of(sampling_hz: float | None, units: str | None, leads: str | None) -> ReadHints:
    """Return what was stated; a file that states it itself is not asked."""
    names = None if leads is None else tuple(name.strip() for name in leads.split(","))
    return ReadHints(sampling_hz, units, names)
