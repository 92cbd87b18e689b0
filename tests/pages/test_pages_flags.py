"""The flag table of the patient page: sources, both settings, own figures, PPV and NPV."""

import json
import re
from html import unescape

import handmade_store
import pytest
from page_driver import told

from ecgdash.domain import Flag
from ecgdash.services.family_figures import add_evaluation
from ecgdash.stats import predictive_values

FAMILY = "handmade-12"


def open_patient(site, code):
    at = site.open("pages/patient.py", patient=site.keys[code])
    assert not at.exception, at.exception
    assert not at.error
    return at


def flag_rows(at):
    """Return the table's rows as text: {(flag, score): [cell, ...]} in the order of the page."""
    table = re.search(r'<table class="ed-table ed-flags".*?</table>', told(at), re.S).group(0)
    found = {}
    for body in re.findall(r"<tbody>(.*?)</tbody>", table, re.S):
        flag = ""
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.S):
            cells = re.findall(
                r"<(t[hd])[^>]*?(?:class=\"([^\"]*)\")[^>]*>(.*?)</t[hd]>", row, re.S
            )
            texts = {}
            for _, kind, inner in cells:
                text = unescape(" ".join(re.sub(r"<[^>]+>", " ", inner).split()))
                texts[kind] = text
            flag = texts.pop("flag", flag)
            found[flag.split(" published")[0].split(" this model")[0], texts.get("score", "")] = {
                "flag": flag,
                **texts,
            }
    return found


def prevalence(at):
    """Return the input of the prevalence; the what-if has inputs too."""
    (box,) = (box for box in at.number_input if box.label == "Prevalence of LVSD (%)")
    return box


def weak_scores(at):
    """Return what stands under each variant's name in the scores of the shown ECG."""
    text = told(at)
    table = re.search(r'aria-label="Scores of this ECG".*?</table>', text, re.S).group(0)
    return {
        name: re.search(rf"{name}<div class=\"([^\"]*)\">([^<]*)<", table).groups()
        for name in ("recalibrated", "LVEF-masked", "uncalibrated")
        if re.search(rf"{name}<div", table)
    }


@pytest.fixture
def evaluated(empty_site, tmp_path):
    """Return a site whose 12-lead family has an evaluation with figures chosen here."""

    def figures(value):
        one = {"value": value, "low": value - 0.05, "high": value + 0.05}
        return {"auroc": one, "sensitivity": one, "specificity": one}

    part = {
        "n": 900,
        "n_positive": 90,
        "subgroups": {
            "LBBB": {
                "n": 1234,
                "n_positive": 321,
                "n_enriched": 200,
                "uncalibrated": figures(0.45),
                "masked": figures(0.66),
                "recalibrated": figures(0.77),
            },
            "long_QTc": {"n": 8, "n_positive": 4, "uncalibrated": figures(0.5)},
        },
    }
    content = {
        "format": "ecgdash-evaluation@1",
        "family": FAMILY,
        "weights_sha256": handmade_store.card("12").weights_sha256,
        "simulated": True,
        "data": "SIMULATED: invented",
        "seeds": [41, 42],
        "n_patients": 7000,
        "interval_method": "none",
        "thresholds": {},
        "baseline": part,
        "follow_up": part,
    }
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(content))
    add_evaluation(path, tmp_path / "models")
    cards = [handmade_store.card(name) for name in ("12", "6", "1")]
    empty_site.keys.update(handmade_store.fill(empty_site.store, cards))
    return empty_site


def test_follow_up_ecgs_show_table_5(site):
    at = open_patient(site, "HM-0102")
    rows = flag_rows(at)
    assert "this is a follow-up ECG" in told(at)
    assert "not those of its Table 4" in told(at)
    plain, history = rows["LBBB", "■ uncalibrated"], rows["LBBB", "● recalibrated"]
    assert plain["flag"].startswith("LBBB published: 247 / 470 (52.6")
    assert [plain[f"pub f{i}"] for i in (1, 2, 3)] == [
        "0.18 0.14–0.24 under 0.50: weak evidence",
        "0.99 0.97–1.00",
        "0.82 0.78–0.85",
    ]
    assert [history[f"pub f{i}"] for i in (1, 2, 3)] == [
        "0.61 0.55–0.68",
        "0.95 0.92–0.97",
        "0.87 0.84–0.90",
    ]
    assert rows["LBBB", "▲ LVEF-masked"]["pub none"] == "no subgroup figures in the study"
    assert [flag for flag, score in rows if score.startswith("■")] == [
        "LBBB",
        "QRS > 140 ms",
        "Long QTc",
    ]


def test_baseline_ecgs_show_table_3(site):
    at = open_patient(site, "HM-0311")
    rows = flag_rows(at)
    assert "this is a baseline ECG" in told(at)
    assert rows["LBBB", "■ uncalibrated"]["flag"].startswith("LBBB published: 220 / 553 (39.8")
    assert rows["LBBB", "■ uncalibrated"]["pub f1"].startswith("0.22 0.18–0.27 under 0.50")
    assert list(rows) == [("LBBB", "■ uncalibrated")]
    assert "Baseline pairs have no history, so only the uncalibrated score has figures" in told(at)
    assert prevalence(at).value == 4.9
    assert "2,563 of 52,787, Table 3" in told(at)


def test_weak_evidence_is_marked_on_the_scores_themselves(site):
    assert weak_scores(open_patient(site, "HM-0311"))["uncalibrated"] == (
        "ed-small ed-weak",
        "weak evidence in LBBB",
    )
    scores = weak_scores(open_patient(site, "HM-0102"))
    assert scores["uncalibrated"] == ("ed-small ed-weak", "weak evidence in LBBB, QRS &gt; 140 ms")
    assert "ed-weak" not in scores["recalibrated"][0]


def test_the_scores_and_the_table_use_the_same_setting(site):
    """QRS > 140 ms is weak in Table 5 (0.470), not in Table 3 (0.653)."""
    cards = [handmade_store.card("12")]
    made = handmade_store.Handmade(site.store, cards)
    site.keys["HM-0600"] = key = made.patient("HM-0600", "male")
    made.ecg(key, 5, (0.4, 0.4, 0.4), age_years=60, flags=("QRS>140",))
    made.score()
    at = open_patient(site, "HM-0600")
    assert flag_rows(at)["QRS > 140 ms", "■ uncalibrated"]["pub f1"] == "0.65 0.62–0.68"
    assert weak_scores(at)["uncalibrated"] == ("ed-small ed-muted", "this ECG alone")


def test_all_sources_stand_in_one_row_with_their_evidence(site):
    made = handmade_store.Handmade(site.store, [handmade_store.card("12")])
    site.keys["HM-0601"] = key = made.patient("HM-0601", "male")
    flags = (
        Flag("LBBB", "statement", "Left bundle <b>branch block"),
        Flag("LBBB", "measurement", "QRS 156 ms"),
        Flag("LBBB", "model", "label head 0.97"),
        Flag("PVC", "measurement", "3 of 12 beats"),
    )
    made.ecg(key, 5, (0.4, 0.4, 0.4), age_years=60, flags=flags)
    made.score()
    at = open_patient(site, "HM-0601")
    rows = flag_rows(at)
    assert rows["LBBB", "■ uncalibrated"]["sources"] == (
        "cart statement : Left bundle <b>branch block measured : QRS 156 ms model : label head 0.97"
    )
    assert "<b>branch" not in told(at)
    assert rows["PVCs", ""]["sources"] == "measured : 3 of 12 beats"
    assert rows["PVCs", ""]["none"].startswith("No published figures")


def test_a_family_without_evaluation_is_called_not_evaluated(site):
    at = open_patient(site, "HM-0102")
    assert flag_rows(at)["LBBB", "■ uncalibrated"]["own none"] == "not evaluated"
    assert f"This model: not evaluated (no evaluation of {FAMILY} is installed)." in told(at)


def test_own_figures_stand_beside_the_published_ones(evaluated):
    at = open_patient(evaluated, "HM-0102")
    rows = flag_rows(at)
    plain = rows["LBBB", "■ uncalibrated"]
    assert plain["flag"].endswith("this model: 321 / 1,234 (26.0 %), 200 of them added")
    assert plain["own f1"] == "0.45 0.40–0.50 under 0.50: weak evidence"
    assert rows["LBBB", "▲ LVEF-masked"]["own f2"] == "0.66 0.61–0.71"
    assert rows["LBBB", "● recalibrated"]["own f3"] == "0.77 0.72–0.82"
    assert ">This model, SIMULATED</th>" in told(at)
    assert "7,000 SIMULATED patients, seeds 41, 42" in told(at)
    assert rows["Long QTc", "■ uncalibrated"]["own none"] == "too few such pairs evaluated"
    assert rows["QRS > 140 ms", "■ uncalibrated"]["own none"] == "too few such pairs evaluated"


def shown_ppv(at, whose="pub"):
    row = flag_rows(at)["LBBB", "■ uncalibrated"]
    return [float(row[f"{whose} f{i}"].split()[0]) for i in (4, 5)]


def test_ppv_and_npv_follow_the_prevalence_which_stays_between_patients(evaluated):
    at = open_patient(evaluated, "HM-0102")
    assert prevalence(at).value == 13.9
    expected = predictive_values(0.988, 0.184, 0.139)
    assert shown_ppv(at) == pytest.approx(expected, abs=0.005)
    prevalence(at).set_value(30.0).run()
    expected = predictive_values(0.988, 0.184, 0.30)
    assert shown_ppv(at) == pytest.approx(expected, abs=0.005)
    assert shown_ppv(at, "own") == pytest.approx(predictive_values(0.45, 0.45, 0.3), abs=0.005)
    assert "at a prevalence of 30.0" in told(at)
    assert "Set by you" in told(at)
    # The next patient stands in the other setting and keeps what the user set.
    at.query_params["patient"] = evaluated.keys["HM-0311"]
    at.run()
    assert "this is a baseline ECG" in told(at)
    assert prevalence(at).value == 30.0
    next(b for b in at.button if b.label == "Back to the study's 4.9 %").click().run()
    assert prevalence(at).value == 4.9
    assert "Set by you" not in told(at)


@pytest.mark.parametrize("percent", [0.5, 60.0])
def test_the_ends_of_the_range_are_accepted(site, percent):
    at = open_patient(site, "HM-0102")
    prevalence(at).set_value(percent).run()
    assert not at.exception
    assert f"at a prevalence of {percent}" in told(at)


def test_what_could_not_be_judged_is_told_below_the_table(site):
    text = told(open_patient(site, "HM-0102"))
    assert "Could not be judged: " in text
    assert "PR &gt; 200 ms (no PR interval found)" in text
    assert "IHD, CKD, Diabetes, Hypertension (no diagnosis on file)" in text


def test_no_flag_means_unknown(site):
    at = open_patient(site, "HM-0150")
    assert "No source raised a flag. That means unknown, not absent." in told(at)
    assert not [box for box in at.number_input if box.label == "Prevalence of LVSD (%)"]


def test_another_ecg_has_its_own_setting(site):
    """The first ECG of a patient with later pairs is a baseline ECG."""
    at = open_patient(site, "HM-0102")
    first = at.selectbox[0].options[-1]
    at.selectbox[0].select_index(len(at.selectbox[0].options) - 1).run()
    assert first
    assert "this is a baseline ECG" in told(at)
    assert flag_rows(at)["LBBB", "■ uncalibrated"]["pub f1"].startswith("0.22")


def test_the_models_page_says_who_is_evaluated(evaluated):
    text = told(evaluated.open("pages/models.py", family=FAMILY))
    assert "SIMULATED, 7,000 patients (simulated patients, seeds 41, 42)" in text
    assert "Not evaluated" not in text
    for lead_set in ("6", "1"):
        text = told(evaluated.open("pages/models.py", family=f"handmade-{lead_set}"))
        assert "Not evaluated: no evaluation of these weights is installed." in text
