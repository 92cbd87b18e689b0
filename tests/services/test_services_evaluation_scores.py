"""The scores table: pairs by the common rules, and refusals that name the row."""

import pytest

from ecgdash.domain import MASKED, RECALIBRATED, UNCALIBRATED
from ecgdash.errors import TableError
from ecgdash.services.evaluation import evaluate_table
from ecgdash.services.evaluation_scores import SCORE_COLUMNS, read_scores_csv

HEAD = ",".join(SCORE_COLUMNS)


def write(tmp_path, *rows, head=HEAD):
    path = tmp_path / "scores.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def test_first_pair_is_baseline_and_later_ones_follow_up(tmp_path):
    path = write(
        tmp_path,
        "7.0,2020-01-05T10:00+00:00,uncalibrated,0.2,0.1,35,2020-01-06T10:00+00:00",
        "7,2021-03-01T10:00+00:00,uncalibrated,0.3,0.1,55,2021-03-01T12:00+00:00",
        "7,2021-03-01T10:00+00:00,masked,0.25,0.2,55,2021-03-01T12:00+00:00",
        "7,2021-03-01T10:00+00:00,recalibrated,0.05,0.3,55,2021-03-01T12:00+00:00",
        "8,2020-05-05T10:00+00:00,uncalibrated,0.9,0.1,,",
    )
    table = read_scores_csv(path)
    assert table.patient.tolist() == ["7", "7"]
    assert table.follow_up.tolist() == [False, True]
    assert table.lvef_percent.tolist() == [35.0, 55.0]
    assert table.scores[UNCALIBRATED].tolist() == [0.2, 0.3]
    assert table.scores[MASKED][1] == 0.25
    assert table.thresholds[RECALIBRATED][1] == 0.3
    assert table.n_patients == 2
    assert table.counts == {"n_ecgs": 3, "n_pairs": 2, "n_ecgs_without_pair": 1}
    assert table.follow_up_rows.tolist() == [False, True]


def test_an_echo_too_far_away_makes_no_pair_and_a_shared_one_goes_to_the_nearest(tmp_path):
    path = write(
        tmp_path,
        "1,2020-01-01T10:00+00:00,uncalibrated,0.2,0.1,35,2020-01-16T11:00+00:00",
        "2,2020-01-01T10:00+00:00,uncalibrated,0.2,0.1,50,2020-01-04T10:00+00:00",
        "2,2020-01-03T10:00+00:00,uncalibrated,0.6,0.1,50,2020-01-04T10:00+00:00",
    )
    table = read_scores_csv(path)
    assert table.patient.tolist() == ["2"]
    assert table.scores[UNCALIBRATED].tolist() == [0.6]


def test_only_the_uncalibrated_variant_still_gives_both_tables(tmp_path):
    rows = [
        f"{p},20{20 + v}-01-01T10:00+00:00,uncalibrated,0.{p}{v},0.3,{30 + 5 * p},"
        for p in range(1, 6)
        for v in range(2)
    ]
    result = evaluate_table(read_scores_csv(write(tmp_path, *rows)))
    assert (result["baseline"]["n"], result["follow_up"]["n"]) == (5, 5)
    assert set(result["follow_up"]["auroc"]) == {UNCALIBRATED}
    assert result["follow_up"]["delong"] == {}
    assert result["seed"] is None


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,2020-01-01,uncalibrated,1.2,0.1,35,", r"scores.csv, row 2: score is '1.2'"),
        ("1,2020-01-01,uncalibrated,high,0.1,35,", r"row 2: score is 'high'"),
        ("1,yesterday,uncalibrated,0.2,0.1,35,", r"row 2: ecg_time is 'yesterday'"),
        ("1,2020-01-01,uncalibrated,0.2,0.1,0.35,", "percent or fraction"),
        (",2020-01-01,uncalibrated,0.2,0.1,35,", "patient_id is empty"),
    ],
)
def test_a_cell_without_a_usable_value_is_named(tmp_path, row, message):
    with pytest.raises(TableError, match=message):
        read_scores_csv(write(tmp_path, row))


def test_contradictions_and_missing_columns_are_refused(tmp_path):
    twice = "1,2020-01-01,masked,0.2,0.1,35,"
    with pytest.raises(TableError, match="a second 'masked' score"):
        read_scores_csv(write(tmp_path, twice, twice))
    with pytest.raises(TableError, match="two different LVEFs"):
        read_scores_csv(write(tmp_path, twice, "1,2020-01-01,uncalibrated,0.2,0.1,36,"))
    with pytest.raises(TableError, match="columns missing: variant, score"):
        read_scores_csv(write(tmp_path, head="patient_id,ecg_time"))
    with pytest.raises(TableError, match="cannot be read"):
        read_scores_csv(tmp_path / "absent.csv")
