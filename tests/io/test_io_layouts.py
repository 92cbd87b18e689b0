"""Research layouts and tables: what is read, what must be stated, what is refused."""

import json
import struct
import time
import zlib

import fixtures_tables as tables
import h5py
import io_fixtures as made
import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.errors import (
    CorruptFile,
    FileTooLarge,
    InputFileError,
    MissingLeads,
    UnknownSamplingRate,
    UnknownUnits,
    UnsupportedFormat,
)
from ecgdash.inference.gate import gate
from ecgdash.io import ReadHints, find_ecg_files, list_members, read_ecg

N = tables.N_SAMPLES
TRUTH = tables.microvolts() / 1000.0


def assert_is_the_ecg(record, scale=1.0, tolerance=1e-6):
    assert record.leads == CANONICAL_LEADS
    assert np.abs(record.signal_mv - TRUTH * scale).max() <= tolerance


@pytest.mark.parametrize(
    ("write", "file_format"),
    [
        (tables.write_csv, "csv"),
        (tables.write_timed_csv, "csv"),
        (tables.write_text, "text"),
        (tables.write_npy, "npy"),
        (tables.write_cpsc, "matlab"),
        (tables.write_json, "json"),
    ],
)
def test_one_ecg_through_each_layout(write, file_format, tmp_path):
    record = read_ecg(write(tmp_path))
    assert (record.file_format, record.sampling_hz, record.n_samples) == (file_format, 500.0, N)
    assert_is_the_ecg(record)


class TestCsv:
    def test_units_and_rate_of_the_header_need_no_sidecar_and_are_noted(self, tmp_path):
        record = read_ecg(tables.write_timed_csv(tmp_path))
        assert "sampling rate 500 Hz by the column 'time'" in record.notes

    def test_a_statement_that_contradicts_the_header_is_refused(self, tmp_path):
        path = tables.write_timed_csv(tmp_path)
        with pytest.raises(CorruptFile, match="the file's rate is 500 Hz, the stated one 400 Hz"):
            read_ecg(path, hints=ReadHints(sampling_hz=400))
        with pytest.raises(CorruptFile, match="the file's unit is mV, the stated one uV"):
            read_ecg(path, hints=ReadHints(units="uV"))

    def test_a_lost_row_is_seen_by_the_time_column(self, tmp_path):
        path = tables.write_timed_csv(tmp_path)
        lines = path.read_text().splitlines()
        path.write_text("\n".join(lines[:500] + lines[510:]) + "\n")
        with pytest.raises(CorruptFile, match="the steps of the column 'time' differ"):
            read_ecg(path)

    def test_a_stated_number_of_samples_is_held_against_the_rows(self, tmp_path):
        path = tables.write_csv(tmp_path)
        assert read_ecg(path, hints=ReadHints(n_samples=N)).n_samples == N
        with pytest.raises(CorruptFile, match="the file holds 1000 samples, 1001 are stated"):
            read_ecg(path, hints=ReadHints(n_samples=N + 1))

    def test_a_last_row_without_line_end_is_noted(self, tmp_path):
        path = tables.write_csv(tmp_path)
        path.write_bytes(path.read_bytes().rstrip())
        assert any("whether the table is whole" in note for note in read_ecg(path).notes)

    def test_a_cut_row_is_refused_with_its_number(self, tmp_path):
        path = tables.write_csv(tmp_path)
        text = path.read_text().rstrip()
        path.write_text(text[: text.rindex(",")])
        with pytest.raises(CorruptFile, match=r"record.csv, row 1001: rows differ in length"):
            read_ecg(path)

    @pytest.mark.parametrize("cell", ["1_000", "0x1F", "12abc", "1,5"])
    def test_cells_that_are_no_numbers_are_refused(self, cell, tmp_path):
        path = tables.write_csv(tmp_path)
        lines = path.read_text().splitlines()
        lines[7] = ",".join([f'"{cell}"', *lines[7].split(",")[1:]])
        path.write_text("\n".join(lines) + "\n")
        with pytest.raises(CorruptFile, match="row 8, column 1"):
            read_ecg(path)

    def test_mixed_decimal_signs_are_refused(self, tmp_path):
        path = tables.write_timed_csv(tmp_path)
        path.write_text(path.read_text().replace(",", ".", 50))
        with pytest.raises(CorruptFile, match="do not fit a decimal comma"):
            read_ecg(path)

    def test_a_sidecar_says_whose_ecg_it_is(self, tmp_path):
        path = tables.write_csv(tmp_path)
        sidecar = path.with_name("record.csv.json")
        known = {"patient_id": 17, "recorded_at": "2024-05-31T14:30:05+02:00", "age_years": 61}
        sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | known | {"sex": "F"}))
        record = read_ecg(path)
        assert (record.patient_id, record.age_years, record.sex) == ("17", 61.0, "female")
        assert record.recorded_at.isoformat() == "2024-05-31T12:30:05+00:00"

    @pytest.mark.real
    def test_twenty_tables_equal_numpy(self, shared_data):
        files = sorted((shared_data / "csv_ptbxl_500hz").glob("*_hr.csv"))
        assert len(files) == 20
        for file in files:
            record = read_ecg(file, hints=ReadHints(500.0, "mV"))
            theirs = np.loadtxt(file, delimiter=",", skiprows=1)
            assert np.array_equal(record.signal_mv, theirs.T.astype(np.float32))


class TestText:
    def test_stated_rows_must_follow(self, tmp_path):
        path = tables.write_text(tmp_path)
        path.write_text(path.read_text().replace("1000 X 12", "1001 X 12"))
        with pytest.raises(CorruptFile, match="1001 rows of 12 numbers are stated, 1000 of 12"):
            read_ecg(path)

    def test_a_median_in_front_is_not_the_rhythm(self, tmp_path):
        path = tables.write_text(tmp_path)
        median = "\n".join(" ".join(["7"] * 12) for _ in range(600))
        path.write_text(f"Median signal: 600 X 12\n\n{median}\n\n{path.read_text()}")
        assert_is_the_ecg(read_ecg(path))

    @pytest.mark.real
    def test_a_real_export_asks_for_what_it_leaves_open(self, shared_data):
        path = shared_data / "ge_text" / "testing_ecg.txt"
        with pytest.raises(MissingLeads, match="12 columns and no name for each"):
            read_ecg(path)
        with pytest.raises(UnknownSamplingRate):
            read_ecg(path, hints=ReadHints(leads=CANONICAL_LEADS))
        record = read_ecg(path, hints=ReadHints(500.0, "uV", CANONICAL_LEADS))
        theirs = np.loadtxt(path, skiprows=6)
        assert theirs.shape == (5000, 12)
        assert np.abs(record.signal_mv - theirs.T / 1000).max() < 1e-6


class TestAppleWatch:
    @pytest.mark.parametrize("comma", [True, False])
    def test_both_decimal_signs(self, comma, tmp_path):
        record = read_ecg(tables.write_apple(tmp_path, comma=comma))
        assert record.leads == ("I",)
        assert record.sampling_hz == (511.844 if comma else 512.0)
        expected = (tables.microvolts()[0] + 0.307) / 1000
        assert np.abs(record.lead("I") - expected).max() < 1e-6
        assert record.recorded_at.isoformat() == "2023-06-28T11:03:46+00:00"
        assert record.statements == ("Sinusritme" if comma else "Sinus Rhythm",)
        assert record.device == "Apple Watch4,2"
        shown = repr(record.__getstate__()).lower()
        assert not any(private in shown for private in ("vries", "smith", "1960"))

    def test_samples_of_two_decimal_signs_are_refused(self, tmp_path):
        path = tables.write_apple(tmp_path)
        text = path.read_text()
        at = text.rindex(",")
        path.write_text(text[:at] + "." + text[at + 1 :])
        with pytest.raises(CorruptFile, match="differ in their decimal sign"):
            read_ecg(path)

    @pytest.mark.real
    def test_a_dutch_export_by_hand(self, shared_data):
        path = shared_data / "apple_watch" / "exampleCSV.csv"
        record = read_ecg(path)
        lines = path.read_text().splitlines()
        first = lines.index("24,307")
        assert record.n_samples == len(lines) - first
        assert record.lead("I")[:3] == pytest.approx([0.024307, 0.02948, 0.033004], abs=1e-7)
        assert record.sampling_hz == 511.844


class TestArrays:
    def test_one_of_many_is_named(self, tmp_path):
        path = tables.write_many_npy(tmp_path)
        assert list(list_members(path)) == ["0", "1"]
        with pytest.raises(MissingLeads, match="holds 2 ECGs and none is named"):
            read_ecg(path)
        with pytest.raises(MissingLeads, match="no ECG of that name"):
            read_ecg(path, member="2")
        assert_is_the_ecg(read_ecg(path, member="0"))
        upside_down = read_ecg(path, member="1").signal_mv[::-1]
        assert np.abs(upside_down - TRUTH).max() < 1e-6

    def test_a_header_that_states_less_than_the_file_holds_is_refused(self, tmp_path):
        path = tables.write_npy(tmp_path)
        path.write_bytes(path.read_bytes().replace(b"(12, 1000)", b"(12, 0900)"))
        with pytest.raises(CorruptFile):
            read_ecg(path)

    def test_echonext_is_in_arbitrary_units_unless_one_is_stated(self, tmp_path):
        path = tables.write_echonext(tmp_path, units=None)
        assert list(list_members(path)) == ["e1", "e3"]
        record = read_ecg(path, member="e3")
        assert not record.in_millivolts
        assert "amplitudes are in arbitrary units, not in millivolts" in record.notes
        assert gate(record).status == "excluded"
        withheld = [one.code for one in gate(record).findings if one.effect != "notes"]
        assert withheld == ["arbitrary_units", "length"]  # 4 s of it move
        record = read_ecg(path, member="e3", hints=ReadHints(units="mV"))
        assert record.in_millivolts
        assert (record.sampling_hz, record.n_samples) == (250.0, 2500)
        assert (record.patient_id, record.age_years, record.sex) == ("p1", 64.0, "male")
        assert record.measurements["qtc_ms"] == 440.0
        assert record.recorded_at is None
        assert np.abs(record.signal_mv[:, 500:1500] - tables.microvolts() / 200).max() < 1e-5


class TestHdf5:
    def test_code15_asks_for_the_unit_and_joins_its_exams(self, tmp_path):
        path = tables.write_code15(tmp_path, units=None)
        assert list(list_members(path)) == ["901", "902", "903"]
        with pytest.raises(UnknownUnits, match="do not look like millivolts"):
            read_ecg(path, member="902")
        record = read_ecg(path, member="902", hints=ReadHints(units="mV"))
        assert (record.sampling_hz, record.n_samples) == (400.0, 2048)
        assert (record.patient_id, record.age_years, record.sex) == ("8", 52.0, "female")
        assert np.abs(record.signal_mv[:, 500:1500] - TRUTH * 2).max() < 1e-5
        assert read_ecg(path, member="903", hints=ReadHints(units="mV")).patient_id is None

    def test_every_ecg_of_a_part_is_found_with_its_name(self, tmp_path):
        folder = tmp_path / "set"
        folder.mkdir()
        tables.write_code15(folder)
        found = list(find_ecg_files([folder]))
        assert [one.display_name for one in found] == [
            f"set/exams_part0.hdf5#{exam}" for exam in (901, 902, 903)
        ]
        assert {read_ecg(one.path, member=one.member).sampling_hz for one in found} == {400.0}

    def test_sph_is_held_against_its_table(self, tmp_path):
        record = read_ecg(tables.write_sph(tmp_path))
        assert_is_the_ecg(record, tolerance=2e-3)
        assert np.array_equal(record.signal_mv, TRUTH.astype(np.float16).astype(np.float32))
        assert (record.patient_id, record.age_years, record.sex) == ("S00001", 55.0, "male")
        assert record.statements == ("AHA code 22", "AHA code 23")
        with pytest.raises(CorruptFile, match="states 1001 samples, the file holds 1000"):
            read_ecg(tables.write_sph(tmp_path, n=1001))

    @pytest.mark.parametrize("kind", ["external link", "soft link", "virtual", "external storage"])
    def test_what_lies_in_other_files_is_not_opened(self, kind, tmp_path):
        import h5py

        other = tmp_path / "other.h5"
        with h5py.File(other, "w") as opened:
            opened["ecg"] = TRUTH
        with h5py.File(tmp_path / "a.h5", "w") as opened:
            if kind == "external link":
                opened["ecg"] = h5py.ExternalLink("other.h5", "/ecg")
            elif kind == "soft link":
                opened["elsewhere"] = TRUTH
                opened["ecg"] = h5py.SoftLink("/elsewhere")
            elif kind == "virtual":
                layout = h5py.VirtualLayout(shape=TRUTH.shape, dtype="f8")
                layout[:] = h5py.VirtualSource(str(other), "ecg", shape=TRUTH.shape)
                opened.create_virtual_dataset("ecg", layout)
            else:
                (tmp_path / "raw.bin").write_bytes(TRUTH.tobytes())
                opened.create_dataset(
                    "ecg", TRUTH.shape, "f8", external=[("raw.bin", 0, TRUTH.nbytes)]
                )
        with pytest.raises(UnsupportedFormat):
            read_ecg(tmp_path / "a.h5")

    def test_a_dataset_that_claims_ten_gigabytes_is_refused_unread(self, tmp_path):
        import h5py

        with h5py.File(tmp_path / "a.h5", "w") as opened:
            opened.create_dataset("ecg", (12, 100_000_000), "f8", chunks=(12, 1000))
        assert (tmp_path / "a.h5").stat().st_size < 10_000
        with pytest.raises(CorruptFile, match="does not fit the 0 chunks"):
            read_ecg(tmp_path / "a.h5")

    def test_one_huge_chunk_is_refused_unread(self, tmp_path):
        import h5py

        with h5py.File(tmp_path / "a.h5", "w") as opened:
            opened.create_dataset(
                "ecg", (12, 4_000_000), "f8", chunks=(12, 4_000_000), compression="gzip"
            )[0, 0] = 1.0
        assert (tmp_path / "a.h5").stat().st_size < 2_000_000
        with pytest.raises(FileTooLarge, match="chunks of 384000000 bytes"):
            read_ecg(tmp_path / "a.h5")

    @pytest.mark.real
    def test_real_sph_files_equal_h5py(self, shared_data):
        import h5py

        files = sorted((shared_data / "sph_h5").glob("*.h5"))
        assert len(files) == 5
        for file in files:
            record = read_ecg(file)
            with h5py.File(file) as opened:
                assert np.array_equal(record.signal_mv, opened["ecg"][()].astype(np.float32))
            limb = dict(zip(record.leads, record.signal_mv, strict=True))
            # the order of leads is stated nowhere in the file: Einthoven's law holds for it
            assert np.abs(limb["I"] + limb["III"] - limb["II"]).max() < 0.005


class TestMatlab:
    @pytest.mark.parametrize("compressed", [False, True])
    def test_cpsc_states_age_and_sex(self, compressed, tmp_path):
        record = read_ecg(tables.write_cpsc(tmp_path, compressed=compressed))
        assert (record.age_years, record.sex, record.sampling_hz) == (52.0, "male", 500.0)
        assert any("by the description of CPSC 2018" in note for note in record.notes)

    def test_a_file_that_inflates_without_end_is_refused(self, tmp_path):
        from scipy.io import savemat

        savemat(
            tmp_path / "a.mat", {"ECG": {"data": np.zeros((12, 3_000_000))}}, do_compression=True
        )
        assert (tmp_path / "a.mat").stat().st_size < 400_000
        with pytest.raises(InputFileError, match="inflates to more than 128 MB"):
            read_ecg(tmp_path / "a.mat")

    @pytest.mark.real
    def test_real_files_equal_scipy(self, shared_data):
        from scipy.io import loadmat

        for file in sorted((shared_data / "cpsc2018_mat_struct").glob("*.mat")):
            theirs = loadmat(file)["ECG"][0, 0]
            record = read_ecg(file)
            assert np.array_equal(record.signal_mv, theirs["data"].astype(np.float32))
            assert record.age_years == float(theirs["age"][0, 0])
            # the order of leads is stated nowhere in the file: Einthoven's law holds for it
            assert np.abs(record.lead("I") + record.lead("III") - record.lead("II")).max() < 0.01
        for file in sorted((shared_data / "code15_mat").glob("*.mat")):
            with pytest.raises(UnknownUnits):
                read_ecg(file)
            record = read_ecg(file, hints=ReadHints(units="mV"))
            assert np.array_equal(record.signal_mv, loadmat(file)["feats"])
            assert record.sampling_hz == 400.0


class TestJson:
    @pytest.mark.parametrize(
        ("key", "value"), [("sampleRate", 250), ("duration", 3.0), ("numSamples", 999)]
    )
    def test_statements_that_contradict_each_other_are_refused(self, key, value, tmp_path):
        with pytest.raises(CorruptFile, match="samples are stated"):
            read_ecg(tables.write_json(tmp_path, **{key: value}))

    def test_a_child_keeps_its_age_and_no_name(self, tmp_path):
        record = read_ecg(tables.write_json(tmp_path))
        assert (record.age_years, record.sex, record.patient_id) == (7.5, "female", "P1")
        assert "patient, p1" not in repr(record.__getstate__()).lower()

    @pytest.mark.parametrize("text", ["[" * 100_000, '{"signal": {"leads": ' + "[" * 100_000])
    def test_deep_nesting_is_refused(self, text, tmp_path):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(InputFileError):
            read_ecg(tmp_path / "a.json")

    @pytest.mark.real
    def test_real_files_equal_json(self, shared_data):
        for file in sorted((shared_data / "pediatric_json").glob("*.json")):
            with pytest.raises(UnknownUnits):
                read_ecg(file)
            record = read_ecg(file, hints=ReadHints(units="mV"))
            leads = json.loads(file.read_text())["signal"]["leads"]
            for name in record.leads:
                theirs = leads[name.upper()] if name.startswith("a") else leads[name]
                assert np.array_equal(record.lead(name), np.float32(theirs))
            assert record.age_years < 18


def test_hints_are_ignored_where_the_file_states_it_itself(tmp_path):
    record = read_ecg(made.write_dicom(tmp_path / "a.dcm"), hints=ReadHints(250.0, "mV"))
    assert record.sampling_hz == 500.0


def npy_claiming(path, shape, data=b""):
    """Write an array of bytes whose header is ours: numpy writes no such shape."""
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data)
    return path


def mat_of(path, *parts):
    """Write a MATLAB 5 file of one compressed structure named ECG with these last parts."""
    flags = struct.pack("<IIII", 6, 8, 2, 0)
    sizes = struct.pack("<IIii", 5, 8, 1, 1)
    body = flags + sizes + struct.pack("<HH4s", 1, 3, b"ECG") + b"".join(parts)
    packed = zlib.compress(struct.pack("<II", 14, len(body)) + body)
    head = b"MATLAB 5.0".ljust(124) + struct.pack("<H", 0x100) + b"IM"
    path.write_bytes(head + struct.pack("<II", 15, len(packed)) + packed)
    return path


def matrix_of(flags, sizes, *parts):
    """Return an element of numbers or text without a name, for use inside a structure."""
    body = struct.pack("<IIII", 6, 8, flags, 0) + sizes + struct.pack("<II", 1, 0)
    body += b"".join(parts)
    return struct.pack("<II", 14, len(body)) + body


class TestClaimsBeyondMemory:
    """Small files that state more than a machine holds are refused before memory is taken."""

    def test_an_array_of_many_ecgs_without_samples(self, tmp_path):
        path = npy_claiming(tmp_path / "a.npy", (10**12, 0, 0))
        with pytest.raises(CorruptFile, match="shape"):
            list_members(path)
        with pytest.raises(CorruptFile, match="shape"):
            read_ecg(path)

    def test_an_array_of_millions_of_ecgs(self, tmp_path):
        path = npy_claiming(tmp_path / "a.npy", (2_000_000, 1, 1), bytes(2_000_000))
        with pytest.raises(FileTooLarge, match="2000000 ECGs"):
            read_ecg(path)

    def test_an_array_of_one_ecg_too_long(self, tmp_path):
        np.save(tmp_path / "a.npy", np.zeros((12, 1_700_000), dtype=np.uint8))
        known = ReadHints(sampling_hz=500, units="uV", leads=CANONICAL_LEADS)
        with pytest.raises(FileTooLarge, match="20400000 numbers"):
            read_ecg(tmp_path / "a.npy", hints=known)

    @pytest.mark.parametrize("shape", [(), (2_000_000, 1, 1)])
    def test_tracings_of_another_shape(self, tmp_path, shape):
        with h5py.File(tmp_path / "a.h5", "w") as opened:
            opened["tracings"] = np.zeros(shape, dtype=np.uint8)
        with pytest.raises(CorruptFile, match="the tracings have shape"):
            list_members(tmp_path / "a.h5")

    def test_a_packed_ecg_too_long(self, tmp_path):
        with h5py.File(tmp_path / "a.h5", "w") as opened:
            opened.create_dataset(
                "ecg", shape=(12, 1_700_000), dtype="f2", chunks=(12, 170_000), compression="gzip"
            )
            opened["ecg"][...] = 0
        with pytest.raises(FileTooLarge, match="20400000 numbers"):
            read_ecg(tmp_path / "a.h5")

    @pytest.mark.parametrize("row", ["1\n", "1,2,3,4\n"])
    def test_a_table_of_too_many_numbers(self, tmp_path, row):
        (tmp_path / "a.csv").write_text(row * (4_000_001 // (1 + row.count(",")) + 1))
        with pytest.raises(FileTooLarge, match="more than 4000000 numbers"):
            read_ecg(tmp_path / "a.csv", hints=ReadHints(500, "mV", ("I", "II", "V1", "V2")))

    @pytest.mark.parametrize("what", ["axes", "names", "text", "values"])
    def test_a_matlab_structure_of_too_many_parts(self, tmp_path, what):
        many = 400_000
        width = struct.pack("<HHI", 5, 4, 1)
        names = struct.pack("<II", 1, 8) + b"a" * 8
        values = []
        if what == "axes":
            sizes = struct.pack("<II", 5, 4 * many) + struct.pack("<i", 2**30) * many
            values = [matrix_of(6, sizes)]
        elif what == "names":
            names = struct.pack("<II", 1, many) + b"a" * many
        elif what == "text":
            sizes = struct.pack("<IIii", 5, 8, 1, 3 * many)
            text = struct.pack("<II", 4, 6 * many) + b"a\0" * (3 * many)
            values = [matrix_of(4, sizes, text)]
        else:
            values = [struct.pack("<II", 14, 0)] * many
        if values and what != "values":
            values *= 8
        path = mat_of(tmp_path / "a.mat", width, names, *values)
        start = time.process_time()
        with pytest.raises(CorruptFile, match="contradicts itself"):
            read_ecg(path)
        assert time.process_time() - start < 2.0


def test_a_file_of_many_ecgs_may_be_larger_than_one_ecg(tmp_path):
    path = tmp_path / "EchoNext_val_waveforms.npy"
    waves = np.zeros((20, 1, 2500, 12), dtype=np.float32)
    waves[:, 0, 500:1500] = tables.microvolts().T / 200.0
    np.save(path, waves)
    assert path.stat().st_size > 2 * 1024 * 1024
    assert read_ecg(path, member="7", max_file_mb=1).n_samples == 2500
    wide = tmp_path / "one.npy"
    np.save(wide, np.zeros((12, 60_000), dtype=np.float32))
    hints = ReadHints(500.0, "mV", CANONICAL_LEADS)
    assert read_ecg(wide, hints=hints, max_file_mb=3).n_samples == 60_000
    with pytest.raises(FileTooLarge):
        read_ecg(wide, hints=hints, max_file_mb=1)
