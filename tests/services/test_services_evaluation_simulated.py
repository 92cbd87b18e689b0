"""The simulated path with a stand-in for the network: what is asked for, pooled, cached."""

import sys
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest

from ecgdash.domain import (
    MASKED,
    RECALIBRATED,
    UNCALIBRATED,
    FamilyCard,
    OperatingPoint,
    VariantCard,
)
from ecgdash.inference.history import HistoryTerm
from ecgdash.services.evaluation import evaluate_tables, jsonable
from ecgdash.services.evaluation_ecgs import EcgPart
from ecgdash.services.evaluation_histories import pair_rows
from ecgdash.services.evaluation_pairs import SUBGROUP_KEYS
from ecgdash.services.evaluation_simulated import (
    SimulatedSource,
    needed_ecgs,
    simulated_pairs,
    subject_of,
)
from ecgdash.simulate.cohort import simulate_patients

N_PATIENTS, SEED = 60, 3


@dataclass(frozen=True)
class WaveformWork:
    """Logits from the waveform's spread, so that a wrong row would show; every 17th withheld."""

    key: str = "stand-in"

    def analyse(self, batch, cohort):
        spread = batch.signal_mv.std(axis=(1, 2)).astype(float)
        logits = (spread[:, None, None] - 0.2) * np.array([10.0, 11.0, 12.0])[:, None]
        members = np.zeros((batch.index.size, len(SUBGROUP_KEYS)), dtype=bool)
        members[:, SUBGROUP_KEYS.index("male")] = batch.male
        members[:, SUBGROUP_KEYS.index("LBBB")] = cohort.enriched_as[batch.patient_index] == "LBBB"
        return EcgPart(batch.index, np.repeat(logits, 3, axis=2), batch.index % 17 != 0, members)


@dataclass(frozen=True)
class NoWork:
    """Fails when anything is computed."""

    key: str = "stand-in"

    def analyse(self, batch, cohort):
        raise AssertionError("the cache was not used")


def family():
    point = OperatingPoint("p", "youden", 0.3, "made up", 100, 8, 0.9, 0.9)
    variants = tuple(
        VariantCard(name, point, point, point) for name in (UNCALIBRATED, MASKED, RECALIBRATED)
    )
    card = FamilyCard(
        "fam", "t", "12", "signal", "a", "LVEF <= 40 %", "0" * 64, 1, "made up", True, "x", variants
    )
    terms = {
        RECALIBRATED: HistoryTerm(RECALIBRATED, -np.eye(1, 12), np.zeros(1), np.ones(1), 0.0),
        MASKED: HistoryTerm(MASKED, np.eye(1, 9), np.zeros(1), np.ones(1), 0.0),
    }
    return card, terms


def evaluate(source, work=None):
    return simulated_pairs(source, work or WaveformWork(), *family())


def same(a, b):
    keys = ("patient", "follow_up", "lvef_percent")
    equal = all(np.array_equal(getattr(a, key), getattr(b, key)) for key in keys)
    return equal and all(
        np.array_equal(a.scores[name], b.scores[name], equal_nan=True) for name in a.scores
    )


def test_pairs_follow_the_cohort_and_skip_withheld_ecgs():
    table = evaluate(SimulatedSource(N_PATIENTS, SEED))
    assert table.simulated
    assert table.n_patients == N_PATIENTS
    assert table.counts["ecgs_withheld_by_the_gate"] > 0
    cohort = simulate_patients(N_PATIENTS, SEED)
    usable = np.arange(cohort.n_ecgs) % 17 != 0
    scores = {f"e{i}": 0.5 for i in np.flatnonzero(usable)}
    expected = pair_rows((subject_of(cohort, i, usable) for i in range(N_PATIENTS)), scores)
    assert table.patient.tolist() == [row.subject.name for row in expected]
    assert table.lvef_percent.tolist() == [row.lvef_percent for row in expected]
    assert table.follow_up.sum() > 10


def test_what_is_not_needed_changes_no_pair_and_no_history():
    cohort = simulate_patients(300, SEED)
    needed = needed_ecgs(cohort)
    assert 0 < needed.sum() < cohort.n_ecgs
    everything = np.ones(cohort.n_ecgs, dtype=bool)

    def rows_with(usable):
        scores = {f"e{i}": (i % 97) / 97 for i in np.flatnonzero(usable)}
        subjects = (subject_of(cohort, i, usable) for i in range(cohort.n_patients))
        # Of baseline pairs only the uncalibrated score is evaluated.
        return [
            (row.ecg, row.lvef_percent, row.histories if row.follow_up else None)
            for row in pair_rows(subjects, scores)
        ]

    assert rows_with(needed) == rows_with(everything)


def test_workers_and_cache_give_the_same_table(tmp_path):
    plain = evaluate(SimulatedSource(N_PATIENTS, SEED))
    cached = SimulatedSource(N_PATIENTS, SEED, cache_dir=tmp_path)
    assert same(evaluate(cached), plain)
    assert same(evaluate(cached, NoWork()), plain)
    with pytest.raises(AssertionError, match="cache was not used"):
        evaluate(SimulatedSource(N_PATIENTS, SEED + 1, cache_dir=tmp_path), NoWork())
    with pytest.raises(AssertionError, match="cache was not used"):
        evaluate(cached, NoWork(key="other weights"))


@pytest.mark.timeout(120)
def test_two_processes_give_the_same_table(monkeypatch):
    # A page test before this one may have left app.py as the main module, which workers import.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    source = SimulatedSource(300, SEED)
    told = []
    one = simulated_pairs(source, WaveformWork(), *family(), told.append)
    two = simulated_pairs(SimulatedSource(300, SEED, workers=2), WaveformWork(), *family())
    assert same(one, two)
    assert " ECGs, " in told[-1]


def test_enriched_patients_count_in_their_subgroup_only():
    plain = evaluate_tables([evaluate(SimulatedSource(N_PATIENTS, SEED))])
    more = evaluate_tables([evaluate(SimulatedSource(N_PATIENTS, SEED, {"LBBB": 20}))])
    assert more["n_patients"] == plain["n_patients"]
    assert more["follow_up"]["n"] == plain["follow_up"]["n"]
    men = [jsonable(result["baseline"]["subgroups"]["male"]) for result in (plain, more)]
    assert men[0] == men[1]
    row = more["baseline"]["subgroups"]["LBBB"]
    assert row["n_enriched"] == row["n"] > 5
    assert plain["baseline"]["subgroups"]["LBBB"]["n"] == 0
    assert "20 added for LBBB" in more["data"]
