"""The history study's results file as markdown (`docs/history_for_any_scorer.md`)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ecgdash.domain import RECALIBRATED, UNCALIBRATED
from ecgdash.services.evaluation_tables import jsonable
from ecgdash.services.grid_report_tables import markdown_table
from ecgdash.services.history_study import HISTORY_ONLY

__all__ = ["history_markdown", "write_history"]

RESULTS_NAME: Final = "history.json"
PAGE_NAME: Final = "history_for_any_scorer.md"

_HEAD: Final = """# History for any scorer: how much of the recalibration's gain it recovers

**SIMULATED.** These figures describe simulated patients and networks trained on simulated patients;
they say nothing about real ones. Research use only; not a diagnosis. A score is not a probability.

This page is generated from `history.json` beside it by `python -m ecgdash train history`; do not
edit it. What is fitted, and how, is in `decisions/0018-history-for-any-scorer.md`.

The scorer is the uncalibrated variant of a shipped family, and stays as it is. *History only* adds
a perceptron of the patient's earlier scores and LVEFs to its logit. *Recalibrated* is the family's
own variant, whose last block was trained together with its perceptron, on the follow-up pairs of
18,000 other simulated patients: the two differ in their training patients too."""

_NAMES: Final = {
    UNCALIBRATED: "uncalibrated",
    HISTORY_ONLY: "history only",
    RECALIBRATED: "recalibrated",
}

_CONTROL_WORDS: Final = {
    "shuffled_histories": "history only, each ECG with the history of another patient",
    "last_lvef_alone": "the LVEF of the most recent earlier pair, and no ECG",
    "no_history": "history only with its term left out: the scorer itself, which is not trained",
}

Row = Mapping[str, Any]


def write_history(results: Row, folder: Path) -> list[Path]:
    """Write the results file and the page made of it; return both.

    Parameters
    ----------
    results : mapping
        As `ecgdash.services.history_study.history_study` returns it.
    folder : Path
        Made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_rounded(jsonable(results)), allow_nan=False, indent=1) + "\n"
    file, page = folder / RESULTS_NAME, folder / PAGE_NAME
    file.write_text(text, encoding="utf-8")
    page.write_text(history_markdown(json.loads(text)), encoding="utf-8")
    return [file, page]


def _rounded(value: Any) -> Any:
    """Round numbers to six digits: more say nothing, and differ between processors."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value


def history_markdown(results: Row) -> str:
    """Return the whole page.

    Parameters
    ----------
    results : mapping
        As `ecgdash.services.history_study.history_study` returns it, as JSON.
    """
    sets: Mapping[str, Row] = results["lead_sets"]
    parts = [
        _HEAD,
        _patients(results),
        "## Unseen patients, follow-up pairs with a history\n\n" + _gain(sets),
        "## At the thresholds\n\n" + _accuracy(sets),
        "## Controls on the same pairs\n\n" + _controls(sets),
        "## How many pairs it takes\n\n" + _curve(sets),
        "## Subgroups\n\n" + _subgroups(sets),
    ]
    return "\n\n".join(parts) + "\n"


def _patients(results: Row) -> str:
    lines = []
    for key, words in (("training", "fitted on"), ("unseen", "measured on")):
        part = results[key]
        seeds = ", ".join(str(seed) for seed in part["seeds"])
        lines.append(
            f"- {words}: seeds {seeds}; {part['patients']:,} patients, "
            f"{part['follow_up_pairs']:,} follow-up pairs with a history ({part['cases']:,} LVSD) "
            f"of {part['patients_with_follow_up']:,} patients"
        )
    lines.append(f"- intervals: {results['interval_method']}; those of the share likewise")
    return "\n".join(lines)


def _gain(sets: Mapping[str, Row]) -> str:
    rows = []
    for lead_set, part in sets.items():
        for group, row in part["groups"].items():
            rows.append(
                [
                    lead_set,
                    group,
                    f"{row['n_positive']}/{row['n']}",
                    *(_estimate(row["auroc"][name]) for name in _NAMES),
                    _estimate(row["history_only_minus_uncalibrated"], 4),
                    _estimate(row["history_only_minus_recalibrated"], 4),
                    _percent(row["share_of_gain"]),
                ]
            )
    heads = [
        "leads",
        "group",
        "LVSD/n",
        *(f"AUROC, {words}" for words in _NAMES.values()),
        "history only - uncalibrated",
        "history only - recalibrated",
        "share of the gain",
    ]
    text = (
        "\n\nThe share is (history only - uncalibrated) / (recalibrated - uncalibrated), with a "
        "percentile interval over patients; above 100 % is possible. A dash: the whole gain is not "
        "above zero there."
    )
    return markdown_table(heads, rows) + text


def _accuracy(sets: Mapping[str, Row]) -> str:
    rows = []
    for lead_set, part in sets.items():
        for group, row in part["groups"].items():
            for name, words in _NAMES.items():
                at = row["accuracy"][name]
                rows.append(
                    [
                        lead_set,
                        group,
                        words,
                        f"{part['thresholds'][name]:.4f}",
                        _estimate(at["sensitivity"]),
                        _estimate(at["specificity"]),
                    ]
                )
    text = (
        "\n\nThe threshold of *history only* is the Youden threshold of its out-of-fold scores on "
        "the patients it was fitted on; the other two stand on the family's card."
    )
    heads = ["leads", "group", "score", "threshold", "sensitivity", "specificity"]
    return markdown_table(heads, rows) + text


def _controls(sets: Mapping[str, Row]) -> str:
    rows = [
        [words, *(_estimate(part["controls"][key]["auroc"]) for part in sets.values())]
        for key, words in _CONTROL_WORDS.items()
    ]
    for name, words in (
        (HISTORY_ONLY, "history only, out of fold, on the patients it was fitted on"),
        (UNCALIBRATED, "uncalibrated, on those patients"),
    ):
        found = [part["out_of_fold"]["auroc"][name] for part in sets.values()]
        rows.append([words, *(_estimate(one) for one in found)])
    return markdown_table(["AUROC", *_lead_heads(sets)], rows)


def _curve(sets: Mapping[str, Row]) -> str:
    first = next(iter(sets.values()))["curve"]
    rows = [
        [
            f"{point['pairs']:,}",
            f"{point['cases']:,}",
            f"{point['patients']:,}",
            *(f"{part['curve'][i]['auroc']:.4f}" for part in sets.values()),
        ]
        for i, point in enumerate(first)
    ]
    head = "AUROC on the unseen patients of perceptrons fitted on some of the patients only.\n\n"
    return head + markdown_table(["pairs", "LVSD", "patients", *_lead_heads(sets)], rows)


def _subgroups(sets: Mapping[str, Row]) -> str:
    rows = []
    for lead_set, part in sets.items():
        for key, group in part["subgroups"].items():
            before, after = group[UNCALIBRATED], group[RECALIBRATED]
            cells = [_estimate(one["auroc"]) for one in (before, after)]
            cells += [
                f"{_value(one['sensitivity'])} / {_value(one['specificity'])}"
                for one in (before, after)
            ]
            rows.append([lead_set, key, f"{group['n_positive']}/{group['n']}", *cells])
    heads = [
        "leads",
        "subgroup",
        "LVSD/n",
        "AUROC, uncalibrated",
        "AUROC, history only",
        "sens. / spec., uncalibrated",
        "sens. / spec., history only",
    ]
    return markdown_table(heads, rows)


def _lead_heads(sets: Mapping[str, Row]) -> list[str]:
    return [f"{name} lead{'s' if name != '1' else ''}" for name in sets]


def _estimate(row: Row, digits: int = 3) -> str:
    """Print an estimate; an undefined one as a dash."""
    if row["value"] is None:
        return "-"
    limits = [row[key] for key in ("low", "high")]
    told = " to ".join("?" if limit is None else f"{limit:.{digits}f}" for limit in limits)
    return f"{row['value']:.{digits}f} ({told})"


def _percent(row: Row) -> str:
    if row["value"] is None:
        return "-"
    value, low, high = (100 * row[key] for key in ("value", "low", "high"))
    return f"{value:.0f} % ({low:.0f} to {high:.0f})"


def _value(row: Row) -> str:
    return "-" if row["value"] is None else f"{row['value']:.3f}"
