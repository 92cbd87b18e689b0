"""Import: one transaction per file, duplicates, what is withheld and why."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from courses import START, MeanEngine, make_card, make_echo
from import_under_kill import N_RECORDS, record

from ecgdash.domain import CANONICAL_LEADS, Diagnosis, EcgRecord
from ecgdash.errors import InvalidValue, TableError
from ecgdash.services.importing import import_paths, import_records
from ecgdash.services.scoring import score_patients
from ecgdash.settings import Settings
from ecgdash.store import WorklistQuery, open_store

HERE = Path(__file__).resolve().parent


@pytest.fixture
def settings(tmp_path):
    """Settings of a site without models."""
    return Settings(models_dir=tmp_path / "no-models")


def noisy(seed, patient_id="17", days=0.0, **facts):
    """Return a record that the gate lets pass: some beats, some noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(5000) / 500
    beat = np.exp(-(((t % 0.8) - 0.4) ** 2) / (2 * 0.012**2))
    first = beat + rng.normal(scale=0.01, size=t.size)
    second = 0.7 * beat + rng.normal(scale=0.01, size=t.size)
    limb = [first, second, second - first, -(first + second) / 2]
    limb += [first - second / 2, second - first / 2]
    chest = [0.9 * beat + rng.normal(scale=0.01, size=t.size) for _ in range(6)]
    plain = {"age_years": 60.0, "patient_id": patient_id, "file_format": "made"}
    return EcgRecord(
        np.stack(limb + chest).astype(np.float32),
        CANONICAL_LEADS,
        500.0,
        recorded_at=None if days is None else START + timedelta(days=days),
        **{**plain, **facts},
    )


def outcomes(report):
    return [row.outcome for row in report.rows]


def test_accepted_ecgs_are_stored_with_their_facts(store, settings):
    report = import_records(store, [("a.xml", noisy(1))], settings=settings)
    assert outcomes(report) == ["accepted"]
    (row,) = report.rows
    assert (row.file, row.patient_code, row.file_format) == ("a.xml", "17", "made")
    facts = store.ecg(row.ecg)
    assert facts.gate.analysable
    assert facts.sha256 == noisy(1).sha256
    assert store.import_rows_of(report.key) == [row]
    assert store.patient(facts.patient_key).patient.birth_year == 1960
    assert json.loads(json.dumps(report.as_json()))["counts"]["accepted"] == 1


class TestSameWaveform:
    def test_same_patient_and_time_is_skipped_and_reported(self, store, settings):
        import_records(store, [("a", noisy(1))], settings=settings)
        report = import_records(store, [("again", noisy(1))], settings=settings)
        assert outcomes(report) == ["duplicate"]
        assert report.rows[0].reason == "the same ECG is stored already"
        assert report.any_accepted
        assert store.n_ecgs() == 1

    def test_an_undated_twin_of_an_undated_ecg_is_skipped(self, store, settings):
        twice = [("a", noisy(1, days=None)), ("b", noisy(1, days=None))]
        assert outcomes(import_records(store, twice, settings=settings)) == [
            "accepted",
            "duplicate",
        ]

    @pytest.mark.parametrize(
        ("twin", "remark"),
        [
            (noisy(1, patient_id="18"), "the same waveform is stored for another patient"),
            (noisy(1, days=3), "the same waveform is stored at another time"),
            (noisy(1, days=None), "the same waveform is stored at another time"),
        ],
    )
    def test_another_patient_or_time_is_kept_flagged_and_counted(
        self, store, settings, twin, remark
    ):
        report = import_records(store, [("a", noisy(1)), ("b", twin)], settings=settings)
        assert outcomes(report) == ["accepted", "accepted"]
        assert report.n_same_waveform == 1
        assert report.rows[1].reason == remark
        assert remark in store.ecg(report.rows[1].ecg).notes
        assert report.rows[1].todo
        assert store.n_ecgs() == 2

    def test_the_same_id_at_two_sites_is_two_patients(self, store, settings):
        import_records(store, [("a", noisy(1))], settings=settings, site="A")
        report = import_records(store, [("a", noisy(1))], settings=settings, site="B")
        assert report.n_same_waveform == 1
        assert store.n_patients() == 2


def test_a_withheld_ecg_is_stored_and_says_why(store, settings):
    flat = noisy(1).signal_mv.copy()
    flat[7] = 0.0
    record = EcgRecord(flat, CANONICAL_LEADS, 500.0, START, patient_id="17", age_years=60.0)
    report = import_records(store, [("a", record)], settings=settings)
    assert outcomes(report) == ["withheld"]
    assert "V2" in report.rows[0].reason
    assert store.ecg(report.rows[0].ecg).gate.status == "poor_quality"
    assert list(report.needs_a_look) == list(report.rows)


def test_an_ecg_without_an_id_is_never_put_with_another_persons(store, settings):
    report = import_records(
        store,
        [("a", noisy(1, patient_id=None)), ("b", noisy(2, patient_id=None))],
        settings=settings,
    )
    assert store.n_patients() == 2
    assert all(row.patient_code.startswith("unidentified-") for row in report.rows)
    assert "no patient id" in report.rows[0].reason


def test_echoes_and_diagnoses_are_counted_once(store, settings):
    from datetime import date

    tables = {
        "echoes": [make_echo(1, 40), make_echo(1, 40), make_echo(9, 50)],
        "diagnoses": [Diagnosis("17", "ICD-10", "I44.7", date(2020, 1, 1))],
    }
    report = import_records(store, [("a", noisy(1))], settings=settings, **tables)
    assert [(t.n_accepted, t.n_duplicate) for t in report.tables] == [(2, 1), (1, 0)]
    again = import_records(store, [], settings=settings, **tables)
    assert [(t.n_accepted, t.n_duplicate) for t in again.tables] == [(0, 3), (0, 1)]
    assert again.patient_keys == ()


def test_the_worklist_shows_what_was_imported(store, settings):
    import_records(store, [("a", noisy(1))], settings=settings, simulated=True)
    page = store.worklist(WorklistQuery())
    assert [row.code for row in page.rows] == ["17"]
    assert page.rows[0].withheld_reason == "no model installed for 12 leads"
    assert store.any_simulated()


def test_a_killed_import_leaves_finished_files_and_no_half_one(tmp_path, settings):
    """A real process dies by SIGKILL; the store opens, and importing again completes it."""
    database = tmp_path / "store.db"
    url = f"sqlite:///{database}"
    open_store(url).close()
    child = subprocess.Popen(
        [sys.executable, str(HERE / "import_under_kill.py"), url],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
    )
    try:
        deadline = time.monotonic() + 60
        while _n_rows(database, "ecgs") < 10:
            assert child.poll() is None, "the import ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    store = open_store(url)
    n_done = store.n_ecgs()
    assert 10 <= n_done < N_RECORDS
    for table in ("waveforms", "import_rows"):
        assert _n_rows(database, table) == n_done
    rows = store.import_rows_of(store.last_import())
    for number, row in enumerate(rows):
        assert store.record(row.ecg).sha256 == record(number).sha256
    again = import_records(
        store, [(str(number), record(number)) for number in range(N_RECORDS)], settings=settings
    )
    assert outcomes(again)[:n_done] == ["duplicate"] * n_done
    assert "duplicate" not in outcomes(again)[n_done:]
    assert store.n_ecgs() == N_RECORDS
    assert store.worklist(WorklistQuery()).n_patients == 7
    store.close()


def _n_rows(database, table):
    connection = sqlite3.connect(database)
    try:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    finally:
        connection.close()


class TestFiles:
    def test_files_tables_and_refusals(self, store, settings, tmp_path):
        from ecgdash.io import write_wfdb

        (tmp_path / "ecgs").mkdir()
        write_wfdb(noisy(1), tmp_path / "ecgs", "one")
        (tmp_path / "ecgs" / "notes.xml").write_text("<nothing/>")
        echo = tmp_path / "echo.csv"
        echo.write_text(
            "patient_id,performed_at,lvef_percent,method\n"
            "17,2020-01-02,35,simpson\n17,2020-02-02,0.5,visual\n"
        )
        told = []
        report = import_paths(
            store,
            [tmp_path / "ecgs"],
            settings=settings,
            echo=echo,
            on_progress=lambda done, total: told.append((done, total)),
        )
        assert sorted(outcomes(report)) == ["accepted", "rejected"]
        rejected = next(row for row in report.rows if row.outcome == "rejected")
        assert rejected.file.endswith("notes.xml")
        assert rejected.reason
        assert told[-1] == (2, 2)
        (table,) = report.tables
        assert (table.file, table.n_accepted, len(table.problems)) == ("echo.csv", 1, 1)
        assert "percent or fraction" in table.problems[0].lower()
        (patient,) = store.find_patients("17")
        assert [study.lvef_percent for study in store.echoes_of(patient.key)] == [35]

    def test_a_zip_is_read_file_by_file(self, store, settings, tmp_path):
        import zipfile

        from ecgdash.io import write_wfdb

        (tmp_path / "ecgs").mkdir()
        for name, seed in (("one", 1), ("two", 2)):
            write_wfdb(noisy(seed, days=seed), tmp_path / "ecgs", name)
        archive = tmp_path / "all.zip"
        with zipfile.ZipFile(archive, "w") as packed:
            for file in sorted((tmp_path / "ecgs").iterdir()):
                packed.write(file, file.name)
        report = import_paths(store, [archive], settings=settings)
        assert outcomes(report) == ["accepted", "accepted"]

    def test_names_that_are_no_text_are_stored_as_one_line(self, store, settings, tmp_path):
        from ecgdash.io import write_wfdb

        folder = tmp_path / os.fsdecode(b"site\xff\n\x1b[31m")
        folder.mkdir()
        write_wfdb(noisy(1), folder, "one")
        (folder / "notes.xml").write_text("<nothing/>")
        report = import_paths(store, [folder], settings=settings)
        assert [row.file for row in report.rows] == ["site???[31m/notes.xml", "site???[31m/one.hea"]
        assert sorted(outcomes(report)) == ["accepted", "rejected"]

    def test_a_file_that_leaves_rate_and_unit_open_takes_them_from_the_call(
        self, store, settings, tmp_path
    ):
        from ecgdash.io import ReadHints

        np.save(tmp_path / "one.npy", noisy(1).signal_mv)
        hints = ReadHints(500.0, "mV", CANONICAL_LEADS)
        report = import_paths(store, [tmp_path / "one.npy"], settings=settings, hints=hints)
        assert outcomes(report) == ["accepted"]
        (row,) = report.rows
        assert store.ecg(row.ecg).sampling_hz == 500.0

    def test_an_unreadable_table_stores_nothing(self, store, settings, tmp_path):
        echo = tmp_path / "echo.csv"
        echo.write_text("a,b\n1,2\n")
        with pytest.raises(TableError):
            import_paths(store, [], settings=settings, echo=echo)
        assert store.last_import() is None


@pytest.mark.real
def test_patient_13619_has_eight_ecgs_in_order(store, settings, shared_data):
    folder = shared_data / "ptbxl500"
    report = import_paths(
        store,
        [folder / "records500"],
        settings=settings,
        patient_table=folder / "ptbxl_database.csv",
    )
    counts = report.counts
    assert sum(counts.values()) == 353
    assert counts["rejected"] == 0
    engine = MeanEngine(make_card())
    (patient,) = store.find_patients("13619")
    ecgs = store.ecgs_of(patient.key)
    assert len(ecgs) == 8
    times = [ecg.recorded_at for ecg in ecgs]
    assert times == sorted(times)
    assert (times[-1] - times[0]).days in (26, 27)
    assert score_patients(store, [engine], [patient.key]).n_patients == 1

    def test_refused_rows_of_the_patient_table_stand_in_the_report(self, store, settings, tmp_path):
        from ecgdash.io import write_wfdb

        write_wfdb(noisy(1, patient_id=None), tmp_path, "one")
        people = tmp_path / "people.csv"
        people.write_text("file,patient_id,sex\none.hea,17,other\ntwo.hea,,male\n")
        report = import_paths(
            store, [tmp_path / "one.hea"], settings=settings, patient_table=people
        )
        (table,) = report.tables
        assert (table.file, table.n_accepted) == ("people.csv", 1)
        assert [text.split(":")[0] for text in table.problems] == [
            "row 2, sex",
            "row 3, patient_id",
        ]

    def test_the_limit_of_the_settings_holds_for_imports(self, store, tmp_path):
        from ecgdash.io import write_wfdb

        header = write_wfdb(noisy(1), tmp_path, "one")
        with header.open("a") as stream:
            stream.write("# " + "x" * (1 << 20) + "\n")
        small = Settings(models_dir=tmp_path / "no-models", max_file_mb=1)
        report = import_paths(store, [header], settings=small)
        assert outcomes(report) == ["rejected"]
        assert "at most 1 MB" in report.rows[0].reason

    def test_a_site_needs_a_name(self, store, settings, tmp_path):
        with pytest.raises(InvalidValue, match="the site has no name"):
            import_paths(store, [tmp_path], settings=settings, site=" ")


def test_sites_and_ids_may_hold_slashes(store, settings):
    for site, code in (("a/b", "1"), ("a", "b/1/2")):
        record_there = noisy(1, patient_id=code)
        import_records(store, [("x", record_there)], settings=settings, site=site)
    assert [found.patient.id for found in store.find_patients("a/b/1")] == ["1"]
    assert [found.patient.site for found in store.find_patients("a/b/1/2")] == ["a"]
