"""Crops that several families share are those that each would have made by itself."""

from dataclasses import replace

import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS, LIMB_LEADS, EcgRecord
from ecgdash.errors import InputDoesNotFitModel
from ecgdash.inference import crops as module
from ecgdash.inference.crops import SharedCrops, write_crops
from ecgdash.signal import preprocess
from ecgdash.simulate.cohort import simulate_patients

LEAD_SETS = (CANONICAL_LEADS, LIMB_LEADS, ("I",), ("V2", "I"))


def records(n: int) -> list[EcgRecord]:
    made = list(simulate_patients(n, 12).records(np.arange(n), 500.0))
    return [*made[:-1], replace(made[-1], sampling_hz=400.0)]  # 12.5 s: another length and rate


def written(write, leads, ecgs):
    out = np.full((len(ecgs), 3, len(leads), preprocess.CROP_SAMPLES), np.nan, np.float32)
    write("a family", leads, ecgs, out)
    return out


@pytest.fixture
def prepared(monkeypatch) -> list[int]:
    """Return a list that grows by the number of leads of every record that is filtered."""
    counts: list[int] = []
    real = preprocess.preprocess_batch

    def counting(signals_mv, sampling_hz, out=None):
        counts.extend([signals_mv.shape[1]] * len(signals_mv))
        return real(signals_mv, sampling_hz, out)

    monkeypatch.setattr(module, "preprocess_batch", counting)
    return counts


def test_fewer_leads_are_read_from_what_more_have_prepared_bit_for_bit(prepared) -> None:
    ecgs = records(4)
    alone = [written(write_crops, leads, ecgs) for leads in LEAD_SETS]
    prepared.clear()
    shared = SharedCrops()
    found = [written(shared.write, leads, ecgs) for leads in LEAD_SETS]
    for ours, expected in zip(found, alone, strict=True):
        assert np.array_equal(ours, expected)
    assert prepared == [12] * 4


def test_more_leads_than_were_prepared_are_prepared_anew(prepared) -> None:
    ecgs = records(3)
    shared = SharedCrops()
    written(shared.write, ("I",), ecgs[:2])
    assert np.array_equal(
        written(shared.write, CANONICAL_LEADS, ecgs), written(write_crops, CANONICAL_LEADS, ecgs)
    )
    assert prepared == [1] * 2 + [12] * 3 + [12] * 3


def test_mixed_records_keep_their_order_and_what_is_written_is_no_view(prepared) -> None:
    ecgs = records(4)
    shared = SharedCrops()
    written(shared.write, LIMB_LEADS, ecgs[1:3]).fill(0)
    expected = written(write_crops, LIMB_LEADS, ecgs)
    assert np.array_equal(written(shared.write, LIMB_LEADS, ecgs), expected)


def test_crops_go_with_their_record_and_are_never_more_than_the_most(monkeypatch) -> None:
    monkeypatch.setattr(module, "_MOST_KEPT", 2)
    shared = SharedCrops()
    ecgs = records(4)
    written(shared.write, ("I",), ecgs)
    assert len(shared._kept) == 2
    del ecgs
    assert len(shared._kept) == 0


def test_a_record_without_the_leads_is_refused_as_ever() -> None:
    record = records(2)[0]
    rows = [record.leads.index(name) for name in LIMB_LEADS]
    limb = replace(record, signal_mv=record.signal_mv[rows], leads=LIMB_LEADS)
    shared = SharedCrops()
    written(shared.write, LIMB_LEADS, [limb])
    with pytest.raises(InputDoesNotFitModel, match="a family needs leads V1, V2"):
        written(shared.write, CANONICAL_LEADS, [limb])
