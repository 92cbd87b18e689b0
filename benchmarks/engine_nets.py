"""What is timed: simulated ECGs, and a family of the paper's depth installed with random weights.

Depth 152 has no shipped weights. Its family is written as a training would leave it, so that it is
loaded, verified and run by the engine like any other.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.engine_operations import PAPER_NET
from ecgdash.domain import EcgRecord
from ecgdash.inference.manifest import (
    InstalledFamily,
    NetworkSizes,
    card_to_dict,
    find_family,
    load_card,
    sha256_of_file,
    write_manifest,
)
from ecgdash.nets.family import FamilyConfig, FamilyNet
from ecgdash.nets.registry import architecture
from ecgdash.simulate.cohort import simulate_patients
from ecgdash.training.checkpoint import save_weights
from ecgdash.training.shards import write_json

DEMO, DEEP = "deepecg-lvsd-12", "deepecg-lvsd-12-152"
SEED = 907


def simulated_ecgs(n: int) -> list[EcgRecord]:
    """Return ECGs of 12 leads, 10 s at 500 Hz."""
    return list(simulate_patients(n, SEED).records(np.arange(n), 500.0))


def repeated(records: list[EcgRecord], n: int) -> Iterator[EcgRecord]:
    """Yield n ECGs made on the fly, each with samples of its own in memory."""
    for number, record in enumerate(islice(cycle(records), n)):
        yield EcgRecord(
            record.signal_mv * np.float32(1 + number % 97 / 1000),
            record.leads,
            record.sampling_hz,
            patient_id=str(number),
        )


def install_depth_152(models_dir: Path, crops: NDArray[np.float32]) -> None:
    """Install a family of the paper's depth beside nothing else.

    Parameters
    ----------
    crops : ndarray of float32, shape (n, n_leads, 2250)
        They give BatchNorm its statistics: activations are then of order one, as trained ones are.
    """
    source, sizes = load_card(find_family(DEMO))
    arch = architecture(PAPER_NET, crops.shape[1])
    torch.manual_seed(SEED)  # the same weights in every run
    net = FamilyNet(FamilyConfig(arch.config, len(sizes.labels), arch.history_hidden))
    _make_lively(net, torch.from_numpy(crops))
    folder = models_dir / DEEP
    folder.mkdir(parents=True)
    weights = folder / "weights.safetensors"
    save_weights(net, weights)
    weights_sha256 = sha256_of_file(weights)
    card = replace(
        source, family=DEEP, architecture=PAPER_NET, weights_sha256=weights_sha256,
        trained_on="nothing: random weights, for the benchmark alone",
    )  # fmt: skip
    content = card_to_dict(card, NetworkSizes(arch.history_hidden, sizes.labels))
    write_json(folder / "card.json", content)
    card_sha256 = sha256_of_file(folder / "card.json")
    row = InstalledFamily(DEEP, folder, weights.name, weights_sha256, "card.json", card_sha256)
    write_manifest([row], models_dir)


def _make_lively(net: FamilyNet, crops: torch.Tensor) -> None:
    generator = torch.Generator().manual_seed(SEED)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.momentum = 1.0
    for variant in net.variants:
        perceptron = net.branch(variant).perceptron
        if perceptron is not None:
            nn.init.normal_(perceptron.out.weight, std=0.05, generator=generator)
    net.train()
    with torch.no_grad():
        net(crops)
        net.label_logits(crops)
    net.eval()
