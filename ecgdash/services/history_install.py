"""Install a fitted history beside its external scorer, as that family's recalibrated variant."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from ecgdash.domain import RECALIBRATED, UNCALIBRATED, FamilyCard
from ecgdash.domain.card import TrainingPart
from ecgdash.errors import InvalidValue
from ecgdash.inference.card_json import card_to_dict
from ecgdash.inference.manifest import (
    InstalledFamily,
    find_family,
    load_card,
    read_manifest,
    sha256_of_file,
    verify_family,
    with_beside,
    write_manifest,
)
from ecgdash.services.recalibrating import FittedHistory
from ecgdash.training.history_only import save_history
from ecgdash.training.shards import write_json

__all__ = ["HISTORY_NAME", "install_history", "why_not_installed"]

HISTORY_NAME: Final = "history.safetensors"

_HEAD: Final = "Recalibrated variant: "


def why_not_installed(row: InstalledFamily, card: FamilyCard) -> str:
    """Return why a family takes no history beside it; "" for one that does."""
    own = any(variant.variant == RECALIBRATED for variant in card.variants)
    if own and "history" not in row.beside:
        return f"{row.name} has a recalibrated variant of its own, which is never overwritten"
    if "spec" not in row.beside:
        return f"{row.name} is no external scorer, and only such take a history beside them"
    return ""


def install_history(models_dir: Path, fitted: FittedHistory) -> FamilyCard:
    """Put a fitted term beside its external scorer, as that family's recalibrated variant.

    Parameters
    ----------
    models_dir : Path
    fitted : FittedHistory

    Returns
    -------
    FamilyCard
        The family's new card.

    Raises
    ------
    WeightsMissing, WeightsHashMismatch
        If the family is no longer installed as it was when it scored the pairs.
    InvalidValue
        If the family takes no history beside it, or no history was better than none.
    """
    base = fitted.data.card
    row = find_family(base.family, models_dir)
    verify_family(row)
    card, sizes = load_card(row)
    reason = why_not_installed(row, card)
    if card.weights_sha256 != base.weights_sha256:
        reason = f"{row.name} has other weights by now than those that scored the pairs"
    if not fitted.helps:
        reason = "in most folds no history was better than none on patients that trained nothing"
    if reason:
        raise InvalidValue(f"nothing is installed: {reason}", where=row.name)
    new = _new_card(card, fitted)
    path = row.folder / HISTORY_NAME
    save_history(fitted.fit.tensors, path)
    part = row.card_path.with_suffix(".json.part")
    write_json(part, card_to_dict(new, sizes))
    part.replace(row.card_path)
    changed = replace(row, card_sha256=sha256_of_file(row.card_path))
    rows = {**read_manifest(models_dir), row.name: with_beside(changed, "history", path)}
    write_manifest(rows.values(), models_dir)
    return new


def _new_card(card: FamilyCard, fitted: FittedHistory) -> FamilyCard:
    """Return the card with the recalibrated variant new, and what it is in words."""
    data, settings = fitted.data, fitted.fit.settings
    examples = data.examples()
    n_patients = len(np.unique(examples.patients))
    whose = data.words if not data.simulated else f"{data.words} (SIMULATED patients among them)"
    note = (
        f"{_HEAD}the scorer's logit and a history perceptron, fitted on {len(examples):,} "
        f"follow-up pairs of {n_patients:,} {whose}; its own scores and the LVEFs of up to 3 "
        "earlier pairs."
    )
    differs = (
        f"{_HEAD}other than in the DeepECG LVSD study, nothing of the scorer is trained with the "
        "perceptron (the study fine-tunes its last block too)."
    )
    chosen = (
        f"{_HEAD}not stated in the study, our choice: {settings.n_hidden} hidden units, AdamW at "
        f"{settings.learning_rate:g}, batches of {settings.batch_size}, {fitted.fit.epochs} epochs "
        f"(the median of {settings.n_folds} folds by patient)."
    )
    part = TrainingPart(
        "recalibrate", "train", len(examples), n_patients, int(examples.cases.sum())
    )
    check = card.check
    if check is not None:
        logits = {**check.logits, RECALIBRATED: check.logits[UNCALIBRATED]}
        check = replace(check, logits=logits)
    return replace(
        card,
        variants=(card.variant(UNCALIBRATED), fitted.variant),
        notes=(*_others(card.notes), note),
        differs=(*_others(card.differs), differs),
        chosen=(*_others(card.chosen), chosen),
        training_data=(*(one for one in card.training_data if one.phase != part.phase), part),
        trained_on_simulated=card.trained_on_simulated or data.simulated,
        check=check,
    )


def _others(sentences: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out what an earlier fit wrote."""
    return tuple(one for one in sentences if not one.startswith(_HEAD))
