"""The head of the patient page: a name only where the store has one."""

from datetime import date
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from ecgdash.domain import Patient, RiskTimeline
from ecgdash.services.exporting import timeline_json
from ecgdash.ui import html, patient_view


@pytest.fixture
def head(monkeypatch):
    """Return what draws the head of a patient's page, as HTML."""

    def drawn(patient):
        shown = []
        monkeypatch.setattr(html, "draw", lambda *parts: shown.extend(part.html for part in parts))
        page = SimpleNamespace(zone=ZoneInfo("UTC"))
        patient_view.draw_header(RiskTimeline("k", patient, (), (), ()), page)
        return "".join(shown)

    return drawn


def test_without_a_stored_name_the_head_is_as_before(head):
    shown = head(Patient("17"))
    assert "<h1>17</h1>" in shown
    assert shown.count("ed-facts") == 1
    assert "born" not in shown


@pytest.mark.parametrize(
    ("name", "born", "expected"),
    [
        ("Jane <b>Doe", date(1960, 6, 1), "Jane &lt;b&gt;Doe, born 1 Jun 1960"),
        ("Jane", None, "Jane"),
        (None, date(1960, 6, 1), "born 1 Jun 1960"),
    ],
)
def test_a_stored_name_stands_beside_the_id(head, name, born, expected):
    patient = Patient("17", name=name, birth_date=born)
    assert f'<h1>17</h1><span class="ed-facts">{expected}</span>' in head(patient)


def test_an_exported_timeline_has_no_name():
    patient = Patient("17", name="Jane", birth_date=date(1960, 6, 1))
    shown = str(timeline_json(RiskTimeline("k", patient, (), (), ())))
    assert "Jane" not in shown
    assert "1960" not in shown
