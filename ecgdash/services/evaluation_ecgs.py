"""What an evaluation needs of every simulated ECG: base logits, gate, subgroups.

Works batch by batch, so that memory does not grow with the waveforms, in one
process or several. The waveform of an ECG and its score do not depend on the
batch, hence not on the number of processes either.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ecgdash.services.evaluation_pairs import SUBGROUP_KEYS, Bools, Floats
from ecgdash.simulate.cohort import EcgBatch, SimulatedCohort

if TYPE_CHECKING:
    from ecgdash.services.evaluation_simulated import SimulatedSource

__all__ = ["EcgPart", "EcgScores", "EcgWork", "score_ecgs"]

_CHUNK = 256
_SAMPLING_HZ = 250.0
_CACHE_VERSION = 2


@dataclass(frozen=True, eq=False)
class EcgPart:
    """Results for one batch of ECGs.

    Attributes
    ----------
    index : ndarray of int, shape (b,)
        Rows of the cohort.
    base_logits : ndarray, shape (b, n_variants, n_crops)
    analysable : ndarray of bool, shape (b,)
    members : ndarray of bool, shape (b, len(SUBGROUP_KEYS))
    """

    index: np.ndarray
    base_logits: Floats
    analysable: Bools
    members: Bools


@dataclass(frozen=True, eq=False)
class EcgScores:
    """Results for a whole cohort; rows that were not asked for are NaN and False."""

    base_logits: Floats
    analysable: Bools
    members: Bools


class EcgWork(Protocol):
    """What is done with a batch of ECGs; an instance goes to worker processes."""

    @property
    def key(self) -> str:
        """Changes with everything that changes the results (weights, preprocessing)."""

    def analyse(self, batch: EcgBatch, cohort: SimulatedCohort) -> EcgPart:
        """Return the results of one batch."""


def score_ecgs(
    source: "SimulatedSource",
    cohort: SimulatedCohort,
    which: Bools,
    work: EcgWork,
    on_progress: Callable[[str], None],
) -> EcgScores:
    """Analyse the ECGs that are wanted, or read them from the cache.

    Parameters
    ----------
    source : SimulatedSource
        What the cohort was made from; workers make it again.
    cohort : SimulatedCohort
    which : ndarray of bool, shape (n_ecgs,)
    work : EcgWork
    on_progress : callable
    """
    cached = _cache_file(source, work)
    if cached is not None and cached.is_file():
        on_progress("scores of ECGs read from the cache")
        with np.load(cached) as held:
            return EcgScores(held["base_logits"], held["analysable"], held["members"])
    found = _collect(source, cohort, which, work, on_progress)
    if cached is not None:
        cached.parent.mkdir(parents=True, exist_ok=True)
        # The file appears whole or not at all: a killed run leaves no half cache.
        part = cached.with_suffix(".part.npz")
        np.savez_compressed(part, **vars(found))
        part.replace(cached)
    return found


def _collect(
    source: "SimulatedSource",
    cohort: SimulatedCohort,
    which: Bools,
    work: EcgWork,
    on_progress: Callable[[str], None],
) -> EcgScores:
    rows = np.flatnonzero(which)
    chunks = [rows[start : start + _CHUNK] for start in range(0, rows.size, _CHUNK)]
    n, started, done = cohort.n_ecgs, monotonic(), 0
    logits: Floats | None = None
    analysable = np.zeros(n, dtype=bool)
    members = np.zeros((n, len(SUBGROUP_KEYS)), dtype=bool)
    for part in _parts(source, cohort, chunks, work):
        if logits is None:
            logits = np.full((n, *part.base_logits.shape[1:]), np.nan)
        logits[part.index] = part.base_logits
        analysable[part.index] = part.analysable
        members[part.index] = part.members
        done += part.index.size
        speed = done / max(monotonic() - started, 1e-9)
        on_progress(f"{done} of {rows.size} ECGs, {speed:.0f} a second")
    if logits is None:
        logits = np.full((n, 1, 1), np.nan)
    return EcgScores(logits, analysable, members)


def _parts(
    source: "SimulatedSource",
    cohort: SimulatedCohort,
    chunks: list[np.ndarray],
    work: EcgWork,
) -> Iterator[EcgPart]:
    if source.workers <= 1 or len(chunks) < 2:
        for rows in chunks:
            yield _analysed(cohort, rows, work)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    recipe = replace(source, cache_dir=None)
    # A worker that dies ends this executor with an error; a multiprocessing.Pool waits for ever.
    with ProcessPoolExecutor(
        source.workers, get_context("spawn"), _start_worker, (recipe, work)
    ) as pool:
        yield from pool.map(_in_worker, chunks)


_WORKER: dict[str, Any] = {}


def _start_worker(source: "SimulatedSource", work: EcgWork) -> None:
    _WORKER["cohort"] = source.cohort()
    _WORKER["work"] = work


def _in_worker(rows: np.ndarray) -> EcgPart:
    return _analysed(_WORKER["cohort"], rows, _WORKER["work"])


def _analysed(cohort: SimulatedCohort, rows: np.ndarray, work: EcgWork) -> EcgPart:
    batch = next(iter(cohort.iter_ecgs(rows.size, _SAMPLING_HZ, rows)))
    return work.analyse(batch, cohort)


def _cache_file(source: "SimulatedSource", work: EcgWork) -> Path | None:
    if source.cache_dir is None:
        return None
    recipe = json.dumps(
        [
            _CACHE_VERSION,
            source.n_patients,
            source.seed,
            source.site,
            sorted(source.enrich.items()),
            work.key,
        ]
    )
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:16]
    return source.cache_dir / f"ecg_scores_{source.seed}_{digest}.npz"
