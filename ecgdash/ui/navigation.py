"""The pages in one table: menu, addresses and which menu entry a hidden page belongs to."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode

import streamlit as st

__all__ = ["ENTRIES", "Entry", "card_href", "draw_menu", "entry", "href", "open_address"]


@dataclass(frozen=True)
class Entry:
    """One page.

    Attributes
    ----------
    name : str
        The page's address; "" is the worklist.
    script : str
        File, relative to app.py.
    title : str
    parent : str or None
        For a page that is not in the menu: the entry shown as active.
    """

    name: str
    script: str
    title: str
    parent: str | None = None


ENTRIES: Final = (
    Entry("", "app.py", "Worklist"),
    Entry("cohort", "pages/cohort.py", "Cohort"),
    Entry("import_data", "pages/import_data.py", "Import"),
    Entry("models", "pages/models.py", "Models"),
    Entry("patient", "pages/patient.py", "Patient", parent=""),
    Entry("ecg", "pages/ecg.py", "ECG", parent=""),
)


def entry(name: str) -> Entry:
    """Return the row of a page."""
    return next(row for row in ENTRIES if row.name == name)


def draw_menu(active: str) -> None:
    """Draw the top line: name, menu, and "Research use only"."""
    row = entry(active)
    current = active if row.parent is None else row.parent
    with st.container(horizontal=True, key="ed-top", vertical_alignment="center", gap="small"):
        st.html('<span class="ed-name">ECGDash</span>', width="content")
        for item in ENTRIES:
            if item.parent is None:
                state = "on" if item.name == current else "off"
                with st.container(
                    key=f"ed-menu-{state}-{item.name or 'worklist'}", width="content"
                ):
                    st.page_link(item.script, label=item.title)
        st.html(
            '<span class="ed-small ed-muted ed-research">Research use only</span>', width="stretch"
        )


def href(name: str, **keys: str) -> str:
    """Return the deep link of a page; `keys` are random store keys, never hospital ids."""
    return f"{name}?{urlencode(keys)}"


def card_href(family: str, variant: str = "") -> str:
    """Return the deep link to a family's card, with a variant's rows marked if one is named."""
    return href("models", family=family, **({"variant": variant} if variant else {}))


def open_address(address: str) -> None:
    """Switch to the page of a deep link made by `href`, within the session."""
    name, _, query = address.partition("?")
    known = {row.name: row for row in ENTRIES}
    if name in known:
        keys = dict(parse_qsl(query))
        st.switch_page(known[name].script, query_params=keys)
