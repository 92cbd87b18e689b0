"""Published data sets are recognised by their columns, and every row is accounted for."""

import gzip
from datetime import UTC, date, datetime

import fixtures_profiles as fixtures
import pytest

from ecgdash.domain import EchoStudy
from ecgdash.errors import TableError
from ecgdash.io.profiles import (
    Mapping,
    load_mapping,
    offered_mapping,
    recognise,
    save_mapping,
    unknown_tables,
)
from ecgdash.io.profiles.label_columns import label_definitions
from ecgdash.io.table_rows import header_of


def names(found):
    return [one.profile.name for one in found]


def test_ptbxl_takes_the_500_hz_file_and_says_so(tmp_path):
    fixtures.ptbxl(tmp_path, {}, {"age": 300.0, "sex": 0, "pacemaker": "ja"})
    (found,) = recognise(tmp_path)
    assert found.profile.name == "ptb-xl"
    assert found.tables[0].n_rows == 2
    said = found.sentences()
    assert "renamed.csv: 2 rows." in said
    assert any("never both files" in sentence for sentence in said)
    row = found.facts_for("records500/00000/00001_hr.hea")
    assert (row.patient_id, row.age_years, row.sex) == ("101", 56.0, "female")
    assert row.moment.at == datetime(1991, 3, 2, 10, 11, 12, tzinfo=UTC)
    assert row.statements == ("SCP code AFLT (100)",)
    assert found.facts_for("records100/00000/00001_lr.hea") is None
    assert found.is_left_out("records100/00000/00001_lr.hea")
    assert not found.is_left_out("records500/00000/00001_hr.hea")
    assert not found.is_left_out("elsewhere/99999_lr.hea")
    old = found.facts_for("00002_hr.hea")
    assert (old.age_years, old.sex) == (None, "male")
    assert "Pacemaker noted in the patient table" in old.statements
    (problem,) = found.problems()
    assert (problem.row, problem.column, problem.refused) == (3, "age", False)
    assert "over 89" in problem.message


@pytest.mark.parametrize(
    ("change", "column", "refused", "message"),
    [
        ({"patient_id": ""}, "patient_id", True, "is empty"),
        ({"recording_date": "2991-01-01"}, "recording_date", True, "in the future"),
        ({"recording_date": "soon"}, "recording_date", True, "is no time"),
        ({"filename_hr": "records500/00000/00001_hr"}, "filename_hr", True, "a row already"),
        ({"filename_hr": ""}, "filename_hr", True, "no file is named"),
        ({"sex": 7}, "sex", False, "no known code"),
        ({"age": 150}, "age", False, "no human age"),
        ({"age": "old"}, "age", False, "no number"),
        ({"scp_codes": "{broken"}, "scp_codes", False, "no dictionary"),
    ],
)
def test_a_bad_row_is_named_with_its_reason(change, column, refused, message, tmp_path):
    fixtures.ptbxl(tmp_path, {}, change)
    (found,) = recognise(tmp_path)
    (problem,) = found.problems()
    assert (problem.row, problem.column, problem.refused) == (3, column, refused)
    assert message in problem.message
    assert len(found.facts.rows) == (1 if refused else 2)


def mimic(tmp_path, **measured):
    record = {
        "subject_id": 10, "study_id": 40, "file_name": 40, "ecg_time": "2150-01-01 09:00:00",
        "path": "files/p10/s40/40",
    }  # fmt: skip
    fixtures.write(tmp_path / "record_list.csv", fixtures.MIMIC_RECORDS, record)
    row = {
        "subject_id": 10, "study_id": 40, "report_0": "Sinus rhythm", "report_3": "LBBB",
        "bandwidth": "0.005-150 Hz", "filtering": "60 Hz notch", "rr_interval": 800,
        "p_onset": 40, "p_end": 150, "qrs_onset": 200, "qrs_end": 340, "t_end": 600,
        "p_axis": 29999, "qrs_axis": -30, "t_axis": 120, **measured,
    }  # fmt: skip
    stray = {"subject_id": 11, "study_id": 41}
    table = tmp_path / "machine_measurements.csv"
    fixtures.write(table, fixtures.MIMIC_MEASUREMENTS, row, stray)
    (found,) = recognise(tmp_path)
    return found


def test_mimic_fiducial_points_become_intervals(tmp_path):
    found = mimic(tmp_path)
    row = found.facts_for("files/p10/s40/40.hea")
    assert row.patient_id == "10"
    assert row.moment.local_day == date(2150, 1, 1)  # moved dates are no error
    assert row.statements == ("Sinus rhythm", "LBBB")
    assert row.filters == "0.005-150 Hz, 60 Hz notch"
    assert dict(row.measurements) == {
        "heart_rate_bpm": 75.0, "pr_ms": 160.0, "qrs_ms": 140.0, "qt_ms": 400.0,
        "qrs_axis_deg": -30.0, "t_axis_deg": 120.0,
    }  # fmt: skip
    assert [(p.row, p.column, p.refused) for p in found.problems()] == [(3, "study_id", True)]


def test_mimic_sentinels_are_missing_and_odd_values_are_named(tmp_path):
    found = mimic(tmp_path, rr_interval=29999, p_onset=29999, qrs_end=100)
    row = found.facts_for("40.hea")
    assert dict(row.measurements) == {"qt_ms": 400.0, "qrs_axis_deg": -30.0, "t_axis_deg": 120.0}
    assert row.notes == ("the cart's values no heart can have were left out: qrs_ms",)


def echoes(tmp_path, *rows, name="x.csv"):
    fixtures.write(tmp_path / name, fixtures.MIMIC_ECHO, *rows)
    (found,) = recognise(tmp_path)
    assert found.profile.name == "mimic-iv-echo"
    made = list(found.echoes())
    studies = [one for one in made if isinstance(one, EchoStudy)]
    return studies, [one for one in made if not isinstance(one, EchoStudy)], found.tally


@pytest.mark.parametrize("name", ["structured_measurement.csv", "structured-measurement.csv.gz"])
def test_the_best_method_of_a_study_wins_and_the_others_are_named(name, tmp_path):
    rows = (
        fixtures.echo_row("lvef", 50),
        fixtures.echo_row("lvedd", 5.1, unit="cm"),
        fixtures.echo_row("biplane_lvef", 42.5),
        fixtures.echo_row("lvef_3d", 44),
    )
    (echo,), problems, tally = echoes(tmp_path, *rows, name=name)
    assert (echo.patient_id, echo.lvef_percent, echo.method) == ("10", 42.5, "simpson")
    assert echo.performed_at == datetime(2150, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert [(p.row, p.refused) for p in problems] == [(2, False), (5, False)]
    assert (tally.n_lvef, tally.n_other) == (3, 1)


def test_a_range_becomes_its_midpoint_and_says_so(tmp_path):
    rows = (fixtures.echo_row("lvef_upper", 55), fixtures.echo_row("lvef", 50))
    (echo,), (problem,), _ = echoes(tmp_path, *rows)
    assert (echo.lvef_percent, echo.method) == (52.5, "unknown")
    assert (problem.row, problem.refused) == (2, False)
    assert "the range 50 to 55 became its midpoint" in problem.message


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (fixtures.echo_row("lvef", 0.5), "result"),
        (fixtures.echo_row("lvef", 130), "result"),
        (fixtures.echo_row("lvef", "normal"), "result"),
        (fixtures.echo_row("lvef", 50, unit="cm"), "unit"),
        (fixtures.echo_row("lvef", 50, test_type="TEE"), "test_type"),
        (fixtures.echo_row("lvef", 50, subject_id=""), "subject_id"),
        (fixtures.echo_row("lvef", 50, measurement_datetime="x"), "measurement_datetime"),
        (fixtures.echo_row("lvef_upper", 50), "measurement"),
    ],
)
def test_a_bad_echo_row_makes_no_echo(row, column, tmp_path):
    studies, (problem,), _ = echoes(tmp_path, row)
    assert studies == []
    assert (problem.row, problem.column, problem.refused) == (2, column, True)


@pytest.mark.parametrize("upper", [40, "normal"])
def test_half_a_range_is_no_lvef(upper, tmp_path):
    rows = (fixtures.echo_row("lvef", 50), fixtures.echo_row("lvef_upper", upper))
    studies, problems, _ = echoes(tmp_path, *rows)
    assert studies == []
    assert all(problem.refused for problem in problems)
    assert {problem.row for problem in problems} >= {3}


def test_echonext_says_what_cannot_be_done_with_it(tmp_path):
    fixtures.write(tmp_path / "e.csv", fixtures.ECHONEXT, {"ecg_key": 1, "patient_key": 2})
    (found,) = recognise(tmp_path)
    assert found.profile.name == "echonext"
    assert found.label_definitions() == {"lvef_lte_45_flag": "<= 45"}
    said = " ".join(found.sentences())
    assert "Its label lvef_lte_45_flag means LVEF <= 45 %." in said
    assert "no LVEF number" in said
    assert "arbitrary units" in said
    assert list(found.echoes()) == []
    assert found.facts_for("e.npy#0") is None


def test_code15_and_cinc_are_recognised(tmp_path):
    fixtures.write(tmp_path / "a" / "x.csv", fixtures.CODE15, {"exam_id": 1, "is_male": "True"})
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "q.hea").write_text("q 0 500 0\n#Age: 50\n#Dx: 426783006\n", "utf-8")
    assert names(recognise(tmp_path)) == ["code-15", "cinc"]


def test_a_name_alone_is_no_data_set(tmp_path):
    fixtures.write(tmp_path / "ptbxl_database.csv", ["a", "b"], {"a": 1, "b": 2})
    (tmp_path / "record_list.csv").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "broken.csv.gz").write_bytes(b"no gzip")
    assert recognise(tmp_path) == []


def test_an_age_against_the_birth_year_is_left_unknown(tmp_path):
    columns = ["file", "patient_id", "recorded_at", "age_years", "birth_year", "sex"]
    rows = [
        {"file": f, "patient_id": 1, "recorded_at": "2020-06-01", "age_years": age,
         "birth_year": 1960, "sex": "F"}
        for f, age in (("a.xml", 59), ("b.xml", 40))
    ]  # fmt: skip
    (found,) = recognise([fixtures.write(tmp_path / "t.csv", columns, *rows)])
    assert found.facts_for("a.xml").age_years == 59.0
    assert found.facts_for("b.xml").age_years is None
    (problem,) = found.problems()
    assert (problem.row, problem.refused) == (3, False)
    assert "contradict" in problem.message


def test_a_mapping_is_edited_saved_and_read_back(tmp_path):
    columns = ["file", "patient_id", "mrn"]
    row = {"file": "a.xml", "patient_id": "wrong", "mrn": "007"}
    (found,) = recognise([fixtures.write(tmp_path / "t.csv", columns, row)])
    edited = found.mapping.changed("MRN", "patient_id")
    save_mapping(edited, tmp_path / "saved", "our hospital")
    again = load_mapping(tmp_path / "saved")["our hospital"]
    assert again == edited
    assert found.with_mapping(again).facts_for("a.xml").patient_id == "007"
    assert found.facts_for("a.xml").patient_id == "wrong"


@pytest.mark.parametrize("text", ["", "[]", '{"profile": "x"}', '{"profile":"x","columns":[1]}'])
def test_a_broken_mapping_is_one_sentence(text):
    with pytest.raises(TableError, match="no saved mapping"):
        Mapping.from_json(text, "m.json")


def test_a_mapping_refuses_unknown_fields_and_bad_names(tmp_path):
    with pytest.raises(TableError, match="unknown fields: name"):
        Mapping("manifest", (("x", "name"),))
    with pytest.raises(TableError, match="two columns for one field: sex"):
        Mapping("manifest", (("x", "sex"), ("y", "sex")))
    with pytest.raises(TableError, match="name cannot be used"):
        save_mapping(Mapping("manifest", ()), tmp_path, "../escape")


def test_an_endless_line_in_a_small_archive_is_refused(tmp_path):
    head = ",".join(fixtures.MIMIC_ECHO) + "\n"
    with gzip.open(tmp_path / "x.csv.gz", "wt", encoding="utf-8") as stream:
        stream.write(head + "1" * 3_000_000)
    (found,) = recognise(tmp_path)
    with pytest.raises(TableError, match="a line is longer than 1048576 characters"):
        list(found.echoes())


@pytest.mark.real
def test_the_real_ptbxl_folder_is_recognised_as_it_is(shared_data):
    folder = shared_data / "ptbxl500"
    found = [one for one in recognise(folder) if one.profile.name == "ptb-xl"]
    (one,) = found
    headers = sorted(folder.rglob("*_hr.hea"))
    assert headers
    assert all(one.facts_for(str(file)) is not None for file in headers)
    refused = sum(problem.refused for problem in one.problems())
    assert len(one.facts.rows) + refused == one.tables[0].n_rows


PEOPLE = ["subject_id", "gender", "anchor_age", "anchor_year", "anchor_year_group", "dod"]


@pytest.mark.parametrize(
    ("gender", "age", "expected"),
    [("F", 60, ("female", 64.0)), ("M", 91, ("male", None)), ("F", "", (None, None))],
)
def test_mimic_ages_are_counted_from_the_anchor_year(gender, age, expected, tmp_path):
    person = {"subject_id": 10, "gender": gender, "anchor_age": age, "anchor_year": 2146}
    fixtures.write(tmp_path / "hosp" / "patients.csv.gz", PEOPLE, person)
    fixtures.mimic(tmp_path)
    found = {one.profile.name: one for one in recognise(tmp_path)}["mimic-iv-ecg"]
    assert {table.role for table in found.tables} == {"records", "measurements", "people"}
    row = found.facts_for("files/p10/s40/40.hea")
    assert (row.sex, row.age_years) == expected
    assert any("states no patient, age and year" in p.message for p in found.problems()) == (
        age == ""
    )


OWN = ["MRN", "STUDY_DATE", "EF", "Conclusion"]


def own_echoes(folder, *rows):
    return fixtures.write(folder / "our echoes.csv", OWN, *rows)


def test_a_table_of_own_names_is_offered_and_read_by_its_mapping(tmp_path):
    row = {"MRN": "7", "STUDY_DATE": "2020-01-02", "EF": "35", "Conclusion": "two\nlines"}
    table = own_echoes(tmp_path, row, {**row, "EF": "0.35"})
    assert recognise(tmp_path) == []
    assert unknown_tables([table], []) == [table]
    profile, mapping = offered_mapping(header_of(table))
    assert profile.name == "echo-table"
    assert mapping.names() == {
        "patient_id": "mrn", "performed_at": "study_date", "lvef_percent": "ef",
        "report": "conclusion",
    }  # fmt: skip
    (found,) = recognise(tmp_path, saved=[mapping])
    echo, problem = found.echoes()
    assert (echo.patient_id, echo.lvef_percent) == ("7", 35.0)
    assert (problem.column, problem.refused) == ("ef", True)


def test_an_lvef_in_text_needs_no_column_of_numbers(tmp_path):
    row = {"MRN": "7", "STUDY_DATE": "2020-01-02", "Conclusion": "LVEF 40-45 % by Simpson."}
    own_echoes(tmp_path, row)
    columns = (("mrn", "patient_id"), ("study_date", "performed_at"), ("conclusion", "report"))
    (found,) = recognise(tmp_path, saved=[Mapping("echo-table", columns)])
    echoes_read = [one for one in found.echoes() if isinstance(one, EchoStudy)]
    assert [(e.lvef_percent, e.method) for e in echoes_read] == [(42.5, "simpson")]


def test_a_saved_mapping_recognises_only_what_has_all_its_columns(tmp_path):
    own_echoes(tmp_path, {"MRN": "7"})
    lacking = Mapping("echo-table", (("mrn", "patient_id"), ("ef", "lvef_percent")))
    other = Mapping(
        "echo-table",
        (("mrn", "patient_id"), ("study_date", "performed_at"), ("lvef", "lvef_percent")),
    )
    assert recognise(tmp_path, saved=[lacking, other]) == []


def test_rows_of_samples_are_no_tables_about_ecgs(tmp_path):
    (tmp_path / "leads.csv").write_text("time,I,II\n0,1,2\n")
    (tmp_path / "numbers.csv").write_text("0.1,0.2\n0.3,0.4\n")
    assert unknown_tables(sorted(tmp_path.iterdir()), []) == []


def test_an_excel_table_is_recognised_as_a_csv_is(tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["Patient_ID", "performed_at", "lvef_percent"])
    book.active.append([13619.0, "2020-01-02", 35])
    book.save(tmp_path / "e.xlsx")
    (found,) = recognise(tmp_path)
    assert found.profile.name == "echo-table"
    assert [(e.patient_id, e.lvef_percent) for e in found.echoes()] == [("13619", 35.0)]
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    assert len(recognise(tmp_path)) == 1


def test_an_unusual_lvef_is_kept_with_a_remark(tmp_path):
    columns = ["patient_id", "performed_at", "lvef_percent"]
    row = {"patient_id": "1", "performed_at": "2020-01-02", "lvef_percent": "5.5"}
    (found,) = recognise([fixtures.write(tmp_path / "e.csv", columns, row)])
    echo, problem = found.echoes()
    assert echo.lvef_percent == 5.5
    assert (problem.refused, problem.message) == (
        False,
        "LVEF 5.5 is outside 10 to 90 percent; check it",
    )


@pytest.mark.parametrize(
    ("column", "meaning"),
    [
        ("lvef_lte_45_flag", "<= 45"),
        ("lvef_40", "<= 40"),
        ("lvef_50", "< 50"),
        ("ef_lt_35", "< 35"),
        ("lvef_under_40", "< 40"),
        ("lvsd", "not stated"),
    ],
)
def test_what_a_label_means_is_read_from_its_name(column, meaning):
    assert label_definitions(["patient_id", column, "lvef", "ef_50_year"]) == {column: meaning}
