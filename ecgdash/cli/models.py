"""The commands about installed model families."""

import json
from dataclasses import asdict
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
    """Check cards and weights against the manifest's sha256."""
    from ecgdash.inference.manifest import find_family, read_manifest, verify_family

    models_dir = Settings().models_dir
    rows = [find_family(family, models_dir)] if family else list(read_manifest(models_dir).values())
    if not rows:
        raise WeightsMissing("no model family is installed", where="models/manifest.toml")
    for row in rows:
        verify_family(row)
        typer.echo(f"{row.name}: weights and card are those of the manifest")


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
