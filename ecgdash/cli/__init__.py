"""The command line: one call a command.

Each module beside this one holds the functions of some commands; this file is
the table that names them. A command raises `EcgDashError`; `main` turns it into
one sentence on stderr and exit code 2. Under `--json` stdout is JSON only.
"""

import logging
import sys
import traceback
from pathlib import Path
from typing import Final, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from ecgdash import __version__
from ecgdash.cli import (
    evaluation,
    explaining,
    importing,
    models,
    models_add,
    models_precision,
    models_trust,
    models_use,
    reading,
    scoring,
    simulation,
    training,
    training_grid,
    training_history,
)
from ecgdash.errors import EcgDashError, InvalidValue, printable
from ecgdash.settings import Settings

__all__ = ["app", "main"]

_INTERRUPTED: Final = 130
_KEYS: Final = {"ignore_unknown_options": True}
"""For commands that take a key: those of older stores may begin with a hyphen."""

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
app.command("explain", context_settings=_KEYS)(explaining.explain)
training.train_app.command("grid")(training_grid.grid)
training.train_app.command("cell")(training_grid.cell)
training.train_app.command("history")(training_history.history)
app.add_typer(training.train_app, name="train")
models.models_app.command("add")(models_add.add)
models.models_app.command("use")(models_use.use)
models.models_app.command("precision")(models_precision.precision)
models.models_app.command("trust")(models_trust.trust)
models.models_app.command("maps")(models_trust.maps)
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
        _check_settings()
        # Without the standalone mode a `typer.Exit` comes back as its code.
        code = app(standalone_mode=False)
    except EcgDashError as error:
        _stop(error.sentence)
    except typer.TyperException as error:
        _stop(_usage(error))
    except (typer.Abort, KeyboardInterrupt):
        _stop("Stopped. What was finished is kept; the same command goes on.")
    except Exception as error:  # noqa: BLE001 - the last boundary: no traceback reaches a user
        _stop(_unforeseen(error))
    if code == _INTERRUPTED:
        _stop("Stopped. What was finished is kept; the same command goes on.")
    sys.exit(code if isinstance(code, int) else 0)


def _stop(sentence: str) -> NoReturn:
    typer.echo(printable(sentence), err=True)
    sys.exit(2)


def _check_settings() -> None:
    """Read the settings once, so that a wrong variable is named before any work.

    Raises
    ------
    InvalidValue
        If a variable holds what its field cannot.
    """
    try:
        zone = Settings().site_zone
    except ValueError as error:
        field, problem, *_ = [line.strip() for line in str(error).splitlines()[1:]]
        raise InvalidValue(
            f"the setting ECGDASH_{field.upper()} cannot be used ({problem.split(' [')[0]})",
            todo="Correct this environment variable; README lists them",
        ) from error
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidValue(
            f"the setting ECGDASH_SITE_ZONE holds {zone!r}, which is no time zone",
            accepted="Accepted: names such as UTC or Asia/Seoul",
            todo="Correct this environment variable",
        ) from error


def _usage(error: typer.TyperException) -> str:
    """Return what is wrong with a call; a group without command would show its whole help."""
    message = error.format_message().strip()
    if "\n" in message:
        message = "The command to run is not named"
    return f"{message.rstrip('.')}. See 'python -m ecgdash --help'."


def _unforeseen(error: Exception) -> str:
    """Return a sentence without the error's own text, which may name a person or a folder."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"ECGDash met an error of its own ({type(error).__name__} in "
        f"{Path(last.filename).name}, line {last.lineno}). What was finished is kept. "
        "Report this line with the command that was run."
    )
