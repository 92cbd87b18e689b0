"""The commands import, score and timeline: exit codes, JSON alone on stdout, one sentence."""

import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.io import write_wfdb

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a command on a store of its own, without models."""
    (tmp_path / "models").mkdir()
    environment = {
        **os.environ,
        "ECGDASH_DATABASE_URL": f"sqlite:///{tmp_path / 'store' / 'ecgdash.db'}",
        "ECGDASH_MODELS_DIR": str(tmp_path / "models"),
    }

    def call(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "ecgdash", *map(str, arguments)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return call


@pytest.fixture
def folder(tmp_path):
    """Return a folder with one ECG of patient 17 and an echo table."""
    rng = np.random.default_rng(1)
    ecgs = tmp_path / "ecgs"
    ecgs.mkdir()
    signal = rng.normal(scale=0.2, size=(12, 5000)).astype(np.float32)
    record = EcgRecord(
        signal,
        CANONICAL_LEADS,
        500.0,
        recorded_at=datetime.fromisoformat("2024-05-01T09:30:00+00:00"),
        patient_id="17",
        age_years=60.0,
    )
    write_wfdb(record, ecgs, "one")
    (tmp_path / "echo.csv").write_text(
        "patient_id,performed_at,lvef_percent,method\n17,2024-05-02,35,simpson\n"
    )
    return tmp_path


def test_import_then_timeline(run, folder):
    done = run("import", folder / "ecgs", "--echo", folder / "echo.csv", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert sum(report["counts"].values()) == 1
    assert report["tables"][0]["n_accepted"] == 1
    course = json.loads(run("timeline", "17", "--json").stdout)
    assert course["patient"] == "17"
    assert course["points"][0]["recorded_at"] == "2024-05-01T09:30:00+00:00"
    assert [echo["lvef_percent"] for echo in course["echoes"]] == [35]
    assert "Research use only" in run("timeline", "local/17").stdout
    scored = json.loads(run("score", "--all", "--json").stdout)
    assert [point["patient"] for point in scored] == ["17"]
    again = json.loads(run("import", folder / "ecgs", "--json").stdout)
    assert again["counts"]["duplicate"] == 1


def test_nothing_usable_is_exit_two_with_one_sentence(run, tmp_path):
    (tmp_path / "a.xml").write_text("<nothing/>")
    done = run("import", tmp_path / "a.xml", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["counts"]["rejected"] == 1
    assert "none of 1 files was accepted" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_calls_are_exit_two(run):
    for arguments, words in (
        (("import",), "nothing to import was named"),
        (("score",), "whom to score is not stated"),
        (("timeline", "4711"), "no such patient"),
    ):
        done = run(*arguments)
        assert done.returncode == 2
        assert words in done.stderr
        assert done.stdout == ""


def test_a_table_without_a_usable_row_is_named(run, tmp_path):
    (tmp_path / "echo.csv").write_text("patient_id,performed_at,lvef_percent\n17,2024-05-02,0.5\n")
    done = run("import", "--echo", tmp_path / "echo.csv")
    assert done.returncode == 2
    assert (
        "no row of echo.csv was accepted; the first, row 2, lvef_percent: LVEF 0.5" in done.stderr
    )


def test_rows_of_the_report_end_with_one_full_stop(run, tmp_path):
    rng = np.random.default_rng(1)
    signal = rng.normal(scale=0.2, size=(12, 2000)).astype(np.float32)
    write_wfdb(EcgRecord(signal, CANONICAL_LEADS, 500.0, patient_id="17"), tmp_path, "short")
    (tmp_path / "a.xml").write_text("<nothing/>")
    lines = run("import", tmp_path / "short.hea", tmp_path / "a.xml").stdout.splitlines()[1:]
    assert "is 4.0 s long" in lines[0]
    assert "mV. Record the ECG again" in lines[0]
    assert all(line.endswith(".") and ".." not in line for line in lines)


def test_an_import_is_undone_by_the_key_of_its_report(run, folder):
    key = json.loads(run("import", folder / "ecgs", "--json").stdout)["import"]
    undone = run("import", f"--undo={key}", "--json")
    assert undone.returncode == 0, undone.stderr
    told = json.loads(undone.stdout)
    assert (told["undone"], told["ecgs"], told["patients"]) == (key, 1, 1)
    gone = run("timeline", "17")
    assert (gone.returncode, gone.stdout) == (2, "")
    twice = run("import", f"--undo={key}")
    assert twice.returncode == 2
    assert "this import was undone before" in twice.stderr
    again = run("import", folder / "ecgs")
    assert f"import --undo={key}" not in again.stdout
    assert "import --undo=" in again.stdout
    assert run("timeline", "17").returncode == 0


def test_progress_has_a_rate_on_stderr(run, folder):
    done = run("import", folder / "ecgs", "--jobs", "1", "--json")
    assert re.search(r"^read 1 of 1 files, \d+\.\d ECG/s$", done.stderr, re.MULTILINE)
    assert json.loads(done.stdout)["resumed"] == 0
    assert run("import", folder / "ecgs", "--jobs", "0").returncode == 2
