"""One ECG on paper, with its scores and what the gate said."""

import streamlit as st

from ecgdash.services.monitoring import ecg_facts, ecg_record, timeline
from ecgdash.ui import ecg_page
from ecgdash.ui.page import setup

with setup("ecg") as page:
    facts = ecg_facts(page.store, st.query_params.get("ecg", ""))
    course = timeline(page.store, facts.patient_key, page.cards)
    page.say_whose([course.simulated])
    ecg_page.draw_header(facts, course, page)
    left, right = st.columns([1012, 360], gap="medium")
    with left:
        ecg_page.draw_paper(ecg_record(page.store, facts.key), facts)
        ecg_page.draw_about(facts)
    with right:
        ecg_page.draw_values(facts, course, page)
