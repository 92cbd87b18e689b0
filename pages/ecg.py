"""One ECG on paper, with its scores, over or beside an earlier one."""

import streamlit as st

from ecgdash.services.monitoring import ecg_facts, ecg_record, timeline
from ecgdash.ui import (
    ecg_compare,
    ecg_explain,
    ecg_header,
    ecg_page,
    ecg_sheet,
    ecg_stability,
    ecg_words,
    patient_view,
)
from ecgdash.ui.components import print_button
from ecgdash.ui.page import setup

with setup("ecg") as page:
    facts = ecg_facts(page.store, st.query_params.get("ecg", ""))
    course = timeline(page.store, facts.patient_key, page.cards)
    page.say_whose([course.simulated])
    ecg_header.draw_header(facts, course, page)
    point = ecg_words.point_of(facts.key, course)
    record = ecg_record(page.store, facts.key)
    with st.container(horizontal=True, vertical_alignment="bottom", key="ed-controls"):
        drawing = ecg_sheet.choose_drawing(record, facts)
        compared = ecg_compare.choose_compared(point, course, page)
        way = ecg_compare.choose_way(compared)
        against = None if compared is None else compared.ecg
        explanation = ecg_explain.choose_explanation(facts, course, page, against)
        st.space("stretch")
        print_button("Print")
    told = ecg_words.paragraph(facts, course, compared, page.zone)
    left, right = st.columns([1012, 360], gap="medium")
    with left, st.container(key="ed-ecg-sheet"):
        title = ecg_words.sheet_title(facts, course, page.zone)
        reads = ecg_sheet.input_words(facts.key, course, page)
        about = ecg_sheet.SheetWords(title, told, course.simulated, reads)
        ecg_sheet.draw_sheet(record, facts, drawing, about, overlay=explanation.overlay)
        ecg_explain.draw_map_notes(explanation, facts, course, page)
    with right, st.container(key="ed-ecg-values"):
        if point is not None:
            with st.container(key="ed-ecg-scores"):
                patient_view.draw_scores(point, course, page, linked=False)
        ecg_compare.draw_changes(point, compared, course, page)
        ecg_explain.draw_waves(explanation)
    with left:
        with st.container(key="ed-ecg-compared"):
            shown = ecg_compare.Shown(record, facts, course, page)
            ecg_compare.draw_compared(shown, compared, way, drawing)
        with st.container(key="ed-ecg-about"):
            ecg_page.draw_about(facts, point, page.zone)
        ecg_page.draw_words(told)
    ecg_explain.draw_map_trust(explanation, page)
    ecg_stability.draw_stability(facts, course, page)
