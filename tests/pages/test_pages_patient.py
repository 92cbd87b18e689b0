"""The patient page, over every handmade patient."""

import json
import re
from datetime import UTC, datetime

import handmade_store
import pytest
from page_driver import told

from ecgdash.domain import EchoStudy, VariantScore
from ecgdash.domain.patient import EchoNotes
from ecgdash.services.monitoring import timeline

CODES = (
    "HM-0102",
    "HM-0150",
    "HM-0311",
    "HM-0276",
    "HM-0204",
    "HM-0391",
    "HM-0500",
    "HM-0501",
)


def open_patient(site, code):
    at = site.open("pages/patient.py", patient=site.keys[code])
    assert not at.exception, at.exception
    assert not at.error
    return at


def drawn(at):
    """Return the plotted scores of the first figure: {(variant, lead set): {ecg: score}}."""
    figure = json.loads(at.get("plotly_chart")[0].proto.spec)
    found = {}
    for trace in figure["data"]:
        meta = trace.get("meta") or {}
        if "variant" in meta:
            points = {key: score for key, score in trace["customdata"] if key}
            found[meta["variant"], meta["lead_set"]] = points
    return found


@pytest.mark.parametrize("code", CODES)
def test_every_patient_opens(site, code):
    at = open_patient(site, code)
    assert f"<h1>{code}</h1>" in told(at)
    assert "Research use only. Not a medical device" in told(at)
    assert "Simulated patients and a model trained on simulated data." in told(at)


@pytest.mark.parametrize("code", CODES)
def test_plotted_points_equal_the_stores(site, code):
    at = open_patient(site, code)
    course = timeline(
        site.store, site.keys[code], [handmade_store.card(n) for n in ("12", "6", "1")]
    )
    expected = {}
    for point in course.points:
        for variant, score in point.scores.items():
            if isinstance(score, VariantScore):
                expected.setdefault((variant, point.lead_set), {})[point.ecg] = score.value
    assert (drawn(at) if course.points else {}) == expected


def test_summary_and_step(site):
    text = told(open_patient(site, "HM-0102"))
    assert "rose from 0.03 to 0.31 and is now above its threshold of 0.08" in text
    assert "<b>Suggested next step:</b> echo" in text
    assert "ed-summary act" in text


def test_history_slots_with_imputed_copies(site):
    text = told(open_patient(site, "HM-0150"))
    assert text.count("● observed") == 3
    second = timeline(site.store, site.keys["HM-0150"], [handmade_store.card()]).points[1]
    at = open_patient(site, "HM-0150")
    at.selectbox[0].select(second.ecg).run()
    text = told(at)
    assert "Chosen ECG" in text
    assert text.count("● observed") == 1
    assert text.count("○ imputed") == 2
    assert "copy of slot 1" in text


def test_history_adds_up(site):
    text = told(open_patient(site, "HM-0102"))
    sentence = re.search(r"This ECG (\S+), history (\S+), sum (\S+): score 0.31", text)
    ecg, history, total = (float(part.replace("−", "-")) for part in sentence.groups())
    assert ecg + history == pytest.approx(total, abs=0.15)
    assert total == pytest.approx(-0.8, abs=0.05)
    rows = re.findall(r'aria-label="(lowers|raises) the logit by ([\d.]+)"', text)
    assert len(rows) == 3
    pushes = [float(value) * (-1 if verb == "lowers" else 1) for verb, value in rows]
    assert sum(pushes) == pytest.approx(history, abs=0.1)


def test_emphasis_changes_history_and_plot(site):
    at = open_patient(site, "HM-0102")
    at.get("button_group")[0].set_value("uncalibrated").run()
    assert not at.exception
    assert "The uncalibrated score uses this ECG alone" in told(at)
    figure = json.loads(at.get("plotly_chart")[0].proto.spec)
    widths = {
        t["meta"]["variant"]: t["line"]["width"]
        for t in figure["data"]
        if "variant" in (t.get("meta") or {})
    }
    assert widths == {"uncalibrated": 2.5, "masked": 1.5, "recalibrated": 1.5}


def test_withheld_and_excluded_keep_their_rows(site):
    assert "× withheld: lead V2 is flat for 10.0 s" in told(open_patient(site, "HM-0102"))
    text = told(open_patient(site, "HM-0204"))
    assert "× excluded: paced rhythm" in text
    assert "No score: paced rhythm." in text


def test_undated_ecgs_stand_apart(site):
    at = open_patient(site, "HM-0500")
    assert "ECGs without a date" in told(at)
    assert not at.get("plotly_chart")


def test_echo_not_paired_is_said(site):
    assert "not paired" in told(open_patient(site, "HM-0501"))
    assert "paired with the ECG of" in told(open_patient(site, "HM-0150"))


def test_linear_axis(site):
    at = open_patient(site, "HM-0102")
    at.checkbox(key="linear_score_axis").check().run()
    figure = json.loads(at.get("plotly_chart")[0].proto.spec)
    assert figure["layout"]["yaxis"]["ticktext"][-1] == "1"


def test_unknown_key_is_one_sentence(site):
    at = site.open("pages/patient.py", patient="nobody")
    assert not at.exception
    assert "no such patient in this store" in at.error[0].value


def test_text_of_a_patient_is_never_markup(site):
    key = site.store.put_patient(
        handmade_store.Patient("<img src=x onerror=alert(1)>", "local", "male", 1950)
    )
    at = site.open("pages/patient.py", patient=key)
    assert not at.exception
    assert "<img" not in told(at)
    assert "&lt;img" in told(at)


def test_links_carry_random_keys_only(site):
    for code in CODES:
        links = re.findall(r'href="([^"]*)"', told(open_patient(site, code)))
        assert links
        assert not [link for link in links if code in link or "HM-" in link]


def test_a_kept_report_stands_beside_its_echo(site):
    at = open_patient(site, "HM-0102")
    assert "Report, as written" not in told(at)
    when = datetime(2020, 1, 2, 12, tzinfo=UTC)
    notes = EchoNotes("LVEF 52 %. <b>Akinetic</b> apex.", ("<b>Akinetic</b> apex",), ())
    study = EchoStudy("HM-0102", when, when.date(), 52.0, report=notes)
    site.store.add_echo(site.keys["HM-0102"], study)
    text = told(open_patient(site, "HM-0102"))
    assert "Report, as written" in text
    assert "&lt;b&gt;Akinetic&lt;/b&gt; apex" in text
