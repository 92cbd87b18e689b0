"""One generated file of every format and variant: what `benchmarks.fuzz_readers` damages."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ecgdash.io.writers import write_muse_xml, write_wfdb
from tests.io import io_fixtures as made

SHORT_S: Final = 2


@dataclass(frozen=True)
class Seed:
    """A file of one format, and where it states length and rate.

    Attributes
    ----------
    reader : str
        The row of `READERS` that reads it.
    write : callable
        Writes into an empty folder what belongs to one ECG; returns the file to read.
    stated_by : tuple of bytes
        Regular expressions over the file's bytes. Only what they match may change length or
        rate of an accepted mutant: a field that states one and that nothing else in the
        file could contradict.
    member : str or None
        Which ECG, of a file that holds many.
    """

    reader: str
    write: Callable[[Path], Path]
    stated_by: tuple[bytes, ...] = ()
    member: str | None = None


def _wfdb(folder: Path) -> Path:
    record = made.make_record()
    short = replace(record, signal_mv=record.signal_mv[:, : SHORT_S * made.RATE_HZ])
    return write_wfdb(short, folder, "record")


def _muse(folder: Path) -> Path:
    record = made.make_record()
    short = replace(record, signal_mv=record.signal_mv[:, : SHORT_S * made.RATE_HZ])
    return write_muse_xml(short, folder / "record.xml")


SEEDS: Final[dict[str, Seed]] = {
    "wfdb": Seed("wfdb", _wfdb, (rb"^\S+ \d+ ([\d.]+)",)),
    "muse-xml": Seed("muse-xml", _muse, (rb"<SampleBase>([^<]*)<", rb"<SampleExponent>([^<]*)<")),
    "dicom": Seed("dicom", lambda folder: made.write_dicom(folder / "record.dcm")),
    "philips-sierra": Seed("philips-sierra", lambda folder: made.write_sierra(folder / "r.xml")),
    "hl7-aecg": Seed("hl7-aecg", lambda folder: made.write_aecg(folder / "record.xml")),
    "scp-ecg": Seed("scp-ecg", lambda folder: made.write_scp(folder / "record.scp")),
    "ishne": Seed("ishne", lambda folder: made.write_ishne(folder / "record.ecg")),
    "edf": Seed("edf", lambda folder: made.write_edf(folder / "record.edf")),
}
"""Beside each: what states its rate. A pattern's first group, if it has one, is the field."""
