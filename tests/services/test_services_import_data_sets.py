"""Known data sets through the import: unedited folders, with every file and row accounted for."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "io"))
import fixtures_profiles as fixtures
import fixtures_tables
import io_fixtures as made

from ecgdash.errors import TableError
from ecgdash.io.profiles import Mapping, save_mapping
from ecgdash.io.writers import write_wfdb
from ecgdash.services.import_data_sets import LEFT_OUT, DataSets
from ecgdash.services.importing import import_paths
from ecgdash.settings import Settings


@pytest.fixture
def settings(tmp_path):
    """Settings of a site without models."""
    return Settings(models_dir=tmp_path / "no-models")


def imported(store, settings, folder, **more):
    sets = DataSets.of([folder], settings)
    return sets, import_paths(store, [folder], settings=settings, data_sets=sets, **more)


def test_a_ptbxl_folder_needs_no_options(store, settings, tmp_path):
    folder = tmp_path / "ptbxl"
    fixtures.ptbxl(folder, {})
    sets, report = imported(store, settings, folder)
    assert sets.sentences()[0] == "PTB-XL 1.0.3"
    assert [(row.outcome, row.file.rpartition("/")[2]) for row in report.rows] == [
        ("duplicate", "00001_lr.hea"),
        ("accepted", "00001_hr.hea"),
    ]
    assert report.rows[0].reason == LEFT_OUT
    (patient,) = store.find_patients("101")
    (ecg,) = store.ecgs_of(patient.key)
    assert ecg.recorded_at.isoformat() == "1991-03-02T10:11:12+00:00"
    assert ecg.age_years == 56.0
    assert "SCP code AFLT (100)" in ecg.statements


def test_mimic_joins_ecgs_measurements_and_echoes(store, settings, tmp_path):
    _, report = imported(store, settings, fixtures.mimic(tmp_path / "mimic"))
    assert [row.outcome for row in report.rows] == ["accepted"]
    (patient,) = store.find_patients("10")
    (ecg,) = store.ecgs_of(patient.key)
    assert ecg.recorded_at.year == 2150
    assert ecg.measurements["qrs_ms"] == 140.0
    assert [(e.lvef_percent, e.method) for e in store.echoes_of(patient.key)] == [(42.5, "simpson")]
    (table,) = report.tables
    assert (table.n_accepted, len(table.problems)) == (1, 1)


def test_the_same_import_again_and_its_undoing(store, settings, tmp_path):
    from ecgdash.services.importing import undo_import

    folder = fixtures.mimic(tmp_path / "mimic")
    _, first = imported(store, settings, folder)
    _, second = imported(store, settings, folder)
    assert [row.outcome for row in second.rows] == ["duplicate"]
    assert store.n_ecgs() == 1
    undo_import(store, second.key, settings=settings, engines=())
    undone = undo_import(store, first.key, settings=settings, engines=())
    assert (undone.n_ecgs, undone.n_echoes, undone.n_patients) == (1, 1, 1)
    assert store.n_ecgs() == 0


def zipped(folder):
    """Pack a folder as people do, the folder itself on top."""
    return Path(shutil.make_archive(str(folder), "zip", folder.parent, folder.name))


def test_a_data_set_in_an_archive_is_recognised_as_in_a_folder(store, settings, tmp_path):
    archive = zipped(fixtures.mimic(tmp_path / "mimic"))
    with DataSets.of([archive], settings) as sets:
        copies = [folder.path for folder in sets.folders]
        assert [one.profile.name for one in sets.found] == ["mimic-iv-ecg", "mimic-iv-echo"]
        report = import_paths(store, [archive], settings=settings, data_sets=sets)
    assert not any(copy.exists() for copy in copies)
    assert [row.outcome for row in report.rows] == ["accepted"]
    (patient,) = store.find_patients("10")
    assert store.ecgs_of(patient.key)[0].measurements["qrs_ms"] == 140.0
    assert [echo.lvef_percent for echo in store.echoes_of(patient.key)] == [42.5]


def test_a_broken_archive_hides_no_data_set_beside_it(store, settings, tmp_path):
    folder = fixtures.mimic(tmp_path / "mimic")
    (folder / "broken.zip").write_bytes(b"PK\x03\x04 cut")
    _, report = imported(store, settings, folder)
    assert sorted(row.outcome for row in report.rows) == ["accepted", "rejected"]


ECHO_COLUMNS = ["patient_id", "performed_at", "lvef_percent", "ef_lte_50"]


def test_tables_in_the_folder_are_taken_without_an_option(store, settings, tmp_path):
    folder = tmp_path / "clinic"
    fixtures.write(
        folder / "echoes.csv",
        ECHO_COLUMNS,
        {"patient_id": "7", "performed_at": "2020-01-02", "lvef_percent": "38", "ef_lte_50": 1},
    )
    fixtures.write(
        folder / "codes.csv",
        ["patient_id", "code_system", "code", "recorded_on"],
        {"patient_id": "7", "code_system": "ICD-10", "code": "I48.0", "recorded_on": "2020-01-01"},
    )
    fixtures.write(
        folder / "files.csv",
        ["file", "patient_id", "recorded_at", "age_years", "sex"],
        {"file": "one.hea", "patient_id": "7", "recorded_at": "2020-01-03"},
        {"file": "gone.hea", "patient_id": "8", "recorded_at": "2020-01-03"},
    )
    write_wfdb(made.make_record(patient_id=None), folder, "one")
    _, report = imported(store, settings, folder)
    assert [row.outcome for row in report.rows] == ["accepted"]
    assert [(t.file, t.n_accepted) for t in report.tables] == [
        ("echoes.csv", 1),
        ("codes.csv", 1),
        ("files.csv", 1),
    ]
    assert report.tables[2].remarks == ("1 row is about a file not among those imported",)
    meant = {source["profile"]: source["label_definitions"] for source in report.sources}
    assert meant["echo-table"] == {"ef_lte_50": "<= 50", "LVEF in percent": "<= 40"}
    assert store.import_sources(report.key) == list(report.sources)
    (patient,) = store.find_patients("7")
    assert [item.code for item in store.diagnoses_of(patient.key)] == ["I48.0"]


def test_a_table_given_by_name_is_not_read_twice(settings, tmp_path):
    table = fixtures.write(tmp_path / "set" / "e.csv", ECHO_COLUMNS, {"patient_id": "7"})
    with DataSets.of([table.parent], settings) as sets:
        assert sets.files == (table,)
        assert sets.without((table, None), records=False).files == ()


def test_echonext_imports_with_what_cannot_be_done_said(store, settings, tmp_path):
    folder = tmp_path / "echonext"
    folder.mkdir()
    fixtures_tables.write_echonext(folder, units=None)
    sets, report = imported(store, settings, folder)
    assert "no LVEF number" in " ".join(sets.sentences())
    assert [(row.outcome, row.file) for row in report.rows] == [
        ("withheld", "echonext/EchoNext_test_waveforms.npy#e1"),
        ("withheld", "echonext/EchoNext_test_waveforms.npy#e3"),
    ]
    assert "arbitrary units" in report.rows[0].reason
    (source,) = report.sources
    assert source["label_definitions"] == {"lvef_lte_45_flag": "<= 45"}
    (patient,) = store.find_patients("p1")
    for ecg in store.ecgs_of(patient.key):
        assert not store.record(ecg.key).in_millivolts
    assert not store.echoes_of(patient.key)


def test_a_mapping_without_a_needed_column_stores_nothing(store, settings, tmp_path):
    fixtures.write(tmp_path / "set" / "e.csv", ECHO_COLUMNS, {"patient_id": "7"})
    with DataSets.of([tmp_path / "set"], settings) as sets:
        mapping = Mapping("echo-table", (("lvef_percent", "lvef_percent"),))
        lacking = sets.mapped(mapping, sets.files[0])
        with pytest.raises(TableError, match="no column gives patient_id, performed_at"):
            import_paths(store, [tmp_path / "set"], settings=settings, data_sets=lacking)
    assert store.n_patients() == 0


def test_a_mapping_is_used_by_the_name_it_was_saved_under(tmp_path):
    settings = Settings(mappings_dir=tmp_path / "saved")
    table = fixtures.write(tmp_path / "t.csv", ["file", "patient_id", "mrn"], {"file": "a.xml"})
    columns = (("file", "file"), ("mrn", "patient_id"))
    save_mapping(Mapping("manifest", columns), settings.mappings_dir, "ours")
    with DataSets.of([table], settings, "ours") as sets:
        assert sets.mappings == (Mapping("manifest", columns),)
    with pytest.raises(TableError, match="no saved mapping of that name"):
        DataSets.of([table], settings, "theirs")


def test_a_folder_without_known_tables_is_imported_as_before(store, settings, tmp_path):
    folder = tmp_path / "plain"
    folder.mkdir()
    write_wfdb(made.make_record(), folder, "one")
    sets, report = imported(store, settings, folder)
    assert (sets.found, sets.table, sets.sentences()) == ((), None, ())
    assert [row.outcome for row in report.rows] == ["accepted"]


@pytest.mark.real
def test_the_ptbxl_folder_imports_unedited(store, settings, shared_data):
    _, report = imported(store, settings, shared_data / "ptbxl500", jobs=2)
    counts = report.counts
    assert (counts["accepted"], counts["withheld"], counts["rejected"]) == (339, 11, 0)
    assert counts["duplicate"] == 353 + 3
    (patient,) = store.find_patients("13619")
    assert len(store.ecgs_of(patient.key)) == 8


def test_an_upload_that_was_cut_off_goes_on_from_another_copy(store, settings, tmp_path):
    """A page copies uploads to a new folder each time; the choice is known by its name."""
    for copy in ("one", "two"):
        place = tmp_path / copy / "upload"
        place.mkdir(parents=True)
        for number, name in enumerate(("a", "b", "c")):
            write_wfdb(made.make_record(patient_id=f"P-{number}"), place, name)

    def cut(done, total):
        if done == 2:
            raise KeyboardInterrupt

    known = {"settings": settings, "known_as": "the same choice", "jobs": 1}
    with pytest.raises(KeyboardInterrupt):
        import_paths(store, [tmp_path / "one" / "upload"], on_progress=cut, **known)
    report = import_paths(store, [tmp_path / "two" / "upload"], **known)
    assert report.n_resumed == 2
    assert [row.outcome for row in report.rows] == ["accepted"] * 3
    assert store.n_ecgs() == 3


OWN_ECHOES = ["mrn", "day", "ef"]


def test_a_named_mapping_leaves_other_tables_of_its_kind_alone(store, tmp_path):
    settings = Settings(mappings_dir=tmp_path / "saved", models_dir=tmp_path / "none")
    pairs = (("mrn", "patient_id"), ("day", "performed_at"), ("ef", "lvef_percent"))
    save_mapping(Mapping("echo-table", pairs), settings.mappings_dir, "ours")
    folder = tmp_path / "set"
    row = {"patient_id": "7", "performed_at": "2020-01-02", "lvef_percent": "38"}
    fixtures.write(folder / "a.csv", ECHO_COLUMNS, row)
    fixtures.write(folder / "b.csv", OWN_ECHOES, {"mrn": "8", "day": "2020-01-02", "ef": "50"})
    with DataSets.of([folder], settings, "ours") as sets:
        report = import_paths(store, [folder], settings=settings, data_sets=sets)
    assert [(t.file, t.n_accepted) for t in report.tables] == [("a.csv", 1), ("b.csv", 1)]
    with pytest.raises(TableError, match="no table has the columns of the mapping ours"):
        DataSets.of([folder / "a.csv"], settings, "ours")


def test_a_second_table_stays_where_the_first_is_given_by_name(settings, tmp_path):
    tables = [
        fixtures.write(tmp_path / "set" / name, ECHO_COLUMNS, {"patient_id": "7"})
        for name in ("a.csv", "b.csv")
    ]
    with DataSets.of([tmp_path / "set"], settings) as sets:
        assert sets.without((tables[0],), records=False).files == (tables[1],)


def test_a_row_of_two_files_is_counted_once(store, settings, tmp_path):
    folder = tmp_path / "ptbxl"
    table = fixtures.ptbxl(folder, {}, {})
    report = import_paths(store, [folder / "records500"], settings=settings, patient_table=table)
    assert report.tables[0].n_accepted == 1
    assert report.tables[0].remarks == ("1 row is about a file not among those imported",)


def test_a_table_is_found_however_deep_it_lies(store, settings, tmp_path):
    row = {"patient_id": "7", "performed_at": "2020-01-02", "lvef_percent": "38"}
    deep = tmp_path / "site" / "2020" / "q1" / "cardiology" / "echo"
    fixtures.write(deep / "e.csv", ECHO_COLUMNS, row)
    fixtures.write(tmp_path / "site" / ".trash" / "e.csv", ECHO_COLUMNS, {**row, "patient_id": "8"})
    _, report = imported(store, settings, tmp_path / "site")
    assert [(table.file, table.n_accepted) for table in report.tables] == [("e.csv", 1)]
    assert not store.find_patients("8")
