"""Folders and archives: one ECG is found once, and no archive leaves its folder."""

import io
import os
import stat
import zipfile
from pathlib import Path

import io_fixtures as made
import numpy as np
import pytest

from ecgdash.errors import (
    CorruptFile,
    FileTooLarge,
    InputFileError,
    UnsupportedFormat,
    printable,
)
from ecgdash.io import Limits, ReadHints, archives, find_ecg_files, read_ecg, write_wfdb
from ecgdash.io import finding as finding_module


def names(paths, limits=None) -> list[str]:
    return [found.display_name for found in find_ecg_files(paths, limits)]


@pytest.fixture
def folder(tmp_path) -> Path:
    root = tmp_path / "records"
    (root / "sub").mkdir(parents=True)
    write_wfdb(made.make_record(), root, "one")
    write_wfdb(made.make_record(patient_id="P-008"), root / "sub", "two")
    made.write_dicom(root / "three.dcm")
    np.save(root / "four.npy", np.zeros((12, 5000)))
    (root / "four.json").write_text("{}")
    (root / "LICENSE.txt").write_text("text")
    (root / "echoes.csv").write_text("patient_id,performed_at,lvef_percent\n")
    (root / ".hidden").write_text("x")
    return root


EXPECTED = ["records/four.npy", "records/one.hea", "records/sub/two.hea", "records/three.dcm"]


def test_a_folder_gives_each_ecg_once_in_order(folder):
    assert names([folder]) == EXPECTED


def test_files_and_folders_stand_in_one_order_by_name(tmp_path):
    for name in ("b/a.xml", "b/c/d.xml", "B.xml", "a.xml", "b.xml", "c.xml", ".git/x.xml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("<RestingECG/>")
    found = [name.removeprefix(f"{tmp_path.name}/") for name in names([tmp_path])]
    assert found == ["B.xml", "a.xml", "b/a.xml", "b/c/d.xml", "b.xml", "c.xml"]


def test_a_link_to_a_file_is_followed_and_one_to_a_folder_is_not(folder):
    (folder / "five.xml").symlink_to(folder / "three.dcm")
    (folder / "sub" / "round").symlink_to(folder)
    (folder / "six.xml").symlink_to(folder / "nothing")
    assert names([folder]) == ["records/five.xml", *EXPECTED]


def test_annotations_belong_to_a_header_beside_them_only(folder):
    for name in ("one.atr", "one.qrs", "lonely.atr", "sub/one.atr"):
        (folder / name).write_bytes(b"\0")
    assert set(names([folder])) - set(EXPECTED) == {"records/lonely.atr", "records/sub/one.atr"}


def test_a_long_header_is_read_to_its_end(tmp_path):
    lines = [f"{n}.dat 16 200 16 0 0 0 0 signal {n}" for n in range(2_000)]
    (tmp_path / "long.hea").write_text("\n".join(["long 2000 500 5000", *lines]))
    for n in (0, 1_999):
        (tmp_path / f"{n}.dat").write_bytes(b"\0\0")
    assert names([tmp_path]) == [f"{tmp_path.name}/long.hea"]


def test_a_file_named_directly_is_always_yielded(folder):
    given = [folder / "one.dat", folder / "sub" / "two", folder / "echoes.csv"]
    found = list(find_ecg_files(given))
    assert [file.path.name for file in found] == ["one.hea", "two.hea", "echoes.csv"]


def test_an_unknown_file_is_yielded_and_not_passed_over_in_silence(folder):
    (folder / "zz.bin").write_bytes(b"\1\2")
    assert names([folder])[-1] == "records/zz.bin"


def test_a_missing_path_is_named(tmp_path):
    (found,) = find_ecg_files([tmp_path / "nothing"])
    assert isinstance(found.error, UnsupportedFormat)
    assert found.error.sentence.startswith("nothing: there is no such file or folder.")


def pack(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for file in sorted(folder.rglob("*")):
            opened.write(file, file.relative_to(folder.parent))
    return archive


def test_an_archive_reads_like_its_folder(folder, tmp_path):
    archive = pack(folder, tmp_path / "all.zip")
    hashes = []
    for found in find_ecg_files([archive]):
        assert found.error is None
        if not found.display_name.endswith(".npy"):
            hashes.append(read_ecg(found.path).sha256)
    assert names([archive]) == [f"all.zip/{name}" for name in EXPECTED]
    assert hashes == [made.make_record().sha256] * 3


def test_an_archive_in_a_folder_is_opened_but_not_one_in_an_archive(folder, tmp_path):
    pack(folder, folder / "inner.zip")
    assert any(name.startswith("records/inner.zip/records/") for name in names([folder]))
    outer = pack(folder, tmp_path / "outer.zip")
    found = [file for file in find_ecg_files([outer]) if file.display_name.endswith("inner.zip")]
    assert len(found) == 1
    for file in find_ecg_files([outer]):
        if file.display_name.endswith("inner.zip"):
            with pytest.raises(UnsupportedFormat, match="ZIP archive cannot be read"):
                read_ecg(file.path)


@pytest.mark.parametrize(
    "name", ["../evil.hea", "/evil.hea", "a/../../evil.hea", "..\\evil.hea", "C:\\evil.hea"]
)
def test_members_outside_the_folder_are_refused(name, tmp_path):
    archive = tmp_path / "evil.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(name, "x")
    (found,) = find_ecg_files([archive])
    assert isinstance(found.error, CorruptFile)
    assert "points outside of it" in found.error.sentence
    assert not list(tmp_path.rglob("evil.hea"))


def test_links_in_an_archive_are_refused(tmp_path):
    archive = tmp_path / "link.zip"
    member = zipfile.ZipInfo("a.hea")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(member, "/etc/passwd")
    (found,) = find_ecg_files([archive])
    assert "points outside of it" in found.error.sentence


def test_an_archive_that_unpacks_too_large_is_refused(tmp_path):
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("zeros.dat", bytes(3 * 1024 * 1024))
    assert archive.stat().st_size < 10_000
    (found,) = find_ecg_files([archive], Limits(max_archive_mb=2))
    assert isinstance(found.error, FileTooLarge)
    assert "at most 2 MB" in found.error.sentence


def test_an_archive_that_lies_about_its_size_is_stopped(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("zeros.dat", bytes(3 * 1024 * 1024))
    honest = (3 * 1024 * 1024).to_bytes(4, "little")
    archive = tmp_path / "liar.zip"
    archive.write_bytes(buffer.getvalue().replace(honest, (10).to_bytes(4, "little")))
    (found,) = find_ecg_files([archive], Limits(max_archive_mb=2))
    assert isinstance(found.error, CorruptFile | FileTooLarge)


def test_an_archive_with_too_many_members_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_ARCHIVE_FILES", 3)
    archive = tmp_path / "many.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for i in range(4):
            opened.writestr(f"{i}.dat", "x")
    (found,) = find_ecg_files([archive])
    assert "holds 4 files" in found.error.sentence


def test_a_broken_archive_does_not_stop_the_next_input(folder, tmp_path):
    archive = pack(folder, tmp_path / "broken.zip")
    content = bytearray(archive.read_bytes())
    content[100:400] = bytes(300)
    archive.write_bytes(content)
    found = list(find_ecg_files([archive, folder / "three.dcm"]))
    assert isinstance(found[0].error, CorruptFile)
    assert found[-1].display_name == "three.dcm"
    assert found[-1].error is None


def test_nothing_unpacked_is_left_behind(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    for _ in find_ecg_files([pack(folder, tmp_path / "all.zip")]):
        pass
    assert list((tmp_path / "temporary").iterdir()) == []


def test_two_members_of_one_name_are_refused(tmp_path):
    archive = tmp_path / "twice.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("a.xml", "<x/>")
        with pytest.warns(UserWarning, match="Duplicate"):
            opened.writestr("a.xml", "<y/>")
    (found,) = find_ecg_files([archive])
    assert isinstance(found.error, CorruptFile)
    assert "same name" in found.error.sentence


@pytest.mark.parametrize("name", [".", "a" * 300 + ".xml"])
def test_members_that_cannot_be_written_are_one_sentence_without_our_folder(name, tmp_path):
    archive = tmp_path / "odd.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(name, "<x/>")
    (found,) = find_ecg_files([archive])
    assert isinstance(found.error, CorruptFile)
    assert "/" not in found.error.sentence
    assert "aaaa" not in found.error.sentence


def test_files_that_may_not_be_read_are_named_and_stop_nothing(folder, monkeypatch):
    # The tests may run as root, whom no mode keeps out.
    closed = {folder / "one.hea", folder / "three.dcm"}
    opens = Path.open

    def guarded(self, *rest, **more):
        if self in closed:
            raise PermissionError(13, "Permission denied", str(self))
        return opens(self, *rest, **more)

    monkeypatch.setattr(Path, "open", guarded)
    monkeypatch.setattr(finding_module.os, "access", lambda file, mode: Path(file) not in closed)
    told = {}
    for found in find_ecg_files([folder]):
        try:
            told[found.path.name] = read_ecg(found.path).file_format
        except CorruptFile as error:
            told[found.path.name] = error.sentence
        except InputFileError:
            continue
    for name in ("one.hea", "three.dcm"):
        assert told[name] == (
            f"{name}: the file may not be read by this user. Give the right to read it."
        )
    assert told["two.hea"] == "wfdb"


STEERING = "a\x1b[31m\u202egp\n.xml"


def test_names_that_steer_a_terminal_are_shown_in_one_harmless_line(tmp_path):
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / STEERING).write_text("<RestingECG/>")
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as opened:
        opened.writestr(STEERING, "<RestingECG/>")
    for found in find_ecg_files([folder, tmp_path / "odd.zip"]):
        assert printable(found.display_name).endswith("/a?[31m?gp?.xml")
        with pytest.raises(InputFileError) as refused:
            read_ecg(found.path)
        assert refused.value.sentence.startswith("a?[31m?gp?.xml: ")
        assert refused.value.sentence.isprintable()


def test_a_record_keeps_only_text_that_can_be_shown_and_stored(tmp_path):
    made_record = made.make_record(
        statements=("Sinus\x00 rhythm\x1b[2J",), device="Cart\x00 1", filters="\x07off"
    )
    file = write_wfdb(made_record, tmp_path, "one")
    record = read_ecg(file)
    assert record.statements == ("Sinus rhythm[2J",)
    assert (record.device, record.filters) == ("Cart 1", "off")


def test_amplitudes_that_no_device_records_are_refused(tmp_path):
    array = np.zeros((12, 5000))
    array[7, 9] = 2_000.5
    np.save(tmp_path / "huge.npy", array)
    hints = ReadHints(500.0, "mV", made.make_record().leads)
    with pytest.raises(CorruptFile, match=r"lead V2 reaches 2e\+03 mV"):
        read_ecg(tmp_path / "huge.npy", hints=hints)


def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "set" / "closed").mkdir(parents=True)
    (tmp_path / "set" / "one.xml").write_text("<x/>")
    scandir = os.scandir

    def refusing(folder):
        if str(folder).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr("ecgdash.io.finding.os.scandir", refusing)
    closed, one = find_ecg_files([tmp_path / "set"])
    assert closed.display_name == "set/closed"
    assert "may not be read by this user" in closed.error.sentence
    assert one.display_name == "set/one.xml"
