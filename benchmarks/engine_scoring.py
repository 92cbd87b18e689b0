"""Times of scoring: backends, depth and batch, one trunk for three, preprocessing, histories."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.engine_backends import Unavailable, runners
from benchmarks.engine_clock import gemm_acts, gemm_gflops, least_ms
from benchmarks.engine_figures import BACKENDS, BATCHES, Measured, number
from benchmarks.engine_nets import DEEP, DEMO, install_depth_152, simulated_ecgs
from benchmarks.engine_operations import DEMO_NET, PAPER_NET, FamilyOperations, family_operations
from ecgdash.domain import EcgRecord
from ecgdash.inference import Engine
from ecgdash.nets.family import FamilyNet
from ecgdash.nets.lowered import lower_labels, lower_variants
from ecgdash.nets.registry import architecture

Found = dict[str, Measured]
Say = Callable[[str], None]

ROUNDS = {"demo": 15, "152": 3}
PEAK_ROUNDS = 3
"""Rounds of the matrix product each time the peak is looked for."""


class Peak:
    """The best rate of a matrix product seen so far in this run, in GFLOP/s."""

    def __init__(self) -> None:
        self.best = {"float32": (0.0, 0), "bfloat16": (0.0, 0)}

    def look(self) -> None:
        """Look again: a machine shared with others shows its peak at some times only."""
        for name in self.best:
            acts = gemm_acts(getattr(torch, name))
            times = least_ms({str(n): act for n, act in acts.items()}, PEAK_ROUNDS)
            found = max((gemm_gflops(int(n), ms), int(n)) for n, ms in times.items())
            self.best[name] = max(self.best[name], found)

    def floor_ms(self, gflop: float, dtype: str = "float32") -> float:
        """Return what operations take at the peak, in ms."""
        return gflop / self.best[dtype][0] * 1000


@dataclass(frozen=True)
class Subject:
    """One depth: its engine on torch, and what its operations are.

    Attributes
    ----------
    key : {"demo", "152"}
    """

    key: str
    engine: Engine
    operations: FamilyOperations

    @property
    def net(self) -> FamilyNet:
        """The network."""
        return self.engine.net


def load_subjects(models_dir: Path, say: Say) -> tuple[Subject, Subject]:
    """Load the shipped demo net, and install and load depth 152."""
    demo = Engine.load(DEMO, device="cpu")
    say("installing a family of depth 152 with random weights")
    crops = demo.crops(simulated_ecgs(1)[0])
    install_depth_152(models_dir, crops)
    deep = Engine.load(DEEP, device="cpu", models_dir=models_dir)
    return (
        Subject("demo", demo, family_operations(DEMO_NET, len(demo.labels))),
        Subject("152", deep, family_operations(PAPER_NET, len(deep.labels))),
    )


def operations(subject: Subject) -> Found:
    """Return what is counted, and nothing timed."""
    counted = subject.operations
    one, labels = number(counted.one), number(counted.labels)
    note = f"one variant by itself {one}, {len(subject.engine.labels)} labels {labels}"
    return {f"operations.{subject.key}": Measured(counted.shared, note=note)}


def peaks(peak: Peak) -> Found:
    """Return the peaks, once all rounds are over."""
    return {
        f"peak.{name}": Measured(rate, note=f"{size} x {size}")
        for name, (rate, size) in peak.best.items()
    }


def networks(subject: Subject, peak: Peak, say: Say) -> Found:
    """Time backends and batches, the shared trunk, and the labels, all in turn."""
    records = simulated_ecgs(max(BATCHES))
    crops = np.concatenate([subject.engine.crops(record) for record in records])
    batches = {n: np.ascontiguousarray(crops[: 3 * n]) for n in BATCHES}
    acts: dict[str, Callable[[], object]] = {}
    found: Found = {}
    for backend in BACKENDS:
        say(f"{subject.key}: {backend}")
        for n, runner in runners(backend, subject.engine, batches).items():
            key = f"score.{subject.key}.{backend}.{n}"
            if isinstance(runner, Unavailable):
                found[key] = Measured(None, note=runner.why)
            else:
                acts[key] = runner
    n_shared = 8 if subject.key == "demo" else 1
    apart = _apart(acts, f"score.{subject.key}.torch-float32", n_shared)
    acts.update(_variant_acts(subject.net, torch.from_numpy(batches[n_shared])))
    say(f"{subject.key}: {ROUNDS[subject.key]} rounds of {len(acts)} ways in turn")
    peak.look()
    times = least_ms(acts, ROUNDS[subject.key])
    peak.look()
    found |= _scores(subject, times, peak, apart)
    return found | _variants(subject, times, peak, n_shared)


def _variant_acts(net: FamilyNet, x: torch.Tensor) -> dict[str, Callable[[], object]]:
    """Return passes of the form in use, whole and by variant, and of the plain form."""
    together, labels = lower_variants(net), lower_labels(net)
    alone = [together.only(i) for i in range(len(net.variants))]

    @torch.inference_mode()
    def separate() -> None:
        for one in alone:
            one(x)

    return {
        "shared": torch.inference_mode()(lambda: together(x)),
        "separate": separate,
        "labels": torch.inference_mode()(lambda: labels(x)),
        "plain": torch.inference_mode()(lambda: net(x)),
    }


def _apart(acts: Mapping[str, Callable[[], object]], reference: str, n: int) -> dict[str, float]:
    """Return by backend how far its logits are from PyTorch's in float32, at most."""
    logits = {key[:-2]: np.asarray(act()) for key, act in acts.items() if key.endswith(f".{n}")}
    known = logits.pop(reference)
    return {key: float(np.abs(found - known).max()) for key, found in logits.items()}


def _scores(
    subject: Subject, times: Mapping[str, float], peak: Peak, apart: Mapping[str, float]
) -> Found:
    found: Found = {}
    for backend in BACKENDS:
        dtype = backend.split("-")[1]
        floor = peak.floor_ms(subject.operations.shared, dtype)
        for n in BATCHES:
            key = f"score.{subject.key}.{backend}.{n}"
            if key in times:
                ms = times[key] / n
                note = f"{subject.operations.shared / ms * 1000:,.0f} GFLOP/s"
                if key[:-2] in apart:
                    note += f"; logits at most {apart[key[:-2]]:.1e} apart"
                found[key] = Measured(ms, floor, note)
    return found


def _variants(subject: Subject, times: Mapping[str, float], peak: Peak, n: int) -> Found:
    counted = subject.operations
    labels_ms = times["labels"] / n
    return {
        f"shared.{subject.key}": Measured(
            times["separate"] / times["shared"],
            counted.separate / counted.shared,
            f"{BATCHES[n]} a pass",
        ),
        f"plain.{subject.key}": Measured(
            times["plain"] / times["shared"], note=f"{BATCHES[n]} a pass"
        ),
        f"labels.{subject.key}": Measured(
            labels_ms,
            peak.floor_ms(counted.labels),
            f"{labels_ms * n / times['shared']:.2f} of the three scores' time",
        ),
    }


def preparing(demo: Subject, deep: Subject, peak: Peak) -> Found:
    """Time preprocessing, and the engine as it is used: records in, logits out."""
    records = simulated_ecgs(8)
    auto = Engine.load(DEMO, device="cpu", backend="auto")
    times = least_ms(
        {
            "prepare": lambda: demo.engine.crops(records[0]),
            "scipy": _bare_scipy(records[0]),
            "demo.1": lambda: demo.engine.base_logits(records[:1]),
            "demo.8": lambda: demo.engine.base_logits(records),
            "auto": lambda: auto.base_logits(records),
            "152": lambda: deep.engine.base_logits(records[:1]),
        },
        2 * ROUNDS["152"],
    )
    peak.look()
    prepare, demo_ms, deep_ms = times["prepare"], times["demo.8"] / 8, times["152"]
    auto_ms = times["auto"] / 8
    n_pass = architecture(DEMO_NET).ecgs_per_batch
    floor = {s.key: times["scipy"] + peak.floor_ms(s.operations.shared) for s in (demo, deep)}
    return {
        "prepare.one": Measured(prepare, times["scipy"]),
        "prepare.demo": Measured(100 * prepare / demo_ms, note="engine, in eights"),
        "prepare.152": Measured(100 * prepare / deep_ms, note="engine, one by one"),
        "prepare.auto": Measured(100 * prepare / auto_ms, note="engine, in eights"),
        "engine.demo.1": Measured(times["demo.1"], floor["demo"], f"a pass holds {n_pass}"),
        "engine.demo.8": Measured(demo_ms, floor["demo"]),
        "engine.auto": Measured(auto_ms, floor["demo"], f"chose {auto.backend_name}"),
        "engine.152": Measured(deep_ms, floor["152"]),
    }


def _bare_scipy(record: EcgRecord) -> Callable[[], object]:
    """Return the two library calls that preprocessing cannot do without, on three crops."""
    from scipy.signal import butter, resample_poly, sosfiltfilt

    rng = np.random.default_rng(1)
    crops = rng.normal(size=(3, len(record.leads), round(9 * record.sampling_hz)))
    sos = butter(4, (0.67, 40.0), "bandpass", fs=250.0, output="sos")
    return lambda: sosfiltfilt(sos, resample_poly(crops, 1, 2, axis=-1), axis=-1)
