"""Every reader on files that the tests make: same ECG in, same ECG out."""

import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import io_fixtures as made
import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.errors import (
    CorruptFile,
    FileTooLarge,
    MissingLeads,
    UnknownSamplingRate,
    UnknownUnits,
    UnsupportedFormat,
)
from ecgdash.io import NOT_READABLE, READERS, ReadHints, read_ecg, sniff_format, writers

HINTS = {"sampling_hz": 500, "units": "mV", "leads": list(CANONICAL_LEADS)}


def write_csv(path: Path, *, sidecar: bool = True) -> Path:
    values = np.stack([made.make_counts()[name] * 5e-3 for name in CANONICAL_LEADS], axis=1)
    header = ",".join(CANONICAL_LEADS)
    np.savetxt(path, values, fmt="%.3f", delimiter=",", header=header, comments="")
    if sidecar:
        path.with_name(path.name + ".json").write_text(json.dumps(HINTS))
    return path


def write_npy(path: Path, *, sidecar: bool = True) -> Path:
    np.save(path, np.stack([made.make_counts()[name] * 5e-3 for name in CANONICAL_LEADS]))
    if sidecar:
        path.with_suffix(".json").write_text(json.dumps(HINTS))
    return path


def write_wfdb(path: Path) -> Path:
    return writers.write_wfdb(made.make_record(), path.parent, path.stem)


def write_muse(path: Path) -> Path:
    return writers.write_muse_xml(made.make_record(), path)


FIXTURES: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "dicom": ("a.dcm", made.write_dicom),
    "muse-xml": ("a.xml", write_muse),
    "philips-sierra": ("a.xml", made.write_sierra),
    "hl7-aecg": ("a.xml", made.write_aecg),
    "scp-ecg": ("a.scp", made.write_scp),
    "ishne": ("a.ecg", made.write_ishne),
    "edf": ("a.edf", made.write_edf),
    "npy": ("a.npy", write_npy),
    "wfdb": ("a.hea", write_wfdb),
    "csv": ("a.csv", write_csv),
}


def test_the_table_names_every_reader_and_every_reader_has_a_fixture():
    folder = Path(made.__file__).parents[2] / "ecgdash" / "io" / "formats"
    modules = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    assert {reader.__name__.rsplit(".", 1)[-1] for reader in READERS.values()} == modules
    assert set(FIXTURES) <= set(READERS)  # test_io_fuzz has a file for every one
    assert all(reader.SUFFIXES for reader in READERS.values())
    assert not set(READERS) & set(NOT_READABLE)


@pytest.mark.parametrize("name", FIXTURES)
def test_each_format_reads_the_same_ecg(name, tmp_path):
    file_name, write = FIXTURES[name]
    path = write(tmp_path / file_name)
    record = read_ecg(path)
    assert sniff_format(path) == record.file_format == name
    assert record.sampling_hz == 500.0
    assert record.n_samples == 5000
    assert record.source_name == path.name
    assert set(record.leads) == set(CANONICAL_LEADS) - (
        {"V2", "V3", "V4", "V5", "V6"} if name == "ishne" else set()
    )
    half_step = 0.00244 + 1e-6 if name == "muse-xml" else 1e-6
    for lead in record.leads:
        # the Philips file is cut from a longer one
        longer = made.make_counts(5500)[lead] if name == "philips-sierra" else None
        truth = made.expected_mv(lead) if longer is None else longer[:5000] * 5e-3
        tolerance = half_step * (2 if lead not in ("I", "II") else 1)
        assert np.abs(record.lead(lead) - truth).max() <= tolerance


@pytest.mark.parametrize("name", sorted(set(FIXTURES) - {"muse-xml", "philips-sierra", "ishne"}))
def test_the_content_hash_does_not_depend_on_the_format(name, tmp_path):
    file_name, write = FIXTURES[name]
    assert read_ecg(write(tmp_path / file_name)).sha256 == made.make_record().sha256


@pytest.mark.parametrize("name", ["dicom", "philips-sierra", "hl7-aecg", "scp-ecg", "edf", "wfdb"])
def test_steps_are_known_where_the_file_states_them(name, tmp_path):
    file_name, write = FIXTURES[name]
    assert read_ecg(write(tmp_path / file_name)).lsb_uv == pytest.approx((5.0,) * 12)


@pytest.mark.parametrize("name", ["philips-sierra", "hl7-aecg", "scp-ecg", "edf", "muse-xml"])
def test_a_time_without_zone_gets_the_site_zone_and_a_note(name, tmp_path):
    file_name, write = FIXTURES[name]
    record = read_ecg(write(tmp_path / file_name), zone=ZoneInfo("Asia/Seoul"))
    assert record.recorded_at == datetime(2024, 5, 31, 5, 30, 5, tzinfo=UTC)
    assert record.local_day == date(2024, 5, 31)
    assert any("no time zone" in note and "Asia/Seoul" in note for note in record.notes)


def test_a_stated_zone_wins_over_the_site_zone(tmp_path):
    record = read_ecg(made.write_dicom(tmp_path / "a.dcm"), zone=ZoneInfo("America/Lima"))
    assert record.recorded_at == datetime(2024, 5, 31, 5, 30, 5, tzinfo=UTC)
    assert record.local_day == date(2024, 5, 31)
    assert not any("zone" in note for note in record.notes)


@pytest.mark.parametrize("name", FIXTURES)
def test_names_and_birth_dates_are_dropped(name, tmp_path):
    file_name, write = FIXTURES[name]
    record = read_ecg(write(tmp_path / file_name))
    shown = repr(record.__getstate__()).lower()
    for private in ("jane", "doe", "1960"):
        assert private not in shown


def test_the_name_decides_nothing_but_content_does(tmp_path):
    path = made.write_dicom(tmp_path / "a.xml")
    assert sniff_format(path) == "dicom"
    assert read_ecg(path).file_format == "dicom"


def test_dicom_padding_becomes_absent_and_zero_stays_a_sample(tmp_path):
    record = read_ecg(made.write_dicom(tmp_path / "a.dcm", padded=True))
    assert np.isnan(record.lead("aVR")[-10:]).all()
    assert np.isfinite(record.signal_mv).sum() == 12 * 5000 - 10
    assert (record.lead("I") == 0.0).any()


def test_dicom_units_decide(tmp_path):
    millivolts = read_ecg(made.write_dicom(tmp_path / "a.dcm", unit="mV"))
    assert millivolts.sha256 == made.make_record().sha256
    with pytest.raises(UnknownUnits, match=r"^b.dcm: lead I: unit 'mmHg' is no unit of amplitude"):
        read_ecg(made.write_dicom(tmp_path / "b.dcm", unit="mmHg"))


def test_dicom_agrees_with_pydicom(tmp_path):
    from pydicom import dcmread

    path = made.write_dicom(tmp_path / "a.dcm")
    theirs_uv = dcmread(path).waveform_array(1)
    assert np.abs(read_ecg(path).signal_mv - theirs_uv.T / 1000).max() < 1e-6


def test_philips_without_pulse_keeps_its_last_second(tmp_path):
    record = read_ecg(made.write_sierra(tmp_path / "a.xml", calibrated=False))
    assert record.n_samples == 5500
    assert not any("calibration" in note for note in record.notes)


def test_muse_derives_four_leads_and_says_so(tmp_path):
    record = read_ecg(write_muse(tmp_path / "a.xml"))
    first, second = record.lead("I").astype(float), record.lead("II").astype(float)
    assert np.abs(record.lead("III") - (second - first)).max() < 1e-6
    assert np.abs(record.lead("aVR") + (first + second) / 2).max() < 1e-6
    assert np.abs(record.lead("aVL") - (first - second / 2)).max() < 1e-6
    assert np.abs(record.lead("aVF") - (second - first / 2)).max() < 1e-6
    assert "derived from I and II: III, aVR, aVL, aVF" in record.notes


def test_muse_with_median_beat_only_is_refused(tmp_path):
    path = write_muse(tmp_path / "a.xml")
    path.write_text(path.read_text().replace("Rhythm", "Median"))
    with pytest.raises(CorruptFile, match="no rhythm waveform"):
        read_ecg(path)


@pytest.mark.parametrize(
    ("given", "day", "note"),
    [
        ("XX-XX-XXXX", None, "no usable date"),
        ("05-31-2024", date(2024, 5, 31), "a day but no time"),
    ],
)
def test_muse_masked_dates(given, day, note, tmp_path):
    path = write_muse(tmp_path / "a.xml")
    text = path.read_text().replace("05-31-2024", given).replace("14:30:05", "XX:XX:XX")
    path.write_text(text)
    record = read_ecg(path)
    assert record.local_day == day
    assert any(note in text for text in record.notes)


def test_contradictory_age_is_unknown_with_a_note(tmp_path):
    path = write_muse(tmp_path / "a.xml")
    text = path.read_text().replace("<Gender>", "<DateofBirth>06-10-1900</DateofBirth><Gender>")
    path.write_text(text)
    record = read_ecg(path)
    assert record.age_years is None
    assert any("contradict" in note for note in record.notes)


def test_signature_lines_are_dropped(tmp_path):
    record = made.make_record(statements=("Sinus rhythm", "Confirmed by Doe, Jane M.D."))
    read = read_ecg(writers.write_muse_xml(record, tmp_path / "a.xml"))
    assert read.statements == ("Sinus rhythm",)


def test_edf_free_text_patient_is_dropped(tmp_path):
    record = read_ecg(made.write_edf(tmp_path / "a.edf", patient="Jane Doe"))
    assert record.patient_id is None
    assert any("free text" in note for note in record.notes)


def test_csv_without_rate_or_unit_is_refused_and_hints_serve(tmp_path):
    path = write_csv(tmp_path / "a.csv", sidecar=False)
    with pytest.raises(UnknownSamplingRate, match=r"^a.csv: the sampling rate is not stated\."):
        read_ecg(path)
    with pytest.raises(UnknownUnits, match="no amplitude unit is stated"):
        read_ecg(path, hints=ReadHints(sampling_hz=500))
    with pytest.raises(UnknownUnits, match="'counts' is no unit"):
        read_ecg(path, hints=ReadHints(sampling_hz=500, units="counts"))
    record = read_ecg(path, hints=ReadHints(sampling_hz=500, units="mV"))
    assert record.sha256 == made.make_record().sha256


def test_csv_sidecar_and_call_must_agree(tmp_path):
    with pytest.raises(
        CorruptFile, match="sampling_hz is 500.0 in the sidecar and 250 in the call"
    ):
        read_ecg(write_csv(tmp_path / "a.csv"), hints=ReadHints(sampling_hz=250))


def test_csv_names_the_broken_cell(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("I;II\n" + "0.1;0.2\n" * 3 + "0,1;0.2\n")
    with pytest.raises(CorruptFile, match="do not fit a decimal comma"):
        read_ecg(path, hints=ReadHints(sampling_hz=500, units="mV"))
    path.write_text("I;II\n" + "0.1;0.2\n" * 3 + "O.1;0.2\n")
    with pytest.raises(CorruptFile, match=r"a.csv, row 5, column 1: the cell is no number"):
        read_ecg(path, hints=ReadHints(sampling_hz=500, units="mV"))


def test_npy_needs_leads_and_never_unpickles(tmp_path):
    path = write_npy(tmp_path / "a.npy", sidecar=False)
    stated = ReadHints(sampling_hz=500, units="mV")
    with pytest.raises(MissingLeads, match="states no lead names"):
        read_ecg(path, hints=stated)
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(CorruptFile, match="no plain numeric one"):
        read_ecg(path, hints=stated)


def test_npy_square_array_is_ambiguous(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((12, 12)))
    with pytest.raises(MissingLeads, match="do not tell the lead axis"):
        read_ecg(tmp_path / "a.npy", hints=ReadHints(500, "mV", CANONICAL_LEADS))


def wfdb_with(tmp_path: Path, old: str, new: str) -> Path:
    header = write_wfdb(tmp_path / "a.hea")
    text = header.read_text()
    assert old in text
    header.write_text(text.replace(old, new))
    return header


def test_wfdb_signal_file_must_lie_beside_its_header(tmp_path):
    with pytest.raises(CorruptFile, match="outside its folder"):
        read_ecg(wfdb_with(tmp_path, "a.dat", "../a.dat"))


def test_wfdb_without_signal_file_is_refused(tmp_path):
    header = write_wfdb(tmp_path / "a.hea")
    (tmp_path / "a.dat").unlink()
    with pytest.raises(CorruptFile, match="the signal file a.dat is missing"):
        read_ecg(header)


def test_wfdb_truncated_signal_file_is_refused(tmp_path):
    header = write_wfdb(tmp_path / "a.hea")
    signal = tmp_path / "a.dat"
    signal.write_bytes(signal.read_bytes()[:-2400])
    with pytest.raises(CorruptFile, match=r"^a.hea: the signal file a.dat holds 4900 samples"):
        read_ecg(header)


def test_wfdb_uncalibrated_record_is_refused(tmp_path):
    with pytest.raises(UnknownUnits, match="uncalibrated"):
        read_ecg(wfdb_with(tmp_path, " 200.0(0)/mV", " 0(0)/mV"))


def test_wfdb_units_other_than_voltage_are_refused(tmp_path):
    with pytest.raises(UnknownUnits, match="unit 'mmHg' is no unit of amplitude"):
        read_ecg(wfdb_with(tmp_path, "/mV", "/mmHg"))


def test_wfdb_extra_leads_are_dropped_with_a_note(tmp_path):
    record = read_ecg(wfdb_with(tmp_path, " V6", " vx"))
    assert "V6" not in record.leads
    assert any(note.endswith("were dropped: vx") for note in record.notes)


def test_wfdb_doubled_lead_is_refused(tmp_path):
    with pytest.raises(MissingLeads, match="lead V5 occurs twice"):
        read_ecg(wfdb_with(tmp_path, " V6", " V5"))


def test_wfdb_opens_by_header_signal_file_and_bare_name(tmp_path):
    header = write_wfdb(tmp_path / "a.hea")
    hashes = {read_ecg(path).sha256 for path in (header, tmp_path / "a.dat", tmp_path / "a")}
    assert hashes == {made.make_record().sha256}


def test_leads_are_matched_by_name_not_by_place(tmp_path):
    import wfdb

    counts = made.make_counts()
    names = list(reversed(CANONICAL_LEADS))
    wfdb.wrsamp(
        "r",
        fs=500,
        units=["mV"] * 12,
        sig_name=[name.lower() for name in names],
        d_signal=np.stack([counts[name] for name in names], axis=1),
        fmt=["16"] * 12,
        adc_gain=[200.0] * 12,
        baseline=[0] * 12,
        write_dir=str(tmp_path),
    )
    assert read_ecg(tmp_path / "r.hea").sha256 == made.make_record().sha256


def test_too_short_a_recording_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((12, 499)))
    with pytest.raises(CorruptFile, match=r"holds 499 samples \(1.00 s\). Accepted: at least 1 s"):
        read_ecg(tmp_path / "a.npy", hints=ReadHints(500, "mV", CANONICAL_LEADS))


def test_a_rate_no_ecg_has_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((12, 5000)))
    with pytest.raises(UnknownSamplingRate, match="10 Hz is not plausible"):
        read_ecg(tmp_path / "a.npy", hints=ReadHints(10, "mV", CANONICAL_LEADS))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.png", b"\x89PNG\r\n", "image cannot be read"),
        ("a.pdf", b"%PDF-1.4", "PDF cannot be read"),
        ("b.xml", b"<other/>", "XML with the root element other cannot be read"),
        ("a.SCP", b"\x30\x9d" + bytes(64), "only looks like SCP-ECG cannot be read"),
        ("a.dat", bytes(64), "WFDB signal file without its header"),
        ("empty.dcm", b"", "the file is empty"),
        ("a.bin", b"\1\2\3", "matches none of the readers"),
        ("e.csv", b"patient_id,performed_at,lvef_percent\n", "hand it over as --echo"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(name, content, sentence, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnsupportedFormat) as caught:
        read_ecg(path)
    assert sentence in caught.value.sentence
    assert caught.value.sentence.startswith(f"{name}: ")
    assert caught.value.todo


def test_files_over_the_limit_are_refused_with_their_signal_files(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((12, 20_000)))
    with pytest.raises(FileTooLarge, match="at most 1 MB"):
        read_ecg(path, max_file_mb=1)
    header = write_wfdb(tmp_path / "b.hea")
    with (tmp_path / "b.dat").open("ab") as stream:
        stream.write(bytes(2_000_000))
    with pytest.raises(FileTooLarge, match=r"^b.dat: "):
        read_ecg(header, max_file_mb=1)


@pytest.mark.parametrize("name", sorted(set(FIXTURES) - {"csv", "wfdb"}))
def test_a_file_cut_in_half_is_refused_and_nothing_else_is_raised(name, tmp_path):
    file_name, write = FIXTURES[name]
    path = write(tmp_path / file_name)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(CorruptFile):
        read_ecg(path)


@pytest.mark.parametrize("name", ["scp-ecg", "ishne", "muse-xml"])
def test_a_checksum_that_does_not_fit_is_refused(name, tmp_path):
    file_name, write = FIXTURES[name]
    path = write(tmp_path / file_name)
    content = bytearray(path.read_bytes())
    if name == "muse-xml":
        at = content.index(b"<WaveFormData>") + 40
        content[at] = ord("B") if content[at] == ord("A") else ord("A")
    else:
        # in the samples of SCP-ECG, in the header of ISHNE: what each checksum covers
        content[-1 if name == "scp-ecg" else 300] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptFile, match="the checksum in the file does not fit"):
        read_ecg(path)


def test_a_header_that_claims_gigabytes_is_refused_before_memory_is_taken(tmp_path):
    header = write_wfdb(tmp_path / "ecg.hea")
    text = header.read_text()
    header.write_text(text.replace(" 5000", " 500000000", 1))
    with pytest.raises(FileTooLarge, match="claims 12 signals of 500000000 samples"):
        read_ecg(header)


def test_an_array_that_claims_gigabytes_is_refused_before_memory_is_taken(tmp_path):
    file = write_npy(tmp_path / "ecg.npy")
    raw = file.read_bytes()
    shape = re.search(rb"\((\d+), (\d+)\)", raw)
    claimed = b"(12, 1000000000)"
    grown = raw.replace(shape.group(), claimed, 1)
    # the header keeps its length: padding in front of its line end makes room
    grown = grown.replace(b" " * (len(claimed) - len(shape.group())) + b"\n", b"\n", 1)
    file.write_bytes(grown)
    with pytest.raises(CorruptFile, match="shorter than its header claims"):
        read_ecg(file)


@pytest.mark.parametrize(
    "sidecar",
    ['{"sampling_hz": 500, "units": 5}', '{"leads": "II"}', '{"sampling_hz": true}', "[]", "["],
)
def test_a_sidecar_of_wrong_types_is_refused(sidecar, tmp_path):
    file = write_npy(tmp_path / "ecg.npy")
    for old in tmp_path.glob("*.json"):
        old.write_text(sidecar)
    with pytest.raises(CorruptFile, match="sidecar"):
        read_ecg(file)


def test_a_decoder_s_message_quotes_nothing_of_the_content(tmp_path):
    file = made.write_edf(tmp_path / "ecg.edf")
    raw = bytearray(file.read_bytes())
    at = raw.index(b"-32768")
    raw[at : at + 6] = b"Smith "
    file.write_bytes(bytes(raw))
    with pytest.raises(CorruptFile) as caught:
        read_ecg(file)
    assert "Smith" not in caught.value.sentence


def test_a_missing_library_is_not_told_as_a_broken_file(tmp_path, monkeypatch):
    path = made.write_dicom(tmp_path / "a.dcm")
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ImportError, match="pydicom"):
        read_ecg(path)


@pytest.mark.parametrize(
    "name", ["dicom", "muse-xml", "philips-sierra", "hl7-aecg", "scp-ecg", "edf", "npy"]
)
@pytest.mark.parametrize("suffix", [".xml", ".dcm", ".scp", ".txt", ".dat", ".png", ""])
def test_the_content_decides_and_not_the_suffix(name, suffix, tmp_path):
    file_name, write = FIXTURES[name]
    path = write(tmp_path / file_name)
    if path.with_suffix(".json").is_file():
        path.with_suffix(".json").rename(tmp_path / "renamed.json")
    renamed = path.rename(tmp_path / f"renamed{suffix}")
    record = read_ecg(renamed)
    assert (record.file_format, record.n_samples) == (name, 5000)


@pytest.mark.parametrize(
    "suffix", [".dcm", ".xml", ".scp", ".edf", ".npy", ".mat", ".h5", ".atc", ".hea"]
)
def test_a_suffix_alone_makes_no_ecg(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    with pytest.raises(UnsupportedFormat, match="image cannot be read"):
        read_ecg(path)
