import re
from pathlib import Path

import pytest

from ecgdash.ui import navigation
from ecgdash.ui.navigation import ENTRIES, card_href, entry, href, open_address

ROOT = Path(__file__).parents[2]


def test_every_page_is_in_the_table_and_every_row_is_a_page():
    scripts = {row.script for row in ENTRIES}
    files = {f"pages/{path.name}" for path in (ROOT / "pages").glob("*.py")} | {"app.py"}
    assert scripts == files


def test_parents_exist_and_hidden_pages_name_one():
    menu = [row.name for row in ENTRIES if row.parent is None]
    assert menu == ["", "cohort", "import_data", "models"]
    assert all(row.parent in menu for row in ENTRIES if row.parent is not None)
    assert entry("patient").parent == ""


def test_href():
    assert href("patient", patient="k3y") == "patient?patient=k3y"


def test_card_href():
    assert card_href("deepecg-lvsd-12") == "models?family=deepecg-lvsd-12"
    assert card_href("f-1", "masked") == "models?family=f-1&variant=masked"


@pytest.mark.parametrize("family", ["deepecg-lvsd-12", "a b&variant=c", "é/?=%"])
def test_an_address_opens_with_the_names_it_was_made_of(monkeypatch, family):
    opened = []
    monkeypatch.setattr(
        navigation.st,
        "switch_page",
        lambda script, query_params: opened.append((script, query_params)),
    )
    open_address(card_href(family, "masked"))
    assert opened == [("pages/models.py", {"family": family, "variant": "masked"})]


def test_st_navigation_is_not_used_beside_a_pages_folder():
    # Together they break deep links: the page runs without app.py.
    sources = [*(ROOT / "pages").glob("*.py"), ROOT / "app.py", *(ROOT / "ecgdash").rglob("*.py")]
    assert not [p.name for p in sources if re.search(r"st\.navigation\s*\(", p.read_text())]


def test_pages_are_thin():
    for path in [*(ROOT / "pages").glob("*.py"), ROOT / "app.py"]:
        assert len(path.read_text().splitlines()) <= 60, path.name
