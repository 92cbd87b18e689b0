"""Import ECG files and tables, and see what became of each."""

from ecgdash.ui import html, import_page, import_report
from ecgdash.ui.page import setup

with setup("import_data") as page:
    if page.settings.demo:
        html.draw(html.text("This demonstration holds simulated patients only: import is closed."))
    else:
        try:
            import_page.draw_form(page)
        finally:  # what was stored is told, even where scoring failed
            import_report.draw_report(page)
