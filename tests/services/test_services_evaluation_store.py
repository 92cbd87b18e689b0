"""The store's pairs, evaluated from its stored logits."""

import numpy as np
import pytest
from courses import ANALYSABLE, MeanEngine, make_card, make_echo, make_record

from ecgdash.domain import Flag, Patient
from ecgdash.errors import NotFound
from ecgdash.inference.history import sigmoid
from ecgdash.services.evaluation import evaluate_table
from ecgdash.services.evaluation_store import store_pairs
from ecgdash.services.scoring import score_patients
from ecgdash.store import Findings

LBBB = Flag("LBBB", "statement", "Left bundle branch block")


@pytest.fixture
def engine():
    return MeanEngine(make_card())


@pytest.fixture
def filled(store, engine):
    """Return a store with 12 scored patients: three ECGs each, two of them paired."""
    for i in range(12):
        key = store.put_patient(Patient(str(i), "H", "male" if i % 2 else "female", 1950))
        for visit, days in enumerate((0, 100, 400)):
            record = make_record(-2 + 0.3 * i + 0.5 * visit, days, age_years=60.0 + 2 * i)
            store.add_ecg(key, record, Findings(ANALYSABLE, (LBBB,) if i < 3 else ()))
        store.add_echo(key, make_echo(1, 60 if i < 6 else 35))
        store.add_echo(key, make_echo(401, 30 if i % 2 else 55))
    score_patients(store, [engine])
    return store


def test_pairs_labels_and_scores_of_the_store(filled, engine):
    table = store_pairs(filled, engine.card, engine.terms)
    assert (table.n_patients, table.follow_up.sum()) == (12, 12)
    first = ~table.follow_up
    expected = [sigmoid(-2 + 0.3 * i) for i in range(12)]
    assert sorted(table.scores["uncalibrated"][first]) == pytest.approx(expected, abs=1e-6)
    assert table.subgroups["LBBB"].sum() == 6
    assert table.subgroups["male"].sum() == 12
    assert table.counts == {"n_ecgs": 36, "n_ecgs_without_score": 0}


def test_scores_with_history_equal_the_stored_ones(filled, engine):
    table = store_pairs(filled, engine.card, engine.terms)
    for row in np.flatnonzero(table.follow_up):
        stored = filled.predictions_of(str(table.patient[row]))
        last = stored[filled.ecgs_of(str(table.patient[row]))[-1].key][engine.card.family]
        for name in ("masked", "recalibrated"):
            assert table.scores[name][row] == pytest.approx(last.scores[name].value, abs=1e-12)
    result = evaluate_table(table)
    assert result["follow_up"]["n"] == 12
    assert result["controls"]["last_lvef_alone"]["auroc"].value >= 0


def test_scores_of_other_weights_take_no_part(filled, engine):
    with pytest.raises(NotFound, match="no stored ECG is scored by"):
        store_pairs(filled, make_card(weights="x"), engine.terms)
