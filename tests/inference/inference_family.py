"""A small family on disk, as a training would leave it, with weights that never trained."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import torch

from ecgdash.domain import CANONICAL_LEADS, EcgRecord, FamilyCard, OperatingPoint, VariantCard
from ecgdash.inference.manifest import (
    InstalledFamily,
    NetworkSizes,
    card_to_dict,
    sha256_of_file,
    write_manifest,
)
from ecgdash.nets.family import FamilyConfig, FamilyNet
from ecgdash.nets.registry import ARCHITECTURES
from ecgdash.signal.preprocess import PREPROCESSING_VERSION
from ecgdash.training.checkpoint import save_weights
from ecgdash.training.shards import write_json

FAMILY = "test-12"
LABELS = ("AFIB", "LBBB")
START = datetime(2021, 3, 1, 8, tzinfo=UTC)


def operating_point(variant: str, rule: str) -> OperatingPoint:
    return OperatingPoint(f"{FAMILY}/{variant}/{rule}@1", rule, 0.5, "made up", 10, 5, 0.9, 0.8)


def family_card(weights_sha256: str) -> FamilyCard:
    return FamilyCard(
        family=FAMILY,
        title="Test family",
        lead_set="12",
        input_kind="signal",
        architecture="demo",
        label="LVEF <= 40 %",
        weights_sha256=weights_sha256,
        preprocessing_version=PREPROCESSING_VERSION,
        trained_on="nothing",
        trained_on_simulated=True,
        licence="Apache-2.0",
        variants=tuple(
            VariantCard(
                name,
                operating_point(name, "youden"),
                operating_point(name, "sensitivity_90"),
                operating_point(name, "specificity_90"),
                noise_floor_logit=0.4,
            )
            for name in ("uncalibrated", "masked", "recalibrated")
        ),
    )


def random_family_net() -> FamilyNet:
    """Return a net with lively statistics and histories that matter."""
    torch.manual_seed(11)
    net = FamilyNet(FamilyConfig(ARCHITECTURES["demo"].config, len(LABELS)))
    for variant in ("masked", "recalibrated"):
        perceptron = net.branch(variant).perceptron
        assert perceptron is not None
        torch.nn.init.normal_(perceptron.out.weight, std=0.05)
        torch.nn.init.normal_(perceptron.out.bias, std=0.05)
    net.train()
    with torch.no_grad():
        for _ in range(3):
            net(torch.randn(8, 12, 2250))
            net.label_logits(torch.randn(8, 12, 2250))
    return net.eval()


def install(net: FamilyNet, models_dir: Path) -> Path:
    folder = models_dir / FAMILY
    folder.mkdir(parents=True)
    save_weights(net, folder / "weights.safetensors")
    weights_sha256 = sha256_of_file(folder / "weights.safetensors")
    sizes = NetworkSizes(history_hidden=64, labels=LABELS)
    write_json(folder / "card.json", card_to_dict(family_card(weights_sha256), sizes))
    row = InstalledFamily(
        FAMILY,
        folder,
        "weights.safetensors",
        weights_sha256,
        "card.json",
        sha256_of_file(folder / "card.json"),
    )
    write_manifest([row], models_dir)
    return models_dir


def ecg(
    seed: int, *, day: int | None = 0, patient: str | None = "p", hz: float = 500.0
) -> EcgRecord:
    """Return a plausible ECG: beats of random size on a little noise, Einthoven kept."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(10 * hz)) / hz
    rate_hz = rng.uniform(0.9, 1.6)
    phase = (time_s * rate_hz + rng.random()) % 1.0
    beat = np.exp(-((phase - 0.4) ** 2) / 2e-4) + 0.25 * np.exp(-((phase - 0.65) ** 2) / 4e-3)
    eight = rng.normal(0.8, 0.4, (8, 1)) * beat + rng.normal(0, 0.01, (8, time_s.size))
    one, two = eight[0], eight[1]
    limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    return EcgRecord(
        signal_mv=np.stack([*limb, *eight[2:]]).astype(np.float32),
        leads=CANONICAL_LEADS,
        sampling_hz=hz,
        recorded_at=None if day is None else START + timedelta(days=day),
        patient_id=patient,
        age_years=60.0,
        sex="female",
    )
