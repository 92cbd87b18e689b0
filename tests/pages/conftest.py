"""A store of handmade patients behind the settings, as a site has it."""

from dataclasses import dataclass
from pathlib import Path

import handmade_store
import pytest
from streamlit.testing.v1 import AppTest

from ecgdash.store import Store, open_store

APP = Path(__file__).parents[2] / "app.py"


@dataclass
class Site:
    """A store, the keys of its patients by code, and a way to open pages."""

    store: Store
    keys: dict[str, str]

    def open(self, page: str = "", **query: str) -> AppTest:
        """Open a page through app.py, as a deep link does, and run it."""
        at = AppTest.from_file(str(APP), default_timeout=30).run()
        assert not at.exception
        for key, value in query.items():
            at.query_params[key] = value
        return at.switch_page(page).run() if page else at.run()


@pytest.fixture
def empty_site(tmp_path, monkeypatch):
    """Return a site with models and nothing in its store."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    monkeypatch.setenv("ECGDASH_DATABASE_URL", url)
    monkeypatch.setenv("ECGDASH_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.delenv("ECGDASH_DEMO", raising=False)
    (tmp_path / "models").mkdir()
    handmade_store.write_models(tmp_path / "models", "12", "6", "1")
    store = open_store(url)
    yield Site(store, {})
    store.close()


@pytest.fixture
def site(empty_site):
    """Return a site with the handmade patients, scored."""
    cards = [handmade_store.card(name) for name in ("12", "6", "1")]
    return Site(empty_site.store, handmade_store.fill(empty_site.store, cards))


def told(at: AppTest) -> str:
    """Return all static HTML of a page, but the style sheet."""
    return "\n".join(
        element.proto.body for element in at.get("html") if "<style>" not in element.proto.body
    )
