"""Patients are scored a few at a time, their ECGs decoded once for every network."""

import pytest
from courses import MeanEngine, make_card, make_record

from ecgdash.domain import EcgEvidence, GateResult, Patient, RuleEvidence
from ecgdash.services import scoring_parts
from ecgdash.services.scoring import score_patients
from ecgdash.services.scoring_parts import Waveforms, in_parts
from ecgdash.store import Findings

COUNTS = (3, 1, 9, 1, 1, 2)
JUDGED = Findings(
    GateResult(window_s=(0.0, 10.0)),
    evidence=EcgEvidence({"LBBB": RuleEvidence(-1.0, "QRS 90 ms")}),
)


class HeadEngine(MeanEngine):
    """As `MeanEngine`, with a head of one label."""

    labels = ("LBBB",)

    def label_scores(self, records):
        return [{"LBBB": 0.5} for _ in records]


@pytest.fixture
def patients(store):
    """Store patients with so many ECGs each; return their keys."""
    keys = []
    for number, n_ecgs in enumerate(COUNTS):
        key = store.put_patient(Patient(f"P{number}"))
        for place in range(n_ecgs):
            store.add_ecg(key, make_record(number + place / 10, 30 * place), JUDGED)
        keys.append(key)
    return keys


@pytest.fixture
def asked(store, monkeypatch):
    """Return the lists of ECG keys that the store was asked to decode."""
    lists = []
    real = store.records
    monkeypatch.setattr(store, "records", lambda keys: lists.append(list(keys)) or real(keys))
    return lists


@pytest.fixture
def engines():
    return [HeadEngine(make_card()), MeanEngine(make_card(lead_set="1"))]


def base_logits(store, patients):
    return {
        (ecg, family): made.base_logits
        for key in patients
        for ecg, families in store.predictions_of(key).items()
        for family, made in families.items()
    }


def test_parts_hold_every_patient_in_order_and_few_fresh_ecgs(
    store, patients, engines, monkeypatch
):
    monkeypatch.setattr(scoring_parts, "ECGS_AT_ONCE", 5)
    parts = [list(part) for part in in_parts(store, engines[0], patients)]
    assert [key for part in parts for key in part] == patients
    counts = dict(zip(patients, COUNTS, strict=True))
    assert [[counts[key] for key in part] for part in parts] == [[3, 1], [9], [1, 1, 2]]
    score_patients(store, engines)
    assert [len(part) for part in in_parts(store, engines[0], patients)] == [len(COUNTS)]
    assert [len(part) for part in in_parts(store, None, patients)] == [len(COUNTS)]
    assert list(in_parts(store, None, [])) == []


def test_every_ecg_is_decoded_once_for_head_and_families(store, patients, engines, asked):
    report = score_patients(store, engines)
    assert sorted(key for keys in asked for key in keys) == sorted(
        ecg.key for key in patients for ecg in store.ecgs_of(key)
    )
    assert (report.n_patients, report.n_labelled, report.n_networks) == (6, 17, 34)


@pytest.mark.parametrize("most", [1, 2, 5, 64])
def test_logits_and_progress_do_not_depend_on_the_parts(
    store, patients, engines, monkeypatch, most
):
    monkeypatch.setattr(scoring_parts, "ECGS_AT_ONCE", most)
    told = []
    score_patients(store, engines, on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (6, 6)
    found = base_logits(store, patients)
    assert len(found) == 34
    for (ecg, _), logits in found.items():
        mean = store.records([ecg])[0].signal_mv[0].mean()
        assert logits["uncalibrated"][0] == pytest.approx(mean, abs=1e-6)


def test_no_more_ecgs_are_held_than_a_part_may_hold(store, patients, asked, monkeypatch):
    monkeypatch.setattr(scoring_parts, "ECGS_AT_ONCE", 4)
    keys = [ecg.key for key in patients for ecg in store.ecgs_of(key)]
    ecgs = Waveforms(store)
    first = ecgs.read(keys[:3])
    assert all(a is b for a, b in zip(ecgs.read(keys[2::-1]), first[::-1], strict=True))
    ecgs.read(keys[2:5])
    assert [record.sha256 for record in ecgs.read(keys[:2])] == [r.sha256 for r in first[:2]]
    assert asked == [keys[:3], keys[2:5], keys[:2]]
