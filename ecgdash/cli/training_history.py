"""The commands that add a history to a scorer which stays as it is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecgdash.cli.training_options import DEFAULT_FOLDER, say
from ecgdash.errors import InvalidValue
from ecgdash.settings import Settings

if TYPE_CHECKING:
    from ecgdash.services.recalibrating import FittedHistory

__all__ = ["history", "recalibrate_base"]

_GROUPS = ("all", "AFIB", "LBBB")


def recalibrate_base(  # noqa: PLR0913 - one parameter an option
    family: str,
    *,
    folds: int,
    seed: int,
    epochs: int | None,
    dry_run: bool,
    report: Path | None,
    as_json: bool,
) -> None:
    """Fit a history beside a family on the store's pairs, report it, and install it if asked."""
    from ecgdash.inference.manifest import find_family, load_card
    from ecgdash.services.evaluation import jsonable, write_report
    from ecgdash.services.history_install import install_history, why_not_installed
    from ecgdash.services.recalibrating import recalibrate_from_store
    from ecgdash.training.history_only import HistorySettings

    settings = Settings()
    given = {} if epochs is None else {"epochs": epochs}
    wanted = HistorySettings(n_folds=folds, seed=seed, **given)
    fitted = recalibrate_from_store(settings, family, wanted)
    row = find_family(family, settings.models_dir)
    reason = why_not_installed(row, load_card(row)[0])
    if not reason and not fitted.helps:
        reason = "in most folds no history was better than none"
    if dry_run:
        reason = reason or "asked for with --dry-run"
    result = dict(fitted.result)
    if not reason:
        card = install_history(settings.models_dir, fitted)
        result["weights_sha256"] = card.weights_sha256
    result["installed"], result["not_installed_because"] = not reason, reason or None
    if report is not None:
        write_report(result, report)
    if as_json:
        typer.echo(json.dumps(jsonable(result), allow_nan=False, indent=1))
        return
    for line in _lines(fitted, result):
        say(line)
    if reason:
        say(f"evaluated only, nothing is installed: {reason}")
    else:
        say(f"installed as the recalibrated variant of {family}; score again to use it")


def _lines(fitted: "FittedHistory", result: Mapping[str, Any]) -> list[str]:
    """Return the figures in words: all out of fold."""
    later = result["follow_up"]
    head = "SIMULATED: " if result["simulated"] else ""
    lines = [
        f"{head}{later['n']} follow-up pairs with a history, {later['n_positive']} cases "
        f"({result['label']}), {result['data']}"
    ]
    for key in _GROUPS:
        group = later["subgroups"].get(key)
        if group is None:
            continue
        for name in ("uncalibrated", "recalibrated"):
            one = group[name]
            lines.append(
                f"  {key:5s} {name:13s} AUROC {_told(one['auroc'])}, sensitivity "
                f"{_told(one['sensitivity'])}, specificity {_told(one['specificity'])}"
            )
    test = later["delong"]["recalibrated_minus_uncalibrated"]
    lines.append(f"  difference of AUROCs {test['difference']:+.4f}, DeLong p {test['p']:.2g}")
    lines += [
        f"  control {key.replace('_', ' ')}: AUROC {_told(control['auroc'])}"
        for key, control in result["controls"].items()
    ]
    alone = result["controls"].get("last_lvef_alone")
    if alone is not None and alone["auroc"].value > later["auroc"]["recalibrated"].value:
        lines.append(
            "  CAUTION: the last LVEF alone ranks these pairs better; a term that is added cannot "
            "turn down a scorer that says little"
        )
    noise = fitted.variant.noise_floor_logit
    repeats = "not measured (too few repeat ECGs)" if noise is None else f"{noise:.2f} logits"
    lines.append(f"  threshold {fitted.variant.youden.value:.4f} (Youden, out of fold)")
    lines.append(f"  noise floor {repeats}")
    return lines


def _told(estimate: Any) -> str:
    if estimate.value != estimate.value:
        return "-"
    low, high = ("?" if x != x else f"{x:.3f}" for x in (estimate.low, estimate.high))
    return f"{estimate.value:.3f} ({low} to {high})"


def history(  # noqa: PLR0913, PLR0917 - one parameter an option
    out: Annotated[Path, typer.Option(help="Folder for results, page and scores.")] = (
        DEFAULT_FOLDER / "history"
    ),
    base: Annotated[
        str, typer.Option(help="Installed families with a recalibrated variant, comma-separated.")
    ] = "deepecg-lvsd-12,deepecg-lvsd-6,deepecg-lvsd-1",
    patients: Annotated[int, typer.Option(min=1, help="Simulated patients a seed.")] = 4_250,
    seeds: Annotated[
        str, typer.Option(help="Seeds of the patients to fit on, comma-separated.")
    ] = "5201,5202",
    unseen_seeds: Annotated[
        str, typer.Option(help="Seeds of the patients to measure on, comma-separated.")
    ] = "5211,5212",
    workers: Annotated[int, typer.Option(min=1, help="Processes that score.")] = 2,
) -> None:
    """Measure on simulated patients how much of the recalibration's gain a history alone gives."""
    from ecgdash.services.evaluation import SimulatedSource
    from ecgdash.services.history_report import write_history
    from ecgdash.services.history_study import history_study
    from ecgdash.training.history_only import HistorySettings

    first, second = _numbers(seeds), _numbers(unseen_seeds)
    if set(first) & set(second):
        raise InvalidValue(
            "a seed is fitted on and measured on", accepted="Accepted: seeds that differ"
        )

    def sources(numbers: list[int]) -> list[SimulatedSource]:
        return [
            SimulatedSource(patients, seed, cache_dir=out / "scores", workers=workers)
            for seed in numbers
        ]

    families = [name.strip() for name in base.split(",") if name.strip()]
    results = history_study(
        families,
        sources(first),
        sources(second),
        Settings().models_dir,
        HistorySettings(),
        lambda text: typer.echo(text, err=True),
    )
    for path in write_history(results, out):
        say(f"written: {path}")


def _numbers(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isdecimal() for part in parts):
        raise InvalidValue(f"{text!r} is no list of seeds", accepted="Accepted: 5201,5202")
    return [int(part) for part in parts]
