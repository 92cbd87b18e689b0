"""A small store of patients made by hand: every value of a score is chosen here.

The scores are inputs of the page tests, not results of a network; the cards are
written as a real manifest, so that the pages find them as they find any family.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from ecgdash.domain import (
    CANONICAL_LEADS,
    MASKED,
    RECALIBRATED,
    UNCALIBRATED,
    EcgRecord,
    EchoStudy,
    FamilyCard,
    Flag,
    GateFinding,
    GateResult,
    OperatingPoint,
    Patient,
    VariantCard,
)
from ecgdash.inference.manifest import NetworkSizes, card_to_dict
from ecgdash.services.scoring import score_patients
from ecgdash.store import Findings, Store

NOW = datetime.now(UTC).replace(hour=9, minute=14, second=0, microsecond=0)
THRESHOLDS = {UNCALIBRATED: 0.06, MASKED: 0.07, RECALIBRATED: 0.08}
NOISE = {UNCALIBRATED: 0.9, MASKED: 0.8, RECALIBRATED: 0.7}


def card(lead_set="12", family=None):
    """Return a family card with invented figures."""
    family = family or f"handmade-{lead_set}"

    def point(variant, rule, value):
        return OperatingPoint(
            f"{family}/{variant}/{rule}@1", rule, value, "validation set", 1812, 145, 0.83, 0.91
        )

    variants = tuple(
        VariantCard(
            name,
            point(name, "youden", value),
            point(name, "sensitivity_90", value / 2),
            point(name, "specificity_90", value * 2),
            NOISE[name],
        )
        for name, value in THRESHOLDS.items()
    )
    return FamilyCard(
        family=family,
        title=f"Made by hand, {lead_set} leads",
        lead_set=lead_set,
        input_kind="signal",
        architecture="none",
        label="LVEF <= 40 %",
        weights_sha256=hashlib.sha256(_weights(family)).hexdigest(),
        preprocessing_version=1,
        trained_on="nothing",
        trained_on_simulated=True,
        licence="Apache-2.0",
        variants=variants,
        notes=("A card for tests.",),
    )


def _weights(family: str) -> bytes:
    """Return a weights file with the two history perceptrons and nothing else."""
    rng = np.random.default_rng(len(family))
    tensors = {}
    for variant, width in ((MASKED, 9), (RECALIBRATED, 12)):
        head = f"branches.{variant}."
        tensors[head + "perceptron.hidden.weight"] = rng.standard_normal((4, width))
        tensors[head + "perceptron.hidden.bias"] = rng.standard_normal(4)
        tensors[head + "perceptron.out.weight"] = rng.standard_normal((3, 4))
        tensors[head + "perceptron.out.bias"] = rng.standard_normal(3)
        tensors[head + "final_layer.weight"] = rng.standard_normal((1, 3))
    return save(tensors)


def write_models(folder: Path, *lead_sets: str) -> list[FamilyCard]:
    """Write a manifest and cards, as an installation has them."""
    return write_cards(folder, [card(name) for name in lead_sets])


def write_cards(folder: Path, cards: list[FamilyCard]) -> list[FamilyCard]:
    """Write a manifest with these cards; folders that are there already are kept."""
    rows = []
    for item in cards:
        home = folder / item.family
        home.mkdir(parents=True, exist_ok=True)
        (home / "weights.safetensors").write_bytes(_weights(item.family))
        text = json.dumps(card_to_dict(item, NetworkSizes(4, ()))).encode()
        (home / "card.json").write_bytes(text)
        rows.append(
            f'[families.{item.family}]\nfolder = "{item.family}"\nweights = "weights.safetensors"\n'
            f'weights_sha256 = "{item.weights_sha256}"\ncard = "card.json"\n'
            f'card_sha256 = "{hashlib.sha256(text).hexdigest()}"\n'
        )
    (folder / "manifest.toml").write_text("\n".join(rows))
    return cards


class HandmadeEngine:
    """Scores that a test chose, by content hash: (uncalibrated, masked, recalibrated)."""

    labels = ()
    computed_by = "chosen by the test"

    def __init__(self, family: FamilyCard, chosen: dict[str, tuple[float, float, float]]):
        self.card = family
        self.chosen = chosen

    def base_logits(self, records):
        """Return each record's chosen logits, the same for the three crops."""
        values = np.array([self.chosen[record.sha256] for record in records])
        return np.repeat(np.log(values / (1 - values))[:, :, None], 3, axis=2)

    def score_course(self, refs, base_logits, pairs):
        """Return the chosen scores with the histories that the rules give."""
        from ecgdash.domain import NotApplicable, VariantScore, masked_history, recalibrated_history

        values = 1 / (1 + np.exp(-base_logits[:, :, 0]))
        plain = {ref.key: float(v[0]) for ref, v in zip(refs, values, strict=True) if ref}
        known = [ref for ref in refs if ref]
        scored = []
        for ref, (u, m, r) in zip(refs, values.tolist(), strict=True):
            past = None if ref is None else masked_history(ref, known, plain)
            pairs_past = None if ref is None else recalibrated_history(ref, pairs, plain)
            cards = [item.youden for item in self.card.variants]
            scored.append(
                {
                    UNCALIBRATED: VariantScore(u, cards[0]),
                    MASKED: VariantScore(m, cards[1], past)
                    if past
                    else NotApplicable("no earlier ECG at least one day older"),
                    RECALIBRATED: VariantScore(r, cards[2], pairs_past)
                    if pairs_past
                    else NotApplicable("no earlier ECG-echo pair"),
                }
            )
        return scored


class Handmade:
    """Patients by code, written into a store with their scores."""

    def __init__(self, store: Store, cards: list[FamilyCard]):
        self.store = store
        self.engines = [HandmadeEngine(item, {}) for item in cards]
        self.rng = np.random.default_rng(7)

    def ecg(self, key, days_ago, scores=None, *, leads=CANONICAL_LEADS, **facts):
        """Add an ECG; `scores` None: withheld by the gate with `reason`; flags by name or whole."""
        reason = facts.pop("reason", None)
        flags = facts.pop("flags", ())
        status = facts.pop("status", "poor_quality" if reason else "analysable")
        signal = 0.1 * self.rng.standard_normal((len(leads), 2500))
        record = EcgRecord(
            signal.astype(np.float32),
            leads,
            250.0,
            recorded_at=None if days_ago is None else NOW - timedelta(days=days_ago),
            measurements={"heart_rate_bpm": 68.0, "qrs_ms": 96.0, "qtc_ms": 431.0},
            file_format="wfdb",
            source_name="made.hea",
            **facts,
        )
        effect = "excludes" if status == "excluded" else "withholds"
        gate = GateResult((GateFinding("flat", effect, reason),) if reason else ())
        found = tuple(
            flag if isinstance(flag, Flag) else Flag(flag, "statement", "cart statement")
            for flag in flags
        )
        ecg = self.store.add_ecg(key, record, Findings(gate, found))
        for engine in self.engines:
            engine.chosen[self.store.record(ecg).sha256] = scores or (0.5, 0.5, 0.5)
        return ecg

    def echo(self, key, code, days_ago, lvef, method="simpson"):
        """Add an echo."""
        at = NOW - timedelta(days=days_ago)
        self.store.add_echo(key, EchoStudy(code, at, at.date(), lvef, method))

    def patient(self, code, sex, *, simulated=True, site="local"):
        """Add a patient; return the key."""
        return self.store.put_patient(Patient(code, site, sex, 1955), simulated=simulated)

    def score(self):
        """Score everybody and refresh the worklist."""
        score_patients(self.store, self.engines)


def fill(store: Store, cards: list[FamilyCard]) -> dict[str, str]:
    """Write the patients; return their keys by code."""
    made = Handmade(store, cards)
    keys = {}

    key = keys["HM-0102"] = made.patient("HM-0102", "female")  # rises, one withheld between
    course = ((2450, 0.55, 31), (2240, 0.62, 36), (1980, 0.50, 42), (1660, 0.42, 49))
    for days, score, lvef in course:
        made.ecg(key, days, (score + 0.3, score, score / 3), age_years=66, flags=("LBBB",))
        made.echo(key, "HM-0102", days - 4, lvef, "visual" if lvef == 49 else "simpson")
    made.ecg(key, 1300, (0.80, 0.12, 0.04), age_years=68, flags=("LBBB",))
    made.ecg(key, 930, (0.82, 0.13, 0.05), age_years=69, flags=("LBBB",))
    made.echo(key, "HM-0102", 700, 52)
    made.ecg(key, 660, (0.85, 0.11, 0.03), age_years=70, flags=("LBBB",))
    made.ecg(key, 360, age_years=71, reason="lead V2 is flat for 10.0 s")
    made.ecg(key, 8, (0.93, 0.44, 0.31), age_years=71, flags=("LBBB", "QRS>140", "long_QTc"))

    key = keys["HM-0150"] = made.patient("HM-0150", "female")  # falls
    for days, score in ((1500, 0.7), (1100, 0.5), (800, 0.3), (300, 0.06), (10, 0.012)):
        made.ecg(key, days, (score, score, score), age_years=59)
        made.echo(key, "HM-0150", days + 1, 60 - 40 * score)

    key = keys["HM-0311"] = made.patient("HM-0311", "male")  # one ECG only, no echo
    made.ecg(key, 14, (0.91, 0.9, 0.9), age_years=63, flags=("LBBB",))

    key = keys["HM-0276"] = made.patient("HM-0276", "male")  # last one withheld
    made.ecg(key, 400, (0.03, 0.03, 0.03), age_years=80, flags=("AFIB", "RBBB"))
    made.ecg(key, 200, (0.03, 0.03, 0.03), age_years=80, flags=("AFIB", "RBBB"))
    made.ecg(key, 15, age_years=81, flags=("AFIB", "RBBB"), reason="lead V2 is flat for 10.0 s")
    made.echo(key, "HM-0276", 240, 55)

    key = keys["HM-0204"] = made.patient("HM-0204", "male")  # paced
    made.ecg(key, 17, age_years=84, reason="paced rhythm", status="excluded", flags=("paced",))
    made.echo(key, "HM-0204", 660, 47)

    key = keys["HM-0391"] = made.patient("HM-0391", "male")  # lead I, then 12 leads
    made.ecg(key, 500, (0.02, 0.02, 0.02), age_years=47, leads=("I",))
    made.ecg(key, 300, (0.03, 0.02, 0.02), age_years=47, leads=("I",))
    made.ecg(key, 100, (0.02, 0.01, 0.02), age_years=48)
    made.ecg(key, 16, (0.02, 0.015, 0.02), age_years=48)

    key = keys["HM-0500"] = made.patient("HM-0500", "female")  # undated only
    made.ecg(key, None, (0.02, 0.01, 0.02), age_years=50)

    key = keys["HM-0501"] = made.patient("HM-0501", None)  # an echo, no ECG
    made.echo(key, "HM-0501", 50, 44, "m-mode")

    made.score()
    return keys
