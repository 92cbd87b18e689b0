"""External families: installed, scored beside ours under their own label, never compared."""

import json
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from courses import ANALYSABLE, START, fill, make_echo
from safetensors.numpy import save

sys.path.insert(0, str(Path(__file__).parents[1] / "inference"))
from external_nets import Deaf, Scorer, WithHistory, spec_text, torchscript
from inference_family import FAMILY, ecg, install, random_family_net

from ecgdash.domain import RECALIBRATED, UNCALIBRATED, Diagnosis, NotApplicable, VariantScore
from ecgdash.errors import InputDoesNotFitModel, InvalidValue, WeightsHashMismatch
from ecgdash.inference.history import encode_history, mean_score
from ecgdash.inference.manifest import (
    NetworkSizes,
    card_to_dict,
    find_family,
    load_card,
    read_manifest,
    sha256_of_file,
    verify_family,
    with_beside,
    write_manifest,
)
from ecgdash.services.explaining import family_terms
from ecgdash.services.exporting import timeline_json
from ecgdash.services.external import add_external
from ecgdash.services.external_inputs import INPUTS
from ecgdash.services.monitoring import WorklistQuery, choose_family, timeline, worklist
from ecgdash.services.scoring import installed_cards, load_engines, own_engines, score_patients
from ecgdash.settings import Settings
from ecgdash.store import Findings

_SEED = 30
"""Of ECGs that the gate lets through."""
PULSE = {"own": (0.4, "Youden, made up")}


@pytest.fixture(scope="module")
def house():
    return random_family_net()


@pytest.fixture
def models_dir(house, tmp_path):
    """Return a folder of models with one family of this house."""
    return install(house, tmp_path / "models")


def add(models_dir, net, shipped="heartwise-lvef50", own=None, **changed):
    folder = models_dir.parent
    weights, spec = folder / "net.pt", folder / "spec.toml"
    weights.write_bytes(torchscript(net))
    spec.write_text(spec_text(shipped, **changed))
    return add_external(weights, spec, models_dir, own=own)


def settings_of(models_dir):
    return Settings(models_dir=models_dir, device="cpu")


def course(*days):
    """Return analysable ECGs on these days of the courses' calendar."""
    moments = [START + timedelta(days=day) for day in days]
    return [
        (replace(ecg(i + _SEED, patient="17"), recorded_at=at, local_day=at.date()), ANALYSABLE)
        for i, at in enumerate(moments)
    ]


def test_an_added_family_stands_beside_the_others_with_its_card(models_dir):
    before = read_manifest(models_dir)[FAMILY]
    added = add(models_dir, Scorer())
    assert not added.replaced
    assert read_manifest(models_dir)[FAMILY] == before
    row = find_family("heartwise-lvef50", models_dir)
    verify_family(row)
    card, _ = load_card(row)
    assert (card.label, card.external, card.lead_set) == ("LVEF < 50 %", True, "12")
    point = card.variant(UNCALIBRATED).youden
    assert (point.value, point.data, point.n) == (0.268, "not stated", 0)
    assert np.isnan([point.sensitivity, point.specificity]).all()
    assert any("depends on that ECG alone" in line for line in card.differs)
    assert (row.folder / "spec.toml").read_text() == spec_text("heartwise-lvef50")
    assert add(models_dir, Scorer()).replaced


def test_nothing_is_written_when_a_file_is_refused(models_dir):
    manifest = (models_dir / "manifest.toml").read_bytes()
    for act, error in (
        (lambda: add(models_dir, Deaf()), InputDoesNotFitModel),
        (lambda: add(models_dir, Scorer(), crops='"last"'), InvalidValue),
        (lambda: add(models_dir, Scorer(), sha256=f'"{"0" * 64}"'), WeightsHashMismatch),
        (lambda: add(models_dir, Scorer(), name=f'"{FAMILY}"'), InvalidValue),
        (lambda: add(models_dir, WithHistory(), "pulse-hf"), InvalidValue),
    ):
        with pytest.raises(error):
            act()
    assert (models_dir / "manifest.toml").read_bytes() == manifest
    assert sorted(path.name for path in models_dir.iterdir()) == sorted([FAMILY, "manifest.toml"])


def test_its_scores_stand_beside_ours_under_their_own_label(models_dir, store):
    patient, keys = fill(store, course(0, 90, 200))
    settings = settings_of(models_dir)
    score_patients(store, load_engines(settings))
    plain = timeline(store, patient, installed_cards(settings))
    (row,) = worklist(store, WorklistQuery(show_folded=True)).rows

    add(models_dir, Scorer())
    engines = load_engines(settings)
    assert [engine.card.family for engine in own_engines(engines)] == [FAMILY]
    report = score_patients(store, engines)
    assert report.n_networks == 3  # the external family's; ours are known
    both = timeline(store, patient, installed_cards(settings))

    assert [one.ecg for one in both.others] == keys[::-1]
    assert {(one.family, one.label) for one in both.others} == {("heartwise-lvef50", "LVEF < 50 %")}
    with_values = {one.ecg: one.score for one in both.others}
    assert all(score.threshold.value == 0.268 for score in with_values.values())
    # nothing of theirs enters our points: no score, no change, no history
    assert replace(both, others=()) == replace(plain, others=())
    (beside,) = worklist(store, WorklistQuery(show_folded=True), installed_cards(settings)).rows
    assert replace(beside, others=()) == row
    (one,) = beside.others
    assert (one.family, one.label, one.threshold) == ("heartwise-lvef50", "LVEF < 50 %", 0.268)
    assert one.value == with_values[keys[-1]].value
    told = timeline_json(both)
    json.dumps(told, allow_nan=False)
    assert [one["label"] for one in told["other_models"]] == ["LVEF < 50 %"] * 3
    assert "not all of its figures are stated" in told["other_models"][0]["threshold_origin"]
    assert told["other_models"][0]["provenance"]["backend"].endswith("cpu, TorchScript")
    assert " float32 " in told["points"][0]["provenance"]["backend"]


def test_a_family_of_another_label_cannot_take_the_worklists_place(models_dir, store):
    fill(store, course(0))
    add(models_dir, Scorer())
    add(models_dir, Scorer(), "heartwise-lvef40")
    cards = installed_cards(settings_of(models_dir))
    with pytest.raises(InvalidValue, match=r"of another label \(LVEF < 50 %\)"):
        choose_family(store, "heartwise-lvef50", cards)
    assert store.active_families() == {}
    assert choose_family(store, "heartwise-lvef40", cards).external  # the same label competes


def test_what_is_scored_is_not_scored_again(models_dir, store):
    """A threshold with figures that are not stated must not look changed each time."""
    fill(store, course(0, 90))
    add(models_dir, Scorer())
    engines = load_engines(settings_of(models_dir))
    assert score_patients(store, engines).n_updated == 4
    again = score_patients(store, engines)
    assert (again.n_networks, again.n_updated) == (0, 0)


def test_another_rule_of_preprocessing_scores_anew(models_dir, store):
    patient, (key,) = fill(store, course(0))
    add(models_dir, Scorer())
    score_patients(store, load_engines(settings_of(models_dir)))
    before = store.predictions_of(patient)[key]["heartwise-lvef50"]
    add(models_dir, Scorer(), divide_by="0.01")
    assert score_patients(store, load_engines(settings_of(models_dir))).n_networks == 1
    after = store.predictions_of(patient)[key]["heartwise-lvef50"]
    assert after.base_logits != before.base_logits


def pulse_rows(store, patient):
    found = store.predictions_of(patient)
    return {ecg: families["pulse-hf"].base_logits[INPUTS] for ecg, families in found.items()}


def test_a_history_inside_the_network_is_renewed_and_never_holds_the_label(models_dir, store):
    patient, keys = fill(store, course(0, 100, 200))
    add(models_dir, WithHistory().double(), "pulse-hf", **PULSE)
    engines = [e for e in load_engines(settings_of(models_dir)) if e.card.external]
    assert score_patients(store, engines).n_networks == 3
    assert set(pulse_rows(store, patient)[keys[2]]) == {0.0}

    store.add_echo(patient, make_echo(97, 35.0))  # labels the second ECG, three days before it
    assert score_patients(store, engines).n_networks == 1
    rows = pulse_rows(store, patient)
    assert set(rows[keys[0]]) == set(rows[keys[1]]) == {0.0}
    assert rows[keys[2]][1:5] == (35.0, 35.0, 1.0, 35.0)

    store.add_echo(patient, make_echo(101, 38.0))  # nearer: it wins the label, the other stays out
    score_patients(store, engines)
    rows = pulse_rows(store, patient)
    assert set(rows[keys[1]]) == {0.0}
    assert rows[keys[2]][1:5] == (35.0, 38.0, 2.0, 36.5)
    again = score_patients(store, engines)
    assert (again.n_networks, again.n_updated) == (0, 0)


def test_a_later_record_never_changes_what_an_earlier_ecg_was_told(models_dir, store):
    patient, keys = fill(store, course(0, 100))
    store.add_echo(patient, make_echo(10, 42.0))
    add(models_dir, WithHistory().double(), "pulse-hf", **PULSE)
    engines = [e for e in load_engines(settings_of(models_dir)) if e.card.external]
    score_patients(store, engines)
    before = pulse_rows(store, patient)
    for day, lvef in ((101, 20.0), (150, 60.0)):
        store.add_echo(patient, make_echo(day, lvef))
    later, gate = course(0, 100, 160)[2]
    store.add_ecg(patient, later, Findings(gate))
    score_patients(store, engines)
    after = pulse_rows(store, patient)
    assert {key: after[key] for key in keys} == before
    assert len(after) == 3


def test_a_diagnosis_of_heart_failure_is_read_from_the_store(models_dir, store):
    patient, (key,) = fill(store, course(100))
    store.add_diagnoses(patient, [Diagnosis("17", "ICD-10", "I50.9", START.date())])
    add(models_dir, WithHistory().double(), "pulse-hf", **PULSE)
    engines = [e for e in load_engines(settings_of(models_dir)) if e.card.external]
    score_patients(store, engines)
    assert pulse_rows(store, patient)[key][0] == 100.0


def with_history(models_dir, family):
    """Install a history perceptron and the card's second variant, as `train recalibrate` does."""
    rng = np.random.default_rng(6)
    head = "branches.recalibrated."
    tensors = {
        head + "perceptron.hidden.weight": rng.standard_normal((4, 12)),
        head + "perceptron.hidden.bias": rng.standard_normal(4),
        head + "perceptron.out.weight": rng.standard_normal((3, 4)),
        head + "perceptron.out.bias": rng.standard_normal(3),
        head + "final_layer.weight": rng.standard_normal((1, 3)),
    }
    row = find_family(family, models_dir)
    (row.folder / "history.safetensors").write_bytes(save(tensors))
    card, _ = load_card(row)
    second = replace(card.variants[0], variant=RECALIBRATED)
    card = replace(card, variants=(*card.variants, second))
    row.card_path.write_text(json.dumps(card_to_dict(card, NetworkSizes(0, ()))))
    row = with_beside(row, "history", row.folder / "history.safetensors")
    row = replace(row, card_sha256=sha256_of_file(row.card_path))
    write_manifest({**read_manifest(models_dir), family: row}.values(), models_dir)
    return tensors


def test_a_fitted_history_becomes_the_recalibrated_variant(models_dir, store):
    patient, keys = fill(store, course(0, 90, 200))
    store.add_echo(patient, make_echo(1, 33.0))
    add(models_dir, Scorer())
    settings = settings_of(models_dir)
    score_patients(store, load_engines(settings))
    tensors = with_history(models_dir, "heartwise-lvef50")
    cards = installed_cards(settings)
    assert score_patients(store, load_engines(settings)).n_updated == 3
    found = {
        ecg: families["heartwise-lvef50"] for ecg, families in store.predictions_of(patient).items()
    }
    assert isinstance(found[keys[0]].scores[RECALIBRATED], NotApplicable)
    scored = found[keys[2]].scores[RECALIBRATED]
    assert isinstance(scored, VariantScore)
    base = found[keys[2]].base_logits
    assert base[RECALIBRATED] == base[UNCALIBRATED]
    # by hand: w.(W2 relu(W1 h + b1) + b2), added to the logit of the one crop
    w = [
        tensors[f"branches.recalibrated.{name}"]
        for name in (
            "perceptron.hidden.weight",
            "perceptron.hidden.bias",
            "perceptron.out.weight",
            "perceptron.out.bias",
            "final_layer.weight",
        )
    ]
    hidden = np.maximum(w[0] @ encode_history(scored.history, RECALIBRATED) + w[1], 0)
    term = float((w[4] @ (w[2] @ hidden + w[3]))[0])
    assert scored.value == pytest.approx(float(mean_score(np.array(base[UNCALIBRATED]) + term)))
    assert set(family_terms(cards, models_dir)["heartwise-lvef50"]) == {RECALIBRATED}

    add(models_dir, Scorer())  # the same network again: what was fitted to it stays
    assert [
        v.variant for v in load_card(find_family("heartwise-lvef50", models_dir))[0].variants
    ] == [
        UNCALIBRATED,
        RECALIBRATED,
    ]
    add(models_dir, Scorer(seed=8))  # another network: it does not
    card, _ = load_card(find_family("heartwise-lvef50", models_dir))
    assert [v.variant for v in card.variants] == [UNCALIBRATED]
