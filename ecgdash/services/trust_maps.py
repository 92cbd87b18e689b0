"""Lead-by-wave maps over many ECGs: signed and absolute means."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from ecgdash.domain import TimelinePoint
from ecgdash.domain.attribution import WaveTable
from ecgdash.domain.trust import CohortMap
from ecgdash.errors import InputDoesNotFitModel, InvalidValue, NotFound
from ecgdash.services.evaluation_pairs import SUBGROUP_KEYS
from ecgdash.services.monitoring import timeline
from ecgdash.store import Store

if TYPE_CHECKING:
    from ecgdash.inference import Engine

__all__ = ["LOW_LVEF", "cohort_map", "mean_map"]

LOW_LVEF: Final = "LVEF<=40"
"""Key of the map over ECGs whose paired echo says so; not a subgroup by flags."""


def mean_map(tables: Sequence[WaveTable]) -> CohortMap:
    """Return the signed and the absolute mean of ECGs' lead-by-wave tables.

    Parameters
    ----------
    tables : sequence of WaveTable
        Of the same leads, at least one.
    """
    values = np.stack([table.values for table in tables])
    leads = tables[0].leads
    return CohortMap(
        len(tables),
        WaveTable(leads, values.mean(axis=0)),
        WaveTable(leads, np.abs(values).mean(axis=0)),
    )


def cohort_map(
    store: Store,
    engine: "Engine",
    variant: str,
    flag: str | None = None,
    limit: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> CohortMap:
    """Average what moved a variant's score over the ECGs of a store, against a flat line.

    Parameters
    ----------
    store : Store
        Keeps each ECG's attribution, so that a second call is fast.
    engine : Engine
    variant : str
    flag : str, optional
        Subgroup key; only ECGs that are in it. All analysable ECGs by default.
    limit : int, optional
        At most so many ECGs, in the store's order of patients and in time.
    on_progress : callable, optional
        Told ECGs done and in all.

    Raises
    ------
    InvalidValue
        If the subgroup or the variant is not known.
    NotFound
        If the store holds no such ECG that the family can read.
    """
    from ecgdash.services.attributions import attribute

    if flag is not None and flag not in SUBGROUP_KEYS:
        raise InvalidValue(
            f"no subgroup {flag!r}", accepted=f"Accepted: {', '.join(SUBGROUP_KEYS)}"
        )
    keys = _wanted(store, engine, flag, limit)
    tables = []
    for done, key in enumerate(keys, start=1):
        try:
            tables.append(attribute(store, engine, key, variant).waves)
        except InputDoesNotFitModel:  # it lacks leads of this family
            pass
        if on_progress is not None:
            on_progress(done, len(keys))
    if not tables:
        raise NotFound(
            f"the store holds no analysable ECG{f' in {flag}' if flag else ''} to explain",
            todo="Import ECGs with 'python -m ecgdash import', or name another subgroup",
        )
    return mean_map(tables)


def _wanted(store: Store, engine: "Engine", flag: str | None, limit: int | None) -> list[str]:
    found: list[str] = []
    for patient_key in store.patient_keys():
        course = timeline(store, patient_key, [engine.card])
        ages = {ecg.key: ecg.age_years for ecg in store.ecgs_of(patient_key)}
        for point in (*course.points, *course.undated):
            if point.status != "analysable":
                continue
            if flag in (None, "all") or flag in _groups(
                point, ages.get(point.ecg), course.patient.sex
            ):
                found.append(point.ecg)
                if limit is not None and len(found) == limit:
                    return found
    return found


def _groups(point: TimelinePoint, age_years: float | None, sex: str | None) -> frozenset[str]:
    from ecgdash.labels.subgroups import subgroups_of

    return frozenset(subgroups_of(point.flags, age_years, sex))
