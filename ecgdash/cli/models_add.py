"""The command that adds a network that others trained."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ecgdash.errors import InvalidValue
from ecgdash.settings import Settings

__all__ = ["add"]


def add(
    file: Annotated[Path, typer.Argument(help="TorchScript or safetensors.")],
    spec: Annotated[Path, typer.Option(help="TOML; see docs/external-models.md.")],
    threshold: Annotated[
        float | None, typer.Option(help="Your own threshold, where the source states none.")
    ] = None,
    threshold_origin: Annotated[
        str | None, typer.Option(help="Rule and data that your threshold comes from, in words.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
) -> None:
    """Add an external network as a family, after trying it on simulated ECGs."""
    from ecgdash.services.external import add_external

    if (threshold is None) != (threshold_origin is None):
        raise InvalidValue(
            "a threshold and its origin belong together",
            accepted="Accepted: --threshold VALUE --threshold-origin 'RULE, DATA', or neither",
        )
    own = None if threshold is None or threshold_origin is None else (threshold, threshold_origin)
    added = add_external(file, spec, Settings().models_dir, own=own, say=_say)
    card = added.card
    point = card.variants[0].youden
    if as_json:
        told = {
            "family": card.family,
            "label": card.label,
            "lead_set": card.lead_set,
            "weights_sha256": card.weights_sha256,
            "threshold": point.value,
            "threshold_rule": point.rule,
            "threshold_data": point.data,
            "isolated_by": list(added.guards),
            "replaced": added.replaced,
        }
        typer.echo(json.dumps(told, indent=1, allow_nan=False))
        return
    done = "replaced" if added.replaced else "added"
    typer.echo(f"{card.family}: {done}, {card.title}, {card.label}, {card.lead_set} leads")
    typer.echo(f"threshold {point.value:g} ({point.rule}; data: {point.data})")
    if added.guards:
        typer.echo(f"runs in a process of its own: {', '.join(added.guards)}")
    typer.echo("Score the store with 'python -m ecgdash score --all'")


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)
