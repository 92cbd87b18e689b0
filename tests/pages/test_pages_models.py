"""The models page: one family's card, the choice among families, and links to both."""

import re
from dataclasses import replace

import handmade_store
import numpy as np
import pytest
from page_driver import told

from ecgdash.domain import (
    MASKED,
    RECALIBRATED,
    UNCALIBRATED,
    Estimate,
    Patient,
    ProbabilityMap,
    ReliabilityPoint,
    Repeatability,
    TrainingPart,
)
from ecgdash.services.monitoring import WorklistQuery, worklist
from ecgdash.services.scoring import score_patients

SECOND = handmade_store.card("12", "handmade-second")
PAGE = "pages/models.py"


def text_of(at):
    assert not at.exception, at.exception
    assert not at.error
    return told(at).replace("\N{NO-BREAK SPACE}", " ")


def table(text, name):
    """Return a table's rows as lists of plain text."""
    found = re.search(rf'aria-label="{re.escape(name)}".*?</table>', text, re.S).group(0)
    return [
        [" ".join(re.sub(r"<[^>]+>", " ", c).split()) for c in re.findall(r"<td.*?</td>", row)]
        for row in re.findall(r"<tr.*?</tr>", found, re.S)[1:]
    ]


def links(text):
    return [a.replace("&amp;", "&") for a in re.findall(r'href="(models\?[^"]*)"', text)]


@pytest.fixture
def two(empty_site, tmp_path):
    """Return a site with two families of 12 leads; the second calls everybody 0.9."""
    cards = [handmade_store.card("12"), SECOND, handmade_store.card("6")]
    handmade_store.write_cards(tmp_path / "models", cards)
    made = handmade_store.Handmade(empty_site.store, cards)
    key = empty_site.keys["HM-1"] = made.patient("HM-1", "male")
    made.ecg(key, 40, (0.02, 0.03, 0.04), age_years=60)
    made.ecg(key, 9, (0.02, 0.03, 0.04), age_years=60)
    made.engines[1].chosen = dict.fromkeys(made.engines[1].chosen, (0.9, 0.8, 0.7))
    made.score()
    return empty_site


def row_of(site):
    (row,) = worklist(site.store, WorklistQuery(show_folded=True)).rows
    return row.family, row.variant, row.value


def test_several_families_stand_in_a_table_of_links(two):
    at = two.open(PAGE)
    rows = table(text_of(at), "Installed families")
    assert [row[0] for row in rows] == [
        "Made by hand, 12 leads handmade-12",
        "Made by hand, 12 leads handmade-second",
        "Made by hand, 6 leads handmade-6",
    ]
    assert [row[3] for row in rows] == ["active", "not active", "active"]
    assert links(text_of(at))[:3] == [
        "models?family=handmade-12",
        "models?family=handmade-second",
        "models?family=handmade-6",
    ]
    assert "Active: of 2 families for 12 leads" in text_of(at)
    assert not [button for button in at.button if "Show this" in button.label]


def test_choosing_writes_the_worklist_anew_and_is_undone(two):
    assert row_of(two) == ("handmade-12", MASKED, pytest.approx(0.03))
    at = two.open(PAGE, family="handmade-second")
    assert "Not active: for 12 leads worklist and timelines show" in text_of(at)
    at.button(key="use_handmade-second").click().run()
    assert row_of(two) == ("handmade-second", MASKED, pytest.approx(0.8))
    assert "Active: of 2 families for 12 leads" in text_of(at)
    patient = told(two.open("pages/patient.py", patient=two.keys["HM-1"]))
    assert "models?family=handmade-second&amp;variant=masked" in patient
    assert "family=handmade-12" not in patient.split('class="ed-foot"')[0]
    at = two.open(PAGE, family="handmade-12")
    at.button(key="use_handmade-12").click().run()
    assert row_of(two) == ("handmade-12", MASKED, pytest.approx(0.03))


def test_the_only_family_of_its_leads_has_no_choice(two):
    at = two.open(PAGE, family="handmade-6")
    assert "Active: the only installed family for 6 leads." in text_of(at)
    assert not at.button


def test_the_demonstration_shows_the_choice_and_does_not_offer_it(two, monkeypatch):
    monkeypatch.setenv("ECGDASH_DEMO", "1")
    at = two.open(PAGE, family="handmade-second")
    assert at.button(key="use_handmade-second").disabled


def test_rows_left_by_a_stopped_choice_can_be_written(two):
    two.store.set_active_family("12", SECOND.label, SECOND.family)
    at = two.open(PAGE)
    assert "The worklist still shows 1 row as before." in text_of(at)
    at.button(key="refresh_rows").click().run()
    assert row_of(two)[0] == "handmade-second"
    assert "as before" not in text_of(at)


def test_a_link_of_a_removed_family_says_so(two):
    text = text_of(two.open(PAGE, family="gone"))
    assert "The family of this link is not installed any more." in text
    assert "Active: of 2 families for 12 leads" in text


def test_a_link_of_a_lead_set_opens_its_active_family(two):
    text = text_of(two.open(PAGE, leads="6", variant=MASKED))
    assert "Active: the only installed family for 6 leads." in text


def test_a_link_marks_the_rows_of_its_variant(two):
    text = text_of(two.open(PAGE, family="handmade-12", variant=MASKED))
    marked = re.findall(r'<tr class="ed-marked">.*?</tr>', text, re.S)
    assert len(marked) == 1 + 3 + 1  # this family, its three thresholds, its noise floor
    assert all("LVEF-masked" in row for row in marked[1:])


def test_what_was_not_measured_is_said(site):
    text = text_of(site.open(PAGE))
    for words in (
        "not stated on its card",
        "no map was fitted",
        "Not evaluated: no evaluation of these weights",
        "How many ECGs each phase learned from is not stated",
    ):
        assert words in text
    (row, *_) = table(text, "Repeat ECGs, Made by hand, 12 leads")
    assert row[1:3] == ["±0.70", "–"]
    assert row[-1] == "its card does not say on what"


@pytest.fixture
def full(empty_site, tmp_path):
    """Return a site whose family has every part of a card."""
    points = (
        ReliabilityPoint(0.02, Estimate(0.01, 0.002, 0.03), 200),
        ReliabilityPoint(0.31, Estimate(0.33, 0.26, 0.40), 200),
    )
    map_ = ProbabilityMap(
        1.07, -0.31, "simulated validation", 1000, 80, "simulated test", 400, 68, 0.0512, 0.0533,
        0.96, 0.04, 0.0131, points,
    )  # fmt: skip
    repeat = Repeatability(
        "simulated stable patients", 90, 45, -0.02, -0.72, 0.68, Estimate(0.91, 0.86, 0.94),
        Estimate(0.77, 0.6, 0.9), 0.067, ((-3.0, 0.1), (-2.0, -0.4)),
    )  # fmt: skip
    plain = handmade_store.card("12")
    last = replace(plain.variants[-1], probability=map_, repeatability=repeat)
    card = replace(
        plain,
        variants=(*plain.variants[:-1], last),
        label_definition="measured within 14 days",
        must_not=("paced rhythm", "guiding <b>care"),
        chosen=("filter order 4",),
        differs=("a smaller network",),
        training_data=(
            TrainingPart("pretrain", "train", 32000, 16000, None),
            TrainingPart("finetune", "train", 9000, 9000, 720),
        ),
    )
    handmade_store.write_cards(tmp_path / "models", [card])
    return empty_site


def test_a_full_card_shows_every_part(full):
    at = full.open(PAGE)
    text = text_of(at)
    assert "<li>paced rhythm</li><li>guiding &lt;b&gt;care</li>" in text
    assert "<b>LVEF ≤ 40 %: </b>measured within 14 days" in text
    for words in ("filter order 4", "a smaller network", "A card for tests."):
        assert f"<li>{words}</li>" in text
    row, masked, _ = table(text, "Probability maps of Made by hand, 12 leads")
    assert row[1:7] == ["0.0512", "0.0533", "0.96", "+0.04", "0.0131",
                        "prevalence 17.0 %"]  # fmt: skip
    assert row[7] == "SIMULATED: simulated test; 68 of 400 positive"
    assert row[8].startswith("logit(probability) = 1.07 × logit(score) −0.31; SIMULATED")
    assert "no map was fitted" in masked[7]
    row, *_ = table(text, "Repeat ECGs, Made by hand, 12 leads")
    assert row[1:9] == ["±0.70", "−0.02", "−0.72 to +0.68", "0.91 0.86–0.94", "0.77 0.60–0.90",
                        "6.7 %", "90", "45"]  # fmt: skip
    rows = table(text, "Training data of Made by hand, 12 leads")
    assert [row[2:] for row in rows] == [
        ["32,000", "16,000", "many labels"],
        ["9,000", "9,000", "720 (8.0 %)"],
    ]
    assert len(at.get("plotly_chart")) == 2


@pytest.mark.parametrize("of", ["full", "site"])
def test_a_card_s_contents_lead_to_the_sections_it_has(of, request):
    text = text_of(request.getfixturevalue(of).open(PAGE))
    nav = re.search(r'<nav class="ed-contents".*?</nav>', text, re.S).group(0)
    led_to = re.findall(r'href="#(card-[a-z]+)"', nav)
    there = re.findall(r'<h2 class="ed-h2" id="(card-[a-z]+)"', text)
    assert led_to == there
    assert len(there) >= 5


def test_every_score_of_a_patient_links_to_its_card(site):
    text = told(site.open("pages/patient.py", patient=site.keys["HM-0102"]))
    scores = re.search(r'aria-label="Scores of this ECG".*?</table>', text, re.S).group(0)
    for variant in (RECALIBRATED, MASKED, UNCALIBRATED):
        assert links(scores).count(f"models?family=handmade-12&variant={variant}") == 2
    listed = re.search(r'aria-label="ECGs".*?</table>', text, re.S).group(0)
    values = re.findall(r">(0\.\d\d)<", listed)
    assert len(values) >= 10
    linked = re.findall(r'<a class="ed-open ed-card"[^>]*>(?:<[^>]+>)?(0\.\d\d)<', listed)
    assert linked == values
    assert "Noise floor: model card" in text
    assert "Threshold and its origin: model card" in text


def test_the_ecg_page_links_too(site):
    (ecg, *_) = site.store.ecgs_of(site.keys["HM-0391"])
    text = told(site.open("pages/ecg.py", patient=site.keys["HM-0391"], ecg=ecg.key))
    assert "models?family=handmade-1&variant=uncalibrated" in links(text)


def test_no_score_has_no_link(site):
    text = told(site.open("pages/patient.py", patient=site.keys["HM-0204"]))
    assert "variant=" not in text


def test_figures_of_the_cohort_link_to_the_card(two):
    """Enough pairs with and without LVSD for figures: scores as the first family gives them."""
    for number in range(12):
        key = two.store.put_patient(Patient(f"C{number}", "local", "male", 1950), simulated=True)
        made = handmade_store.Handmade(two.store, [handmade_store.card("12")])
        made.rng = np.random.default_rng(number)
        score = 0.02 + 0.05 * number
        made.ecg(key, 100, (score, score, score), age_years=60)
        made.echo(key, f"C{number}", 100, 30 if number > 5 else 60)
        score_patients(two.store, made.engines, [key])
    at = two.open("pages/cohort.py")
    at.button[0].click().run()
    found = links(text_of(at))
    assert found.count("models?family=handmade-12&variant=uncalibrated") >= 3
