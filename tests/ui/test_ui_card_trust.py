"""Trust tables and lead-by-wave tables say what they hold."""

import re

import numpy as np
import pytest

from ecgdash.domain import Estimate
from ecgdash.domain.attribution import WaveTable
from ecgdash.domain.trust import TRUST_MARKS, TrustCheck
from ecgdash.ui.card_trust import trust_table, verdict_words, wave_heat


def plain(cell):
    return " ".join(re.sub(r"<[^>]+>", " ", cell.html).split())


def checks(n_passed):
    return tuple(
        TrustCheck(mark.key, Estimate(0.31, -0.28, 0.35), 0.42, i < n_passed, 120)
        for i, mark in enumerate(TRUST_MARKS)
    )


@pytest.mark.parametrize(
    ("n_passed", "word"), [(6, "good"), (5, "limited"), (4, "limited"), (3, "poor"), (0, "poor")]
)
def test_the_verdict_tells_its_numbers(n_passed, word):
    said = plain(verdict_words(checks(n_passed)))
    assert said == f"Map reliability: {word} , {n_passed} of 6 checks passed"
    assert plain(verdict_words(())) == "Map reliability: not measured."


def test_every_check_stands_with_result_mark_and_outcome():
    rows = re.findall(r"<tr>(<td.*?)</tr>", trust_table(checks(4)).html)
    assert len(rows) == len(TRUST_MARKS)
    for i, (row, mark) in enumerate(zip(rows, TRUST_MARKS, strict=True)):
        text = re.sub(r"<[^>]+>", " ", row)
        assert mark.rule in text
        assert (mark.passed if i < 4 else mark.failed) in text
        assert ("✓ passed" if i < 4 else "⚠ not passed") in text
    assert "31 %" in rows[0]  # completeness is told in percent, without quartiles
    assert "−0.28 to 0.35" in re.sub(r"<[^>]+>", "", rows[1])
    assert "of sizes 0.42" in rows[1]


@pytest.mark.parametrize(
    ("fall", "aside", "said"),
    [
        (13.6, 2.0, "2.0 times the fall for the 10 % with the largest amplitude"),
        (13.6, -4.6, "taking out the 10 % with the largest amplitude raises the score"),
        (-0.6, 48.1, "taking out the top 10 % does not lower the score"),
    ],
)
def test_a_ratio_of_falls_is_told_only_where_both_fall(fall, aside, said):
    check = TrustCheck("deletion", Estimate(fall, fall, fall), aside, fall >= 3, 120)
    assert said in plain(trust_table([check]))


def test_a_figure_that_is_not_defined_is_said_to_be_not_measured():
    nothing = TrustCheck("crops", Estimate(*([float("nan")] * 3)), None, False, 0)
    assert "not measured" in trust_table([nothing]).html


def test_tints_are_symmetric_and_sums_are_right():
    values = np.array([[0.4, -0.2, 0.004, 0.0, 0.1], [-0.4, 0.1, 0.0, 0.0, 0.0]])
    cell = wave_heat(WaveTable(("I", "V1"), values), "A <b>caption</b>")
    assert "A &lt;b&gt;caption&lt;/b&gt;" in cell.html
    depth = re.findall(r"--ed-(raises|lowers)\) (\d+)%", cell.html)
    assert depth == [
        ("raises", "85"),
        ("lowers", "42"),
        ("raises", "21"),
        ("lowers", "85"),
        ("raises", "21"),
    ]
    assert "deepest tint ±0.40 logit" in plain(cell)
    body = plain(cell).split("sum", 1)[1]
    assert body.startswith(" I +0.40 −0.20 0 0 +0.10 +0.30 V1 −0.40 +0.10 0 0 0 −0.30 sum")
    assert body.endswith("sum 0 −0.10 0 0 +0.10 0")


def test_one_lead_has_no_row_of_sums_and_sizes_have_no_sign():
    cell = wave_heat(WaveTable(("I",), np.full((1, 5), 0.25)), "c", signed=False, unit="mV·s")
    assert plain(cell).endswith("I 0.25 0.25 0.25 0.25 0.25 1.25")
    assert "0 to 0.25 mV·s" in plain(cell)
