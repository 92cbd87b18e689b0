"""The engine: one family of networks, loaded, verified and ready to score.

Batch invariance (DESIGN decision 3): every pass through the network holds the
same number of crops, padded with zeros where ECGs run out. The shape of a
computation never depends on how many ECGs were asked for, so an ECG's logits
are the same alone, in any batch and in any order.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ecgdash import __version__
from ecgdash.domain.ecg import EcgRecord, EcgRef
from ecgdash.domain.leads import LEADS_OF_SET
from ecgdash.domain.model import FamilyCard
from ecgdash.domain.pairs import TteEcgPair
from ecgdash.domain.prediction import NotApplicable, Prediction, Provenance, VariantScore
from ecgdash.errors import InputDoesNotFitModel
from ecgdash.inference.device import resolve_device, use_threads
from ecgdash.inference.gate import gate
from ecgdash.inference.history import history_terms_from_tensors
from ecgdash.inference.manifest import InstalledFamily, find_family, load_card, verify_family
from ecgdash.inference.two_pass import BaseScored, score_course
from ecgdash.nets.family import FamilyConfig, FamilyNet
from ecgdash.nets.registry import architecture
from ecgdash.signal.preprocess import (
    CROP_S,
    N_CROPS,
    PREPROCESSING_VERSION,
    preprocess_crops,
)
from ecgdash.signal.window import scored_window

__all__ = ["Engine"]


class Engine:
    """Scores ECGs with one family; make it with `Engine.load`.

    Attributes
    ----------
    card : FamilyCard
    labels : tuple of str
        The cart's labels that the pretraining branch gives.
    history_terms : dict of str to HistoryTerm
        What a history adds to a variant's logit.
    """

    def __init__(
        self,
        card: FamilyCard,
        net: FamilyNet,
        *,
        labels: tuple[str, ...],
        ecgs_per_batch: int,
        device: torch.device,
    ) -> None:
        self.card = card
        self.labels = labels
        self.net = net.to(device).eval().requires_grad_(False)
        self._device = device
        self._ecgs_per_batch = ecgs_per_batch
        tensors = {
            name: tensor.cpu().numpy()
            for name, tensor in net.state_dict().items()
            if "perceptron" in name or "final_layer" in name
        }
        self.history_terms = history_terms_from_tensors(tensors)

    @classmethod
    def load(
        cls,
        family: str,
        device: str = "auto",
        models_dir: Path | None = None,
        *,
        threads: int = 1,
    ) -> "Engine":
        """Load an installed family, its files verified against the manifest.

        Parameters
        ----------
        family : str
            For instance "deepecg-lvsd-12".
        device : str
            auto, cpu, cuda or cuda:N.
        models_dir : Path, optional
            Folder with `manifest.toml`; the repository's own by default.
        threads : int
            PyTorch threads of this process.

        Raises
        ------
        WeightsMissing, WeightsHashMismatch, InputDoesNotFitModel
        """
        use_threads(threads)
        row = find_family(family, models_dir)
        verify_family(row)
        return cls._from_row(row, resolve_device(device))

    @classmethod
    def _from_row(cls, row: InstalledFamily, device: torch.device) -> "Engine":
        from safetensors.torch import load_file

        card, sizes = load_card(row)
        if card.preprocessing_version != PREPROCESSING_VERSION:
            raise InputDoesNotFitModel(
                f"{card.family} was trained with preprocessing {card.preprocessing_version}",
                accepted=f"This version does preprocessing {PREPROCESSING_VERSION}",
                todo="Install the version of ECGDash that belongs to the weights",
            )
        arch = architecture(card.architecture, len(LEADS_OF_SET[card.lead_set]))
        net = FamilyNet(FamilyConfig(arch.config, len(sizes.labels), sizes.history_hidden))
        net.load_state_dict(load_file(row.weights_path))
        return cls(
            card, net, labels=sizes.labels, ecgs_per_batch=arch.ecgs_per_batch, device=device
        )

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the variants, in the order of the logits."""
        return tuple(variant.variant for variant in self.card.variants)

    @property
    def leads(self) -> tuple[str, ...]:
        """Leads the family reads, in order."""
        return LEADS_OF_SET[self.card.lead_set]

    def crops(self, record: EcgRecord) -> NDArray[np.float32]:
        """Prepare one record's scored window: float32 (3, n_leads, 2250), millivolts.

        Raises
        ------
        InputDoesNotFitModel
            If leads are missing or the window is shorter than 9 s.
        """
        missing = [name for name in self.leads if name not in record.leads]
        if missing:
            raise InputDoesNotFitModel(
                f"{self.card.family} needs leads {', '.join(missing)}",
                accepted=f"This ECG holds {', '.join(record.leads)}",
            )
        rows = [record.leads.index(name) for name in self.leads]
        window = scored_window(record.signal_mv, record.sampling_hz)
        return preprocess_crops(record.signal_mv[rows, window.slice], record.sampling_hz)

    def base_logits(self, records: Iterable[EcgRecord]) -> NDArray[np.float64]:
        """Return the logits without history, shape (n, n_variants, 3 crops)."""
        return self._run(map(self.crops, records), labels=False)

    def base_logits_from_crops(self, crops: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the logits without history of prepared crops.

        Parameters
        ----------
        crops : ndarray of float32, shape (n, 3, n_leads, 2250)

        Returns
        -------
        ndarray of float64, shape (n, n_variants, 3)
        """
        return self._run(iter(crops), labels=False)

    def label_logits(self, records: Iterable[EcgRecord]) -> NDArray[np.float64]:
        """Return the logits of the cart's labels, shape (n, n_labels, 3 crops)."""
        return self._run(map(self.crops, records), labels=True)

    def label_scores(self, records: Sequence[EcgRecord]) -> list[dict[str, float]]:
        """Return the head's score of each label, the mean over the crops.

        Returns
        -------
        list of dict of str to float
            In [0, 1], higher means present; not probabilities. Empty for a record
            that lacks leads or samples, or is shorter than 9 s.
        """
        usable = [i for i, record in enumerate(records) if self._is_readable(record)]
        logits = self.label_logits(records[i] for i in usable)
        means = (1.0 / (1.0 + np.exp(-logits))).mean(axis=-1)
        found: list[dict[str, float]] = [{} for _ in records]
        for i, row in zip(usable, means.tolist(), strict=True):
            found[i] = dict(zip(self.labels, row, strict=True))
        return found

    def _is_readable(self, record: EcgRecord) -> bool:
        if not set(self.leads) <= set(record.leads):
            return False
        window = scored_window(record.signal_mv, record.sampling_hz)
        if window.stop - window.start < CROP_S * record.sampling_hz - 1e-6:
            return False
        return bool(np.isfinite(record.signal_mv[:, window.slice]).all())

    def _run(self, crops: Iterator[NDArray[np.float32]], *, labels: bool) -> NDArray[np.float64]:
        n_outputs = len(self.labels) if labels else len(self.variants)
        parts = [self._run_batch(batch, labels) for batch in _chunks(crops, self._ecgs_per_batch)]
        if not parts:
            return np.empty((0, n_outputs, N_CROPS))
        return np.concatenate(parts)

    def _run_batch(self, crops: Sequence[NDArray[np.float32]], labels: bool) -> NDArray[np.float64]:
        n, size = len(crops), self._ecgs_per_batch
        padded = np.zeros((size * N_CROPS, *self.net.input_shape), dtype=np.float32)
        padded[: n * N_CROPS] = np.concatenate(crops)  # (n, 3, leads, t) -> (3 n, leads, t)
        x = torch.from_numpy(padded).to(self._device)
        with torch.inference_mode():
            logits = self.net.label_logits(x) if labels else self.net(x)
        by_ecg = logits.cpu().double().numpy().reshape(size, N_CROPS, -1)[:n]
        moved: NDArray[np.float64] = by_ecg.transpose(0, 2, 1)  # (n, 3, out) -> (n, out, 3)
        return moved

    def score_course(
        self,
        refs: Sequence[EcgRef | None],
        base_logits: NDArray[np.float64],
        pairs: Sequence[TteEcgPair],
    ) -> list[dict[str, VariantScore | NotApplicable]]:
        """Score the analysable ECGs of one patient from their base logits.

        Parameters
        ----------
        refs : sequence of EcgRef or None
            None for an undated ECG.
        base_logits : ndarray, shape (n, n_variants, 3)
        pairs : sequence of TteEcgPair
            Of the same patient, formed over the whole record.
        """
        ecgs = [BaseScored(ref, row) for ref, row in zip(refs, base_logits, strict=True)]
        return score_course(self.card, self.history_terms, ecgs, pairs)

    def score_cohort(
        self, records: Sequence[EcgRecord], pairs: Sequence[TteEcgPair]
    ) -> list[Prediction]:
        """Score records of any number of patients.

        Patients are told apart by `patient_id`; a record without one stands
        alone. The pairs' keys are the records' content hashes.

        Returns
        -------
        list of Prediction
            One a record, in order. A record that the gate withholds, or that
            lacks leads, has `NotApplicable` with the reason in every variant,
            and enters no history.
        """
        withheld = [self._why_withheld(record) for record in records]
        usable = [i for i, reason in enumerate(withheld) if reason is None]
        logits = dict(zip(usable, self.base_logits(records[i] for i in usable), strict=True))
        scores: dict[int, dict[str, VariantScore | NotApplicable]] = {}
        pairs_of: dict[str, list[TteEcgPair]] = {}
        for pair in pairs:
            pairs_of.setdefault(pair.echo.patient_id, []).append(pair)
        for patient_id, members in _by_patient(records, usable):
            refs = [_ref(records[i]) for i in members]
            course = self.score_course(
                refs, np.stack([logits[i] for i in members]), pairs_of.get(patient_id or "", [])
            )
            scores.update(zip(members, course, strict=True))
        made_at = datetime.now(UTC)
        return [
            self._prediction(record, scores.get(i), withheld[i], logits.get(i), made_at)
            for i, record in enumerate(records)
        ]

    def _why_withheld(self, record: EcgRecord) -> str | None:
        missing = [name for name in self.leads if name not in record.leads]
        if missing:
            return f"score withheld: leads {', '.join(missing)} not recorded"
        result = gate(record, lead_set=self.card.lead_set)
        return None if result.analysable else f"score withheld: {'; '.join(result.reasons)}"

    def _prediction(
        self,
        record: EcgRecord,
        scores: dict[str, VariantScore | NotApplicable] | None,
        reason: str | None,
        logits: NDArray[np.float64] | None,
        made_at: datetime,
    ) -> Prediction:
        provenance = Provenance(
            family=self.card.family,
            weights_sha256=self.card.weights_sha256,
            preprocessing_version=PREPROCESSING_VERSION,
            waveform_sha256=record.sha256,
            software_version=__version__,
            made_at=made_at,
        )
        base = {} if logits is None else _crop_logits(self.variants, logits)
        withheld = {name: NotApplicable(reason or "not scored") for name in self.variants}
        return Prediction(record.sha256, self.card.lead_set, scores or withheld, base, provenance)


def _ref(record: EcgRecord) -> EcgRef | None:
    if record.recorded_at is None or record.local_day is None:
        return None
    return EcgRef(record.sha256, record.recorded_at, record.local_day)


def _by_patient(
    records: Sequence[EcgRecord], usable: Sequence[int]
) -> Iterator[tuple[str | None, list[int]]]:
    groups: dict[str, list[int]] = {}
    for i in usable:
        patient_id = records[i].patient_id
        if patient_id is None:
            yield None, [i]
        else:
            groups.setdefault(patient_id, []).append(i)
    yield from groups.items()


def _chunks(crops: Iterator[NDArray[np.float32]], size: int) -> Iterator[list[NDArray[np.float32]]]:
    while chunk := list(islice(crops, size)):
        yield chunk


def _crop_logits(
    variants: Sequence[str], logits: NDArray[np.float64]
) -> dict[str, tuple[float, ...]]:
    return {name: tuple(row) for name, row in zip(variants, logits.tolist(), strict=True)}
