"""How much of the full recalibration's gain a history beside a frozen scorer recovers, simulated.

The shipped families serve as scorers: their uncalibrated variant is the base, their own
recalibrated variant, whose last block was trained with the history, is what to compare with.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.domain import RECALIBRATED, UNCALIBRATED, Estimate, FamilyCard
from ecgdash.errors import InvalidValue
from ecgdash.inference.history import load_history_terms
from ecgdash.inference.manifest import InstalledFamily, find_family, load_card, verify_family
from ecgdash.services.evaluation_histories import with_histories
from ecgdash.services.evaluation_pairs import SUBGROUP_KEYS, Bools, Floats
from ecgdash.services.evaluation_simulated import SimulatedSource
from ecgdash.services.evaluation_tables import INTERVAL_METHOD, accuracy_figures
from ecgdash.services.history_data import ScorerPairs, simulated_pairs_of
from ecgdash.services.recalibrating import (
    FittedHistory,
    evaluate_history,
    fit_scorer_history,
    table_of_fit,
)
from ecgdash.stats import auroc, auroc_value, delong_test
from ecgdash.stats.bootstrap import ResampledAurocs, resampled_aurocs
from ecgdash.training.history_only import HistorySettings, fit_history

__all__ = ["GROUPS", "HISTORY_ONLY", "history_study"]

HISTORY_ONLY: Final = "history_only"
GROUPS: Final = ("all", "AFIB", "LBBB")
"""Groups in which the gain is shared out; the study's own question is about the last two."""

_CURVE: Final = (250, 500, 1_000, 2_000, 4_000)
_N_REPLICATES: Final = 1_000

Tell = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class _Unseen:
    """One family's pairs of patients that trained nothing."""

    data: ScorerPairs
    rows: Bools
    uncalibrated: Floats
    history_only: Floats
    recalibrated: Floats

    def of(self, group: str) -> Bools:
        """Return the rows of a group, those with a history only."""
        return self.rows & (self.data.members[:, SUBGROUP_KEYS.index(group)] | (group == "all"))

    def scores(self, rows: Bools) -> tuple[Floats, Floats, Floats]:
        """Return without history, with one beside the scorer, and with the family's own."""
        return self.uncalibrated[rows], self.history_only[rows], self.recalibrated[rows]


def history_study(
    families: Sequence[str],
    training: Sequence[SimulatedSource],
    unseen: Sequence[SimulatedSource],
    models_dir: Path,
    settings: HistorySettings,
    on_progress: Tell,
) -> dict[str, Any]:
    """Fit beside each family on some simulated patients and measure on others.

    Parameters
    ----------
    families : sequence of str
        Installed, with a recalibrated variant of their own.
    training, unseen : sequence of SimulatedSource
        Of different seeds.
    models_dir : Path
    settings : HistorySettings
    on_progress : callable
        Told sentences.

    Returns
    -------
    dict
        Estimates as `Estimate` objects; `evaluation.jsonable` turns it into JSON.
    """
    installed = []
    for name in families:
        row = find_family(name, models_dir)
        verify_family(row)
        installed.append((row, load_card(row)[0]))
    cards = [card for _, card in installed]
    fitted_on = simulated_pairs_of(training, cards, models_dir, on_progress)
    measured_on = simulated_pairs_of(unseen, cards, models_dir, on_progress)
    found = {}
    for (row, card), (first, _), (second, logits) in zip(
        installed, fitted_on, measured_on, strict=True
    ):
        on_progress(f"lead set {card.lead_set}: fit and measure")
        found[card.lead_set] = _lead_set((row, card), first, (second, logits), settings)
    return {
        "simulated": True,
        "interval_method": INTERVAL_METHOD,
        "training": _patients(training, fitted_on[0][0]),
        "unseen": _patients(unseen, measured_on[0][0]),
        "settings": vars(settings),
        "lead_sets": found,
    }


def _patients(sources: Sequence[SimulatedSource], data: ScorerPairs) -> dict[str, Any]:
    there = data.with_history
    return {
        "seeds": [source.seed for source in sources],
        "patients": sum(source.n_patients for source in sources),
        "follow_up_pairs": int(there.sum()),
        "cases": int(data.cases[there].sum()),
        "patients_with_follow_up": len({data.names[i] for i in np.flatnonzero(there)}),
        "counts": dict(data.counts),
    }


def _lead_set(
    family: tuple[InstalledFamily, FamilyCard],
    training: ScorerPairs,
    unseen: tuple[ScorerPairs, Floats],
    settings: HistorySettings,
) -> dict[str, Any]:
    row, card = family
    fitted = fit_scorer_history(training, settings)
    data, logits = unseen
    table = table_of_fit(data, fitted.fit.term, fitted.variant)
    own = [variant.variant for variant in card.variants].index(RECALIBRATED)
    histories = [one.histories[RECALIBRATED] for one in data.rows]
    term = load_history_terms(row.weights_path)[RECALIBRATED]
    held = _Unseen(
        data,
        data.with_history,
        table.scores[UNCALIBRATED],
        table.scores[RECALIBRATED],
        with_histories(logits[:, own], histories, term),
    )
    tables = evaluate_history(table)
    limits = {
        UNCALIBRATED: card.variant(UNCALIBRATED).youden.value,
        HISTORY_ONLY: fitted.variant.youden.value,
        RECALIBRATED: card.variant(RECALIBRATED).youden.value,
    }
    return {
        "family": card.family,
        "weights_sha256": card.weights_sha256,
        "fit": fitted.fit.log(),
        "thresholds": limits,
        "noise_floor_logit": fitted.variant.noise_floor_logit,
        "out_of_fold": _out_of_fold(fitted),
        "groups": {name: _group(held, held.of(name), limits) for name in GROUPS},
        "controls": tables["controls"],
        "subgroups": tables["follow_up"]["subgroups"],
        "curve": _curve(fitted, held),
    }


def _out_of_fold(fitted: FittedHistory) -> dict[str, Any]:
    later = fitted.result["follow_up"]
    return {
        "n": later["n"],
        "n_positive": later["n_positive"],
        "auroc": {
            UNCALIBRATED: later["auroc"][UNCALIBRATED],
            HISTORY_ONLY: later["auroc"][RECALIBRATED],
        },
    }


def _group(held: _Unseen, rows: Bools, limits: dict[str, float]) -> dict[str, Any]:
    y, scores = held.data.cases[rows], held.scores(rows)
    patients = np.array(held.data.names)[rows]
    drawn = resampled_aurocs(y, scores, patients, n_replicates=_N_REPLICATES)
    names = (UNCALIBRATED, HISTORY_ONLY, RECALIBRATED)
    accuracy = {}
    for name, score in zip(names, scores, strict=True):
        figures = accuracy_figures(y, score, np.full(y.size, limits[name]))
        accuracy[name] = {key: figures[key] for key in ("sensitivity", "specificity")}
    return {
        "n": int(y.size),
        "n_positive": int(y.sum()),
        "auroc": {name: auroc(y, score) for name, score in zip(names, scores, strict=True)},
        "accuracy": accuracy,
        "history_only_minus_uncalibrated": drawn.contrast((-1, 1, 0)),
        "recalibrated_minus_uncalibrated": drawn.contrast((-1, 0, 1)),
        "history_only_minus_recalibrated": drawn.contrast((0, 1, -1)),
        "delong": {
            "history_only_minus_uncalibrated": delong_test(y, scores[1], scores[0])._asdict(),
            "history_only_minus_recalibrated": delong_test(y, scores[1], scores[2])._asdict(),
        },
        "share_of_gain": _share(drawn),
    }


def _share(drawn: ResampledAurocs) -> Estimate:
    """Return (history only - uncalibrated) / (recalibrated - uncalibrated), over patients.

    NaN where the whole gain's own interval does not exclude zero: a share of nothing.
    """
    whole = drawn.contrast((-1, 0, 1))
    if not whole.low > 0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    first, second, third = drawn.replicates
    low, high = np.nanquantile((second - first) / (third - first), (0.025, 0.975))
    value = drawn.contrast((-1, 1, 0)).value / whole.value
    return Estimate(value, float(low), float(high))


def _curve(fitted: FittedHistory, held: _Unseen) -> list[dict[str, Any]]:
    """Fit on fewer and fewer patients; each smaller set lies within the larger ones."""
    examples = fitted.data.examples()
    order = {name: _place(name) for name in set(examples.patients.tolist())}
    place = np.array([order[name] for name in examples.patients.tolist()])
    sizes = [size for size in _CURVE if size < len(examples)] + [len(examples)]
    rows, y = held.of("all"), held.data.cases[held.of("all")]
    histories = [row.histories[RECALIBRATED] for row in held.data.rows]
    found = []
    for size in sizes:
        part = examples.take(place <= np.sort(place)[size - 1])  # whole patients
        try:
            whole = len(part) == len(examples)
            fit = fitted.fit if whole else fit_history(part, fitted.fit.settings)
        except InvalidValue:  # a fold without cases: so few patients say nothing
            continue
        score = with_histories(held.data.logits, histories, fit.term)[rows]
        found.append(
            {
                "pairs": len(part),
                "patients": len(np.unique(part.patients)),
                "cases": int(part.cases.sum()),
                "epochs": fit.epochs,
                "auroc": auroc_value(y, score),
            }
        )
    return found


def _place(name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"ecgdash-curve:{name}".encode()).digest()[:8], "big")
