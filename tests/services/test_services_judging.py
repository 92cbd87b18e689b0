"""Findings at import, and flags made anew when the label head has run."""

from dataclasses import replace

import numpy as np
import pytest
from courses import MeanEngine, make_card

from ecgdash.domain import (
    CANONICAL_LEADS,
    EcgEvidence,
    EcgRecord,
    GateFinding,
    GateResult,
    HeadScores,
    Patient,
)
from ecgdash.domain.ecg import OWN_MEASUREMENT_KEYS
from ecgdash.inference.gate import gate
from ecgdash.services.judging import findings_of, run_label_head
from ecgdash.simulate.examples import example_parameters
from ecgdash.simulate.waveform import synthesise
from ecgdash.store import Findings, open_store


class HeadEngine(MeanEngine):
    """Says of every ECG that it shows left bundle branch block, and of how many it was asked."""

    labels = ("LBBB", "RBBB")

    def label_scores(self, records):
        self.n_seen += len(records)
        return [{"LBBB": 0.99, "RBBB": 0.01} for _ in records]


def simulated(pattern, seed=3, **facts):
    signal = synthesise(example_parameters(pattern, 1, seed=seed), 500.0)[0]
    return EcgRecord(signal, CANONICAL_LEADS, 500.0, age_years=64.0, sex="male", **facts)


@pytest.fixture
def store():
    opened = open_store("sqlite://")
    yield opened
    opened.close()


def test_findings_hold_gate_flags_values_rules_and_beats():
    found = findings_of(simulated("lbbb"))
    assert found.gate.analysable
    assert "LBBB" in {flag.name for flag in found.flags}
    assert found.evidence.rules["LBBB"].logit > 0
    assert found.evidence.head is None
    assert found.measured["qrs_ms"] > 120
    assert set(found.measured) <= set(OWN_MEASUREMENT_KEYS)
    assert found.measured["qtc_fridericia_ms"] > 300
    assert found.measured["n_beats"] >= 8
    assert found.evidence.beats


def test_premature_atrial_beats_are_counted_in_sinus_rhythm_only():
    assert findings_of(simulated("pac")).measured["pac_count"] >= 1
    assert "pac_count" not in findings_of(simulated("afib")).measured


def test_a_record_without_lead_i_is_judged_by_its_statements():
    record = simulated("afib", statements=("Atrial fibrillation",))
    alone = EcgRecord(record.signal_mv[6:7], ("V1",), 500.0, statements=record.statements)
    found = findings_of(alone)
    assert [flag.name for flag in found.flags] == ["AFIB"]
    assert found.evidence == EcgEvidence()


def test_spikes_exclude_without_any_statement():
    record = simulated("paced")
    result = findings_of(record).gate
    assert (result.status, result.reasons) == ("excluded", ("paced rhythm",))
    assert any(note.startswith("paced by measurement: spikes") for note in result.notes)
    assert gate(record) == result  # measured by the gate itself where nobody else has
    assert gate(simulated("lbbb")).analysable


def test_the_head_makes_flags_anew_once_for_the_weights(store):
    patient = store.put_patient(Patient("17"))
    record = simulated("lbbb")
    ecg = store.add_ecg(patient, record, findings_of(record))
    before = [(flag.name, flag.source) for flag in store.ecg(ecg).flags]
    assert ("LBBB", "model") not in before
    engine = HeadEngine(make_card())
    assert run_label_head(store, engine, [patient]) == 1
    flags = store.ecg(ecg).flags
    assert ("LBBB", "model", "label head 0.99") in [(f.name, f.source, f.evidence) for f in flags]
    assert ("LBBB", "measurement") in [(flag.name, flag.source) for flag in flags]
    kept = store.evidence(ecg)
    assert kept.beats == findings_of(record).evidence.beats
    assert kept.head == HeadScores("test-lvsd-12", "w" * 64, {"LBBB": 0.99, "RBBB": 0.01})
    assert run_label_head(store, engine, [patient]) == 0
    assert engine.n_seen == 1
    assert run_label_head(store, HeadEngine(make_card(weights="v")), [patient]) == 1


def test_an_ecg_stored_without_evidence_is_judged_when_the_head_runs(store):
    patient = store.put_patient(Patient("17"))
    record = simulated("rbbb")
    ecg = store.add_ecg(patient, record, Findings(gate(record)))
    run_label_head(store, HeadEngine(make_card()), [patient])
    assert store.evidence(ecg).rules["RBBB"].logit > 0
    assert store.ecg(ecg).measured["qrs_ms"] > 120


@pytest.fixture(scope="module")
def engine():
    from ecgdash.inference import Engine

    return Engine.load("deepecg-lvsd-12", "cpu")


def test_the_shipped_head_reads_what_it_can_and_says_nothing_of_the_rest(engine):
    lbbb, normal = simulated("lbbb"), simulated("normal")
    short = EcgRecord(normal.signal_mv[:, :2500], CANONICAL_LEADS, 500.0)
    limb = EcgRecord(normal.signal_mv[:6], CANONICAL_LEADS[:6], 500.0)
    holes = normal.signal_mv.copy()
    holes[3, 100:200] = np.nan
    broken = EcgRecord(holes, CANONICAL_LEADS, 500.0)
    scores = engine.label_scores([short, lbbb, limb, normal, broken])
    assert [bool(row) for row in scores] == [False, True, False, True, False]
    assert tuple(scores[1]) == engine.labels
    assert scores[1]["LBBB"] > 0.5 > scores[3]["LBBB"]
    assert engine.label_scores([normal])[0] == scores[3]  # alone as in a batch
    assert engine.label_scores([]) == []


def test_an_ecg_judged_without_a_window_is_judged_anew(store):
    """As stored by a version that kept sentences only."""
    record = simulated("lbbb")
    patient = store.put_patient(Patient("7"))
    old = GateResult((GateFinding("earlier_version", "notes", "age unknown"),))
    found = findings_of(record)
    ecg = store.add_ecg(patient, record, replace(found, gate=old))
    run_label_head(store, HeadEngine(make_card()), [patient])
    assert store.ecg(ecg).gate == found.gate
    assert found.gate.window_s == (0.0, 10.0)
