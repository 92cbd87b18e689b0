"""Names and birth dates: read where a file states them, kept only where it is asked for."""

import json
import logging
from dataclasses import replace
from datetime import date

import io_fixtures as made
import pytest
import typer
from typer.testing import CliRunner

from ecgdash.cli.reading import read
from ecgdash.domain.ecg import Identity
from ecgdash.io import READERS, read_ecg
from ecgdash.io.identity import identity_of
from tests.io import fixtures_tables, fixtures_xml
from tests.io.every_format import SEEDS

BORN = date(1960, 6, 1)


def muse(path):
    fixtures_xml.write_muse(path)
    text = path.read_bytes().replace(
        b"</PatientLastName>",
        b"</PatientLastName><PatientFirstName>Jane</PatientFirstName>"
        b"<DateofBirth>06-01-1960</DateofBirth>",
    )
    path.write_bytes(text)
    return path


def cardiosoft(path):
    fixtures_xml.write_cardiosoft(path)
    text = path.read_bytes().replace(
        b"</FamilyName></Name>",
        b"</FamilyName><GivenName>Jane</GivenName></Name><BirthDateTime><Day>1</Day>"
        b"<Month>6</Month><Year>1960</Year></BirthDateTime>",
    )
    path.write_bytes(text)
    return path


def sierra(path):
    made.write_sierra(path)
    text = path.read_text().replace("<age>", "<age><dateofbirth>1960-06-01</dateofbirth>")
    path.write_text(text)
    return path


def aecg(path):
    made.write_aecg(path)
    person = (
        "<componentOf><timepointEvent><componentOf><subjectAssignment><subject><trialSubject>"
        '<id extension="P-007"/><subjectDemographicPerson>'
        "<name><family>Doe</family><given>Jane</given></name>"
        '<birthTime value="19600601"/></subjectDemographicPerson></trialSubject></subject>'
        "</subjectAssignment></componentOf></timepointEvent></componentOf>"
    )
    head, mark, tail = path.read_text().partition("<component><series>")
    path.write_text(head + person + mark + tail)
    return path


WRITTEN = {
    "dicom": (made.write_dicom, "Jane Doe", BORN),
    "muse-xml": (muse, "Jane Müller", BORN),
    "cardiosoft-xml": (cardiosoft, "Jane Doe", BORN),
    "philips-sierra": (sierra, "Jane Doe", BORN),
    "hl7-aecg": (aecg, "Jane Doe", BORN),
    "scp-ecg": (made.write_scp, "Doe", None),
    "ishne": (made.write_ishne, "Jane Doe", BORN),
    "edf": (made.write_edf, "Jane Doe", BORN),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_each_reader_hands_over_what_its_file_states(name, tmp_path):
    write, person, born = WRITTEN[name]
    path = write(tmp_path / "record")
    record = read_ecg(path, keep_names=True)
    assert record.file_format == name
    assert (record.identity.name, record.identity.birth_date) == (person, born)
    assert person.split()[-1] not in repr(record)
    assert "1960" not in repr(record) + repr(record.identity)


def test_a_json_ecg_and_a_watch_say_who_it_is(tmp_path):
    ecg = read_ecg(fixtures_tables.write_json(tmp_path), keep_names=True)
    assert ecg.identity == Identity("PATIENT, P1", date(2016, 1, 1))
    english = fixtures_tables.write_apple(tmp_path, comma=False)
    assert read_ecg(english, keep_names=True).identity == Identity("Smith", date(1960, 1, 1))
    # Months of other languages are not guessed.
    dutch = fixtures_tables.write_apple(tmp_path)
    assert read_ecg(dutch, keep_names=True).identity == Identity("Vries", None)


@pytest.mark.parametrize("name", SEEDS)
def test_by_default_no_reader_hands_over_anything(name, tmp_path):
    seed = SEEDS[name]
    record = read_ecg(seed.write(tmp_path), member=seed.member)
    assert record.identity is None
    shown = repr(record.__getstate__())
    for private in ("Jane", "Doe", "Müller", "Smith", "Vries", "1960"):
        assert private not in shown


def test_it_is_dropped_in_one_place_whatever_the_reader_does(tmp_path, monkeypatch):
    path = made.write_dicom(tmp_path / "a.dcm")
    plain = READERS["dicom"].read
    anyone = Identity("Somebody", BORN)
    monkeypatch.setattr(
        READERS["dicom"], "read", lambda *given: replace(plain(*given), identity=anyone)
    )
    assert read_ecg(path).identity is None
    assert read_ecg(path, keep_names=True).identity == anyone


@pytest.mark.parametrize("name", WRITTEN)
def test_no_name_is_logged_and_no_json_holds_one(name, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    path = WRITTEN[name][0](tmp_path / "record")
    record = read_ecg(path, keep_names=True)
    logging.getLogger("ecgdash").warning("%r %s", record, [record])
    app = typer.Typer()
    app.command()(read)
    shown = CliRunner().invoke(app, [str(path), "--json"])
    assert json.loads(shown.stdout)[0]["patient_id"] == "P-007"
    for private in ("Jane", "Doe", "Müller", "1960"):
        assert private not in caplog.text
        assert private not in shown.output


@pytest.mark.parametrize(
    ("names", "birth", "expected"),
    [
        (("", None), None, None),
        (("xxxxxx", "XXX"), None, None),
        (("Anonymous",), BORN, Identity(None, BORN)),
        (("Unknown", "?"), None, None),
        (("  Jane\0 ", "van\nder  Doe"), None, Identity("Jane van der Doe")),
        (("N" * 500,), None, Identity("N" * 200)),
    ],
)
def test_masked_and_odd_names(names, birth, expected):
    assert identity_of(names, birth) == expected


def test_a_dicom_name_in_several_spellings(tmp_path):
    from pydicom import dcmread

    path = made.write_dicom(tmp_path / "a.dcm")
    data = dcmread(path)
    for written, expected in (
        ("Doe^Jane^Q^Dr^III", "Jane Q Doe"),
        ("=Yamada^Tarou=yomi", "Tarou Yamada"),
        ("Doe", "Doe"),
        ("^^", None),
    ):
        data.PatientName = written
        data.save_as(path)
        assert read_ecg(path, keep_names=True).identity.name == expected


@pytest.mark.parametrize(
    ("field", "code"),
    [("Jane Doe, ward 3", None), ("Jane F ward 3", None), ("P-007 F X X", "P-007")],
)
def test_an_edf_field_that_tells_no_name(field, code, tmp_path):
    """And the first word of free text, four words or not, is no patient id."""
    path = made.write_edf(tmp_path / "a.edf", field)
    record = read_ecg(path, keep_names=True)
    assert (record.identity, record.patient_id) == (None, code)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "person", "born"),
    [
        ("muse_xml/MUSE_example.xml", "TESTONE MUSE", date(1900, 6, 10)),
        (
            "philips_sierra/3191723_ZZDEMOPTONLY_1-04_orig.xml",
            "ADULT ZZDEMOPTONLY",
            date(1950, 1, 1),
        ),
        ("philips_sierra/2020-5-18_15-48-11.xml", None, date(1951, 1, 1)),
        ("one_ecg_three_formats/Example.dcm", "Clark", date(1953, 5, 8)),
        ("one_ecg_three_formats/Example.scp", "Clark", date(1953, 5, 8)),
        ("one_ecg_three_formats/Example.xml", "Clark", date(1953, 5, 8)),
    ],
)
def test_real_files_name_people_only_when_asked(name, person, born, shared_data):
    path = shared_data / name
    assert read_ecg(path).identity is None
    record = read_ecg(path, keep_names=True)
    assert record.identity == Identity(person, born)
    assert (person or "1951") not in repr(record).replace(record.source_name, "")
