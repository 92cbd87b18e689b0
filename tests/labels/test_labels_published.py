"""The quoted table keeps to its own arithmetic and to known figures."""

import pytest

from ecgdash.labels.published import PUBLISHED, figures_for, is_weak

PERCENT_PRINTED = {
    "age<=70": 12.5, "age>70": 16.0, "male": 15.2, "female": 12.3, "DM": 17.9, "HTN": 14.0,
    "IHD": 25.7, "CKD": 20.9, "sinus": 13.0, "AFIB": 16.2, "LBBB": 52.6, "RBBB": 14.2,
    "PR>200": 15.2, "QRS>140": 37.0, "long_QTc": 24.1,
}  # fmt: skip


def test_every_subgroup_of_the_table_is_there_with_its_printed_share_of_cases():
    assert set(PUBLISHED) == set(PERCENT_PRINTED)
    for key, row in PUBLISHED.items():
        assert row.key == key
        assert 100 * row.n_positive / row.n == pytest.approx(PERCENT_PRINTED[key], abs=0.06)


def test_every_estimate_lies_in_its_interval():
    for row in PUBLISHED.values():
        for figures in (row.recalibrated, row.uncalibrated):
            for estimate in (figures.auroc, figures.sensitivity, figures.specificity):
                assert 0 < estimate.low < estimate.value < estimate.high <= 1


def test_known_figures():
    assert f"{figures_for('LBBB', 'uncalibrated').specificity}" == "0.184 (0.136-0.238)"
    assert f"{figures_for('LBBB', 'recalibrated').sensitivity}" == "0.947 (0.917-0.973)"
    assert f"{figures_for('QRS>140', 'uncalibrated').specificity}" == "0.470 (0.427-0.513)"
    assert f"{figures_for('AFIB', 'uncalibrated').auroc}" == "0.869 (0.854-0.885)"
    assert figures_for("LBBB", "masked") is None
    assert figures_for("no such subgroup", "uncalibrated") is None


def test_weak_evidence_is_an_uncalibrated_specificity_under_one_half():
    assert {key for key in PUBLISHED if is_weak(key, "uncalibrated")} == {"LBBB", "QRS>140"}
    assert is_weak("LBBB", "masked")
    assert not any(is_weak(key, "recalibrated") for key in PUBLISHED)
