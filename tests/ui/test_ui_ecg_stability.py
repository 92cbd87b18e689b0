"""What the stability panel says in words and in its table."""

from dataclasses import replace

import pytest

from ecgdash.domain.stability import StabilityPanel, StabilityRow
from ecgdash.ui.ecg_stability import stability_table, verdict_sentence

FIRST = StabilityRow("scored", "As scored", "f", "recalibrated", 0.5, 0.2, 1.386, 0.0, True, False)
NEAR = replace(FIRST, kind="crop", condition="One crop", score=0.45, shift_logit=-0.2)
FAR = replace(
    FIRST,
    kind="noise",
    condition="Noise of 50 µV added",
    score=0.1,
    distance_logit=-0.811,
    shift_logit=-2.197,
    within_noise=False,
    changed_side=True,
)
LEADS = StabilityRow("leads", "6 leads", "six", "masked", 0.1, 0.3, -1.35, None, None, True)
SHORT = StabilityRow("crop", "One crop from 1 s", "f", "recalibrated", reason="needs 10 s")


def _panel(*rows, floor=0.7):
    return StabilityPanel("key", "f", "recalibrated", floor, (FIRST, *rows))


@pytest.mark.parametrize(
    ("panel", "sentence"),
    [
        (
            _panel(NEAR, LEADS, SHORT),
            "The recalibrated score of 0.50 is above its threshold and stays there under "
            "the one condition. The largest shift is −0.20 logits (One crop), within the noise "
            "floor of 0.70.",
        ),
        (
            _panel(NEAR, FAR),
            "The recalibrated score of 0.50 is above its threshold and changes side under 1 of 2 "
            "conditions. The largest shift is −2.20 logits (Noise of 50 µV added), beyond the "
            "noise floor of 0.70.",
        ),
        (
            _panel(SHORT),
            "The recalibrated score of 0.50 is above its threshold; no condition could be made.",
        ),
    ],
)
def test_the_verdict_counts_own_conditions_only(panel, sentence):
    assert verdict_sentence(panel) == sentence


def test_without_a_noise_floor_nothing_is_said_about_noise():
    row = replace(NEAR, within_noise=None)
    assert "the noise floor was not measured" in verdict_sentence(_panel(row, floor=None))
    assert "noise floor not measured" in stability_table(_panel(row, floor=None)).html


def test_the_table_holds_score_threshold_side_and_shift():
    rows = stability_table(_panel(NEAR, FAR, LEADS, SHORT)).html.split("<tr>")[2:]
    near, far, leads, short = rows[1:]
    for figure in (">0.45<", ">0.20<", "+1.39", ">above<", "−0.20", "within noise, same side"):
        assert figure in near
    for figure in (">0.10<", "−0.81", ">below<", "−2.20", "beyond noise, changed side"):
        assert figure in far
    assert "LVEF-masked score of six, changed side" in leads
    assert "family=six" in leads
    assert "not made: needs 10 s" in short
