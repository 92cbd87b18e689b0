"""The worklist page: counts, controls, table, legend, download."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ecgdash.domain import FamilyCard, WorklistPage, WorklistRow
from ecgdash.services.monitoring import WorklistQuery, worklist
from ecgdash.ui import html, state, words
from ecgdash.ui.components import draw_worklist
from ecgdash.ui.html import Cell
from ecgdash.ui.page import RESEARCH_USE, Page
from ecgdash.ui.worklist_others import others_json
from ecgdash.ui.worklist_view import legend, worklist_view

__all__ = ["choose_query", "draw_table", "draw_title", "place_title", "worklist_csv"]

_ORDERS: Final = {
    "action": "Needs action first",
    "change": "Largest rise first",
    "score": "Highest score first",
    "last_ecg": "Latest ECG first",
    "patient": "Patient code",
}
_CHANGES: Final = {"rise": "Rising beyond noise", "fall": "Falling beyond noise"}
_ECHOES: Final = {"old": "Older than 12 months", "none": "None on file"}
_GROUPS: Final = {"act": "Needs action", "repeat": "Repeat", "stable": "Stable"}
_FLAGS: Final = tuple(words.FLAG_WORDS)
_ANY: Final = "Any"
_NAMED_FILTERS: Final = 3
"""Filters named on the button; the rest are counted, so that it fits a phone."""
_EXPORT_ROWS: Final = 500
"""Rows per query of the download, so that the whole list is never loaded at once."""


def place_title() -> DeltaGenerator:
    """Keep the place of the title, whose counts come from the query below it."""
    return st.empty()


def draw_title(place: DeltaGenerator, shown: WorklistPage, query: WorklistQuery) -> None:
    """Draw title and counts; the counts come from the same query as the table."""
    groups = shown.n_by_group
    counts = [
        html.text(words.plural(shown.n_patients, "patient")),
        html.bold(f"{groups.get('act', 0):,} need action"),
        html.text(f"{groups.get('repeat', 0):,} to repeat"),
    ]
    if shown.n_folded:
        counts.append(
            html.text(f"{shown.n_folded:,} folded away (known low LVEF, or already acted on)")
        )
    if query.find.strip() or any((query.flags, query.change, query.last_echo, query.groups)):
        counts.append(html.text(f"{shown.n_matching:,} match the filters"))
    joined = " · ".join(part.html for part in counts)
    place.html(
        f'<div class="ed-title"><h1>Worklist</h1><span class="ed-counts">{joined}</span></div>'
    )


def choose_query(page: Page) -> WorklistQuery:
    """Draw the control row and return what it asks for."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="ed-controls"):
        find = st.text_input(
            "Find patient", placeholder="Code, e.g. SIM-0102", width=175, on_change=_first_page
        )
        order = st.selectbox(
            "Order",
            list(_ORDERS),
            format_func=_ORDERS.__getitem__,
            width=175,
            on_change=_first_page,
        )
        place = st.empty()
        chosen = {
            key: st.session_state.get(f"filter_{key}")
            for key in ("flags", "change", "echo", "group", "folded")
        }
        with place.popover(_filter_words(chosen), icon=":material/filter_list:"):
            filters = _choose_filters()
        query = WorklistQuery(
            find=find,
            order=cast(Any, order),
            page=int(st.session_state.get(state.WORKLIST_PAGE, 1)),
            **filters,
        )
        _draw_download(query, page)
    return query


def _choose_filters() -> dict[str, Any]:
    flags = st.pills(
        "Flags of the latest ECG (several: all of them)",
        _FLAGS,
        selection_mode="multi",
        format_func=words.flag_words,
        key="filter_flags",
        on_change=_first_page,
    )
    change = _segments("Change since last", _CHANGES, "change")
    echo = _segments("Last echo", _ECHOES, "echo")
    group = _segments("Group", _GROUPS, "group")
    folded = st.toggle("Show folded patients", key="filter_folded", on_change=_first_page)
    return {
        "show_folded": folded,
        "flags": tuple(flags),
        "change": (change,) if change else (),
        "last_echo": echo,
        "groups": (group,) if group else (),
    }


def _segments(label: str, names: dict[str, str], key: str) -> str | None:
    chosen = st.segmented_control(
        label,
        [_ANY, *names],
        default=_ANY,
        required=True,
        format_func=lambda name: names.get(name, _ANY),
        key=f"filter_{key}",
        on_change=_first_page,
    )
    return None if chosen in (None, _ANY) else chosen


def _filter_words(chosen: dict[str, Any]) -> str:
    names = [words.flag_words(flag) for flag in words.in_order(chosen["flags"] or ())]
    for key, table in (("change", _CHANGES), ("echo", _ECHOES), ("group", _GROUPS)):
        if chosen[key] in table:
            name = table[chosen[key]].lower()
            names.append(f"echo {name}" if key == "echo" else name)
    if chosen["folded"]:
        names.append("folded shown")
    if len(names) > _NAMED_FILTERS:
        names = [*names[:_NAMED_FILTERS], f"+{len(names) - _NAMED_FILTERS}"]
    return f"Filters: {', '.join(names) or 'none'}"


def _first_page() -> None:
    st.session_state[state.WORKLIST_PAGE] = 1


def _draw_download(query: WorklistQuery, page: Page) -> None:
    cards = page.cards
    st.download_button(
        "Download CSV",
        lambda: worklist_csv(page.store, query, cards),
        file_name="ecgdash_worklist_research_use_only.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def draw_table(shown: WorklistPage, query: WorklistQuery, page: Page) -> None:
    """Draw rows, legend and page numbers, or say that nothing matches."""
    page.say_whose(page.store.patient(row.key).simulated for row in shown.rows)
    if not shown.rows:
        html.draw(html.text("No patient matches. Clear the search or the filters.", "ed-muted"))
        return
    draw_worklist(worklist_view(shown, page.now, page.zone, grouped=query.order == "action"))
    html.draw(Cell(f'<p class="ed-caption">{html.text(legend(shown)).html}</p>'))
    n_pages = -(-shown.n_matching // shown.page_size)
    if n_pages > 1:
        st.pagination(n_pages, key=state.WORKLIST_PAGE)


def worklist_csv(store: Any, query: WorklistQuery, cards: Sequence[FamilyCard] = ()) -> bytes:
    """Return every row that matches as CSV, read page by page.

    Scores of other families that are among `cards` stand in one cell, as a JSON list. Text
    cells that a spreadsheet would run as a formula get a leading apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*_CSV_COLUMNS, "notice"])
    number = 1
    while True:
        part = worklist(store, replace(query, page=number, page_size=_EXPORT_ROWS), cards)
        writer.writerows([*_csv_row(row), RESEARCH_USE] for row in part.rows)
        if number * _EXPORT_ROWS >= part.n_matching:
            return out.getvalue().encode("utf-8")
        number += 1


_CSV_COLUMNS: Final = (
    "patient",
    "site",
    "age_years",
    "sex",
    "flags",
    "group",
    "lead_set",
    "family",
    "variant",
    "score",
    "threshold",
    "change_from_score",
    "change_to_score",
    "change_logit",
    "change_beyond_noise",
    "last_lvef_percent",
    "last_echo_at",
    "last_ecg_at",
    "n_ecgs",
    "next_step",
    "reason",
    "other_scores",
)


def _csv_row(row: WorklistRow) -> list[object]:
    change = row.change
    moved: list[object] = ["", "", "", ""]
    if change is not None:
        moved = [
            change.earlier_value,
            change.value,
            change.difference_logit,
            "" if change.beyond_noise is None else change.beyond_noise,
        ]
    return [
        html.csv_safe(row.code),
        html.csv_safe(row.site),
        row.age_years,
        row.sex,
        "; ".join(row.flags),
        row.group,
        row.lead_set,
        row.family,
        row.variant,
        row.value,
        row.threshold,
        *moved,
        row.last_lvef_percent,
        row.last_echo_at.isoformat() if row.last_echo_at else None,
        row.last_ecg_at.isoformat() if row.last_ecg_at else None,
        row.n_ecgs,
        row.next_step,
        row.next_reason,
        others_json(row),
    ]
