"""The data sets whose tables are known: ONE literal table, recognised by columns."""

from dataclasses import dataclass
from typing import Final, Literal

from ecgdash.domain.ecg import Sex
from ecgdash.errors import TableError

__all__ = ["OWN_TABLES", "PROFILES", "Profile", "profile_named"]

Role = Literal["records", "people", "measurements", "echoes", "diagnoses", "labels"]

_OF_A_RECORD: Final = (("file",), ("patient_id",))


@dataclass(frozen=True)
class Profile:
    """One data set's layout.

    Attributes
    ----------
    tables : tuple of (role, columns)
        A table is recognised when its header holds all these columns (lower case); the first
        role has to be there.
    columns : tuple of (column, field)
        The mapping offered first.
    needed : tuple of tuple of str
        Of each group one field must have a column, else nothing can be read.
    sexes : tuple of (text, sex)
        The data set's codes; empty: male, female, M, F.
    shifted_dates : bool
        The data set moved its dates, so the future is no error.
    by_reader : bool
        The reader of the waveforms joins the table itself.
    """

    name: str
    title: str
    tables: tuple[tuple[Role, frozenset[str]], ...]
    gives: tuple[str, ...]
    cannot: tuple[str, ...]
    columns: tuple[tuple[str, str], ...] = ()
    needed: tuple[tuple[str, ...], ...] = ()
    sexes: tuple[tuple[str, Sex], ...] = ()
    shifted_dates: bool = False
    by_reader: bool = False


_SHIFTED: Final = "The data set moved all dates into the future; intervals within a patient hold."

PROFILES: Final = (
    Profile(
        "ptb-xl",
        "PTB-XL 1.0.3",
        (("records", frozenset({"ecg_id", "patient_id", "scp_codes", "filename_hr"})),),
        (
            "Patient, day, age, sex and SCP codes of each record.",
            "Of each record the 500 Hz file is taken, never both files.",
            "The age 300 means over 89 and is left unknown.",
        ),
        ("It has no LVEF, so nothing can be evaluated or recalibrated with it.",),
        (
            ("filename_hr", "file"),
            ("patient_id", "patient_id"),
            ("recording_date", "recorded_at"),
            ("age", "age_years"),
            ("sex", "sex"),
            ("scp_codes", "scp_codes"),
            ("pacemaker", "pacemaker"),
        ),
        _OF_A_RECORD,
        (("0", "male"), ("1", "female")),
    ),
    Profile(
        "mimic-iv-ecg",
        "MIMIC-IV-ECG 1.0",
        (
            ("records", frozenset({"subject_id", "study_id", "file_name", "ecg_time", "path"})),
            ("measurements", frozenset({"subject_id", "study_id", "rr_interval", "qrs_onset"})),
            ("people", frozenset({"subject_id", "gender", "anchor_age", "anchor_year"})),
        ),
        (
            "Patient and time of each record; the cart's statements, intervals and axes.",
            "29999 and other values no heart can have are left out.",
            "It joins MIMIC-IV-ECHO by subject_id.",
            _SHIFTED,
        ),
        (
            "Age and sex stand in MIMIC-IV's patients.csv: taken if it lies here, else unknown.",
            "It has no LVEF: MIMIC-IV-ECHO beside it gives it.",
        ),
        (
            ("path", "file"),
            ("subject_id", "patient_id"),
            ("study_id", "study"),
            ("ecg_time", "recorded_at"),
            ("rr_interval", "rr_ms"),
            ("p_onset", "p_onset_ms"),
            ("p_end", "p_end_ms"),
            ("qrs_onset", "qrs_onset_ms"),
            ("qrs_end", "qrs_end_ms"),
            ("t_end", "t_end_ms"),
            ("p_axis", "p_axis_deg"),
            ("qrs_axis", "qrs_axis_deg"),
            ("t_axis", "t_axis_deg"),
            ("bandwidth", "filter"),
            ("filtering", "filter"),
            *((f"report_{i}", "statement") for i in range(18)),
            ("gender", "sex"),
            ("anchor_age", "anchor_age"),
            ("anchor_year", "anchor_year"),
        ),
        _OF_A_RECORD,
        shifted_dates=True,
    ),
    Profile(
        "mimic-iv-echo",
        "MIMIC-IV-ECHO 1.0",
        (
            (
                "echoes",
                frozenset({"subject_id", "measurement_id", "measurement_datetime", "result"}),
            ),
        ),
        (
            "One LVEF per measurement_id: biplane first, then 3D, then the reported value.",
            "lvef with lvef_upper is a range and becomes its midpoint.",
            "It joins MIMIC-IV-ECG by subject_id.",
            _SHIFTED,
        ),
        ("Only transthoracic studies are taken; other test types are refused by row.",),
        shifted_dates=True,
    ),
    Profile(
        "echonext",
        "EchoNext 1.1",
        (("labels", frozenset({"ecg_key", "patient_key", "lvef_lte_45_flag"})),),
        ("Age, sex and the 12 labels of each ECG.",),
        (
            "Its label is LVEF <= 45 %, not <= 40 %: no figure of it compares with ours.",
            "It states no LVEF number: no echo is drawn and no history can be recalibrated.",
            "It states only the year of an ECG: no timeline and no interval.",
            "Its waveforms are standardised, not in mV: they are stored and shown in arbitrary "
            "units, and no model scores them.",
        ),
        by_reader=True,
    ),
    Profile(
        "code-15",
        "CODE-15 %",
        (("labels", frozenset({"exam_id", "patient_id", "age", "is_male"})),),
        ("Patient, age, sex and six diagnoses of each exam.",),
        (
            "It states no unit of amplitude: each ECG is refused until you state one.",
            "It has no LVEF and no dates: no timeline, and nothing can be evaluated.",
        ),
        by_reader=True,
    ),
    Profile(
        "manifest",
        "A table of one's own",
        (("records", frozenset({"file", "patient_id"})),),
        ("Patient, time, age and sex of each file.",),
        ("LVEF comes from an echo table beside it.",),
        (
            ("file", "file"),
            ("patient_id", "patient_id"),
            ("recorded_at", "recorded_at"),
            ("age_years", "age_years"),
            ("birth_year", "birth_year"),
            ("sex", "sex"),
        ),
        _OF_A_RECORD,
    ),
    Profile(
        "echo-table",
        "A table of echoes",
        (
            ("echoes", frozenset({"patient_id", "performed_at", "lvef_percent"})),
            ("echoes", frozenset({"patient_id", "performed_at", "report"})),
        ),
        ("Patient, time, LVEF in percent and method of each echo.",),
        ("An LVEF between 0 and 1 is refused: percent or fraction is never guessed.",),
        (
            ("patient_id", "patient_id"),
            ("performed_at", "performed_at"),
            ("lvef_percent", "lvef_percent"),
            ("method", "method"),
            ("report", "report"),
        ),
        (("patient_id",), ("performed_at",), ("lvef_percent", "report")),
    ),
    Profile(
        "diagnosis-table",
        "A table of diagnoses",
        (("diagnoses", frozenset({"patient_id", "code_system", "code", "recorded_on"})),),
        ("Patient, code and day of each diagnosis; ICD codes flag ECGs from that day on.",),
        (),
        (
            ("patient_id", "patient_id"),
            ("code_system", "code_system"),
            ("code", "code"),
            ("recorded_on", "recorded_on"),
        ),
        (("patient_id",), ("code_system",), ("code",), ("recorded_on",)),
    ),
    Profile(
        "cinc",
        "PhysioNet/CinC Challenge headers",
        (),
        ("Age, sex and SNOMED codes from the comments of each header; there is no table.",),
        ("It has no LVEF and no dates: no timeline, and nothing can be evaluated.",),
        by_reader=True,
    ),
)
"""Columns are those published with each version; a table with more columns is the same table."""

OWN_TABLES: Final = tuple(
    profile for profile in PROFILES if profile.name in {"manifest", "echo-table", "diagnosis-table"}
)
"""Profiles that a table of any columns can be mapped to."""


def profile_named(name: str) -> Profile:
    """Return a profile by its name; raises `TableError` if there is none."""
    for profile in PROFILES:
        if profile.name == name:
            return profile
    raise TableError(
        f"there is no profile {name!r}",
        accepted=f"Known: {', '.join(profile.name for profile in PROFILES)}",
        todo="Save the mapping again",
    )
