"""Sample patients by what they show, so that tests do not depend on their codes."""

import csv
from pathlib import Path

from ecgdash.services.importing import import_paths
from ecgdash.settings import Settings
from ecgdash.store import Store, open_store

SAMPLES = Path(__file__).resolve().parents[1] / "sample_data"


def codes_of(text: str) -> list[str]:
    """Return the codes of the patients whose story holds `text`, in order."""
    rows = csv.DictReader((SAMPLES / "patients.csv").read_text(encoding="utf-8").splitlines())
    found = [row["patient_id"] for row in rows if text in row["shows"]]
    assert found, text
    return found


def code_of(text: str) -> str:
    """Return the code of the first of them."""
    return codes_of(text)[0]


def store_of(settings: Settings, *codes: str) -> Store:
    """Open a store and import sample patients with their echoes; nothing is scored."""
    store = open_store(settings.database_url)
    folder = settings.sample_dir
    paths = [folder / "ecgs" / code for code in codes]
    import_paths(store, paths, settings=settings, echo=folder / "echo.csv", site="SIM")
    return store
