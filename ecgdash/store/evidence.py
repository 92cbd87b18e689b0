"""What flags are made of, kept per ECG in a table of its own."""

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from ecgdash.domain.evidence import EcgEvidence, HeadScores, RuleEvidence
from ecgdash.errors import NotFound
from ecgdash.store.base import StoreBase
from ecgdash.store.objects import Findings
from ecgdash.store.schema import ecg_evidence, ecgs, patients
from ecgdash.store.values import findings_value, flags_value, numbers_value

__all__ = ["EvidencePart", "evidence_values", "findings_values", "insert_evidence"]


class EvidencePart(StoreBase):
    """The store's methods about evidence."""

    def evidence(self, ecg_key: str) -> EcgEvidence:
        """Return the evidence of one ECG; empty where none was kept. Raises `NotFound`."""
        query = (
            select(ecgs.c.id, ecg_evidence)
            .outerjoin(ecg_evidence, ecg_evidence.c.ecg == ecgs.c.id)
            .where(ecgs.c.key == ecg_key)
        )
        with self._reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFound("no such ECG in this store", todo="Open it from the patient's list")
        return EcgEvidence() if row.ecg is None else _evidence(row)

    def without_head(self, patient_keys: Sequence[str], weights_sha256: str) -> list[str]:
        """Return the keys of these patients' ECGs that lack head scores of these weights."""
        query = (
            select(ecgs.c.key)
            .join(patients, patients.c.id == ecgs.c.patient)
            .outerjoin(ecg_evidence, ecg_evidence.c.ecg == ecgs.c.id)
            .where(patients.c.key.in_(list(patient_keys)))
            .where(ecg_evidence.c.head_weights.is_distinct_from(weights_sha256))
            .order_by(ecgs.c.id)
        )
        with self._reading() as connection:
            return list(connection.execute(query).scalars())

    def save_findings(self, found: Mapping[str, Findings]) -> None:
        """Replace the findings of stored ECGs, by key, in one transaction."""
        with self._writing() as connection:
            for ecg_key, findings in found.items():
                ecg = self._id_of(connection, ecgs, ecg_key)
                connection.execute(delete(ecg_evidence).where(ecg_evidence.c.ecg == ecg))
                insert_evidence(connection, ecg, findings.evidence)
                changed = connection.execute(
                    update(ecgs)
                    .where(ecgs.c.id == ecg)
                    .values(findings_values(findings))
                    .returning(ecgs.c.patient)
                ).scalar_one()
                self._mark_stale(connection, changed)


def findings_values(findings: Findings) -> dict[str, Any]:
    """Return the columns of an ECG that hold its findings, evidence excepted."""
    gate = findings.gate
    return {
        "gate_status": gate.status,
        "gate_findings": findings_value(gate.findings),
        "gate_window_s": None if gate.window_s is None else list(gate.window_s),
        "flags": flags_value(findings.flags),
        "measured": numbers_value(findings.measured),
    }


def evidence_values(evidence: EcgEvidence) -> dict[str, Any]:
    """Return the columns of a piece of evidence but its ECG."""
    head = evidence.head
    return {
        "rules": {name: [rule.logit, rule.text] for name, rule in evidence.rules.items()},
        "beats": _deflated(evidence.beats),
        "head_family": None if head is None else head.family,
        "head_weights": None if head is None else head.weights_sha256,
        "head_scores": None if head is None else dict(head.scores),
    }


def insert_evidence(connection: Connection, ecg: int, evidence: EcgEvidence) -> None:
    """Store the evidence of an ECG that has none."""
    connection.execute(insert(ecg_evidence).values(ecg=ecg, **evidence_values(evidence)))


def _evidence(row: Row[Any]) -> EcgEvidence:
    head = None
    if row.head_weights is not None:
        head = HeadScores(row.head_family, row.head_weights, row.head_scores)
    rules = {name: RuleEvidence(logit, text) for name, (logit, text) in row.rules.items()}
    return EcgEvidence(rules, _inflated(row.beats), head)


def _deflated(beats: Mapping[str, Any]) -> bytes | None:
    if not beats:
        return None
    return zlib.compress(json.dumps(dict(beats), separators=(",", ":"), allow_nan=False).encode())


def _inflated(data: bytes | None) -> dict[str, Any]:
    if data is None:
        return {}
    beats: dict[str, Any] = json.loads(zlib.decompress(data))
    return beats
