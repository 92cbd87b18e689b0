"""The flag table of the patient page: what each score is worth in patients with such a flag."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ecgdash.domain import MASKED, VARIANTS, Estimate, FamilyCard, RiskTimeline, TimelinePoint
from ecgdash.labels.published import (
    BASELINE,
    TABLES,
    WEAK_SPECIFICITY,
    PublishedTable,
    Subgroup,
)
from ecgdash.plots import variant_style
from ecgdash.services.family_figures import FamilyFigures
from ecgdash.services.flag_rows import FlagRow, flag_rows, setting_of, unjudged_flags
from ecgdash.services.summaries import has_no_study
from ecgdash.stats import predictive_estimates
from ecgdash.ui import html, words
from ecgdash.ui.html import Cell
from ecgdash.ui.page import Page
from ecgdash.ui.prevalence import choose_prevalence

__all__ = ["draw_flags"]

_FIGURES: Final = ("Specificity", "Sensitivity", "AUROC", "PPV", "NPV")
_WIDTH: Final = len(_FIGURES)
_NOT_PRINTED: Final = {
    MASKED: "no subgroup figures in the study",
}


@dataclass(frozen=True)
class _View:
    """What every cell of the table needs to know."""

    setting: str
    table: PublishedTable
    own: FamilyFigures | None
    variants: tuple[str, ...]
    prevalence: float

    @property
    def family(self) -> str | None:
        """Whose card the family's own figures link to."""
        return None if self.own is None else self.own.family

    @property
    def whose(self) -> tuple[str, str]:
        """What the two groups of columns are called; simulated figures always say so."""
        marked = ", SIMULATED" if self.own is not None and self.own.simulated else ""
        return f"Published, {self.table.name}", f"This model{marked}"


def draw_flags(point: TimelinePoint, course: RiskTimeline, page: Page) -> None:
    """Draw the flags of one ECG: sources, published figures, the family's own, PPV and NPV."""
    html.draw(Cell('<h2 class="ed-h2">Flags, and what the scores are worth in such patients</h2>'))
    setting = setting_of(point, course)
    own = page.family_figures.get(point.family or "")
    found = {row.name: row for row in flag_rows(point, setting, own)}
    names = [name for name in words.in_order(found) if name != words.PLAIN_FLAG]
    if not names:
        html.draw(html.small("No source raised a flag. That means unknown, not absent."))
    else:
        html.draw(html.small(_setting_words(setting, point)))
        if has_no_study(course, point.family):
            told = "The published figures are of the study's models, not of this external family."
            html.draw(html.small(told, "ed-weak"))
        prevalence = choose_prevalence(setting)
        rows = [found[name] for name in names]
        variants = _variants(course.cards.get(point.lead_set or ""), setting, rows)
        view = _View(setting, TABLES[setting], own, variants, prevalence)
        html.draw(_table(rows, view))
        to_card = () if own is None else (_to_card(own),)
        html.draw(*(html.small(line) for line in _notes(view, point)), *to_card)
    told = _unjudged_words(point, course)
    if told:
        html.draw(html.small(told))


def _variants(card: FamilyCard | None, setting: str, rows: Sequence[FlagRow]) -> tuple[str, ...]:
    """Return the card's variants, or the study's where no family is installed.

    Baseline pairs have no history: there the variants without any figure are left out.
    """
    names = tuple(item.variant for item in card.variants) if card is not None else VARIANTS
    if setting != BASELINE:
        return names
    groups = [group for row in rows for group in (row.published, row.own) if group is not None]
    known = {variant for group in groups for variant in group.figures}
    return tuple(name for name in names if name in known) or names[:1]


def _setting_words(setting: str, point: TimelinePoint) -> str:
    """Say which of the study's tables is shown for this ECG, and why."""
    if point.recorded_at is None:
        why = "This ECG has no date, so it is read as a baseline ECG"
    elif setting == BASELINE:
        why = "No echo is paired with an earlier ECG: this is a baseline ECG"
    else:
        why = "An echo is paired with an earlier ECG: this is a follow-up ECG"
    pairs = "baseline" if setting == BASELINE else "follow-up"
    leads = ""
    if point.lead_set not in ("12", None):
        leads = f" The study's table is of 12 leads; this ECG has {point.lead_set}."
    return f"{why}, so the figures are those of {pairs} pairs ({TABLES[setting].name}).{leads}"


def _notes(view: _View, point: TimelinePoint) -> list[str]:
    """Return the lines below the table: sources, thresholds, how PPV and NPV come about."""
    history = "The study has no subgroup figures of the LVEF-masked score."
    if view.setting == BASELINE:
        history = "Baseline pairs have no history, so only the uncalibrated score has figures."
    lines = [
        f"Published: {view.table.source}; 95 % bootstrap intervals. {history} Dashed mark: 0.50."
    ]
    lines.append(_own_words(view.own, point.family))
    lines.append(
        f"PPV and NPV: at a prevalence of {words.percent(view.prevalence)}, from the sensitivity "
        "and specificity beside them by Bayes' rule; small: the range that both intervals leave "
        "open. The share with LVSD under a flag tells how far its prevalence may differ. "
        "A flag that is not listed is unknown, not absent."
    )
    return lines


def _own_words(own: FamilyFigures | None, family: str | None) -> str:
    if own is None:
        whose = f"of {family}" if family else "of a model"
        return f"This model: not evaluated (no evaluation {whose} is installed)."
    # Seeds are of simulated patients; the figures of a store say whose they are in `data`.
    patients = f"patients ({own.data})"
    if own.seeds:
        patients = f"SIMULATED patients, seeds {', '.join(map(str, own.seeds))}"
    return (
        f"This model: {own.family}, these weights, {own.n_patients:,} {patients}; at the card's "
        "Youden thresholds; 95 % intervals by DeLong and Clopper-Pearson."
    )


def _to_card(own: FamilyFigures) -> Cell:
    link = html.card_link("All subgroups of this model: its card", own.family)
    return html.element("div", link, kind="ed-small ed-muted")


def _unjudged_words(point: TimelinePoint, course: RiskTimeline) -> str:
    parts = []
    for one in unjudged_flags(point, course):
        names = ", ".join(words.flag_words(name) for name in one.names)
        parts.append(f"{names} ({one.reason})")
    return f"Could not be judged: {'; '.join(parts)}." if parts else ""


def _table(rows: Sequence[FlagRow], view: _View) -> Cell:
    bodies = (_body(row, view) for row in rows)
    return html.element("table", _head(view), *bodies, kind="ed-table ed-flags", aria_label="Flags")


def _head(view: _View) -> Cell:
    published, ours = view.whose
    upper = [
        html.element("th", title, scope="col", rowspan=2)
        for title in ("Flag and share with LVSD", "Source here", "Score")
    ]
    upper.append(html.element("th", published, scope="colgroup", colspan=_WIDTH, kind="group pub"))
    lower = _heads("pub")
    if view.own is None:
        upper.append(html.element("th", ours, scope="col", rowspan=2, kind="own"))
    else:
        upper.append(html.element("th", ours, scope="colgroup", colspan=_WIDTH, kind="group own"))
        lower += _heads("own")
    return html.element("thead", html.element("tr", *upper), html.element("tr", *lower))


def _heads(kind: str) -> list[Cell]:
    return [
        html.element("th", title, scope="col", kind=f"{kind} f{i}")
        for i, title in enumerate(_FIGURES, 1)
    ]


def _body(row: FlagRow, view: _View) -> Cell:
    """Return the rows of one flag: one per score, or a single one where nothing is known."""
    known = row.published is not None or row.own is not None
    variants = view.variants if known else ()
    span = max(len(variants), 1)
    flag = html.element("th", _flag_cell(row, view), scope="rowgroup", rowspan=span, kind="flag")
    sources = html.element("td", _sources(row), rowspan=span, kind="sources")
    if not known:
        told = html.small(
            "No published figures, and no subgroup of this model's evaluation: what a score is "
            "worth here is not known."
        )
        width = 1 + _WIDTH + (1 if view.own is None else _WIDTH)
        cells = [flag, sources, html.element("td", told, colspan=width, kind="none")]
        return html.element("tbody", html.element("tr", *cells))
    lines = []
    for i, variant in enumerate(variants):
        first = (flag, sources) if i == 0 else ()
        lines.append(html.element("tr", *first, *_line(variant, row, view)))
    return html.element("tbody", *lines)


def _flag_cell(row: FlagRow, view: _View) -> Cell:
    counts = []
    if row.published is not None:
        counts.append(html.small(f"published: {_counts(row.published)}"))
    if row.own is not None:
        linked = html.card_link(_counts(row.own), view.family, quiet=True)
        counts.append(html.element("div", "this model: ", linked, kind="ed-small ed-muted"))
    return html.join(html.text(words.flag_words(row.name), "ed-strong"), *counts)


def _counts(group: Subgroup) -> str:
    """Return cases, pairs and share; pairs added to enrich the subgroup are told apart."""
    added = f", {group.n_added:,} of them added" if group.n_added else ""
    share = words.percent(group.n_positive / group.n)
    return f"{group.n_positive:,} / {group.n:,} ({share}){added}"


def _sources(row: FlagRow) -> Cell:
    return html.join(
        *(
            html.element("div", html.bold(words.SOURCE_WORDS[flag.source]), f": {flag.evidence}")
            for flag in row.sources
        )
    )


def _line(variant: str, row: FlagRow, view: _View) -> list[Cell]:
    look = variant_style(variant)
    name = html.element("th", f"{look.glyph} {look.label}", scope="row", kind="score")
    published, ours = view.whose
    cells = [name, *_group(row.published, variant, view, (published, "pub"))]
    if view.own is not None:
        cells += _group(row.own, variant, view, (ours, "own"))
    elif variant == view.variants[0]:
        told = html.small("not evaluated")
        cells.append(
            html.element("td", told, rowspan=len(view.variants), kind="own none", data_label=ours)
        )
    return cells


def _group(group: Subgroup | None, variant: str, view: _View, names: tuple[str, str]) -> list[Cell]:
    """Return four cells of figures, or one that says why there is none."""
    whose, kind = names
    figures = None if group is None else group.figures.get(variant)
    if figures is None or math.isnan(figures.specificity.value):
        why = _why_none(group, variant, kind)
        cell = html.small(why)
        return [html.element("td", cell, colspan=_WIDTH, kind=f"{kind} none", data_label=whose)]
    both = predictive_estimates(figures.sensitivity, figures.specificity, view.prevalence)
    family = view.family if kind == "own" else None
    cells = (
        _specificity(figures.specificity, variant, family),
        *(
            html.card_link(_figure(found), family, variant, quiet=True)
            for found in (figures.sensitivity, figures.auroc, *both)
        ),
    )
    return [
        html.element(
            "td",
            cell,
            kind=f"{kind} f{i}",
            data_label=f"{whose}\n{title}" if i == 1 else title,
        )
        for i, (title, cell) in enumerate(zip(_FIGURES, cells, strict=True), 1)
    ]


def _why_none(group: Subgroup | None, variant: str, kind: str) -> str:
    if group is None:
        return "no such subgroup there" if kind == "pub" else "too few such pairs evaluated"
    return _NOT_PRINTED.get(variant, "no figures") if kind == "pub" else "no figures"


def _specificity(estimate: Estimate, variant: str, family: str | None) -> Cell:
    mark = html.interval_mark(estimate.value, estimate.low, estimate.high, variant)
    weak = estimate.value < WEAK_SPECIFICITY
    told = html.small(f"under {WEAK_SPECIFICITY:.2f}: weak evidence", "ed-weak") if weak else ""
    linked = html.card_link(_figure(estimate), family, variant)
    return html.join(html.element("div", mark, linked, kind="marked"), told)


def _figure(estimate: Estimate) -> Cell:
    interval = html.text(f"{estimate.low:.2f}–{estimate.high:.2f}", "ed-muted ed-small")
    return html.element("span", html.bold(f"{estimate.value:.2f}"), " ", interval, kind="ed-figure")
