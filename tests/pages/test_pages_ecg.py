"""The ECG page: head, sheet, parts, filters, and what changed since an earlier ECG."""

import html
import json
import re
import struct
from dataclasses import replace

import numpy as np
import pytest
from page_driver import told

from ecgdash import __version__
from ecgdash.domain import CANONICAL_LEADS, EcgRecord, GateResult
from ecgdash.inference.gate import gate
from ecgdash.plots.sheets import LARGEST_PAYLOAD_BYTES
from ecgdash.services.changes import logit
from ecgdash.signal.display_filter import DisplayFilter, display_filtered
from ecgdash.store import Findings
from ecgdash.ui import state

HALF_A_MICROVOLT = 0.00051


def blocks_of(at, name="ecgdash_viewer"):
    """Return the bytes that a component was given, once per time it stands on the page."""
    found = [c for c in at.get("bidi_component") if c.proto.component_name == name]
    return [component.proto.bytes for component in found]


def opened(block):
    """Return head and samples, shape (n_leads, n_samples), millivolts."""
    (size,) = struct.unpack_from("<I", block)
    head = json.loads(block[4 : 4 + size])
    n = len(head["leads"]) * head["n_samples"]
    samples = np.frombuffer(block[4 + size :], "<i2")[:n].reshape(len(head["leads"]), -1)
    return head, np.where(samples == -32768, np.nan, samples / 1000.0)


def open_ecg(site, code, number):
    """Open a patient's ECG by its place in time; return the page and the ECG."""
    ecg = site.store.ecgs_of(site.keys[code])[number]
    at = site.open("pages/ecg.py", patient=site.keys[code], ecg=ecg.key)
    assert not at.exception
    assert not at.error
    return at, ecg


@pytest.mark.parametrize("code", ["HM-0102", "HM-0276", "HM-0391", "HM-0500"])
def test_the_sheet_holds_the_whole_recording_as_stored(site, code):
    for number in range(min(len(site.store.ecgs_of(site.keys[code])), 2)):
        at, ecg = open_ecg(site, code, number)
        head, samples = opened(blocks_of(at)[0])
        record = site.store.record(ecg.key)
        assert tuple(head["leads"]) == record.leads
        assert head["recording_s"] == record.duration_s
        assert samples.shape == record.signal_mv.shape
        assert np.abs(samples - record.signal_mv).max() <= HALF_A_MICROVOLT
        assert "Display: as recorded" in head["foot"]
        assert "model input 0.67–40 Hz" in head["foot"]
        assert not any(word in head["title"] for word in (code, ecg.key))


def test_the_page_says_what_computed_the_scores(site):
    at, ecg = open_ecg(site, "HM-0102", -1)
    stored = site.store.predictions_of(ecg.patient_key)[ecg.key].values()
    made = next(one.provenance for one in stored if one.lead_set == "12")
    row = re.search(r"Scores come from.*?</tr>", told(at), re.S).group(0)
    shown = html.unescape(re.sub(r"<[^>]+>", " ", row))
    for words in (
        f"{made.family}, weights sha256 {made.weights_sha256[:4]}…{made.weights_sha256[-4:]};",
        "computed by chosen by the test;",
        f"ECGDash {__version__}, ",
    ):
        assert words in shown
    withheld, _ = open_ecg(site, "HM-0276", -1)
    row = re.search(r"Scores come from.*?</tr>", told(withheld), re.S).group(0)
    assert "no score" in row


def test_a_display_filter_is_drawn_named_and_kept(site):
    at, ecg = open_ecg(site, "HM-0102", -1)
    at.selectbox(key="ecg_band").select(2).run()
    assert not at.exception
    head, samples = opened(blocks_of(at)[0])
    record = site.store.record(ecg.key)
    expected = display_filtered(record.signal_mv, record.sampling_hz, DisplayFilter((0.5, 40.0)))
    assert np.abs(samples - expected).max() <= HALF_A_MICROVOLT
    assert np.abs(samples - record.signal_mv).max() > 0.05
    assert "Display: 0.5–40 Hz;" in head["foot"]
    at.checkbox(key="ecg_mains").check().run()
    assert "Display: 0.5–40 Hz and 50 Hz notch;" in opened(blocks_of(at)[0])[0]["foot"]


def test_the_head_says_what_is_known_and_what_is_missing(site):
    at, _ = open_ecg(site, "HM-0102", -1)
    text = told(at)
    for words in ("HM-0102", "woman, 71 y", "unconfirmed", "LBBB", "formula of the cart"):
        assert words in text
    assert '<span title="not in the file">–</span>' in text  # PR, which the file does not hold
    assert '<span title="not found">–</span>' in text
    assert "Filter of the cart:</b> not stated" in text


def test_a_withheld_ecg_says_why_first(site):
    at, _ = open_ecg(site, "HM-0276", -1)
    text = told(at)
    assert "Score withheld: lead V2 is flat for 10.0 s." in text
    assert text.index("Score withheld: lead V2") < text.index("Measurements of this ECG")
    excluded, _ = open_ecg(site, "HM-0204", -1)
    assert "No score: paced rhythm. The model is not made for this." in told(excluded)


def test_the_previous_analysable_ecg_is_compared_first(site):
    at, _ = open_ecg(site, "HM-0102", -1)
    ecgs = site.store.ecgs_of(site.keys["HM-0102"])
    assert ecgs[-2].gate.status == "poor_quality"
    chosen = next(box for box in at.selectbox if box.label == "Compare with")
    assert chosen.value == ecgs[-3].key
    assert len(chosen.options) == len(ecgs)  # every other one, and none
    text = told(at)
    # 0.03 to 0.31 by the recalibrated score: 2.68 logits, against a noise floor of 0.7
    assert logit(0.31) - logit(0.03) > 0.7
    assert '+0.28 <b class="ed-small">beyond noise</b>' in text
    # 0.85 to 0.93: 0.85 logits, against 0.9
    assert logit(0.93) - logit(0.85) < 0.9
    assert '+0.08 <span class="ed-small ed-muted">within noise</span>' in text
    assert "by the cart, for both ECGs." in text
    assert "repeatability was not measured" in text
    chosen.select("").run()
    assert "Change between the two ECGs" not in told(at)


def test_both_sheets_stand_below_each_other(site):
    at, _ = open_ecg(site, "HM-0102", -1)
    earlier = site.store.record(site.store.ecgs_of(site.keys["HM-0102"])[-3].key)
    at.segmented_control(key="ecg_way").set_value("beside").run()
    assert not at.exception
    _, second = blocks_of(at)
    assert np.abs(opened(second)[1] - earlier.signal_mv).max() <= HALF_A_MICROVOLT
    assert not blocks_of(at, "ecgdash_beats")


def test_scores_of_other_leads_are_not_compared(site):
    at, _ = open_ecg(site, "HM-0391", 2)
    text = told(at)
    assert "Scores are not compared: the two ECGs are scored by different leads." in text
    assert "Scores of both ECGs" not in text


def test_the_canvas_and_the_page_tell_the_same_words(site):
    at, ecg = open_ecg(site, "HM-0102", -1)
    words = opened(blocks_of(at)[0])[0]["alt"]
    for part in (
        "woman, 71 y; 12 leads, 10.0 s at 250 Hz",
        "By the cart: rate 68 /min, QRS 96 ms, QTc, formula of the cart, 431 ms",
        "Quality: analysable.",
        "Recalibrated score 0.31, above its threshold of 0.08",
        "recalibrated score from 0.03 to 0.31, beyond noise",
        "uncalibrated score from 0.85 to 0.93, within noise",
    ):
        assert part in words
    assert words in told(at)
    assert ecg.key not in words


def long_record(seconds, leads=CANONICAL_LEADS, hz=500.0):
    noise = np.random.default_rng(3).standard_normal((len(leads), round(seconds * hz)))
    return EcgRecord((0.1 * noise).astype(np.float32), leads, hz, file_format="wfdb")


def test_a_long_recording_comes_in_parts_that_hold_all_of_it(site):
    record = long_record(65.0)
    window = GateResult(window_s=(30.0, 40.0))
    key = site.store.add_ecg(site.keys["HM-0102"], record, Findings(window))
    at = site.open("pages/ecg.py", patient=site.keys["HM-0102"], ecg=key)
    parts = at.number_input(key=f"ecg_part_{key}")
    assert (parts.value, parts.max) == (3, 5)  # 14 s fit a sheet: 28 to 42 s is the third part
    shown = []
    for number in range(1, 6):
        at.number_input(key=f"ecg_part_{key}").set_value(number).run()
        assert not at.exception
        (block,) = blocks_of(at)
        assert len(block) < LARGEST_PAYLOAD_BYTES
        head, samples = opened(block)
        assert head["start_s"] == pytest.approx(sum(part.shape[1] for part in shown) / 500.0)
        assert f"part {number} of 5" in head["foot"]
        shown.append(samples)
    stored = site.store.record(key).signal_mv
    assert np.abs(np.concatenate(shown, axis=1) - stored).max() <= HALF_A_MICROVOLT


def test_a_fast_recording_says_at_which_rate_it_is_drawn(site):
    key = site.store.add_ecg(
        site.keys["HM-0102"], long_record(10.0, hz=1000.0), Findings(GateResult())
    )
    at = site.open("pages/ecg.py", patient=site.keys["HM-0102"], ecg=key)
    (block,) = blocks_of(at)
    head, samples = opened(block)
    assert samples.shape == (12, 5000)
    assert "drawn at 500 of 1000 Hz" in head["foot"]
    assert len(block) < LARGEST_PAYLOAD_BYTES


def test_arbitrary_units_are_said(site):
    (ecg, *_) = site.store.ecgs_of(site.keys["HM-0102"])
    record = site.store.record(ecg.key)
    moved = replace(record, in_millivolts=False, signal_mv=record.signal_mv * 0.5)
    key = site.store.add_ecg(site.keys["HM-0102"], moved, Findings(gate(moved)))
    at = site.open("pages/ecg.py", patient=site.keys["HM-0102"], ecg=key)
    assert not opened(blocks_of(at)[0])[0]["in_millivolts"]
    assert "amplitudes are in arbitrary units" in told(at)
    assert "No median beats of this ECG: its amplitudes are in arbitrary units." in told(at)
    real, _ = open_ecg(site, "HM-0102", 0)
    assert opened(blocks_of(real)[0])[0]["in_millivolts"]


def test_an_unknown_ecg_is_one_sentence(site):
    at = site.open("pages/ecg.py", ecg="nothing")
    assert "no such ECG" in at.error[0].value


def test_a_clicked_point_opens_its_ecg(site):
    at = site.open("pages/patient.py", patient=site.keys["HM-0102"])
    first = site.store.ecgs_of(site.keys["HM-0102"])[0]
    at.session_state[state.OPENED_ECG] = first.key  # what the plot's callback notes
    at.run()
    assert not at.exception
    assert at.query_params["ecg"] in (first.key, [first.key])
    assert f"ECG, {first.recorded_at.day} {first.recorded_at:%b %Y}" in told(at)
    assert state.OPENED_ECG not in at.session_state
