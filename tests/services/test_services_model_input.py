"""What a sheet's foot says of a network's input: ours by the filter, others' by their spec."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from courses import make_card

from ecgdash.errors import WeightsHashMismatch
from ecgdash.services.model_input import model_input_words

ROOT = Path(__file__).resolve().parents[2]
EXTERNAL = replace(make_card(), family="other", external=True)


def installed(folder, spec):
    """Write a manifest that names one external family with this spec."""
    home = folder / "other"
    home.mkdir(parents=True)
    (home / "spec.toml").write_text(spec, encoding="utf-8")
    sha256 = hashlib.sha256(spec.encode()).hexdigest()
    row = {
        "folder": "other",
        "weights": "weights.pt",
        "weights_sha256": "w" * 64,
        "card": "card.json",
        "card_sha256": "c" * 64,
        "spec": "spec.toml",
        "spec_sha256": sha256,
    }
    lines = ["[families.other]", *(f'{key} = "{value}"' for key, value in row.items())]
    (folder / "manifest.toml").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_ours_is_told_by_its_band_and_no_family_by_nothing():
    """The band of DESIGN decision 2."""
    assert model_input_words(make_card()) == "0.67–40 Hz"
    assert model_input_words(None) == ""
    assert model_input_words(replace(make_card(), input_kind="image")) == ""


@pytest.mark.parametrize(
    ("name", "changed", "expected"),
    [
        (
            "heartwise-lvef40",
            {},
            "10 s at 250 Hz, no band-pass, amplitude scaled by lead I",
        ),
        ("pulse-hf", {}, "10 s at 250 Hz, no band-pass, mV"),
        (
            "pulse-hf",
            {
                'band_hz = "none"': "band_hz = [0.5, 100]",
                "n_samples = 2500": "n_samples = 1250",
                "sampling_hz = 250": "sampling_hz = 500",
                "divide_by = 1.0": "divide_by = 0.001",
            },
            "2.5 s at 500 Hz, 0.5–100 Hz, mV divided by 0.001",
        ),
    ],
)
def test_an_external_familys_is_told_by_its_spec(tmp_path, name, changed, expected):
    spec = (ROOT / "specs" / f"{name}.toml").read_text(encoding="utf-8")
    for old, new in changed.items():
        assert spec.count(old) == 1
        spec = spec.replace(old, new)
    assert model_input_words(EXTERNAL, installed(tmp_path, spec)) == expected


def test_a_spec_that_was_changed_after_it_was_installed_is_not_believed(tmp_path):
    spec = (ROOT / "specs" / "pulse-hf.toml").read_text(encoding="utf-8")
    models = installed(tmp_path, spec)
    (models / "other" / "spec.toml").write_text(spec.replace("250", "300"), encoding="utf-8")
    with pytest.raises(WeightsHashMismatch, match=r"spec\.toml"):
        model_input_words(EXTERNAL, models)


def test_it_says_nothing_of_an_external_family_without_a_spec(tmp_path):
    assert model_input_words(EXTERNAL, tmp_path) == ""


def test_a_page_does_not_wait_for_torch_to_say_it(tmp_path):
    spec = (ROOT / "specs" / "pulse-hf.toml").read_text(encoding="utf-8")
    models = installed(tmp_path, spec)
    code = (
        "import sys; from dataclasses import replace; from pathlib import Path\n"
        "from courses import make_card\n"
        "from ecgdash.services.model_input import model_input_words\n"
        "card = replace(make_card(), family='other', external=True)\n"
        "print(model_input_words(card, Path(sys.argv[1])), 'torch' in sys.modules)"
    )
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    done = subprocess.run(
        [sys.executable, "-c", code, str(models)],
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout == "10 s at 250 Hz, no band-pass, mV False\n", done.stderr
