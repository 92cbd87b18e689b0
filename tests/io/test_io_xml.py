"""XML formats: rhythm and never the median, stated counts against the data, hostile documents."""

import base64
import struct
import warnings
from datetime import UTC, datetime

import fixtures_xml as xml
import io_fixtures as made
import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.errors import CorruptFile, InputFileError, UnknownUnits, UnsupportedFormat
from ecgdash.io import read_ecg

N = xml.N_SAMPLES


def changed(path, old, new, count=1):
    text = path.read_bytes()
    assert old in text
    path.write_bytes(text.replace(old, new, count))
    return path


class TestMuse:
    @pytest.mark.parametrize(
        ("rate", "hertz"), [((500, 0), 500.0), ((250, 0), 250.0), ((25, 1), 250.0)]
    )
    @pytest.mark.parametrize("kinds", [("Median", "Rhythm"), ("Rhythm", "Median"), ("Rhythm",)])
    def test_the_rhythm_is_read_wherever_it_stands(self, rate, hertz, kinds, tmp_path):
        record = read_ecg(xml.write_muse(tmp_path / "a.xml", rate=rate, kinds=kinds))
        assert (record.sampling_hz, record.n_samples) == (hertz, N)
        for name, counts in made.make_counts(N).items():
            assert np.abs(record.lead(name) - counts * 5e-3).max() < 1e-6
        assert record.recorded_at == datetime(2024, 5, 31, 14, 30, 5, tzinfo=UTC)
        assert "derived from I and II: III, aVR, aVL, aVF" in record.notes

    def test_twelve_stored_leads_are_taken_as_stored(self, tmp_path):
        record = read_ecg(xml.write_muse(tmp_path / "a.xml", names=CANONICAL_LEADS))
        assert record.leads == CANONICAL_LEADS
        assert not any("derived" in note for note in record.notes)

    @pytest.mark.parametrize("kinds", [("Median",), ("Rhythm", "Rhythm")])
    def test_no_rhythm_or_two_are_refused(self, kinds, tmp_path):
        with pytest.raises(CorruptFile, match="rhythm waveform"):
            read_ecg(xml.write_muse(tmp_path / "a.xml", kinds=kinds))

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b"<LeadByteCountTotal>2000<", b"<LeadByteCountTotal>2002<"),
            (b"<LeadSampleCountTotal>1000<", b"<LeadSampleCountTotal>999<"),
            (b"<NumberofLeads>8<", b"<NumberofLeads>12<"),
            (b"<LeadDataCRC32>", b"<LeadDataCRC32>1"),
        ],
    )
    def test_a_statement_that_does_not_fit_the_data_is_refused(self, old, new, tmp_path):
        path = xml.write_muse(tmp_path / "a.xml", kinds=("Rhythm",))
        with pytest.raises(CorruptFile):
            read_ecg(changed(path, old, new))

    @pytest.mark.real
    @pytest.mark.parametrize("name", ["example1.xml", "example2.xml", "MUSE_example.xml"])
    def test_real_files_equal_their_base64_by_hand(self, name, shared_data):
        from defusedxml.ElementTree import fromstring

        path = shared_data / "muse_xml" / name
        record = read_ecg(path)
        (rhythm,) = (
            wave
            for wave in fromstring(path.read_bytes()).iter("Waveform")
            if wave.findtext("WaveformType") == "Rhythm"
        )
        for lead in rhythm.iter("LeadData"):
            raw = base64.b64decode(lead.findtext("WaveFormData"))
            counts = np.array(struct.unpack(f"<{len(raw) // 2}h", raw))
            millivolts = counts * float(lead.findtext("LeadAmplitudeUnitsPerBit")) / 1000
            assert np.abs(record.lead(lead.findtext("LeadID")) - millivolts).max() < 1e-6


class TestCardioSoft:
    def test_the_strip_is_read_and_never_the_median(self, tmp_path):
        record = read_ecg(xml.write_cardiosoft(tmp_path / "a.xml"))
        assert (record.file_format, record.sampling_hz) == ("cardiosoft-xml", 500.0)
        for name, counts in made.make_counts(N).items():
            assert np.abs(record.lead(name) - counts * 5e-3).max() < 1e-6
        assert record.lsb_uv == pytest.approx((5.0,) * 12)
        assert (record.patient_id, record.age_years, record.sex) == ("P-007", 63.0, "female")
        assert record.recorded_at == datetime(2024, 5, 31, 14, 30, 5, tzinfo=UTC)
        assert record.statements == ("Sinus rhythm",)
        assert dict(record.measurements) == {
            "heart_rate_bpm": 75.0, "qrs_ms": 152.0, "qrs_axis_deg": -35.0,
        }  # fmt: skip
        assert (record.device, record.filters) == (
            "CardioSoft V6.71", "low-pass 150 Hz, notch 50 Hz",
        )  # fmt: skip
        assert "the file says that the patient has a pacemaker" in record.notes
        assert "doe" not in repr(record.__getstate__()).lower()

    def test_another_unit_and_another_length_are_refused(self, tmp_path):
        with pytest.raises(UnknownUnits, match="no resolution in microvolts"):
            read_ecg(xml.write_cardiosoft(tmp_path / "a.xml", unit="steps"))
        with pytest.raises(CorruptFile, match="lead I holds 1000 samples, 1001 stated"):
            read_ecg(xml.write_cardiosoft(tmp_path / "a.xml", n_stated=1001))

    def test_a_file_without_strip_is_refused(self, tmp_path):
        path = xml.write_cardiosoft(tmp_path / "a.xml")
        text = path.read_bytes().replace(b"StripData", b"OtherData")
        path.write_bytes(text)
        with pytest.raises(CorruptFile, match="0 rhythm strips"):
            read_ecg(path)

    @pytest.mark.real
    def test_a_real_file_equals_its_numbers(self, shared_data):
        import re

        path = shared_data / "cardiosoft_xml" / "dummy_ecg.xml"
        record = read_ecg(path)
        strip = path.read_text("latin-1").partition("<StripData>")[2]
        found = re.findall(r'<WaveformData lead="(\w+)">([^<]*)<', strip)
        assert [name for name, _ in found] == list(CANONICAL_LEADS)
        for name, text in found:
            assert np.abs(record.lead(name) - np.fromstring(text, sep=",") * 5e-3).max() < 1e-6
        assert record.measurements["qrs_ms"] == 74.0


@pytest.mark.real
@pytest.mark.parametrize(
    "name", ["129DYPRG.XML", "2020-5-18_15-48-11.xml", "3191723_ZZDEMOPTONLY_1-04_orig.xml"]
)
def test_philips_equals_sierraecg(name, shared_data):
    from sierraecg import read_file

    path = shared_data / "philips_sierra" / name
    record = read_ecg(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = read_file(str(path))
    assert record.n_samples == 5000
    for lead in theirs.leads:
        millivolts = np.asarray(lead.samples[:5000]) * 5e-3
        assert np.abs(record.lead(lead.label) - millivolts).max() < 1e-6


class TestPhilips:
    def test_bytes_that_were_lost_or_added_are_refused(self, tmp_path):
        path = made.write_sierra(tmp_path / "a.xml")
        text = path.read_text()
        start = text.index("AAAA")
        path.write_text(text[:start] + text[start + 4 :])
        with pytest.raises(CorruptFile, match="bytes, 132000 are stated"):
            read_ecg(path)

    def test_a_pulse_in_some_leads_only_is_refused(self, tmp_path):
        path = made.write_sierra(tmp_path / "a.xml")
        text = path.read_text()
        head, _, rest = text.partition("<parsedwaveforms")
        tag, _, rest = rest.partition(">")
        data, _, tail = rest.partition("<")
        raw = bytearray(base64.b64decode(data))
        raw[2 * 5500 - 2 : 2 * 5500] = struct.pack("<h", 77)  # the last sample of lead I
        encoded = base64.b64encode(bytes(raw)).decode()
        path.write_text(f"{head}<parsedwaveforms{tag}>{encoded}<{tail}")
        with pytest.raises(CorruptFile, match="only 11 of 12 leads end in the calibration pulse"):
            read_ecg(path)


class TestAecg:
    def test_a_time_that_does_not_fit_the_samples_is_refused(self, tmp_path):
        path = made.write_aecg(tmp_path / "a.xml")
        changed(path, b'increment value="0.002"', b'increment value="0.004"')
        with pytest.raises(CorruptFile, match="said to last 10 s, its samples last 20 s"):
            read_ecg(path)

    def test_a_rate_that_is_not_whole_is_kept_exact(self, tmp_path):
        path = made.write_aecg(tmp_path / "a.xml")
        changed(path, b'increment value="0.002"', b'increment value="0.0019703"')
        assert read_ecg(path).sampling_hz == pytest.approx(507.537, abs=1e-3)

    @pytest.mark.real
    @pytest.mark.parametrize("name", ["empty.xml", "minimum_aecg.xml", "minimum_aecg_nouuid.xml"])
    def test_malformed_files_are_refused(self, name, shared_data):
        with pytest.raises(CorruptFile):
            read_ecg(shared_data / "aecg_malformed" / name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Schiller XML", "<examdescript><eventdata><event><wavedata><type>ECG_RHYTHMS</type>"
                         "</wavedata></event></eventdata></examdescript>"),
        ("Mortara XML", '<ECG ACQUISITION_TIME="20240531143005"><CHANNEL/></ECG>'),
    ],
)  # fmt: skip
def test_recognised_xml_says_what_to_export(name, text, tmp_path):
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(UnsupportedFormat, match=f"{name} cannot be read. Export the ECG"):
        read_ecg(tmp_path / "a.xml")


ROOTS = ("RestingECG", "CardiologyXML", "restingecgdata", "AnnotatedECG", "nothing")


@pytest.mark.parametrize("root", ROOTS)
def test_deep_nesting_is_one_sentence(root, tmp_path):
    depth = 200_000
    (tmp_path / "a.xml").write_text(f"<{root}>{'<a>' * depth}{'</a>' * depth}</{root}>")
    with pytest.raises(InputFileError):
        read_ecg(tmp_path / "a.xml")


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE r [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:9/e.dtd">%p;]>',
    ],
)
def test_entities_are_refused_whatever_the_format(root, head, tmp_path):
    (tmp_path / "a.xml").write_text(f"{head}<{root}>&x;</{root}>")
    with pytest.raises(InputFileError) as refused:
        read_ecg(tmp_path / "a.xml")
    assert "root:" not in refused.value.sentence


def test_a_document_type_reads_no_file(tmp_path, monkeypatch):
    """MUSE's files name restecg.dtd; nobody opens it, on disk or elsewhere."""
    import socket

    def refuse(*_args, **_more):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    (tmp_path / "restecg.dtd").write_text('<!ENTITY % x "<!ELEMENT broken">')
    assert read_ecg(xml.write_muse(tmp_path / "a.xml")).n_samples == N


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "latin-1"])
def test_encodings_are_read_as_they_are_and_not_as_declared(encoding, tmp_path):
    path = xml.write_muse(tmp_path / "a.xml")
    path.write_bytes(path.read_bytes().decode("latin-1").encode(encoding))
    assert read_ecg(path).n_samples == N


@pytest.mark.real
def test_a_rate_that_the_compressed_leads_contradict_is_refused(shared_data, tmp_path):
    text = (shared_data / "philips_sierra" / "129DYPRG.XML").read_bytes()
    stated = b"<samplingrate>500</samplingrate>"
    assert stated in text
    (tmp_path / "a.xml").write_bytes(text.replace(stated, b"<samplingrate>250</samplingrate>"))
    with pytest.raises(CorruptFile, match="the leads hold 5500 samples, 2750 are stated"):
        read_ecg(tmp_path / "a.xml")


def test_signed_philips_samples_have_no_offset(tmp_path):
    """65535 counts moved every lead by 0.3 V, out of sight of the calibration pulse."""
    path = made.write_sierra(tmp_path / "a.xml")
    stated = "<signaloffset>0</signaloffset>"
    text = path.read_text()
    assert stated in text
    path.write_text(text.replace(stated, "<signaloffset>65535</signaloffset>"))
    with pytest.raises(CorruptFile, match="an offset of 65535 is stated for signed samples"):
        read_ecg(path)
