"""The table of parameters: what it refuses, and that rows stay rows."""

from dataclasses import fields

import numpy as np
import pytest

from ecgdash.errors import InvalidValue
from ecgdash.simulate.examples import EXAMPLES, example_parameters, mixed_parameters
from ecgdash.simulate.lead_field import LEAD_FIELD, shift_electrodes
from ecgdash.simulate.parameters import Conduction, EcgParameters, Rhythm, typical_parameters


def assert_equal(left: EcgParameters, right: EcgParameters) -> None:
    for column in fields(EcgParameters):
        np.testing.assert_array_equal(getattr(left, column.name), getattr(right, column.name))


def test_take_and_concat_undo_each_other():
    whole = mixed_parameters(30, seed=4)
    assert_equal(
        EcgParameters.concat([whole.take(np.arange(11)), whole.take(np.arange(11, 30))]), whole
    )
    assert len(whole.take(whole.rhythm == Rhythm.AFIB)) == (whole.rhythm == Rhythm.AFIB).sum()


def test_columns_are_read_only_copies():
    rates = np.full(3, 70.0)
    table = typical_parameters(3, hr_bpm=rates)
    rates[:] = 10.0
    assert (table.hr_bpm == 70.0).all()
    with pytest.raises(ValueError, match="read-only"):
        table.hr_bpm[0] = 1.0


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("hr_bpm", 400.0, "hr_bpm holds values from 400"),
        ("hr_bpm", np.nan, "hr_bpm holds values from nan"),
        ("rhythm", 9, "rhythm holds values from 9"),
    ],
)
def test_values_out_of_range_are_named(column, value, words):
    with pytest.raises(InvalidValue, match=words):
        typical_parameters(2, **{column: value})


def test_a_wrong_shape_is_named():
    good = typical_parameters(2)
    columns = {c.name: getattr(good, c.name) for c in fields(EcgParameters)}
    with pytest.raises(InvalidValue, match=r"infarct has shape \(2, 2\)"):
        EcgParameters(**(columns | {"infarct": np.zeros((2, 2))}))


def test_paced_means_ventricular_pacing():
    table = typical_parameters(2, conduction=[Conduction.PACED, Conduction.LBBB])
    assert table.paced.tolist() == [True, False]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_holds_people_who_differ(name):
    table = example_parameters(name, 3, seed=1)
    assert len(np.unique(table.frontal_rotation_deg)) == 3
    assert len(np.unique(table.seed)) == 3


def test_moved_electrodes_see_their_neighbours_field():
    field = np.broadcast_to(LEAD_FIELD, (3, 8, 3))
    shift = np.zeros((3, 6))
    shift[1, 0] = 1.0  # V1 moved onto V2
    shift[2, 5] = 1.5  # V6 cannot move beyond the row
    moved = shift_electrodes(field, shift)
    np.testing.assert_allclose(moved[0], LEAD_FIELD)
    np.testing.assert_allclose(moved[1, 2], LEAD_FIELD[3])
    np.testing.assert_allclose(moved[2, 7], LEAD_FIELD[7])
