"""An engine for a network that others trained, as its spec tells (docs/external-models.md).

Batch invariance (DESIGN decision 3) by construction: the network is given one crop a pass, so
no other ECG can move a score. What a history adds comes from `history.safetensors` beside the
weights, where one was fitted; the base logits of all variants are then the same.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.ecg import EcgRecord
from ecgdash.domain.model import UNCALIBRATED, FamilyCard
from ecgdash.errors import InputDoesNotFitModel, WeightsMissing
from ecgdash.inference.backends import TorchBackend
from ecgdash.inference.device import use_threads
from ecgdash.inference.external_keys import read_spec
from ecgdash.inference.external_network import Network, open_network
from ecgdash.inference.external_process import IsolatedNet
from ecgdash.inference.external_spec import EXTRA_INPUTS, ExternalSpec
from ecgdash.inference.history import HistoryTerm, load_history_terms, logit
from ecgdash.inference.manifest import beside_path, find_family, load_card, verify_family
from ecgdash.inference.two_pass import CourseScorer
from ecgdash.signal.leads import LIMB_FROM_I_II
from ecgdash.signal.model_input import InputRules, mean_magnitude, model_crops
from ecgdash.signal.window import scored_window

__all__ = ["ExternalEngine"]

_SMALLEST_MAGNITUDE: Final = 1e-9


class ExternalEngine(CourseScorer):
    """Scores ECGs with an external network; make it with `ExternalEngine.load`.

    Attributes
    ----------
    card : FamilyCard
    spec : ExternalSpec
    labels : tuple of str
        Empty: it judges no rhythm or conduction.
    history_terms : dict of str to HistoryTerm
        What a history adds to a variant's logit; empty: none was fitted.
    """

    labels: tuple[str, ...] = ()

    def __init__(
        self,
        card: FamilyCard,
        spec: ExternalSpec,
        make_network: Callable[[], Network],
        history_terms: Mapping[str, HistoryTerm] | None = None,
    ) -> None:
        self.card, self.spec = card, spec
        self.history_terms = dict(history_terms or {})
        self._make_network = make_network
        self._network: Network | None = None
        lacking = [
            name for name in self.variants if name not in (UNCALIBRATED, *self.history_terms)
        ]
        if lacking:
            raise WeightsMissing(
                f"no history term for {', '.join(lacking)}",
                where=card.family,
                todo="Fit it again with 'python -m ecgdash train recalibrate'",
            )

    @classmethod
    def load(
        cls, family: str, models_dir: Path | None = None, *, threads: int = 1
    ) -> "ExternalEngine":
        """Load an installed external family, its files verified against the manifest.

        The network itself starts with the first ECG.

        Raises
        ------
        WeightsMissing, WeightsHashMismatch, InputDoesNotFitModel
        """
        use_threads(threads)
        row = find_family(family, models_dir)
        verify_family(row)
        card, _ = load_card(row)
        spec_path, history = beside_path(row, "spec"), beside_path(row, "history")
        if spec_path is None:
            raise WeightsMissing(f"{family} has no spec", where="models/manifest.toml")
        spec = read_spec(spec_path)
        if spec.preprocessing_version != card.preprocessing_version:
            raise InputDoesNotFitModel(
                f"the card of {family} is of other rules of preprocessing than its spec",
                accepted=f"The spec's number is {spec.preprocessing_version}",
                todo="Add the file again with 'python -m ecgdash models add'",
            )
        terms = {} if history is None else load_history_terms(history)
        raw = row.weights_path
        return cls(card, spec, lambda: open_network(raw.read_bytes(), spec, family), terms)

    @property
    def leads(self) -> tuple[str, ...]:
        """Leads the network reads, in its order."""
        return self.spec.leads

    @property
    def extra_inputs(self) -> str:
        """What is handed over beside the ECG; see `external_spec.EXTRA_INPUTS`."""
        return self.spec.extra_inputs

    @property
    def computed_by(self) -> str:
        """What carries out the network, for provenance: "torch 2.13.0 float32 cpu".

        A TorchScript file runs in a process of its own, which is said; safetensors of an
        architecture that ECGDash knows run in this one.
        """
        told = f"torch {TorchBackend.version} {self.spec.number_type} cpu"
        return f"{told}, TorchScript" if self.spec.format == "torchscript" else told

    @property
    def network(self) -> Network:
        """The network, started when first asked for, or when its process was ended."""
        if self._network is None or (
            isinstance(self._network, IsolatedNet) and self._network.ended
        ):
            self._network = self._make_network()
        return self._network

    def close(self) -> None:
        """End the network's process, if there is one; the next ECG starts another."""
        if isinstance(self._network, IsolatedNet):
            self._network.close()
        self._network = None

    def crops(self, record: EcgRecord) -> NDArray[np.float64]:
        """Prepare one record: shape (n_crops, n_leads, n_samples), in the network's unit.

        Raises
        ------
        InputDoesNotFitModel
            If leads are missing.
        """
        window = scored_window(record.signal_mv, record.sampling_hz)
        signal = np.stack([self._lead(record, name, window.slice) for name in self.leads])
        spec = self.spec
        rules = InputRules(
            spec.sampling_hz,
            spec.n_samples,
            spec.resampling,
            spec.band_hz,
            spec.crops,
            spec.if_short,
        )
        crops = model_crops(signal, record.sampling_hz, rules)
        if spec.normalise_to is not None:
            at = self.leads.index("I")
            found = np.array([mean_magnitude(crop[at]) for crop in crops])
            crops = (
                crops * (spec.normalise_to / np.maximum(found, _SMALLEST_MAGNITUDE))[:, None, None]
            )
        return crops / spec.divide_by

    def _lead(self, record: EcgRecord, name: str, window: slice) -> NDArray[np.float64]:
        held = record.leads
        if name in held:
            return record.signal_mv[held.index(name), window].astype(np.float64)
        if name in LIMB_FROM_I_II and {"I", "II"} <= set(held):
            parts = zip(LIMB_FROM_I_II[name], ("I", "II"), strict=True)
            rows = [a * record.signal_mv[held.index(lead), window] for a, lead in parts]
            derived: NDArray[np.float64] = np.sum(rows, axis=0, dtype=np.float64)
            return derived
        raise InputDoesNotFitModel(
            f"{self.card.family} needs lead {name}",
            accepted=f"This ECG holds {', '.join(held)}",
        )

    def outputs(
        self, crops: NDArray[np.floating], extra: Sequence[float] | None = None
    ) -> NDArray[np.float64]:
        """Run the network on crops as one batch; return (n, n_outputs) as it gives them.

        Raises
        ------
        InputDoesNotFitModel
            If the output has another shape than the spec tells, or is not finite.
        """
        found = self.network(*self._inputs(crops, extra))
        n, n_outputs = len(crops), self.spec.n_outputs
        if found.size != n * n_outputs or (found.ndim > 1 and found.shape[0] != n):
            raise self._unfit(
                f"its output for {n} ECG{'s' if n > 1 else ''} has the shape {found.shape}",
                f"Its spec tells {n_outputs} for an ECG",
            )
        found = found.reshape(n, n_outputs)
        if not np.isfinite(found).all():
            raise self._unfit("its output holds NaN or infinity", "Accepted: finite numbers")
        return found

    def _inputs(
        self, crops: NDArray[np.floating], extra: Sequence[float] | None
    ) -> list[NDArray[np.floating]]:
        layout, width = self.spec.layout, EXTRA_INPUTS[self.spec.extra_inputs]
        x = crops if layout == "leads-samples" else crops.transpose(0, 2, 1)
        if layout == "1-samples-leads":
            x = x[:, np.newaxis]  # (n, samples, leads) -> (n, 1, samples, leads)
        if not width:
            return [x]
        # an ECG without a known history has 0 everywhere, as in the network's training
        row = np.zeros(width) if extra is None else np.asarray(extra, dtype=np.float64)
        return [x, np.repeat(row[np.newaxis], len(crops), axis=0)]

    def logits(self, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn outputs (n, n_outputs) into logits of the label, shape (n,)."""
        chosen: NDArray[np.float64] = outputs[:, self.spec.output_index]
        if self.spec.activation == "sigmoid":
            return chosen
        if self.spec.activation == "none":
            if ((chosen < 0) | (chosen > 1)).any():
                raise self._unfit(
                    f"its output is {chosen.min():.3g} to {chosen.max():.3g}",
                    "With activation 'none' it must lie in 0 to 1",
                )
            return logit(chosen)
        others = np.delete(outputs, self.spec.output_index, axis=1)
        top = others.max(axis=1)
        rest = top + np.log(np.exp(others - top[:, np.newaxis]).sum(axis=1))
        difference: NDArray[np.float64] = chosen - rest
        return difference

    def _unfit(self, what: str, accepted: str) -> InputDoesNotFitModel:
        return InputDoesNotFitModel(
            what,
            where=self.card.family,
            accepted=accepted,
            todo="Compare the spec with the network's source",
        )

    def base_logits(
        self, records: Iterable[EcgRecord], extra: Sequence[Sequence[float]] | None = None
    ) -> NDArray[np.float64]:
        """Return the logits without history, shape (n, n_variants, n_crops).

        Parameters
        ----------
        records : iterable of EcgRecord
        extra : sequence of sequence of float, optional
            One row a record of what `extra_inputs` names; without it zeros, as for a patient
            without any echo.
        """
        rows = [
            self._of_one(self.crops(record), None if extra is None else extra[i])
            for i, record in enumerate(records)
        ]
        if not rows:
            return np.empty((0, len(self.variants), self.spec.n_crops))
        return np.repeat(np.stack(rows)[:, np.newaxis], len(self.variants), axis=1)

    def _of_one(
        self, crops: NDArray[np.float64], extra: Sequence[float] | None
    ) -> NDArray[np.float64]:
        found = [self.logits(self.outputs(crop[np.newaxis], extra)) for crop in crops]
        return np.concatenate(found)

    def label_scores(self, records: Sequence[EcgRecord]) -> list[dict[str, float]]:
        """Return nothing for each record: there is no head of labels."""
        return [{} for _ in records]
