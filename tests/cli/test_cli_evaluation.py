"""The evaluate command: one source, JSON only on stdout, reports on request."""

import json
import subprocess
import sys

import pytest

HEAD = "patient_id,ecg_time,variant,score,threshold,lvef_percent,lvef_time"
VARIANTS = {"uncalibrated": 0.0, "masked": 0.01, "recalibrated": 0.05}


def run(*args):
    command = [sys.executable, "-m", "ecgdash", "evaluate", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def scores_csv(tmp_path):
    """Write 30 patients with two pairs each; every third is ill, and history helps."""
    rows = [HEAD]
    for patient in range(30):
        ill = patient % 3 == 0
        for visit in range(2):
            at = f"20{20 + visit}-03-{1 + patient % 28:02d}T10:00+00:00"
            for name, gain in VARIANTS.items() if visit else [("uncalibrated", 0.0)]:
                score = 0.1 + 0.02 * (patient % 7) + (0.05 + gain) * (1 if ill else -1)
                lvef = 30 if ill else 60
                rows.append(f"{patient},{at},{name},{score:.4f},0.12,{lvef},{at}")
    path = tmp_path / "scores.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_json_of_a_scores_table(scores_csv, tmp_path):
    done = run("--scores", scores_csv, "--json", "--controls", "--report", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["baseline"]["n"] == result["follow_up"]["n"] == 30
    assert result["follow_up"]["n_positive"] == 10
    assert set(result["follow_up"]["auroc"]) == set(VARIANTS)
    assert result["follow_up"]["delong"]["recalibrated_minus_uncalibrated"]["difference"] > 0
    assert result["controls"] == {}
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "evaluation.md",
        "subgroups.csv",
    ]


def test_text_without_json_and_no_controls_unless_asked(scores_csv):
    done = run("--scores", scores_csv)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("# Evaluation")
    assert "controls" not in json.loads(run("--scores", scores_csv, "--json").stdout)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ((), "what to evaluate is not stated"),
        (("--store", "--scores", "x.csv"), "what to evaluate is not stated, or twice"),
        (("--simulated-patients", "5"), "--simulated-patients needs --seed"),
        (("--simulated-patients", "5", "--seed", "1", "--enrich", "LBBB"), "cannot read 'LBBB'"),
        (("--scores", "absent.csv"), "absent.csv: the scores table cannot be read"),
    ],
)
def test_wrong_calls_exit_2_with_one_sentence(args, sentence):
    done = run(*args)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
