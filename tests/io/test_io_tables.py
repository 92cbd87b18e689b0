"""Echo, diagnosis and patient tables: a row is accepted or named, never lost."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import io_fixtures as made
import pytest

from ecgdash.errors import TableError
from ecgdash.io import read_diagnoses_csv, read_echo_csv, read_patient_table
from ecgdash.io.tables import known_table

SEOUL = ZoneInfo("Asia/Seoul")
ECHO_HEAD = "patient_id,performed_at,lvef_percent,method\n"


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_echoes_with_and_without_time(tmp_path):
    text = ECHO_HEAD + "13619.0,2024-05-31T14:30:00+02:00,35,Simpson\n007,2024-06-01,55.5 %,\n"
    (one, two), problems = read_echo_csv(table(tmp_path, text), SEOUL)
    assert problems == []
    assert (one.patient_id, one.lvef_percent, one.method) == ("13619", 35.0, "simpson")
    assert one.performed_at == datetime(2024, 5, 31, 12, 30, tzinfo=UTC)
    assert one.has_time
    assert (two.patient_id, two.lvef_percent, two.method) == ("007", 55.5, "unknown")
    assert not two.has_time
    assert two.local_day == date(2024, 6, 1)
    assert two.performed_at == datetime(2024, 6, 1, 3, 0, tzinfo=UTC)  # noon in Seoul


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        ("1,2024-05-31,0.55,", "lvef_percent", "LVEF 0.55: percent or fraction? Give percent"),
        ("1,2024-05-31,1,", "lvef_percent", "LVEF 1: percent or fraction? Give percent"),
        ("1,2024-05-31,0,", "lvef_percent", "outside 1 to 100"),
        ("1,2024-05-31,120,", "lvef_percent", "outside 1 to 100"),
        ("1,2024-05-31,50-55,", "lvef_percent", "is no number"),
        ("1,2024-05-31,,", "lvef_percent", "is no number"),
        ("1,31.05.2024,55,", "performed_at", "is no time"),
        ("1,,55,", "performed_at", "is no time"),
        ("1,2124-05-31,55,", "performed_at", "lies in the future"),
        (",2024-05-31,55,", "patient_id", "the patient id is empty"),
    ],
)
def test_a_bad_echo_row_is_a_problem_with_its_row(row, column, message, tmp_path):
    text = ECHO_HEAD + "9,2024-01-01,60,visual\n" + row + "\n"
    echoes, (problem,) = read_echo_csv(table(tmp_path, text))
    assert [echo.patient_id for echo in echoes] == ["9"]
    assert (problem.row, problem.column, problem.refused) == (3, column, True)
    assert message in problem.message


def test_an_unknown_method_is_kept_as_unknown_and_said(tmp_path):
    text = ECHO_HEAD + "1,2024-05-31,55,3D\n2,2024-05-31,55,Biplane Simpson's\n"
    (one, two), (problem,) = read_echo_csv(table(tmp_path, text))
    assert (one.method, two.method) == ("unknown", "simpson")
    assert (problem.row, problem.refused) == (2, False)


def test_the_same_echo_twice_counts_once_and_is_said(tmp_path):
    text = ECHO_HEAD + "1,2024-05-31,55,visual\n1,2024-05-31,55.0,visual\n"
    echoes, (problem,) = read_echo_csv(table(tmp_path, text))
    assert len(echoes) == 1
    assert problem.message.startswith("the row says the same as row 2")


def test_semicolons_a_bom_and_capitals_do_not_matter(tmp_path):
    text = "\ufeffPatient_ID;Performed_At;LVEF_percent\n1;2024-05-31;55\n"
    echoes, problems = read_echo_csv(table(tmp_path, text))
    assert (len(echoes), problems) == (1, [])


def test_missing_columns_are_named(tmp_path):
    with pytest.raises(TableError) as caught:
        read_echo_csv(table(tmp_path, "patient_id,date,lvef\n1,2024-05-31,55\n"))
    assert caught.value.sentence == (
        "t.csv: columns are missing: performed_at, lvef_percent; found patient_id, date, lvef. "
        "Needed: patient_id, performed_at, lvef_percent. Rename or add the columns."
    )


def test_diagnoses(tmp_path):
    head = "patient_id,code_system,code,recorded_on\n"
    rows = "1,ICD-10,I44.7,2024-05-31\n1,ICD-10,,2024-05-31\n1,ICD-10,I48,someday\n"
    (one,), problems = read_diagnoses_csv(table(tmp_path, head + rows))
    assert (one.code, one.recorded_on) == ("I44.7", date(2024, 5, 31))
    assert [(problem.row, problem.column) for problem in problems] == [
        (3, "code"),
        (4, "recorded_on"),
    ]


PTBXL_HEAD = (
    "ecg_id,patient_id,age,sex,recording_date,report,scp_codes,pacemaker,filename_lr,filename_hr\n"
)


def ptbxl(tmp_path: Path, *rows: str) -> Path:
    return table(tmp_path, PTBXL_HEAD + "".join(row + "\n" for row in rows))


def test_ptbxl_rows_reach_their_records(tmp_path):
    codes = "\"{'AFLT': 100.0, 'SR': 0.0}\""
    files = "r100/00000/00001_lr,r500/00000/00001_hr"
    row = f"1,13619.0,56.0,1,1991-03-02 10:11:12,vorhofflattern,{codes},,{files}"
    patients = read_patient_table(ptbxl(tmp_path, row), SEOUL)
    plain = made.make_record(
        patient_id=None, recorded_at=None, age_years=None, sex=None, statements=()
    )
    for name in ("00001_hr.hea", "anything/r500/00000/00001_hr.hea", "r100/00000/00001_lr"):
        record = patients.apply(plain, name)
        assert (record.patient_id, record.age_years, record.sex) == ("13619", 56.0, "female")
        assert record.recorded_at == datetime(1991, 3, 2, 1, 11, 12, tzinfo=UTC)
        assert record.local_day == date(1991, 3, 2)
        assert record.statements == ("SCP code AFLT (100)", "SCP code SR (0)")
        assert "vorhofflattern" not in repr(record.__getstate__())
        assert record.sha256 == plain.sha256
    assert patients.problems == []


def test_ptbxl_age_300_is_unknown_with_a_note(tmp_path):
    row = "1,5,300.0,0,1991-03-02 10:11:12,,{},,a/1_lr,a/1_hr"
    record = read_patient_table(ptbxl(tmp_path, row)).apply(
        made.make_record(age_years=None, sex=None), "a/1_hr.hea"
    )
    assert record.age_years is None
    assert record.sex == "male"
    assert any("over 89" in note for note in record.notes)


def test_ptbxl_pacemaker_is_a_statement(tmp_path):
    row = '1,5,70,0,1991-03-02 10:11:12,,{},"ja, pacemaker",a/1_lr,a/1_hr'
    record = read_patient_table(ptbxl(tmp_path, row)).apply(made.make_record(), "1_hr")
    assert "Pacemaker noted in the patient table" in record.statements


def test_ptbxl_bad_rows_are_problems(tmp_path):
    rows = (
        "1,,70,0,1991-03-02 10:11:12,,{},,a/1_lr,a/1_hr",
        "2,5,70,0,yesterday,,{},,a/2_lr,a/2_hr",
        "3,5,old,2,1991-03-02 10:11:12,,{broken,,a/3_lr,a/3_hr",
        "4,5,70,0,1991-03-02 10:11:12,,{},,a/3_lr,a/4_hr",
    )
    patients = read_patient_table(ptbxl(tmp_path, *rows))
    assert [(problem.row, problem.column, problem.refused) for problem in patients.problems] == [
        (2, "patient_id", True),
        (3, "recording_date", True),
        (4, "age", False),
        (4, "sex", False),
        (4, "scp_codes", False),
        (5, "filename_hr", True),
    ]
    assert patients.find("a/1_hr.hea") is None
    assert patients.find("a/3_hr.hea") is not None


def test_a_table_of_ones_own(tmp_path):
    text = (
        "file,patient_id,recorded_at,age_years,sex\n"
        "x/a.xml,1,2024-05-31T10:00:00+09:00,60,F\ny/a.xml,2,2024-06-30,,male\n"
    )
    patients = read_patient_table(table(tmp_path, text))
    plain = made.make_record(patient_id="other", recorded_at=None, age_years=None, sex=None)
    one = patients.apply(plain, "folder/x/a.xml")
    assert (one.patient_id, one.age_years, one.sex) == ("1", 60.0, "female")
    assert any("replaces the file's" in note for note in one.notes)
    two = patients.apply(plain, "folder/y/a.xml")
    assert two.patient_id == "2"
    assert any("a day but no time" in note for note in two.notes)
    # two rows share the name and no folder decides
    assert patients.find("a.xml") is None
    missing = patients.apply(plain, "b.xml")
    assert missing.patient_id == "other"
    assert missing.notes[-1] == "the patient table has no row for this file"


def test_tables_are_known_by_their_header(tmp_path):
    assert known_table(table(tmp_path, ECHO_HEAD)) == "echo"
    assert known_table(table(tmp_path, PTBXL_HEAD)) == "patients"
    assert known_table(table(tmp_path, "patient_id,code_system,code,recorded_on\n")) == "diagnoses"
    assert known_table(table(tmp_path, "I,II,III\n")) is None


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        ("1,2024-05-31,55,5,simpson", "", "more cells than the header"),
        ("1,0001-01-01,55,simpson", "performed_at", "before 1900"),
        ("1,0001-01-01T00:00:00,55,simpson", "performed_at", "is no time"),
        ("1\x00a,2024-05-31,55,simpson", "patient_id", "control characters"),
    ],
)
def test_a_row_that_could_be_misread_is_refused(row, column, message, tmp_path):
    echoes, (problem,) = read_echo_csv(table(tmp_path, ECHO_HEAD + row + "\n"), SEOUL)
    assert not echoes
    assert (problem.row, problem.column) == (2, column)
    assert message in problem.message


def test_a_decimal_comma_is_a_decimal_point(tmp_path):
    text = "patient_id;performed_at;lvef_percent\n1;2024-05-31;55,5\n1;2024-06-01;0,55\n"
    (one,), (problem,) = read_echo_csv(table(tmp_path, text))
    assert one.lvef_percent == 55.5
    assert "percent or fraction?" in problem.message


def test_trailing_empty_cells_do_not_matter(tmp_path):
    (one,), problems = read_echo_csv(table(tmp_path, ECHO_HEAD + "1,2024-05-31,55,visual,,\n"))
    assert (one.lvef_percent, problems) == (55.0, [])


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(TableError, match="this is a folder"):
        read_echo_csv(tmp_path)


REPORTS = (
    'P1,2024-03-01,"Dilated LV.\nLVEF 35 % by biplane Simpson, prior LVEF 50 % in 2019."\n'
    'P1,2024-06-01,"LVEF > 55 %"\n'
    'P1,2024-07-01,"RVSP 45 mmHg, LVEF could not be assessed"\n'
)


def test_lvef_is_read_from_the_text_of_reports(tmp_path):
    path = tmp_path / "reports.csv"
    path.write_text("patient_id,performed_at,report\n" + REPORTS)
    assert known_table(path) == "echo"
    studies, problems = read_echo_csv(path)
    assert [(one.lvef_percent, one.method) for one in studies] == [
        (35.0, "simpson"),
        (55.0, "unknown"),
    ]
    assert [(one.row, one.column, one.refused) for one in problems] == [
        (4, "report", False),
        (5, "report", True),
    ]
    assert "only a bound is stated (> 55 %)" in problems[0].message
    assert "no LVEF of this study is stated" in problems[1].message


def test_a_stated_lvef_comes_before_the_text(tmp_path):
    path = tmp_path / "both.csv"
    path.write_text(
        "patient_id,performed_at,lvef_percent,method,report\n"
        'P1,2024-03-01,40,visual,"LVEF 35 % by biplane Simpson"\n'
        'P1,2024-04-01,,,"LVEF 35 % by biplane Simpson"\n'
        "P1,2024-05-01,,,\n"
    )
    studies, problems = read_echo_csv(path)
    assert [(one.lvef_percent, one.method) for one in studies] == [
        (40.0, "visual"),
        (35.0, "simpson"),
    ]
    assert [(one.row, one.refused) for one in problems] == [(4, True)]
