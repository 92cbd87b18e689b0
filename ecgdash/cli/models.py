"""The commands about installed model families."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecgdash.domain.model import FamilyCard, VariantCard
from ecgdash.errors import WeightsMissing
from ecgdash.settings import Settings

if TYPE_CHECKING:
    from ecgdash.inference.manifest import InstalledFamily

__all__ = ["models_app"]

models_app = typer.Typer(help="List, show and verify installed models.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]


@models_app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the installed families."""
    from ecgdash.inference.card_json import card_to_json
    from ecgdash.inference.manifest import installed_families

    cards = installed_families(Settings().models_dir)
    if as_json:
        typer.echo(json.dumps([card_to_json(card) for card in cards], indent=1))
        return
    if not cards:
        typer.echo("no model installed")
    for card in cards:
        origin = "trained on SIMULATED patients" if card.trained_on_simulated else card.trained_on
        typer.echo(f"{card.family}: {card.title}, {card.label}; {origin}")


@models_app.command()
def show(family: str, as_json: AsJson = False) -> None:
    """Show a family's card: origin, thresholds, repeatability, probability map, limits of use."""
    from ecgdash.inference.card_json import card_to_json
    from ecgdash.inference.manifest import find_family, load_card

    card, _ = load_card(find_family(family, Settings().models_dir))
    if as_json:
        typer.echo(json.dumps(card_to_json(card), indent=1))
        return
    for line in _card_lines(card):
        typer.echo(line)


@models_app.command()
def verify(
    family: Annotated[str | None, typer.Argument(help="One family; else all.")] = None,
) -> None:
    """Check every file against the manifest, and compute one score again."""
    from ecgdash.inference.manifest import (
        BESIDE,
        find_family,
        read_manifest,
        verify_beside,
        verify_family,
    )

    models_dir = Settings().models_dir
    rows = [find_family(family, models_dir)] if family else list(read_manifest(models_dir).values())
    if not rows:
        raise WeightsMissing("no model family is installed", where="models/manifest.toml")
    for row in rows:
        verify_family(row)
        for kind in BESIDE:
            verify_beside(row, kind)
        names = ["weights", "card", *row.beside]
        also = f"{', '.join(names[:-1])} and {names[-1]}"
        typer.echo(f"{row.name}: {also} are those of the manifest; {_score_again(row, models_dir)}")


def _score_again(row: "InstalledFamily", models_dir: Path) -> str:
    from ecgdash.inference.manifest import load_card

    check = load_card(row)[0].check
    if check is None:
        return "its card holds no score to compute again"
    from ecgdash.inference.self_check import difference_from_check

    if "spec" in row.beside:
        from ecgdash.inference.external_engine import ExternalEngine

        difference = difference_from_check(ExternalEngine.load(row.name, models_dir), check)
    else:
        from ecgdash.inference.engine import Engine

        difference = difference_from_check(Engine.load(row.name, "cpu", models_dir), check)
    if difference is None:
        return (
            "its score was not recomputed: this installation simulates another waveform than the "
            "one the card's score is of, so the two cannot be compared"
        )
    return f"one score recomputed, largest difference {difference:.1e} logits"


@models_app.command("add-evaluation")
def add_evaluation(
    file: Annotated[Path, typer.Argument(help="evaluation.json of 'evaluate --report'.")],
) -> None:
    """Install a family's own figures, if they are of the installed weights."""
    from ecgdash.services.family_figures import add_evaluation as add

    row = add(file, Settings().models_dir)
    typer.echo(f"{row.name}: its pages now show the figures of {file.name}")


def _card_lines(card: FamilyCard) -> list[str]:
    lines = [
        f"{card.family}: {card.title} ({card.architecture}), {card.label}",
        f"weights sha256 {card.weights_sha256}, preprocessing {card.preprocessing_version}",
        f"trained on: {card.trained_on}",
    ]
    for part in card.training_data:
        cases = "" if part.n_positive is None else f", {part.n_positive:,} with {card.label}"
        lines.append(
            f"  {part.phase}, {part.split}: {part.n:,} of {part.n_patients:,} patients{cases}"
        )
    if card.label_definition:
        lines.append(card.label_definition)
    for variant in card.variants:
        lines += _variant_lines(variant, card.label)
    headed = [("must not be used", card.must_not), ("", (*card.notes, *card.chosen, *card.differs))]
    for head, sentences in headed:
        lines += [f"{head}:"] if head and sentences else []
        lines += [f"  {one}" if head else one for one in sentences]
    return lines


def _variant_lines(variant: VariantCard, label: str) -> list[str]:
    noise = variant.noise_floor_logit
    floor = "not measured" if noise is None else f"{noise:.2f} logits"
    lines = [f"{variant.variant}: noise floor {floor}"]
    for point in (variant.youden, variant.sensitivity_90, variant.specificity_90):
        if math.isnan(point.value):
            continue
        if not point.n:
            lines.append(f"  threshold {point.value:.4f}: {point.rule}; data: {point.data}")
            continue
        lines.append(
            f"  {point.rule} {point.value:.4f}: sensitivity {point.sensitivity:.3f}, "
            f"specificity {point.specificity:.3f} on {point.n} {point.data} "
            f"({point.n_positive} with {label})"
        )
    repeats = variant.repeatability
    if repeats is not None:
        lines.append(
            f"  repeat ECGs: limits of agreement {repeats.lower_logit:.2f} to "
            f"{repeats.upper_logit:.2f} logits, CCC {repeats.ccc:.2f}, kappa {repeats.kappa:.2f}, "
            f"{repeats.n_pairs} pairs of {repeats.n_patients} patients"
        )
    mapped = variant.probability
    lines.append(
        "  probability: no map; a score is no probability"
        if mapped is None
        else f"  probability: logit(p) = {mapped.intercept:.3f} + {mapped.slope:.3f} logit(score); "
        f"Brier {mapped.brier:.4f} (scores {mapped.brier_of_scores:.4f}), slope "
        f"{mapped.calibration_slope:.2f}, intercept {mapped.calibration_intercept:.2f}, ECE "
        f"{mapped.ece:.4f} on {mapped.n} {mapped.measured_on}"
    )
    return lines
