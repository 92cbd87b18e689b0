"""Predictions, with all it takes to trace and repeat them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select

from ecgdash.domain.prediction import Prediction, Provenance
from ecgdash.store.base import StoreBase
from ecgdash.store.schema import ecgs, patients, predictions
from ecgdash.store.values import score_from, score_value

__all__ = ["PredictionsPart"]


class PredictionsPart(StoreBase):
    """The store's methods about predictions: one per ECG and family, the last one made."""

    def save_predictions(self, made: Sequence[Prediction]) -> None:
        """Store predictions in place of earlier ones of the same ECGs and families.

        Raises
        ------
        NotFound
            If an ECG is not stored.
        ValueError
            If a prediction comes without provenance.
        """
        with self._writing() as connection:
            for prediction in made:
                ecg = self._id_of(connection, ecgs, prediction.ecg)
                values = _values(prediction)
                connection.execute(
                    delete(predictions).where(
                        predictions.c.ecg == ecg, predictions.c.family == values["family"]
                    )
                )
                connection.execute(insert(predictions).values(ecg=ecg, **values))

    def predictions_of(self, patient_key: str) -> dict[str, dict[str, Prediction]]:
        """Return a patient's predictions by ECG key, then by family."""
        query = (
            select(predictions, ecgs.c.key)
            .join(ecgs, ecgs.c.id == predictions.c.ecg)
            .join(patients, patients.c.id == ecgs.c.patient)
            .where(patients.c.key == patient_key)
        )
        found: dict[str, dict[str, Prediction]] = {}
        with self._reading() as connection:
            for row in connection.execute(query):
                found.setdefault(row.key, {})[row.family] = _prediction(row)
        return found


def _values(prediction: Prediction) -> dict[str, Any]:
    provenance = prediction.provenance
    if provenance is None:
        raise ValueError("a prediction without provenance is not stored")
    return {
        "family": provenance.family,
        "lead_set": prediction.lead_set,
        "weights_sha256": provenance.weights_sha256,
        "preprocessing_version": provenance.preprocessing_version,
        "waveform_sha256": provenance.waveform_sha256,
        "software_version": provenance.software_version,
        "made_at": provenance.made_at,
        "backend": provenance.backend or None,
        # Lists of pairs: PostgreSQL's JSON need not keep the order of an object's keys.
        "base_logits": [[name, list(crops)] for name, crops in prediction.base_logits.items()],
        "scores": [[name, score_value(score)] for name, score in prediction.scores.items()],
    }


def _prediction(row: Row[Any]) -> Prediction:
    return Prediction(
        ecg=row.key,
        lead_set=row.lead_set,
        scores={name: score_from(value) for name, value in row.scores},
        base_logits={name: tuple(crops) for name, crops in row.base_logits},
        provenance=Provenance(
            family=row.family,
            weights_sha256=row.weights_sha256,
            preprocessing_version=row.preprocessing_version,
            waveform_sha256=row.waveform_sha256,
            software_version=row.software_version,
            made_at=row.made_at,
            backend=row.backend or "",
        ),
    )
