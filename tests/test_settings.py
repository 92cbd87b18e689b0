"""Settings that guard people: a weak key is refused, and the key is shown nowhere."""

import pickle

import pytest
from pydantic import ValidationError

from ecgdash.cli import _check_settings
from ecgdash.errors import InvalidValue
from ecgdash.settings import Settings

KEY = "correct horse battery staple"


def test_nothing_private_is_kept_unless_asked(monkeypatch):
    for name in ("ID_KEY", "KEEP_NAMES", "KEEP_REPORTS"):
        monkeypatch.delenv(f"ECGDASH_{name}", raising=False)
    settings = Settings()
    assert (settings.id_key, settings.keep_names, settings.keep_reports) == (None, False, False)
    monkeypatch.setenv("ECGDASH_KEEP_NAMES", "1")
    assert Settings().keep_names


def test_the_key_is_in_no_repr_and_travels_to_workers(monkeypatch):
    monkeypatch.setenv("ECGDASH_ID_KEY", KEY)
    settings = Settings()
    for shown in (repr(settings), str(settings), repr(settings.model_dump()), f"{settings.id_key}"):
        assert KEY not in shown
    assert pickle.loads(pickle.dumps(settings)).id_key.get_secret_value() == KEY  # noqa: S301 - our own


@pytest.mark.parametrize("key", ["hunter2-hunter2", "", " " * 20, "short" + " " * 20])
def test_a_weak_key_is_one_sentence_without_the_key(monkeypatch, key):
    monkeypatch.setenv("ECGDASH_ID_KEY", key)
    with pytest.raises(InvalidValue) as caught:
        _check_settings()
    assert "the setting ECGDASH_ID_KEY cannot be used" in caught.value.sentence
    assert "a key has at least 16 characters" in caught.value.sentence
    with pytest.raises(ValidationError) as plain:
        Settings()
    for shown in (caught.value.sentence, str(plain.value), repr(plain.value)):
        assert not key.strip() or key.strip() not in shown
