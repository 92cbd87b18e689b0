"""Every code and every statement of the real files: known, and in English as expected."""

import ast
import csv
import json
import re

import pytest

from ecgdash.io import read_ecg
from ecgdash.labels.english import english_part, sentences_of
from ecgdash.labels.statements import affirmed_findings, uncertain_findings, unread_parts
from tests.labels.expected_reports import EXPECTED

pytestmark = pytest.mark.real

CARTS = [
    (
        "muse_xml/MUSE_example.xml",
        {"SINUS", "SINUS_BRADYCARDIA", "SINUS_ARRHYTHMIA", "PR>200"},
    ),
    ("philips_sierra/3191723_ZZDEMOPTONLY_1-04_orig.xml", {"SINUS", "LVH", "ST_ELEVATION"}),
    (
        "philips_sierra/129DYPRG.XML",
        {"SINUS", "SINUS_BRADYCARDIA", "IVCD", "Q_INFERIOR", "MI"},
    ),
    ("philips_sierra/2020-5-18_15-48-11.xml", {"SINUS"}),
    ("image_dicom_pair/anonymous_ecg.dcm", set()),  # Italian: not read
]


def csv_rows(path):
    with path.open(newline="") as table:
        return list(csv.DictReader(table))


@pytest.fixture(scope="module")
def ptbxl(shared_data):
    return csv_rows(shared_data / "ptbxl500" / "ptbxl_database.csv")


def test_every_scp_code_is_known(shared_data, ptbxl):
    codes = {row[""] for row in csv_rows(shared_data / "ptbxl500" / "scp_statements.csv")}
    codes |= {code for row in ptbxl for code in ast.literal_eval(row["scp_codes"])}
    assert len(codes) == 71
    assert unread_parts(f"SCP code {code} (100)" for code in sorted(codes)) == ()


def test_every_snomed_code_is_known(shared_data):
    codes = set()
    for header in shared_data.rglob("*.hea"):
        dx = re.findall(r"(?im)^#\s*Dx:(.*)$", header.read_text(errors="replace"))
        codes |= {code for line in dx for code in re.findall(r"\d+", line)}
    for row in csv_rows(shared_data / "sph_h5" / "metadata.csv"):
        codes |= set(row["SNOMEDCTCode"].split(","))
    assert len(codes) >= 34
    assert unread_parts(f"SNOMED code {code}" for code in sorted(codes)) == ()


def test_aha_and_snomed_codes_of_one_record_mean_the_same(shared_data):
    rows = csv_rows(shared_data / "sph_h5" / "metadata.csv")
    for row in rows:
        aha = [f"AHA code {code}" for code in row["AHA_Code"].split(";")]
        snomed = [f"SNOMED code {code}" for code in row["SNOMEDCTCode"].split(",")]
        assert unread_parts(aha) == ()
        # AHA's 1 is "normal ECG", which that data set translates as sinus rhythm
        assert set(affirmed_findings(aha)) | {"SINUS"} == set(affirmed_findings(snomed)) | {"SINUS"}
    assert len(rows) >= 9


def test_every_statement_and_code_of_the_children_s_ecgs_is_known(shared_data):
    paths = sorted((shared_data / "pediatric_json").glob("*.json"))
    assert len(paths) == 4
    for path in paths:
        diagnosis = json.loads(path.read_text())["diagnosis"]
        assert unread_parts(diagnosis["statements"]) == ()
        assert unread_parts(f"AHA code {code}" for code in diagnosis["aha"]) == ()


@pytest.mark.parametrize(("name", "findings"), CARTS)
def test_a_cart_s_statements(shared_data, name, findings):
    statements = read_ecg(shared_data / name).statements
    assert statements
    assert set(affirmed_findings(statements)) == findings
    assert uncertain_findings(statements) == {}
    assert unread_parts(statements) == ()


def test_statements_of_a_format_that_is_not_read_are_known(shared_data):
    text = (shared_data / "cardiosoft_xml" / "dummy_ecg.xml").read_text(errors="replace")
    statements = re.findall(r"<DiagnosisText>([^<]+)", text)
    assert set(affirmed_findings(statements)) == {"SINUS", "LVH"}
    assert unread_parts(statements) == ()


def test_muse_lines_as_they_stand_in_the_file(shared_data):
    text = (shared_data / "muse_xml" / "MUSE_example.xml").read_text(errors="replace")
    lines = re.findall(r"<StmtText>([^<]+)", text)
    assert len(lines) == 9
    assert unread_parts(lines) == ()


def test_every_english_report_of_ptbxl(ptbxl):
    reports = {}
    for row in ptbxl:
        reports.setdefault(row["report"], int(row["ecg_id"]))
    english = {i: text for text, i in reports.items() if english_part(sentences_of(text))}
    found = {i: set(affirmed_findings([text])) for i, text in english.items()}
    assert found == {i: set(names.split()) for i, names in EXPECTED.items()}
    assert [part for text in reports for part in unread_parts([text])] == []


def test_reports_in_other_languages_affirm_nothing(ptbxl):
    other = {row["report"] for row in ptbxl if not english_part(sentences_of(row["report"]))}
    assert len(other) == 101
    assert {name for text in other for name in affirmed_findings([text])} == set()
    assert {name for text in other for name in uncertain_findings([text])} == {"PACED"}
