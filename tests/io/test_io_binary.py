"""Binary formats beside DICOM: SCP-ECG, EDF and BDF, ISHNE, Kardia; and forms that are not read."""

import struct
from datetime import UTC, date, datetime
from pathlib import Path

import fixtures_binary as binary
import io_fixtures as made
import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.errors import (
    CorruptFile,
    FileTooLarge,
    InputFileError,
    UnknownSamplingRate,
    UnsupportedFormat,
)
from ecgdash.io import read_ecg, sniff_format


def edited(path: Path, old: bytes, new: bytes, count: int = 1) -> Path:
    raw = path.read_bytes()
    assert len(old) == len(new)
    assert old in raw
    path.write_bytes(raw.replace(old, new, count))
    return path


# --- SCP-ECG -------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("huffman", [False, True])
@pytest.mark.parametrize("beat", [False, True])
def test_scp_differences_huffman_tables_and_reference_beats(order, huffman, beat, tmp_path):
    file = binary.write_scp(tmp_path / "a.scp", order=order, huffman=huffman, beat=beat)
    record = read_ecg(file)
    assert (record.leads, record.sampling_hz, record.n_samples) == (CANONICAL_LEADS, 500.0, 1000)
    binary.assert_equal(record, CANONICAL_LEADS, 1000)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"spans": [(1, 1000)] * 11 + [(1, 999)]}, "leads are not simultaneous"),
        ({"spans": [(1, 1000)] * 6 + [(1001, 2000)] * 6}, "leads are not simultaneous"),
        ({"spans": [(1, 999)] * 12}, "states 999 samples for lead 1, section 6 holds 2000 bytes"),
        ({"spans": [(1, 2**32 - 1)] * 12}, "states 4294967295 samples"),
        ({"numbers": [1, 1, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8]}, "section 3 names a lead twice"),
        ({"interval_us": 0}, "interval is 0"),
        ({"bimodal": 1}, "bimodal compression .* is not supported"),
    ],
)
def test_scp_statements_must_fit(changes, words, tmp_path):
    with pytest.raises(InputFileError, match=words):
        read_ecg(binary.write_scp(tmp_path / "a.scp", changes=changes))


@pytest.mark.parametrize(
    ("interval_us", "rate_hz"), [(2000, 500.0), (3333, 300.0), (1250, 800.0), (3900, 1e6 / 3900)]
)
def test_scp_rate_is_what_the_interval_means(interval_us, rate_hz, tmp_path):
    file = binary.write_scp(tmp_path / "a.scp", changes={"interval_us": interval_us})
    assert read_ecg(file).sampling_hz == pytest.approx(rate_hz)


def test_an_scp_file_that_would_take_minutes_is_refused(tmp_path):
    file = binary.write_scp(tmp_path / "a.scp")
    file.write_bytes(file.read_bytes() + bytes(2_000_000))
    with pytest.raises(FileTooLarge, match="at most 2000000 bytes"):
        read_ecg(file)
    file = binary.write_scp(tmp_path / "b.scp", n=8 * 20_000, huffman=True, changes={"flat": True})
    with pytest.raises(FileTooLarge, match="holds 1920000 samples"):
        read_ecg(file)


@pytest.mark.parametrize("cut", [-1, 1])
def test_scp_length_must_be_that_of_the_file(cut, tmp_path):
    file = binary.write_scp(tmp_path / "a.scp")
    raw = file.read_bytes()
    file.write_bytes(raw[:-1] if cut < 0 else raw + b"\0")
    with pytest.raises(
        CorruptFile, match=f"states {len(raw)} bytes, the file holds {len(raw) + cut}"
    ):
        read_ecg(file)


# --- EDF and BDF ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["edf", "bdf"])
def test_edf_and_bdf_equal_pyedflib(kind, tmp_path):
    import pyedflib

    file = binary.write_edf_plus(tmp_path / f"a.{kind}", kind=kind)
    record = read_ecg(file)
    with pyedflib.EdfReader(str(file)) as reader:
        theirs = [reader.readSignal(i) for i in range(3)]
    assert (record.sampling_hz, record.n_samples, record.file_format) == (250.0, 750, "edf")
    for name, wave, factor in zip(("I", "II", "V1"), theirs, (1e-3, 1.0, 1e-3), strict=True):
        assert np.abs(record.lead(name) - wave * factor).max() < 1e-6
    assert record.lead("I").max() == pytest.approx(1.0, abs=1e-3)
    assert (record.patient_id, record.sex, record.device) == ("P-007", "female", "Cart 5")
    assert (record.age_years, record.local_day) == (63.0, date(2024, 5, 31))
    assert record.recorded_at == datetime(2024, 5, 31, 14, 30, 5, tzinfo=UTC)
    assert any(note.endswith("were dropped: Resp") for note in record.notes)
    assert not any(word in repr(record.__getstate__()) for word in ("Jane", "1960"))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"3       1       5", b"2       1       5", "states 2 records of 1"),
        (b"3       1       5", b"30      1       5", "states 30 records of 1"),
        (b"3       1       5", b"3       2       5", "duration of a record put it at 2 s"),
        (b"3       1       5", b"3       nan     5", "duration of a record holds no number"),
        (b"3       1       5", b"3       1       4", "4 signals take 1280"),
        (b"3       1       5", b"3       1       9", "9 signals take 2560"),
        (b"250     250     250", b"250     250     249", "the file holds"),
        (b"-32768  -32768", b"32767   -32768", "maps the digital range 32767 to 32767"),
        (b"-32768  -32768", b"x       -32768", "digital range holds no whole number"),
        (b"-5000   ", b"5000    ", "to 5000 to 5000 uV"),
        (b"uV      mV", b"uV      kg", "unit 'kg' is no unit"),
    ],
)
def test_edf_statements_must_fit(old, new, words, tmp_path):
    file = edited(binary.write_edf_plus(tmp_path / "a.edf"), old, new)
    with pytest.raises(InputFileError, match=words):
        read_ecg(file)


@pytest.mark.parametrize("cut", [1, 1000])
def test_a_cut_edf_is_refused_and_an_unclosed_one_read_with_a_note(cut, tmp_path):
    file = binary.write_edf_plus(tmp_path / "a.edf")
    edited(file, b"3       1       5", b"-1      1       5")
    record = read_ecg(file)
    assert record.n_samples == 750
    assert any("did not close the file; it holds 3 records" in note for note in record.notes)
    file.write_bytes(file.read_bytes()[:-cut])
    with pytest.raises(CorruptFile, match="states -1 records"):
        read_ecg(file)


def test_a_discontinuous_edf_is_read_only_without_gaps(tmp_path):
    file = edited(binary.write_edf_plus(tmp_path / "a.edf"), b"EDF+C", b"EDF+D")
    assert any("no gaps" in note for note in read_ecg(file).notes)
    edited(file, b"+2\x14\x14", b"+7\x14\x14")
    with pytest.raises(CorruptFile, match="record 3 starts 7 s after the first"):
        read_ecg(file)
    edited(file, b"+7\x14\x14", b"abcd")
    with pytest.raises(CorruptFile, match="2 of 3 records state their time"):
        read_ecg(file)


def test_leads_at_two_rates_are_refused(tmp_path):
    file = edited(
        binary.write_edf_plus(tmp_path / "a.edf"), b"Resp            ", b"III" + b" " * 13
    )
    edited(file, b"L       ", b"mV      ")
    with pytest.raises(UnknownSamplingRate, match=r"\[25, 250\] samples in each record"):
        read_ecg(file)


@pytest.mark.parametrize(
    ("n_each", "n_records", "words"),
    [(1, 1_000_001, "holds 1000001 records"), (500, 1700, "leads hold 10200000 samples")],
)
def test_a_long_edf_is_refused_before_it_is_decoded(n_each, n_records, words, tmp_path):
    file = edited(made.write_edf(tmp_path / "a.edf"), b"1       10      12", b"-1      1       12")
    head = file.read_bytes()[: 13 * 256].replace(b"5000    ", b"%-8d" % n_each)
    with file.open("wb") as stream:
        stream.write(head)
        stream.truncate(len(head) + 24 * n_each * n_records)
    with pytest.raises(FileTooLarge, match=words):
        read_ecg(file)


@pytest.mark.parametrize(
    ("start", "day"),
    [
        (b"31.05.8414.30.05", date(2084, 5, 31)),
        (b"31.05.8514.30.05", date(1985, 5, 31)),
        (b"01.01.8500.00.00", None),
        (b"31.13.2414.30.05", None),
    ],
)
def test_edf_years_of_two_digits(start, day, tmp_path):
    file = edited(made.write_edf(tmp_path / "a.edf"), b"31.05.2414.30.05", start)
    edited(file, b"Startdate", b"Unknown  ")
    assert read_ecg(file).local_day == day


def test_edf_with_two_start_dates_is_undated(tmp_path):
    file = edited(made.write_edf(tmp_path / "a.edf"), b"31-MAY-2024", b"30-MAY-2024")
    record = read_ecg(file)
    assert record.recorded_at is None
    assert any("two different start dates" in note for note in record.notes)


# --- ISHNE ---------------------------------------------------------------------------------


def with_ishne_field(path: Path, at: int, fmt: str, value: int, *, sealed: bool) -> Path:
    raw = bytearray(path.read_bytes())
    struct.pack_into(fmt, raw, at, value)
    if sealed:
        struct.pack_into("<H", raw, 8, 0)  # the writer computed no checksum
    path.write_bytes(raw)
    return path


def test_ishne_with_a_comment(tmp_path):
    record = read_ecg(binary.write_ishne(tmp_path / "a.ecg"))
    assert (record.n_samples, record.sampling_hz) == (1000, 500.0)
    assert np.abs(record.lead("V1") - made.expected_mv("V1")[:1000]).max() < 1e-6
    assert "surgery" not in repr(record.__getstate__())


def test_ishne_lead_faults_are_absent_samples(tmp_path):
    file = binary.write_ishne(tmp_path / "a.ecg", comment=b"")
    raw = bytearray(file.read_bytes())
    for i in range(10):
        struct.pack_into("<h", raw, 522 + 6 * i + 2, -32768)
    file.write_bytes(raw)
    record = read_ecg(file)
    assert np.isnan(record.lead("II")[:10]).all()
    assert np.isfinite(record.lead("II")[10:]).all()
    assert np.isfinite(record.lead("I")).all()
    assert "10 samples of II mark a lead fault: absent" in record.notes


@pytest.mark.parametrize(
    ("at", "fmt", "value", "words"),
    [
        (14, "<i", 999, "declares 3 leads of 999 samples, which take 5994 bytes"),
        (14, "<i", 2**31 - 1, "the file holds 6000"),
        (156, "<h", 2, "declares 2 leads"),
        (156, "<h", 13, "states 13 leads"),
        (10, "<i", 0, "header and comment end at byte 522"),
        (10, "<i", -1, "behind -1 bytes of comment"),
        (22, "<i", 100, "puts the samples at byte 100"),
        (272, "<h", 0, "sampling rate is 0"),
    ],
)
def test_ishne_statements_must_fit(at, fmt, value, words, tmp_path):
    file = with_ishne_field(binary.write_ishne(tmp_path / "a.ecg"), at, fmt, value, sealed=True)
    with pytest.raises(InputFileError, match=words):
        read_ecg(file)


def test_the_checksum_of_an_ishne_header_is_verified(tmp_path):
    file = with_ishne_field(binary.write_ishne(tmp_path / "a.ecg"), 272, "<h", 250, sealed=False)
    with pytest.raises(CorruptFile, match="the checksum in the file does not fit"):
        read_ecg(file)


def test_a_long_holter_recording_is_refused_before_it_is_decoded(tmp_path):
    n = 3_400_000
    file = binary.write_ishne(tmp_path / "a.ecg", comment=b"")
    raw = bytearray(file.read_bytes()[:522])
    struct.pack_into("<i", raw, 14, n)
    struct.pack_into("<H", raw, 8, 0)
    with file.open("wb") as stream:
        stream.write(raw)
        stream.truncate(522 + 6 * n)
    with pytest.raises(FileTooLarge, match="holds 10200000 samples"):
        read_ecg(file)


# --- Kardia --------------------------------------------------------------------------------


@pytest.mark.parametrize("n_leads", [1, 6, 12])
def test_kardia_atc(n_leads, tmp_path):
    names = CANONICAL_LEADS[:n_leads]
    record = read_ecg(binary.write_atc(tmp_path / "a.bin", names))
    assert (record.file_format, record.leads) == ("kardia-atc", names)
    assert (record.sampling_hz, record.n_samples) == (300.0, 600)
    for name in names:
        assert np.abs(record.lead(name) - made.make_counts(600)[name] * 5e-4).max() < 1e-6
    assert record.lsb_uv == pytest.approx((0.5,) * n_leads)
    assert record.filters == "high-pass 0.1 Hz, notch 60 Hz"
    assert record.recorded_at == datetime(2024, 5, 31, 5, 30, 5, tzinfo=UTC)
    assert "Jane" not in repr(record.__getstate__())


def atc_with(path: Path, **changes: object) -> Path:
    """Change fields and seal each block again with its sum."""
    raw = binary.write_atc(path, ("I", "II")).read_bytes()
    data, at = raw[:12], 12
    while at < len(raw):
        name, length = struct.unpack_from("<4sI", raw, at)
        body = raw[at + 8 : at + 8 + length]
        body = changes.get(name.decode().strip(), body)
        block = name + struct.pack("<I", len(body)) + body
        data += block + struct.pack("<I", sum(block))
        at += 12 + length
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fmt": struct.pack("<BHHBH", 2, 300, 500, 0, 0)}, "sample format 2 is not 1"),
        ({"fmt": struct.pack("<BHHBH", 1, 300, 0, 0, 0)}, "resolution is 0 nV"),
        ({"fmt": struct.pack("<BHHBH", 1, 10, 500, 0, 0)}, "10 Hz is not plausible"),
        ({"fmt": b""}, "format block holds 0 bytes"),
        ({"ecg2": bytes(1198)}, "leads differ in length"),
        ({"ecg2": bytes(1199)}, "samples of lead II fill 1199 bytes"),
    ],
)
def test_kardia_statements_must_fit(changes, words, tmp_path):
    with pytest.raises(InputFileError, match=words):
        read_ecg(atc_with(tmp_path / "a.atc", **changes))


def test_kardia_blocks_are_sealed_and_end_with_the_file(tmp_path):
    file = binary.write_atc(tmp_path / "a.atc")
    raw = file.read_bytes()
    damaged = bytearray(raw)
    damaged[400] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(CorruptFile, match="the checksum of block 3 is"):
        read_ecg(file)
    file.write_bytes(raw[:-1])
    with pytest.raises(CorruptFile, match="block 4 claims 900 bytes, 899 are left"):
        read_ecg(file)
    file.write_bytes(raw + b"abc")
    with pytest.raises(CorruptFile, match="3 bytes follow the last block"):
        read_ecg(file)
    file.write_bytes(raw[:16] + struct.pack("<I", 2**32 - 1) + raw[20:])
    with pytest.raises(CorruptFile, match="block 1 claims 4294967295 bytes"):
        read_ecg(file)
    file.write_bytes(raw[:8] + b"\x09" + raw[9:])
    with pytest.raises(CorruptFile, match="ATC file version 9"):
        read_ecg(file)


# --- Recognised, not read ------------------------------------------------------------------


def healforce() -> bytes:
    """Section 0 of SCP-ECG whose first pointer counts from 0."""
    return (
        b"\x30\x9d"
        + bytes(6)
        + struct.pack("<HIBB6s", 0, 36, 13, 13, bytes(6))
        + struct.pack("<HII", 0, 36, 6)
        + bytes(200)
    )


@pytest.mark.parametrize(
    ("content", "name", "instead"),
    [
        (b"0000053\0\0\x002020-11-24 07:19:13\0" + bytes(100), "Contec's own .ECG", "HL7 aECG"),
        (healforce(), "Healforce's variant of SCP-ECG", "does not follow EN 1064"),
        (b"\x40\x20MFR Standard 12 leads ECG" + bytes(60), "MFER", "Export the ECG as DICOM"),
        (b"\1\0\0\0##NEUTRAL HOLTER RECORDING##" + bytes(60), "Edan Holter archive", "ISHNE"),
        (b"ANN  1.0" + bytes(60), "ISHNE annotation file", "beats, not samples"),
        (b"ISHNE2.0" + bytes(600), "ISHNE file of another version", "ISHNE 1.0"),
        (b"GDF 2.20" + bytes(300), "GDF biosignal file", "Convert it to EDF"),
        (b"\x1f\x8b\x08\x00" + bytes(60), "compressed file", "Unpack it"),
    ],
)
def test_vendor_forms_are_known_by_content_not_by_name(content, name, instead, tmp_path):
    file = tmp_path / "ecg.bin"
    file.write_bytes(content)
    assert sniff_format(file) is None
    with pytest.raises(UnsupportedFormat) as caught:
        read_ecg(file)
    assert caught.value.what.startswith(name)
    assert instead in caught.value.todo


# --- Other people's files ------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize(("name", "n_leads"), [("1_lead.atc", 1), ("6_lead.atc", 6)])
def test_kardia_recordings_of_alivecor(name, n_leads, shared_data):
    record = read_ecg(shared_data / "kardia_atc" / name)
    assert record.leads == CANONICAL_LEADS[:n_leads]
    assert (record.sampling_hz, record.n_samples) == (300.0, 9000)
    assert 0.5 < np.ptp(record.lead("I")) < 10
    if n_leads == 6:
        first, second = record.lead("I").astype(float), record.lead("II").astype(float)
        assert np.abs(record.lead("III") - (second - first)).max() < 1e-6
        assert np.abs(record.lead("aVF") - (second - first / 2)).max() < 1e-6


@pytest.mark.real
def test_the_edf_of_a_kardia_equals_pyedflib(shared_data):
    import pyedflib

    (file,) = (shared_data / "edf").glob("*.edf")
    record = read_ecg(file)
    with pyedflib.EdfReader(str(file)) as reader:
        assert reader.getSignalLabels() == [f"EKG {name}" for name in CANONICAL_LEADS[:6]]
        theirs = np.stack([reader.readSignal(i) for i in range(6)])
    assert np.abs(record.signal_mv - theirs).max() < 1e-6


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("contec/0000053.ECG", "Contec's own .ECG format cannot be read"),
        ("scp_nonstandard/62.SCP", "Healforce's variant of SCP-ECG cannot be read"),
    ],
)
def test_vendor_files_are_recognised(name, words, shared_data):
    with pytest.raises(UnsupportedFormat, match=words):
        read_ecg(shared_data / name)
