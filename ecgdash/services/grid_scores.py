"""Scores of every cell of the grid on the same simulated ECGs, and their tables of pairs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from ecgdash import __version__
from ecgdash.domain import CANONICAL_LEADS, LEADS_OF_SET, MASKED, UNCALIBRATED, FamilyCard
from ecgdash.domain.leads import LeadSet
from ecgdash.inference.history import HistoryTerm, load_history_terms, mean_score
from ecgdash.inference.manifest import find_family, load_card, sha256_of_file, verify_family
from ecgdash.services.evaluation_ecgs import EcgPart, score_ecgs
from ecgdash.services.evaluation_family import judged
from ecgdash.services.evaluation_histories import PairRow, Subject, pair_rows, with_histories
from ecgdash.services.evaluation_pairs import (
    MASKED_PAIRS,
    SUBGROUP_KEYS,
    Bools,
    Floats,
    PairTable,
)
from ecgdash.services.evaluation_simulated import (
    SimulatedSource,
    needed_ecgs,
    subject_of,
    table_of_rows,
)
from ecgdash.signal.preprocess import PREPROCESSING_VERSION
from ecgdash.simulate.cohort import EcgBatch, SimulatedCohort
from ecgdash.training.grid_nets import CONTROLS, GridNet, control_thresholds, family_logits

__all__ = ["GridFamily", "GridTable", "grid_families", "grid_tables"]

_SAMPLING_HZ: Final = 250.0
_FAMILY: Final = "family"


@dataclass(frozen=True, eq=False)
class GridFamily:
    """The installed family of one lead set and the cells beside it.

    Attributes
    ----------
    net, pairs_net : GridNet
        The family's weights, and the network that was trained on histories of pairs only (the
        study's own masked rule).
    controls : tuple of GridNet
        Cells without history that no family ships.
    thresholds : mapping of str to float
        Youden thresholds of the controls; the family's stand on its card.
    """

    card: FamilyCard
    terms: Mapping[str, HistoryTerm]
    net: GridNet
    pairs_net: GridNet
    controls: tuple[GridNet, ...]
    thresholds: Mapping[str, float]

    @property
    def lead_set(self) -> LeadSet:
        """Of the family and its cells."""
        return self.card.lead_set


@dataclass(frozen=True, eq=False)
class GridTable:
    """Pairs of one lead set with the family's scores, and with the cells' beside them.

    Attributes
    ----------
    pairs : PairTable
        Its "masked_pairs" are by the network that was trained on that rule.
    cells : mapping of str to ndarray, shape (n,)
        Scores of the controls without history, of baseline pairs; NaN elsewhere.
    thresholds : mapping of str to float
        Of the controls.
    """

    pairs: PairTable
    cells: Mapping[str, Floats]
    thresholds: Mapping[str, float]


def grid_families(
    names: Mapping[LeadSet, str], work: Path, data: Path, models_dir: Path
) -> tuple[GridFamily, ...]:
    """Load cards, history terms and cells, and choose the controls' thresholds.

    Parameters
    ----------
    names : mapping of str to str
        Lead set to installed family.
    work, data : Path
        Checkpoints and prepared shards, as `train grid` left them.
    models_dir : Path

    Raises
    ------
    WeightsMissing
        If a family is not installed or a cell not trained.
    """
    found = []
    for lead_set, name in names.items():
        row = find_family(name, models_dir)
        verify_family(row)
        card = load_card(row)[0]
        arch = card.architecture
        controls = tuple(GridNet.of(work, lead_set, cell, arch) for cell in CONTROLS)
        found.append(
            GridFamily(
                card,
                load_history_terms(row.weights_path),
                GridNet(lead_set, _FAMILY, row.weights_path, arch),
                GridNet.of(work, lead_set, MASKED_PAIRS, arch),
                controls,
                control_thresholds(data / "baseline", controls),
            )
        )
    return tuple(found)


@dataclass(frozen=True)
class JudgedWork:
    """Judges ECGs by gate and flags, and scores nothing; the same for every network."""

    @property
    def key(self) -> str:
        """No weights decide here, only the rules of this version."""
        return f"judged/{__version__}"

    def analyse(self, batch: EcgBatch, cohort: SimulatedCohort) -> EcgPart:
        """Judge one batch."""
        analysable, members = judged(batch, cohort)
        return EcgPart(batch.index, np.empty((len(batch.index), 0, 3)), analysable, members)


@dataclass(frozen=True)
class NetsWork:
    """Scores ECGs by some networks of one lead set, and judges nothing.

    Attributes
    ----------
    nets : tuple of GridNet
        The family and its "masked_pairs", or controls.
    """

    nets: tuple[GridNet, ...]

    @property
    def key(self) -> str:
        """All weights, and preprocessing."""
        told = [sha256_of_file(net.path) for net in self.nets]
        return f"grid/{PREPROCESSING_VERSION}/{'/'.join(told)}"

    def analyse(self, batch: EcgBatch, cohort: SimulatedCohort) -> EcgPart:
        """Score one batch."""
        from ecgdash.signal.preprocess import preprocess_batch

        leads = LEADS_OF_SET[self.nets[0].lead_set]
        rows = [CANONICAL_LEADS.index(name) for name in leads]
        crops = preprocess_batch(batch.signal_mv[:, rows], _SAMPLING_HZ)
        if self.nets[0].cell == _FAMILY:
            logits = family_logits(self.nets[0], self.nets[1], crops)
        else:
            logits = np.stack([net.base_logits(crops) for net in self.nets], axis=1)
        nothing = np.zeros(len(batch.index), bool)
        unknown = np.zeros((len(batch.index), len(SUBGROUP_KEYS)), bool)
        return EcgPart(batch.index, logits, nothing, unknown)


def grid_tables(
    source: SimulatedSource,
    families: Sequence[GridFamily],
    on_progress: Callable[[str], None],
) -> dict[LeadSet, GridTable]:
    """Simulate the patients of one seed and return each lead set's pairs, the same ones.

    Every ECG is judged once. Families score the ECGs that pairs and their histories use, controls
    those of the baseline pairs.

    Parameters
    ----------
    source : SimulatedSource
    families : sequence of GridFamily
    on_progress : callable
        Told sentences.
    """
    cohort = source.cohort()
    needed = needed_ecgs(cohort)
    ecgs = score_ecgs(source, cohort, needed, JudgedWork(), _told(on_progress, "judged"))
    usable = needed & ecgs.analysable
    subjects = [subject_of(cohort, i, usable) for i in range(cohort.n_patients)]
    # Which ECGs pairs and histories use depends on times alone, not on scores.
    rows = pair_rows(subjects, {f"e{i}": 0.5 for i in np.flatnonzero(usable)})
    used, first = _marked(cohort.n_ecgs, _used(rows)), _marked(cohort.n_ecgs, _baseline(rows))
    counts = {
        "ecgs_judged": int(needed.sum()),
        "ecgs_withheld_by_the_gate": int((needed & ~ecgs.analysable).sum()),
        "ecgs_scored": int(used.sum()),
    }
    found: dict[LeadSet, GridTable] = {}
    for family in families:
        tell = _told(on_progress, f"lead set {family.lead_set}")
        own = score_ecgs(source, cohort, used, NetsWork((family.net, family.pairs_net)), tell)
        beside = score_ecgs(source, cohort, first, NetsWork(family.controls), tell)
        found[family.lead_set] = _table(
            cohort, subjects, ecgs.members, family, (own.base_logits, beside.base_logits), counts
        )
    return found


def _told(tell: Callable[[str], None], what: str) -> Callable[[str], None]:
    return lambda text: tell(f"{what}: {text}")


def _used(rows: Sequence[PairRow]) -> set[str]:
    histories = [history for row in rows for history in row.histories.values() if history]
    slots = {slot.ecg for history in histories for slot in history.slots}
    return slots | {row.ecg for row in rows}


def _baseline(rows: Sequence[PairRow]) -> set[str]:
    return {row.ecg for row in rows if not row.follow_up}


def _marked(n: int, keys: set[str]) -> Bools:
    out = np.zeros(n, dtype=bool)
    out[[int(key[1:]) for key in keys]] = True
    return out


def _table(
    cohort: SimulatedCohort,
    subjects: Sequence[Subject],
    members: Bools,
    family: GridFamily,
    logits: tuple[Floats, Floats],
    counts: Mapping[str, int],
) -> GridTable:
    """Form the pairs again with this family's scores in their histories."""
    own, beside = logits
    card = family.card
    plain = [variant.variant for variant in card.variants].index(UNCALIBRATED)
    scored = np.flatnonzero(~np.isnan(own[:, plain, 0]))
    uncalibrated = mean_score(own[scored, plain])
    rows = pair_rows(
        subjects, {f"e{i}": float(x) for i, x in zip(scored, uncalibrated, strict=True)}
    )
    index = np.array([int(row.ecg[1:]) for row in rows], dtype=np.int64)
    pairs = table_of_rows(
        rows, own[index, : len(card.variants)], members[index], (card, family.terms), cohort.seed
    )
    histories = [row.histories[MASKED_PAIRS] for row in rows]
    by_own_net = with_histories(own[index, -1], histories, _terms(family.pairs_net.path)[MASKED])
    unknown = np.full(len(rows), np.nan)  # no threshold was chosen for that network
    whole = replace(
        pairs,
        scores={**pairs.scores, MASKED_PAIRS: by_own_net},
        thresholds={**pairs.thresholds, MASKED_PAIRS: unknown},
        seeds=(cohort.seed,),
        simulated=True,
        n_patients=int((cohort.enriched_as == "").sum()),
        counts=counts,
    )
    cells = {net.cell: mean_score(beside[index, i]) for i, net in enumerate(family.controls)}
    return GridTable(whole, cells, family.thresholds)


@lru_cache(maxsize=4)
def _terms(path: Path) -> Mapping[str, HistoryTerm]:
    return load_history_terms(path)
