"""The import page: choose files, see what they were understood as, import and score."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import streamlit as st

from ecgdash.errors import EcgDashError
from ecgdash.io import READERS, ReadHints
from ecgdash.services.importing import import_paths
from ecgdash.services.scoring import score_patients
from ecgdash.ui import cache, html, import_stage, state
from ecgdash.ui.html import Cell
from ecgdash.ui.import_preview import draw_preview
from ecgdash.ui.import_report import StoredReport
from ecgdash.ui.import_stage import Stage
from ecgdash.ui.page import Page

__all__ = ["draw_form"]

_WHOLE: Final = "."


def draw_form(page: Page) -> None:
    """Draw the uploaders, or what was chosen by them with the button that imports it."""
    formats = ", ".join(reader.ABOUT.title for reader in READERS.values())
    html.draw(
        Cell('<div class="ed-title"><h1>Import</h1>'),
        html.text(
            f"ECG files ({formats}), tables (CSV, XLSX), or a ZIP of them. Data sets such as "
            "PTB-XL, MIMIC-IV, EchoNext and CODE-15 are taken as they are published.",
            "ed-counts",
        ),
        Cell("</div>"),
    )
    stage = import_stage.current()
    if stage is None:
        stage = _choose(page)
        if stage is None:
            return
        st.session_state[state.IMPORT_STAGE] = stage
        st.session_state[state.IMPORT_ROUND] = st.session_state.get(state.IMPORT_ROUND, 0) + 1
        st.rerun()
    may_go_on = False
    try:
        may_go_on = draw_preview(page, stage)
    except EcgDashError as error:  # a table that cannot be read must leave a way back
        st.error(error.sentence)
    with st.container(horizontal=True):
        pressed = st.button("Import and score", type="primary", disabled=not may_go_on)
        if st.button("Choose other files"):
            import_stage.clear()
            st.rerun()
    if pressed:
        _import(page, stage)


def _choose(page: Page) -> Stage | None:
    """Draw the form; return what was chosen once the button is pressed."""
    number = st.session_state.get(state.IMPORT_ROUND, 0)
    with st.form(f"import-{number}", border=False):
        left, right = st.columns(2, gap="medium")
        files = left.file_uploader(
            "ECG files, tables (CSV, XLSX) or ZIP; .hea with .dat, and sidecars, together",
            accept_multiple_files=True,
            key=f"files-{number}",
        )
        folder = right.file_uploader(
            "A whole folder, such as PTB-XL with its table",
            accept_multiple_files="directory",
            key=f"folder-{number}",
        )
        place = _server_place(page.settings.import_dir)
        hints = _hints()
        with st.container(horizontal=True, vertical_alignment="bottom"):
            site = st.text_input("Site (whose patient codes these are)", "local", width=260)
            pressed = st.form_submit_button("Look at them", type="primary")
    if not pressed:
        return None
    site = site.strip() or "local"
    uploads: list[Any] = [*files, *folder]
    if uploads:
        return import_stage.stage_uploads(uploads, site, hints, page.settings)
    if place is not None:
        return import_stage.stage_folder(place, site, hints, page.settings)
    st.warning("Nothing was chosen. Choose ECG files, a folder, a ZIP or a table above.")
    return None


def _server_place(root: Path | None) -> Path | None:
    """Offer what lies in the server's own folder, which no browser need send."""
    if root is None or not root.is_dir():
        return None
    inner = sorted(p.name for p in root.iterdir() if p.is_dir() or p.suffix.lower() == ".zip")
    name = st.selectbox(
        "Or a folder or ZIP on the server",
        [_WHOLE, *inner],
        None,
        format_func=lambda one: "all of it" if one == _WHOLE else one,
        placeholder="none",
    )
    return None if name is None else root / name


def _hints() -> ReadHints:
    """Ask for what some files leave open; nothing of it is ever guessed."""
    with st.expander("Files that do not state rate, unit or leads (some CSV, NPY and text files)"):
        one, two, three = st.columns([1, 1, 3])
        sampling_hz = one.number_input("Samples a second", 50.0, 32_000.0, None, step=1.0)
        units = two.selectbox("Unit", ("uV", "mV", "V", "nV"), index=None)
        leads = three.text_input("Leads in the order of the file", placeholder="I, II, III, aVR")
    names = tuple(name.strip() for name in leads.split(",") if name.strip())
    return ReadHints(sampling_hz, units, names or None)


@dataclass
class _Told:
    """Tells how far an import is."""

    bar: Any
    started: float

    def reading(self, done: int, total: int) -> None:
        rate = done / max(time.monotonic() - self.started, 1e-3)
        of = f" of {total:,}" if total else ""
        left = f", about {(total - done) / rate:.0f} s left" if total > done else ""
        told = f"Reading files: {done:,}{of}, {rate:.0f} a second{left}"
        self.bar.progress(min(done / total, 1.0) if total else 0.0, told)

    def scoring(self, done: int, total: int) -> None:
        told = f"Scoring: {done:,} of {total:,} patients"
        self.bar.progress(done / total if total else 1.0, told)


def _import(page: Page, stage: Stage) -> None:
    told = _Told(st.progress(0.0, "Reading files"), time.monotonic())
    report = import_paths(
        page.store,
        stage.paths,
        settings=page.settings,
        site=stage.site,
        hints=stage.hints,
        on_progress=told.reading,
        data_sets=stage.sets,
        known_as=stage.known_as,
    )
    import_stage.clear()
    # Kept before scoring: what is stored stays told, even where no model can be loaded.
    st.session_state[state.IMPORT_REPORT] = StoredReport(report, page.now, 0)
    engines = cache.engines(page.settings)
    if engines:
        done = score_patients(page.store, engines, report.patient_keys, told.scoring)
        st.session_state[state.IMPORT_REPORT] = StoredReport(report, page.now, done.n_updated)
    told.bar.empty()
    st.rerun()  # the first ECGs of a store change what the head of the page has to say
