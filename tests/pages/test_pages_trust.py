"""The models page says how far a family's maps can be trusted."""

import handmade_store
import numpy as np
import pytest
from page_driver import told

from ecgdash.domain import CANONICAL_LEADS, MASKED, UNCALIBRATED, Estimate
from ecgdash.domain.attribution import WaveTable
from ecgdash.domain.trust import TRUST_MARKS, CohortMap, FamilyTrust, TrustCheck
from ecgdash.services.trust_file import install_trust
from ecgdash.services.trust_maps import LOW_LVEF

FAMILY = "handmade-12"
PASSING = {"completeness": 0.0, "randomisation": 0.1, "deletion": 4.0}


def outcome(mark, value):
    return TrustCheck(mark.key, Estimate(value, value, value), 0.4, mark.is_passed(value, 0.4), 120)


def wave_table(value):
    return WaveTable(CANONICAL_LEADS, np.full((12, 5), value))


@pytest.fixture
def measured(empty_site, tmp_path):
    """Return a site whose 12-lead family has figures of its maps, chosen here."""
    checks = {
        UNCALIBRATED: tuple(outcome(m, PASSING.get(m.key, 0.9)) for m in TRUST_MARKS),
        MASKED: tuple(outcome(m, PASSING.get(m.key, 0.1)) for m in TRUST_MARKS),
    }
    groups = {
        "all": CohortMap(120, wave_table(0.11), wave_table(0.22)),
        LOW_LVEF: CohortMap(60, wave_table(-0.33), wave_table(0.44)),
    }
    made = FamilyTrust(
        FAMILY,
        handmade_store.card("12").weights_sha256,
        "SIMULATED: invented",
        1,
        True,
        checks,
        {MASKED: groups, UNCALIBRATED: groups},
        wave_table(0.005),
    )
    install_trust(made, tmp_path / "models")
    return empty_site


def test_the_card_says_what_was_measured(measured):
    at = measured.open("pages/models.py", family=FAMILY)
    assert not at.exception
    text = told(at)
    assert "SIMULATED: invented" in text
    assert ">good</span>, 6 of 6 checks passed" in text
    assert ">poor</span>, 3 of 6 checks passed" in text
    assert text.count("⚠ not passed") == 3  # of the variant shown first
    assert "+0.11" in text
    assert "What the low LVEF changed" not in text
    groups = next(box for box in at.selectbox if box.label == "ECGs")
    groups.select(LOW_LVEF).run()
    text = told(at)
    assert "−0.33" in text
    assert "What the low LVEF changed" in text


def test_a_family_whose_maps_were_not_checked_says_so(measured):
    at = measured.open("pages/models.py", family="handmade-6")
    assert "Not measured: no figure says whether" in told(at)
    assert "models trust handmade-6" in told(at)
