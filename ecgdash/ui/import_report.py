"""The report of an import: what became of every file and row, and its undoing."""

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import streamlit as st

from ecgdash.services.import_report import ImportReport, TableOutcome
from ecgdash.services.importing import undo_import
from ecgdash.ui import cache, html, state, words
from ecgdash.ui.html import Cell, Column
from ecgdash.ui.page import RESEARCH_USE, Page

__all__ = ["StoredReport", "draw_report", "report_csv"]

_OUTCOMES: Final = {
    "accepted": ("✓", "stored"),
    "duplicate": ("=", "same ECG already stored; nothing changed"),
    "withheld": ("○", "stored, but no score is given"),
    "rejected": ("×", "not stored"),
}
_FILTERS: Final = {
    "look": ("Needs a look", ("rejected", "withheld")),
    "audit": ("Accepted, to check", ()),
    "withheld": ("Withheld", ("withheld",)),
    "rejected": ("Rejected", ("rejected",)),
    "duplicate": ("Duplicate", ("duplicate",)),
    "accepted": ("Accepted", ("accepted",)),
    "all": ("All", tuple(_OUTCOMES)),
}
_SHOWN_ROWS: Final = 200
_FEW_ROWS: Final = 5
"""So many remarks about a table are shown without a click."""


@dataclass(frozen=True)
class StoredReport:
    """A report with when it was made; it lives in the session that imported."""

    report: ImportReport
    made_at: datetime
    n_scored: int


def draw_report(page: Page) -> None:
    """Draw the report of this session's last import, if there is one."""
    undone = st.session_state.pop(state.IMPORT_UNDONE, None)
    if undone is not None:
        st.success(undone)
    stored = st.session_state.get(state.IMPORT_REPORT)
    if not isinstance(stored, StoredReport):
        return
    report = stored.report
    n_files = len(report.rows)
    facts = f"{words.plural(n_files, 'file')} read in {report.seconds:.0f} s"
    facts += f" · {words.plural(stored.n_scored, 'score set')} written"
    html.draw(
        Cell('<div class="ed-title"><h2 class="ed-h2">Report of '),
        html.text(words.day_time(stored.made_at, page.zone)),
        Cell("</h2>"),
        html.text(facts, "ed-counts"),
        Cell("</div>"),
    )
    html.draw(_strip(report.counts))
    _draw_rows(report)
    _draw_undo(page, report)
    for outcome in report.tables:
        _draw_table(outcome)
    _draw_sources(report)


def _draw_table(outcome: TableOutcome) -> None:
    """Say what became of the rows of a table."""
    n_rows = outcome.n_accepted + outcome.n_duplicate + outcome.n_refused
    told = f"{outcome.n_accepted:,} of {n_rows:,} rows stored"
    told += f", {outcome.n_duplicate:,} stored already." if outcome.n_duplicate else "."
    told += "".join(f" {remark}." for remark in outcome.remarks)
    html.draw(Cell(f'<h2 class="ed-h2">Table {html.text(outcome.file).html}</h2>'), html.text(told))
    if not outcome.problems:
        return
    n_kept = len(outcome.problems) - outcome.n_refused
    title = f"{outcome.n_refused:,} rejected"
    title += f", {n_kept:,} kept with a remark" if n_kept else ""
    shown = [html.element("li", problem) for problem in outcome.problems[:_SHOWN_ROWS]]
    more = len(outcome.problems) - len(shown)
    if more > 0:
        shown.append(html.element("li", f"and {more:,} more, in the report"))
    with st.expander(title, expanded=len(shown) <= _FEW_ROWS):
        html.draw(html.element("ul", *shown, kind="ed-list"))


def _draw_sources(report: ImportReport) -> None:
    """Say what the low-EF labels of the data sets mean."""
    rows = [
        (
            html.bold(", ".join(source["tables"])),
            source["profile"],
            column,
            meaning if meaning == "not stated" else f"LVEF {meaning} %",
        )
        for source in report.sources
        for column, meaning in source["label_definitions"].items()
    ]
    if rows:
        columns = (Column("Table", "lead"), Column("Profile"), Column("Column"), Column("Low EF"))
        html.draw(Cell('<h2 class="ed-h2">What low EF means in each source</h2>'))
        html.draw(html.table("Label definitions", columns, rows))


def _draw_undo(page: Page, report: ImportReport) -> None:
    """Offer to take the import back as a whole; what it would remove is said first."""
    with st.popover("Undo this import"):
        st.write(
            "Removes every ECG, echo and diagnosis that this import brought, and patients who "
            "then have nothing. Scores of the patients that stay are made anew. What was stored "
            "before stays."
        )
        if not st.button("Remove what this import brought", type="primary"):
            return
        undone = undo_import(
            page.store,
            report.key,
            settings=page.settings,
            engines=tuple(cache.engines(page.settings)),
        )
    del st.session_state[state.IMPORT_REPORT]
    removed = (
        words.plural(undone.n_ecgs, "ECG"),
        words.plural(undone.n_echoes, "echo", "echoes"),
        words.plural(undone.n_diagnoses, "diagnosis", "diagnoses"),
    )
    patients = words.plural(undone.n_patients, "patient")
    st.session_state[state.IMPORT_UNDONE] = (
        f"Undone: {', '.join(removed)} and {patients} that had nothing else were removed."
    )
    st.rerun()


def _strip(counts: dict[str, int]) -> Cell:
    cells = "".join(
        f'<div><div class="figure">{counts[name]:,}</div>'
        f'<div class="word">{glyph} {name}</div>'
        f'<div class="ed-small ed-muted">{meaning}</div></div>'
        for name, (glyph, meaning) in _OUTCOMES.items()
    )
    return Cell(f'<div class="ed-strip">{cells}</div>')


def _draw_rows(report: ImportReport) -> None:
    counts = report.counts
    if not report.rows:
        return
    numbers = {key: sum(counts[o] for o in outcomes) for key, (_, outcomes) in _FILTERS.items()}
    numbers["audit"] = sum(1 for _ in report.audited)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.segmented_control(
            "Show",
            list(_FILTERS),
            default="look",
            required=True,
            format_func=lambda key: f"{_FILTERS[key][0]} ({numbers[key]:,})",
        )
        st.space("stretch")
        st.download_button(
            "Download report (CSV)",
            report_csv(report),
            file_name="ecgdash_import_report.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
    wanted = _FILTERS[chosen or "look"][1]
    rows = [row for row in report.rows if row.outcome in wanted]
    if chosen == "audit":
        rows = list(report.audited)
    if not rows:
        html.draw(html.text("No file of this kind.", "ed-muted"))
        return
    columns = (
        Column("Outcome", "lead"),
        Column("File"),
        Column("Format"),
        Column("Patient"),
        Column("Reason", "wide"),
        Column("What to do", "wide"),
    )
    shown = [
        (
            html.text(f"{_OUTCOMES[row.outcome][0]} {row.outcome}", "ed-outcome"),
            row.file,
            row.file_format or "–",
            row.patient_code or "unknown",
            row.reason or "–",
            html.text(row.todo or "–", "ed-muted"),
        )
        for row in rows[:_SHOWN_ROWS]
    ]
    html.draw(html.table("Files of this import", columns, shown))
    if len(rows) > _SHOWN_ROWS:
        html.draw(html.small(f"{_SHOWN_ROWS} of {len(rows):,} shown; the CSV holds all."))


def report_csv(report: ImportReport) -> bytes:
    """Return every row of a report as CSV: files, then what was said about rows of tables."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["outcome", "file", "format", "patient", "reason", "what_to_do", "notice"])
    for row in report.rows:
        cells = [row.outcome, row.file, row.file_format, row.patient_code or "", row.reason]
        writer.writerow([*map(html.csv_safe, [*cells, row.todo]), RESEARCH_USE])
    for table in report.tables:
        for problem in (*table.remarks, *table.problems):
            refused = problem in table.problems and not problem.endswith("(row kept)")
            cells = ["row rejected" if refused else "row kept", table.file, "table", "", problem]
            writer.writerow([*map(html.csv_safe, [*cells, ""]), RESEARCH_USE])
    return out.getvalue().encode("utf-8")
