"""The end of a training: thresholds, noise floors, card, weights, manifest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ecgdash.domain.model import FamilyCard
from ecgdash.inference.manifest import (
    InstalledFamily,
    NetworkSizes,
    card_to_dict,
    read_manifest,
    sha256_of_file,
    write_manifest,
)
from ecgdash.nets.family import FamilyNet
from ecgdash.signal.preprocess import PREPROCESSING_VERSION
from ecgdash.training.checkpoint import save_weights
from ecgdash.training.config import TrainingConfig
from ecgdash.training.loop import Progress
from ecgdash.training.recalibrate import CoursePairs
from ecgdash.training.shards import Shard, write_json
from ecgdash.training.validation import ValidationData, validate_variants

__all__ = ["PackageParts", "write_family"]

LABEL: Final = "LVEF <= 40 %"

NOTES: Final = (
    "Stated in the paper: three phases, frozen blocks (2, then 3), random 9-s crops in training, "
    "three crops averaged in use, 250 Hz, 0.67-40 Hz, histories of up to 3 earlier pairs with "
    "back-filling and a flag.",
    "Not stated in the paper, our choice: order and kind of filter, no amplitude normalisation, "
    "optimiser and schedule, perceptron size, scalings of the history (scores as logits, "
    "intervals as log(1 + years), LVEF as (LVEF - 50) / 15).",
    "Other than in the paper: a small network instead of SE-ResNeXt-152; the masked history takes "
    "earlier ECGs with or without an echo; phase 3 has patients of its own.",
)

BLOCK4_FIXED: Final = "Other than in the paper: block 4 is not trained in phase 3."


@dataclass(frozen=True, eq=False)
class PackageParts:
    """What a family is made of.

    Attributes
    ----------
    baseline, follow_up : Shard
        Prepared data; only validation patients are used here.
    patients : sequence of CoursePairs
        Of `follow_up`.
    origin, log : dict
        Where the data come from; settings and figures of the training.
    """

    net: FamilyNet
    config: TrainingConfig
    labels: tuple[str, ...]
    baseline: Shard
    follow_up: Shard
    patients: Sequence[CoursePairs]
    origin: dict[str, Any]
    log: dict[str, Any]


def write_family(
    parts: PackageParts, models_dir: Path, on_progress: Progress | None = None
) -> FamilyCard:
    """Choose thresholds on validation patients, write the family, enter it in the manifest."""
    folder = models_dir / parts.config.family
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "weights.safetensors"
    save_weights(parts.net, weights)
    card = _card(parts, sha256_of_file(weights), on_progress)
    sizes = NetworkSizes(parts.net.config.history_hidden, parts.labels)
    write_json(folder / "card.json", card_to_dict(card, sizes))
    write_json(folder / "training_log.json", parts.log)
    _enter(parts.config.family, models_dir, weights, folder / "card.json")
    return card


def _card(parts: PackageParts, weights_sha256: str, on_progress: Progress | None) -> FamilyCard:
    lead_set = parts.config.lead_set
    variants = parts.net.variants
    data = ValidationData(parts.baseline, parts.follow_up, parts.patients, _words(parts))
    measured = validate_variants(parts.net, parts.config.family, data, on_progress)
    parts.log["validation"] = measured.figures
    return FamilyCard(
        family=parts.config.family,
        title=f"DeepECG LVSD, {lead_set} lead{'s' if lead_set != '1' else ''}",
        lead_set=lead_set,
        input_kind="signal",
        architecture=parts.config.architecture,
        label=LABEL,
        weights_sha256=weights_sha256,
        preprocessing_version=PREPROCESSING_VERSION,
        trained_on=_trained_on(parts),
        trained_on_simulated=bool(parts.origin["simulated"]),
        licence="Apache-2.0",
        variants=tuple(measured.cards[name] for name in variants),
        notes=NOTES if parts.config.train_block4 else (*NOTES, BLOCK4_FIXED),
    )


def _words(parts: PackageParts) -> str:
    if parts.origin["simulated"]:
        return f"simulated validation patients, seeds {parts.origin['seed']} and following"
    return "validation patients"


def _trained_on(parts: PackageParts) -> str:
    origin = parts.origin
    if not origin["simulated"]:
        return str(origin.get("description", "own data"))
    n_first, n_second = origin["pretraining_ecgs"], origin["baseline_patients"]
    return (
        f"SIMULATED patients only (seeds {origin['seed']} and {origin['seed'] + 1}): "
        f"{n_first:,} ECGs with a cart's labels, then the baseline pairs of {n_second:,} patients, "
        f"then the follow-up pairs of {origin['follow_up_patients']:,} other patients; "
        "no real patient has trained these weights"
    )


def _enter(family: str, models_dir: Path, weights: Path, card: Path) -> None:
    """Write the manifest with this family's row new and the others as they were."""
    rows = read_manifest(models_dir)
    rows[family] = InstalledFamily(
        name=family,
        folder=weights.parent,
        weights=weights.name,
        weights_sha256=sha256_of_file(weights),
        card=card.name,
        card_sha256=sha256_of_file(card),
    )
    write_manifest(rows.values(), models_dir)
