"""train recalibrate --base and train history: evaluated, installed where it may be, written."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ecgdash.cli import app
from ecgdash.domain import Patient
from ecgdash.errors import InvalidValue, NotFound
from ecgdash.inference.card_json import NetworkSizes, card_to_dict
from ecgdash.inference.manifest import (
    InstalledFamily,
    default_models_dir,
    find_family,
    installed_families,
    load_card,
    sha256_of_file,
    verify_family,
    with_beside,
    write_manifest,
)
from ecgdash.services.history_report import history_markdown
from ecgdash.services.scoring import score_patients
from ecgdash.store import Findings, open_store

sys.path.append(str(Path(__file__).resolve().parents[1] / "services"))
from courses import ANALYSABLE, MeanEngine, make_echo, make_record

RUN = CliRunner()
SHIPPED = "deepecg-lvsd-12"


class Scorer(MeanEngine):
    """A stand-in for the networks: what is tested begins at the stored logits."""

    def base_logits(self, records):
        return super().base_logits(records)[:, : len(self.card.variants)]


def external(models: Path):
    """Install a scorer of others; return its card."""
    folder = models / "other"
    folder.mkdir(parents=True)
    (folder / "weights.pt").write_bytes(b"stands for a network of others")
    (folder / "spec.toml").write_text("", encoding="utf-8")
    shipped = load_card(find_family(SHIPPED))[0]
    sha256 = sha256_of_file(folder / "weights.pt")
    card = replace(
        shipped,
        family="other",
        weights_sha256=sha256,
        variants=shipped.variants[:1],
        check=None,
        trained_on_simulated=False,
        external=True,
    )
    text = json.dumps(card_to_dict(card, NetworkSizes(64, ())))
    (folder / "card.json").write_text(text, encoding="utf-8")
    row = InstalledFamily(
        "other", folder, "weights.pt", sha256, "card.json", sha256_of_file(folder / "card.json")
    )
    write_manifest([with_beside(row, "spec", folder / "spec.toml")], models)
    return card


@pytest.fixture
def scored(tmp_path, monkeypatch):
    """Point the command at a store of 80 patients, scored by two families."""
    url = f"sqlite:///{tmp_path / 'ecgs.db'}"
    monkeypatch.setenv("ECGDASH_DATABASE_URL", url)
    card = external(tmp_path / "models")
    store = open_store(url)
    rng = np.random.default_rng(8)
    for i in range(80):
        lvef = 32.0 if i % 2 else 58.0
        key = store.put_patient(Patient(str(i), "H", "male", 1950))
        for days in (0, 200, 400):
            signal = make_record(float(rng.normal(-1, 1)), days, age_years=60.0)
            store.add_ecg(key, signal, Findings(ANALYSABLE, ()))
            store.add_echo(key, make_echo(days, lvef + float(rng.integers(0, 5))))
    score_patients(store, [Scorer(load_card(find_family(SHIPPED))[0]), Scorer(card)])
    store.close()
    return tmp_path


def call(*words):
    return RUN.invoke(app, ["train", *words], catch_exceptions=False)


def test_a_family_with_a_recalibrated_variant_is_evaluated_only(scored):
    manifest = default_models_dir() / "manifest.toml"
    before = manifest.read_bytes()
    report = scored / "report"
    result = call("recalibrate", "--base", SHIPPED, "--epochs", "5", "--report", str(report))
    assert result.exit_code == 0
    assert "160 follow-up pairs with a history, 80 cases (LVEF <= 40 %)" in result.stdout
    assert "control shuffled histories: AUROC" in result.stdout
    # the ECGs are noise and the last LVEF is the label: a term cannot turn such a scorer down
    assert "CAUTION: the last LVEF alone ranks these pairs better" in result.stdout
    assert "nothing is installed: deepecg-lvsd-12 has a recalibrated variant" in result.stdout
    assert manifest.read_bytes() == before
    # figures that no one may install as those of the family's own variant
    assert sorted(path.name for path in report.iterdir()) == ["evaluation.md", "subgroups.csv"]
    assert "with a history perceptron beside it" in (report / "evaluation.md").read_text()


def test_an_external_scorer_gets_its_recalibrated_variant(scored, monkeypatch):
    models = scored / "models"
    monkeypatch.setenv("ECGDASH_MODELS_DIR", str(models))
    result = call("recalibrate", "--base", "other", "--dry-run", "--json")
    told = json.loads(result.stdout)
    assert (told["installed"], told["not_installed_because"]) == (False, "asked for with --dry-run")
    assert told["follow_up"]["auroc"]["recalibrated"]["value"] > 0.9
    assert len(installed_families(models)[0].variants) == 1
    result = call("recalibrate", "--base", "other")
    assert "installed as the recalibrated variant of other" in result.stdout
    row = find_family("other", models)
    verify_family(row)
    # its old predictions lack the new variant, so that nothing counts until it is scored again
    with pytest.raises(NotFound, match="no stored ECG is scored by other"):
        RUN.invoke(app, ["evaluate", "--store", "--family", "other"], catch_exceptions=False)
    shown = load_card(row)[0].variant("recalibrated").youden.value
    assert shown == pytest.approx(told["thresholds"]["recalibrated"])


def test_options_of_the_other_way_are_refused():
    with pytest.raises(InvalidValue, match="--bf16, --device says nothing with --base"):
        call("recalibrate", "--base", SHIPPED, "--bf16", "--device", "cuda")
    with pytest.raises(InvalidValue, match="--dry-run, --json needs --base"):
        call("recalibrate", "--dry-run", "--json")


def test_the_study_writes_its_results_and_the_page_made_of_them(tmp_path):
    sizes = ["--patients", "160", "--workers", "1", "--base", "deepecg-lvsd-1"]
    seeds = ["--seeds", "71", "--unseen-seeds", "69"]
    result = call("history", "--out", str(tmp_path), *sizes, *seeds)
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "history.json").read_text(encoding="utf-8"))
    page = (tmp_path / "history_for_any_scorer.md").read_text(encoding="utf-8")
    assert page == history_markdown(found)
    assert "**SIMULATED.**" in page
    row = found["lead_sets"]["1"]["groups"]["all"]
    assert row["n"] == found["unseen"]["follow_up_pairs"] > 150
    values = {name: one["value"] for name, one in row["auroc"].items()}
    first, second, third = (
        values[name] for name in ("uncalibrated", "history_only", "recalibrated")
    )
    share = row["share_of_gain"]["value"]
    if share is not None:
        assert share == pytest.approx((second - first) / (third - first), rel=1e-3)
    controls = found["lead_sets"]["1"]["controls"]
    assert controls["no_history"]["auroc"]["value"] == pytest.approx(first, rel=1e-5)


def test_patients_are_not_measured_on_what_they_trained():
    with pytest.raises(InvalidValue, match="fitted on and measured on"):
        call("history", "--seeds", "1,2", "--unseen-seeds", "2")
    with pytest.raises(InvalidValue, match="is no list of seeds"):
        call("history", "--seeds", "one")
