"""The engine: one family of networks, loaded, verified and ready to score.

An ECG's logits are the same alone, in any batch and in any order (DESIGN decision 3): see
`inference.batches`. What carries the networks out is a backend, see `inference.backends`.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from ecgdash.domain.ecg import EcgRecord
from ecgdash.domain.leads import LEADS_OF_SET
from ecgdash.domain.model import FamilyCard
from ecgdash.domain.pairs import TteEcgPair
from ecgdash.domain.prediction import Prediction
from ecgdash.errors import InputDoesNotFitModel
from ecgdash.inference.backend_choice import BackendWish, Chosen, choose_backend, lower_backends
from ecgdash.inference.backends import Backend, Head
from ecgdash.inference.batches import Batches
from ecgdash.inference.cohort import score_records
from ecgdash.inference.crops import SharedCrops, can_be_read, copy_crops, write_crops
from ecgdash.inference.device import (
    preparing_workers,
    resolve_device,
    use_ieee_float32,
    use_threads,
)
from ecgdash.inference.history import history_terms_from_tensors
from ecgdash.inference.manifest import InstalledFamily, find_family, load_card, verify_family
from ecgdash.inference.precision_record import lower_precisions
from ecgdash.inference.two_pass import CourseScorer
from ecgdash.inference.weights import net_with_weights
from ecgdash.nets.family import FamilyConfig, FamilyNet
from ecgdash.nets.registry import architecture
from ecgdash.signal.preprocess import N_CROPS, PREPROCESSING_VERSION

__all__ = ["Engine"]

Crops = NDArray[np.float32]
Logits = NDArray[np.float64]

_CUDA_ECGS_PER_BATCH: Final = 64
"""Fixed as on the CPU, but larger: a pass of three crops leaves a GPU idle. On the card it was
measured on, depth 152 lost a tenth against 128 ECGs a pass (decision 0019)."""


class Engine(CourseScorer):
    """Scores ECGs with one family; make it with `Engine.load`.

    Attributes
    ----------
    card : FamilyCard
    labels : tuple of str
        The cart's labels that the pretraining branch gives.
    history_terms : dict of str to HistoryTerm
        What a history adds to a variant's logit.
    net : FamilyNet
        The network itself, in PyTorch; explanations are of it whatever the backend.
    shared_crops : SharedCrops or None
        To be set where several engines read the same records: each is prepared once for them all.
    """

    def __init__(
        self,
        card: FamilyCard,
        net: FamilyNet,
        *,
        labels: tuple[str, ...],
        ecgs_per_batch: int,
        device: torch.device,
        wish: BackendWish | None = None,
    ) -> None:
        self.card = card
        self.labels = labels
        self.net = net.to(device).eval().requires_grad_(False)
        self._device = device
        on_cuda = device.type == "cuda"
        if on_cuda:
            use_ieee_float32()
        self._ecgs_per_batch = max(ecgs_per_batch, _CUDA_ECGS_PER_BATCH if on_cuda else 0)
        self._wish = wish or BackendWish()
        self.shared_crops: SharedCrops | None = None
        self._chosen: Chosen | None = None
        self._choosing = threading.Lock()
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
        backend: str = "torch",
        precision: str = "float32",
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
            Of the backend. With more than one a further thread, and on a GPU several, prepare the
            next ECGs while the network works.
        backend : {"torch", "auto", "openvino"}
            "auto" measures at the first pass; the same bits every time need a named one.
        precision : {"float32", "auto"}
            "auto" takes a lower one where a record beside the weights says that it passed for
            this backend.

        Raises
        ------
        WeightsMissing, WeightsHashMismatch, InputDoesNotFitModel, InvalidValue
        """
        use_threads(threads)
        row = find_family(family, models_dir)
        verify_family(row)
        wish = BackendWish(backend, threads, lower_precisions(row, precision))
        return cls._from_row(row, resolve_device(device), wish)

    @classmethod
    def _from_row(cls, row: InstalledFamily, device: torch.device, wish: BackendWish) -> "Engine":
        card, sizes = load_card(row)
        if card.external:
            raise InputDoesNotFitModel(f"{card.family} is an external family, not looked into")
        if card.preprocessing_version != PREPROCESSING_VERSION:
            raise InputDoesNotFitModel(
                f"{card.family} was trained with preprocessing {card.preprocessing_version}",
                accepted=f"This version does preprocessing {PREPROCESSING_VERSION}",
                todo="Install the version of ECGDash that belongs to the weights",
            )
        arch = architecture(card.architecture, len(LEADS_OF_SET[card.lead_set]))
        config = FamilyConfig(arch.config, len(sizes.labels), sizes.history_hidden)
        net = net_with_weights(config, row.weights_path)
        return cls(
            card,
            net,
            labels=sizes.labels,
            ecgs_per_batch=arch.ecgs_per_batch,
            device=device,
            wish=wish,
        )

    @property
    def chosen(self) -> Chosen:
        """The backend, chosen and compiled on first use."""
        with self._choosing:
            if self._chosen is None:
                self._chosen = choose_backend(
                    self.net,
                    self._device,
                    self._ecgs_per_batch * N_CROPS,
                    self._wish,
                    self.card.weights_sha256,
                )
            return self._chosen

    @property
    def backend_name(self) -> str:
        """What carries out the networks: torch or openvino."""
        return self.chosen.backend.name

    @property
    def backend_ratio(self) -> float | None:
        """How many times as fast as torch openvino was here; None: not measured."""
        return self.chosen.ratio

    @property
    def precision(self) -> str:
        """Of the networks: float32, or a lower one that passed for these weights."""
        return self.chosen.backend.precision

    @property
    def computed_by(self) -> str:
        """What carried out the passes, for provenance: "torch 2.13.0 float32 cpu".

        "" before the first pass: to ask never chooses or compiles a backend.
        """
        if self._chosen is None:
            return ""
        backend = self._chosen.backend
        return f"{backend.name} {backend.version} {backend.precision} {self._device.type}"

    @property
    def processor(self) -> str:
        """The GPU that the networks run on, by name; "": a CPU."""
        on_cuda = self._device.type == "cuda"
        return str(torch.cuda.get_device_name(self._device)) if on_cuda else ""

    def lower_backends(self) -> list[tuple[str, Backend]]:
        """Return this machine's backends below float32, by the name of their record."""
        n_crops = self._ecgs_per_batch * N_CROPS
        return lower_backends(self.net, self._device, n_crops, self._wish.threads)

    @property
    def leads(self) -> tuple[str, ...]:
        """Leads the family reads, in order."""
        return LEADS_OF_SET[self.card.lead_set]

    def crops(self, record: EcgRecord) -> Crops:
        """Prepare one record's scored window: float32 (3, n_leads, 2250), millivolts.

        Raises
        ------
        InputDoesNotFitModel
            If leads are missing or the window is shorter than 9 s.
        """
        out = np.empty((1, N_CROPS, *self.net.input_shape), np.float32)
        self._prepare([record], out)
        crops: Crops = out[0]
        return crops

    def _prepare(self, records: Sequence[EcgRecord], out: Crops) -> None:
        write = write_crops if self.shared_crops is None else self.shared_crops.write
        write(self.card.family, self.leads, records, out)

    def base_logits(self, records: Iterable[EcgRecord]) -> Logits:
        """Return the logits without history, shape (n, n_variants, 3 crops)."""
        return self._joined(self._batches().run(iter(records), self._prepare), "variants")

    def base_logits_from_crops(self, crops: Crops, backend: Backend | None = None) -> Logits:
        """Return the logits without history of prepared crops.

        Parameters
        ----------
        crops : ndarray of float32, shape (n, 3, n_leads, 2250)
        backend : Backend, optional
            Another one than the engine's own, as `lower_backends` gives them.

        Returns
        -------
        ndarray of float64, shape (n, n_variants, 3)
        """
        return self._joined(self._batches(backend).run(iter(crops), copy_crops), "variants")

    def label_logits(self, records: Iterable[EcgRecord]) -> Logits:
        """Return the logits of the cart's labels, shape (n, n_labels, 3 crops)."""
        return self._joined(self._batches().run(iter(records), self._prepare, "labels"), "labels")

    def label_scores(self, records: Sequence[EcgRecord]) -> list[dict[str, float]]:
        """Return the head's score of each label, the mean over the crops.

        Returns
        -------
        list of dict of str to float
            In [0, 1], higher means present; not probabilities. Empty for a record
            that lacks leads or samples, or is shorter than 9 s.
        """
        usable = [i for i, record in enumerate(records) if can_be_read(record, self.leads)]
        logits = self.label_logits(records[i] for i in usable)
        means = (1.0 / (1.0 + np.exp(-logits))).mean(axis=-1)
        found: list[dict[str, float]] = [{} for _ in records]
        for i, row in zip(usable, means.tolist(), strict=True):
            found[i] = dict(zip(self.labels, row, strict=True))
        return found

    def _batches(self, backend: Backend | None = None) -> Batches:
        shape = (self._ecgs_per_batch, N_CROPS, *self.net.input_shape)
        ahead = int(self._wish.threads > 1)
        if self._device.type == "cuda":
            ahead = preparing_workers()
        return Batches(backend or self.chosen.backend, shape, ahead=ahead)

    def _joined(self, parts: Iterator[Logits], head: Head) -> Logits:
        n_outputs = len(self.labels) if head == "labels" else len(self.variants)
        return np.concatenate([np.empty((0, n_outputs, N_CROPS)), *parts])

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
        return score_records(self, records, pairs)
