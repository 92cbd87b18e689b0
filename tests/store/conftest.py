"""A store in a file of its own, as a site would have it."""

import pytest

from ecgdash.store import open_store


@pytest.fixture
def store(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path / 'deep' / 'folder' / 'store.db'}")
    yield opened
    opened.close()
