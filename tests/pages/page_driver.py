"""Opens pages through app.py, as a deep link does, and reads what they say."""

from dataclasses import dataclass
from pathlib import Path

from streamlit.testing.v1 import AppTest

from ecgdash.store import Store

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


def told(at: AppTest) -> str:
    """Return all static HTML of a page, but the style sheet."""
    return "\n".join(
        element.proto.body for element in at.get("html") if "<style>" not in element.proto.body
    )
