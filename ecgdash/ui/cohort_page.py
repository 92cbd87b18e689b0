"""The cohort page: what the store holds."""

from ecgdash.services.monitoring import WorklistQuery, worklist
from ecgdash.ui import html, words
from ecgdash.ui.html import Cell, Column
from ecgdash.ui.page import Page
from ecgdash.ui.worklist_view import GROUP_TITLES

__all__ = ["draw_counts"]


def draw_counts(page: Page) -> None:
    """Draw counts of patients, ECGs and groups."""
    shown = worklist(page.store, WorklistQuery(page_size=1))
    n_patients = page.store.n_patients()
    facts = f"{words.plural(n_patients, 'patient')} · {words.plural(page.store.n_ecgs(), 'ECG')}"
    html.draw(
        Cell('<div class="ed-title"><h1>Cohort</h1>'), html.text(facts, "ed-counts"), Cell("</div>")
    )
    columns = (Column("Group", "lead"), Column("Patients", "num"))
    rows = [(title, f"{shown.n_by_group.get(key, 0):,}") for key, title in GROUP_TITLES.items()]
    html.draw(html.table("Patients by group", columns, rows))
