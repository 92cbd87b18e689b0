"""The ECG record checks itself, freezes its arrays and is hashed by what it shows."""

import hashlib
import pickle
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS, EcgRecord, normalise_patient_id
from ecgdash.domain.ecg import content_hash
from ecgdash.domain.leads import canonical_lead, lead_sets_of
from ecgdash.errors import InvalidValue


def make(rng: np.random.Generator, **fields) -> EcgRecord:
    known = {
        "signal_mv": rng.normal(size=(12, 2500)).astype(np.float32),
        "leads": CANONICAL_LEADS,
        "sampling_hz": 250.0,
    }
    return EcgRecord(**{**known, **fields})


def test_signal_is_a_read_only_copy(rng):
    mine = rng.normal(size=(12, 100)).astype(np.float32)
    record = make(rng, signal_mv=mine)
    mine[0, 0] = 99.0
    assert record.signal_mv[0, 0] != 99.0
    with pytest.raises(ValueError, match="read-only"):
        record.signal_mv[0, 0] = 1.0


def test_hash_is_what_the_design_says():
    """sha256 over little-endian int32 microvolts in canonical order, with leads, rate and shape."""
    signal = np.array([[0.001, -0.002], [0.5, 0.25]], dtype=np.float32)
    head = b"I,II;500;2x2;"
    body = np.array([[1, -2], [500, 250]], dtype="<i4").tobytes()
    assert content_hash(signal, ("I", "II"), 500.0) == hashlib.sha256(head + body).hexdigest()


def test_hash_does_not_depend_on_the_order_of_leads(rng):
    signal = rng.normal(size=(2, 50)).astype(np.float32)
    assert content_hash(signal, ("I", "V1"), 250.0) == content_hash(
        signal[::-1], ("V1", "I"), 250.0
    )


@pytest.mark.parametrize("change", ["sample", "rate", "lead", "nan"])
def test_hash_sees_every_change(rng, change):
    signal = rng.normal(size=(2, 50)).astype(np.float32)
    before = content_hash(signal, ("I", "II"), 250.0)
    leads, rate = ("I", "II"), 250.0
    if change == "sample":
        signal[1, 7] += 0.002
    elif change == "rate":
        rate = 500.0
    elif change == "lead":
        leads = ("I", "III")
    else:
        signal[0, 0] = np.nan
    assert content_hash(signal, leads, rate) != before


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"leads": ("II", "I") + CANONICAL_LEADS[2:]}, "canonical order"),
        ({"leads": ("I",) * 12}, "distinct"),
        ({"sampling_hz": 0.0}, "sampling_hz must be above 0"),
        ({"sampling_hz": float("nan")}, "sampling_hz must be above 0"),
        ({"recorded_at": datetime(2020, 1, 1)}, "no time zone"),
        ({"measurements": {"qrs": 90.0}}, "unknown measurements"),
        ({"signal_mv": np.zeros((12, 0), np.float32)}, "no samples"),
        ({"signal_mv": np.zeros((11, 10), np.float32)}, "does not fit 12 lead names"),
        ({"lsb_uv": (1.0,)}, "1 steps for 12 leads"),
    ],
)
def test_ill_formed_records_do_not_exist(rng, fields, part):
    with pytest.raises(InvalidValue, match=part):
        make(rng, **fields)


def test_times_become_utc_and_the_local_day_stays(rng):
    seoul = timezone(timedelta(hours=9))
    record = make(rng, recorded_at=datetime(2020, 3, 2, 1, 30, tzinfo=seoul))
    assert record.recorded_at == datetime(2020, 3, 1, 16, 30, tzinfo=UTC)
    assert str(record.recorded_at.tzinfo) == "UTC"
    assert record.local_day is not None
    assert record.local_day.isoformat() == "2020-03-02"


def test_survives_pickling_read_only(rng):
    record = make(rng, measurements={"qrs_ms": 92.0}, patient_id="7")
    again = pickle.loads(pickle.dumps(record))  # noqa: S301  our own bytes, between processes
    assert again.sha256 == record.sha256
    assert dict(again.measurements) == {"qrs_ms": 92.0}
    assert not again.signal_mv.flags.writeable


@pytest.mark.parametrize(
    ("raw", "text"),
    [(13619.0, "13619"), ("13619.0", "13619"), ("0042", "0042"), (" A.7 ", "A.7"), ("1.50", "1.50"),
     ("", None), (None, None), (float("nan"), None)],
)  # fmt: skip
def test_patient_ids_are_text(raw, text):
    assert normalise_patient_id(raw) == text


@pytest.mark.parametrize(
    ("raw", "name"),
    [("AVR", "aVR"), ("avf", "aVF"), ("Lead I", "I"), ("v3", "V3"), ("MDC_ECG_LEAD_V1", "V1"),
     ("vx", None), ("Pleth", None)],
)  # fmt: skip
def test_leads_are_matched_by_name(raw, name):
    assert canonical_lead(raw) == name


def test_lead_sets_need_every_lead():
    assert lead_sets_of(CANONICAL_LEADS) == ("12", "6", "1")
    assert lead_sets_of(CANONICAL_LEADS[:6]) == ("6", "1")
    assert lead_sets_of(CANONICAL_LEADS[:11]) == ("6", "1")
    assert lead_sets_of(("II",)) == ()
