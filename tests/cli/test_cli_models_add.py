"""`models add`: an external network becomes a family that lists, shows and verifies."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "inference"))
from external_nets import Deaf, Scorer, WithHistory, spec_text, torchscript


@pytest.fixture
def site(tmp_path):
    """Return a folder with an empty models folder, and a way to call the command."""
    (tmp_path / "models").mkdir()

    def call(*words):
        command = [sys.executable, "-m", "ecgdash", "models", *map(str, words)]
        environment = {**os.environ, "ECGDASH_MODELS_DIR": str(tmp_path / "models")}
        return subprocess.run(
            command, capture_output=True, text=True, timeout=180, check=False, env=environment
        )

    def add(net, shipped="heartwise-lvef40", *options, **changed):
        weights, spec = tmp_path / "net.pt", tmp_path / "mine.toml"
        weights.write_bytes(torchscript(net))
        spec.write_text(spec_text(shipped, **changed))
        return call("add", weights, "--spec", spec, *options)

    return call, add


def test_a_network_is_added_listed_shown_and_verified(site):
    call, add = site
    done = add(Scorer())
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("heartwise-lvef40: added, HeartWise EfficientNetV2")
    assert "threshold 0.197 (published by the source, rule not stated; data: not stated)" in (
        done.stdout
    )
    assert "limit of nofile" in done.stdout
    assert "heartwise-lvef40" in call("list").stdout
    shown = call("show", "heartwise-lvef40").stdout
    assert "threshold 0.1970: published by the source" in shown
    assert "nan" not in shown
    (card,) = json.loads(call("list", "--json").stdout)
    assert card["variants"][0]["youden"]["sensitivity"] is None
    verified = call("verify")
    assert "weights, card and spec are those of the manifest; one score recomputed" in (
        verified.stdout
    )


def test_json_tells_the_threshold_and_what_isolates(site):
    _, add = site
    origin = ("--threshold", "0.4", "--threshold-origin", "Youden, own clinic", "--json")
    done = add(WithHistory().double(), "pulse-hf", *origin)
    told = json.loads(done.stdout)
    assert (told["family"], told["threshold"]) == ("pulse-hf", 0.4)
    assert told["threshold_data"] == "Youden, own clinic"
    assert told["label"] == "LVEF <= 40 %, 1 year forecast"
    assert "audit hook" in told["isolated_by"]


@pytest.mark.parametrize(
    ("net", "shipped", "options", "changed", "sentence"),
    [
        (Deaf(), "heartwise-lvef40", (), {}, "the file cannot be added: it gives the logit 0.25"),
        (
            Scorer(),
            "heartwise-lvef40",
            (),
            {"crops": '"last"', "layout": '"flat"'},
            "mine.toml: 2 things are wrong with the spec: layout is 'flat' (accepted: ",
        ),
        (WithHistory(), "pulse-hf", (), {}, "the source of pulse-hf states no threshold"),
        (Scorer(), "heartwise-lvef40", ("--threshold", "0.2"), {}, "origin belong together"),
    ],
    ids=["deaf", "spec", "threshold", "origin"],
)
def test_what_is_refused_ends_with_one_sentence(site, net, shipped, options, changed, sentence):
    call, add = site
    done = add(net, shipped, *options, **changed)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert call("list").stdout == "no model installed\n"
