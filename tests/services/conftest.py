"""An empty store in memory."""

import pytest

from ecgdash.store import open_store


@pytest.fixture
def store():
    opened = open_store("sqlite://")
    yield opened
    opened.close()
