"""The engine: invariance, the gate, histories, and files it refuses."""

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from inference_family import FAMILY, ecg, install, random_family_net

from ecgdash.domain import (
    EcgRecord,
    EcgRef,
    EchoStudy,
    NotApplicable,
    Prediction,
    TteEcgPair,
    VariantScore,
    form_pairs,
)
from ecgdash.errors import InvalidValue, WeightsHashMismatch, WeightsMissing
from ecgdash.inference.engine import Engine
from ecgdash.inference.manifest import installed_families
from ecgdash.nets.family import FamilyNet
from ecgdash.signal.preprocess import preprocess_crops


def refs_of(records: list[EcgRecord]) -> list[EcgRef]:
    return [EcgRef(r.sha256, r.recorded_at, r.local_day) for r in records if r.recorded_at]


def echo_of(record: EcgRecord, lvef: float, days: float = 1.0) -> EchoStudy:
    at = record.recorded_at + timedelta(days=days)
    return EchoStudy(record.patient_id, at, at.date(), lvef)


def pairs_of(records: list[EcgRecord], lvefs: list[float]) -> list[TteEcgPair]:
    echoes = [echo_of(r, v) for r, v in zip(records, lvefs, strict=True)]
    return form_pairs(refs_of(records), echoes)


def value(prediction: Prediction, variant: str) -> float:
    score = prediction.scores[variant]
    assert isinstance(score, VariantScore)
    return score.value


def test_logits_are_those_of_the_network(engine: Engine, family_net: FamilyNet) -> None:
    record = ecg(1)
    crops = preprocess_crops(record.signal_mv, record.sampling_hz)
    with torch.inference_mode():
        expected = family_net(torch.from_numpy(crops)).double().numpy().T
    got = engine.base_logits([record])
    assert got.shape == (1, 3, 3)
    np.testing.assert_allclose(got[0], expected, rtol=0, atol=2e-6)


def test_padding_and_all_but_the_best_ten_seconds_are_not_scored(engine: Engine) -> None:
    record = ecg(1)
    n = record.n_samples
    assert record.duration_s == 10.0
    noise = np.random.default_rng(5).normal(0, 2.0, (record.signal_mv.shape[0], n))
    long = replace(record, signal_mv=np.concatenate([noise, record.signal_mv], axis=1))
    np.testing.assert_array_equal(engine.base_logits([long]), engine.base_logits([record]))
    padded = np.array(record.signal_mv)
    padded[:, -round(0.2 * record.sampling_hz) :] = 0.0
    whole = replace(record, signal_mv=padded)
    cut = replace(record, signal_mv=padded[:, : -round(0.24 * record.sampling_hz)])
    np.testing.assert_array_equal(engine.base_logits([whole]), engine.base_logits([cut]))


def test_an_ecg_scores_the_same_alone_in_any_batch_and_order(engine: Engine) -> None:
    records = [ecg(i) for i in range(19)]
    together = engine.base_logits(records)
    alone = np.concatenate([engine.base_logits([record]) for record in records])
    order = np.random.default_rng(0).permutation(len(records))
    shuffled = engine.base_logits([records[i] for i in order])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together[order], shuffled)
    assert np.ptp(together) > 0.01


def test_another_process_gives_the_same_bits(engine: Engine, models_dir: Path) -> None:
    code = (
        "import sys; sys.path[:0] = [sys.argv[2], sys.argv[3]];"
        "from pathlib import Path; from inference_family import ecg, FAMILY;"
        "from ecgdash.inference import Engine;"
        "e = Engine.load(FAMILY, 'cpu', Path(sys.argv[1]));"
        "print(e.base_logits([ecg(7), ecg(3)]).tobytes().hex())"
    )
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", code, str(models_dir), str(here), str(here.parents[1])],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == engine.base_logits([ecg(7), ecg(3)]).tobytes().hex()


def test_prepared_crops_give_the_same_logits(engine: Engine) -> None:
    records = [ecg(i) for i in range(3)]
    crops = np.stack([engine.crops(record) for record in records])
    np.testing.assert_array_equal(engine.base_logits_from_crops(crops), engine.base_logits(records))


def test_no_records_give_no_logits(engine: Engine) -> None:
    assert engine.base_logits([]).shape == (0, 3, 3)
    assert engine.score_cohort([], []) == []


def test_the_cart_label_head_answers(engine: Engine) -> None:
    assert engine.label_logits([ecg(1)]).shape == (1, len(engine.labels), 3)


def test_stored_logits_equal_a_full_pass_with_history(
    engine: Engine, family_net: FamilyNet, course: list[EcgRecord]
) -> None:
    from ecgdash.inference.history import encode_history

    pairs = pairs_of(course, [55.0, 38.0, 42.0, 35.0, 30.0])
    predictions = engine.score_cohort(course, pairs)
    for variant in ("masked", "recalibrated"):
        score = predictions[-1].scores[variant]
        assert isinstance(score, VariantScore)
        assert score.history is not None
        vector = torch.from_numpy(encode_history(score.history, variant)).float().expand(3, -1)
        crops = torch.from_numpy(engine.crops(course[-1]))
        with torch.inference_mode():
            full = torch.sigmoid(family_net.logit(variant, crops, vector)).mean()
        assert score.value == pytest.approx(float(full), abs=1e-6)
        assert abs(score.value - value(predictions[-1], "uncalibrated")) > 1e-4


def test_the_first_ecg_has_no_history_and_says_so(engine: Engine, course: list[EcgRecord]) -> None:
    first, second, *_ = engine.score_cohort(course, pairs_of(course[:1], [30.0]))
    assert first.scores["masked"] == NotApplicable("no earlier ECG at least one day older")
    assert first.scores["recalibrated"] == NotApplicable("no earlier ECG-echo pair")
    assert isinstance(second.scores["recalibrated"], VariantScore)


def test_masked_history_takes_unpaired_ecgs_and_no_lvef(
    engine: Engine, course: list[EcgRecord]
) -> None:
    last = engine.score_cohort(course, [])[-1]
    score = last.scores["masked"]
    assert isinstance(score, VariantScore)
    assert score.history is not None
    assert [slot.ecg for slot in score.history.slots] == [r.sha256 for r in course[3:0:-1]]
    assert {slot.lvef_percent for slot in score.history.slots} == {None}
    assert isinstance(last.scores["recalibrated"], NotApplicable)


def test_later_records_never_change_an_earlier_point(
    engine: Engine, course: list[EcgRecord]
) -> None:
    pairs = pairs_of(course, [55.0, 38.0, 42.0, 35.0, 30.0])
    whole = engine.score_cohort(course, pairs)
    for n in range(1, len(course)):
        part = engine.score_cohort(course[:n], pairs[:n])
        for early, late in zip(part, whole, strict=False):
            assert early.scores == late.scores


def test_the_label_echo_never_changes_the_score_it_labels(
    engine: Engine, course: list[EcgRecord]
) -> None:
    before = engine.score_cohort(course, pairs_of(course, [50.0, 50.0, 50.0, 50.0, 60.0]))[-1]
    after = engine.score_cohort(course, pairs_of(course, [50.0, 50.0, 50.0, 50.0, 20.0]))[-1]
    assert before.scores == after.scores
    other = engine.score_cohort(course, pairs_of(course, [50.0, 50.0, 50.0, 20.0, 60.0]))[-1]
    assert value(other, "recalibrated") != value(before, "recalibrated")
    assert value(other, "masked") == value(before, "masked")


def test_patients_do_not_share_histories(engine: Engine, course: list[EcgRecord]) -> None:
    others = [replace(ecg(90 + i, day=10 + 150 * i), patient_id="q") for i in range(3)]
    nameless = replace(ecg(70, day=2000), patient_id=None)
    alone = engine.score_cohort(course, pairs_of(course, [30.0] * 5))
    mixed = engine.score_cohort([*others, *course, nameless], pairs_of(course, [30.0] * 5))
    assert [p.scores for p in mixed[3:8]] == [p.scores for p in alone]
    assert isinstance(mixed[0].scores["masked"], NotApplicable)
    assert isinstance(mixed[-1].scores["masked"], NotApplicable)


def test_an_undated_ecg_is_scored_uncalibrated_and_enters_no_history(
    engine: Engine, course: list[EcgRecord]
) -> None:
    undated = ecg(40, day=None)
    *dated, last = engine.score_cohort([*course, undated], [])
    assert isinstance(last.scores["uncalibrated"], VariantScore)
    assert last.scores["masked"] == NotApplicable("the ECG has no date, so it has no history")
    assert [p.scores for p in dated] == [p.scores for p in engine.score_cohort(course, [])]


def test_a_withheld_ecg_has_reasons_and_enters_no_history(
    engine: Engine, course: list[EcgRecord]
) -> None:
    flat = np.array(course[2].signal_mv)
    flat[7] = 0.0
    records = [*course[:2], replace(course[2], signal_mv=flat), *course[3:]]
    predictions = engine.score_cohort(records, [])
    withheld = predictions[2].scores["uncalibrated"]
    assert isinstance(withheld, NotApplicable)
    assert "V2" in withheld.reason
    assert predictions[2].base_logits == {}
    history = predictions[3].scores["masked"].history
    assert [slot.ecg for slot in history.slots[:2]] == [course[1].sha256, course[0].sha256]


def test_missing_leads_are_named(engine: Engine) -> None:
    record = ecg(5)
    limb = replace(record, signal_mv=record.signal_mv[:6], leads=record.leads[:6])
    score = engine.score_cohort([limb], [])[0].scores["uncalibrated"]
    assert isinstance(score, NotApplicable)
    assert "V1, V2" in score.reason


def test_provenance_traces_the_prediction(engine: Engine) -> None:
    record = ecg(5)
    prediction = engine.score_cohort([record], [])[0]
    assert prediction.provenance is not None
    assert prediction.provenance.weights_sha256 == engine.card.weights_sha256
    assert prediction.provenance.waveform_sha256 == prediction.ecg == record.sha256
    version = torch.__version__
    assert prediction.provenance.backend == f"torch {version} float32 cpu"


def test_where_no_network_runs_none_is_chosen_or_named(models_dir: Path) -> None:
    fresh = Engine.load(FAMILY, "cpu", models_dir)
    record = ecg(5)
    flat = replace(record, signal_mv=np.zeros_like(record.signal_mv))
    (withheld,) = fresh.score_cohort([flat], [])
    assert isinstance(withheld.scores["uncalibrated"], NotApplicable)
    assert withheld.provenance is not None
    assert withheld.provenance.backend == fresh.computed_by == ""
    assert fresh._chosen is None
    beside, scored = fresh.score_cohort([flat, record], [])
    assert beside.provenance is not None
    assert scored.provenance is not None
    assert beside.provenance.backend == ""
    assert scored.provenance.backend == fresh.computed_by != ""


def test_a_changed_weights_file_is_refused(tmp_path: Path) -> None:
    models = install(random_family_net(), tmp_path)
    path = models / FAMILY / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsHashMismatch, match="weights.safetensors"):
        Engine.load(FAMILY, "cpu", models)


def test_a_changed_card_is_refused(tmp_path: Path) -> None:
    models = install(random_family_net(), tmp_path)
    path = models / FAMILY / "card.json"
    path.write_text(path.read_text().replace('"value": 0.5', '"value": 0.1'))
    with pytest.raises(WeightsHashMismatch, match="card.json"):
        installed_families(models)


def test_missing_weights_and_families_are_named(tmp_path: Path, models_dir: Path) -> None:
    with pytest.raises(WeightsMissing, match="deepecg-lvsd-1"):
        Engine.load("deepecg-lvsd-1", "cpu", models_dir)
    models = install(random_family_net(), tmp_path)
    (models / FAMILY / "weights.safetensors").unlink()
    with pytest.raises(WeightsMissing, match="weights.safetensors"):
        Engine.load(FAMILY, "cpu", models)


def test_no_manifest_means_nothing_installed(tmp_path: Path) -> None:
    assert installed_families(tmp_path) == []


def test_a_broken_manifest_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text('[families.x]\nfolder = "../elsewhere"\n')
    with pytest.raises(InvalidValue, match="elsewhere"):
        installed_families(tmp_path)


def test_the_card_survives_the_file(engine: Engine, models_dir: Path) -> None:
    assert installed_families(models_dir) == [engine.card]


def test_an_unknown_device_is_refused(models_dir: Path) -> None:
    with pytest.raises(InvalidValue, match="toaster"):
        Engine.load(FAMILY, "toaster", models_dir)
