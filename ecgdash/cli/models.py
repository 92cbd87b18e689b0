"""The commands about installed model families."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ecgdash.domain.model import FamilyCard
from ecgdash.errors import WeightsMissing
from ecgdash.settings import Settings

__all__ = ["models_app"]

models_app = typer.Typer(help="List, show and verify installed models.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]


@models_app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the installed families."""
    from ecgdash.inference.manifest import installed_families

    cards = installed_families(Settings().models_dir)
    if as_json:
        typer.echo(json.dumps([asdict(card) for card in cards], indent=1))
        return
    if not cards:
        typer.echo("no model installed")
    for card in cards:
        origin = "trained on SIMULATED patients" if card.trained_on_simulated else card.trained_on
        typer.echo(f"{card.family}: {card.title}, {card.label}; {origin}")


@models_app.command()
def show(family: str, as_json: AsJson = False) -> None:
    """Show a family's card: origin, thresholds and noise floors."""
    from ecgdash.inference.manifest import find_family, load_card

    card, _ = load_card(find_family(family, Settings().models_dir))
    if as_json:
        typer.echo(json.dumps(asdict(card), indent=1))
        return
    for line in _card_lines(card):
        typer.echo(line)


@models_app.command()
def verify(
    family: Annotated[str | None, typer.Argument(help="One family; else all.")] = None,
) -> None:
    """Check cards, weights and evaluations against the manifest's sha256."""
    from ecgdash.inference.manifest import (
        find_family,
        read_manifest,
        verify_evaluation,
        verify_family,
    )

    models_dir = Settings().models_dir
    rows = [find_family(family, models_dir)] if family else list(read_manifest(models_dir).values())
    if not rows:
        raise WeightsMissing("no model family is installed", where="models/manifest.toml")
    for row in rows:
        verify_family(row)
        verify_evaluation(row)
        also = "weights, card and evaluation" if row.evaluation else "weights and card"
        typer.echo(f"{row.name}: {also} are those of the manifest")


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
    for variant in card.variants:
        noise = variant.noise_floor_logit
        floor = "not measured" if noise is None else f"{noise:.2f} logits"
        lines.append(f"{variant.variant}: noise floor {floor}")
        for point in (variant.youden, variant.sensitivity_90, variant.specificity_90):
            lines.append(
                f"  {point.rule} {point.value:.4f}: sensitivity {point.sensitivity:.3f}, "
                f"specificity {point.specificity:.3f} on {point.n} {point.data} "
                f"({point.n_positive} with {card.label})"
            )
    return lines + list(card.notes)
