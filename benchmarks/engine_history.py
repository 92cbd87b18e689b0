"""Times of a changed history: the score from stored logits, no ECG and no network.

The history is a real one: a sample patient is imported and scored by the shipped families, and the
latest ECG with a recalibrated score is asked what it would be with another LVEF.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.engine_clock import least_ms_of_many
from benchmarks.engine_figures import Measured
from ecgdash.domain import RECALIBRATED, History, VariantScore
from ecgdash.domain.timeline import RiskTimeline, TimelinePoint
from ecgdash.errors import NotFound
from ecgdash.inference import Engine
from ecgdash.inference.history import HistoryTerm, encode_history, score_with_history
from ecgdash.services.importing import import_paths
from ecgdash.services.monitoring import timeline
from ecgdash.services.scoring import load_engines, score_patients
from ecgdash.services.what_if import stored_base_logits, what_if, with_lvef
from ecgdash.settings import Settings
from ecgdash.store import Store, open_store

SUPPOSED_LVEF_PERCENT = 31.0


@dataclass(frozen=True)
class Asked:
    """The ECG whose history is changed, in its store.

    Attributes
    ----------
    lvef_percent : tuple of float
        Supposed, one an observed slot.
    """

    store: Store
    patient_key: str
    point: TimelinePoint
    stored: VariantScore
    lvef_percent: tuple[float, ...]

    @property
    def history(self) -> History:
        """The supposed history."""
        assert self.stored.history is not None
        return with_lvef(self.stored.history, self.lvef_percent)


def rescoring(deep: Engine, folder: Path, full_ms: float) -> dict[str, Measured]:
    """Time the ways to a new history's score.

    Parameters
    ----------
    deep : Engine
        Of depth 152; its recalibrated term is the one that is timed.
    folder : Path
        For a store, which is left there.
    full_ms : float
        What the engine takes to score an ECG at depth 152, preprocessing included.
    """
    store = open_store(f"sqlite:///{folder / 'history.db'}")
    try:
        return _time(_sample_ecg(store), deep.history_terms[RECALIBRATED], full_ms)
    finally:
        store.close()


def _time(asked: Asked, term: HistoryTerm, full_ms: float) -> dict[str, Measured]:
    history, lvef = asked.history, asked.lvef_percent

    def read() -> tuple[float, ...]:
        return stored_base_logits(asked.store, asked.patient_key, asked.point, RECALIBRATED)

    base = read()
    ms = {
        "products": least_ms_of_many(_bare_products(term, history)),
        "term": least_ms_of_many(lambda: score_with_history(term, base, history)),
        "page": least_ms_of_many(lambda: what_if(base, term, asked.stored, lvef)),
        "store": least_ms_of_many(lambda: what_if(read(), term, asked.stored, lvef), calls=30),
    }
    return {
        "rescore.term": _microseconds(ms["term"], ms["products"]),
        "rescore.page": _microseconds(ms["page"], ms["term"]),
        "rescore.store": _microseconds(ms["store"], ms["page"]),
        "rescore.share": Measured(full_ms / ms["term"]),
        "rescore.store_share": Measured(full_ms / ms["store"]),
    }


def _microseconds(value_ms: float, floor_ms: float) -> Measured:
    return Measured(1000 * value_ms, 1000 * floor_ms)


def _bare_products(term: HistoryTerm, history: History) -> Callable[[], object]:
    vector = encode_history(history, term.variant)[np.newaxis]

    def products() -> object:
        hidden = np.einsum("ni,hi->nh", vector, term.hidden_weight)
        return np.einsum("nh,h->n", hidden, term.out_weight)

    return products


def _sample_ecg(store: Store) -> Asked:
    """Return the sample data's first patient with a recalibrated score, imported and scored."""
    settings = Settings(database_url="sqlite://", device="cpu")
    engines = load_engines(settings)
    cards = [engine.card for engine in engines]
    for place in sorted((settings.sample_dir / "ecgs").iterdir()):
        import_paths(
            store, [place], settings=settings, echo=settings.sample_dir / "echo.csv",
            site="SIM", simulated=True, jobs=1,
        )  # fmt: skip
        score_patients(store, engines)
        found = _latest_recalibrated(store, timeline(store, f"SIM/{place.name}", cards))
        if found is not None:
            return found
    raise NotFound("no sample patient has a recalibrated score")


def _latest_recalibrated(store: Store, course: RiskTimeline) -> Asked | None:
    for point in reversed(course.points):
        stored = point.scores.get(RECALIBRATED)
        if isinstance(stored, VariantScore) and stored.history is not None:
            n_observed = sum(not slot.imputed for slot in stored.history.slots)
            lvef = (SUPPOSED_LVEF_PERCENT,) * n_observed
            return Asked(store, course.key, point, stored, lvef)
    return None
