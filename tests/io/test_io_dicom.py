"""DICOM waveforms: which group, which channels, which samples; and hostile files."""

import re
import struct
import zlib

import fixtures_binary as binary
import io_fixtures as made
import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.errors import (
    CorruptFile,
    InputFileError,
    MissingLeads,
    UnknownUnits,
    UnsupportedFormat,
)
from ecgdash.io import read_ecg


@pytest.mark.parametrize(
    ("storage", "dtype", "syntax"),
    [
        ("12-lead", "<i2", binary.IMPLICIT),
        ("general", "<i2", binary.EXPLICIT),
        ("ambulatory", "<i2", binary.EXPLICIT),
        ("32-bit", "<i4", binary.EXPLICIT),
        ("haemodynamic", "<i4", binary.IMPLICIT),
        ("general", ">i2", binary.BIG_ENDIAN),
        ("general", ">i4", binary.BIG_ENDIAN),
    ],
)
def test_dicom_classes_widths_and_byte_orders(storage, dtype, syntax, tmp_path):
    file = binary.write_dicom(
        tmp_path / "a.dcm", [binary.twelve(1000, dtype)], storage=storage, syntax=syntax
    )
    record = read_ecg(file)
    assert (record.leads, record.sampling_hz, record.n_samples) == (CANONICAL_LEADS, 500.0, 1000)
    binary.assert_equal(record, CANONICAL_LEADS, 1000)
    assert record.lsb_uv == (5.0,) * 12


@pytest.mark.parametrize("dtype", ["i1", "u1", "<u2", "<u4", "<i4"])
def test_dicom_sensitivity_correction_and_baseline_as_pydicom_applies_them(dtype, tmp_path):
    from pydicom import dcmread

    counts = np.arange(1000)[:, None] % 100
    channel = binary.channel(
        "I",
        code=binary.scp_code("I"),
        ChannelSensitivity="2.5",
        ChannelSensitivityCorrectionFactor="1.2",
        ChannelBaseline="-60",
    )
    file = binary.write_dicom(tmp_path / "a.dcm", [binary.group([channel], counts, dtype=dtype)])
    record = read_ecg(file)
    theirs_uv = dcmread(file).waveform_array(0)[:, 0]
    assert np.abs(record.lead("I") - theirs_uv / 1000).max() < 1e-6
    assert record.lead("I")[0] == pytest.approx(-0.06)
    assert record.lead("I")[10] == pytest.approx(10 * 3e-3 - 0.06)
    assert record.lsb_uv == pytest.approx((3.0,))


@pytest.mark.parametrize("unit", ["uV", "mV", "V"])
def test_dicom_units(unit, tmp_path):
    step = {"uV": "5", "mV": "0.005", "V": "0.000005"}[unit]
    group = binary.twelve(1000, unit=unit, ChannelSensitivity=step)
    binary.assert_equal(
        read_ecg(binary.write_dicom(tmp_path / "a.dcm", [group])), CANONICAL_LEADS, 1000
    )


def test_dicom_unit_code_and_meaning_must_agree(tmp_path):
    group = binary.twelve(1000)
    units = group.ChannelDefinitionSequence[0].ChannelSensitivityUnitsSequence
    units[0].CodeMeaning = "millivolt"
    with pytest.raises(UnknownUnits, match="lead I states the units uV and millivolt"):
        read_ecg(binary.write_dicom(tmp_path / "a.dcm", [group]))


@pytest.mark.parametrize(
    "code",
    [
        ("5.6.3-9-{n}", "SCPECG", "x"),
        ("2:{n}", "MDC", "x"),
        ("MDC_ECG_LEAD_{up}", "MDC", "x"),
        ("local", "99SITE", "Lead {name} (Einthoven)"),
        ("local", "99SITE", "x"),
    ],
)
def test_dicom_leads_by_code_meaning_or_label(code, tmp_path):
    channels = []
    for name in CANONICAL_LEADS:
        words = {"n": made.SCP_LEAD_NUMBER[name], "up": name.upper(), "name": name}
        channels.append(binary.channel(name, code=tuple(part.format(**words) for part in code)))
    counts = binary.counts_of(CANONICAL_LEADS, 1000)
    if code[2] != "x" or code[0] != "local":
        for channel in channels:
            channel.ChannelLabel = "channel"
    file = binary.write_dicom(tmp_path / "a.dcm", [binary.group(channels, counts)])
    binary.assert_equal(read_ecg(file), CANONICAL_LEADS, 1000)


def test_dicom_code_and_meaning_must_name_the_same_lead(tmp_path):
    channel = binary.channel("II", code=("5.6.3-9-1", "SCPECG", "Lead I"))
    file = binary.write_dicom(
        tmp_path / "a.dcm", [binary.group([channel], binary.counts_of(("I",), 1000))]
    )
    with pytest.raises(CorruptFile, match="a channel is called I and II"):
        read_ecg(file)


def test_an_ecg_among_pressures_is_picked_by_its_channels(tmp_path):
    record = read_ecg(binary.write_haemodynamic(tmp_path / "a.dcm"))
    assert record.leads == CANONICAL_LEADS[:6]
    assert (record.sampling_hz, record.n_samples) == (500.0, 1000)
    binary.assert_equal(record, ("I", "II"), 1000)
    assert any("were dropped: Aortic pressure" in note for note in record.notes)


def test_pressures_alone_are_no_ecg(tmp_path):
    pressure = binary.channel("ART", code=("2:18976", "MDC", "Aortic pressure"), unit="mm[Hg]")
    group = binary.group([pressure], np.zeros((1000, 1)))
    with pytest.raises(MissingLeads, match="no waveform group holds all leads"):
        read_ecg(binary.write_dicom(tmp_path / "a.dcm", [group], storage="haemodynamic"))


def test_leads_in_groups_one_after_the_other_are_refused(tmp_path):
    groups = []
    for i in range(4):
        names = CANONICAL_LEADS[3 * i : 3 * i + 3]
        channels = [binary.channel(name, code=binary.scp_code(name)) for name in names]
        group = binary.group(channels, binary.counts_of(names, 1250))
        group.MultiplexGroupTimeOffset = str(2500 * i)
        groups.append(group)
    with pytest.raises(MissingLeads, match="no waveform group holds all leads of the ECG"):
        read_ecg(binary.write_dicom(tmp_path / "a.dcm", groups))


def test_a_longer_rhythm_strip_does_not_win_over_twelve_leads(tmp_path):
    strip = binary.group(
        [binary.channel("II", code=binary.scp_code("II"))], binary.counts_of(("II",), 3000)
    )
    record = read_ecg(binary.write_dicom(tmp_path / "a.dcm", [strip, binary.twelve(1000)]))
    assert (record.leads, record.n_samples) == (CANONICAL_LEADS, 1000)


def test_of_two_equal_groups_the_longer_is_read_and_its_offset_noted(tmp_path):
    late = binary.twelve(1500)
    late.MultiplexGroupTimeOffset = "4000"
    record = read_ecg(binary.write_dicom(tmp_path / "a.dcm", [binary.twelve(1000), late]))
    assert record.n_samples == 1500
    assert any("starts 4000 ms after" in note for note in record.notes)


@pytest.mark.parametrize(("kind", "label"), [("DERIVED", "RHYTHM"), ("ORIGINAL", "MEDIAN BEAT")])
def test_dicom_median_alone_is_refused(kind, label, tmp_path):
    group = binary.twelve(1000)
    group.WaveformOriginality, group.MultiplexGroupLabel = kind, label
    with pytest.raises(CorruptFile, match="only derived waveforms"):
        read_ecg(binary.write_dicom(tmp_path / "a.dcm", [group]))


def test_a_stated_padding_value_marks_absent_samples(tmp_path):
    group = binary.twelve(1000)
    counts = binary.counts_of(CANONICAL_LEADS, 1000)
    counts[990:, 0] = 30000
    group.WaveformData = counts.astype("<i2").tobytes()
    group.WaveformPaddingValue = struct.pack("<h", 30000)
    record = read_ecg(binary.write_dicom(tmp_path / "a.dcm", [group]))
    assert np.isnan(record.lead("I")[990:]).all()
    assert np.isfinite(record.signal_mv).sum() == 12 * 1000 - 10
    assert any("30000 are padding" in note for note in record.notes)


@pytest.mark.parametrize(
    ("keyword", "value", "words"),
    [
        ("NumberOfWaveformSamples", 999, "states 999 samples of 12 channels"),
        ("NumberOfWaveformSamples", 10**9, "states 1000000000 samples"),
        ("NumberOfWaveformChannels", 11, "states 11 channels and defines 12"),
        ("WaveformBitsAllocated", 8, "holds 8-bit samples of the kind SS"),
        ("WaveformSampleInterpretation", "MB", "holds 16-bit samples of the kind MB"),
        ("SamplingFrequency", "0", "cannot be decoded"),
    ],
)
def test_dicom_statements_about_size_must_fit(keyword, value, words, tmp_path):
    group = binary.twelve(1000)
    setattr(group, keyword, value)
    with pytest.raises(InputFileError, match=words):
        read_ecg(binary.write_dicom(tmp_path / "a.dcm", [group]))


def test_dicom_sensitivity_of_zero_is_refused(tmp_path):
    with pytest.raises(CorruptFile, match="lead I states a sensitivity of 0"):
        read_ecg(
            binary.write_dicom(
                tmp_path / "a.dcm", [binary.twelve(1000, ChannelSensitivityCorrectionFactor="0")]
            )
        )


@pytest.mark.parametrize(
    ("storage", "words"),
    [("pdf", "Encapsulated PDF Storage"), ("audio", "Basic Voice Audio Waveform Storage")],
)
def test_other_dicom_objects_are_refused_by_name(storage, words, tmp_path):
    file = binary.write_dicom(tmp_path / "a.dcm", [binary.twelve(1000)], storage=storage)
    with pytest.raises(UnsupportedFormat, match=re.escape(f"the DICOM file ({words}) holds no")):
        read_ecg(file)


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        (b"1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian"),
        (b"1.2.840.10008.1.2.4.50", "JPEG Baseline"),
        (b"1.2.3.4.5.6.7.8.9.10.1", "unknown"),
    ],
)
def test_a_compressed_dicom_is_refused_without_unpacking(syntax, name, tmp_path):
    file = binary.write_dicom(tmp_path / "a.dcm", [binary.twelve(1000)], syntax=binary.EXPLICIT)
    raw = file.read_bytes()
    # the same meta header with a longer UID, and 64 MB of zeros, deflated to 64 kB
    body = raw.index(b"\x08\x00\x16\x00UI")
    old = b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\0"
    assert old in raw
    head = raw[:body].replace(old, b"\x02\x00\x10\x00UI\x16\x00" + syntax)
    packer = zlib.compressobj(9, wbits=-15)
    zeros = bytes(2**24)
    file.write_bytes(head + b"".join(packer.compress(zeros) for _ in range(4)) + packer.flush())
    with pytest.raises(UnsupportedFormat, match=f"compressed .*{name}"):
        read_ecg(file)


def test_deeply_nested_sequences_are_refused(tmp_path):
    file = binary.write_dicom(tmp_path / "a.dcm", [binary.twelve(1000)])
    raw = file.read_bytes()
    at = raw.index(b"\x08\x00\x16\x00UI")
    undefined = b"\xff\xff\xff\xff"
    level = b"\x08\x00\x40\x11SQ\0\0" + undefined + b"\xfe\xff\x00\xe0" + undefined
    file.write_bytes(raw[:at] + level * 20_000)
    with pytest.raises(CorruptFile, match="cannot be decoded") as caught:
        read_ecg(file)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("place", ["top", "group"])
def test_a_dicom_of_millions_of_elements_is_refused_early(place, tmp_path):
    file = binary.write_dicom(tmp_path / "a.dcm", [binary.twelve(1000)])
    raw = file.read_bytes()
    at = raw.index(b"\x08\x00\x16\x00UI" if place == "top" else b"\x18\x00\x68\x10DS")
    many = 450_000
    filler = b"".join(struct.pack("<HH2sH", 9, 0x1000 + i % 4096, b"LO", 0) for i in range(many))
    grown = bytearray(raw[:at] + filler + raw[at:])
    if place == "group":
        # the lengths of the sequence and of its item, which hold the filler
        sequence = raw.index(b"\x00\x54\x00\x01SQ") + 8
        for field in (sequence, sequence + 8):
            held = struct.unpack_from("<I", raw, field)[0]
            struct.pack_into("<I", grown, field, held + len(filler))
    file.write_bytes(grown)
    with pytest.raises(CorruptFile, match="holds more elements than"):
        read_ecg(file)


def test_dicom_filters_are_read(tmp_path):
    group = binary.twelve(1000, FilterLowFrequency="0.05", FilterHighFrequency="150")
    record = read_ecg(binary.write_dicom(tmp_path / "a.dcm", [group]))
    assert record.filters == "high-pass 0.05 Hz, low-pass 150 Hz"
