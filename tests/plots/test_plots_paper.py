import pytest

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.plots.paper import LAYOUTS, PAPER, RHYTHM_LEADS, layouts_for

LIMB_AXES_DEG = {"aVL": -30, "I": 0, "-aVR": 30, "II": 60, "aVF": 90, "III": 120}


def names(leads):
    return [layout.name for layout in layouts_for(leads)]


def test_twelve_leads_are_offered_five_layouts_and_three_rows_of_four_first():
    assert names(CANONICAL_LEADS) == ["3x4+1", "6x2", "12x1", "cabrera-3x4+1", "cabrera-6x2"]
    first = layouts_for(CANONICAL_LEADS)[0]
    assert first.rows == (
        ("I", "aVR", "V1", "V4"),
        ("II", "aVL", "V2", "V5"),
        ("III", "aVF", "V3", "V6"),
    )
    assert first.rhythm
    assert RHYTHM_LEADS[0] == "II"


def test_six_leads_are_offered_rows_columns_and_cabrera():
    assert names(CANONICAL_LEADS[:6]) == ["6x1", "3x2", "cabrera-6x1"]


def test_the_order_of_the_leads_in_the_file_does_not_matter():
    assert names(tuple(reversed(CANONICAL_LEADS))) == names(CANONICAL_LEADS)


def test_one_lead_runs_on_from_row_to_row():
    (layout,) = layouts_for(("V2",))
    assert layout.continuous
    assert layout.rows == (("V2",),)


def test_another_set_gets_a_row_for_each_lead_there_is():
    (layout,) = layouts_for(("II", "V1", "V5"))
    assert layout.rows == (("II",), ("V1",), ("V5",))
    assert not layout.rhythm


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_each_layout_shows_each_lead_once_in_columns_of_equal_time(layout):
    leads = [lead.removeprefix("-") for row in layout.rows for lead in row]
    assert sorted(leads) == sorted(set(leads))
    assert set(leads) in (set(CANONICAL_LEADS), set(CANONICAL_LEADS[:6]))
    assert len({len(row) for row in layout.rows}) == 1


@pytest.mark.parametrize("name", ["cabrera-3x4+1", "cabrera-6x2", "cabrera-6x1"])
def test_cabrera_goes_round_by_axis(name):
    layout = next(layout for layout in LAYOUTS if layout.name == name)
    by_column = [lead for column in zip(*layout.rows, strict=True) for lead in column]
    axes = [LIMB_AXES_DEG[lead] for lead in by_column if not lead.startswith("V")]
    assert axes == [-30, 0, 30, 60, 90, 120]


def test_a_standard_sheet_measures_262_by_126_mm():
    # Design guide, 4.4: rhythm strip at 111 mm.
    strip_mm = PAPER.first_baseline_mm + 3 * LAYOUTS[0].row_mm + PAPER.rhythm_extra_mm
    assert strip_mm == 111
    assert strip_mm + PAPER.last_margin_mm == 126
    assert PAPER.left_mm + PAPER.sheet_s * 25 + PAPER.right_mm == 262
