"""The results file of the grid as markdown (`docs/results.md`): the study's tables with ours."""

from collections.abc import Mapping
from typing import Any, Final

from ecgdash.labels.published import BASELINE, FOLLOW_UP
from ecgdash.services.grid_report_tables import (
    controls,
    estimate_words,
    leads,
    markdown_table,
    subgroups,
    table_2,
    table_4,
)

__all__ = ["results_markdown"]

_HEAD: Final = """# The grid: 12, 6 and 1 leads, three phases, controls

**SIMULATED.** These figures describe simulated patients and networks trained on simulated patients;
they say nothing about real ones. Research use only; not a diagnosis. A score is not a probability.

This page is generated from `results.json` beside it; do not edit it. The paper is the DeepECG LVSD
study (`docs/glossary.md`); its Tables 2 to 5 are quoted as printed. Ours is trained with the
demo network; where it differs from the study is listed on every family's card (models page)."""

_RULE: Final = """A difference of AUROCs counts as **reproduced** where it has the study's sign, its
95 % interval (bootstrap over patients, all seeds pooled) excludes zero, and every seed has that
sign; anything else that could be tested is **not reproduced**. What the study did not ask is
**seen** or **not seen** by the same rule. Rules for the other findings stand in their words. They
were set before the figures were known."""


def results_markdown(results: Mapping[str, Any]) -> str:
    """Return the whole page.

    Parameters
    ----------
    results : mapping
        As `ecgdash.services.grid.evaluate_grid` returns it.
    """
    sites = results["sites"]
    first = sites["A"]
    parts = [
        _HEAD,
        _data(results),
        "## What of the study is reproduced\n\n" + _RULE + "\n\n" + _findings(sites),
        "## Not testable here\n\n" + _untestable(results["untestable"]),
        "## Table 2: baseline pairs, with and without pretraining\n\n" + table_2(sites),
        "## Table 4: follow-up pairs, before and after recalibration\n\n" + table_4(sites),
        *_subgroup_parts(first),
        "## Controls without leakage, follow-up pairs\n\n" + controls(first),
        "## Seed by seed\n\n" + _seeds(sites),
        *(_site_part(name, site) for name, site in sites.items() if name != "A"),
        "## How the cells were trained\n\n" + _training(results["training"]),
    ]
    if "reproduce" in results:
        parts.append("## One cell again\n\n" + _reproduce(results["reproduce"]))
    return "\n\n".join(parts) + "\n"


def _data(results: Mapping[str, Any]) -> str:
    lines = []
    for name, site in results["sites"].items():
        tables = next(iter(site["lead_sets"].values()))
        first, later, people = tables[BASELINE], tables[FOLLOW_UP], tables["population"]
        shares = people["subgroup_share"]["AFIB"]
        lines.append(
            f"- site {name}{'' if name == 'A' else ' (shifted)'}: seeds "
            f"{', '.join(map(str, site['seeds']))}; {site['n_patients']:,} patients; "
            f"{first['n']:,} baseline pairs ({first['n_positive']:,} LVSD, "
            f"{100 * people['lvsd_prevalence']['baseline']:.1f} %; AFIB "
            f"{100 * shares['baseline']:.1f} %), {later['n']:,} follow-up pairs "
            f"({later['n_positive']:,} LVSD, "
            f"{100 * people['lvsd_prevalence']['follow_up']:.1f} %)"
        )
    method = next(iter(results["sites"].values()))["interval_method"]
    versions = ", ".join(f"{key} {value}" for key, value in results["versions"].items())
    lines.append(f"- intervals: {method}")
    lines.append(f"- made with ECGDash {results['software']}, {versions}, {results['machine']}")
    return "\n".join(lines)


def _findings(sites: Mapping[str, Any]) -> str:
    by_site = {name: {row["key"]: row for row in site["findings"]} for name, site in sites.items()}
    rows = []
    for key, row in by_site["A"].items():
        paper = row.get("paper")
        cells = [row["finding"], row["source"], "" if paper is None else f"{paper:+.3f}"]
        for found in by_site.values():
            cells += _verdict(found[key])
        rows.append(cells)
    heads = ["finding", "source", "paper, hospital B"]
    for name in by_site:
        where = "" if name == "A" else f", site {name}"
        heads += [f"ours{where}", f"verdict{where}"]
    return markdown_table(heads, rows)


def _verdict(row: Mapping[str, Any]) -> list[str]:
    if "difference" not in row:
        return [row["ours"], row["verdict"]]
    seeds = row["per_seed"]
    same = sum(value > 0 for value in seeds)
    told = f"{estimate_words(row['difference'], 4)}; above 0 in {same} of {len(seeds)} seeds"
    if "delong" in row:
        told += f"; DeLong p {row['delong']['p']:.1g}"
    return [told, row["verdict"]]


def _untestable(rows: Any) -> str:
    return "\n".join(f"- {row['finding']}: {row['why']}." for row in rows)


def _subgroup_parts(site: Mapping[str, Any]) -> list[str]:
    parts = []
    for name, tables in site["lead_sets"].items():
        for setting, table, words in (
            (BASELINE, "Table 3", "baseline pairs"),
            (FOLLOW_UP, "Table 5", "follow-up pairs"),
        ):
            beside = name == "12"
            title = f"{table}: " if beside else ""
            parts.append(
                f"## {title}{words} by subgroup, {leads(name)}\n\n"
                + subgroups(tables, setting, beside_paper=beside)
            )
    return parts


def _seeds(sites: Mapping[str, Any]) -> str:
    rows = []
    for site, document in sites.items():
        for name, tables in document["lead_sets"].items():
            for seed in tables["per_seed"]:
                first, later = seed[BASELINE], seed[FOLLOW_UP]
                rows.append(
                    [
                        f"{site} {seed['seed']}",
                        leads(name),
                        f"{seed['n_baseline']:,}",
                        *(f"{value:.3f}" for value in first.values()),
                        f"{seed['n_follow_up']:,}",
                        *(f"{value:.3f}" for value in later.values()),
                    ]
                )
    tables = next(iter(next(iter(sites.values()))["lead_sets"].values()))["per_seed"][0]
    heads = ["site, seed", "leads", "baseline pairs", *tables[BASELINE]]
    return markdown_table([*heads, "follow-up pairs", *tables[FOLLOW_UP]], rows)


def _site_part(name: str, site: Mapping[str, Any]) -> str:
    rows = []
    for lead_set, tables in site["lead_sets"].items():
        for model, found in tables["site_threshold"].items():
            for key, group in found["groups"].items():
                at = [
                    " / ".join(
                        estimate_words(group[which][f]) for f in ("sensitivity", "specificity")
                    )
                    for which in ("card", "local")
                ]
                card = tables["thresholds"][model]
                rows.append(
                    [
                        leads(lead_set),
                        f"{model}, {found['setting'].replace('_', '-')} pairs",
                        key,
                        f"{group['n_positive']}/{group['n']}",
                        f"{card:.3f}: {at[0]}",
                        f"{found['threshold']:.3f}: {at[1]}",
                    ]
                )
    heads = ["leads", "model", "subgroup", "LVSD/n", "card's threshold: sens. / spec."]
    heads.append("the site's own: sens. / spec.")
    text = (
        f"## Shifted site {name}: what a threshold of its own repairs\n\nThe site's own Youden "
        "threshold is chosen on half of its patients and both are measured on the other half.\n\n"
    )
    return text + markdown_table(heads, rows)


def _training(training: Mapping[str, Any]) -> str:
    rows = []
    for name, part in training.items():
        if name == "data":
            continue
        for cell, log in part["cells"].items():
            rows.append(
                [
                    leads(name),
                    cell,
                    f"{log['best_epoch']} of {log['epochs']}",
                    f"{log['validation_loss']:.4f}",
                    f"{log['validation_auroc']:.4f}",
                    f"{log['seconds'] / 60:.1f}",
                ]
            )
    heads = ["leads", "cell", "best epoch", "validation loss", "validation AUROC", "minutes"]
    facts = ", ".join(f"{key} {value}" for key, value in training["data"].items())
    note = "Minutes are wall time of all epochs, several cells at once on two cores.\n\n"
    return f"Prepared data: {facts}. " + note + markdown_table(heads, rows)


def _reproduce(row: Mapping[str, Any]) -> str:
    return (
        f"`{row['command']}` trains the cell `{row['cell']}` with {leads(row['lead_set'])} from "
        f"nothing and scores the baseline pairs of seed {row['seed']}. AUROC in this file: "
        f"{row['auroc']:.4f}; tolerance {row['tolerance']:.4f}. {row['why']}"
    )
