"""The table that every evaluation works on: one row per pair, whatever its source."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import UNCALIBRATED
from ecgdash.errors import InvalidValue
from ecgdash.labels.subgroups import SUBGROUP_KEYS

__all__ = [
    "LVSD_LABEL",
    "LVSD_PERCENT",
    "MASKED_PAIRS",
    "SUBGROUP_KEYS",
    "PairTable",
    "cases_of",
    "pooled",
]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
T = TypeVar("T", bound=np.generic)

LVSD_PERCENT = 40.0
"""A case is an LVEF at or below this (paper 000, 'Definition of Key Variables')."""

LVSD_LABEL: Final = f"LVEF <= {LVSD_PERCENT:g} %"
"""That label in words, as cards state it."""

_LABEL: Final = re.compile(r"LVEF (<=|<) (\d+(?:\.\d+)?) %")

MASKED_PAIRS = "masked_pairs"
"""The masked variant with a history of earlier pairs only, which is the paper's rule."""


@dataclass(frozen=True, eq=False)
class PairTable:
    """Pairs of echo and ECG with the scores of one family.

    Attributes
    ----------
    data : str
        What the rows are, in words a report can print.
    patient : ndarray, shape (n,)
        Whose pair it is; distinct across the whole table.
    follow_up : ndarray of bool, shape (n,)
        False: the patient's first pair.
    lvef_percent : ndarray of float, shape (n,)
        Measured by the pair's echo: the label, never an input.
    scores : mapping of str to ndarray, shape (n,)
        By variant, in [0, 1]; NaN where the variant is not applicable.
    thresholds : mapping of str to ndarray, shape (n,)
        By variant; NaN where none is known.
    origins : mapping of str to str
        By variant: where the threshold comes from.
    subgroups : mapping of str to ndarray of bool, shape (n,)
        False means "no flag", which is not "absent".
    controls : mapping of str to ndarray, shape (n,)
        Scores of the controls; only their ranks count.
    n_patients : int
        Of the source, those without a pair included.
    counts : mapping of str to int
        What was read and what was left out.
    enriched_as : ndarray of str, shape (n,)
        Subgroup key a patient was added for, "" for the plain cohort. Added
        patients count in the row of their own subgroup and nowhere else.
    label : str
        The family's label definition: which measured LVEF makes a case.
    """

    data: str
    patient: NDArray[np.generic]
    follow_up: Bools
    lvef_percent: Floats
    scores: Mapping[str, Floats]
    thresholds: Mapping[str, Floats]
    n_patients: int
    origins: Mapping[str, str] = field(default_factory=dict)
    subgroups: Mapping[str, Bools] = field(default_factory=dict)
    controls: Mapping[str, Floats] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    family: str | None = None
    simulated: bool = False
    enriched_as: NDArray[np.str_] | None = None
    label: str = LVSD_LABEL

    @property
    def added_for(self) -> NDArray[np.str_]:
        """Subgroup key each row was added for; "" for the plain cohort."""
        plain = np.full(self.patient.shape, "", dtype=str)
        return plain if self.enriched_as is None else self.enriched_as

    @property
    def positive(self) -> Bools:
        """Cases by the label; unless another one is stated, LVEF <= 40 %."""
        return cases_of(self.label, self.lvef_percent)

    @property
    def variants(self) -> tuple[str, ...]:
        """Variants with at least one score."""
        return tuple(name for name, score in self.scores.items() if not np.isnan(score).all())

    @property
    def baseline_rows(self) -> Bools:
        """First pairs with an uncalibrated score, added patients included."""
        return ~self.follow_up & ~np.isnan(self.scores[UNCALIBRATED])

    @property
    def follow_up_rows(self) -> Bools:
        """Later pairs that every variant has scored, so that all are compared on the same ECGs.

        Added patients included.
        """
        applicable = [~np.isnan(self.scores[name]) for name in self.variants]
        rows: Bools = self.follow_up & np.logical_and.reduce(applicable)
        return rows


def cases_of(label: str, lvef_percent: Floats) -> Bools:
    """Return which measured LVEFs are cases by a label definition.

    Parameters
    ----------
    label : str
        "LVEF <= 40 %", or with "<" or another number.
    lvef_percent : ndarray, shape (n,)

    Raises
    ------
    InvalidValue
        If the label is not one of an LVEF measured at the time of the ECG.
    """
    found = _LABEL.fullmatch(label)
    if found is None:
        raise InvalidValue(
            f"no measured LVEF can say who is a case by the label {label!r}",
            accepted="Accepted: 'LVEF <= N %' or 'LVEF < N %'",
        )
    limit = float(found[2])
    cases: Bools = lvef_percent <= limit if found[1] == "<=" else lvef_percent < limit
    return cases


def pooled(tables: Sequence[PairTable]) -> PairTable:
    """Return the rows of several tables of one family as one; patients stay distinct."""
    first = tables[0]
    if len(tables) == 1:
        return first
    return PairTable(
        data=first.data,
        patient=np.concatenate(
            [np.char.add(f"{i}:", t.patient.astype(str)) for i, t in enumerate(tables)]
        ),
        follow_up=np.concatenate([t.follow_up for t in tables]),
        lvef_percent=np.concatenate([t.lvef_percent for t in tables]),
        scores=_joined([t.scores for t in tables]),
        thresholds=_joined([t.thresholds for t in tables]),
        n_patients=sum(t.n_patients for t in tables),
        origins=first.origins,
        subgroups=_joined([t.subgroups for t in tables]),
        controls=_joined([t.controls for t in tables]),
        counts={key: sum(t.counts.get(key, 0) for t in tables) for key in first.counts},
        seeds=tuple(seed for t in tables for seed in t.seeds),
        family=first.family,
        simulated=first.simulated,
        enriched_as=np.concatenate([t.added_for for t in tables]),
        label=first.label,
    )


def _joined(parts: Sequence[Mapping[str, NDArray[T]]]) -> dict[str, NDArray[T]]:
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
