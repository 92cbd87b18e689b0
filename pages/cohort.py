"""The stored patients as a whole: counts, and scores against the stored echoes."""

from ecgdash.ui import cohort_page
from ecgdash.ui.page import setup

with setup("cohort") as page:
    cohort_page.draw_counts(page)
    cohort_page.draw_evaluation(page)
