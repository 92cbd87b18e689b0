"""WFDB: every signal format and layout against wfdb and hand arithmetic; contradictions."""

import csv
from datetime import UTC, datetime

import numpy as np
import pytest
from fixtures_wfdb import (
    EIGHT,
    counts_of,
    expected,
    packed,
    write_bytes,
    write_cinc,
    write_layout,
    write_record,
    write_segments,
    write_without_length,
)
from scipy.signal import resample_poly

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.errors import (
    CorruptFile,
    FileTooLarge,
    MissingLeads,
    UnknownSamplingRate,
    UnsupportedFormat,
)
from ecgdash.io import find_ecg_files, read_ecg
from ecgdash.io.formats import wfdb_files

WFDB_CAN_WRITE = ("16", "24", "32", "80", "212", "508", "516", "524")
BY_HAND = ("8", "61", "160", "310", "311")


def small(n_samples=1000, n_leads=8):
    """Counts of 8 bits whose steps fit 8 bits too."""
    walk = np.random.default_rng(5).integers(-3, 4, (n_samples, n_leads)).cumsum(axis=0)
    return np.clip(walk, -120, 120)


def edited(header, old, new):
    text = header.read_text()
    assert old in text
    header.write_text(text.replace(old, new, 1))
    return header


def leads_of(record, names=EIGHT):
    return np.stack([record.lead(name) for name in names])


@pytest.mark.parametrize("fmt", WFDB_CAN_WRITE)
@pytest.mark.parametrize("n_samples", [1000, 999])
def test_formats_that_wfdb_writes(fmt, n_samples, tmp_path):
    counts = small(n_samples)
    record = read_ecg(write_record(tmp_path, counts=counts, fmt=fmt))
    assert np.array_equal(leads_of(record), expected(counts))
    assert record.sampling_hz == 500.0
    assert record.lsb_uv[0] == 5.0


@pytest.mark.parametrize("fmt", BY_HAND)
@pytest.mark.parametrize("n_samples", [1000, 1001])
def test_formats_laid_out_by_hand(fmt, n_samples, tmp_path):
    counts = small(n_samples, n_leads=2)
    record = read_ecg(write_bytes(tmp_path, packed(counts, fmt), counts, fmt))
    assert np.array_equal(leads_of(record, ("I", "II")), expected(counts))


def test_bytes_before_the_samples_are_skipped(tmp_path):
    counts = small(n_leads=2)
    record = read_ecg(write_bytes(tmp_path, b"x" * 7 + packed(counts, "61"), counts, "61+7"))
    assert np.array_equal(leads_of(record, ("I", "II")), expected(counts))


def test_a_lag_is_taken_back(tmp_path):
    counts = small(n_leads=2)
    lagging = counts.copy()
    lagging[4:, 1] = counts[:-4, 1]
    lagging[:4, 1] = 0
    header = write_bytes(tmp_path, lagging.astype("<i2").tobytes(), lagging, "16")
    lines = header.read_text().splitlines()
    lines[2] = lines[2].replace(" 16 ", " 16:4 ", 1)
    header.write_text("\n".join(lines))
    record = read_ecg(header)
    assert np.array_equal(record.lead("I"), expected(counts)[0])
    assert np.array_equal(record.lead("II")[:-4], expected(counts)[1, :-4])
    assert np.isnan(record.lead("II")[-4:]).all()
    assert any("lag by a stated skew" in note for note in record.notes)


def test_samples_of_one_frame_are_kept_and_raise_the_rate(tmp_path):
    counts = small(2000, n_leads=2)
    frames = counts.reshape(1000, 2, 2).transpose(0, 2, 1)
    header = write_bytes(tmp_path, frames.astype("<i2").tobytes(), counts, "16x2")
    record = read_ecg(edited(header, " 500 2000", " 250 1000"))
    assert (record.sampling_hz, record.n_samples) == (500.0, 2000)
    assert np.array_equal(leads_of(record, ("I", "II")), expected(counts))


def test_leads_of_different_rates_are_refused(tmp_path):
    counts = small(n_leads=2)
    header = write_bytes(tmp_path, bytes(6 * 1000), counts * 0, "16")
    lines = header.read_text().splitlines()
    lines[2] = lines[2].replace(" 16 ", " 16x2 ", 1)
    header.write_text("\n".join(lines))
    with pytest.raises(UnknownSamplingRate, match="leads differ in sampling rate"):
        read_ecg(header)


def test_samples_marked_as_absent_are_absent(tmp_path):
    counts = small(n_leads=2)
    counts[10, 0] = -32768
    record = read_ecg(write_bytes(tmp_path, counts.astype("<i2").tobytes(), counts, "16"))
    assert np.flatnonzero(np.isnan(record.lead("I"))).tolist() == [10]
    assert "1 samples are marked as absent in the file" in record.notes


def test_a_unit_beyond_ascii_is_understood(tmp_path):
    """wfdb drops the first letter of this unit and would take volts."""
    header = write_record(tmp_path)
    header.write_text(header.read_text().replace("/mV", "/µV"), encoding="utf-8")
    assert np.allclose(leads_of(read_ecg(header)), expected(counts_of()) / 1000, rtol=1e-6)
    header.write_text(header.read_text(encoding="utf-8"), encoding="latin-1")
    assert np.allclose(leads_of(read_ecg(header)), expected(counts_of()) / 1000, rtol=1e-6)


def test_a_gain_with_a_capital_exponent_is_understood(tmp_path):
    """wfdb would stop before the exponent and take a gain of 2."""
    header = write_record(tmp_path)
    header.write_text(header.read_text().replace(" 200.0(0)/mV", " 2.0E2(0)/mV"))
    assert np.array_equal(leads_of(read_ecg(header)), expected(counts_of()))


@pytest.mark.parametrize("rate", ["500/250", "500/250(0)", "500.0", "5e2"])
def test_forms_of_a_rate(rate, tmp_path):
    assert read_ecg(edited(write_record(tmp_path), " 500 ", f" {rate} ")).sampling_hz == 500.0


@pytest.mark.parametrize("rate", ["-500", "0", "nan", "inf", "500/x", "1e99", "1_0"])
def test_rates_that_are_none(rate, tmp_path):
    with pytest.raises(UnknownSamplingRate):
        read_ecg(edited(write_record(tmp_path), " 500 ", f" {rate} "))


@pytest.mark.parametrize(
    ("start", "at", "noted"),
    [
        ("14:30:05 31/05/2024", datetime(2024, 5, 31, 14, 30, 5, tzinfo=UTC), False),
        ("14:30:05.25 31/05/2024", datetime(2024, 5, 31, 14, 30, 5, 250_000, tzinfo=UTC), False),
        ("14:30:05", None, False),
        ("14:30:05 05/31/2024", None, True),
        ("25:30:05 31/05/2024", None, True),
        ("31-May-2024 14:30:05", None, True),
    ],
)
def test_starts(start, at, noted, tmp_path):
    record = read_ecg(edited(write_record(tmp_path), " 500 1000", f" 500 1000 {start}"))
    assert record.recorded_at == at
    assert any("not HH:MM:SS DD/MM/YYYY" in note for note in record.notes) is noted


def test_cinc_record(tmp_path):
    header = write_cinc(tmp_path)
    record = read_ecg(tmp_path / "A0001.mat")
    assert record.source_name == header.name
    assert record.leads == CANONICAL_LEADS
    assert np.array_equal(record.signal_mv, expected(counts_of(CANONICAL_LEADS)))
    assert (record.age_years, record.sex, record.recorded_at) == (74.0, "female", None)
    assert record.statements == ("SNOMED code 426783006", "SNOMED code 164909002")


@pytest.mark.parametrize(("at", "value"), [(0, 50), (4, 11), (8, 999), (16, 3)])
def test_a_matlab_file_that_contradicts_its_header_is_refused(at, value, tmp_path):
    header = write_cinc(tmp_path)
    file = tmp_path / "A0001.mat"
    data = bytearray(file.read_bytes())
    data[at : at + 4] = value.to_bytes(4, "little")
    file.write_bytes(data)
    with pytest.raises(CorruptFile, match="A0001.mat states"):
        read_ecg(header)


def test_a_missing_length_comes_from_the_file(tmp_path):
    record = read_ecg(write_without_length(tmp_path))
    assert np.array_equal(leads_of(record), expected(counts_of()))
    assert any("states no length; record.dat holds 1000" in note for note in record.notes)


def test_without_a_length_the_checksum_tells_a_cut_file(tmp_path):
    header = write_without_length(tmp_path)
    file = tmp_path / "record.dat"
    file.write_bytes(file.read_bytes()[:-16])
    with pytest.raises(CorruptFile, match="has the checksum"):
        read_ecg(header)


@pytest.mark.parametrize("n_bytes", [-1, -2, -16, 1, 2, 16, 4096])
def test_a_signal_file_of_another_size_is_refused(n_bytes, tmp_path):
    header = write_record(tmp_path)
    file = tmp_path / "record.dat"
    data = file.read_bytes() + bytes(5000)
    file.write_bytes(data[: 16 * 1000 + n_bytes])
    with pytest.raises(CorruptFile, match="the signal file record.dat holds"):
        read_ecg(header)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("record 8 ", "record 7 ", "states 7 signals and describes 8"),
        ("record 8 ", "record 9 ", "states 9 signals and describes 8"),
        ("record 8 ", "record 0 ", "states 0 signals and describes 8"),
        ("record 8 ", "record -8 ", "number of signals is no whole number"),
        (" 500 1000", " 500 1001", "bytes, which are no whole|holds 1000 samples a signal, not"),
        (" 500 1000", " 500 -1000", "number of samples is no whole number"),
        ("record.dat 16 ", "record.dat 16x ", "names no file and format"),
        ("record.dat 16 ", "record.dat 24 ", "differ in format or byte offset"),
        ("record.dat 16 ", "record.dat 16+2 ", "differ in format or byte offset"),
        ("record.dat 16 ", "~ 16 ", "bytes, which are no whole frames"),
        (" 200.0(0)/mV", " 2x(0)/mV", "the gain is no number"),
        (" 200.0(0)/mV 16", " 200.0(0)/mV 99", "no converter has 99 bits"),
        (" 200.0(0)/mV", " 1e-99(0)/mV", "reaches"),
        ("record.dat", "/etc/passwd", "a signal file outside its folder"),
        ("record.dat", "..\\record.dat", "a signal file outside its folder"),
        ("record.dat", "https:x.dat", "a signal file outside its folder"),
    ],
)
def test_headers_that_contradict_themselves(old, new, said, tmp_path):
    with pytest.raises(CorruptFile, match=said):
        read_ecg(edited(write_record(tmp_path), old, new))


def test_first_value_and_checksum_are_those_of_the_samples(tmp_path):
    header = write_record(tmp_path, counts=counts_of())
    file = tmp_path / "record.dat"
    whole = file.read_bytes()
    file.write_bytes(bytes([whole[0] ^ 4]) + whole[1:])
    with pytest.raises(CorruptFile, match="a signal of record.dat begins with"):
        read_ecg(header)
    file.write_bytes(whole[:-2] + bytes([whole[-2] ^ 4]) + whole[-1:])
    with pytest.raises(CorruptFile, match="a signal of record.dat has the checksum"):
        read_ecg(header)


def test_sums_left_at_zero_state_nothing(tmp_path):
    counts = small(n_leads=2) + 7
    header = write_bytes(tmp_path, counts.astype("<i2").tobytes(), counts, "16")
    lines = [line.split() for line in header.read_text().splitlines()]
    for words in lines[1:]:
        words[5:7] = ["0", "0"]
    header.write_text("\n".join(" ".join(words) for words in lines))
    record = read_ecg(header)
    assert np.array_equal(leads_of(record, ("I", "II")), expected(counts))
    assert any("states no checksums" in note for note in record.notes)


def test_signals_of_a_file_must_be_listed_side_by_side(tmp_path):
    """wfdb would give the second file's neighbour."""
    header = write_record(tmp_path)
    (tmp_path / "b.dat").write_bytes(bytes(2000))
    lines = header.read_text().splitlines()
    lines[2] = lines[2].replace("record.dat", "b.dat")
    header.write_text("\n".join(lines))
    with pytest.raises(CorruptFile, match="not listed side by side"):
        read_ecg(header)


def test_an_unknown_signal_format_is_refused(tmp_path):
    header = write_record(tmp_path)
    header.write_text(header.read_text().replace("record.dat 16", "record.dat 17"))
    with pytest.raises(UnsupportedFormat, match="no WFDB signal format 17"):
        read_ecg(header)


def test_a_folder_that_wfdb_takes_for_an_address_is_refused(tmp_path):
    folder = tmp_path / "c::d"
    folder.mkdir()
    with pytest.raises(CorruptFile, match="holds '::'"):
        read_ecg(write_bytes(folder, bytes(4000), small(n_leads=2) * 0, "16"))


@pytest.mark.parametrize(
    ("at", "mask", "said"),
    [
        (0, 1, "is no FLAC file"),
        (20, 2, "signals of"),
        (25, 1, "samples a signal, not 1000"),
        (30, 1, "do not have the digest"),
    ],
)
def test_a_flac_stream_is_held_to_what_it_states(at, mask, said, tmp_path):
    header = write_record(tmp_path, fmt="516")
    file = tmp_path / "record.dat"
    data = bytearray(file.read_bytes())
    data[at] ^= mask
    file.write_bytes(data)
    with pytest.raises(CorruptFile, match=said):
        read_ecg(header)


def test_a_flac_stream_that_claims_gigabytes_is_refused(tmp_path):
    header = edited(write_record(tmp_path, fmt="516"), " 500 1000", " 500")
    file = tmp_path / "record.dat"
    data = bytearray(file.read_bytes())
    data[22:26] = b"\x7f\xff\xff\xff"
    file.write_bytes(data)
    with pytest.raises(FileTooLarge, match="claims 8 signals of 2147483647 samples"):
        read_ecg(header)


@pytest.mark.parametrize("write", [write_segments, write_layout])
def test_several_segments_equal_wfdb(write, tmp_path):
    import wfdb

    header = write(tmp_path)
    record = read_ecg(header)
    theirs = wfdb.rdrecord(str(header.with_suffix("")))
    for column, lead in enumerate(theirs.sig_name):
        mine = theirs.p_signal[:, column].astype(np.float32)
        assert np.array_equal(record.lead(lead), mine, equal_nan=True)


def test_segments_of_one_layout_are_one_recording(tmp_path):
    record = read_ecg(write_segments(tmp_path))
    assert np.array_equal(leads_of(record), expected(counts_of()))
    assert record.recorded_at == datetime(2024, 5, 31, 14, 30, 5, tzinfo=UTC)
    assert record.age_years == 63.0
    assert record.lsb_uv is not None
    assert "joined from 3 segments" in record.notes


def test_gaps_and_late_leads_are_absent(tmp_path):
    record = read_ecg(write_layout(tmp_path))
    whole = expected(counts_of(("I", "II", "V1")))
    whole[:, 300:500] = np.nan
    whole[1, 500:] = np.nan
    whole[2, :300] = np.nan
    assert np.array_equal(leads_of(record, ("I", "II", "V1")), whole, equal_nan=True)
    assert "gaps between the segments: 0.4 s without samples" in record.notes
    assert "absent in some part: I, II, V1" in record.notes


@pytest.mark.parametrize(
    ("file", "old", "new", "error", "said"),
    [
        ("record", "/3 ", "/4 ", CorruptFile, "states 4 segments and lists 3"),
        ("record", " 1000 ", " 999 ", CorruptFile, "hold 1000 samples a signal, the record states"),
        (
            "record",
            "_a 300\nrecord_b 350",
            "_a 299\nrecord_b 351",
            CorruptFile,
            "holds 300 samples a signal, the record says",
        ),
        ("record", "_a 300", "_x 300", CorruptFile, "header of the segment record_x is missing"),
        ("record", "record_a", "../record_a", CorruptFile, "a segment outside its folder"),
        ("record", "record_b 350", "record 350", CorruptFile, "itself a record of several"),
        ("record", "/3 8 ", "/3 7 ", CorruptFile, "states 7 signals, its first segment 8"),
        ("record", " 500 ", " 250 ", UnknownSamplingRate, "has 500 Hz, the record 250 Hz"),
        ("record_b", " 500 ", " 250 ", UnknownSamplingRate, "has 250 Hz, the record 500 Hz"),
        ("record_b", " V6", " V7", CorruptFile, "other signals than the record"),
        ("record", "1000 14", "999999999 14", CorruptFile, "hold 1000 samples"),
    ],
)
def test_segments_that_contradict_the_record(file, old, new, error, said, tmp_path):
    header = write_segments(tmp_path)
    edited(tmp_path / f"{file}.hea", old, new)
    with pytest.raises(error, match=said):
        read_ecg(header)


def test_a_lead_twice_in_a_segment_is_refused(tmp_path):
    header = write_segments(tmp_path)
    for name in "abc":
        edited(tmp_path / f"record_{name}.hea", " V6", " V5")
    with pytest.raises(MissingLeads, match="occurs twice"):
        read_ecg(header)


def test_segments_that_claim_too_much_are_refused(tmp_path):
    header = write_segments(tmp_path)
    text = "record/4 8 500\n" + "record_a 300\nrecord_b 350\nrecord_c 350\n~ 900000000\n"
    header.write_text(text)
    with pytest.raises(FileTooLarge, match="claims 8 signals of 900001000 samples"):
        read_ecg(header)


def test_a_record_of_gaps_alone_has_no_leads(tmp_path):
    header = write_layout(tmp_path)
    header.write_text("record/2 3 500\nrecord_layout 0\n~ 1000\n")
    with pytest.raises(MissingLeads, match="none of the signals"):
        read_ecg(header)


def test_segments_of_other_gains_have_no_common_step(tmp_path):
    header = write_segments(tmp_path)
    part = tmp_path / "record_b.hea"
    part.write_text(part.read_text().replace(" 200.0(0)/mV", " 100.0(0)/mV"))
    record = read_ecg(header)
    whole = expected(counts_of())
    whole[:, 300:650] *= 2
    assert np.array_equal(leads_of(record), whole)
    assert record.lsb_uv is None


def test_a_lead_without_file_is_dropped(tmp_path):
    counts = small(n_leads=2)
    header = write_bytes(tmp_path, counts.astype("<i2").tobytes(), counts, "16")
    text = header.read_text().replace("record 2 ", "record 3 ", 1)
    header.write_text(text + "~ 0 200/mV 16 0 0 0 0 V1\n")
    record = read_ecg(header)
    assert "V1" not in record.leads
    assert "a signal without file was dropped: V1" in record.notes


@pytest.mark.parametrize("write", [write_segments, write_layout])
def test_a_record_of_segments_is_found_once(write, tmp_path):
    write(tmp_path)
    (tmp_path / "record.atr").write_bytes(b"\0\0")
    assert [found.path.name for found in find_ecg_files([tmp_path])] == ["record.hea"]


def test_a_signal_file_finds_a_header_of_another_name(tmp_path):
    header = write_record(tmp_path)
    (tmp_path / "record.dat").rename(tmp_path / "record_a.dat")
    header.write_text(header.read_text().replace("record.dat", "record_a.dat"))
    assert wfdb_files.header_of(tmp_path / "record_a.dat") == header
    assert wfdb_files.header_of(tmp_path / "other_a.dat") is None
    assert read_ecg(tmp_path / "record_a.dat").n_samples == 1000


def same_as_wfdb(header):
    """Compare every lead that wfdb reads; return the record."""
    import wfdb

    record = read_ecg(header)
    theirs = wfdb.rdrecord(str(header.with_suffix("")))
    columns = {name.upper(): column for column, name in enumerate(theirs.sig_name)}
    compared = 0
    for lead in record.leads:
        if lead.upper() in columns:
            column = theirs.p_signal[:, columns[lead.upper()]]
            assert np.array_equal(record.lead(lead), column.astype(np.float32))
            compared += 1
    assert compared
    assert record.sampling_hz == theirs.fs
    return record


@pytest.mark.real
def test_cinc_2021_equals_wfdb(shared_data):
    headers = sorted((shared_data / "cinc2021_mat_hea").glob("*.hea"))
    assert len(headers) == 60
    records = [same_as_wfdb(header) for header in headers]
    assert all(record.leads == CANONICAL_LEADS for record in records)
    assert all(record.recorded_at is None for record in records)
    assert all(record.statements for record in records)
    assert {record.sex for record in records} == {"male", "female"}
    assert {record.sampling_hz for record in records} == {500.0, 1000.0}


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "leads", "shape"),
    [
        ("wfdb_misc/s0010_re", CANONICAL_LEADS, (1000.0, 38400)),
        ("wfdb_misc/100_3chan", CANONICAL_LEADS[:6], (360.0, 999)),
        ("wfdb_misc/a103l", ("II",), (250.0, 82500)),
        ("wfdb_misc/a103l-no-len", ("II",), (250.0, 82500)),
        ("brugada_huca/1009874", CANONICAL_LEADS, (100.0, 1200)),
    ],
)
def test_other_records_equal_wfdb(name, leads, shape, shared_data):
    record = same_as_wfdb(shared_data / f"{name}.hea")
    assert record.leads == leads
    assert (record.sampling_hz, record.n_samples) == shape


@pytest.mark.real
def test_a_header_without_its_signal_file_is_refused(shared_data):
    with pytest.raises(CorruptFile, match="^12726.hea: the signal file 12726.dat is missing"):
        read_ecg(shared_data / "wfdb_misc" / "12726.hea")


@pytest.mark.real
def test_ptbxl_at_100_hz_is_ptbxl_at_500_hz(shared_data):
    """Correlation above 0.99 in every lead, of every third ECG.

    PTB-XL's 500 Hz records lag its 100 Hz records by 1.25 ms (half a sample of the 400 Hz
    at which the ECGs were taken) and hold one value for their last tenth of a second;
    0.2 s at both ends are left out. No lead is flat. Of all 353 ECGs two leads fall short,
    aVL of 216 (0.985) and aVF of 194 (0.986): noise in leads of at most 0.06 mV root mean square.
    """
    folder = shared_data / "ptbxl500"
    with (folder / "ptbxl_database.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    known = [row for row in rows if row["ecg_id"] in {"194", "216"}]
    assert len(known) == 2
    short, n_leads = set(), 0
    for row in [*known, *(row for row in rows[::3] if row not in known)]:
        slow = read_ecg(folder / f"{row['filename_lr']}.hea")
        fast = read_ecg(folder / f"{row['filename_hr']}.hea")
        assert (slow.sampling_hz, fast.sampling_hz) == (100.0, 500.0)
        # at 4,000 Hz 1.25 ms are five samples
        finer = np.roll(resample_poly(fast.signal_mv.astype(float), 8, 1, axis=1), -5, axis=1)
        resampled = resample_poly(finer, 1, 40, axis=1)
        for lead, theirs, ours in zip(slow.leads, slow.signal_mv, resampled, strict=True):
            assert np.ptp(theirs) > 0.05
            n_leads += 1
            if np.corrcoef(theirs[20:-20], ours[20:-20])[0, 1] <= 0.99:
                short.add((row["ecg_id"], lead))
    assert n_leads >= 1400
    assert short == {("194", "aVF"), ("216", "aVL")}
