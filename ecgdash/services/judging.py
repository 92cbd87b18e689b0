"""What is found out about an ECG: the gate's verdict, our measurements, its flags.

At import everything that needs no network is found. The 46-label head is run with
the other networks when an ECG is scored; its scores are kept with the weights'
hash, and the flags are made anew from what was kept.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol

from ecgdash.domain.ecg import EcgRecord
from ecgdash.domain.evidence import EcgEvidence, HeadScores
from ecgdash.domain.model import FamilyCard
from ecgdash.store import Findings, Store

__all__ = ["ECGS_AT_ONCE", "LabelEngine", "findings_of", "run_label_head"]

_LOG = logging.getLogger(__name__)

ECGS_AT_ONCE: Final = 64
"""Decoded and prepared they wait in memory for one network after the other; also what a GPU takes
in one pass."""


class LabelEngine(Protocol):
    """What running the 46-label head needs of `ecgdash.inference.Engine`."""

    @property
    def card(self) -> FamilyCard:
        """The family's card."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the head; empty: the family has none."""

    def label_scores(self, records: Sequence[EcgRecord]) -> list[dict[str, float]]:
        """Return each record's scores by label; empty for one the head cannot read."""


def findings_of(record: EcgRecord) -> Findings:
    """Judge, measure and flag an ECG without any network.

    Flags of diagnoses are made when a timeline is built, because diagnoses may come later.
    """
    from ecgdash.inference.gate import gate
    from ecgdash.labels.evidence import rule_evidence
    from ecgdash.labels.flags import Known, flags_of
    from ecgdash.signal.delineation import delineate_record, is_measurable
    from ecgdash.signal.measure import measure
    from ecgdash.signal.measure_beats import measure_beats

    if not is_measurable(record):
        known = Known(record.statements, record.measurements, sex=record.sex)
        return Findings(gate(record), flags_of(known))
    delineated = delineate_record(record)
    own = measure(record, delineated)
    measured, rules = own.as_found(), rule_evidence(own)
    if "SINUS" in rules and rules["SINUS"].logit <= 0:
        measured.pop("pac_count", None)  # early beats of the usual shape mean nothing then
    known = Known(record.statements, record.measurements, measured, record.sex, rules)
    beats = measure_beats(record, delineated).as_dict()
    return Findings(gate(record, own=own), flags_of(known), measured, EcgEvidence(rules, beats))


def run_label_head(
    store: Store,
    engine: LabelEngine,
    patient_keys: Sequence[str],
    on_progress: Callable[[int, int], None] | None = None,
    read: Callable[[Sequence[str]], list[EcgRecord]] | None = None,
) -> int:
    """Run the head over ECGs that lack scores of these weights; return how many.

    May be stopped at any time and called again. ECGs stored by a version that
    kept no evidence or no window are judged and measured anew.

    Parameters
    ----------
    store : Store
    engine : LabelEngine
    patient_keys : sequence of str
    on_progress : callable, optional
        Told ECGs done and in all.
    read : callable, optional
        Gives ECGs by key, for a caller that needs them again; by default `store.records`.
    """
    weights = engine.card.weights_sha256
    keys = store.without_head(patient_keys, weights)
    for start in range(0, len(keys), ECGS_AT_ONCE):
        part = keys[start : start + ECGS_AT_ONCE]
        records = (read or store.records)(part)
        scores = engine.label_scores(records)
        found = {
            key: _flagged(store, key, record, HeadScores(engine.card.family, weights, own))
            for key, record, own in zip(part, records, scores, strict=True)
        }
        store.save_findings(found)
        if on_progress is not None:
            on_progress(start + len(part), len(keys))
    _LOG.info("ran the label head on %d ECGs", len(keys))
    return len(keys)


def _flagged(store: Store, key: str, record: EcgRecord, head: HeadScores) -> Findings:
    """Return an ECG's findings with the head's scores and the flags that follow."""
    from ecgdash.labels.flags import Known, flags_of

    kept, facts = store.evidence(key), store.ecg(key)
    found = Findings(facts.gate, facts.flags, facts.measured, kept)
    if not kept.rules or facts.gate.window_s is None:  # stored by an earlier version
        found = findings_of(record)
    rules, beats = found.evidence.rules, found.evidence.beats
    known = Known(
        facts.statements, facts.measurements, found.measured, facts.sex, rules, head.scores
    )
    return replace(found, flags=flags_of(known), evidence=EcgEvidence(rules, beats, head))
