"""One generated file of every format and variant: what `benchmarks.fuzz_readers` damages."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ecgdash.io.writers import write_muse_xml, write_wfdb
from tests.io import fixtures_binary as binary
from tests.io import fixtures_tables, fixtures_wfdb, fixtures_xml
from tests.io import io_fixtures as made

SHORT_S: Final = 2
_WFDB_RATE: Final = (rb"^\S+ \d+ ([\d.]+)",)


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


_ROW_END: Final = rb"\n"
"""A table without a second statement is as long as it has rows."""
_SIDECAR_RATE: Final = rb'"sampling_hz": ([\d.]+)'

SEEDS: Final[dict[str, Seed]] = {
    "wfdb": Seed("wfdb", _wfdb, _WFDB_RATE),
    "wfdb/cinc": Seed("wfdb", fixtures_wfdb.write_cinc, _WFDB_RATE),
    "wfdb/flac": Seed(
        "wfdb", lambda folder: fixtures_wfdb.write_record(folder, fmt="516"), _WFDB_RATE
    ),
    "wfdb/212": Seed(
        "wfdb", lambda folder: fixtures_wfdb.write_record(folder, fmt="212"), _WFDB_RATE
    ),
    "wfdb/no length": Seed("wfdb", fixtures_wfdb.write_without_length, _WFDB_RATE),
    "wfdb/segments": Seed("wfdb", fixtures_wfdb.write_segments),
    "wfdb/layout": Seed("wfdb", fixtures_wfdb.write_layout),
    "muse-xml": Seed("muse-xml", _muse, (rb"<SampleBase>([^<]*)<", rb"<SampleExponent>([^<]*)<")),
    "muse-xml/250 Hz": Seed(
        "muse-xml",
        lambda folder: fixtures_xml.write_muse(folder / "record.xml", rate=(25, 1)),
        (rb"<SampleBase>([^<]*)<", rb"<SampleExponent>([^<]*)<"),
    ),
    "cardiosoft-xml": Seed(
        "cardiosoft-xml",
        lambda folder: fixtures_xml.write_cardiosoft(folder / "record.xml"),
        (rb"<StripData>[\s\S]*?<SampleRate[^>]*>([^<]*)<",),
    ),
    "dicom": Seed(
        "dicom",
        lambda folder: made.write_dicom(folder / "record.dcm"),
        binary.SAMPLING_FREQUENCY,
    ),
    "dicom/implicit 32 bit": Seed(
        "dicom",
        lambda folder: binary.write_dicom_32_bit(folder / "record.dcm"),
        binary.SAMPLING_FREQUENCY,
    ),
    "dicom/big endian": Seed(
        "dicom",
        lambda folder: binary.write_dicom_big_endian(folder / "record.dcm"),
        binary.SAMPLING_FREQUENCY,
    ),
    "dicom/haemodynamic": Seed(
        "dicom",
        lambda folder: binary.write_haemodynamic(folder / "record.dcm"),
        binary.SAMPLING_FREQUENCY,
    ),
    "philips-sierra": Seed("philips-sierra", lambda folder: made.write_sierra(folder / "r.xml")),
    "hl7-aecg": Seed("hl7-aecg", lambda folder: made.write_aecg(folder / "record.xml")),
    "scp-ecg": Seed("scp-ecg", lambda folder: binary.write_scp(folder / "record.scp")),
    "scp-ecg/huffman": Seed(
        "scp-ecg", lambda folder: binary.write_scp(folder / "r.scp", order=2, huffman=True)
    ),
    "scp-ecg/reference beat": Seed(
        "scp-ecg",
        lambda folder: binary.write_scp(folder / "r.scp", order=1, huffman=True, beat=True),
    ),
    "ishne": Seed("ishne", lambda folder: binary.write_ishne(folder / "record.ecg")),
    "csv": Seed("csv", fixtures_tables.write_csv, (_ROW_END, _SIDECAR_RATE)),
    "csv/timed": Seed("csv", fixtures_tables.write_timed_csv, (_ROW_END, rb"time \((\w+)\)")),
    "text": Seed("text", fixtures_tables.write_text, (_SIDECAR_RATE, rb"signal: (\d+ X)")),
    "apple-watch-csv": Seed(
        "apple-watch-csv", fixtures_tables.write_apple, (_ROW_END, rb"([\d,]+) hertz")
    ),
    "npy": Seed("npy", fixtures_tables.write_npy, (_SIDECAR_RATE,)),
    "npy/many": Seed("npy", fixtures_tables.write_many_npy, (_SIDECAR_RATE,), member="1"),
    "echonext": Seed("echonext", fixtures_tables.write_echonext, member="e3"),
    "hdf5/code15": Seed("hdf5", fixtures_tables.write_code15, member="902"),
    "hdf5/sph": Seed("hdf5", fixtures_tables.write_sph),
    "matlab/cpsc": Seed("matlab", fixtures_tables.write_cpsc),
    "matlab/code15": Seed(
        "matlab", fixtures_tables.write_code15_mat, (rb"curr_sample_rate([\s\S]{16})",)
    ),
    "json": Seed("json", fixtures_tables.write_json),
    "edf": Seed(
        "edf", lambda folder: made.write_edf(folder / "record.edf"), binary.RECORD_DURATION
    ),
    "edf/edf+": Seed("edf", lambda folder: binary.write_edf_plus(folder / "record.edf")),
    "edf/bdf+": Seed("edf", lambda folder: binary.write_edf_plus(folder / "r.bdf", kind="bdf")),
    "kardia-atc": Seed(
        "kardia-atc", lambda folder: binary.write_atc(folder / "record.atc"), binary.ATC_RATE
    ),
    "kardia-atc/6 leads": Seed(
        "kardia-atc",
        lambda folder: binary.write_atc(folder / "record.atc", made.CANONICAL_LEADS[:6]),
        binary.ATC_RATE,
    ),
}
"""Beside each: what states its rate. A pattern's first group, if it has one, is the field."""
