"""The report of an evaluation: markdown and CSV, with the paper's figures beside ours."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ecgdash.domain import UNCALIBRATED, Estimate
from ecgdash.services.evaluation_paper import (
    PAIRS_PER_PATIENT,
    POPULATION,
    PaperRow,
    baseline_row,
    follow_up_row,
)
from ecgdash.services.evaluation_tables import jsonable
from ecgdash.services.family_figures import EVALUATION_NAME, evaluation_document

__all__ = ["markdown_report", "write_report"]

_SIMULATED = (
    "**SIMULATED.** These figures describe simulated patients and say nothing about real ones. "
)
_RESEARCH = "Research use only; not a diagnosis. A score is not a probability."
_ACCURACY = ("auroc", "sensitivity", "specificity", "specificity_at_90_sensitivity")


def write_report(result: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write `evaluation.md` and `subgroups.csv`; return the files written.

    Where the weights are known, also `evaluation.json`, which `models add-evaluation` installs.

    Parameters
    ----------
    result : mapping
        As `ecgdash.services.evaluation.evaluate_table` returns it, before `jsonable`.
    folder : Path
        Made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    report, table = folder / "evaluation.md", folder / "subgroups.csv"
    report.write_text(markdown_report(result), encoding="utf-8")
    with table.open("w", newline="", encoding="utf-8") as handle:
        rows = list(_csv_rows(result))
        writer = csv.DictWriter(handle, fieldnames=list(rows[0]) if rows else ["pairs"])
        writer.writeheader()
        writer.writerows(rows)
    written = [report, table]
    if result.get("weights_sha256"):
        figures = folder / EVALUATION_NAME
        text = json.dumps(jsonable(evaluation_document(result)), allow_nan=False, indent=1)
        figures.write_text(text + "\n", encoding="utf-8")
        written.append(figures)
    return written


def markdown_report(result: Mapping[str, Any]) -> str:
    """Return the whole report as markdown text."""
    parts = [
        _head(result),
        _performance(result),
        _comparisons(result["follow_up"]),
        _seeds(result.get("per_seed", [])),
        _subgroup_table("Baseline pairs", result["baseline"], _paper_baseline),
        _subgroup_table("Follow-up pairs", result["follow_up"], follow_up_row),
        _controls(result.get("controls", {})),
        _population(result),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _paper_baseline(key: str, variant: str) -> PaperRow | None:
    return baseline_row(key) if variant == UNCALIBRATED else None


def _head(result: Mapping[str, Any]) -> str:
    note = (_SIMULATED if result["simulated"] else "") + _RESEARCH
    lines = [
        "# Evaluation",
        "",
        note,
        "",
        f"- data: {result['data']}",
        f"- family: {result['family'] or 'not stated'}",
        f"- seed: {result['seed'] if result['seed'] is not None else 'none'}",
        f"- patients: {result['n_patients']}",
        f"- intervals: {result['interval_method']}",
    ]
    for variant, origin in result["threshold_origins"].items():
        lines.append(f"- threshold, {variant}: {origin}")
    return "\n".join(lines)


def _performance(result: Mapping[str, Any]) -> str:
    rows = []
    for title, key, paper in (
        ("baseline", "baseline", _paper_baseline),
        ("follow-up", "follow_up", follow_up_row),
    ):
        part = result[key]
        for variant, estimate in part["auroc"].items():
            printed = paper("all", variant)
            quality = part["scores"][variant]
            rows.append(
                [
                    title,
                    variant,
                    f"{part['n_positive']}/{part['n']}",
                    _interval(estimate),
                    f"{_interval(printed.auroc)}, {printed.table}" if printed else "not printed",
                    _number(quality["auprc"]),
                    _number(quality["brier"]),
                    _number(quality["calibration_slope"], 2),
                ]
            )
    heads = ["pairs", "variant", "LVSD/n", "AUROC", "paper, external", "AUPRC", "Brier", "slope"]
    return "## Performance\n\n" + _table(heads, rows)


def _comparisons(part: Mapping[str, Any]) -> str:
    rows = []
    for key, test in part["delong"].items():
        boot = part["bootstrap"][key]
        rows.append(
            [
                key.replace("_", " "),
                _number(test["difference"], 4),
                _number(test["z"], 2),
                f"{test['p']:.2g}",
                _interval(boot, 4),
            ]
        )
    heads = ["difference of AUROC", "value", "z", "p (DeLong)", "over patients (bootstrap)"]
    return "## Comparisons on follow-up pairs\n\n" + _table(heads, rows) if rows else ""


def _seeds(results: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for result in results:
        part = result["follow_up"]
        first = result["baseline"]["auroc"]["uncalibrated"]
        rows.append(
            [
                str(result["seed"]),
                f"{part['n_positive']}/{part['n']}",
                _interval(first),
                *(_number(estimate.value) for estimate in part["auroc"].values()),
                *(f"{test['p']:.2g}" for test in part["delong"].values()),
            ]
        )
    if not rows:
        return ""
    part = results[0]["follow_up"]
    tests = [f"p, {key.replace('_', ' ')}" for key in part["delong"]]
    heads = ["seed", "LVSD/n, follow-up", "baseline AUROC", *part["auroc"], *tests]
    return "## Seed by seed: AUROC on follow-up pairs\n\n" + _table(heads, rows)


def _subgroup_table(title: str, part: Mapping[str, Any], paper: Any) -> str:
    rows = []
    for key, group in part["subgroups"].items():
        for variant in part["auroc"]:
            printed = paper(key, variant)
            ours = [_interval(group[variant][name]) for name in _ACCURACY]
            beside = (
                f"{printed.auroc.value:.3f} / {printed.sensitivity.value:.3f} / "
                f"{printed.specificity.value:.3f} ({printed.table})"
                if printed
                else ""
            )
            rows.append([key, variant, f"{group['n_positive']}/{group['n']}", *ours, beside])
    heads = [
        "subgroup",
        "variant",
        "LVSD/n",
        "AUROC",
        "sensitivity",
        "specificity",
        "specificity at 90 % sensitivity",
        "paper: AUROC / sens. / spec.",
    ]
    return f"## {title}, by subgroup\n\n" + _table(heads, rows)


def _controls(controls: Mapping[str, Any]) -> str:
    rows = [
        [
            key.replace("_", " "),
            control["what"],
            _interval(control["auroc"]),
            _number(control["minus_uncalibrated"]["difference"], 4),
            f"{control['minus_uncalibrated']['p']:.2g}",
        ]
        for key, control in controls.items()
    ]
    heads = ["control", "what it is", "AUROC", "minus uncalibrated", "p (DeLong)"]
    return "## Controls on follow-up pairs\n\n" + _table(heads, rows) if rows else ""


def _population(result: Mapping[str, Any]) -> str:
    ours = result["population"]
    rows = []
    for key in ("lvsd_prevalence", "mean_lvef_percent"):
        for part in ("baseline", "follow_up"):
            printed = POPULATION[key][part]
            rows.append([f"{key}, {part}", _number(ours[key][part]), _number(printed)])
    rows.append(
        [
            "follow-up pairs per patient",
            _number(ours["follow_up_pairs_per_patient"], 2),
            _number(PAIRS_PER_PATIENT, 2),
        ]
    )
    for key in ("AFIB", "LBBB"):
        for part in ("baseline", "follow_up"):
            share = ours["subgroup_share"].get(key, {}).get(part)
            rows.append([f"share {key}, {part}", _number(share), _number(POPULATION[key][part])])
    counts = ", ".join(f"{key} {value}" for key, value in ours["counts"].items())
    text = "## Where this cohort differs from the paper's\n\n"
    return text + _table(["figure", "here", "paper"], rows) + f"\n\nCounts: {counts or 'none'}."


def _csv_rows(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for part, paper in (("baseline", _paper_baseline), ("follow_up", follow_up_row)):
        for key, group in result[part]["subgroups"].items():
            for variant in result[part]["auroc"]:
                row = {
                    "pairs": part,
                    "subgroup": key,
                    "variant": variant,
                    "n": group["n"],
                    "n_positive": group["n_positive"],
                }
                row |= _flat(group[variant])
                yield row | _paper_cells(paper(key, variant))


def _flat(figures: Mapping[str, Estimate]) -> dict[str, float]:
    return {
        f"{name}{suffix}": getattr(estimate, part)
        for name, estimate in figures.items()
        for part, suffix in (("value", ""), ("low", "_low"), ("high", "_high"))
    }


def _paper_cells(row: PaperRow | None) -> dict[str, Any]:
    return {
        "paper_table": row.table if row else "",
        "paper_auroc": row.auroc.value if row else "",
        "paper_sensitivity": row.sensitivity.value if row else "",
        "paper_specificity": row.specificity.value if row else "",
    }


def _interval(estimate: Estimate, digits: int = 3) -> str:
    """Print an estimate; an undefined one, without cases say, as a dash."""
    if estimate.value != estimate.value:
        return "-"
    value, low, high = (f"{x:.{digits}f}" for x in (estimate.value, estimate.low, estimate.high))
    return f"{value} ({low} to {high})"


def _number(value: float | None, digits: int = 3) -> str:
    return "" if value is None or value != value else f"{value:.{digits}f}"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
