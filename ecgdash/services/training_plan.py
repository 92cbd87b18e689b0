"""Which of the store's ECGs teach what: phase 1, the pairs of phases 2 and 3, or nothing.

As in the paper, phase 1 learns from the ECGs of patients without an eligible pair, phase 2 from
each patient's first pair, phase 3 from the later pairs of the same patients. No waveform is read
here: what is held is a key, a name and a few bytes of marks an ECG.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import EcgRef, EchoStudy, Patient
from ecgdash.domain.pairs import TteEcgPair, form_pairs, recalibrated_history
from ecgdash.errors import NotFound
from ecgdash.store import Store, StoredEcg
from ecgdash.training.courses import Course, course_line
from ecgdash.training.splits import SPLITS, Split, split_of

if TYPE_CHECKING:
    from ecgdash.training.loop import Progress

__all__ = ["OUTCOMES", "Part", "TrainingPlan", "plan_training", "side_of"]

OUTCOMES: Final = {
    "pretraining": "learned from in phase 1",
    "pairs": "learned from in phases 2 and 3",
    "between_pairs": "of patients with one pair, which is another of their ECGs",
    "undated": "left out: no date",
    "arbitrary_units": "left out: amplitudes in arbitrary units",
    "fewer_leads": "left out: fewer than 12 leads",
    "gate": "left out: withheld by the gate",
    "paced": "left out of pairs: paced",
    "no_statements": "left out of phase 1: no statements, or none that is understood",
    "no_numbers": "left out of phase 1: QRS duration or rate not measured",
}
"""What becomes of an ECG, in words; each has exactly one outcome."""

_FIRST_DAY: Final = date(2000, 1, 1)
"""Of every course in a shard: intervals and times of day stay, calendar dates do not."""


@dataclass(eq=False)
class Part:
    """Rows of one shard.

    Attributes
    ----------
    keys : list of str
        Of the stored ECGs.
    people : list of str
        What the shard calls their patients.
    marks : list of bytes
        0/1 marks, one byte each.
    """

    keys: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    marks: list[bytes] = field(default_factory=list)
    _digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def add(self, ecg: StoredEcg, person: str, marks: bytes) -> int:
        """Add a row; return its number."""
        self.keys.append(ecg.key)
        self.people.append(person)
        self.marks.append(marks)
        self.note(f"{ecg.sha256} {person}".encode() + marks)
        return len(self.keys) - 1

    def note(self, facts: bytes) -> None:
        """Let the fingerprint depend on these facts too."""
        self._digest.update(facts + b"\n")

    @property
    def fingerprint(self) -> str:
        """Hash of waveforms, names and marks, by which a changed store is noticed."""
        return self._digest.hexdigest()[:32]


@dataclass(eq=False)
class TrainingPlan:
    """What the three shards will hold.

    Attributes
    ----------
    pretraining, baseline, follow_up : Part
    courses : list of str
        Lines of `courses.jsonl`.
    outcomes : Counter of str
        ECGs by outcome, keys of `OUTCOMES`; they add up to all ECGs.
    gate : Counter of str
        Those that the gate withholds, by its codes.
    n_patients, n_simulated : int
    follow_up_labels : dict of Split to Counter of bool
        Follow-up pairs with a history, by side and LVSD.
    """

    pretraining: Part = field(default_factory=Part)
    baseline: Part = field(default_factory=Part)
    follow_up: Part = field(default_factory=Part)
    courses: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    gate: Counter[str] = field(default_factory=Counter)
    n_patients: int = 0
    n_simulated: int = 0
    follow_up_labels: dict[Split, Counter[bool]] = field(
        default_factory=lambda: {side: Counter() for side in SPLITS}
    )

    def require_enough(self) -> None:
        """Refuse a store from which nothing can be learned, or nothing checked.

        Raises
        ------
        NotFound
            If a side lacks pairs with or without LVSD, or phase 1 lacks ECGs.
        """
        lacking = list(self._lacking())
        if lacking:
            raise NotFound(
                f"the store's ECGs cannot train the models: {'; '.join(lacking)}",
                accepted="Needed: ECGs of patients without an echo in reach, and baseline and "
                "follow-up pairs with and without LVSD on each side of the split",
                todo="Import more patients with their echoes",
            )

    def _lacking(self) -> Iterator[str]:
        ecgs = Counter(split_of(one) for one in self.pretraining.people)
        pairs = Counter(
            (split_of(one), marks[0] > 0)
            for one, marks in zip(self.baseline.people, self.baseline.marks, strict=True)
        )
        for side in SPLITS:
            if side != "test" and not ecgs[side]:
                yield f"no ECG for phase 1 in {side}"
            for lvsd, words in ((True, "with"), (False, "without")):
                if not pairs[side, lvsd]:
                    yield f"no baseline pair {words} LVSD in {side}"
                if not self.follow_up_labels[side][lvsd]:
                    yield f"no follow-up pair {words} LVSD in {side}"


def side_of(patient: Patient) -> Split:
    """Return a patient's side of the 8:1:1 split: a hash of site and id alone.

    So no import moves a patient, not a later one and not one into another store, whose random
    keys would differ. With another `ECGDASH_ID_KEY` the ids are others, and so are the sides.
    """
    return split_of(f"{patient.site}\0{patient.id}")


def plan_training(store: Store, on_progress: "Progress | None" = None) -> TrainingPlan:
    """Decide for every stored ECG what it teaches.

    Pairs are formed by `form_pairs` over the patient's dated, analysable 12-lead ECGs, as
    `evaluate --store` does. Phase 1 takes ECGs that the gate lets through and paced ones, whose
    rhythm is one of its labels; ECGs whose labels are unknown are left out
    (`ecgdash.labels.stated`). Beside the patients with follow-up pairs, `follow_up` holds the
    validation patients with one pair: their repeated ECGs set the noise floor.

    Parameters
    ----------
    store : Store
    on_progress : callable, optional
        Told what is done, patients done and in all.
    """
    keys = store.patient_keys()
    plan = TrainingPlan(n_patients=len(keys))
    for number, key in enumerate(keys):
        stored = store.patient(key)
        plan.n_simulated += stored.simulated
        ecgs = _Ecgs(plan, store.ecgs_of(key))
        side = side_of(stored.patient)
        _take(plan, ecgs, store.echoes_of(key), _name(number, side), side)
        if on_progress is not None:
            on_progress("look through patients", number + 1, len(keys))
    return plan


def _name(number: int, side: Split) -> str:
    """Return what a shard calls a patient: a running number, made to fall on the given side.

    Not a hash of the hospital's id: ids are few and regular, and whoever tries them all would
    find whose ECGs these are. The end of the name is chosen so that `split_of` gives the side
    that site and id decided, which is all it tells about them.
    """
    attempt = 0
    while split_of(f"p{number}.{attempt}") != side:
        attempt += 1
    return f"p{number}.{attempt}"


class _Ecgs:
    """One patient's ECGs that may be learned from; the others are counted."""

    def __init__(self, plan: TrainingPlan, ecgs: Sequence[StoredEcg]) -> None:
        self.usable: list[StoredEcg] = []
        self.paced: list[StoredEcg] = []
        for ecg in ecgs:
            why = _left_out(ecg)
            if why is None:
                (self.usable if ecg.gate.analysable else self.paced).append(ecg)
                continue
            plan.outcomes[why] += 1
            if why == "gate":
                plan.gate.update(_withholding(ecg) - {"pacing"})

    @property
    def refs(self) -> list[EcgRef]:
        return [ref for ecg in self.usable if (ref := ecg.ref) is not None]


def _left_out(ecg: StoredEcg) -> str | None:
    found = _withholding(ecg)
    if ecg.ref is None:
        return "undated"
    if "arbitrary_units" in found:
        return "arbitrary_units"
    if "12" not in ecg.lead_sets:
        return "fewer_leads"
    return "gate" if found - {"pacing"} else None


def _withholding(ecg: StoredEcg) -> set[str]:
    return {finding.code for finding in ecg.gate.findings if finding.effect != "notes"}


def _take(
    plan: TrainingPlan, ecgs: _Ecgs, echoes: Sequence[EchoStudy], person: str, side: Split
) -> None:
    pairs = form_pairs(ecgs.refs, echoes)
    if not pairs:
        for ecg in (*ecgs.usable, *ecgs.paced):
            _pretrain(plan, ecg, person)
        return
    plan.outcomes["paced"] += len(ecgs.paced)
    first = next(ecg for ecg in ecgs.usable if ecg.key == pairs[0].ecg.key)
    plan.baseline.add(first, person, bytes([pairs[0].echo.lvsd, True]))
    if len(pairs) == 1 and side != "validation":
        plan.outcomes["pairs"] += 1
        plan.outcomes["between_pairs"] += len(ecgs.usable) - 1
        return
    plan.outcomes["pairs"] += len(ecgs.usable)
    rows = {ecg.key: plan.follow_up.add(ecg, person, bytes([True])) for ecg in ecgs.usable}
    line = course_line(_course(ecgs.refs, echoes, rows, person))
    plan.courses.append(line)
    plan.follow_up.note(line.encode())
    plan.follow_up_labels[side].update(_labels_with_history(pairs))


def _pretrain(plan: TrainingPlan, ecg: StoredEcg, person: str) -> None:
    from ecgdash.labels.stated import are_read, stated_labels

    labels = stated_labels(ecg.statements, ecg.measurements, ecg.measured, ecg.sex)
    if labels is None:
        why = "no_numbers" if are_read(ecg.statements) else "no_statements"
        plan.outcomes[why] += 1
        return
    plan.outcomes["pretraining"] += 1
    plan.pretraining.add(ecg, person, _bytes(labels))
    values = {**ecg.measured, **ecg.measurements}
    plan.pretraining.note(json.dumps(sorted(values.items())).encode())


def _bytes(labels: NDArray[np.bool_]) -> bytes:
    return labels.astype(np.uint8).tobytes()


def _course(
    refs: Sequence[EcgRef], echoes: Sequence[EchoStudy], rows: dict[str, int], person: str
) -> Course:
    """Return a course without ids, its days counted from `_FIRST_DAY`."""
    shift = min(ref.local_day for ref in refs) - _FIRST_DAY
    return Course(
        person,
        tuple(
            EcgRef(str(rows[ref.key]), ref.recorded_at - shift, ref.local_day - shift)
            for ref in refs
        ),
        tuple(
            replace(
                echo,
                patient_id=person,
                performed_at=echo.performed_at - shift,
                local_day=echo.local_day - shift,
                key="",
                report=None,
            )
            for echo in echoes
        ),
    )


def _labels_with_history(pairs: Sequence[TteEcgPair]) -> Iterator[bool]:
    """Yield the LVSD of follow-up pairs that the recalibrated model can learn from."""
    scored = {pair.ecg.key: 0.5 for pair in pairs}  # any score: only whether there is a history
    for pair in pairs[1:]:
        if recalibrated_history(pair.ecg, pairs, scored) is not None:
            yield pair.echo.lvsd
