"""Keys of the session state. Nothing patient-specific outlives a session."""

from typing import Final

__all__ = [
    "ALL_ECGS",
    "DISPLAY_FILTER",
    "EMPHASISED",
    "IMPORT_REPORT",
    "IMPORT_ROUND",
    "IMPORT_STAGE",
    "IMPORT_UNDONE",
    "LINEAR_AXIS",
    "OPENED_ECG",
    "OTHER_MARKS",
    "PLOT",
    "PREVALENCE",
    "SHOWN_ECG",
    "WORKLIST_PAGE",
]

EMPHASISED: Final = "emphasised_variant"
"""The variant with the thick line, kept from patient to patient."""

SHOWN_ECG: Final = "shown_ecg"
"""Key of the ECG whose scores and history stand beside the plot."""

PLOT: Final = "trajectory"
"""Prefix of the two plots' widget keys (wide and narrow)."""

PREVALENCE: Final = "lvsd_prevalence_percent"
"""Prevalence of LVSD for PPV and NPV, percent, once the user has set one; then for all patients."""

IMPORT_REPORT: Final = "import_report"
"""Report of this session's last import."""

IMPORT_STAGE: Final = "import_stage"
"""Files that were chosen and are shown before anything is written."""

IMPORT_ROUND: Final = "import_round"
"""Number of the upload: a new one empties the uploaders, and the memory they hold."""

IMPORT_UNDONE: Final = "import_undone"
"""What was removed by undoing an import, to be said once."""

WORKLIST_PAGE: Final = "worklist_page"
"""Number of the shown page of the worklist."""

LINEAR_AXIS: Final = "linear_score_axis"
"""Whether scores are drawn on a linear axis."""

OTHER_MARKS: Final = "marks_of_other_models"
"""Whether the plot shows the scores of other families."""

ALL_ECGS: Final = "all_ecgs"
"""Whether the ECG list shows more than the latest few."""

DISPLAY_FILTER: Final = "ecg_display_filter"
"""How ECGs are filtered for the eye, kept from ECG to ECG."""

OPENED_ECG: Final = "opened_ecg"
"""Key of the ECG whose point was clicked, until its page opens."""
