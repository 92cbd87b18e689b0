"""Files in, domain objects out: ECG readers, tables, writers."""

from ecgdash.io.finding import FoundFile, Limits, find_ecg_files
from ecgdash.io.hints import ReadHints
from ecgdash.io.not_readable import NOT_READABLE
from ecgdash.io.patient_table import PatientTable, read_patient_table
from ecgdash.io.readers import CONTAINERS, READERS, list_members, read_ecg, sniff_format
from ecgdash.io.tables import RowProblem, read_diagnoses_csv, read_echo_csv
from ecgdash.io.writers import write_muse_xml, write_wfdb

__all__ = [
    "CONTAINERS",
    "NOT_READABLE",
    "READERS",
    "FoundFile",
    "Limits",
    "PatientTable",
    "ReadHints",
    "RowProblem",
    "find_ecg_files",
    "list_members",
    "read_diagnoses_csv",
    "read_ecg",
    "read_echo_csv",
    "read_patient_table",
    "sniff_format",
    "write_muse_xml",
    "write_wfdb",
]
