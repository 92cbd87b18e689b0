"""Fixtures: a small family on disk, its engine, and a course of ECGs."""

from pathlib import Path

import pytest
from inference_family import FAMILY, ecg, install, random_family_net

from ecgdash.domain import EcgRecord
from ecgdash.inference.engine import Engine
from ecgdash.nets.family import FamilyNet


@pytest.fixture(scope="session")
def family_net() -> FamilyNet:
    return random_family_net()


@pytest.fixture(scope="session")
def models_dir(family_net: FamilyNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(family_net, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def engine(models_dir: Path) -> Engine:
    return Engine.load(FAMILY, device="cpu", models_dir=models_dir)


@pytest.fixture(scope="session")
def course() -> list[EcgRecord]:
    """Return five ECGs of one patient over two years, oldest first."""
    return [ecg(i, day=150 * i) for i in range(5)]
