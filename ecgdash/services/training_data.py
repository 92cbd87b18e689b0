"""The store's ECGs as prepared shards, from which the three phases train on own data.

    <folder>/pretraining, baseline, follow_up    as `training.simulated` writes them
    <folder>/origin.json                         counts and words; no ids, dates or paths

Shards hold the scored window of 12 leads, at 250 Hz, in whole microvolts, as long as it was
recorded: PTB-XL's padded ends leave 9.9 s, and crops start where the engine's do. ECGs are read
and written in batches, so that memory does not grow with the waveforms; the preparation goes on
where it was stopped, and starts again where the store has changed.
"""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.errors import InvalidValue, NotFound
from ecgdash.labels.stated import MEASURED_ONLY, WIDE_QRS_MS, measured_only
from ecgdash.labels.table import LABEL_NAMES
from ecgdash.services.training_plan import OUTCOMES, Part, TrainingPlan, plan_training
from ecgdash.signal.preprocess import MODEL_SAMPLING_HZ
from ecgdash.signal.resampling import at_model_rate
from ecgdash.signal.window import WINDOW_S, scored_window
from ecgdash.store import Store
from ecgdash.training.courses import write_courses
from ecgdash.training.shards import ShardWriter, write_json
from ecgdash.training.splits import SPLITS, split_of

if TYPE_CHECKING:
    from ecgdash.training.loop import Progress

__all__ = ["FROM_STORE", "prepare_from_store", "refuse_other_data"]

FROM_STORE: Final = "store"
"""Kind of the data in `origin.json`; simulated shards state none."""

STEP_MV: Final = 0.001
"""Whole microvolts: the finest step in common use, and what the store keeps where a file states
none; int16 then reaches 32 mV, which no gated lead does beside its offset."""

BATCH: Final = 64
_SHAPE: Final = (len(CANONICAL_LEADS), int(WINDOW_S * MODEL_SAMPLING_HZ))
_ROW_BYTES: Final = 2 * _SHAPE[0] * _SHAPE[1]


def prepare_from_store(
    store: Store, folder: Path, on_progress: "Progress | None" = None
) -> dict[str, Any]:
    """Write what the three phases need from the store's ECGs; goes on where it was stopped.

    What each ECG is used for, and why one is left out: `ecgdash.services.training_plan`. Other
    than the shipped family's simulated data, and as in the paper, phase 3 has the patients of
    phase 2.

    Parameters
    ----------
    store : Store
    folder : Path
        Gets the shards and `origin.json`.
    on_progress : callable, optional

    Returns
    -------
    dict
        What `origin.json` says: whether all patients are simulated, a description, and counts
        of ECGs by outcome and of ECGs and pairs by side of the split.

    Raises
    ------
    NotFound
        If the store is empty or too small to train from; nothing is written then.
    InvalidValue
        If the folder holds simulated shards, or the disk is too small.
    """
    refuse_other_data(folder, FROM_STORE)
    if not store.n_ecgs():
        raise NotFound("the store holds no ECG", todo="Run 'python -m ecgdash import' first")
    plan = plan_training(store, on_progress)
    plan.require_enough()
    names = _mark_names()
    parts = {name: getattr(plan, name) for name in names}
    _require_space(folder, parts.values())
    folder.mkdir(parents=True, exist_ok=True)
    # All heads first: from then on no shard of an earlier state of the store counts as finished.
    writers = {
        name: ShardWriter(
            folder / name, part.people, names[name], _SHAPE, MODEL_SAMPLING_HZ, STEP_MV,
            part.fingerprint, own_lengths=True,
        )
        for name, part in parts.items()
    }  # fmt: skip
    origin = _origin(plan)
    write_json(folder / "origin.json", origin)
    write_courses(folder / "follow_up" / "courses.jsonl", plan.courses)
    for name, part in parts.items():
        _write(store, part, writers[name], name, on_progress)
    return origin


def refuse_other_data(folder: Path, kind: str | None) -> None:
    """Refuse a folder whose shards are of another kind, which would be overwritten.

    Parameters
    ----------
    folder : Path
    kind : str or None
        `FROM_STORE`, or None for simulated patients.

    Raises
    ------
    InvalidValue
    """
    path = folder / "origin.json"
    if not path.exists():
        return
    known = json.loads(path.read_text(encoding="utf-8")).get("kind")
    if known != kind:
        words = "ECGs of the store" if known == FROM_STORE else "simulated ECGs"
        raise InvalidValue(
            f"the folder holds prepared {words}, which would be overwritten",
            todo="Name another folder by --out",
        )


def _mark_names() -> dict[str, Sequence[str]]:
    # The names that the phases look for; with them torch is loaded.
    from ecgdash.training.phases import LVSD
    from ecgdash.training.simulated import ANALYSABLE

    return {
        "pretraining": LABEL_NAMES,
        "baseline": (LVSD, ANALYSABLE),
        "follow_up": (ANALYSABLE,),
    }


def _require_space(folder: Path, parts: Sequence[Part] | Any) -> None:
    """Refuse before hours of work what the disk cannot hold; files that are there count."""
    needed = _ROW_BYTES * sum(len(part.keys) for part in parts)
    there = sum(path.stat().st_size for path in folder.glob("*/waveforms.i16"))
    place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free + there
    if needed > free:
        raise InvalidValue(
            f"the prepared ECGs need {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free",
            todo="Name a folder on a larger disk by --out",
        )


def _write(
    store: Store, part: Part, writer: ShardWriter, name: str, on_progress: "Progress | None"
) -> None:
    while not writer.complete:
        rows = slice(writer.n_done, writer.n_done + BATCH)
        records = store.records(part.keys[rows])
        signals = np.zeros((len(records), *_SHAPE))
        lengths = np.zeros(len(records), np.int64)
        for i, record in enumerate(records):
            window = _window(record)
            lengths[i] = window.shape[-1]
            signals[i, :, : lengths[i]] = window
        marks = np.frombuffer(b"".join(part.marks[rows]), np.uint8).reshape(len(records), -1)
        held = marks > 0
        if name == "pretraining":
            held[:, LABEL_NAMES.index(MEASURED_ONLY)] = [_measured(one) for one in records]
        writer.append(signals, held, lengths)
        if on_progress is not None:
            on_progress(f"prepare {name}", writer.n_done, len(part.keys))


def _window(record: EcgRecord) -> NDArray[np.float64]:
    """Return the scored window of twelve leads at 250 Hz, within what int16 holds.

    A lead with an electrode offset beyond that is brought to its median: the band-pass before
    every network takes constants out.
    """
    window = scored_window(record.signal_mv, record.sampling_hz)
    rows = [record.leads.index(name) for name in CANONICAL_LEADS]
    signal = at_model_rate(record.signal_mv[rows, window.slice], record.sampling_hz)
    far = np.abs(signal).max(axis=-1) > np.iinfo(np.int16).max * STEP_MV
    signal[far] -= np.median(signal[far], axis=-1, keepdims=True)
    return signal


def _measured(record: EcgRecord) -> bool:
    """Tell whether the label that no cart prints holds; only wide complexes are measured."""
    stated = record.measurements.get("qrs_ms", WIDE_QRS_MS)
    return stated >= WIDE_QRS_MS and measured_only(record)


def _origin(plan: TrainingPlan) -> dict[str, Any]:
    sides: dict[str, dict[str, int]] = {
        "pretraining_ecgs": _by_side(plan.pretraining.people),
        "baseline_pairs": _by_side(plan.baseline.people),
        "baseline_pairs_with_lvsd": _by_side(
            [
                person
                for person, marks in zip(plan.baseline.people, plan.baseline.marks, strict=True)
                if marks[0]
            ]
        ),
        "follow_up_pairs_with_history": {
            side: labels.total() for side, labels in plan.follow_up_labels.items()
        },
        "follow_up_pairs_with_history_and_lvsd": {
            side: labels[True] for side, labels in plan.follow_up_labels.items()
        },
    }
    fingerprints = [part.fingerprint for part in (plan.pretraining, plan.baseline, plan.follow_up)]
    return {
        "simulated": plan.n_simulated == plan.n_patients,
        "kind": FROM_STORE,
        "description": _description(plan, sides),
        "n_patients": plan.n_patients,
        "n_simulated_patients": plan.n_simulated,
        "ecgs": {name: plan.outcomes[name] for name in OUTCOMES},
        "withheld_by_the_gate": dict(sorted(plan.gate.items())),
        "sides": sides,
        # So that a training on other ECGs is not resumed.
        "fingerprint": "-".join(one[:12] for one in fingerprints),
    }


def _by_side(people: Sequence[str]) -> dict[str, int]:
    found = Counter(split_of(person) for person in people)
    return {side: found[side] for side in SPLITS}


def _description(plan: TrainingPlan, sides: dict[str, dict[str, int]]) -> str:
    n_first = sum(sides["pretraining_ecgs"].values())
    n_second = sum(sides["baseline_pairs"].values())
    n_third = sum(sides["follow_up_pairs_with_history"].values())
    if plan.n_simulated == plan.n_patients:
        who = "SIMULATED patients only"
    elif plan.n_simulated:
        who = f"own data ({plan.n_simulated:,} of the {plan.n_patients:,} patients are simulated)"
    else:
        who = "own data"
    return (
        f"{who}: {n_first:,} ECGs of patients without an echo in reach, with the cart's labels, "
        f"then the baseline pairs of {n_second:,} other patients, then {n_third:,} follow-up "
        "pairs of the same ones; a tenth each of the patients for validation and test"
    )
