"""What the chosen files were understood as, and which column means what: before any writing."""

from collections.abc import Mapping as MappingOf
from pathlib import Path
from typing import Final

import streamlit as st

from ecgdash.errors import EcgDashError, printable
from ecgdash.io.profiles import (
    LVEF_ITSELF,
    OWN_TABLES,
    Mapping,
    Profile,
    Recognised,
    offered_mapping,
    save_mapping,
)
from ecgdash.io.table_rows import header_of
from ecgdash.services.import_data_sets import saved_mappings
from ecgdash.ui import html, words
from ecgdash.ui.html import Cell, Column
from ecgdash.ui.import_stage import Stage
from ecgdash.ui.page import Page

__all__ = ["draw_preview"]

_FIELD_WORDS: Final = {
    "file": "ECG file",
    "patient_id": "Patient id",
    "study": "Study",
    "recorded_at": "Time of ECG",
    "age_years": "Age (years)",
    "birth_year": "Birth year",
    "sex": "Sex",
    "statement": "Statements",
    "scp_codes": "SCP codes",
    "pacemaker": "Pacemaker",
    "filter": "Filters",
    "rr_ms": "RR (ms)",
    "p_onset_ms": "P onset (ms)",
    "p_end_ms": "P end (ms)",
    "qrs_onset_ms": "QRS onset (ms)",
    "qrs_end_ms": "QRS end (ms)",
    "t_end_ms": "T end (ms)",
    "p_axis_deg": "P axis (°)",
    "qrs_axis_deg": "QRS axis (°)",
    "t_axis_deg": "T axis (°)",
    "anchor_age": "Age in the anchor year",
    "anchor_year": "Anchor year",
    "performed_at": "Time of echo",
    "lvef_percent": "LVEF (%)",
    "method": "Method",
    "report": "Report text",
    "code_system": "Code system",
    "code": "Code",
    "recorded_on": "Day of coding",
}
_MANY: Final = frozenset({"statement", "filter"})
_OWN_WORDS: Final = {
    "": "Nothing: try it as an ECG",
    "manifest": "Whose ECG each file is",
    "echo-table": "Echoes",
    "diagnosis-table": "Diagnoses",
}
_LONGEST_EXAMPLE: Final = 28


def draw_preview(page: Page, stage: Stage) -> bool:
    """Draw what was understood; tell whether the import may go on.

    Parameters
    ----------
    page : Page
    stage : Stage
        Its data sets change with the mappings that the user chooses.
    """
    html.draw(
        Cell('<div class="ed-title"><h2 class="ed-h2">Nothing is written yet</h2>'),
        html.text(f"{stage.facts} · patients of site {stage.site}", "ed-counts"),
        Cell("</div>"),
    )
    if not stage.sets.found and not stage.sets.unknown:
        html.draw(
            html.text(
                "No table was found beside the ECGs. Patient, time, age and sex come from the "
                "ECG files themselves; a file that states none is kept as a patient of its own.",
                "ed-muted",
            )
        )
    for place, one in enumerate(stage.sets.found):
        _draw_found(page, stage, place, one)
    for table in stage.sets.unknown:
        _draw_unknown(stage, table)
    lacking = [one for one in stage.sets.found if one.missing() and one.tables]
    for one in lacking:
        wanted = ", ".join(
            " or ".join(_FIELD_WORDS[name] for name in group.split(" or "))
            for group in one.missing()
        )
        st.warning(f"{_name(one.tables[0].path)}: choose the column of {wanted}.")
    return not lacking


def _name(path: Path) -> str:
    return printable(path.name)


def _draw_found(page: Page, stage: Stage, place: int, one: Recognised) -> None:
    with st.container(border=True):
        html.draw(Cell(f'<h2 class="ed-h2">{html.text(one.profile.title).html}</h2>'))
        rows = [
            (html.bold(_name(table.path)), _ROLE_WORDS[table.role], f"{table.n_rows:,}")
            for table in one.tables
        ]
        columns = (Column("Table", "lead"), Column("Gives"), Column("Rows", "num"))
        if rows:
            html.draw(html.table("Tables of the data set", columns, rows, reflows=False))
        html.draw(_list("What is read", one.profile.gives))
        cannot = (*_label_sentences(one), *one.profile.cannot)
        if cannot:
            html.draw(_list("Its limits", cannot))
        if one.tables and one.profile.columns:
            with st.expander("Columns", expanded=bool(one.missing())):
                _draw_mapping(page, stage, place, one)


_ROLE_WORDS: Final = {
    "records": "whose ECG each file is",
    "people": "sex and age of each patient",
    "measurements": "statements and intervals",
    "echoes": "echoes",
    "diagnoses": "diagnoses",
    "labels": "patient, age and labels of each ECG",
}


def _label_sentences(one: Recognised) -> tuple[str, ...]:
    return tuple(
        f"Its label {column} means LVEF {meaning} %: it is not ECGDash’s LVEF <= 40 %."
        if meaning not in ("<= 40", "not stated")
        else f"Its label {column} (LVEF {meaning} %) is not read: only a measured LVEF counts."
        for column, meaning in one.label_definitions().items()
        if column != LVEF_ITSELF
    )


def _list(title: str, sentences: tuple[str, ...]) -> Cell:
    items = html.join(*(html.element("li", sentence) for sentence in sentences))
    return Cell(
        html.element("div", title, kind="ed-small ed-muted").html
        + html.element("ul", items, kind="ed-list").html
    )


def _draw_mapping(page: Page, stage: Stage, place: int, one: Recognised) -> None:
    """Let each field choose its column; what changes holds at once."""
    table = one.tables[0].path
    saved = {
        name: mapping
        for name, mapping in saved_mappings(page.settings).items()
        if mapping.profile == one.profile.name
    }
    if saved:
        _draw_saved(stage, table, one, saved)
    examples = _examples(one)
    chosen = {name: list(one.mapping.columns_of(name)) for name in _fields(one.profile)}
    # The key holds the mapping, so that a loaded one fills the choices anew.
    key = f"map-{place}-{hash((one.profile.name, one.mapping.columns))}"
    with st.container(horizontal=True, key=f"ed-map-{place}"):
        for name in chosen:
            label, options = _FIELD_WORDS[name], list(one.columns)
            held = [column for column in chosen[name] if column in options]
            if name in _MANY:
                chosen[name] = st.multiselect(label, options, held, key=f"{key}-{name}", width=280)
                continue
            # A choice that is not None cannot be cleared in a browser: "none" is one of them.
            column = st.selectbox(
                label,
                ["", *options],
                options.index(held[0]) + 1 if held else 0,
                key=f"{key}-{name}",
                format_func=lambda one: f"{one}{examples.get(one, '')}" if one else "none",
                width=280,
            )
            chosen[name] = [column] if column else []
    pairs = tuple((column, name) for name, columns in chosen.items() for column in columns)
    kept = tuple(pair for pair in one.mapping.columns if pair[0] in one.columns)
    if sorted(pairs) != sorted(kept):
        stage.sets = stage.sets.mapped(Mapping(one.profile.name, pairs), table)
        st.rerun()
    _draw_save(page, one.mapping, key)


def _fields(profile: Profile) -> tuple[str, ...]:
    return tuple(dict.fromkeys(field for _, field in profile.columns))


def _examples(one: Recognised) -> dict[str, str]:
    """Return what the first row of each column holds, cut short."""
    cells: dict[str, str] = {}
    for table in one.tables:
        cells |= dict(table.first_row)
    return {
        column: f" ({printable(text)[:_LONGEST_EXAMPLE]})" for column, text in cells.items() if text
    }


def _draw_saved(stage: Stage, table: Path, one: Recognised, saved: MappingOf[str, Mapping]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Saved mapping", list(saved), None, placeholder="none", width=280, key=f"saved-{table}"
        )
        if st.button("Use it", disabled=name is None, key=f"use-{table}") and name is not None:
            if saved[name] != one.mapping:
                stage.sets = stage.sets.mapped(saved[name], table)
            st.rerun()


def _draw_save(page: Page, mapping: Mapping, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Save these columns under a name", key=f"{key}-name", width=280)
        if not st.button("Save", key=f"{key}-save"):
            return
    try:
        save_mapping(mapping, page.settings.mappings_dir, name.strip())
    except EcgDashError as error:
        st.error(error.sentence)
        return
    st.success(f"Saved as “{name.strip()}”. Tables with these columns are recognised from now on.")


def _draw_unknown(stage: Stage, table: Path) -> None:
    """Offer a table of any columns as one of ours."""
    columns = header_of(table)
    profile, mapping = offered_mapping(columns)
    with st.container(border=True):
        html.draw(
            Cell(f'<h2 class="ed-h2">{html.text(_name(table)).html}</h2>'),
            html.text(
                f"A table of {words.plural(len(columns), 'column')} that no profile recognises. "
                "What does it hold?",
                "ed-muted",
            ),
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            options = ["", *(one.name for one in OWN_TABLES)]
            chosen = st.selectbox(
                "It holds",
                options,
                options.index(profile.name) if mapping.columns else 0,
                format_func=_OWN_WORDS.__getitem__,
                key=f"unknown-{table}",
                width=280,
            )
            if st.button("Map its columns", disabled=not chosen, key=f"mapit-{table}"):
                fits = mapping if chosen == profile.name else Mapping(chosen, ())
                stage.sets = stage.sets.mapped(fits, table)
                st.rerun()
