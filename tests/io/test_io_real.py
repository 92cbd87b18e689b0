"""Other people's files, read from ../shared/data where it is present."""

import csv
import warnings

import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.errors import InputFileError, UnknownSamplingRate
from ecgdash.io import ReadHints, find_ecg_files, read_ecg, read_patient_table

pytestmark = pytest.mark.real


def test_every_wfdb_record_of_ptbxl_equals_wfdb(shared_data):
    import wfdb

    headers = sorted((shared_data / "ptbxl500").rglob("*.hea"))
    assert len(headers) == 706
    for header in headers:
        record = read_ecg(header)
        theirs = wfdb.rdrecord(str(header.with_suffix("")))
        order = [name.upper() for name in theirs.sig_name]
        expected = theirs.p_signal[:, [order.index(lead.upper()) for lead in CANONICAL_LEADS]].T
        assert record.leads == CANONICAL_LEADS
        assert record.sampling_hz == theirs.fs
        assert np.array_equal(record.signal_mv, expected.astype(np.float32))


def test_the_ecg_in_three_formats_is_one(shared_data):
    folder = shared_data / "one_ecg_three_formats"
    records = [read_ecg(folder / f"Example.{kind}") for kind in ("xml", "dcm", "scp")]
    assert {record.file_format for record in records} == {"hl7-aecg", "dicom", "scp-ecg"}
    assert len({record.sha256 for record in records}) == 1
    assert len({record.recorded_at for record in records}) == 1
    assert {record.patient_id for record in records} == {"SBJ-123"}
    assert all(record.lsb_uv == pytest.approx((2.5,) * 12) for record in records)
    assert all(np.isfinite(record.signal_mv).all() for record in records)


@pytest.mark.parametrize(
    "name", ["one_ecg_three_formats/Example.dcm", "image_dicom_pair/anonymous_ecg.dcm"]
)
def test_dicom_equals_pydicom(name, shared_data):
    from pydicom import dcmread
    from pydicom.waveforms import multiplex_array

    record = read_ecg(shared_data / name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = dcmread(shared_data / name)
        theirs_uv = multiplex_array(dataset, 0, as_raw=False)
        meanings = [
            channel.ChannelSourceSequence[0].CodeMeaning.split()[1]
            for channel in dataset.WaveformSequence[0].ChannelDefinitionSequence
        ]
    assert record.n_samples == len(theirs_uv)
    for column, lead in enumerate(meanings):
        assert np.abs(record.lead(lead) - theirs_uv[:, column] / 1000).max() < 1e-6


@pytest.mark.parametrize("name", ["MUSE_example.xml", "example1.xml", "example2.xml"])
def test_muse(name, shared_data):
    record = read_ecg(shared_data / "muse_xml" / name)
    assert record.leads == CANONICAL_LEADS
    assert (record.sampling_hz, record.n_samples) == (500.0, 5000)
    assert record.recorded_at is None
    assert record.lsb_uv is not None
    assert record.lsb_uv[0] == pytest.approx(4.88)
    assert 0.5 < np.ptp(record.signal_mv) < 10
    assert not any("garg" in text.lower() for text in (*record.statements, *record.notes))


def test_muse_example_contradicts_itself(shared_data):
    record = read_ecg(shared_data / "muse_xml" / "MUSE_example.xml")
    assert record.age_years is None
    assert any("contradict" in note for note in record.notes)
    assert record.measurements["qtc_ms"] == 418.0


@pytest.mark.parametrize(
    ("name", "age"),
    [
        ("129DYPRG.XML", 50.0),
        ("2020-5-18_15-48-11.xml", 69.0),
        ("3191723_ZZDEMOPTONLY_1-04_orig.xml", 60.0),
    ],
)
def test_philips(name, age, shared_data):
    record = read_ecg(shared_data / "philips_sierra" / name)
    assert record.leads == CANONICAL_LEADS
    assert (record.sampling_hz, record.n_samples) == (500.0, 5000)
    assert record.age_years == age
    assert any("calibration pulse" in note for note in record.notes)
    limb = record.lead("II") - record.lead("I") - record.lead("III")
    assert np.abs(limb).max() < 0.0101  # two steps of 5 uV
    # the pulse would have put the same 1 mV plateau into every lead
    assert (np.ptp(record.signal_mv[:, -180:], axis=0) > 1e-6).any()


def test_csv_states_no_rate_and_reads_as_written_with_hints(shared_data):
    files = sorted((shared_data / "csv_ptbxl_500hz").glob("*_hr.csv"))
    assert len(files) == 20
    for file in files:
        with pytest.raises(UnknownSamplingRate, match="the sampling rate is not stated"):
            read_ecg(file)
        record = read_ecg(file, hints=ReadHints(sampling_hz=500, units="mV"))
        expected = np.loadtxt(file, delimiter=",", skiprows=1).T
        assert record.leads == CANONICAL_LEADS
        assert np.array_equal(record.signal_mv, expected.astype(np.float32))


def test_a_wfdb_record_written_as_csv_is_the_same_ecg(shared_data, tmp_path):
    record = read_ecg(shared_data / "ptbxl500" / "records500" / "00000" / "00001_hr")
    file = tmp_path / "a.csv"
    header = ",".join(record.leads)
    np.savetxt(file, record.signal_mv.T, fmt="%.3f", delimiter=",", header=header, comments="")
    read = read_ecg(file, hints=ReadHints(sampling_hz=500, units="mV"))
    assert read.sha256 == record.sha256


def test_kardia_edf_is_a_six_lead_ecg(shared_data):
    (file,) = (shared_data / "edf").glob("*.edf")
    record = read_ecg(file)
    assert record.leads == CANONICAL_LEADS[:6]
    assert (record.sampling_hz, record.patient_id, record.sex) == (300.0, None, "male")


def test_frank_leads_are_dropped_with_a_note(shared_data):
    record = read_ecg(shared_data / "wfdb_misc" / "s0010_re.hea")
    assert record.leads == CANONICAL_LEADS
    assert (record.sampling_hz, record.n_samples, record.age_years) == (1000.0, 38400, 81.0)
    assert any(note.endswith("were dropped: vx, vy, vz") for note in record.notes)


def test_every_file_reads_or_is_refused_in_one_sentence(shared_data):
    """Whatever a file holds, the reader answers with a record or an InputFileError."""
    folders = [entry for entry in sorted(shared_data.iterdir()) if entry.is_dir()]
    sentences = []
    for found in find_ecg_files([folder for folder in folders if folder.name != "ptbxl500"]):
        try:
            read_ecg(found.path, member=found.member)
        except InputFileError as error:
            sentences.append(error.sentence)
    assert len(sentences) > 50
    assert all(text.endswith(".") and "\n" not in text for text in sentences)
    assert not any(str(shared_data) in text for text in sentences)


def test_ptbxl_patient_table_as_it_is(shared_data):
    folder = shared_data / "ptbxl500"
    patients = read_patient_table(folder / "ptbxl_database.csv")
    assert patients.problems == []
    with (folder / "ptbxl_database.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 353
    for row in rows:
        found = patients.find(row["filename_hr"] + ".hea")
        assert found is not None
        assert found.patient_id == row["patient_id"].split(".")[0]
        assert found.sex == {"0": "male", "1": "female"}[row["sex"].split(".")[0]]
        assert row["report"].strip() == "" or row["report"] not in found.statements
        stated = float(row["age"]) if row["age"] else None
        assert found.age_years == (None if stated == 300.0 else stated)
    mine = [row for row in patients.rows.values() if row.patient_id == "13619"]
    assert len(mine) == 16  # eight ECGs, each at 500 and at 100 Hz
    assert len({row.moment.at for row in mine if row.moment}) == 8


def test_a_folder_of_ptbxl_is_found_record_by_record(shared_data):
    found = list(find_ecg_files([shared_data / "ptbxl500"]))
    names = [file.display_name for file in found]
    assert sum(name.endswith(".hea") for name in names) == 706
    assert [name for name in names if not name.endswith(".hea")] == []  # tables are companions
