"""The command `read`: its JSON, its exit codes and its sentences."""

import json

import io_fixtures as made
import pytest
import typer
from typer.testing import CliRunner

from ecgdash.cli.reading import read
from ecgdash.domain import CANONICAL_LEADS
from ecgdash.io import write_muse_xml, write_wfdb

KEYS = {
    "file", "format", "leads", "sampling_hz", "n_samples", "duration_s", "patient_id",
    "recorded_at", "age_years", "sex", "statements", "min_mv", "max_mv", "sha256", "notes", "gate",
}  # fmt: skip


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(read)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_json_holds_the_keys_of_the_contract(run, tmp_path):
    header = write_wfdb(made.make_record(), tmp_path, "one")
    write_muse_xml(made.make_record(), tmp_path / "two.xml")
    (tmp_path / "three.bin").write_bytes(b"\1")
    result = run(tmp_path, "--json")
    assert result.exit_code == 0
    entries = {entry["file"].split("/")[-1]: entry for entry in json.loads(result.stdout)}
    assert set(entries) == {"one.hea", "two.xml", "three.bin"}
    assert set(entries["three.bin"]) == {"file", "error"}
    one = entries["one.hea"]
    assert set(one) >= KEYS
    assert one["leads"] == list(CANONICAL_LEADS)
    assert (one["format"], one["n_samples"], one["duration_s"]) == ("wfdb", 5000, 10.0)
    assert one["recorded_at"] == "2024-05-31T14:30:05+00:00"
    assert one["sha256"] == made.make_record().sha256
    assert one["min_mv"]["V3"] == pytest.approx(float(made.expected_mv("V3").min()))
    assert one["max_mv"]["V3"] == pytest.approx(float(made.expected_mv("V3").max()))
    assert one["gate"]["status"] in {"analysable", "poor_quality", "excluded"}
    assert isinstance(one["gate"]["reasons"], list)
    assert header.is_file()


def test_one_refused_file_is_one_sentence_on_stderr_and_exit_2(run, tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n")
    result = run(tmp_path / "a.png", "--json")
    assert result.exit_code == 2
    assert result.stderr.strip() == (
        "a.png: image cannot be read. Export the digital waveform: paper ECGs are not read."
    )
    assert json.loads(result.stdout)[0]["error"] == result.stderr.strip()


def test_nothing_found_is_exit_2(run, tmp_path):
    result = run(tmp_path, "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout) == []
    assert result.stderr.strip() == "no ECG file was found. Check the path."


def test_text_names_each_file(run, tmp_path):
    made.write_dicom(tmp_path / "a.dcm")
    (tmp_path / "b.bin").write_bytes(b"\1")
    result = run(tmp_path)
    assert result.exit_code == 0
    first, second = result.stdout.strip().splitlines()
    assert "a.dcm: dicom, 12 leads, 500 Hz, 10.0 s, patient P-007" in first
    assert "b.bin: refused. The content" in second


def test_a_broken_file_never_ends_the_reading_of_a_folder(run, tmp_path, monkeypatch):
    from ecgdash.io.formats import dicom_waveform

    def break_down(*_):
        raise AttributeError("Doe^Jane")

    made.write_dicom(tmp_path / "a.dcm")
    write_muse_xml(made.make_record(), tmp_path / "b.xml")
    monkeypatch.setattr(dicom_waveform, "read", break_down)
    result = run(tmp_path, "--json")
    assert result.exit_code == 0
    first, second = json.loads(result.stdout)
    assert first["error"] == (
        "a.dcm: the dicom file cannot be decoded (AttributeError). Export the ECG again."
    )
    assert second["format"] == "muse-xml"


def test_control_characters_of_a_file_name_reach_no_terminal(run, tmp_path):
    (tmp_path / "a\x1b[31m\nb.xml").write_text("<x/>")
    shown = run(tmp_path)
    assert shown.exit_code == 2
    assert len(shown.stdout.splitlines()) == len(shown.stderr.splitlines()) == 1
    assert "\x1b" not in shown.output
    entry = json.loads(run(tmp_path, "--json").stdout)[0]
    assert entry["file"].endswith("/a\x1b[31m\nb.xml")
    assert "\n" not in entry["error"]


def test_what_a_table_leaves_open_may_be_stated_in_the_call(run, tmp_path):
    record = made.make_record()
    rows = "\n".join(",".join(f"{v:.3f}" for v in sample * 1000) for sample in record.signal_mv.T)
    (tmp_path / "bare.csv").write_text(rows + "\n")
    words = [tmp_path / "bare.csv", "--sampling-hz", "500", "--units", "uV", "--json"]
    assert run(*words).exit_code == 2
    result = run(*words, "--leads", ", ".join(record.leads))
    assert result.exit_code == 0
    (entry,) = json.loads(result.stdout)
    assert (entry["sampling_hz"], entry["leads"]) == (500.0, list(CANONICAL_LEADS))
    assert entry["max_mv"]["V3"] == pytest.approx(float(made.expected_mv("V3").max()), abs=1e-5)
    assert any("as stated by the user" in note for note in entry["notes"])
