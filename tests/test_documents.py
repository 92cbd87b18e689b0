"""The documents say what the code does."""

import re
from pathlib import Path

import pytest

from ecgdash.inference.manifest import beside_path, load_card, read_manifest
from ecgdash.services.family_figures import read_figures
from ecgdash.services.grid import read_results
from ecgdash.services.grid_report import results_markdown
from ecgdash.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_readme(name):
    assert f"`ECGDASH_{name.upper()}`" in README


def test_readme_names_no_setting_that_does_not_exist():
    named = set(re.findall(r"`ECGDASH_([A-Z_]+)`", README))
    assert named == {name.upper() for name in Settings.model_fields}


def test_every_command_is_in_readme():
    from ecgdash.cli import app

    names = {command.name for command in app.registered_commands}
    names |= {group.name for group in app.registered_groups}
    missing = {name for name in names if not re.search(rf"^\| `{name}\b", README, re.MULTILINE)}
    assert not missing


def test_ci_runs_the_command_that_readme_gives():
    assert "make test" in README
    assert re.search(r"^make test\b", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)


def test_links_between_documents_lead_somewhere():
    documents = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]
    broken = []
    for document in documents:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            if not (document.parent / target).exists():
                broken.append(f"{document.relative_to(ROOT)} -> {target}")
    assert not broken


def test_space_front_matter_fits_the_dockerfile():
    front = README.split("---")[1]
    assert "sdk: docker" in front
    port = re.search(r"app_port: (\d+)", front)
    assert port is not None
    docker = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert f"PORT={port[1]}" in docker
    assert "ECGDASH_DEMO=1" in docker
    assert "USER 1000" in docker


def test_clinical_document_holds_the_rule_table():
    from ecgdash.services.next_steps import RULES

    text = (ROOT / "docs" / "clinical.md").read_text(encoding="utf-8")
    for rule in RULES:
        assert f"| {rule.number} | {rule.words} | {rule.step or 'none'} |" in text


def test_label_document_is_the_table_that_the_code_uses():
    from ecgdash.labels.document import label_document

    assert (ROOT / "docs" / "labels.md").read_text(encoding="utf-8") == label_document()


def test_format_document_is_the_reader_table():
    from ecgdash.io.document import format_document

    assert (ROOT / "docs" / "formats.md").read_text(encoding="utf-8") == format_document()


def test_the_results_page_is_generated_from_the_results_file():
    results = read_results(ROOT / "docs" / "results.json")
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert page == results_markdown(results)


def test_the_results_are_those_of_the_shipped_families():
    """Same weights and thresholds, and the same figures as the families' own evaluations."""
    site = read_results(ROOT / "docs" / "results.json")["sites"]["A"]
    installed = {row.name: row for row in read_manifest().values()}
    for tables in site["lead_sets"].values():
        row = installed[tables["family"]]
        assert tables["weights_sha256"] == row.weights_sha256
        card, _ = load_card(row)
        for variant in card.variants:
            kept = tables["thresholds"][variant.variant]
            assert kept == pytest.approx(variant.youden.value, rel=1e-5)
        path = beside_path(row, "evaluation")
        assert path is not None
        own = read_figures(path).subgroup("all", "follow_up")
        assert own is not None
        for name, figures in own.figures.items():
            expected = tables["follow_up"]["auroc"][name]["value"]
            assert figures.auroc.value == pytest.approx(expected, rel=1e-5)
