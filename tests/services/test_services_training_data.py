"""The store's ECGs as shards: who teaches what, the engine's crops, resumed, without identity."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ecgdash.domain import (
    CANONICAL_LEADS,
    EcgRecord,
    EchoStudy,
    GateFinding,
    GateResult,
    Patient,
    form_pairs,
)
from ecgdash.errors import InvalidValue, NotFound
from ecgdash.io import read_ecg
from ecgdash.labels.table import LABEL_NAMES
from ecgdash.services import training_data
from ecgdash.services.training_data import prepare_from_store, refuse_other_data
from ecgdash.services.training_plan import plan_training, side_of
from ecgdash.signal.preprocess import preprocess_crops, preprocess_window
from ecgdash.signal.window import scored_window
from ecgdash.store import Findings, open_store
from ecgdash.training.config import SimulatedData
from ecgdash.training.courses import read_courses
from ecgdash.training.recalibrate import follow_up_examples, pairs_of_courses
from ecgdash.training.shards import Shard
from ecgdash.training.simulated import prepare_simulated
from ecgdash.training.splits import SPLITS, split_of

SITE = "St Ansgar"
START = datetime(2011, 3, 5, 9, 30, tzinfo=UTC)
NUMBERS = {"qrs_ms": 96.0, "heart_rate_bpm": 75.0}
SINUS = ("Sinus rhythm",)

PACED = GateResult((GateFinding("pacing", "excludes", "paced rhythm"),))
CHILD = GateResult((GateFinding("age", "excludes", "age 9, the model is made for adults"),))
NO_UNIT = GateResult((GateFinding("arbitrary_units", "excludes", "in arbitrary units"),))
NOTED = GateResult((GateFinding("age_unknown", "notes", "age unknown"),))


def patients_of(side, n, prefix="MRN-55"):
    found = (Patient(f"{prefix}{i:04d}", SITE, "female", 1950) for i in range(9999))
    return [one for one in found if side_of(one) == side][:n]


def signal_of(seed, sampling_hz=250.0, seconds=10.0, padded_s=0.0, offset_mv=0.0):
    """Beats with noise, of its own in every ECG; in whole microvolts, as a store keeps them."""
    rng = np.random.default_rng(seed)
    n = round(seconds * sampling_hz)
    t = np.arange(n) / sampling_hz
    beats = np.exp(-0.5 * (((t % 0.8) - 0.4) / 0.02) ** 2)
    sizes = rng.uniform(-1.5, 1.5, (12, 1))
    signal = sizes * beats + 0.2 * np.sin(2 * np.pi * 0.3 * t) + rng.normal(0, 0.02, (12, n))
    signal[4] += offset_mv
    if padded_s:
        signal[:, -round(padded_s * sampling_hz) :] = signal[:, [-1]]
    return np.rint(signal * 1000) / 1000


class Filler:
    """Puts patients with ECGs and echoes into a store."""

    def __init__(self, store):
        self.store, self.seed = store, 0

    def ecg(self, key, days, gate=NOTED, statements=SINUS, numbers=NUMBERS, **signal):
        self.seed += 1
        hz = signal.get("sampling_hz", 250.0)
        leads = signal.pop("leads", CANONICAL_LEADS)
        record = EcgRecord(
            signal_of(self.seed, **signal)[: len(leads)].astype(np.float32),
            leads,
            hz,
            recorded_at=None if days is None else START + timedelta(days=days),
            statements=statements,
            measurements=numbers,
            source_name=f"secret_{self.seed}.xml",
        )
        return self.store.add_ecg(key, record, Findings(gate))

    def echo(self, key, days, lvef):
        at = START + timedelta(days=days, hours=2)
        self.store.add_echo(key, EchoStudy("any", at, at.date(), lvef, "simpson"))

    def paired(self, patient, lvefs, **signal):
        key = self.store.put_patient(patient)
        for i, lvef in enumerate(lvefs):
            self.ecg(key, 100 * i, **signal)
            self.echo(key, 100 * i, lvef)
        return key

    def without_echo(self, patient, n=1, **ecg):
        key = self.store.put_patient(patient)
        for i in range(n):
            self.ecg(key, 50 * i, **ecg)
        return key


def fill(store):
    """Two patients with follow-up pairs and two ECGs for phase 1 on each side."""
    filler = Filler(store)
    for side in SPLITS:
        well, ill, *others = patients_of(side, 4)
        filler.paired(well, (60, 55, 62))
        filler.paired(ill, (35, 30), sampling_hz=500.0)
        for other in others:
            filler.without_echo(other)
    return filler


@pytest.fixture
def filler(store):
    return fill(store)


def test_who_teaches_what_follows_the_paper(filler, tmp_path):
    store = filler.store
    origin = prepare_from_store(store, tmp_path)
    assert origin["ecgs"] == {
        "pretraining": 6, "pairs": 15, "between_pairs": 0, "undated": 0, "arbitrary_units": 0,
        "fewer_leads": 0, "gate": 0, "paced": 0, "no_statements": 0, "no_numbers": 0,
    }  # fmt: skip
    first, pairs, later = (Shard(tmp_path / n) for n in ("pretraining", "baseline", "follow_up"))
    assert tuple(first.marks) == LABEL_NAMES
    assert first.marks["SINUS"].all()
    assert not first.marks["AFIB"].any()
    assert not set(first.patient_ids) & set(pairs.patient_ids)
    assert set(later.patient_ids) == set(pairs.patient_ids)  # phase 3 has phase 2's patients
    assert pairs.marks["lvsd"].sum() == 3
    assert later.marks["analysable"].all()
    examples = follow_up_examples(
        pairs_of_courses(list(read_courses(tmp_path / "follow_up/courses.jsonl"))),
        np.zeros((len(later), 3)),
        "recalibrated",
    )
    assert {side: list(examples.lvsd[examples.on(side)]) for side in SPLITS} == {
        side: [False, False, True] for side in SPLITS
    }
    assert origin["sides"]["follow_up_pairs_with_history"] == dict.fromkeys(SPLITS, 3)
    assert origin["sides"]["follow_up_pairs_with_history_and_lvsd"] == dict.fromkeys(SPLITS, 1)


def test_every_ecg_has_one_outcome(filler):
    store = filler.store
    new = patients_of("train", 12, "X")
    key = filler.without_echo(new[0])
    filler.ecg(key, None)  # undated
    filler.ecg(key, 10, NO_UNIT)
    filler.ecg(key, 20, leads=("I",))
    filler.ecg(key, 30, CHILD)
    filler.ecg(key, 40, PACED)  # phase 1 knows the label
    filler.ecg(key, 50, statements=())
    filler.ecg(key, 60, numbers={})
    key = filler.paired(new[1], (60,))
    filler.ecg(key, 400)  # beside its only pair
    filler.ecg(key, 401, PACED)
    plan = plan_training(store)
    assert plan.outcomes.total() == store.n_ecgs()
    assert plan.outcomes == {
        "pretraining": 6 + 2, "pairs": 15 + 1, "between_pairs": 1, "undated": 1,
        "arbitrary_units": 1, "fewer_leads": 1, "gate": 1, "paced": 1, "no_statements": 1,
        "no_numbers": 1,
    }  # fmt: skip
    assert plan.gate == {"age": 1}


def test_a_validation_patient_with_one_pair_is_kept_for_the_noise_floor(filler):
    one = patients_of("validation", 1, "Y")[0]
    key = filler.paired(one, (60,))
    filler.ecg(key, 5)
    plan = plan_training(filler.store)
    assert plan.outcomes["pairs"] == 15 + 2
    assert plan.outcomes["between_pairs"] == 0


def test_pairs_are_the_products(filler, tmp_path):
    prepare_from_store(filler.store, tmp_path)
    patients = pairs_of_courses(list(read_courses(tmp_path / "follow_up/courses.jsonl")))
    expected = []
    for key in filler.store.patient_keys():
        refs = [ecg.ref for ecg in filler.store.ecgs_of(key)]
        pairs = form_pairs(refs, filler.store.echoes_of(key))
        if len(pairs) > 1:
            expected.append([(pair.days_apart, pair.echo.lvef_percent) for pair in pairs])
    found = [[(p.days_apart, p.echo.lvef_percent) for p in one.pairs] for one in patients]
    assert found == expected


def test_new_data_and_another_store_move_nobody(filler, tmp_path):
    def sides(store):
        plan = plan_training(store)
        rows = [*zip(plan.pretraining.keys, plan.pretraining.people, strict=True)]
        rows += zip(plan.baseline.keys, plan.baseline.people, strict=True)
        found = {}
        for ecg, person in rows:
            patient = store.patient(store.ecg(ecg).patient_key).patient
            found.setdefault(patient.id, set()).add(split_of(person))
        return found

    before = sides(filler.store)
    assert {frozenset(one) for one in before.values()} == {frozenset([side]) for side in SPLITS}
    filler.without_echo(patients_of("test", 1, "A")[0])
    other = open_store("sqlite://")
    again = Filler(other)
    again.without_echo(patients_of("validation", 1, "B")[0])  # in another order
    for side in reversed(SPLITS):
        well, ill, *rest = patients_of(side, 4)
        for one in reversed(rest):
            again.without_echo(one)
        again.paired(ill, (35, 30))
        again.paired(well, (60, 55, 62))
    for store in (filler.store, other):
        now = sides(store)
        assert {name: now[name] for name in before} == before
    other.close()


@pytest.mark.parametrize(
    ("signal", "tolerance_mv"),
    [
        # rounding to microvolts is all that differs; the filter passes at most about twice of it
        ({}, 0.001),
        ({"offset_mv": 300.0}, 0.001),
        ({"padded_s": 0.2}, 0.001),
        ({"seconds": 14.0}, 0.001),
        # the filters at a crop's two ends start from other samples: judged inside
        ({"sampling_hz": 500.0}, 0.005),
        ({"sampling_hz": 1000.0, "seconds": 12.0}, 0.005),
        ({"sampling_hz": 500.0, "padded_s": 0.2}, 0.005),
    ],
)
def test_crops_are_those_that_the_engine_cuts(filler, tmp_path, signal, tolerance_mv):
    new = patients_of("train", 1, "Z")[0]
    key = filler.without_echo(new, **signal)
    prepare_from_store(filler.store, tmp_path)
    shard = Shard(tmp_path / "pretraining")
    plan = plan_training(filler.store)
    [ecg] = filler.store.ecgs_of(key)
    row = np.array([plan.pretraining.keys.index(ecg.key)])
    record = filler.store.record(ecg.key)
    window = scored_window(record.signal_mv, record.sampling_hz)
    engine = preprocess_crops(record.signal_mv[:, window.slice], record.sampling_hz)
    seconds = window.seconds[1] - window.seconds[0]
    assert shard.n_samples(row)[0] == pytest.approx(seconds * 250, abs=1)
    inside = slice(None) if record.sampling_hz == 250 else slice(100, -100)
    for found, exact in (
        (shard.middle_crops(row)[0], engine[1]),
        (shard.fixed_crops(np.concatenate([[0], row]))[1], engine),
    ):
        np.testing.assert_allclose(found[..., inside], exact[..., inside], atol=tolerance_mv)
    random = shard.random_crops(row, np.random.default_rng(1))[0]
    assert np.abs(random).max() > 0.5
    # never a sample from behind the recording's end: padding would show as a flat stretch
    assert (np.abs(np.diff(random[:, -50:])).max(axis=-1) > 1e-4).all()


def test_a_killed_preparation_goes_on_and_ends_the_same(filler, tmp_path, monkeypatch):
    monkeypatch.setattr(training_data, "BATCH", 2)
    prepare_from_store(filler.store, tmp_path / "whole")
    n_calls = 0

    def kill(what, done, total):
        nonlocal n_calls
        n_calls += what == "prepare follow_up"
        if n_calls == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_from_store(filler.store, tmp_path / "killed", kill)
    path = tmp_path / "killed/follow_up/rows_done.json"
    assert json.loads(path.read_text()) == 6
    seen = []
    prepare_from_store(filler.store, tmp_path / "killed", lambda *call: seen.append(call))
    assert [call for call in seen if call[0].startswith("prepare")][0] == (
        "prepare follow_up", 8, 15,
    )  # fmt: skip
    assert not path.exists()
    for file in (tmp_path / "whole").rglob("*.*"):
        twin = tmp_path / "killed" / file.relative_to(tmp_path / "whole")
        assert twin.read_bytes() == file.read_bytes(), file.name


def test_a_changed_store_is_noticed(filler, tmp_path):
    key = filler.paired(patients_of("train", 1, "Q")[0], (60,))
    before = prepare_from_store(filler.store, tmp_path)
    stamp = (tmp_path / "pretraining/waveforms.i16").stat().st_mtime_ns
    filler.echo(key, 0.01 - 2 / 24, 25.0)  # nearer to the ECG than the echo that was its label
    after = prepare_from_store(filler.store, tmp_path)
    assert before["fingerprint"] != after["fingerprint"]
    assert before["sides"]["baseline_pairs_with_lvsd"]["train"] == 1
    assert Shard(tmp_path / "baseline").marks["lvsd"].sum() == 3 + 1
    assert (tmp_path / "pretraining/waveforms.i16").stat().st_mtime_ns == stamp  # is as it was


def test_nothing_in_the_files_says_who_it_was(filler, tmp_path):
    origin = prepare_from_store(filler.store, tmp_path)
    text = b"".join(
        path.read_bytes() for path in tmp_path.rglob("*.*") if path.suffix in {".json", ".jsonl"}
    ).decode()
    assert '"2000-01-01"' in text
    secrets = [SITE, "MRN", "secret_", "2011", "any", str(tmp_path)]
    secrets += [patient.id[-4:] for side in SPLITS for patient in patients_of(side, 4)]
    secrets += filler.store.patient_keys()
    secrets += [ecg.key for key in filler.store.patient_keys() for ecg in filler.store.ecgs_of(key)]
    assert not [one for one in secrets if one in text.replace(origin["fingerprint"], "")]


def test_too_little_is_refused_before_anything_is_written(store, tmp_path):
    folder = tmp_path / "data"
    with pytest.raises(NotFound, match="holds no ECG"):
        prepare_from_store(store, folder)
    filler = fill(store)
    key = store.find_patients(patients_of("test", 2)[1].id)[0].key
    for echo_day in (0, 100):  # nearer ones without LVSD
        filler.echo(key, echo_day + 0.001 - 2 / 24, 60.0)
    with pytest.raises(NotFound) as refused:
        prepare_from_store(store, folder)
    assert str(refused.value).startswith(
        "the store's ECGs cannot train the models: no baseline pair with LVSD in test; "
        "no follow-up pair with LVSD in test."
    )
    assert not folder.exists()


def test_other_data_are_not_overwritten(filler, tmp_path):
    prepare_simulated(SimulatedData(100, 100, 100, 3), tmp_path / "sim", parts=())
    with pytest.raises(InvalidValue, match="prepared simulated ECGs"):
        prepare_from_store(filler.store, tmp_path / "sim")
    prepare_from_store(filler.store, tmp_path / "own")
    with pytest.raises(InvalidValue, match="prepared ECGs of the store"):
        refuse_other_data(tmp_path / "own", None)


def test_it_is_said_whether_the_patients_are_simulated(filler, tmp_path):
    assert plan_training(filler.store).n_simulated == 0
    own = prepare_from_store(filler.store, tmp_path)
    assert not own["simulated"]
    assert own["description"].startswith("own data: 6 ECGs of patients without an echo in reach")
    filler.store.put_patient(Patient("simulated one", "SIM"), simulated=True)
    mixed = prepare_from_store(filler.store, tmp_path)
    assert not mixed["simulated"]
    assert "1 of the 13 patients are simulated" in mixed["description"]


@pytest.mark.real
def test_real_ecgs_with_padded_ends_are_cut_as_the_engine_does(shared_data):
    """PTB-XL at 500 Hz: 9.86 s are left; crops of the same instants are the same."""
    n_checked = 0
    for path in sorted((shared_data / "ptbxl500").rglob("*_hr.hea"))[:40]:
        record = read_ecg(path)
        window = scored_window(record.signal_mv, record.sampling_hz)
        engine = record.signal_mv[np.newaxis, :, window.slice]
        stored = training_data._window(record)[np.newaxis]
        assert stored.shape[-1] < 2500
        for start in (0.0, 0.4, (stored.shape[-1] - 2250) / 250):  # on the grid of both rates
            at = np.array([min(start, engine.shape[-1] / 500 - 9.0)])
            if round(at[0] * 500) % 2:
                continue
            found = preprocess_window(stored, 250.0, at)
            exact = preprocess_window(engine, 500.0, at)
            np.testing.assert_allclose(found[..., 100:-100], exact[..., 100:-100], atol=0.01)
            n_checked += 1
    assert n_checked >= 80
