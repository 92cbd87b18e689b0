"""A patient's course: scores and LVEF over time, and what stands behind the latest score."""

import streamlit as st

from ecgdash.services.explaining import with_contributions
from ecgdash.services.monitoring import summary, timeline
from ecgdash.ui import flag_table, patient_actions, patient_tables, patient_view, what_if
from ecgdash.ui.components import print_button
from ecgdash.ui.other_models import draw_other_models
from ecgdash.ui.page import setup

with setup("patient") as page:
    patient_view.open_clicked(st.query_params.get("patient", ""))
    course = timeline(page.store, st.query_params.get("patient", ""), page.cards)
    course = with_contributions(course, page.history_terms)
    page.say_whose([course.simulated])
    told = summary(course, page.now)
    patient_view.draw_header(course, page)
    patient_view.draw_summary(told, course)
    if course.points:
        with st.container(horizontal=True, vertical_alignment="bottom", key="ed-controls"):
            variant = patient_view.choose_variant(course)
            st.space("stretch")
            patient_actions.draw_actions(course, page)
            print_button("Print one page")
        left, right = st.columns([2.15, 1], gap="large")
        with left:
            patient_view.draw_plot(course, variant, page, alt=told.first_sentence)
        with right:
            with st.container(key="ed-shown-scores"):
                point = patient_view.choose_ecg(course, page)
                patient_view.draw_scores(point, course, page)
            with st.container(key="ed-shown-history"):
                patient_tables.draw_history(point, variant, course, page)
            what_if.draw_what_if(point, variant, course, page)
        flag_table.draw_flags(point, course, page)
    with st.container(key="ed-noprint-lists"):
        patient_tables.draw_ecgs(course, page)
        patient_tables.draw_undated(course, page)
        draw_other_models(course, page)
        patient_tables.draw_echoes(course, page)
