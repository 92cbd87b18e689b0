"""From pairs to figures: what is compared on which rows, and the report."""

import csv
import json

import numpy as np
import pytest

from ecgdash.domain import MASKED, RECALIBRATED, UNCALIBRATED
from ecgdash.services.evaluation import evaluate_table, evaluate_tables
from ecgdash.services.evaluation_pairs import MASKED_PAIRS, SUBGROUP_KEYS, PairTable
from ecgdash.services.evaluation_report import markdown_report, write_report
from ecgdash.services.evaluation_tables import CONTROLS, jsonable
from ecgdash.stats import accuracy_at, auroc, clopper_pearson, delong_test

N = 600


@pytest.fixture
def table(rng):
    """Return 600 pairs of 300 patients: one baseline and one follow-up each."""
    follow_up = np.arange(N) % 2 == 1
    lvef = np.where(rng.random(N) < 0.2, 35.0, 60.0)
    lvef[:4] = 40.0, 40.5, 40.0, 62.0
    ill = lvef <= 40
    logit = rng.normal(-2, 1, N) + 2 * ill
    scores = {UNCALIBRATED: logit, MASKED: logit + 0.5 * ill, RECALIBRATED: logit + 2 * ill}
    scores[MASKED_PAIRS] = scores[MASKED] + rng.normal(0, 0.1, N)
    scores = {name: 1 / (1 + np.exp(-value)) for name, value in scores.items()}
    for name in (MASKED, RECALIBRATED, MASKED_PAIRS):
        scores[name][~follow_up] = np.nan
    scores[RECALIBRATED][[1, 3, 5]] = np.nan
    controls = {key: np.where(follow_up, rng.random(N), np.nan) for key in CONTROLS}
    return PairTable(
        data="made-up pairs",
        patient=np.repeat(np.arange(N // 2), 2),
        follow_up=follow_up,
        lvef_percent=lvef,
        scores=scores,
        thresholds={name: np.full(N, 0.2) for name in scores},
        n_patients=350,
        origins={UNCALIBRATED: "made up"},
        subgroups={
            key: rng.random(N) < 0.4 if key != "LBBB" else np.zeros(N, dtype=bool)
            for key in SUBGROUP_KEYS
            if key != "all"
        },
        controls=controls,
        seeds=(7,),
        simulated=True,
    )


def test_contract_keys_and_json(table):
    result = jsonable(evaluate_table(table))
    assert {"data", "seed", "n_patients", "interval_method", "baseline", "follow_up"} <= set(result)
    assert result["seed"] == 7
    assert result["n_patients"] == 350
    assert set(result["follow_up"]["delong"]) >= {
        "masked_minus_uncalibrated",
        "recalibrated_minus_masked",
        "recalibrated_minus_uncalibrated",
    }
    assert set(result["follow_up"]["subgroups"]) == set(SUBGROUP_KEYS)
    empty = result["follow_up"]["subgroups"]["LBBB"]
    assert empty["n"] == 0
    assert empty[UNCALIBRATED]["auroc"] == {"value": None, "low": None, "high": None}
    assert "NaN" not in json.dumps(result)
    assert set(result["controls"]) == set(CONTROLS)


def test_follow_up_compares_all_variants_on_the_same_pairs(table):
    part = evaluate_table(table)["follow_up"]
    rows = table.follow_up & ~np.isnan(table.scores[RECALIBRATED])
    assert part["n"] == rows.sum() == 297
    assert part["n_without_history"] == 3
    y = table.lvef_percent[rows] <= 40
    assert part["n_positive"] == y.sum()
    for name in (UNCALIBRATED, MASKED, RECALIBRATED):
        assert part["auroc"][name] == auroc(y, table.scores[name][rows])
    a, b = table.scores[MASKED][rows], table.scores[UNCALIBRATED][rows]
    assert part["delong"]["masked_minus_uncalibrated"] == delong_test(y, a, b)._asdict()
    boot = part["bootstrap"]["masked_minus_uncalibrated"]
    assert boot.low < boot.value < boot.high


def test_baseline_counts_an_lvef_of_exactly_40_as_a_case(table):
    part = evaluate_table(table)["baseline"]
    rows = ~table.follow_up
    assert part["n"] == rows.sum()
    assert part["n_positive"] == (table.lvef_percent[rows] <= 40.0).sum()
    assert table.positive[0]
    assert not table.positive[1]
    assert set(part["auroc"]) == {UNCALIBRATED}


def test_subgroup_row_is_the_accuracy_of_its_members(table):
    row = evaluate_table(table)["follow_up"]["subgroups"]["AFIB"][RECALIBRATED]
    inside = table.follow_up_rows & table.subgroups["AFIB"]
    score = table.scores[RECALIBRATED][inside]
    expected = accuracy_at(table.positive[inside], score, 0.2)
    assert row["sensitivity"] == expected.sensitivity
    assert row["specificity"] == expected.specificity
    counts = expected.confusion
    limits = clopper_pearson(counts.tn, counts.tn + counts.fp)
    assert (row["specificity"].low, row["specificity"].high) == limits
    # The threshold set within the subgroup reaches 90 % there, whatever the card's does.
    ill = np.sort(score[table.positive[inside]])
    cut = ill[ill.size - int(np.ceil(0.9 * ill.size))]
    well = score[~table.positive[inside]]
    assert row["specificity_at_90_sensitivity"].value == pytest.approx((well < cut).mean())


def test_a_score_at_its_threshold_is_positive_with_a_threshold_per_row(table):
    thresholds = dict(table.thresholds)
    thresholds[UNCALIBRATED] = table.scores[UNCALIBRATED].copy()
    moved = PairTable(**{**vars(table), "thresholds": thresholds})
    row = evaluate_table(moved)["baseline"]["subgroups"]["all"][UNCALIBRATED]
    assert row["sensitivity"].value == 1.0
    assert row["specificity"].value == 0.0


def test_without_thresholds_only_what_needs_none_is_given(table):
    nothing = {name: np.full(N, np.nan) for name in table.scores}
    moved = PairTable(**{**vars(table), "thresholds": nothing})
    row = evaluate_table(moved)["follow_up"]["subgroups"]["all"][MASKED]
    assert np.isnan(row["specificity"].value)
    assert row["specificity_at_90_sensitivity"].value > 0


def test_pooled_seeds_keep_patients_apart_and_show_each_seed(table):
    other = PairTable(**{**vars(table), "seeds": (8,)})
    result = evaluate_tables([table, other])
    assert result["seed"] == [7, 8]
    assert result["n_patients"] == 700
    assert result["baseline"]["n"] == 600
    assert result["baseline"]["n_patients"] == 600
    assert [part["seed"] for part in result["per_seed"]] == [7, 8]
    assert result["per_seed"][0]["follow_up"]["n"] == 297
    text = markdown_report(result)
    assert "## Seed by seed" in text
    assert text.count("| 8 |") == 1


def test_report_shows_the_paper_beside_ours_and_says_simulated(table, tmp_path):
    result = evaluate_table(table)
    text = markdown_report(result)
    assert "**SIMULATED.**" in text
    assert "0.910 (0.905 to 0.916), Table 4" in text
    assert "0.819 / 0.988 / 0.184 (Table 5)" in text
    assert "not a diagnosis" in text
    assert "nan" not in text
    report, sheet = write_report(result, tmp_path / "out")
    assert report.read_text() == text
    rows = list(csv.DictReader(sheet.read_text().splitlines()))
    row = next(
        r
        for r in rows
        if (r["pairs"], r["subgroup"], r["variant"]) == ("baseline", "AFIB", UNCALIBRATED)
    )
    ours = result["baseline"]["subgroups"]["AFIB"][UNCALIBRATED]["specificity"]
    assert float(row["specificity"]) == ours.value
    assert float(row["paper_specificity"]) == 0.578
