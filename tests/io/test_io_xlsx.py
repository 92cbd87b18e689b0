"""An echo table saved by Excel says the same as its CSV, and fails the same way."""

import zipfile
from datetime import UTC, date, datetime

import openpyxl
import pytest

from ecgdash.errors import TableError
from ecgdash.io import read_echo_csv

HEAD = ("patient_id", "performed_at", "lvef_percent", "method")


def sheet(tmp_path, *rows, head=HEAD):
    book = openpyxl.Workbook()
    for row in (head, *rows):
        book.active.append(row)
    path = tmp_path / "echoes.xlsx"
    book.save(path)
    return path


def test_typed_days_times_and_numbers_are_read(tmp_path):
    rows = (
        (13619.0, datetime(2024, 5, 31, 14, 30), 35, "Simpson"),
        ("007", date(2024, 6, 1), 55.5, None),
    )
    (one, two), problems = read_echo_csv(sheet(tmp_path, *rows))
    assert problems == []
    assert (one.patient_id, one.lvef_percent, one.method) == ("13619", 35.0, "simpson")
    assert one.performed_at == datetime(2024, 5, 31, 14, 30, tzinfo=UTC)
    assert (two.patient_id, two.lvef_percent, two.has_time) == ("007", 55.5, False)
    assert two.local_day == date(2024, 6, 1)


@pytest.mark.parametrize(
    ("lvef", "message"),
    [("=50+5", "is no number"), (0.55, "percent or fraction"), (None, "is no number")],
)
def test_a_bad_cell_is_a_problem_with_its_row(lvef, message, tmp_path):
    good, bad = (1, "2024-01-01", 60, "visual"), (2, "2024-01-01", lvef, "visual")
    (echo,), (problem,) = read_echo_csv(sheet(tmp_path, good, bad))
    assert echo.patient_id == "1"
    assert (problem.row, problem.column, problem.refused) == (3, "lvef_percent", True)
    assert message in problem.message


def test_missing_columns_and_broken_files_are_one_sentence(tmp_path):
    with pytest.raises(TableError, match="columns are missing: lvef_percent"):
        read_echo_csv(sheet(tmp_path, head=HEAD[:2]))
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK no archive")
    with pytest.raises(TableError, match="no readable .xlsx"):
        read_echo_csv(broken)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = sheet(tmp_path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/big.bin", bytes(65 * 1024 * 1024))
    with pytest.raises(TableError, match="unpacks to more than 64 MiB"):
        read_echo_csv(path)
