"""The grid from tiny trainings to its results file, against evaluations made another way."""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from ecgdash.domain import Estimate
from ecgdash.errors import InvalidValue, WeightsMissing
from ecgdash.inference.manifest import read_manifest
from ecgdash.services.evaluation import SimulatedSource, evaluate_simulated
from ecgdash.services.family_figures import read_figures
from ecgdash.services.grid import GridPlan, evaluate_grid, read_results, write_results
from ecgdash.services.grid_cell import train_cell
from ecgdash.services.grid_contrasts import GridContrasts
from ecgdash.services.grid_findings import NOT_REPRODUCED, REPRODUCED, findings
from ecgdash.services.grid_paper import PAPER
from ecgdash.services.grid_scores import GridTable, grid_families, grid_tables
from ecgdash.settings import Settings
from ecgdash.stats import auroc_value
from ecgdash.training.config import (
    FINETUNINGS,
    FROM_PRETRAINING,
    FitSettings,
    SimulatedData,
    TrainingConfig,
)
from ecgdash.training.grid import train_grid
from ecgdash.training.simulated import prepare_simulated

DATA = SimulatedData(pretraining_ecgs=96, baseline_patients=200, follow_up_patients=100, seed=41)
ONE = FitSettings(epochs=1, learning_rate=1e-3, batch_size=16)
CONFIG = TrainingConfig(loader_processes=0, pretrain=ONE, finetune=ONE, recalibrate=ONE)
FAMILIES = {"12": "deepecg-lvsd-12", "1": "deepecg-lvsd-1"}
PATIENTS = 120


SHORT = tuple(w if w == FROM_PRETRAINING else replace(w, epochs=1) for w in FINETUNINGS)
"""The ways of phase 2, of one epoch each."""


@pytest.fixture(scope="module", autouse=True)
def _short() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ecgdash.services.grid_cell.FINETUNINGS", SHORT)
        yield


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grid")
    prepare_simulated(DATA, folder / "data")
    places = (folder / "data", folder / "work", folder / "models")
    with pytest.MonkeyPatch.context() as patch:
        # A page under test leaves itself as __main__, which a new process would run again.
        patch.setitem(sys.modules, "__main__", ModuleType("__main__"))
        cards = train_grid(CONFIG, *places, ["12", "1"], jobs=2, ways=SHORT)
    assert {card.family for card in cards} == set(read_manifest(folder / "models"))
    return folder


def plan(root: Path) -> GridPlan:
    sources = tuple(
        SimulatedSource(PATIENTS, seed, cache_dir=root / "scores", site=site)
        for site, seed in (("A", 61), ("A", 62), ("B", 63))
    )
    return GridPlan(root / "work", root / "data", root / "models", FAMILIES, sources)


@pytest.fixture(scope="module")
def written(root: Path) -> Path:
    write_results(*evaluate_grid(plan(root)), root / "out")
    return root / "out"


@pytest.mark.timeout(900)  # with its fixtures, 165 s on two cores that three processes share
def test_the_tables_are_those_of_the_evaluation_of_each_family(root: Path, written: Path) -> None:
    """The same patients through `evaluate`, which scores one family at a time."""
    results = read_results(written / "results.json")
    for lead_set, family in FAMILIES.items():
        alone = evaluate_simulated(
            Settings(models_dir=root / "models"), SimulatedSource(PATIENTS, 61), [61, 62], family
        )
        ours = results["sites"]["A"]["lead_sets"][lead_set]
        for setting in ("baseline", "follow_up"):
            assert ours[setting]["n"] == alone[setting]["n"] > 30
            for name in ours[setting]["auroc"]:
                if name == "masked_pairs":  # there the shipped network, here one of its own
                    continue
                expected = alone[setting]["auroc"][name].value
                assert ours[setting]["auroc"][name]["value"] == pytest.approx(expected, rel=1e-5)
        for key, control in alone["controls"].items():
            found = ours["controls"][key]["auroc"]["value"]
            assert found == pytest.approx(control["auroc"].value, rel=1e-5)


def test_every_cell_of_every_lead_set_stands_in_the_file(root: Path, written: Path) -> None:
    results = read_results(written / "results.json")
    assert results["simulated"] is True
    for lead_set in FAMILIES:
        cells = results["training"][lead_set]["cells"]
        assert len(cells) == 8
        for site in ("A", "B"):
            tables = results["sites"][site]["lead_sets"][lead_set]
            assert set(tables["baseline"]["cells"]) == {
                "control",
                "finetune_2000",
                "control_2000",
            }
            assert {"masked_pairs", "masked", "recalibrated"} <= set(tables["follow_up"]["auroc"])
            assert set(tables["site_threshold"]) == {"uncalibrated", "masked", "recalibrated"}
            assert len(tables["per_seed"]) == {"A": 2, "B": 1}[site]


def test_the_page_prints_what_the_file_holds(written: Path) -> None:
    results = read_results(written / "results.json")
    text = (written / "results.md").read_text(encoding="utf-8")
    assert "SIMULATED" in text
    for row in results["sites"]["A"]["findings"]:
        assert row["finding"] in text
        if "delong" in row:
            assert f"DeLong p {row['delong']['p']:.1g}" in text
    control = results["sites"]["B"]["lead_sets"]["1"]["baseline"]["cells"]["control"]["auroc"]
    assert f"{control['value']:.3f} ({control['low']:.3f} to {control['high']:.3f})" in text
    assert "0.947 (0.943 to 0.951)" in text  # the study's Table 2, hospital B, 12 leads
    assert not re.search(r"\bnan\b|None", text)


def test_each_family_gets_an_evaluation_it_can_install(written: Path) -> None:
    results = read_results(written / "results.json")
    for lead_set, family in FAMILIES.items():
        figures = read_figures(written / family / "evaluation.json")
        tables = results["sites"]["A"]["lead_sets"][lead_set]
        assert figures.weights_sha256 == tables["weights_sha256"]
        assert figures.seeds == (61, 62)
        whole = figures.subgroup("all", "follow_up")
        assert whole is not None
        assert set(whole.figures) == {"uncalibrated", "masked", "recalibrated"}
        expected = tables["follow_up"]["auroc"]["recalibrated"]["value"]
        assert whole.figures["recalibrated"].auroc.value == pytest.approx(expected, rel=1e-5)


def test_scores_of_a_finished_seed_are_read_again(root: Path, written: Path) -> None:
    told: list[str] = []
    again, _ = evaluate_grid(plan(root), told.append)
    assert sum("read from the cache" in text for text in told) == 3 * 5
    kept = read_results(written / "results.json")
    assert json.loads(json.dumps(again)) == kept


def test_a_cell_trained_again_is_the_cell(root: Path, written: Path, tmp_path: Path) -> None:
    """From nothing, in one process where the grid had two: the very figure of the file."""
    results = read_results(written / "results.json")
    again = train_cell(results, "1", "control_2000", tmp_path)
    assert again.seed == 61
    assert again.found == pytest.approx(again.published, rel=1e-5)
    assert not (tmp_path / "data" / "follow_up").exists()
    with pytest.raises(InvalidValue, match="no cell 'masked'"):
        train_cell(results, "1", "masked", tmp_path)


def test_a_missing_cell_is_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="control of lead set 12"):
        grid_families({"12": "deepecg-lvsd-12"}, tmp_path, root / "data", root / "models")


def test_findings_follow_their_rule(root: Path) -> None:
    """Scores whose order is known: verdicts must follow it, whatever the networks learned."""
    families = grid_families(FAMILIES, root / "work", root / "data", root / "models")
    source = SimulatedSource(PATIENTS, 61, cache_dir=root / "scores")
    rng = np.random.default_rng(3)
    made = {}
    for name, table in grid_tables(source, families, lambda _: None).items():
        y = table.pairs.positive
        noise = rng.normal(size=y.size)
        scores = {
            "uncalibrated": noise + 1.0 * y,
            "masked": noise + 0.5 * y,  # worse than uncalibrated
            "masked_pairs": noise + 1.0 * y,  # the same
            "recalibrated": noise + (3.0 if name == "1" else 1.5) * y,
        }
        absent = {key: np.isnan(values) for key, values in table.pairs.scores.items()}
        for key, values in scores.items():
            values[absent[key]] = np.nan
        cells = {key: noise + 0.2 * y for key in table.cells}
        pairs = type(table.pairs)(**{**vars(table.pairs), "scores": scores})
        made[name] = GridTable(pairs, cells, table.thresholds)
    rows = {row["key"]: row for row in findings(GridContrasts(made, [made]), {})}
    assert rows["history_masked_12"]["verdict"] == NOT_REPRODUCED
    assert rows["history_recalibrated_12"]["verdict"] == REPRODUCED
    assert rows["history_masked_pairs_12"]["difference"].value == 0.0
    assert rows["history_masked_pairs_12"]["verdict"] == NOT_REPRODUCED
    assert rows["pretraining_12"]["verdict"] == REPRODUCED
    assert rows["gain_1_12"]["verdict"] == REPRODUCED
    kept = made["12"].pairs
    later = kept.follow_up_rows & (kept.added_for == "")
    y = kept.positive[later]
    expected = auroc_value(y, kept.scores["recalibrated"][later]) - auroc_value(
        y, kept.scores["masked"][later]
    )
    assert rows["history_recalibrated_12"]["difference"].value == pytest.approx(expected)
    assert rows["history_recalibrated_12"]["paper"] == 0.02  # .940 - .920, Table 4
    assert rows["gain_1_12"]["paper"] == 0.035  # (.937 - .872) - (.940 - .910)


def test_the_studys_tables_are_printed_as_they_stand() -> None:
    """A figure of each corner; the whole of both tables was compared with the study's text."""
    assert PAPER["baseline"]["internal"]["control"]["12"].auroc == Estimate(0.939, 0.926, 0.953)
    assert PAPER["baseline"]["external"]["uncalibrated"]["1"].specificity == Estimate(
        0.823, 0.820, 0.826
    )
    assert PAPER["follow_up"]["internal"]["masked"]["6"].sensitivity == Estimate(
        0.893, 0.852, 0.926
    )
    assert PAPER["follow_up"]["external"]["recalibrated"]["1"].auroc == Estimate(
        0.937, 0.932, 0.941
    )
