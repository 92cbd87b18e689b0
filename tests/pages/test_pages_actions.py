"""Marking a patient folds the worklist row away; undo brings it back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ecgdash.services.monitoring import WorklistQuery, refresh_worklist, worklist
from ecgdash.store import Findings

CODE = "HM-0102"


def listed(site, **query):
    return {row.code: row for row in worklist(site.store, WorklistQuery(**query)).rows}


def open_patient(site):
    at = site.open("pages/patient.py", patient=site.keys[CODE])
    assert not at.exception, at.exception
    return at


@pytest.mark.parametrize("kind", ["echo_ordered", "acknowledged"])
def test_a_mark_folds_and_undo_unfolds(site, kind):
    assert CODE in listed(site)
    at = open_patient(site)
    at.button(key=f"mark_{kind}").click().run()
    assert not at.exception, at.exception
    assert CODE not in listed(site)
    assert CODE in listed(site, find=CODE)
    row = listed(site, show_folded=True)[CODE]
    assert row.folded
    assert row.folded_reason.startswith("Folded: ")
    assert [mark.kind for mark in site.store.actions_of(site.keys[CODE])] == [kind]
    at.button(key="undo_action").click().run()
    assert CODE in listed(site)
    assert site.store.actions_of(site.keys[CODE]) == []
    assert not site.store.undo_action(site.keys[CODE])


def test_a_mark_for_an_earlier_ecg_does_not_stand(site):
    site.store.add_action(
        site.keys[CODE], "acknowledged", "an-earlier-ecg", datetime(2026, 1, 1, tzinfo=UTC)
    )
    at = open_patient(site)
    assert not at.button(key="mark_acknowledged").disabled


def test_a_newer_ecg_unfolds(site):
    key = site.keys[CODE]
    at = open_patient(site)
    at.button(key="mark_acknowledged").click().run()
    assert CODE not in listed(site)
    latest = [ecg for ecg in site.store.ecgs_of(key) if ecg.recorded_at is not None][-1]
    record = site.store.record(latest.key)
    later = replace(
        record,
        signal_mv=record.signal_mv + np.float32(0.01),
        recorded_at=record.recorded_at + timedelta(days=30),
        local_day=record.local_day + timedelta(days=30),
    )
    site.store.add_ecg(key, later, Findings(latest.gate))
    refresh_worklist(site.store, (), [key])
    assert CODE in listed(site)


def test_the_demonstration_takes_no_marks(site, monkeypatch):
    monkeypatch.setenv("ECGDASH_DEMO", "1")
    at = open_patient(site)
    assert at.button(key="mark_acknowledged").disabled
    assert at.button(key="mark_echo_ordered").disabled
