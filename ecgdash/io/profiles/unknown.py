"""Tables that no profile recognises: what their columns may mean, offered and never applied."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from ecgdash.domain.leads import canonical_lead
from ecgdash.io.profiles.mapping import Mapping
from ecgdash.io.profiles.registry import Profile, profile_named
from ecgdash.io.table_rows import header_of, is_table, known_table

__all__ = ["offered_mapping", "unknown_tables"]

_SYNONYMS: Final[dict[str, frozenset[str]]] = {
    "file": frozenset({"file", "filename", "path", "ecgfile", "ecgpath", "waveformfile"}),
    "patient_id": frozenset(
        {"patientid", "mrn", "pid", "patient", "subjectid", "patientkey", "hospitalid", "personid"}
    ),
    "recorded_at": frozenset(
        {"recordedat", "ecgtime", "ecgdate", "ecgdatetime", "acquisitiondate", "acquisitiontime",
         "recordingdate"}
    ),
    "age_years": frozenset({"age", "ageyears", "ageatecg", "patientage"}),
    "birth_year": frozenset({"birthyear", "yearofbirth"}),
    "sex": frozenset({"sex", "gender"}),
    "performed_at": frozenset(
        {"performedat", "echodate", "echotime", "studydate", "ttedate", "examdate"}
    ),
    "lvef_percent": frozenset({"lvef", "ef", "lvefpercent", "ejectionfraction", "lvefpct"}),
    "method": frozenset({"method", "lvefmethod", "efmethod"}),
    "report": frozenset({"report", "reporttext", "echoreport", "conclusion", "findings"}),
    "code_system": frozenset({"codesystem", "icdversion", "vocabulary"}),
    "code": frozenset({"code", "icd", "icd10", "icdcode", "dxcode", "diagnosiscode"}),
    "recorded_on": frozenset({"recordedon", "diagnosisdate", "dxdate", "codedon"}),
}  # fmt: skip
"""Field to column names, letters and digits only (our choice)."""


def unknown_tables(files: Iterable[Path], known: Iterable[Path]) -> list[Path]:
    """Return the tables among files that are neither known nor rows of samples."""
    taken = set(known)
    return [
        file
        for file in files
        if is_table(file)
        and file not in taken
        and known_table(file) is None
        and _has_names(header_of(file))
    ]


def _has_names(columns: Sequence[str]) -> bool:
    """Tell whether a first row names columns of facts: no leads, no numbers."""
    words = [name for name in columns if re.match(r"[a-z_]", name)]
    return len(words) >= 2 and not any(canonical_lead(name) for name in columns)


def offered_mapping(columns: Sequence[str]) -> tuple[Profile, Mapping]:
    """Return the profile and mapping that the names of columns suggest, for the user to correct.

    A table that names an LVEF or a report is offered as echoes, one of codes as diagnoses,
    any other as the table of whose ECG each file is.
    """
    plain = {column: re.sub(r"[^a-z0-9]", "", column) for column in columns}
    guessed: dict[str, str] = {}
    for field, names in _SYNONYMS.items():
        column = next((one for one, name in plain.items() if name in names), None)
        if column is not None:
            guessed[field] = column
    name = "manifest"
    if guessed.keys() & {"lvef_percent", "report"} and "file" not in guessed:
        name = "echo-table"
    elif "code" in guessed:
        name = "diagnosis-table"
    profile = profile_named(name)
    fields = {field for _, field in profile.columns}
    pairs = tuple((column, field) for field, column in guessed.items() if field in fields)
    return profile, Mapping(profile.name, pairs)
