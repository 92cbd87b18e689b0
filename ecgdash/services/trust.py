"""How far a family's maps can be trusted, measured on simulated ECGs; and maps over a store."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.domain.attribution import WAVE_COLUMNS, WaveTable
from ecgdash.domain.trust import CohortMap, FamilyTrust
from ecgdash.errors import EcgDashError, InvalidValue
from ecgdash.services.trust_maps import LOW_LVEF, cohort_map, mean_map
from ecgdash.services.trust_outcomes import outcomes
from ecgdash.services.trust_sample import (
    ADDED_GROUPS,
    MAP_GROUPS,
    SIMULATED_HZ,
    TrustEcg,
    TrustSample,
    trust_sample,
)

if TYPE_CHECKING:
    from ecgdash.explain.deeplift import CropAttribution
    from ecgdash.explain.rollup import RolledUp
    from ecgdash.inference import Engine
    from ecgdash.nets.family import FamilyNet
    from ecgdash.signal.beat_table import BeatTable

__all__ = ["DEFAULT_ECGS", "DEFAULT_SEED", "cohort_map", "measure_trust"]

Progress = Callable[[str], None]
Floats = NDArray[np.float64]

DEFAULT_ECGS: Final = 120
DEFAULT_SEED: Final = 5001
SHUFFLES: Final = (1, 2, 3)
"""Seeds of the shuffled weights; the mean over them is one ECG's figure."""
_TOLD_EVERY: Final = 20


@dataclass(eq=False)
class _Found:
    """What one variant's maps gave, ECG by ECG; NaN where a figure is not defined."""

    figures: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    waves: list[WaveTable] = field(default_factory=list)
    bins: list[Floats] = field(default_factory=list)


def measure_trust(
    engine: "Engine",
    n_ecgs: int = DEFAULT_ECGS,
    seed: int = DEFAULT_SEED,
    on_progress: Progress | None = None,
) -> FamilyTrust:
    """Check a family's maps on simulated ECGs, by the marks of `ecgdash.domain.trust`.

    Parameters
    ----------
    engine : Engine
        On the CPU.
    n_ecgs : int
        At least 4.
    seed : int
        Of the simulated patients, and of what is drawn at random.
    on_progress : callable, optional
        Told sentences.

    Raises
    ------
    InvalidValue
        If too few ECGs are asked for, or the simulation does not give as many.
    """
    if n_ecgs < 4:
        raise InvalidValue(f"cannot check maps on {n_ecgs} ECGs", accepted="Accepted: 4 or more")
    tell = on_progress or (lambda _: None)
    sample = trust_sample(n_ecgs, seed, tell)
    found = {variant: _Found() for variant in engine.variants}
    beats = _beats(sample.ecgs)
    rng = np.random.default_rng(seed)
    for i, ecg in enumerate(sample.ecgs):
        _check_ecg(engine, ecg, beats[i], found, rng)
        if (i + 1) % _TOLD_EVERY == 0:
            tell(f"{i + 1} of {len(sample.ecgs)} ECGs explained")
    checked = [i for i, ecg in enumerate(sample.ecgs) if ecg.checked]
    _check_shuffled(engine, sample, checked, beats, found, tell)
    cause = _check_pointing(engine, sample, beats, found)
    return FamilyTrust(
        family=engine.card.family,
        weights_sha256=engine.card.weights_sha256,
        data=sample.data,
        seed=seed,
        simulated=True,
        checks={name: outcomes(one.figures) for name, one in found.items()},
        maps={name: _maps(sample, one.waves) for name, one in found.items()},
        cause=cause,
    )


def _beats(ecgs: Sequence[TrustEcg]) -> "list[BeatTable]":
    from ecgdash.signal.measure_beats import measure_beats

    return [measure_beats(ecg.record) for ecg in ecgs]


def _check_ecg(
    engine: "Engine",
    ecg: TrustEcg,
    beats: "BeatTable",
    found: Mapping[str, _Found],
    rng: np.random.Generator,
) -> None:
    """Explain one ECG against the flat line; add what needs no other network."""
    from ecgdash.explain.deeplift import explain_crops
    from ecgdash.explain.trust import deletion

    crops = engine.crops(ecg.record)
    maps = {name: explain_crops(engine.net, crops, name) for name in found}
    for name, one in found.items():
        rolled = _rolled(engine, ecg, maps[name].values, beats)
        one.waves.append(rolled.waves)
        one.bins.append(rolled.bins)
    if not ecg.checked:
        return
    fallen = deletion(engine, crops, {name: map_.values for name, map_ in maps.items()}, rng)
    compared = _earlier_crops(engine, ecg)
    for name, one in found.items():
        _add_figures(engine, ecg, crops, (name, maps[name]), one.figures)
        one.figures["gap"].append(_relative_gap(maps[name]))
        if compared is not None:
            earlier = explain_crops(engine.net, crops, name, compared)
            one.figures["gap_earlier"].append(_relative_gap(earlier))
        for part in ("top", "amplitude", "random"):
            one.figures[part].append(getattr(fallen[name], part))


def _relative_gap(map_: "CropAttribution") -> float:
    from ecgdash.explain.trust import relative_gap

    return relative_gap(map_.gap, map_.logits, map_.reference_logits)


def _earlier_crops(engine: "Engine", ecg: TrustEcg) -> NDArray[np.float32] | None:
    """Return the patient's earlier ECG as reference; None where there is none to align."""
    from ecgdash.explain.reference import earlier_crops

    if ecg.earlier is None:
        return None
    try:
        return earlier_crops(ecg.record, ecg.earlier, engine.leads)
    except EcgDashError:
        return None


def _add_figures(
    engine: "Engine",
    ecg: TrustEcg,
    crops: NDArray[np.float32],
    map_of: "tuple[str, CropAttribution]",
    figures: dict[str, list[float]],
) -> None:
    from ecgdash.explain.gradcam import grad_cam, samples_per_step
    from ecgdash.explain.rollup import crop_times_s
    from ecgdash.explain.trust import agreement, crop_stability
    from ecgdash.signal.window import scored_window

    variant, map_ = map_of
    window = scored_window(ecg.record.signal_mv, ecg.record.sampling_hz)
    starts = crop_times_s(window, map_.values.shape[-1])[:, 0]
    figures["crops"].append(crop_stability(map_.values, starts))
    for block in (4, 3):
        courses = grad_cam(engine.net, crops, variant, block)
        rho = agreement(map_.values, courses, samples_per_step(engine.net, block))
        figures[f"block {block}"].append(rho)


def _rolled(
    engine: "Engine", ecg: TrustEcg, values: NDArray[np.floating], beats: "BeatTable"
) -> "RolledUp":
    from ecgdash.explain.rollup import roll_up
    from ecgdash.signal.window import scored_window

    window = scored_window(ecg.record.signal_mv, ecg.record.sampling_hz)
    return roll_up(values, engine.leads, window, beats)


def _check_shuffled(
    engine: "Engine",
    sample: TrustSample,
    checked: Sequence[int],
    beats: "Sequence[BeatTable]",
    found: Mapping[str, _Found],
    tell: Progress,
) -> None:
    """Add each ECG's rank correlation with the maps of shuffled networks, the mean over seeds."""
    from ecgdash.explain.trust_shuffle import shuffled

    crops = [engine.crops(sample.ecgs[i].record) for i in checked]
    signed: dict[str, list[list[float]]] = {name: [] for name in found}
    sizes: dict[str, list[list[float]]] = {name: [] for name in found}
    for seed in SHUFFLES:
        net = shuffled(engine.net, np.concatenate(crops), seed)
        tell(f"weights shuffled, {seed} of {len(SHUFFLES)}")
        for name, one in found.items():
            both = [
                _shuffled_ecg(engine, net, name, (sample.ecgs[i], crop, beats[i], one.bins[i]))
                for i, crop in zip(checked, crops, strict=True)
            ]
            signed[name].append([a for a, _ in both])
            sizes[name].append([b for _, b in both])
    for name, one in found.items():
        one.figures["shuffled"] = np.mean(signed[name], axis=0).tolist()
        one.figures["shuffled sizes"] = np.mean(sizes[name], axis=0).tolist()


def _shuffled_ecg(
    engine: "Engine",
    net: "FamilyNet",
    variant: str,
    ecg: tuple[TrustEcg, NDArray[np.float32], "BeatTable", Floats],
) -> tuple[float, float]:
    from ecgdash.explain.deeplift import explain_crops
    from ecgdash.stats.ranks import rank_correlation

    one, crops, beats, bins = ecg
    other = _rolled(engine, one, explain_crops(net, crops, variant).values, beats).bins
    return rank_correlation(bins, other), rank_correlation(np.abs(bins), np.abs(other))


def _check_pointing(
    engine: "Engine",
    sample: TrustSample,
    beats: "Sequence[BeatTable]",
    found: Mapping[str, _Found],
) -> WaveTable:
    """Compare maps with what remodelling changed; return its mean by lead and wave, mV s."""
    from ecgdash.explain.trust import pointing

    places = [i for i, ecg in enumerate(sample.ecgs) if ecg.checked and ecg.low]
    causes = _causes(engine, sample, places, beats)
    for i, cause in zip(places, causes, strict=True):
        crops = engine.crops(sample.ecgs[i].record)
        amplitude = _rolled(engine, sample.ecgs[i], np.abs(crops), beats[i]).waves
        for one in found.values():
            one.figures["pointing"].append(pointing(one.waves[i], cause))
            one.figures["pointing amplitude"].append(pointing(amplitude, cause))
    if not causes:
        raise InvalidValue("no ECG with an LVEF of at most 40 % was simulated")
    return WaveTable(engine.leads, np.mean([cause.values for cause in causes], axis=0))


def _causes(
    engine: "Engine", sample: TrustSample, places: Sequence[int], beats: "Sequence[BeatTable]"
) -> list[WaveTable]:
    from ecgdash.explain.rollup import wave_columns
    from ecgdash.simulate.twins import twin_ecgs

    twins = twin_ecgs(sample.cohort, [sample.ecgs[i].row for i in places], SIMULATED_HZ)
    leads = [CANONICAL_LEADS.index(name) for name in engine.leads]
    size = np.abs(twins.signal_mv[:, leads] - twins.twin_mv[:, leads]).astype(np.float64)
    at = np.arange(size.shape[-1]) / SIMULATED_HZ
    tables = []
    for i, rows in zip(places, size, strict=True):
        columns = wave_columns(at, beats[i])
        sums = [np.bincount(columns, row, minlength=len(WAVE_COLUMNS)) for row in rows]
        tables.append(WaveTable(engine.leads, np.array(sums) / SIMULATED_HZ))
    return tables


def _maps(sample: TrustSample, waves: Sequence[WaveTable]) -> dict[str, CohortMap]:
    """Return the maps of the checked ECGs, of those with a low LVEF, and of each subgroup."""
    pairs = list(zip(sample.ecgs, waves, strict=True))
    parts = {
        "all": [table for ecg, table in pairs if ecg.checked],
        LOW_LVEF: [table for ecg, table in pairs if ecg.checked and ecg.low],
        **{
            name: [
                table
                for ecg, table in pairs
                if name in ecg.groups and (ecg.checked or name in ADDED_GROUPS)
            ]
            for name in MAP_GROUPS
        },
    }
    return {name: mean_map(tables) for name, tables in parts.items() if tables}
