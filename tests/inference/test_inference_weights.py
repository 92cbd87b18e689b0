"""Weights reach the network bit for bit, in memory of its own, whatever becomes of the file."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from ecgdash.errors import InvalidValue
from ecgdash.inference import Engine
from ecgdash.inference.manifest import find_family, read_manifest
from ecgdash.inference.weights import net_with_weights
from ecgdash.nets.family import FamilyNet

FAMILIES = tuple(read_manifest())
SMALLEST = "deepecg-lvsd-1"


@pytest.fixture
def config():
    return Engine.load(SMALLEST, device="cpu").net.config


@pytest.fixture
def own_copy(tmp_path: Path) -> Path:
    return Path(shutil.copy(find_family(SMALLEST).weights_path, tmp_path / "weights.safetensors"))


@pytest.mark.parametrize("family", FAMILIES)
def test_tensors_and_logits_are_those_of_pytorchs_own_way(family: str) -> None:
    ours = Engine.load(family, device="cpu").net
    plain = FamilyNet(ours.config)
    plain.load_state_dict(load_file(find_family(family).weights_path))
    plain.eval()
    expected = plain.state_dict()
    found = ours.state_dict()
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)
    held = [*ours.parameters(), *ours.buffers()]
    assert all(tensor.device.type == "cpu" and tensor.data_ptr() % 64 == 0 for tensor in held)
    x = torch.randn(3, *ours.input_shape, generator=torch.Generator().manual_seed(7))
    with torch.inference_mode():
        assert torch.equal(ours(x), plain(x))
        assert torch.equal(ours.label_logits(x), plain.label_logits(x))


def test_a_file_that_changes_afterwards_changes_no_weight(config, own_copy: Path) -> None:
    net = net_with_weights(config, own_copy)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    mapped = np.memmap(own_copy, mode="r+")
    mapped[len(mapped) // 2 :] = 0
    mapped.flush()
    with own_copy.open("r+b") as file:
        file.truncate(1000)
    assert all(torch.equal(net.state_dict()[name], old) for name, old in before.items())


@pytest.mark.parametrize("wrong", ["missing", "further", "shape"])
def test_weights_of_another_network_are_refused(config, own_copy: Path, wrong: str) -> None:
    tensors = load_file(own_copy)
    name = sorted(tensors)[0]
    if wrong == "missing":
        del tensors[name]
    elif wrong == "further":
        tensors["further"] = torch.zeros(2)
    else:
        tensors[name] = torch.zeros((*tensors[name].shape, 2))
    other = own_copy.with_name("other.safetensors")
    save_file(tensors, other)
    with pytest.raises(InvalidValue) as refused:
        net_with_weights(config, other)
    assert str(refused.value) == (
        f"{other.parent.name}: other.safetensors does not hold the weights of this network. "
        "Accepted: the tensors of the architecture that the card names, in their shapes. "
        "Install card and weights of the same training."
    )
