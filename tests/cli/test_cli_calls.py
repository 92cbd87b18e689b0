"""Wrong calls from outside: exit 2, one sentence on stderr, nothing on stdout, no traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def call(folder, *words, **variables):
    environment = {
        **os.environ,
        "ECGDASH_DATABASE_URL": f"sqlite:///{folder / 'ecgdash.db'}",
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-m", "ecgdash", *map(str, words)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "The command to run is not named. See 'python -m ecgdash --help'."),
        (("models",), "The command to run is not named. See 'python -m ecgdash --help'."),
        (("nonsense",), "No such command 'nonsense'. See 'python -m ecgdash --help'."),
        (("read",), "Missing argument 'PATH...'. See 'python -m ecgdash --help'."),
        (("read", "--quux", "x"), "No such option: --quux. See 'python -m ecgdash --help'."),
        (("timeline",), "Missing argument 'patient'. See 'python -m ecgdash --help'."),
    ],
)
def test_a_wrong_call_is_one_sentence(tmp_path, words, sentence):
    done = call(tmp_path, *words)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (2, "", sentence)


def test_a_number_that_is_none_is_named(tmp_path):
    done = call(tmp_path, "simulate", "--patients", "x", "--seed", "1", "--out", tmp_path / "o")
    assert done.returncode == 2
    assert "'--patients'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_read_of_nothing_exits_2_from_outside(tmp_path):
    done = call(tmp_path, "read", tmp_path / "absent.xml", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout) == [{"file": "absent.xml", "error": done.stderr.strip()}]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ECGDASH_MAX_FILE_MB", "many", "the setting ECGDASH_MAX_FILE_MB cannot be used"),
        ("ECGDASH_SITE_ZONE", "Mars/Olympus", "'Mars/Olympus', which is no time zone"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, name, value, words):
    done = call(tmp_path, "timeline", "1", **{name: value})
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_store_that_is_no_database_is_one_sentence(tmp_path):
    (tmp_path / "ecgdash.db").write_text("This is a letter, not a database. " * 50)
    done = call(tmp_path, "timeline", "1")
    assert done.returncode == 2
    assert "is no database" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "letter" in (tmp_path / "ecgdash.db").read_text()


def test_a_key_that_begins_with_a_hyphen_is_no_option(tmp_path):
    """Keys of older stores may; those made now are hexadecimal."""
    done = call(tmp_path, "explain", "-gRcz7TeZaSjOvDA")
    assert (done.returncode, done.stdout) == (2, "")
    assert "option" not in done.stderr
    assert done.stderr.startswith("no such ECG in this store.")
