"""Contributions of slots: exact sums, absent slots, a case worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from ecgdash.domain import History, HistorySlot
from ecgdash.explain.history import slot_contributions
from ecgdash.inference.history import HistoryTerm, encode_history


@pytest.fixture
def term(rng: np.random.Generator) -> HistoryTerm:
    return HistoryTerm(
        "recalibrated",
        rng.normal(size=(32, 12)),
        rng.normal(size=32),
        rng.normal(size=32),
        0.3,
    )


def slot(i: int, *, imputed: bool = False) -> HistorySlot:
    return HistorySlot(f"e{i}", 0.1 + 0.2 * i, 100.0 * (i + 1), 60.0 - 10 * i, imputed)


THREE = History((slot(0), slot(1), slot(2)))


def test_contributions_sum_to_the_term(term: HistoryTerm) -> None:
    shares = slot_contributions(term, THREE)
    assert sum(shares) == pytest.approx(term(THREE), abs=1e-12)
    assert len(shares) == 3
    assert min(abs(share) for share in shares) > 1e-3


def test_a_lone_slot_carries_everything_and_copies_nothing(term: HistoryTerm) -> None:
    history = History((slot(0), slot(0, imputed=True), slot(0, imputed=True)))
    assert slot_contributions(term, history) == pytest.approx((term(history), 0.0, 0.0), abs=1e-12)


def test_two_slots_by_hand(term: HistoryTerm) -> None:
    a, b = slot(0), slot(1)
    both = term(History((a, b, replace(b, imputed=True))))
    only_a = term(History((a, replace(a, imputed=True), replace(a, imputed=True))))
    only_b = term(History((b, replace(b, imputed=True), replace(b, imputed=True))))
    expected = ((only_a + both - only_b) / 2, (only_b + both - only_a) / 2, 0.0)
    history = History((a, b, replace(b, imputed=True)))
    assert slot_contributions(term, history) == pytest.approx(expected, abs=1e-12)


def test_equal_slots_share_equally(term: HistoryTerm) -> None:
    twice = HistoryTerm(
        "masked", np.ones((1, 9)), np.full(1, 50.0), np.ones(1), -50.0
    )  # linear above zero: every number counts the same
    slots = tuple(HistorySlot(f"e{i}", 0.2, 30.0, None, imputed=False) for i in range(3))
    shares = slot_contributions(twice, History(slots))
    assert shares[0] == pytest.approx(shares[1])
    assert shares[1] == pytest.approx(shares[2])
    assert sum(shares) == pytest.approx(float(encode_history(History(slots), "masked").sum()))
