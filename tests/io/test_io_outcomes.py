"""What becomes of every file in ../shared/data: read, with the gate's verdict, or refused.

`pytest tests/io/test_io_outcomes.py -s` prints a line for every file, and counts by folder.
"""

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from ecgdash.errors import InputFileError
from ecgdash.inference.gate import gate
from ecgdash.io import FoundFile, find_ecg_files, read_ecg
from ecgdash.io.formats import wfdb_files

pytestmark = pytest.mark.real


@dataclass(frozen=True)
class Outcome:
    """One line of the report."""

    folder: str
    file: str
    kind: str
    words: str


def outcome_of(found: FoundFile) -> Outcome:
    folder, _, file = found.display_name.partition("/")
    try:
        if found.error is not None:
            raise found.error
        record = read_ecg(found.path, member=found.member)
    except InputFileError as error:
        return Outcome(folder, file, type(error).__name__, error.sentence)
    verdict = gate(record)
    shape = f"{len(record.leads)} leads, {record.sampling_hz:g} Hz, {record.duration_s:.1f} s"
    words = f"{record.file_format}, {shape}, {'; '.join(verdict.reasons) or 'analysable'}"
    return Outcome(folder, file, verdict.status, words)


def parts_of(found: FoundFile) -> set[Path]:
    """Return the files that one ECG is made of, beside the one that is read."""
    header = wfdb_files.header_of(found.path)
    return set() if header is None else {header.parent / n for n in wfdb_files.signal_files(header)}


@pytest.fixture(scope="module")
def everything(shared_data):
    return list(find_ecg_files(sorted(path for path in shared_data.iterdir() if path.is_dir())))


def test_the_outcome_of_every_file(everything):
    outcomes = [outcome_of(found) for found in everything]
    counts = Counter((outcome.folder, outcome.kind) for outcome in outcomes)
    report = []
    for outcome in outcomes:
        report.append(f"{outcome.folder}/{outcome.file}: {outcome.kind}: {outcome.words}")
    for (folder, kind), n in sorted(counts.items()):
        report.append(f"{folder}: {kind}: {n}")
    sys.stdout.write("\n".join(["", *report, ""]))
    assert dict(counts) == EXPECTED


def test_no_file_is_passed_over_in_silence(everything, shared_data):
    """Beside the ECGs and what they are made of there are only texts that no one takes for one."""
    accounted = {found.path for found in everything}.union(*map(parts_of, everything))
    left = {file for file in shared_data.glob("*/**/*") if file.is_file()} - accounted
    assert {file.relative_to(shared_data).as_posix() for file in left} == COMPANIONS


EXPECTED = {
    ("aecg_malformed", "CorruptFile"): 3,
    ("apple_watch", "analysable"): 1,
    ("brugada_huca", "analysable"): 1,
    ("cardiosoft_xml", "analysable"): 1,
    ("cinc2021_mat_hea", "analysable"): 57,
    ("cinc2021_mat_hea", "excluded"): 1,
    ("cinc2021_mat_hea", "poor_quality"): 2,
    ("code15_mat", "UnknownUnits"): 5,
    ("contec", "UnsupportedFormat"): 1,
    ("cpsc2018_mat_struct", "analysable"): 5,
    ("csv_ptbxl_500hz", "UnknownSamplingRate"): 20,
    ("edf", "analysable"): 1,
    ("ge_text", "MissingLeads"): 1,
    ("image_dicom_pair", "UnsupportedFormat"): 3,
    ("image_dicom_pair", "analysable"): 1,
    ("images_paper", "UnsupportedFormat"): 38,
    ("images_rendered_ptbxl", "UnsupportedFormat"): 5,
    ("kardia_atc", "analysable"): 2,
    ("muse_xml", "analysable"): 3,
    ("one_ecg_three_formats", "analysable"): 3,
    ("pdf_muse", "UnsupportedFormat"): 1,
    ("pdf_vector_ptbxl", "UnsupportedFormat"): 7,
    ("pediatric_json", "UnknownUnits"): 4,
    ("philips_sierra", "analysable"): 3,
    ("ptbxl500", "analysable"): 701,
    ("ptbxl500", "excluded"): 5,
    ("scp_nonstandard", "UnsupportedFormat"): 1,
    ("sph_h5", "analysable"): 5,
    ("wfdb_misc", "CorruptFile"): 1,
    ("wfdb_misc", "analysable"): 1,
    ("wfdb_misc", "poor_quality"): 3,
}
COMPANIONS = {
    "code15_mat/meta.csv",
    "csv_ptbxl_500hz/meta.csv",
    "muse_xml/echonext_labels_format.csv",
    "ptbxl500/LICENSE.txt",
    "ptbxl500/ptbxl_database.csv",
    "ptbxl500/scp_statements.csv",
    "sph_h5/metadata.csv",
}
