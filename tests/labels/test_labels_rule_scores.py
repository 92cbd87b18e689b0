"""Soft criteria: above 0 exactly where the published criterion holds, and graded beside it."""

from dataclasses import fields

import numpy as np
import pytest

from ecgdash.labels import criteria
from ecgdash.labels.evidence import rule_evidence
from ecgdash.labels.rule_scores import MAX_LOGIT, RULE_SCORES, rule_scores
from ecgdash.labels.table import LABEL_NAMES
from ecgdash.signal.measure import Measurements, measure_batch
from ecgdash.simulate.pretraining import pretraining_ecgs


@pytest.fixture(scope="module")
def measured():
    """Six hundred people of every rhythm and block, as the first training phase sees them."""
    batches = pretraining_ecgs(600, 812).iter_ecgs(200)
    parts = [measure_batch(batch.signal_mv, 250.0) for batch in batches]
    names = [f.name for f in fields(Measurements)]
    return Measurements(**{n: np.concatenate([getattr(p, n) for p in parts]) for n in names})


def altered(m, **values):
    table = {f.name: getattr(m, f.name) for f in fields(m)}
    return Measurements(**(table | {k: np.full_like(table[k], v) for k, v in values.items()}))


@pytest.mark.parametrize(
    ("label", "criterion"),
    [
        ("AF_OR_AFL", criteria.fibrillation_or_flutter),
        ("LBBB", criteria.lbbb),
        ("RBBB", lambda m: criteria.rbbb(m) | (criteria.lbbb(m) & (rule_scores(m)["RBBB"] > 0))),
        ("PACED", criteria.paced),
        ("PVC", lambda m: m.pvc_count > 0),
        ("VT", criteria.wide_complex_tachycardia),
        ("SINUS", criteria.sinus),
    ],
)
def test_a_soft_rule_is_above_zero_where_its_criterion_holds(measured, label, criterion):
    held = criterion(measured)
    soft = rule_scores(measured)[label] > 0
    assert held.sum() >= 8
    assert (held != soft).mean() <= 0.005


def test_scores_are_finite_and_bounded(measured):
    for name, values in rule_scores(measured).items():
        assert name in LABEL_NAMES
        assert values.shape == (len(measured),)
        assert np.isfinite(values).all()
        assert np.abs(values).max() <= MAX_LOGIT


def test_a_wider_complex_speaks_more_for_a_block(measured):
    block = measured.take(np.flatnonzero(criteria.lbbb(measured))[:5])
    by_width = [rule_scores(altered(block, qrs_ms=w))["LBBB"] for w in (100.0, 120.0, 126.0, 140.0)]
    assert (np.diff(by_width, axis=0) >= 0).all()
    assert (by_width[0] < 0).all()
    np.testing.assert_allclose(by_width[1], 0.0, atol=1e-9)  # at the limit: neither


def test_pacing_and_wide_tachycardia_silence_the_bundle_branches(measured):
    block = measured.take(np.flatnonzero(criteria.lbbb(measured))[:5])
    assert (rule_scores(altered(block, spike_share=1.0))["LBBB"] < 0).all()
    fast = altered(block, heart_rate_bpm=170.0)
    assert (rule_scores(fast)["LBBB"] < 0).all()
    assert (rule_scores(fast)["VT"] > 0).all()


def test_evidence_tells_the_values_and_leaves_out_what_the_leads_cannot_show(measured):
    one = measured.take(slice(0, 1))
    evidence = rule_evidence(one)
    assert evidence.keys() == RULE_SCORES.keys()
    assert all(item.text for item in evidence.values())
    assert f"{one.pvc_count[0]} of {one.n_beats[0]} beats" == evidence["PVC"].text
    limb = altered(one, qrs_net_mv_ms=np.nan)
    assert {"LBBB", "RBBB", "Q_ANTERIOR"}.isdisjoint(rule_evidence(limb))
    assert "AF_OR_AFL" in rule_evidence(limb)
    assert rule_evidence(altered(one, n_beats=0)) == {}
