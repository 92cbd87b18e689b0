"""Import at size: killed and resumed, in several processes, undone, audited, in flat memory."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from courses import MeanEngine, make_card, make_echo
from import_under_kill import record
from test_services_importing import noisy

from ecgdash.domain import Diagnosis
from ecgdash.errors import InvalidValue, NotFound, StoreError
from ecgdash.io import write_wfdb
from ecgdash.services import import_workers
from ecgdash.services.import_files import FileTask
from ecgdash.services.import_workers import ReadPlan, examine_all
from ecgdash.services.importing import import_paths, import_records, undo_import
from ecgdash.services.scoring import score_patients
from ecgdash.settings import Settings
from ecgdash.store import ImportRow, WorklistQuery, open_store

HERE = Path(__file__).resolve().parent
N_FILES, N_PACKED = 16, 6
VARIES = {
    "key", "made_at", "started_at", "finished_at", "undone_at", "heartbeat_at", "ecg_key", "holder",
}  # fmt: skip


@pytest.fixture
def settings(tmp_path):
    """Settings of a site without models."""
    return Settings(models_dir=tmp_path / "no-models")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with ECGs, one broken file, a ZIP, echoes and diagnoses."""
    root = tmp_path_factory.mktemp("site")
    for place in ("ecgs", "packed"):
        (root / place).mkdir()
    for number in range(N_FILES):
        write_wfdb(record(number, 2500), root / "ecgs", f"ecg{number:02d}")
    (root / "ecgs" / "broken.xml").write_text("<nothing/>")
    for number in range(N_FILES - 2, N_FILES - 2 + N_PACKED):  # the first two are duplicates
        write_wfdb(record(number, 2500), root / "packed", f"ecg{number:02d}")
    with zipfile.ZipFile(root / "more.zip", "w") as packed:
        for file in sorted((root / "packed").iterdir()):
            packed.write(file, file.name)
    (root / "echo.csv").write_text(
        "patient_id,performed_at,lvef_percent,method\n"
        + "".join(f"{n % 7},2020-01-{n + 1:02d},{30 + n},simpson\n" for n in range(12))
    )
    (root / "diagnoses.csv").write_text(
        "patient_id,code_system,code,recorded_on\n0,ICD-10,I10,2019-01-01\n1,ICD-10,I48,2019-02-01\n"
    )
    return root


def tables_of(database):
    """Return all rows of all tables, but for random keys and times of day."""
    connection = sqlite3.connect(database)
    connection.row_factory = sqlite3.Row
    names = [
        row[0]
        for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if not row[0].startswith(("sqlite_", "alembic"))
    ]
    found = {
        name: sorted(
            (
                {column: row[column] for column in row.keys() if column not in VARIES}
                for row in connection.execute(f"SELECT * FROM {name}")
            ),
            key=repr,
        )
        for name in names
    }
    connection.close()
    return found


def child(url, folder, jobs):
    return subprocess.Popen(
        [sys.executable, str(HERE / "import_under_kill.py"), url, str(folder), str(jobs)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(HERE.parents[1]), str(HERE)))},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def undisturbed(folder, tmp_path_factory):
    """Return the tables of an import that nobody disturbed."""
    database = tmp_path_factory.mktemp("whole") / "store.db"
    process = child(f"sqlite:///{database}", folder, 1)
    told = process.communicate(timeout=150)[0].split("\n")
    assert told[-2] == "finished"
    return tables_of(database)


def test_the_undisturbed_import_is_what_it_should_be(undisturbed):
    rows = undisturbed["import_rows"]
    outcomes = [row["outcome"] for row in rows]
    assert len(rows) == N_FILES + 1 + N_PACKED
    assert (outcomes.count("rejected"), outcomes.count("duplicate")) == (1, 2)
    assert len(undisturbed["ecgs"]) == N_FILES + N_PACKED - 2
    assert len(undisturbed["patients"]) == len(undisturbed["worklist"]) == 7
    assert (len(undisturbed["echoes"]), len(undisturbed["diagnoses"])) == (12, 2)


@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_at_random_moments_and_resumed_it_ends_with_the_same_store(
    folder, tmp_path, undisturbed, jobs
):
    """Five kills for each number of processes, ten in all; each after a file more or less."""
    rng = random.Random(20261126 + jobs)
    database = tmp_path / "store.db"
    url = f"sqlite:///{database}"
    n_rows = N_FILES + 1 + N_PACKED
    n_killed = 0
    # Some files are left after the last kill: a process that ends by itself is not killed.
    moments = sorted(rng.sample(range(1, n_rows - 5), 5))
    for number in moments:
        process = child(url, folder, jobs)
        for line in process.stdout:
            if line.startswith("committed") and int(line.split()[1]) >= number:
                time.sleep(rng.random() * 0.02)
                break
        process.send_signal(signal.SIGKILL)
        process.wait()
        n_killed += process.returncode == -signal.SIGKILL
        process.stdout.close()
        n_done = len(tables_of(database)["import_rows"])
        assert n_done >= number
    assert n_killed == 5
    last = child(url, folder, jobs)
    told = last.communicate(timeout=150)[0]
    assert told.endswith("finished\n")
    # What was done is not read again.
    assert told.count("committed") <= n_rows - moments[-1]
    found = tables_of(database)
    assert found.keys() == undisturbed.keys()
    for name, rows in undisturbed.items():
        assert found[name] == rows, name


class TestTheSameImportTwice:
    def test_it_changes_nothing_and_reads_nothing(self, store, settings, folder, monkeypatch):
        call = {"settings": settings, "echo": folder / "echo.csv", "jobs": 1}
        first = import_paths(store, [folder / "ecgs"], **call)
        assert first.counts["withheld"] == N_FILES
        read = []
        plain = import_workers.examine
        monkeypatch.setattr(
            import_workers,
            "examine",
            lambda task, plan: read.append(task.name) or plain(task, plan),
        )
        again = import_paths(store, [folder / "ecgs"], **call)
        assert again.counts["duplicate"] == N_FILES
        assert [name.rpartition("/")[2] for name in read] == ["broken.xml"]
        assert again.patient_keys == ()
        assert (again.tables[0].n_accepted, again.tables[0].n_duplicate) == (0, 12)
        assert store.n_ecgs() == N_FILES

    def test_a_changed_file_is_read_again(self, store, settings, tmp_path):
        (tmp_path / "ecgs").mkdir()
        write_wfdb(noisy(1), tmp_path / "ecgs", "one")
        import_paths(store, [tmp_path / "ecgs"], settings=settings)
        write_wfdb(noisy(2), tmp_path / "ecgs", "one")
        report = import_paths(store, [tmp_path / "ecgs"], settings=settings)
        assert report.counts["accepted"] == 1
        assert store.n_ecgs() == 2


def test_two_processes_find_what_one_finds(settings, folder, tmp_path):
    found = []
    for jobs in (1, 2):
        store = open_store(f"sqlite:///{tmp_path / str(jobs)}.db")
        paths = [folder / "ecgs", folder / "more.zip"]
        report = import_paths(store, paths, settings=settings, jobs=jobs)
        assert [row.outcome for row in report.rows[-N_PACKED:]] == (
            ["duplicate"] * 2 + ["withheld"] * (N_PACKED - 2)
        )
        store.close()
        found.append(tables_of(tmp_path / f"{jobs}.db"))
    assert {name: len(rows) for name, rows in found[0].items()} == {
        name: len(rows) for name, rows in found[1].items()
    }
    for name in ("ecgs", "waveforms", "ecg_evidence", "patients", "import_rows"):
        assert found[0][name] == found[1][name], name


def test_no_worker_is_no_import(store, settings, folder):
    with pytest.raises(InvalidValue, match="0 worker processes"):
        import_paths(store, [folder / "ecgs"], settings=settings, jobs=0)
    assert store.last_import() is None


class TestDyingWorkers:
    def test_a_file_that_ends_its_process_is_rejected_and_the_others_are_read(
        self, tmp_path, monkeypatch
    ):
        """A stand-in for a decoder that crashes: the worker kills itself at one name."""
        (tmp_path / "sitecustomize.py").write_text(
            "import os, signal, sys\n"
            "if 'ecgdash.services.import_worker' in ' '.join(sys.orig_argv):\n"
            "    import ecgdash.io\n"
            "    plain = ecgdash.io.read_ecg\n"
            "    def read_ecg(path, **options):\n"
            "        if path.name == 'ecg03.hea':\n"
            "            os.kill(os.getpid(), signal.SIGKILL)\n"
            "        return plain(path, **options)\n"
            "    ecgdash.io.read_ecg = read_ecg\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        tasks = []
        for number in range(8):
            write_wfdb(record(number, 2500), tmp_path, f"ecg{number:02d}")
            path = tmp_path / f"ecg{number:02d}.hea"
            tasks.append(FileTask(path, path.name, None, str(number)))
        done = list(examine_all(tasks, ReadPlan(UTC, None, 64), jobs=2))
        assert [item.name for item in done] == [task.name for task in tasks]
        assert [item.ecg is None for item in done] == [number == 3 for number in range(8)]
        assert done[3].row.outcome == "rejected"
        assert "ended by itself (signal 9)" in done[3].row.reason

    def test_an_error_of_our_own_is_a_row_without_its_text(self, store, settings, monkeypatch):
        import ecgdash.services.judging

        def broken(record):
            raise ZeroDivisionError("John Smith")

        monkeypatch.setattr(ecgdash.services.judging, "findings_of", broken)
        report = import_records(store, [("a", noisy(1))], settings=settings)
        assert report.rows[0].outcome == "rejected"
        assert "ZeroDivisionError" in report.rows[0].reason
        assert "Smith" not in json.dumps(report.as_json())


class TestUndo:
    def test_everything_that_it_brought_goes_and_the_rest_stays(self, store, settings):
        import_records(store, [("a", noisy(1))], settings=settings, echoes=[make_echo(1, 40)])
        second = import_records(
            store,
            [("b", noisy(2, days=30)), ("c", noisy(3, patient_id="18"))],
            settings=settings,
            echoes=[make_echo(31, 30)],
            diagnoses=[Diagnosis("17", "ICD-10", "I10", date(2020, 1, 1))],
        )
        engine = MeanEngine(make_card())
        score_patients(store, [engine], store.patient_keys())
        undone = undo_import(store, second.key, settings=settings)
        assert (undone.n_ecgs, undone.n_echoes, undone.n_diagnoses) == (2, 1, 1)
        assert undone.n_patients == 1
        (patient,) = store.find_patients("17")
        assert undone.patient_keys == (patient.key,)
        assert not store.find_patients("18")
        assert [ecg.sha256 for ecg in store.ecgs_of(patient.key)] == [noisy(1).sha256]
        assert [echo.lvef_percent for echo in store.echoes_of(patient.key)] == [40]
        assert store.diagnoses_of(patient.key) == []
        # Nobody is there to renew scores that may rest on what was removed.
        assert store.predictions_of(patient.key) == {}
        page = store.worklist(WorklistQuery())
        assert [(row.code, row.n_ecgs) for row in page.rows] == [("17", 1)]

    def test_with_engines_scores_are_renewed(self, store, settings):
        import_records(store, [("a", noisy(1, days=30))], settings=settings)
        earlier = import_records(
            store, [("b", noisy(2))], settings=settings, echoes=[make_echo(0, 30)]
        )
        engine = MeanEngine(make_card())
        (patient,) = store.patient_keys()
        score_patients(store, [engine], [patient])
        (kept,) = [ecg.key for ecg in store.ecgs_of(patient) if ecg.sha256 == noisy(1).sha256]
        before = store.predictions_of(patient)[kept]
        undo_import(store, earlier.key, settings=settings, engines=[engine])
        after = store.predictions_of(patient)[kept]
        (name,) = before
        assert after[name].base_logits == before[name].base_logits
        assert after[name].scores != before[name].scores

    def test_sex_and_birth_year_that_only_it_knew_go_too(self, store, settings):
        plain = noisy(1, age_years=None)
        import_records(store, [("a", plain)], settings=settings)
        second = import_records(store, [("b", noisy(2, days=3, sex="female"))], settings=settings)
        (patient,) = store.find_patients("17")
        assert (patient.patient.sex, patient.patient.birth_year) == ("female", 1960)
        undo_import(store, second.key, settings=settings)
        (patient,) = store.find_patients("17")
        assert (patient.patient.sex, patient.patient.birth_year) == (None, None)

    @pytest.mark.parametrize("what", ["ecg", "echo", "diagnosis"])
    def test_what_a_later_import_holds_too_keeps_it(self, store, settings, what):
        held = {
            "ecg": ([("a", noisy(1))], {}),
            "echo": ([], {"echoes": [make_echo(1, 40)]}),
            "diagnosis": ([], {"diagnoses": [Diagnosis("17", "ICD", "I10", date(2020, 1, 1))]}),
        }
        records, tables = held[what]
        first = import_records(store, records, settings=settings, **tables)
        later = import_records(store, records, settings=settings, **tables)
        with pytest.raises(StoreError, match="another import brought some of the same"):
            undo_import(store, first.key, settings=settings)
        assert store.n_patients() == 1
        undo_import(store, later.key, settings=settings)
        assert store.n_patients() == 1
        undo_import(store, first.key, settings=settings)
        assert store.n_patients() == 0

    def test_twice_or_unknown_is_refused(self, store, settings):
        report = import_records(store, [("a", noisy(1))], settings=settings)
        undo_import(store, report.key, settings=settings)
        with pytest.raises(StoreError, match="undone before"):
            undo_import(store, report.key, settings=settings)
        with pytest.raises(NotFound, match="no such import"):
            undo_import(store, "nothing", settings=settings)

    def test_the_rows_stay_without_patient_codes_and_it_can_come_again(
        self, store, settings, folder
    ):
        first = import_paths(store, [folder / "ecgs"], settings=settings)
        undo_import(store, first.key, settings=settings)
        rows = store.import_rows_of(first.key)
        assert len(rows) == N_FILES + 1
        assert {(row.patient_code, row.ecg) for row in rows} == {(None, None)}
        assert store.n_ecgs() == 0
        again = import_paths(store, [folder / "ecgs"], settings=settings)
        assert again.counts["withheld"] == N_FILES


class TestAudit:
    def test_a_date_in_the_future_is_kept_and_told(self, store, settings):
        soon = datetime.now(UTC) + timedelta(days=40)
        report = import_records(store, [("a", in_future(soon))], settings=settings)
        (row,) = report.rows
        assert (row.outcome, row.audit) == ("accepted", ("future_date",))
        assert row.reason == "it is dated in the future"
        assert row.todo == "Check the clock of the cart"
        assert "it is dated in the future" in store.ecg(row.ecg).notes
        assert report.audit == {"future_date": 1}

    @pytest.mark.parametrize(
        ("age", "sex", "names"),
        [
            (60.0, "male", ()),
            (61.0, "male", ()),
            (45.0, "male", ("birth_year",)),
            (45.0, "female", ("birth_year", "sex")),
        ],
    )
    def test_age_and_sex_are_held_against_the_patients_other_ecgs(
        self, store, settings, age, sex, names
    ):
        report = import_records(
            store,
            [("a", noisy(1, sex="male")), ("b", noisy(2, days=2, age_years=age, sex=sex))],
            settings=settings,
        )
        assert [row.outcome for row in report.rows] == ["accepted", "accepted"]
        assert report.rows[1].audit == names
        if names:
            assert report.rows[1].reason.startswith(
                "the age is 15 years off the patient's other ECGs"
            )
            assert list(report.audited) == [report.rows[1]]

    def test_the_same_waveform_of_two_patients_is_named(self, store, settings):
        twins = [("a", noisy(1)), ("b", noisy(1, patient_id="18")), ("c", noisy(1, days=5))]
        report = import_records(store, twins, settings=settings)
        assert report.audit == {"same_waveform_other_patient": 2}
        assert report.n_same_waveform == 2

    def test_repeated_and_future_rows_of_tables_are_told_by_number(self, store, settings):
        soon = make_echo(20_000, 50)
        report = import_records(
            store,
            [],
            settings=settings,
            echoes=[make_echo(1, 40), make_echo(2, 41), make_echo(1, 40), soon],
        )
        (table,) = report.tables
        assert (table.n_accepted, table.n_duplicate) == (3, 1)
        assert table.problems == (
            "echo 3 repeats number 1; stored once",
            "echo 4 is dated in the future (row kept)",
        )


def in_future(when):
    return replace(noisy(1), recorded_at=when, local_day=when.date())


class TestReport:
    def test_rows_are_read_from_the_store_like_a_sequence(self, store, settings):
        from ecgdash.services.import_report import StoredRows

        key = store.start_import("local")
        rows = [
            ImportRow(str(n), "rejected" if n % 3 else "withheld", reason="x") for n in range(1203)
        ]
        with store.transaction():
            for row in rows:
                store.add_import_row(key, row)
        paged = StoredRows(store, key)
        assert len(paged) == 1203
        assert list(paged) == rows
        for part in (slice(3), slice(-4, None), slice(10, 2, -3), slice(5, 5), slice(1200, 2000)):
            assert paged[part] == rows[part]
        assert (paged[0], paged[-1]) == (rows[0], rows[-1])
        with pytest.raises(IndexError):
            paged[1203]
        assert list(paged.of("withheld")) == rows[::3]
        assert len(paged.of("withheld")) == 401

    def test_the_text_in_parts_is_the_json_object(self, store, settings):
        report = import_records(store, [("a", noisy(1)), ("b", noisy(1))], settings=settings)
        assert json.loads("".join(report.json_parts())) == json.loads(json.dumps(report.as_json()))
