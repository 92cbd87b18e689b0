"""Outcomes from one figure an ECG, by hand."""

import pytest

from ecgdash.services.trust_outcomes import outcomes

NAN = float("nan")
FIGURES = {
    "gap": [1e-6, 4e-4, 2e-6],
    "gap_earlier": [9e-4, 1e-6],
    "shuffled": [-0.3, -0.25, 0.1],
    "shuffled sizes": [0.1, 0.4, 0.2],
    "top": [2.0, 4.0, 6.0],
    "random": [1.0, 0.5, 2.0],
    "amplitude": [1.0, 2.0, 8.0],
    "block 4": [0.2, 0.6, 0.7],
    "block 3": [0.1, 0.3, 0.2],
    "crops": [0.9, NAN, 0.7],
    "pointing": [0.4, 0.6],
    "pointing amplitude": [0.3, 0.3],
}


def test_medians_ratios_and_marks():
    by_key = {check.key: check for check in outcomes(FIGURES)}
    assert {key: check.result.value for key, check in by_key.items()} == pytest.approx(
        {
            "completeness": 9e-4,  # the largest against either reference
            "randomisation": 0.25,  # an inverted map counts like one that agrees
            "deletion": 4.0 / 1.0,  # of medians, not the median of ratios, 3
            "agreement": 0.6,
            "crops": 0.8,  # an ECG without a figure takes no part
            "pointing": 0.5,
        }
    )
    assert (by_key["deletion"].result.low, by_key["deletion"].result.high) == (2.5, 5.5)
    assert by_key["randomisation"].result.low == pytest.approx(0.075)
    asides = {key: check.aside for key, check in by_key.items() if check.aside is not None}
    assert asides == pytest.approx(
        {"randomisation": 0.2, "deletion": 2.0, "agreement": 0.2, "pointing": 0.3}
    )
    assert [check.passed for check in by_key.values()] == [True, False, True, True, True, True]
    assert [check.n_ecgs for check in by_key.values()] == [3, 3, 3, 3, 2, 2]
