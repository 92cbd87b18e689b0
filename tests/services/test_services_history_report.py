"""The page of the history study is made of its file, and the file is of the shipped families."""

import json
from pathlib import Path

import pytest

from ecgdash.inference.manifest import load_card, read_manifest
from ecgdash.services.history_report import history_markdown

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def results():
    return json.loads((DOCS / "history.json").read_text(encoding="utf-8"))


def test_the_page_is_generated_from_the_results_file(results):
    page = (DOCS / "history_for_any_scorer.md").read_text(encoding="utf-8")
    assert page == history_markdown(results)


def test_the_results_are_of_the_shipped_families(results):
    rows = read_manifest()
    for tables in results["lead_sets"].values():
        row = rows[tables["family"]]
        assert tables["weights_sha256"] == row.weights_sha256
        card, _ = load_card(row)
        for name in ("uncalibrated", "recalibrated"):
            kept = tables["thresholds"][name]
            assert kept == pytest.approx(card.variant(name).youden.value, rel=1e-5)


def test_no_patient_was_fitted_on_and_measured(results):
    training, unseen = results["training"], results["unseen"]
    assert not set(training["seeds"]) & set(unseen["seeds"])
    assert unseen["follow_up_pairs"] >= 8_000


def test_the_shares_follow_from_the_areas(results):
    for tables in results["lead_sets"].values():
        for group in tables["groups"].values():
            area = {name: one["value"] for name, one in group["auroc"].items()}
            whole = area["recalibrated"] - area["uncalibrated"]
            gained = area["history_only"] - area["uncalibrated"]
            assert group["history_only_minus_uncalibrated"]["value"] == pytest.approx(
                gained, abs=3e-6
            )
            assert group["share_of_gain"]["value"] == pytest.approx(gained / whole, abs=1e-4)
            assert group["share_of_gain"]["low"] <= group["share_of_gain"]["value"]


def test_an_undefined_share_is_a_dash(results):
    changed = json.loads(json.dumps(results))
    group = changed["lead_sets"]["12"]["groups"]["LBBB"]
    group["share_of_gain"] = {"value": None, "low": None, "high": None}
    line = next(
        line for line in history_markdown(changed).splitlines() if line.startswith("| 12 | LBBB")
    )
    assert line.endswith("| - |")
