"""From the store's pairs to an installed recalibrated variant, and back through scoring."""

import json
from dataclasses import replace

import numpy as np
import pytest
from courses import ANALYSABLE, MeanEngine, make_card, make_echo, make_record

from ecgdash.domain import Patient
from ecgdash.errors import InvalidValue, NotFound, WeightsHashMismatch
from ecgdash.inference.card_json import NetworkSizes, card_to_dict
from ecgdash.inference.history import encode_history, load_history_terms, mean_score, sigmoid
from ecgdash.inference.manifest import (
    InstalledFamily,
    find_family,
    load_card,
    sha256_of_file,
    verify_family,
    with_beside,
    write_manifest,
)
from ecgdash.services.evaluation import evaluate_table, jsonable
from ecgdash.services.evaluation_store import store_pairs
from ecgdash.services.history_data import repeats_of, store_pairs_of
from ecgdash.services.history_install import install_history, why_not_installed
from ecgdash.services.recalibrating import fit_scorer_history
from ecgdash.services.scoring import score_patients
from ecgdash.store import Findings, open_store
from ecgdash.training.history_only import HistorySettings, fold_of

N_PATIENTS = 160
SETTINGS = HistorySettings(epochs=15)


class Scorer(MeanEngine):
    """A scorer of others: one network for all variants of its card, any term beside it."""

    def __init__(self, card, terms=None):
        super().__init__(card)
        self.terms = terms or {}

    def base_logits(self, records):
        return super().base_logits(records)[:, : len(self.card.variants)]


def external_card(label="LVEF <= 40 %"):
    card = make_card()
    return replace(card, family="other-lvsd-12", label=label, variants=card.variants[:1])


def fill(store):
    """Store patients with stable LVEFs that the ECG hardly shows, an ECG repeated within days."""
    rng = np.random.default_rng(8)
    for i in range(N_PATIENTS):
        lvef = float(rng.choice([32.0, 37.0, 45.0, 60.0], p=[0.2, 0.15, 0.15, 0.5]))
        key = store.put_patient(Patient(str(i), "H", "male", 1950))
        for days in (0, 5, 200, 400):
            logit = -1.5 + (lvef <= 40) * 0.8 + rng.normal(0, 1)
            record = make_record(float(logit), days, age_years=60.0)
            store.add_ecg(key, record, Findings(ANALYSABLE, ()))
        for days in (0, 200, 400):
            store.add_echo(key, make_echo(days, float(np.round(lvef + rng.normal(0, 2), 1))))


@pytest.fixture(scope="module")
def filled():
    store = open_store("sqlite://")
    fill(store)
    score_patients(store, [Scorer(external_card())])
    yield store
    store.close()


@pytest.fixture(scope="module")
def fitted(filled):
    return fit_scorer_history(store_pairs_of(filled, external_card()), SETTINGS)


@pytest.fixture
def models(tmp_path):
    """Return a models folder with the scorer installed, as `models add` leaves it."""
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "weights.pt").write_bytes(b"stands for a network of others")
    (folder / "spec.toml").write_text("", encoding="utf-8")
    card = replace(external_card(), weights_sha256=sha256_of_file(folder / "weights.pt"))
    text = json.dumps(card_to_dict(card, NetworkSizes(64, ())))
    (folder / "card.json").write_text(text, encoding="utf-8")
    row = InstalledFamily(
        name=card.family,
        folder=folder,
        weights="weights.pt",
        weights_sha256=card.weights_sha256,
        card="card.json",
        card_sha256=sha256_of_file(folder / "card.json"),
    )
    write_manifest([with_beside(row, "spec", folder / "spec.toml")], tmp_path)
    return tmp_path


def of_installed(fitted, models):
    """Return the fit as one on pairs that the installed weights scored."""
    card = load_card(find_family("other-lvsd-12", models))[0]
    return replace(fitted, data=replace(fitted.data, card=card))


def test_every_pair_is_scored_by_the_term_of_another_fold(fitted):
    data, fit = fitted.data, fitted.fit
    rows = [i for i, there in enumerate(data.with_history) if there]
    assert len(rows) == 2 * N_PATIENTS
    expected = []
    for i in rows:
        row = data.rows[i]
        term = fit.folds[fold_of(row.subject.name, 5)].term
        shift = term.of_vectors(encode_history(row.histories["recalibrated"], "recalibrated")[None])
        expected.append(float(mean_score(data.logits[i] + shift[0])))
    y = data.cases[rows]
    greater = [a > b for a in np.array(expected)[y] for b in np.array(expected)[~y]]
    later = fitted.result["follow_up"]
    assert later["auroc"]["recalibrated"].value == pytest.approx(np.mean(greater), abs=1e-6)
    assert later["n"] == len(rows)


def test_the_house_s_tables_and_controls_stand_in_the_result(fitted):
    later, controls = fitted.result["follow_up"], fitted.result["controls"]
    gain = later["delong"]["recalibrated_minus_uncalibrated"]
    assert gain["difference"] > 0.1
    assert gain["p"] < 1e-6
    assert later["bootstrap"]["recalibrated_minus_uncalibrated"].low > 0
    assert set(controls) == {"shuffled_histories", "no_history", "last_lvef_alone"}
    without = later["auroc"]["uncalibrated"].value
    assert controls["no_history"]["auroc"].value == pytest.approx(without, abs=1e-12)
    assert controls["shuffled_histories"]["auroc"].value < without + 0.03
    assert {"sensitivity", "specificity"} <= set(later["subgroups"]["male"]["recalibrated"])
    assert "out of fold (5 folds by patient)" in fitted.result["data"]
    json.dumps(jsonable(fitted.result), allow_nan=False)


def test_thresholds_and_noise_floor_are_out_of_fold(fitted):
    card = fitted.variant
    assert card.youden.data.startswith("out-of-fold scores of follow-up pairs of patients of the")
    assert card.youden.n == 2 * N_PATIENTS
    assert card.youden.id == "other-lvsd-12/recalibrated/youden@1"
    # the only ECGs within 14 days are those of day 0 and 5, and they have no earlier pair
    assert len(repeats_of(fitted.data, fitted.fit)) == 0
    assert card.noise_floor_logit is None
    assert card.repeatability is None


def test_repeat_ecgs_with_a_history_give_a_noise_floor():
    store = open_store("sqlite://")
    rng = np.random.default_rng(2)
    for i in range(60):
        key = store.put_patient(Patient(str(i), "H"))
        lvef = 30.0 if i % 2 else 60.0
        for days, spread in ((0, 0.5), (200, 0.5), (205, 0.5)):
            logit = float(rng.normal(-1.0, spread))
            store.add_ecg(key, make_record(logit, days, age_years=60.0), Findings(ANALYSABLE, ()))
        store.add_echo(key, make_echo(0, lvef))
        store.add_echo(key, make_echo(200, lvef + 1))
    score_patients(store, [Scorer(external_card())])
    found = fit_scorer_history(store_pairs_of(store, external_card()), SETTINGS)
    # both of a pair carry the same term: what differs is the ECGs, sd 0.5 * sqrt(2)
    drawn = repeats_of(found.data, found.fit)
    assert len(drawn) == 60
    later, earlier = drawn.logits[:, 1], drawn.logits[:, 0]
    assert found.variant.noise_floor_logit == pytest.approx(
        1.96 * np.std(later - earlier, ddof=1), rel=1e-3
    )
    assert found.variant.noise_floor_logit == pytest.approx(1.96 * 0.5 * 2**0.5, rel=0.25)
    store.close()


def test_an_installed_term_scores_as_the_fit_does(fitted, models):
    card = install_history(models, of_installed(fitted, models))
    row = find_family("other-lvsd-12", models)
    verify_family(row)
    assert load_card(row)[0] == card
    assert [one.variant for one in card.variants] == ["uncalibrated", "recalibrated"]
    assert set(row.beside) == {"spec", "history"}
    terms = load_history_terms(row.folder / "history.safetensors")

    store = open_store("sqlite://")
    fill(store)
    before = replace(external_card(), weights_sha256=card.weights_sha256)
    score_patients(store, [Scorer(before)])
    engine = Scorer(card, terms)
    score_patients(store, [engine])
    assert engine.n_seen == 4 * N_PATIENTS  # predictions of one variant do not serve two
    table = store_pairs(store, card, terms)
    worst = 0.0
    for i in np.flatnonzero(table.follow_up):
        key = str(table.patient[i])
        stored = store.predictions_of(key)
        scores = {
            p[card.family].scores["recalibrated"].value
            for p in stored.values()
            if hasattr(p[card.family].scores["recalibrated"], "value")
        }
        worst = max(worst, min(abs(table.scores["recalibrated"][i] - s) for s in scores))
    assert worst < 1e-6
    later = evaluate_table(table)["follow_up"]
    data = fitted.data
    vectors = data.examples().vectors
    expected = sigmoid(data.examples().logits + fitted.fit.term.of_vectors(vectors))
    found = np.sort(table.scores["recalibrated"][table.follow_up])
    assert np.abs(found - np.sort(expected)).max() < 1e-6
    assert later["n"] == 2 * N_PATIENTS
    store.close()


def test_a_second_fit_replaces_the_first_one(fitted, models):
    first = install_history(models, of_installed(fitted, models))
    again = replace(fitted, fit=replace(fitted.fit, epochs=99))
    second = install_history(models, of_installed(again, models))
    assert [one.variant for one in second.variants] == ["uncalibrated", "recalibrated"]
    assert len(second.chosen) == len(first.chosen) == 1
    assert "99 epochs" in second.chosen[0]
    assert second.trained_on_simulated
    assert "SIMULATED" in second.notes[0]


def test_what_takes_no_history_is_left_as_it_is(fitted, models):
    row = find_family("other-lvsd-12", models)
    own = make_card()
    assert "never overwritten" in why_not_installed(row, own)
    plain = replace(row, beside={})
    assert "no external scorer" in why_not_installed(plain, external_card())
    assert why_not_installed(row, external_card()) == ""
    with pytest.raises(InvalidValue, match="other weights by now"):
        install_history(models, fitted)
    useless = replace(of_installed(fitted, models), fit=replace(fitted.fit, epochs=0))
    with pytest.raises(InvalidValue, match="no history was better"):
        install_history(models, useless)
    assert set(find_family("other-lvsd-12", models).beside) == {"spec"}
    (row.folder / "weights.pt").write_bytes(b"others")
    with pytest.raises(WeightsHashMismatch):
        install_history(models, of_installed(fitted, models))


def test_the_scorer_s_own_label_decides_who_is_a_case(filled):
    lower, higher = (
        store_pairs_of(filled, external_card(label)) for label in ("LVEF <= 40 %", "LVEF < 50 %")
    )
    measured = np.array([row.lvef_percent for row in higher.rows])
    assert np.array_equal(higher.cases, measured < 50)
    assert np.array_equal(lower.cases, measured <= 40)
    assert higher.cases.sum() > lower.cases.sum()
    found = fit_scorer_history(higher, replace(SETTINGS, epochs=2))
    assert found.result["label"] == "LVEF < 50 %"
    assert found.result["follow_up"]["n_positive"] == higher.cases[higher.with_history].sum()
    with pytest.raises(InvalidValue, match="no measured LVEF can say"):
        fit_scorer_history(store_pairs_of(filled, external_card("EF falls in a year")), SETTINGS)


def test_too_few_cases_are_refused(store):
    for i in range(12):
        key = store.put_patient(Patient(str(i), "H"))
        for days in (0, 200):
            store.add_ecg(key, make_record(0.1 * i, days, age_years=60.0), Findings(ANALYSABLE, ()))
            store.add_echo(key, make_echo(days, 30 if i < 6 else 60))
    with pytest.raises(NotFound, match="no stored ECG is scored"):
        store_pairs_of(store, external_card())
    score_patients(store, [Scorer(external_card())])
    with pytest.raises(InvalidValue, match="6 cases .* and 6 controls"):
        fit_scorer_history(store_pairs_of(store, external_card()), SETTINGS)
