"""Shards: resumed, complete, and cut exactly as the engine cuts."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from ecgdash.domain import EcgRef, EchoStudy
from ecgdash.errors import CorruptFile
from ecgdash.signal.preprocess import preprocess_crops, preprocess_window
from ecgdash.training.shards import STEP_MV, Course, Shard, ShardWriter, read_courses, write_courses
from ecgdash.training.splits import SPLITS, rows_of_split, split_of

IDS = [f"p{i}" for i in range(6)]


@pytest.fixture
def signals(rng: np.random.Generator) -> np.ndarray:
    return np.rint(rng.normal(0, 0.5, (6, 12, 2500)) / STEP_MV) * STEP_MV


def marks(n: int) -> np.ndarray:
    return np.array([[i % 2 == 0, i % 3 == 0] for i in range(n)])


def test_what_was_written_is_read(tmp_path: Path, signals: np.ndarray) -> None:
    writer = ShardWriter(tmp_path, IDS, ("even", "third"))
    writer.append(signals, marks(6))
    shard = Shard(tmp_path)
    assert len(shard) == 6
    np.testing.assert_allclose(shard.signals_mv(np.array([4, 1])), signals[[4, 1]], atol=1e-12)
    assert shard.marks["third"].tolist() == [True, False, False, True, False, False]


def test_a_stopped_preparation_goes_on(tmp_path: Path, signals: np.ndarray) -> None:
    first = ShardWriter(tmp_path, IDS, ("even", "third"))
    first.append(signals[:4], marks(6)[:4])
    with pytest.raises(CorruptFile, match="4 of 6"):
        Shard(tmp_path)
    second = ShardWriter(tmp_path, IDS, ("even", "third"))
    assert second.n_done == 4
    second.append(signals[4:], marks(6)[4:])
    assert second.complete
    np.testing.assert_allclose(Shard(tmp_path).signals_mv(np.arange(6)), signals, atol=1e-12)


def test_another_set_starts_anew(tmp_path: Path, signals: np.ndarray) -> None:
    ShardWriter(tmp_path, IDS, ("even", "third")).append(signals, marks(6))
    assert ShardWriter(tmp_path, [*IDS[:5], "other"], ("even", "third")).n_done == 0


def test_a_missing_shard_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CorruptFile, match="train prepare"):
        Shard(tmp_path / "absent")


def test_crops_are_the_engines(tmp_path: Path, signals: np.ndarray) -> None:
    ShardWriter(tmp_path, IDS, ("even", "third")).append(signals, marks(6))
    shard = Shard(tmp_path)
    rows = np.array([5, 0])
    engine = np.stack([preprocess_crops(signals[i].astype(np.float32), 250.0) for i in rows])
    np.testing.assert_allclose(shard.fixed_crops(rows), engine, atol=1e-5)
    np.testing.assert_allclose(shard.middle_crops(rows), engine[:, 1], atol=1e-5)
    starts = np.random.default_rng(3).uniform(0, 1, 2)
    random = shard.random_crops(rows, np.random.default_rng(3))
    np.testing.assert_array_equal(random, preprocess_window(shard.signals_mv(rows), 250.0, starts))
    assert not np.array_equal(random, shard.random_crops(rows, np.random.default_rng(4)))


def test_courses_survive_the_file(tmp_path: Path) -> None:
    at = datetime(2020, 5, 4, 3, 2, 1, tzinfo=UTC)
    course = Course(
        "1/a",
        (EcgRef("0", at, at.date()), EcgRef("1", at, at.date(), analysable=False)),
        (EchoStudy("1/a", at, at.date(), 42.0, "simpson", has_time=False),),
    )
    write_courses(tmp_path / "c.jsonl", [course, course])
    assert list(read_courses(tmp_path / "c.jsonl")) == [course, course]


def test_the_split_is_8_1_1_and_never_moves() -> None:
    ids = [f"patient {i}" for i in range(20_000)]
    sizes = [len(rows_of_split(ids, side)) / len(ids) for side in SPLITS]
    assert sizes == pytest.approx([0.8, 0.1, 0.1], abs=0.01)
    assert [split_of(f"p{i}") for i in range(8)] == [
        split_of(f"p{i}") for i in range(8)
    ]  # no state
    assert split_of("13619") == "train"
    everyone = np.sort(np.concatenate([rows_of_split(ids, side) for side in SPLITS]))
    np.testing.assert_array_equal(everyone, np.arange(len(ids)))
