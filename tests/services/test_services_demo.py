"""Filling a store with the sample patients: whole, resumable, one at a time, watched."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from ecgdash.errors import NotFound
from ecgdash.services.demo import JOB, SITE, fill, fill_progress
from ecgdash.settings import Settings
from ecgdash.store import open_store
from tests.sample_patients import SAMPLES, code_of

ONE_ECG = code_of("one ECG only")
NO_ECHO = code_of("no echo on file")
UNDATED = code_of("one ECG without a date")
CODES = tuple(sorted((ONE_ECG, NO_ECHO, UNDATED)))

FILL = """
import sys, time
from pathlib import Path
from ecgdash.services.demo import fill
from ecgdash.settings import Settings
from ecgdash.store import open_store

url, samples, models, pause = sys.argv[1:]
settings = Settings(database_url=url, sample_dir=Path(samples), models_dir=Path(models))

def tell(done, total, message):
    print(message, flush=True)
    time.sleep(float(pause))

fill(open_store(url), settings, tell)
"""


@pytest.fixture
def few(tmp_path):
    """Return settings for an empty store and three of the sample patients."""
    folder = tmp_path / "few"
    (folder / "ecgs").mkdir(parents=True)
    for code in CODES:
        (folder / "ecgs" / code).symlink_to(SAMPLES / "ecgs" / code)
    for name in ("echo.csv", "diagnoses.csv"):
        (folder / name).symlink_to(SAMPLES / name)
    (tmp_path / "models").mkdir()
    return Settings(
        database_url=f"sqlite:///{tmp_path / 'demo.db'}",
        sample_dir=folder,
        models_dir=tmp_path / "models",
    )


def start(settings, pause):
    arguments = [settings.database_url, settings.sample_dir, settings.models_dir, pause]
    return subprocess.Popen(
        [sys.executable, "-c", FILL, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


def contents(store):
    """Return what the store holds per patient: ECGs, echoes, diagnoses."""
    return {
        store.patient(key).patient.id: (
            [ecg.sha256 for ecg in store.ecgs_of(key)],
            len(store.echoes_of(key)),
            len(store.diagnoses_of(key)),
        )
        for key in store.patient_keys()
    }


def n_files(code):
    place = SAMPLES / "ecgs" / code
    return len([*place.glob("*.hea"), *place.glob("*.xml")])


def test_fill_stores_every_file_and_says_how_far_it_is(few):
    store = open_store(few.database_url)
    told = []
    fill(store, few, lambda done, total, message: told.append((done, total, message)))
    held = contents(store)
    assert {code: len(held[code][0]) for code in CODES} == {code: n_files(code) for code in CODES}
    total = sum(map(n_files, CODES))
    assert told[0] == (0, 3, f"0 of 3 patients, 0 of {total} ECGs")
    assert told[-1] == (3, 3, f"3 of 3 patients, {total} of {total} ECGs")
    assert held[NO_ECHO][1] == 0
    assert store.any_simulated()
    assert not store.any_real()
    assert fill_progress(store).finished
    again = []
    fill(store, few, lambda *told: again.append(told))
    assert contents(store) == held
    assert len(again) == 1
    store.close()


def test_a_killed_fill_leaves_whole_patients_and_goes_on(few):
    process = start(few, pause=0.3)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("2 of 3"):
            break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    store = open_store(few.database_url)
    held = contents(store)
    assert 1 < len(held) <= 3
    assert all(len(held[code][0]) == n_files(code) for code in held)
    assert not fill_progress(store).finished
    # The dead holder's sign of life is still fresh: wait as a browser would, but not 30 s.
    store.reset_job(JOB)
    fill(store, few)
    whole = contents(store)
    assert {code: len(whole[code][0]) for code in CODES} == {c: n_files(c) for c in CODES}
    assert {code: whole[code] for code in held} == held
    store.close()


def test_a_second_process_waits_and_sees_the_same_progress(few):
    first = start(few, pause=0.4)
    assert first.stdout is not None
    said = {first.stdout.readline().strip()}
    store = open_store(few.database_url)
    seen = []
    fill(store, few, lambda done, total, message: seen.append(message))
    said |= {line.strip() for line in first.stdout}
    first.stdout.close()
    assert first.wait(timeout=30) == 0
    assert seen[-1].startswith("3 of 3 patients")
    assert set(seen) <= said
    assert sorted(contents(store)) == sorted(CODES)
    store.close()


def test_a_failed_fill_lets_go_of_the_lock(few):
    store = open_store(few.database_url)

    def break_off(done, total, message):
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(store, few, break_off)
    progress = fill_progress(store)
    assert (progress.done, progress.alive, progress.finished) == (1, False, False)
    started = time.monotonic()
    fill(store, few)
    assert time.monotonic() - started < 20
    assert len(contents(store)) == 3
    store.close()


def base_logits(store):
    """Return the logits without history by waveform and family."""
    return {
        (ecg.sha256, family): made.base_logits
        for key in store.patient_keys()
        for ecg in store.ecgs_of(key)
        for family, made in store.predictions_of(key).get(ecg.key, {}).items()
    }


def test_patients_scored_together_score_as_one_by_one_also_after_a_break(few, monkeypatch):
    shipped = few.model_copy(update={"models_dir": Settings().models_dir, "backend": "torch"})

    def break_off(done, total, message):
        if done == 2:
            raise KeyboardInterrupt

    store = open_store("sqlite://")
    with pytest.raises(KeyboardInterrupt):
        fill(store, shipped, break_off)
    assert len(store.patient_keys()) == 2
    assert base_logits(store) == {}
    fill(store, shipped)
    together = base_logits(store)
    store.close()
    monkeypatch.setattr("ecgdash.services.demo._ECGS_PER_SCORING", 1)
    store = open_store("sqlite://")
    fill(store, shipped)
    assert base_logits(store) == together
    assert {family for _, family in together} >= {"deepecg-lvsd-12", "deepecg-lvsd-1"}
    store.close()


def test_without_sample_files_it_says_what_to_do(store, tmp_path):
    with pytest.raises(NotFound, match="no sample patients in"):
        fill(store, Settings(sample_dir=tmp_path, models_dir=tmp_path))


def test_the_demo_command_fills_the_store(few, tmp_path):
    environment = os.environ | {
        "ECGDASH_DATABASE_URL": few.database_url,
        "ECGDASH_SAMPLE_DIR": str(few.sample_dir),
        "ECGDASH_MODELS_DIR": str(few.models_dir),
    }
    done = subprocess.run(
        [sys.executable, "-m", "ecgdash", "demo"],
        capture_output=True, text=True, env=environment, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "3 of 3 patients" in done.stderr
    shown = subprocess.run(
        [sys.executable, "-m", "ecgdash", "timeline", f"{SITE}/{UNDATED}", "--json"],
        capture_output=True, text=True, env=environment, timeout=120, check=True,
    )  # fmt: skip
    course = json.loads(shown.stdout)
    assert len(course["points"]) + len(course["undated"]) == n_files(UNDATED)
    assert len(course["undated"]) == 1
