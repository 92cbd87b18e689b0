"""The command that chooses which family is shown for a lead set."""

import sys

import typer

from ecgdash.settings import Settings

__all__ = ["use"]


def use(family: str) -> None:
    """Show a family on worklist and timelines, where several are installed for its leads."""
    from ecgdash.services.monitoring import choose_family
    from ecgdash.services.scoring import installed_cards
    from ecgdash.store import open_store

    settings = Settings()
    store = open_store(settings.database_url)
    card = choose_family(store, family, installed_cards(settings), _progress)
    typer.echo(f"{card.family} is shown for {card.lead_set} leads, {card.label}")


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() or done == total:
        typer.echo(f"worklist: {done} of {total} patients", err=True)
