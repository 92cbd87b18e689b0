"""Simulated cohorts: Table 1, visits, echoes, determinism, and nothing hidden in sight."""

import dataclasses
from datetime import UTC

import numpy as np
import pytest

from ecgdash.domain import EcgRecord, form_pairs
from ecgdash.errors import InvalidValue
from ecgdash.simulate.cohort import EcgBatch, SimulatedCohort, simulate_patients
from ecgdash.simulate.courses import true_lvef_percent
from ecgdash.simulate.oracle import normal_visits, true_intervals, visits_by
from ecgdash.simulate.parameters import Conduction, Rhythm
from ecgdash.simulate.visits import YEAR_S
from ecgdash.simulate.waveform import truth

N = 6000


@pytest.fixture(scope="module")
def cohort() -> SimulatedCohort:
    return simulate_patients(N, 501)


@pytest.fixture(scope="module")
def pairs(cohort):
    """Pairs of each patient, by the product's own rule."""
    return [
        form_pairs(cohort.ecg_refs(i), cohort.echo_studies(i)) for i in range(cohort.n_patients)
    ]


@pytest.fixture(scope="module")
def baseline(pairs):
    """Rows and measured LVEF of the baseline pairs."""
    first = [p[0] for p in pairs if p]
    rows = np.array([int(p.ecg.key[1:]) for p in first])
    return rows, np.array([p.echo.lvef_percent for p in first])


@pytest.mark.parametrize(
    ("name", "mean", "mean_within", "sd", "sd_within"),
    [
        # Paper 000, Table 1, hospital A (training).
        ("age", 63.4, 1.0, 15.1, 1.0),
        ("LVEF", 60.2, 1.0, 11.5, 1.2),
        ("HR", 74.6, 1.5, 16.7, 1.5),
        ("PR", 165.3, 2.0, 26.2, 2.0),
        ("QRS", 94.1, 2.5, 16.0, 2.0),
        ("QTc", 436.5, 2.5, 33.1, 2.5),
    ],
)
def test_baseline_matches_table_1(cohort, baseline, name, mean, mean_within, sd, sd_within):
    rows, lvef = baseline
    values = true_intervals(cohort, rows) | {"age": cohort.age_years[rows], "LVEF": lvef}
    assert np.nanmean(values[name]) == pytest.approx(mean, abs=mean_within)
    assert np.nanstd(values[name]) == pytest.approx(sd, abs=sd_within)


@pytest.mark.parametrize(
    ("prefixes", "share"),
    [
        (("I10",), 0.522),
        (("E11",), 0.226),
        (("I20", "I21", "I25"), 0.061),
        (("N18",), 0.064),
    ],
)
def test_diagnoses_coded_by_baseline_match_table_1(cohort, baseline, prefixes, share):
    rows, _ = baseline
    table = cohort.diagnosis_codes
    day = np.full(cohort.n_patients, -1)
    day[cohort.patient_index[rows]] = cohort.recorded_at_s[rows] // 86_400
    known = np.char.startswith(table.code, prefixes[0])
    for prefix in prefixes[1:]:
        known |= np.char.startswith(table.code, prefix)
    known &= table.day <= day[table.patient]
    found = np.isin(cohort.patient_index[rows], table.patient[known]).mean()
    assert found == pytest.approx(share, abs=max(0.012, 0.04 * share))


def test_sex_rhythm_conduction_and_lvsd_match_the_paper(cohort, baseline):
    rows, lvef = baseline
    afib, lbbb = (visits_by(cohort, group)[rows] for group in ("AFIB", "LBBB"))
    assert cohort.male[rows].mean() == pytest.approx(0.525, abs=0.02)
    assert (lvef <= 40).mean() == pytest.approx(0.078, abs=0.010)
    assert afib.mean() == pytest.approx(0.074, abs=0.010)
    assert lbbb.mean() == pytest.approx(0.011, abs=0.004)
    assert (lvef[afib] <= 40).mean() == pytest.approx(0.157, abs=0.05)
    assert 0.25 < (lvef[lbbb] <= 40).mean() < 0.55


def test_hypertrophy_pathways_and_tachycardia_are_not_tied_to_lvsd(cohort):
    """LVH is common in hypertension and mostly without LVSD; WPW and VT are rare."""
    hidden, rows = cohort._latent, cohort.patient_index
    people, lvh = hidden.people, hidden.hearts.lvh > 0.0
    assert 0.10 < lvh[people.hypertension].mean() < 0.19
    assert lvh[~people.hypertension].mean() < 0.06
    lvef = true_lvef_percent(hidden.courses.take(rows), hidden.visits.years)
    low = lvef <= 40.0
    assert low[lvh[rows]].mean() == pytest.approx(low[~lvh[rows]].mean(), abs=0.05)
    assert (people.conduction == Conduction.WPW).mean() == pytest.approx(0.002, abs=0.0018)
    tachycardia = hidden.visits.rhythm == Rhythm.VENTRICULAR_TACHYCARDIA
    assert 0.0 < tachycardia.mean() < 0.0015


def test_wpw_has_a_short_pr(cohort):
    wpw = cohort._latent.people.conduction[cohort.patient_index] == Conduction.WPW
    pr_ms = cohort._parameters(np.flatnonzero(wpw)).pr_ms
    assert np.median(pr_ms) < 120.0
    assert pr_ms.max() < 135.0


def test_nonspecific_t_changes_occur_with_a_normal_lvef(cohort):
    """About a tenth to a seventh of ECGs with normal LVEF have lost half of their T wave."""
    hidden, rows = cohort._latent, cohort.patient_index
    lvef = true_lvef_percent(hidden.courses.take(rows), hidden.visits.years)
    plain = (lvef > 50.0) & (hidden.people.conduction[rows] == Conduction.NORMAL)
    own = hidden.hearts.t_offset_mv[rows][plain, 0]
    assert 0.05 < (own < -0.12).mean() < 0.15


def test_8000_patients_give_8000_follow_up_pairs(pairs):
    follow_up = sum(max(len(p) - 1, 0) for p in pairs)
    assert follow_up / N * 8000 >= 8000


def test_about_as_many_ecgs_without_an_echo_as_with_one(cohort, pairs):
    paired = sum(len(p) for p in pairs)
    assert paired / cohort.n_ecgs == pytest.approx(0.5, abs=0.05)
    assert any(not p for p in pairs), "some patients have no pair at all"


def test_some_echoes_have_no_ecg_near_and_some_only_a_day(cohort):
    table = cohort.echoes
    gap = np.array(
        [
            np.abs(cohort.recorded_at_s[list(cohort.ecgs_of(p))] - s).min()
            for p, s in zip(table.patient, table.performed_at_s, strict=True)
        ]
    )
    assert 0.01 < (gap > 14 * 86_400).mean() < 0.10
    assert (~table.has_time).mean() == pytest.approx(0.30, abs=0.02)
    assert (table.performed_at_s[~table.has_time] % 86_400 == 43_200).all()


def test_echo_error_has_the_stated_size(cohort):
    table = cohort.echoes
    assert (table.lvef_percent == np.rint(table.lvef_percent)).all()
    hidden = cohort._latent
    at_s = np.zeros(cohort.n_patients)
    first = np.searchsorted(cohort.patient_index, np.arange(cohort.n_patients))
    at_s = cohort.recorded_at_s[first] - hidden.visits.years[first] * YEAR_S
    timed = np.flatnonzero(table.has_time)
    years = (table.performed_at_s[timed] - at_s[table.patient[timed]]) / YEAR_S
    truth = true_lvef_percent(hidden.courses.take(table.patient[timed]), years)
    error = table.lvef_percent[timed] - truth
    assert error.std() == pytest.approx(5.5, abs=0.25)
    assert abs(error.mean()) < 0.25


def test_ecgs_are_sorted_and_each_patient_has_one(cohort):
    same = np.diff(cohort.patient_index) == 0
    assert (np.diff(cohort.patient_index) >= 0).all()
    assert (np.diff(cohort.recorded_at_s)[same] >= 0).all()
    assert np.unique(cohort.patient_index).size == N
    assert (cohort.age_years > 10).all()


def test_the_same_seed_gives_the_same_cohort_and_another_seed_another():
    a, b, c = simulate_patients(80, 3), simulate_patients(80, 3), simulate_patients(80, 4)
    assert (a.recorded_at_s == b.recorded_at_s).all()
    assert (a.echoes.lvef_percent == b.echoes.lvef_percent).all()
    assert a.n_ecgs != c.n_ecgs or (a.recorded_at_s != c.recorded_at_s).any()
    assert a.patient_id(7) == "SIM-A-000007"


def test_a_patient_does_not_depend_on_the_size_of_the_cohort_or_its_enrichment():
    small, large = simulate_patients(20, 3), simulate_patients(700, 3, {"LBBB": 5})
    m = small.n_ecgs
    assert (large.patient_index[: m + 1] < 20).sum() == m
    assert (large.recorded_at_s[:m] == small.recorded_at_s).all()
    ours = next(small.iter_ecgs(4, 100.0, [m - 1])).signal_mv
    theirs = next(large.iter_ecgs(4, 100.0, [m - 1])).signal_mv
    assert (ours == theirs).all()


def test_waveforms_do_not_depend_on_batch_or_on_which_others_are_asked_for():
    cohort = simulate_patients(12, 9)
    whole = np.concatenate([b.signal_mv for b in cohort.iter_ecgs(64, 100.0)])
    single = np.concatenate([b.signal_mv for b in cohort.iter_ecgs(1, 100.0)])
    assert (whole == single).all()
    mask = np.zeros(cohort.n_ecgs, dtype=bool)
    mask[[2, 5]] = True
    some = next(cohort.iter_ecgs(8, 100.0, mask))
    assert (some.signal_mv == whole[mask]).all()
    assert some.index.tolist() == [2, 5]
    assert whole.shape[1:] == (12, 1000)
    assert whole.dtype == np.float32


def test_enrichment_adds_labelled_patients_of_the_class():
    cohort = simulate_patients(50, 3, {"LBBB": 7, "AFIB": 4})
    assert cohort.n_patients == 61
    assert (cohort.enriched_as == "LBBB").sum() == 7
    assert (cohort.enriched_as == "AFIB").sum() == 4
    for name in ("LBBB", "AFIB"):
        added = cohort.enriched_as[cohort.patient_index] == name
        assert visits_by(cohort, name)[added].all()
    assert len({p.id for p in cohort.patients}) == 61


def test_records_are_valid_and_carry_no_statements():
    cohort = simulate_patients(5, 3)
    records = list(cohort.records())
    assert len(records) == cohort.n_ecgs
    record = records[0]
    assert isinstance(record, EcgRecord)
    assert record.patient_id == cohort.patient_id(0)
    assert record.recorded_at == cohort.ecg_refs(0)[0].recorded_at
    assert record.recorded_at.tzinfo is UTC
    assert record.statements == ()
    assert dict(record.measurements) == {}
    np.testing.assert_allclose(record.lead("III"), record.lead("II") - record.lead("I"), atol=1e-5)
    assert cohort.patients[0].birth_year is not None


def test_observables_hold_nothing_hidden():
    """Public names are these and no more; a new one must be weighed here first."""
    public = {f.name for f in dataclasses.fields(SimulatedCohort) if f.name[0] != "_"}
    assert public == {
        "seed",
        "site",
        "id_prefix",
        "n_patients",
        "patient_index",
        "recorded_at_s",
        "age_years",
        "male",
        "noise_uv",
        "birth_year",
        "enriched_as",
        "echoes",
        "diagnosis_codes",
    }
    assert {f.name for f in dataclasses.fields(EcgBatch)} == {
        "index",
        "signal_mv",
        "recorded_at_s",
        "patient_index",
        "age_years",
        "male",
    }
    for kind in (SimulatedCohort, EcgBatch):
        for name in (n for n in dir(kind) if n[0] != "_"):
            words = ("latent", "truth", "true", "archetype", "rhythm", "conduction", "feature")
            assert not any(word in name for word in words)


def test_normal_visits_are_of_people_without_disease(cohort):
    normal = normal_visits(cohort)
    assert 0.10 < normal.mean() < 0.40
    patients = np.unique(cohort.patient_index[normal])
    ill = cohort.diagnosis_codes.patient[
        np.char.startswith(cohort.diagnosis_codes.code, "I10")
        | np.char.startswith(cohort.diagnosis_codes.code, "I48")
    ]
    assert not np.isin(patients, ill).any()


def test_few_normal_ecgs_show_a_premature_beat(cohort):
    rows = np.flatnonzero(normal_visits(cohort))[:1500]
    known = truth(cohort._parameters(rows))
    assert (known.pvc | known.pac).any(axis=1).mean() < 0.08


def test_sites_differ_as_in_table_1():
    a, b = simulate_patients(4000, 7), simulate_patients(4000, 7, site="B")
    share = [
        np.unique(c.diagnosis_codes.patient[c.diagnosis_codes.code == "I10"]).size / 4000
        for c in (a, b)
    ]
    assert share[0] == pytest.approx(0.522, abs=0.025)
    assert share[1] == pytest.approx(0.437, abs=0.025)
    assert np.median(b.noise_uv) > np.median(a.noise_uv)


def test_site_b_has_the_lvsd_and_the_fibrillation_of_hospital_b():
    """Paper 000, Table 1: 4.9 % and 9.4 % of baseline pairs (7.8 % and 7.4 % at hospital A)."""
    lvsd, fibrillation = [], []
    for seed in (905, 906):
        cohort = simulate_patients(6000, seed, site="B")
        firsts = [
            pairs[0]
            for i in range(cohort.n_patients)
            if (pairs := form_pairs(cohort.ecg_refs(i), cohort.echo_studies(i)))
        ]
        rows = np.array([int(pair.ecg.key[1:]) for pair in firsts])
        rhythm = cohort._parameters(rows).rhythm
        lvsd += [pair.echo.lvsd for pair in firsts]
        fibrillation += [*np.isin(rhythm, (Rhythm.AFIB, Rhythm.FLUTTER))]
    assert np.mean(lvsd) == pytest.approx(0.049, abs=0.006)
    assert np.mean(fibrillation) == pytest.approx(0.094, abs=0.008)


def test_site_b_records_smaller_limb_leads_and_larger_chest_leads():
    a, b = simulate_patients(3000, 7), simulate_patients(3000, 7, site="B")
    limb, chest = (
        [np.median(getattr(c._parameters(np.arange(c.n_ecgs)), name)) for c in (a, b)]
        for name in ("limb_gain", "chest_gain")
    )
    assert limb[1] / limb[0] == pytest.approx(0.85, abs=0.03)
    assert chest[1] / chest[0] == pytest.approx(1.15, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1), "cannot simulate 0 patients"),
        ((5, -1), "with seed -1"),
        ((5, 1, {"WPW": 3}), "cannot enrich with 'WPW'"),
        ((5, 1, None, "C"), "no site 'C'"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(InvalidValue, match=message):
        simulate_patients(*arguments)
