"""What we write, other people's software reads, and our readers read back."""

import warnings
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import io_fixtures as made
import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.errors import InvalidValue
from ecgdash.io import read_ecg, write_muse_xml, write_wfdb
from ecgdash.io.writers.muse_xml import MUSE_STEP_UV, STORED_LEADS

FACTS = ("recorded_at", "local_day", "patient_id", "age_years", "sex", "device", "statements")


def test_wfdb_round_trip_is_exact(tmp_path):
    record = made.make_record()
    read = read_ecg(write_wfdb(record, tmp_path, "r"))
    assert np.array_equal(read.signal_mv, record.signal_mv)
    assert read.sha256 == record.sha256
    assert read.lsb_uv == pytest.approx(record.lsb_uv)
    for name in (*FACTS, "filters"):
        assert getattr(read, name) == getattr(record, name)
    assert dict(read.measurements) == dict(record.measurements)


def test_wfdb_package_reads_the_same_millivolts(tmp_path):
    import wfdb

    write_wfdb(made.make_record(), tmp_path, "r")
    theirs = wfdb.rdrecord(str(tmp_path / "r"))
    assert theirs.sig_name == list(CANONICAL_LEADS)
    assert theirs.units == ["mV"] * 12
    assert np.abs(theirs.p_signal.T - made.make_record().signal_mv).max() < 1e-6


def test_wfdb_without_known_step_is_within_half_a_microvolt(tmp_path, rng):
    signal = rng.normal(0, 0.5, (12, 5000)).astype(np.float32)
    record = made.make_record(signal_mv=signal, lsb_uv=None)
    read = read_ecg(write_wfdb(record, tmp_path, "r"))
    assert np.abs(read.signal_mv - record.signal_mv).max() <= 0.0005 + 1e-7


def test_wfdb_keeps_absent_samples_absent_and_large_ones_large(tmp_path):
    signal = np.array(made.make_record().signal_mv)
    signal[4, 100:200] = np.nan
    signal[5, 7] = 400.0
    read = read_ecg(write_wfdb(made.make_record(signal_mv=signal), tmp_path, "r"))
    assert np.array_equal(np.isnan(read.signal_mv), np.isnan(signal))
    assert read.signal_mv[5, 7] == 400.0


def test_wfdb_of_fewer_leads_and_without_facts(tmp_path):
    record = made.make_record(
        signal_mv=made.make_record().signal_mv[:1],
        leads=("I",),
        lsb_uv=None,
        recorded_at=None,
        patient_id=None,
        age_years=None,
        sex=None,
        statements=(),
        measurements={},
        device=None,
        filters=None,
    )
    read = read_ecg(write_wfdb(record, tmp_path, "r"))
    assert read.leads == ("I",)
    assert [getattr(read, name) for name in FACTS] == [None] * 6 + [()]


def test_wfdb_refuses_a_name_that_is_a_path(tmp_path):
    with pytest.raises(InvalidValue, match="no WFDB record name"):
        write_wfdb(made.make_record(), tmp_path, "../r")


def test_muse_round_trip_to_its_step(tmp_path):
    record = made.make_record()
    read = read_ecg(write_muse_xml(record, tmp_path / "a.xml"))
    for name in STORED_LEADS:
        worst_uv = np.abs(read.lead(name) - record.lead(name)).max() * 1000
        assert worst_uv <= MUSE_STEP_UV / 2 + 1e-3
    for name in FACTS:
        assert getattr(read, name) == getattr(record, name)
    assert dict(read.measurements) == dict(record.measurements)
    # what is on MUSE's grid already stays as it is
    again = read_ecg(write_muse_xml(read, tmp_path / "b.xml"))
    assert again.sha256 == read.sha256


def test_ecgdatakit_reads_the_muse_file(tmp_path):
    from ecgdatakit.parsing import FileParser

    record = made.make_record()
    path = write_muse_xml(record, tmp_path / "a.xml")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theirs = FileParser.parse(path)
    assert theirs.file_format.name == "GE MUSE XML"
    assert [lead.label for lead in theirs.leads] == list(STORED_LEADS)
    assert {lead.sampling_rate for lead in theirs.leads} == {500}
    assert theirs.patient.patient_id == "P-007"
    assert theirs.patient.age == 63
    assert theirs.measurements.qrs_duration == 152
    assert theirs.raw_metadata["checksum_valid"] is True
    for lead in theirs.leads:
        assert np.abs(lead.samples - record.lead(lead.label)).max() < MUSE_STEP_UV / 2000 + 1e-6


def test_muse_refuses_what_it_cannot_hold(tmp_path):
    few = made.make_record(
        signal_mv=made.make_record().signal_mv[:6], leads=CANONICAL_LEADS[:6], lsb_uv=None
    )
    with pytest.raises(InvalidValue, match="needs the leads V1, V2"):
        write_muse_xml(few, tmp_path / "a.xml")
    absent = np.array(made.make_record().signal_mv)
    absent[0, 0] = np.nan
    with pytest.raises(InvalidValue, match="lead I holds samples"):
        write_muse_xml(made.make_record(signal_mv=absent), tmp_path / "a.xml")


def test_wfdb_keeps_the_local_day_of_another_zone(tmp_path):
    late = datetime(2024, 5, 31, 20, 30, 5, tzinfo=UTC)
    record = made.make_record(recorded_at=late, local_day=date(2024, 6, 1))
    read = read_ecg(write_wfdb(record, tmp_path, "r"), zone=ZoneInfo("America/Lima"))
    assert (read.recorded_at, read.local_day) == (late, date(2024, 6, 1))


@pytest.mark.parametrize(
    "write",
    [
        lambda record, folder: write_wfdb(record, folder, "a"),
        lambda record, folder: write_muse_xml(record, folder / "a.xml"),
    ],
)
def test_arbitrary_units_are_never_written_as_millivolts(write, tmp_path):
    with pytest.raises(InvalidValue, match="this ECG is in arbitrary units"):
        write(made.make_record(in_millivolts=False), tmp_path)
    assert list(tmp_path.iterdir()) == []
