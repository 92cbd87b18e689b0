"""The study's Tables 2 to 5 as markdown, with ours beside them; numbers come from the results file.

`sites` is the results file's part of that name: "A" as in training, then the shifted ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ecgdash.domain import MASKED, RECALIBRATED, UNCALIBRATED, Estimate
from ecgdash.labels.published import BASELINE, FOLLOW_UP, ModelFigures, figures_for, subgroup_for
from ecgdash.services.grid_paper import CONTROL, EXTERNAL, INTERNAL, PAPER

__all__ = [
    "controls",
    "estimate_words",
    "leads",
    "markdown_table",
    "subgroups",
    "table_2",
    "table_4",
]

_FIGURES: Final = ("auroc", "sensitivity", "specificity", "ppv", "npv")
_HEADS: Final = {"auroc": "AUROC", "ppv": "PPV", "npv": "NPV"}
_WHERE: Final = {INTERNAL: "paper, hospital A", EXTERNAL: "paper, hospital B"}
_MODELS: Final = {
    CONTROL: "without pretraining",
    UNCALIBRATED: "uncalibrated",
    MASKED: "masked",
    "masked_pairs": "masked, the study's own rule",
    RECALIBRATED: "recalibrated",
    "finetune_2000": "uncalibrated, 2,000 pairs",
    "control_2000": "without pretraining, 2,000 pairs",
}

Sites = Mapping[str, Mapping[str, Any]]


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def leads(name: str) -> str:
    """Return "12 leads" or "1 lead"."""
    return "1 lead" if name == "1" else f"{name} leads"


def estimate_words(row: Mapping[str, Any] | None, digits: int = 3) -> str:
    """Print an estimate of the results file; a dash where it is not defined."""
    if row is None or row["value"] is None:
        return "-"
    value, low, high = (row[key] for key in ("value", "low", "high"))
    if low is None or high is None:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def table_2(sites: Sites) -> str:
    """Return Table 2: baseline pairs, with and without pretraining, also at 2,000 pairs."""
    models = (CONTROL, UNCALIBRATED, "control_2000", "finetune_2000")
    return _performance(sites, BASELINE, models)


def table_4(sites: Sites) -> str:
    """Return Table 4: follow-up pairs before and after recalibration."""
    return _performance(sites, FOLLOW_UP, (UNCALIBRATED, MASKED, "masked_pairs", RECALIBRATED))


def _performance(sites: Sites, setting: str, models: Sequence[str]) -> str:
    lead_sets = list(next(iter(sites.values()))["lead_sets"])
    rows = []
    for model in models:
        for where, column in _columns(sites, setting, model):
            cells = [column.get(name) for name in lead_sets]
            for figure in _FIGURES:
                values = [_cell(cell, figure) for cell in cells]
                if all(value == "-" for value in values):
                    continue
                rows.append([_MODELS[model], where, _HEADS.get(figure, figure), *values])
    return markdown_table(["model", "where", "figure", *map(leads, lead_sets)], rows)


def _columns(sites: Sites, setting: str, model: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for hospital, words in _WHERE.items():
        printed = PAPER[setting][hospital].get(model)
        if printed is not None:
            yield words, {str(name): figures for name, figures in printed.items()}
    for site, document in sites.items():
        yield (
            _site_words(site),
            {name: _ours(tables[setting], model) for name, tables in document["lead_sets"].items()},
        )


def _site_words(site: str) -> str:
    return "ours" if site == "A" else f"ours, shifted site {site}"


def _ours(part: Mapping[str, Any], model: str) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = part.get("cells", {}).get(model)
    return found or part["subgroups"]["all"].get(model)


def _cell(cell: ModelFigures | Mapping[str, Any] | None, figure: str) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, ModelFigures):
        return _printed(getattr(cell, figure))
    return estimate_words(cell[figure])


def _printed(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def subgroups(tables: Mapping[str, Any], setting: str, *, beside_paper: bool) -> str:
    """Return a table of subgroups: AUROC with sensitivity beside specificity.

    Parameters
    ----------
    tables : mapping
        One lead set of one site.
    setting : {"baseline", "follow_up"}
    beside_paper : bool
        Whether the study's 12-lead figures stand in the last column (its Tables 3 and 5).
    """
    part = tables[setting]
    rows = []
    for key, row in part["subgroups"].items():
        for model in (UNCALIBRATED, MASKED, RECALIBRATED):
            if model not in row:
                continue
            ours = [estimate_words(row[model][figure]) for figure in _FIGURES[:3]]
            cells = [key, model, f"{row['n_positive']}/{row['n']}", *ours]
            rows.append([*cells, _paper_cell(key, model, setting)] if beside_paper else cells)
    heads = ["subgroup", "model", "LVSD/n", "AUROC", "sensitivity", "specificity"]
    paper = ["paper: LVSD/n, AUROC / sens. / spec."] if beside_paper else []
    return markdown_table([*heads, *paper], rows)


def _paper_cell(key: str, model: str, setting: str) -> str:
    row, figures = subgroup_for(key, setting), figures_for(key, model, setting)
    if row is None or figures is None:
        return "-"
    values = (figures.auroc, figures.sensitivity, figures.specificity)
    return f"{row.n_positive}/{row.n}, " + " / ".join(f"{one.value:.3f}" for one in values)


def controls(document: Mapping[str, Any]) -> str:
    """Return the controls without leakage, for every lead set of a site."""
    rows = []
    for name, tables in document["lead_sets"].items():
        for key, control in tables["controls"].items():
            test = control["minus_uncalibrated"]
            rows.append(
                [
                    leads(name),
                    key.replace("_", " "),
                    control["what"],
                    estimate_words(control["auroc"]),
                    f"{test['difference']:.4f}",
                    f"{test['p']:.2g}",
                ]
            )
    heads = ["leads", "control", "what it is", "AUROC", "minus uncalibrated", "p (DeLong)"]
    return markdown_table(heads, rows)
