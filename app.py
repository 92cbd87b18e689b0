"""The worklist: Streamlit's first page. Start it with `streamlit run app.py`."""

from ecgdash.services.monitoring import worklist
from ecgdash.ui import empty_store, worklist_page
from ecgdash.ui.page import setup

with setup("") as page:
    if empty_store.is_wanted(page):
        empty_store.draw(page)
    else:
        title = worklist_page.place_title()
        query = worklist_page.choose_query(page)
        shown = worklist(page.store, query, page.cards)
        worklist_page.draw_title(title, shown, query)
        worklist_page.draw_table(shown, query, page)
