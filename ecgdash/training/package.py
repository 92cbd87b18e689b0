"""The end of a training: what the card states, weights, manifest."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch

from ecgdash.domain.model import FamilyCard
from ecgdash.inference.engine import Engine
from ecgdash.inference.manifest import (
    InstalledFamily,
    NetworkSizes,
    card_to_dict,
    read_manifest,
    sha256_of_file,
    write_manifest,
)
from ecgdash.inference.self_check import make_self_check
from ecgdash.nets.family import FamilyNet
from ecgdash.nets.registry import architecture
from ecgdash.signal.preprocess import PREPROCESSING_VERSION
from ecgdash.training.card_words import (
    chosen,
    differs,
    label_definition,
    must_not,
    notes,
    side_words,
)
from ecgdash.training.checkpoint import save_weights
from ecgdash.training.config import TrainingConfig
from ecgdash.training.counts import training_parts
from ecgdash.training.loop import Progress
from ecgdash.training.recalibrate import CoursePairs
from ecgdash.training.shards import Shard, write_json
from ecgdash.training.validation import ValidationData, validate_variants

__all__ = ["PackageParts", "enter_family", "write_family"]

LABEL: Final = "LVEF <= 40 %"
WEIGHTS_NAME: Final = "weights.safetensors"
CARD_NAME: Final = "card.json"


@dataclass(frozen=True, eq=False)
class PackageParts:
    """What a family is made of.

    Attributes
    ----------
    pretraining, baseline, follow_up : Shard
        Prepared data: counted, and those of validation and test patients scored.
    patients : sequence of CoursePairs
        Of `follow_up`.
    origin, log : dict
        Where the data come from; settings and figures of the training.
    """

    net: FamilyNet
    config: TrainingConfig
    labels: tuple[str, ...]
    pretraining: Shard
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
    weights = folder / WEIGHTS_NAME
    save_weights(parts.net, weights)
    card = _checked(parts, _card(parts, sha256_of_file(weights), on_progress))
    sizes = NetworkSizes(parts.net.config.history_hidden, parts.labels)
    write_json(folder / CARD_NAME, card_to_dict(card, sizes))
    write_json(folder / "training_log.json", parts.log)
    enter_family(parts.config.family, models_dir)
    return card


def _card(parts: PackageParts, weights_sha256: str, on_progress: Progress | None) -> FamilyCard:
    config, origin = parts.config, parts.origin
    lead_set = config.lead_set
    variants = parts.net.variants
    words = side_words(origin)
    data = ValidationData(parts.baseline, parts.follow_up, parts.patients, words)
    measured = validate_variants(parts.net, config.family, data, on_progress)
    parts.log["validation"] = measured.figures
    return FamilyCard(
        family=config.family,
        title=f"DeepECG LVSD, {lead_set} lead{'s' if lead_set != '1' else ''}",
        lead_set=lead_set,
        input_kind="signal",
        architecture=config.architecture,
        label=LABEL,
        weights_sha256=weights_sha256,
        preprocessing_version=PREPROCESSING_VERSION,
        trained_on=_trained_on(parts),
        trained_on_simulated=bool(origin["simulated"]),
        licence="Apache-2.0",
        variants=tuple(measured.cards[name] for name in variants),
        notes=notes(config, len(parts.labels)),
        label_definition=label_definition(origin),
        must_not=must_not(origin, lead_set),
        chosen=chosen(config, origin),
        differs=differs(config, origin),
        training_data=training_parts(parts.pretraining, parts.baseline, parts.patients),
    )


def _checked(parts: PackageParts, card: FamilyCard) -> FamilyCard:
    """Add a score that the engine gives with these weights, on the CPU, as `models verify` does."""
    net = FamilyNet(parts.net.config)
    net.load_state_dict({name: value.cpu() for name, value in parts.net.state_dict().items()})
    engine = Engine(
        card,
        net,
        labels=parts.labels,
        ecgs_per_batch=architecture(card.architecture).ecgs_per_batch,
        device=torch.device("cpu"),
    )
    return replace(card, check=make_self_check(engine))


def _trained_on(parts: PackageParts) -> str:
    origin = parts.origin
    if not origin["simulated"] or "description" in origin:  # the store's own words
        return str(origin.get("description", "own data"))
    n_first, n_second = origin["pretraining_ecgs"], origin["baseline_patients"]
    return (
        f"SIMULATED patients only (seeds {origin['seed']} and {origin['seed'] + 1}): "
        f"{n_first:,} ECGs with a cart's labels, then the baseline pairs of {n_second:,} patients, "
        f"then the follow-up pairs of {origin['follow_up_patients']:,} other patients; "
        "no real patient has trained these weights"
    )


def enter_family(family: str, models_dir: Path) -> None:
    """Write the manifest with this family's row new and the others as they were.

    Its evaluation stays where it is of these very weights.

    Parameters
    ----------
    family : str
        Written by `write_family`.
    models_dir : Path
    """
    rows = read_manifest(models_dir)
    weights, card = (models_dir / family / name for name in (WEIGHTS_NAME, CARD_NAME))
    row = InstalledFamily(
        name=family,
        folder=weights.parent,
        weights=weights.name,
        weights_sha256=sha256_of_file(weights),
        card=card.name,
        card_sha256=sha256_of_file(card),
    )
    old = rows.get(family)
    if old is not None and old.weights_sha256 == row.weights_sha256:
        row = replace(row, beside=old.beside)
    rows[family] = row
    write_manifest(rows.values(), models_dir)
