"""The command line: one call a command.

Each module beside this one holds the functions of some commands; this file is
the table that names them. A command raises `EcgDashError`; `main` turns it into
one sentence on stderr and exit code 2. Under `--json` stdout is JSON only.
"""

import logging
import sys

import click
import typer

from ecgdash import __version__
from ecgdash.cli import (
    evaluation,
    explaining,
    importing,
    models,
    reading,
    scoring,
    simulation,
    training,
)
from ecgdash.errors import EcgDashError

__all__ = ["app", "main"]

app = typer.Typer(
    name="ecgdash",
    help="Follow a patient's heart function over time from serial ECGs. Research use only.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.command("read")(reading.read)
app.command("import")(importing.import_)
app.command("timeline")(importing.timeline)
app.command("score")(scoring.score)
app.command("simulate")(simulation.simulate)
app.command("demo")(simulation.demo)
app.command("evaluate")(evaluation.evaluate)
app.command("explain")(explaining.explain)
app.add_typer(training.train_app, name="train")
app.add_typer(models.models_app, name="models")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", is_eager=True, callback=_show_version, help="Print the version."
    ),
) -> None:
    """Hold the options that come before the command."""


def main() -> None:
    """Run a command; exit 0, or 2 with one sentence on stderr."""
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(message)s"
    )
    try:
        app(standalone_mode=False)
    except EcgDashError as error:
        typer.echo(error.sentence, err=True)
        sys.exit(2)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        typer.echo(f"{error.format_message()} See 'python -m ecgdash --help'.", err=True)
        sys.exit(2)
    except click.Abort:
        typer.echo("Stopped. What was finished is kept; the same command goes on.", err=True)
        sys.exit(2)
