"""A store of handmade patients behind the settings, as a site has it."""

import handmade_store
import pytest
from page_driver import Site

from ecgdash.store import open_store


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
