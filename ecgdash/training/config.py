"""Every setting of a training, in one place; the log writes them all down.

The paper states the phases, their freezing, the 9-s random crops, early stopping
on the validation loss and the 8:1:1 split by patient. It leaves open the
optimiser, the learning rates, the batch size, the number of epochs and the
loss's weights: our choice, for a small net on a CPU.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from ecgdash.domain.leads import LeadSet
from ecgdash.domain.model import MASKED, RECALIBRATED, UNCALIBRATED

__all__ = [
    "CONTROL_PARTS",
    "FINETUNED_PARTS",
    "FINETUNINGS",
    "FROM_PRETRAINING",
    "MASKED_PAIRS",
    "PRETRAINED_PARTS",
    "SMALL_NET",
    "Finetuning",
    "FitSettings",
    "SimulatedData",
    "TrainingConfig",
    "family_name",
    "recalibrated_parts",
]

SMALL_NET: Final = "demo"
"""The architecture of the shipped families."""

PRETRAINED_PARTS: Final = {"stem": 1.0, "block1": 1.0, "block2": 1.0, "pretraining": 1.0}
"""Phase 1 trains all it uses. Values: factors on the learning rate."""

FINETUNED_PARTS: Final = {"block3": 1.0, f"branches.{UNCALIBRATED}": 1.0}
"""Phase 2 keeps the first two blocks of phase 1 (paper 000)."""


CONTROL_PARTS: Final = {
    "stem": 1.0,
    "block1": 1.0,
    "block2": 1.0,
    "block3": 1.0,
    f"branches.{UNCALIBRATED}": 1.0,
}
"""The control starts from random weights and freezes nothing (paper 000, "without pretraining")."""

MASKED_PAIRS: Final = "masked_pairs"
"""The paper's own masked rule: earlier ECGs with an echo only, their LVEF masked."""


@dataclass(frozen=True)
class Finetuning:
    """One way to train phase 2.

    Attributes
    ----------
    name : str
        Of its checkpoints.
    pretrained : bool
        From phase 1's weights, stem and blocks 1 and 2 frozen; else from random ones.
    n_pairs : int or None
        Training pairs, of as many patients; None: all.
    epochs, learning_rate : int, float, or None
        In place of the settings of phase 2; None: as they are. All of a network needs more
        epochs than its upper half, and few pairs more than many: our choice, the paper
        states no epochs.
    """

    name: str
    pretrained: bool
    n_pairs: int | None = None
    epochs: int | None = None
    learning_rate: float | None = None


FROM_PRETRAINING: Final = Finetuning("finetune", True)
FINETUNINGS: Final = (
    FROM_PRETRAINING,
    Finetuning("control", False, epochs=8, learning_rate=3e-3),
    Finetuning("finetune_2000", True, 2_000, epochs=24),
    Finetuning("control_2000", False, 2_000, epochs=24, learning_rate=3e-3),
)
"""The paper's phase 2, its control, and both at 2,000 pairs, where pretraining should matter."""


def recalibrated_parts(variant: str, *, train_block4: bool) -> dict[str, float]:
    """Return what phase 3 trains: the first three blocks stay as phase 2 left them.

    Parameters
    ----------
    variant : {"masked", "recalibrated"}
    train_block4 : bool
        The paper leaves block 4 free; without it only the perceptron and the
        head learn, and pooled features can be computed once.
    """
    if variant not in (MASKED, RECALIBRATED):
        raise ValueError(variant)
    branch = f"branches.{variant}."
    parts = {branch + "perceptron": 1.0, branch + "final_layer": 0.1, branch + "dropout": 1.0}
    return parts | ({branch + "block4": 0.1} if train_block4 else {})


@dataclass(frozen=True)
class FitSettings:
    """Settings of one phase.

    Attributes
    ----------
    learning_rate : float
        Peak of the one-cycle schedule.
    warm_up : float
        Share of the steps before the peak.
    batch_size : int
        ECGs a step, over all processes.
    patience : int
        Epochs without a better validation loss before it stops.
    bf16 : bool
        Automatic mixed precision; 1.3 times faster where the processor has it.
    accumulate : int
        Micro-batches in which each process computes its share of a step's batch, for nets
        whose batch does not fit its memory. BatchNorm normalises within a micro-batch.
    """

    epochs: int
    learning_rate: float
    batch_size: int = 64
    weight_decay: float = 0.02
    warm_up: float = 0.2
    patience: int = 3
    bf16: bool = False
    accumulate: int = 1


@dataclass(frozen=True)
class SimulatedData:
    """How many simulated ECGs and patients each phase sees, and their seeds.

    Phase 3 has patients of its own: the uncalibrated scores in their histories
    then come from a model that never saw them, as they will in use. In the
    paper the patients are the same ones.
    """

    pretraining_ecgs: int = 32_000
    baseline_patients: int = 24_000
    follow_up_patients: int = 18_000
    seed: int = 1


@dataclass(frozen=True)
class TrainingConfig:
    """One training from random weights to a family on disk.

    Attributes
    ----------
    architecture : str
        A row of `nets.registry`: "demo", or "se-resnext-152", the paper's own.
    device : {"cpu", "cuda", "auto"}
        Where it trains; "auto" takes a CUDA device if there is one.
    train_block4 : bool
        Whether phase 3 trains block 4 too, as the paper does: it freezes the
        first three blocks. Without it pooled features are computed once, which
        takes a fifth of the time; on the simulated validation patients block 4
        was worth 0.003 AUROC (masked) and nothing (recalibrated).
    """

    family: str = "deepecg-lvsd-12"
    architecture: str = SMALL_NET
    lead_set: LeadSet = "12"
    seed: int = 1
    loader_processes: int = 1
    device: str = "cpu"
    pretrain: FitSettings = field(default_factory=lambda: FitSettings(epochs=6, learning_rate=3e-3))
    finetune: FitSettings = field(default_factory=lambda: FitSettings(epochs=5, learning_rate=2e-3))
    recalibrate: FitSettings = field(
        default_factory=lambda: FitSettings(
            epochs=8, learning_rate=3e-3, batch_size=128, patience=3
        )
    )
    train_block4: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return all settings, for the log."""
        return asdict(self)

    def deciding(self, n_processes: int) -> dict[str, Any]:
        """Return what decides a training's outcome, beside its data, for its checkpoints.

        Not the device, and not how the micro-batches of a step are shared out; a training goes
        on with others of these. A step in one micro-batch says nothing of micro-batches, as
        it did before there were any: checkpoints of that time are resumed.

        Parameters
        ----------
        n_processes : int
            That train together.
        """
        out = asdict(replace(self, loader_processes=0))
        del out["device"]
        for name in ("pretrain", "finetune", "recalibrate"):
            n_parts = out[name].pop("accumulate") * n_processes
            if n_parts > 1:
                out[name]["micro_batches"] = n_parts
        return out


def family_name(architecture: str, lead_set: LeadSet) -> str:
    """Return the name of the family of an architecture and a lead set.

    "deepecg-lvsd-12" is the shipped one, of the small net; others carry the end of their
    architecture's name: "deepecg-lvsd-12-152".
    """
    name = f"deepecg-lvsd-{lead_set}"
    return name if architecture == SMALL_NET else f"{name}-{architecture.rsplit('-', 1)[-1]}"
