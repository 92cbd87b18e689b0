"""Import ECG files and tables, and see what became of each."""

from ecgdash.ui import html, import_page
from ecgdash.ui.page import setup

with setup("import_data") as page:
    if page.settings.demo:
        html.draw(html.text("This demonstration holds simulated patients only: import is closed."))
    else:
        import_page.draw_form(page)
        import_page.draw_report(page)
