import math

import pytest

from ecgdash.plots.scale import BAR_SCALE, SCORE_TICKS, ScoreScale, expit, logit, share


@pytest.mark.parametrize("score", [1e-4, 0.01, 0.05, 0.5, 0.9, 0.9999])
def test_logit_and_back(score):
    assert logit(score) == pytest.approx(math.log(score / (1 - score)))
    assert expit(logit(score)) == pytest.approx(score)


def test_ends_are_finite():
    assert logit(0.0) == pytest.approx(-logit(1.0))
    assert math.isfinite(logit(0.0))


def test_share_is_linear_in_logits_and_clipped():
    low, high = logit(BAR_SCALE.low), logit(BAR_SCALE.high)
    middle = expit((low + high) / 2)
    assert share(middle) == pytest.approx(0.5)
    assert share(BAR_SCALE.low) == 0.0
    assert share(BAR_SCALE.high) == 1.0
    assert share(0.0001) == 0.0
    assert share(0.9999) == 1.0


def test_moved_is_a_step_in_logits_clipped_to_the_axis():
    scale = ScoreScale(0.005, 0.98)
    assert scale.moved(0.1, 0.7) == pytest.approx(logit(0.1) + 0.7)
    assert scale.moved(0.9, 9.0) == pytest.approx(logit(0.98))
    linear = ScoreScale(0.0, 1.0, linear=True)
    assert linear.moved(0.1, 0.7) == pytest.approx(expit(logit(0.1) + 0.7))
    assert linear.position(0.3) == 0.3


def test_ticks():
    assert set(SCORE_TICKS) <= set(ScoreScale(0.005, 0.98).ticks)
    assert ScoreScale(0.0005, 0.98).ticks[0] == 0.001
    assert ScoreScale(0.0, 1.0, linear=True).ticks == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
