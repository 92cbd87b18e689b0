"""Which findings of the DeepECG LVSD study our grid reproduces, by rules set beforehand.

A difference counts as reproduced where it has the study's sign, its 95 % interval (bootstrap
over patients, all seeds) excludes zero, and every seed has that sign. Anything else that could
be tested is "not reproduced", with its figures. The rules are our choice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ecgdash.domain import MASKED, RECALIBRATED, UNCALIBRATED, Estimate
from ecgdash.domain.leads import LeadSet
from ecgdash.labels.published import BASELINE, FOLLOW_UP
from ecgdash.services.evaluation_pairs import MASKED_PAIRS
from ecgdash.services.grid_contrasts import GridContrasts, Term
from ecgdash.services.grid_paper import CONTROL, EXTERNAL, PAPER, TABLE_OF_SETTING

__all__ = ["NOT_REPRODUCED", "NOT_TESTABLE", "REPRODUCED", "UNTESTABLE", "findings"]

REPRODUCED: Final = "reproduced"
NOT_REPRODUCED: Final = "not reproduced"
NOT_TESTABLE: Final = "not testable here"

UNTESTABLE: Final = (
    ("The AUROCs themselves hold for real patients", "only simulated patients are scored here"),
    ("A model of hospital A keeps its AUROC at hospital B", "the shifted site is simulated too"),
    ("PPV and NPV", "they hold at the prevalence of the study's hospitals only"),
    (
        "SE-ResNeXt-152 trained on 397,644 ECGs is needed, or is better than a small network",
        "the grid is trained with the demo network; the same command trains depth 152",
    ),
)
"""What the study says and this grid cannot decide, and why."""

MAX_P: Final = 0.05
NOT_IN_STUDY: Final = "not in the study"
SEEN: Final = "seen"
NOT_SEEN: Final = "not seen"
_VERDICTS: Final = {True: REPRODUCED, False: NOT_REPRODUCED, None: NOT_TESTABLE}


@dataclass(frozen=True)
class _Difference:
    """A finding about AUROCs: the contrast is above zero."""

    key: str
    words: str
    source: str
    setting: str
    terms: tuple[Term, ...]


def findings(
    contrasts: GridContrasts, tables: Mapping[LeadSet, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return every finding with our figures and the verdict.

    Parameters
    ----------
    contrasts : GridContrasts
    tables : mapping of str to mapping
        Evaluation tables by lead set.
    """
    found = []
    for one in _differences(contrasts.lead_sets):
        result = contrasts.of(one.setting, one.terms)
        same = all(value > 0 for value in result["per_seed"])
        holds = result["difference"].low > 0 and same
        found.append(
            {
                "key": one.key,
                "finding": one.words,
                "source": one.source,
                "paper": _printed(one),
                **result,
                "verdict": _verdict(one.source, holds=holds),
            }
        )
    return [*found, *_subgroup_findings(tables["12"])] if "12" in tables else found


def _differences(lead_sets: Sequence[LeadSet]) -> Iterator[_Difference]:
    yield from _of_pretraining(lead_sets)
    yield from _of_leads(lead_sets)
    for name in lead_sets:
        yield from _of_history(name)
    if "1" in lead_sets:
        yield from (_of_gain(other) for other in lead_sets if other != "1")


def _of_pretraining(lead_sets: Sequence[LeadSet]) -> Iterator[_Difference]:
    for name in lead_sets:
        yield _Difference(
            f"pretraining_{name}",
            f"Pretraining raises the AUROC ({_leads(name)}; the study: not significant)",
            TABLE_OF_SETTING[BASELINE],
            BASELINE,
            (Term(1, name, UNCALIBRATED), Term(-1, name, CONTROL)),
        )
    for name in lead_sets:
        yield _Difference(
            f"pretraining_2000_{name}",
            f"The same with 2,000 training pairs ({_leads(name)})",
            NOT_IN_STUDY,
            BASELINE,
            (Term(1, name, "finetune_2000"), Term(-1, name, "control_2000")),
        )


def _of_leads(lead_sets: Sequence[LeadSet]) -> Iterator[_Difference]:
    for setting, model in (
        (BASELINE, UNCALIBRATED),
        *((FOLLOW_UP, model) for model in (UNCALIBRATED, MASKED, RECALIBRATED)),
    ):
        for more, fewer in zip(lead_sets, lead_sets[1:], strict=False):
            yield _Difference(
                f"leads_{setting}_{model}_{more}_{fewer}",
                f"{_leads(more)} above {_leads(fewer)}, {model}, {_words(setting)} pairs",
                TABLE_OF_SETTING[setting],
                setting,
                (Term(1, more, model), Term(-1, fewer, model)),
            )


def _of_history(name: LeadSet) -> Iterator[_Difference]:
    own_rule = "The study's own masked rule (earlier pairs only) above uncalibrated"
    for better, worse, words in (
        (MASKED, UNCALIBRATED, "Masked above uncalibrated"),
        (RECALIBRATED, MASKED, "Recalibrated above masked"),
        (MASKED_PAIRS, UNCALIBRATED, own_rule),
    ):
        yield _Difference(
            f"history_{better}_{name}",
            f"{words} ({_leads(name)})",
            TABLE_OF_SETTING[FOLLOW_UP],
            FOLLOW_UP,
            (Term(1, name, better), Term(-1, name, worse)),
        )


def _of_gain(other: LeadSet) -> _Difference:
    return _Difference(
        f"gain_1_{other}",
        f"Recalibration gains more with 1 lead than with {_leads(other)}",
        TABLE_OF_SETTING[FOLLOW_UP],
        FOLLOW_UP,
        (
            Term(1, "1", RECALIBRATED),
            Term(-1, "1", UNCALIBRATED),
            Term(-1, other, RECALIBRATED),
            Term(1, other, UNCALIBRATED),
        ),
    )


def _verdict(source: str, *, holds: bool) -> str:
    """Word what the study did not ask as "seen", because there is nothing to reproduce."""
    if source == NOT_IN_STUDY:
        return SEEN if holds else NOT_SEEN
    return _VERDICTS[holds]


def _printed(one: _Difference) -> float | None:
    """Return the same contrast of the AUROCs that the study printed for hospital B, or None."""
    printed = PAPER[one.setting][EXTERNAL]
    models = [MASKED if term.model == MASKED_PAIRS else term.model for term in one.terms]
    if not set(models) <= set(printed):
        return None
    values = [
        term.factor * printed[model][term.lead_set].auroc.value
        for term, model in zip(one.terms, models, strict=True)
    ]
    return round(sum(values), 3)


def _subgroup_findings(tables: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Judge the findings of Tables 3 and 5: 12 leads, each model at its own threshold."""
    first, later = tables[BASELINE]["subgroups"], tables[FOLLOW_UP]["subgroups"]
    for key, beside in (("AFIB", "sinus"), ("LBBB", "sinus_no_bbb")):
        for figure in ("auroc", "specificity"):
            ours, other = first[key][UNCALIBRATED][figure], first[beside][UNCALIBRATED][figure]
            yield _row(
                f"subgroup_{key}_{figure}",
                f"{figure.replace('auroc', 'AUROC')} of the uncalibrated model is lower in {key}",
                "Table 3",
                f"{key} {_told(ours)}, {beside.replace('_', ' ')} {_told(other)}",
                holds=_compared(ours, other),
            )
    known = {
        key: row
        for key, row in later.items()
        if key not in ("all", "sinus_no_bbb") and row["n_positive"]
    }
    better = [
        key
        for key, row in known.items()
        if (test := row["delong"]["recalibrated_minus_uncalibrated"])["difference"] > 0
        and test["p"] < MAX_P
    ]
    yield _row(
        "subgroups_auroc",
        "Recalibrated above uncalibrated in every subgroup (DeLong p < .05)",
        "Table 5",
        f"in {len(better)} of {len(known)} subgroups{_but(known, better)}",
        holds=len(better) == len(known),
    )
    for figure, sign, words in (
        ("specificity", 1, "Recalibration raises specificity in every subgroup"),
        ("sensitivity", -1, "Recalibration lowers sensitivity in every subgroup"),
    ):
        moved = [
            key
            for key, row in known.items()
            if sign * (row[RECALIBRATED][figure].value - row[UNCALIBRATED][figure].value) > 0
        ]
        yield _row(
            f"subgroups_{figure}",
            f"{words}, each model at its own threshold",
            "Table 5",
            f"in {len(moved)} of {len(known)} subgroups{_but(known, moved)}",
            holds=len(moved) == len(known),
        )
    for figure in ("specificity_at_90_sensitivity", "sensitivity_at_90_specificity"):
        new, old = later["all"][RECALIBRATED][figure], later["all"][UNCALIBRATED][figure]
        yield _row(
            figure,
            f"{figure.replace('_', ' ').replace('90', '90 %')} is higher when recalibrated",
            "text beside Table 4",
            f"{_told(old)} to {_told(new)}",
            holds=_compared(old, new),
        )


def _compared(low: Estimate, high: Estimate) -> bool | None:
    """Return whether one interval lies below the other; None where one is not defined."""
    known = low.high == low.high and high.low == high.low
    return low.high < high.low if known else None


def _row(key: str, words: str, source: str, told: str, *, holds: bool | None) -> dict[str, Any]:
    return {
        "key": key,
        "finding": words,
        "source": source,
        "ours": told,
        "verdict": _VERDICTS[holds],
    }


def _but(known: Mapping[str, Any], holding: Sequence[str]) -> str:
    others = [key for key in known if key not in holding]
    return f" (not in {', '.join(others)})" if others and holding else ""


def _told(estimate: Estimate) -> str:
    if estimate.value != estimate.value:
        return "not defined"
    if estimate.low != estimate.low:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def _leads(name: str) -> str:
    return "1 lead" if name == "1" else f"{name} leads"


def _words(setting: str) -> str:
    return setting.replace("_", "-")
