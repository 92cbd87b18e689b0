"""The card's sentences about a training: they follow from its settings and its data.

What the paper states is paper 000's text (DeepECG LVSD); each sentence of `chosen` names
something that text leaves open.
"""

from collections.abc import Mapping
from typing import Any, Final

from ecgdash.domain.leads import LEADS_OF_SET, LeadSet
from ecgdash.nets.registry import architecture
from ecgdash.training.config import FitSettings, TrainingConfig

__all__ = ["PAPERS_NET", "chosen", "differs", "label_definition", "must_not", "notes", "side_words"]

PAPERS_NET: Final = "se-resnext-152"

Origin = Mapping[str, Any]


def side_words(origin: Origin) -> dict[str, str]:
    """Return what the card calls the patients of "validation" and of "test"."""
    if not origin["simulated"]:
        return {side: f"{side} patients" for side in ("validation", "test")}
    whose = f", seeds {origin['seed']} and following" if "seed" in origin else " of the store"
    return {side: f"simulated {side} patients{whose}" for side in ("validation", "test")}


def label_definition(origin: Origin) -> str:
    """Return what counts as a case, and how the label was read."""
    read = (
        "the LVEF is a simulated echo's reading, with a reader's error, not the hidden true value"
        if origin["simulated"]
        else "of several LVEFs of one examination Simpson's comes first, then M-mode, then visual"
    )
    return (
        "A case is an ECG whose paired echo measured LVEF <= 40 %; all others are controls. The "
        "pair is the echo and the nearest analysable ECG at most 14 days before or after it; "
        f"{read}."
    )


def must_not(origin: Origin, lead_set: LeadSet) -> tuple[str, ...]:
    """Return what the family must not be used for."""
    simulated = (
        (
            "Not for real patients: only simulated ones trained it, and no figure on this card "
            "was measured on a real one.",
        )
        if origin["simulated"]
        else ()
    )
    leads = LEADS_OF_SET[lead_set]
    return (
        *simulated,
        "Not as a diagnosis, and not to rule LVSD out: an echo decides.",
        "Not to follow whether a treatment works: the scores of one heart differ from day to day "
        "(see the noise floor), and no treatment was studied.",
        "Not in paced rhythm: such ECGs were excluded from training and are not scored.",
        "Not in children: the gate excludes patients under 18, and the method was developed in "
        "adults.",
        "Not in atrial fibrillation or left bundle branch block at the one threshold, without "
        "reading the subgroup table: there the paper's uncalibrated model called far more patients "
        "without LVSD than elsewhere.",
        "Not for another label (LVEF < 40 %, <= 45 %, < 50 %): thresholds and figures hold for "
        "LVEF <= 40 %.",
        f"Not on ECGs in arbitrary units, shorter than 9 s, without lead"
        f"{'s' if len(leads) > 1 else ''} {', '.join(leads)}, or that have not passed the gate.",
        "Not with thresholds and probabilities taken as they are at another prevalence: they hold "
        "for patients like those they were found on.",
    )


def notes(config: TrainingConfig, n_labels: int) -> tuple[str, ...]:
    """Return what is done as the paper states it."""
    block4 = "the first 3 in phase 3" if config.train_block4 else "at least the first 3 in phase 3"
    return (
        f"As the paper states: three phases ({n_labels} labels of the ECG, then LVSD on baseline "
        "pairs, then histories on follow-up pairs); the first 2 blocks frozen in phase 2, "
        f"{block4}; early stopping on the validation loss in phase 1; patients split 8:1:1, each "
        "wholly on one side.",
        "As the paper states: random 9-s crops in training (phases 1 and 2); in use the crops 0-9, "
        "0.5-9.5 and 1-10 s, whose three outputs are averaged; crop, then 250 Hz, then "
        "0.67-40 Hz.",
        "As the paper states: histories of up to 3 earlier pairs with LVEF, uncalibrated output, "
        "interval and a flag, missing ones back-filled from the nearest and flagged; 12 numbers "
        "(9 when masked) through a two-layer perceptron, added to the pooled features before the "
        "last layer; thresholds by the highest Youden index on validation patients.",
    )


def chosen(config: TrainingConfig, origin: Origin) -> tuple[str, ...]:
    """Return what the paper leaves open, and what was chosen."""
    arch = architecture(config.architecture)
    fits = (config.pretrain, config.finetune, config.recalibrate)
    epochs = ", ".join(str(fit.epochs) for fit in fits)
    rates = ", ".join(f"{fit.learning_rate:g}" for fit in fits)
    sizes = ", ".join(str(fit.batch_size) for fit in fits)
    pretrained = (
        "the statements and intervals that a cart's rules give for the simulated waveform"
        if origin["simulated"]
        else "the cart's statements and measured values"
    )
    return (
        "Not stated in the paper, our choice: no amplitude normalisation (millivolts as they "
        "are); a Butterworth band-pass of order 4, run forwards and backwards; polyphase "
        "resampling; the best 10 s of a longer recording.",
        f"Not stated in the paper, our choice: AdamW, a one-cycle schedule, at most {epochs} "
        f"epochs in phases 1, 2 and 3 with peak learning rates {rates} and batches of {sizes}; "
        "binary cross-entropy and early stopping in phases 2 and 3 as in phase 1"
        f"{_precision(fits)}.",
        "Not stated in the paper, our choice: frozen blocks keep their BatchNorm statistics too, "
        "and the stem is frozen with block 1; block 4 and the last layer learn at a tenth of the "
        "rate in phase 3."
        if config.train_block4
        else "Not stated in the paper, our choice: frozen blocks keep their BatchNorm statistics "
        "too, and the stem is frozen with block 1; the last layer learns at a tenth of the rate in "
        "phase 3.",
        "Not stated in the paper, our choice: which labels phase 1 learns (it states 46, and their "
        f"kinds); they come from {pretrained}.",
        "Not stated in the paper, our choice: how numbers of the history are scaled (scores as "
        "logits, intervals as log(1 + years), LVEF as (LVEF - 50) / 15); a perceptron of "
        f"{arch.history_hidden} hidden units whose output starts at zero; a history reaches back "
        "from earlier calendar days, and an echo in it was done before the ECG.",
        "Not stated in the paper, our choice: of equal Youden optima the lowest score; the "
        "uncalibrated threshold from baseline pairs, the other two from follow-up pairs; 14 "
        "days either way by the calendar, of two ECGs equally near the earlier; the split by a "
        "hash of the patient.",
        "Not stated in the paper, our choice: a map from score to probability (Platt), because the "
        "paper reads the score itself as one; the noise floor from repeat ECGs.",
        *_chosen_net(config),
    )


def _precision(fits: tuple[FitSettings, ...]) -> str:
    phases = [str(i) for i, fit in enumerate(fits, start=1) if fit.bf16]
    return f"; bfloat16 in phase{'s' * (len(phases) > 1)} {' and '.join(phases)}" if phases else ""


def _chosen_net(config: TrainingConfig) -> tuple[str, ...]:
    if config.architecture != PAPERS_NET:
        return ()
    return (
        "Not stated in the paper, our choice: 32 groups of width 4, stem, pooling and reduction of "
        "16, as in the works it cites for the backbone.",
    )


def differs(config: TrainingConfig, origin: Origin) -> tuple[str, ...]:
    """Return where it is done otherwise than in the paper, and why."""
    found = []
    if config.architecture != PAPERS_NET:
        net = architecture(config.architecture).config
        depths = ", ".join(str(n) for n in net.depths)
        found.append(
            f"Other than in the paper: a small network (blocks of {depths} bottlenecks, pooled by "
            f"{net.pooling}) instead of SE-ResNeXt-152, so that it trains and runs on a CPU."
        )
    if origin["simulated"]:
        found.append(
            "Other than in the paper: simulated patients instead of those of a hospital, because "
            "no data with serial echoes may be shipped."
        )
    if "seed" in origin:  # own data have the patients of phase 2 in phase 3, as in the paper
        found.append(
            "Other than in the paper: phase 3 has patients of its own, so that the scores in their "
            "histories come from a model that never saw them, as in use."
        )
    found += [
        "Other than in the paper: the masked history takes earlier ECGs with or without an echo, "
        "so that it serves who has no echo at all.",
        "Other than in the paper: phase 3 draws one of the three fixed crops instead of a random "
        "one, so that what is frozen is computed once.",
        "Other than in the paper: ECGs with pacing are left out, because their score is withheld "
        "in use.",
    ]
    if not config.train_block4:
        found.append("Other than in the paper: block 4 is not trained in phase 3, to save time.")
    return tuple(found)
