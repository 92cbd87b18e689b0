"""The import page: uploads to the store, then the report of what became of every file."""

import csv
import io
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import streamlit as st

from ecgdash.errors import printable
from ecgdash.io import READERS, ReadHints
from ecgdash.services.import_report import ImportReport
from ecgdash.services.importing import import_paths, undo_import
from ecgdash.services.scoring import score_patients
from ecgdash.ui import cache, html, state, words
from ecgdash.ui.html import Cell, Column
from ecgdash.ui.page import RESEARCH_USE, Page

__all__ = ["StoredReport", "draw_form", "draw_report", "report_csv"]

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
_LONGEST_NAME: Final = 120


@dataclass(frozen=True)
class StoredReport:
    """A report with when it was made; it lives in the session that imported."""

    report: ImportReport
    made_at: datetime
    n_scored: int


def draw_form(page: Page) -> None:
    """Draw the uploaders; on the button, import, score and keep the report."""
    formats = ", ".join(reader.ABOUT.title for reader in READERS.values())
    html.draw(
        Cell('<div class="ed-title"><h1>Import</h1>'),
        html.text(f"ECG files ({formats}), tables (CSV), or a ZIP of them.", "ed-counts"),
        Cell("</div>"),
    )
    with st.form("import", border=False):
        left, right = st.columns(2, gap="medium")
        ecgs = left.file_uploader(
            "ECG files or ZIP (with .hea and .dat, or a sidecar .json, together)",
            accept_multiple_files=True,
        )
        echo = right.file_uploader(
            "Echo table: patient_id, performed_at, lvef_percent (or report), method",
            type=["csv", "xlsx"],
        )
        table = left.file_uploader("Patient table (such as ptbxl_database.csv)", type="csv")
        diagnoses = right.file_uploader(
            "Diagnoses: patient_id, code_system, code, recorded_on", type="csv"
        )
        hints = _hints()
        with st.container(horizontal=True, vertical_alignment="bottom"):
            site = st.text_input("Site (whose patient codes these are)", "local", width=260)
            pressed = st.form_submit_button("Import and score", type="primary")
    if not pressed:
        return
    tables = {"echo": echo, "patient_table": table, "diagnoses": diagnoses}
    if not ecgs and not any(tables.values()):
        st.warning("Nothing was chosen. Choose ECG files, a ZIP or a table above.")
        return
    _import(page, ecgs, tables, _Stated(site.strip() or "local", hints))


def _hints() -> ReadHints:
    """Ask for what some files leave open; nothing of it is ever guessed."""
    with st.expander("Files that do not state rate, unit or leads (some CSV, NPY and text files)"):
        one, two, three = st.columns([1, 1, 3])
        sampling_hz = one.number_input("Samples a second", 50.0, 32_000.0, None, step=1.0)
        units = two.selectbox("Unit", ("uV", "mV", "V", "nV"), index=None)
        leads = three.text_input("Leads in the order of the file", placeholder="I, II, III, aVR")
    names = tuple(name.strip() for name in leads.split(",") if name.strip())
    return ReadHints(sampling_hz, units, names or None)


@dataclass(frozen=True)
class _Stated:
    """What the user says about the files."""

    site: str
    hints: ReadHints


def _import(page: Page, ecgs: Sequence[Any], tables: dict[str, Any], stated: _Stated) -> None:
    bar = st.progress(0.0, "Reading files")

    started = time.monotonic()

    def reading(done: int, total: int) -> None:
        rate = done / max(time.monotonic() - started, 1e-3)
        of = f" of {total:,}" if total else ""
        left = f", about {(total - done) / rate:.0f} s left" if total > done else ""
        told = f"Reading files: {done:,}{of}, {rate:.0f} a second{left}"
        bar.progress(min(done / total, 1.0) if total else 0.0, told)

    def scoring(done: int, total: int) -> None:
        bar.progress(done / total if total else 1.0, f"Scoring: {done:,} of {total:,} patients")

    with tempfile.TemporaryDirectory(prefix="ecgdash-") as folder:
        root = Path(folder)
        paths = written(root / "ecgs", ecgs)
        table_paths = {
            name: written(root / name, [upload])[0] for name, upload in tables.items() if upload
        }
        report = import_paths(
            page.store,
            [root / "ecgs"] if paths else [],
            settings=page.settings,
            site=stated.site,
            hints=stated.hints,
            on_progress=reading,
            echo=table_paths.get("echo"),
            patient_table=table_paths.get("patient_table"),
            diagnoses=table_paths.get("diagnoses"),
        )
    # Kept before scoring: what is stored stays told, even where no model can be loaded.
    st.session_state[state.IMPORT_REPORT] = StoredReport(report, page.now, 0)
    engines = cache.engines(page.settings)
    if engines:
        done = score_patients(page.store, engines, report.patient_keys, scoring)
        st.session_state[state.IMPORT_REPORT] = StoredReport(report, page.now, done.n_updated)
    bar.empty()
    st.rerun()  # the first ECGs of a store change what the head of the page has to say


def written(folder: Path, uploads: Sequence[Any]) -> list[Path]:
    """Write uploads into a folder by their plain names, never outside of it.

    Files of one name go to numbered folders; files that belong together (a .hea
    and its .dat) keep their names and meet in the same one.
    """
    paths: list[Path] = []
    for upload in uploads:
        plain = printable(str(upload.name)).replace("\\", "/").rpartition("/")[2]
        name = plain[-_LONGEST_NAME:].strip(". ") or "upload"
        number = 0
        while (target := folder / str(number) / name).exists():
            number += 1
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(upload.getbuffer())
        paths.append(target)
    return paths


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
        n_rows = outcome.n_accepted + outcome.n_duplicate + len(outcome.problems)
        told = f"{outcome.n_accepted:,} of {n_rows:,} rows stored"
        told += f", {outcome.n_duplicate:,} stored already." if outcome.n_duplicate else "."
        if outcome.problems:
            told += f" {len(outcome.problems):,} rejected: {'; '.join(outcome.problems[:20])}."
        html.draw(
            Cell(f'<h2 class="ed-h2">Table {html.text(outcome.file).html}</h2>'), html.text(told)
        )


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
            html.bold(f"{_OUTCOMES[row.outcome][0]} {row.outcome}"),
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
    """Return every row of a report as CSV."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["outcome", "file", "format", "patient", "reason", "what_to_do", "notice"])
    for row in report.rows:
        cells = [row.outcome, row.file, row.file_format, row.patient_code or "", row.reason]
        writer.writerow([*map(html.csv_safe, [*cells, row.todo]), RESEARCH_USE])
    return out.getvalue().encode("utf-8")
