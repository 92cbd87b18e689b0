"""Small courses of a patient, and an engine whose numbers can be checked by hand.

The engine's base logit is the mean of lead I in millivolts, the same for all
crops and variants; its history terms are small known nets, so that the whole
second pass is the real one.
"""

from datetime import UTC, datetime, timedelta

import numpy as np

from ecgdash.domain import (
    CANONICAL_LEADS,
    LEADS_OF_SET,
    MASKED,
    RECALIBRATED,
    VARIANTS,
    EcgRecord,
    EchoStudy,
    FamilyCard,
    GateFinding,
    GateResult,
    OperatingPoint,
    Patient,
    VariantCard,
)
from ecgdash.inference.history import HistoryTerm
from ecgdash.inference.two_pass import BaseScored, score_course
from ecgdash.store import Findings

START = datetime(2020, 1, 1, 9, 0, tzinfo=UTC)
ANALYSABLE = GateResult()
FLAT = GateResult((GateFinding("flat", "withholds", "lead V2 is flat for 10.0 s", ("V2",)),))
PACED = GateResult((GateFinding("pacing", "excludes", "paced rhythm"),))


def make_card(lead_set="12", noise=0.8, weights="w"):
    family = f"test-lvsd-{lead_set}"

    def point(variant, rule, value):
        return OperatingPoint(
            f"{family}/{variant}/{rule}@1", rule, value, "made-up data", 1000, 80, 0.8, 0.9
        )

    variants = tuple(
        VariantCard(
            name,
            point(name, "youden", 0.1),
            point(name, "sensitivity_90", 0.05),
            point(name, "specificity_90", 0.2),
            noise,
        )
        for name in VARIANTS
    )
    return FamilyCard(
        family=family,
        title="Made for tests",
        lead_set=lead_set,
        input_kind="signal",
        architecture="mean of lead I",
        label="LVEF <= 40 %",
        weights_sha256=weights * 64,
        preprocessing_version=1,
        trained_on="nothing",
        trained_on_simulated=True,
        licence="Apache-2.0",
        variants=variants,
    )


class MeanEngine:
    """Base logit = mean of lead I (mV); histories by the real second pass; no label head."""

    labels = ()
    computed_by = "numpy mean of lead I"

    def __init__(self, card):
        self.card = card
        self.n_seen = 0
        self.terms = {
            MASKED: _term(MASKED, 9),
            RECALIBRATED: _term(RECALIBRATED, 12),
        }

    def base_logits(self, records):
        self.n_seen += len(records)
        needed = LEADS_OF_SET[self.card.lead_set]
        assert all(set(needed) <= set(record.leads) for record in records)
        means = np.array([float(record.lead("I").mean()) for record in records])
        return np.broadcast_to(means[:, None, None], (len(records), 3, 3)).copy()

    def score_course(self, refs, base_logits, pairs):
        ecgs = [BaseScored(ref, row) for ref, row in zip(refs, base_logits, strict=True)]
        return score_course(self.card, self.terms, ecgs, pairs)


def _term(variant, n_inputs):
    """Two hidden units that read every input with its own weight."""
    weights = np.linspace(-0.5, 0.7, 2 * n_inputs).reshape(2, n_inputs)
    return HistoryTerm(variant, weights, np.array([0.3, 0.1]), np.array([0.4, -0.6]), 0.05)


def make_record(logit, days, leads=CANONICAL_LEADS, **facts):
    """Return an ECG that the engine scores with this logit; days None: undated."""
    signal = np.full((len(leads), 500), logit, dtype=np.float32)
    moment = None if days is None else START + timedelta(days=days)
    return EcgRecord(signal, leads, 50.0, recorded_at=moment, patient_id="17", **facts)


def make_echo(days, lvef, method="simpson", has_time=True):
    moment = START + timedelta(days=days)
    return EchoStudy("17", moment, moment.date(), lvef, method, has_time)


def fill(store, ecgs, echoes=(), code="17"):
    """Store (record, gate) or (record, gate, flags) tuples; return patient key and ECG keys."""
    patient = store.put_patient(Patient(code))
    keys = [store.add_ecg(patient, record, Findings(*found)) for record, *found in ecgs]
    for echo in echoes:
        store.add_echo(patient, echo)
    return patient, keys
