"""The worklist page is one bounded, indexed query; filters and orders do as they say."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from ecgdash.domain import Change, Patient, WorklistOther, WorklistRow
from ecgdash.store import WorklistQuery

NOW = datetime.now(UTC)


def make_row(key, number, **facts):
    difference = (number % 7) - 3.0
    change = Change("masked", "e", NOW, 0.1, 0.2, difference, 1.5, None)
    plain = {
        "key": key,
        "code": f"P{number:05d}",
        "site": "local",
        "age_years": 60.0,
        "sex": "female",
        "flags": ("LBBB",) if number % 5 == 0 else (),
        "group": ("act", "repeat", "stable", "stable")[number % 4],
        "lead_set": "12",
        "variant": "masked",
        "value": 0.01 + (number % 90) / 100,
        "threshold": 0.1,
        "withheld_reason": None,
        "weak_evidence": None,
        "change": change if number % 3 else None,
        "trend": ((0.1, "masked"), (None, None)),
        "last_lvef_percent": 50.0 if number % 2 else None,
        "last_echo_at": NOW - timedelta(days=number % 800) if number % 2 else None,
        "last_ecg_at": NOW - timedelta(days=number),
        "n_ecgs": 2,
        "next_step": "",
        "next_reason": "",
    }
    return WorklistRow(**{**plain, **facts})


@pytest.fixture
def filled(store):
    with store.transaction():
        keys = [store.put_patient(Patient(f"P{number:05d}")) for number in range(300)]
        store.save_worklist_rows([make_row(key, number) for number, key in enumerate(keys)])
    return store


@contextmanager
def counted(store):
    """Record every statement and how many rows each fetch returned."""
    seen = []

    def record(connection, cursor, statement, parameters, context, executemany):
        if statement.lstrip().upper().startswith("SELECT"):
            seen.append((statement, parameters))

    sa.event.listen(store._engine, "before_cursor_execute", record)
    yield seen
    sa.event.remove(store._engine, "before_cursor_execute", record)


def test_rows_read_back_equal(store):
    key = store.put_patient(Patient("1"))
    others = (
        WorklistOther("a", "A", "LVEF < 50 %", "12", "masked", 0.123456789, 0.2, NOW, "0" * 64),
        WorklistOther("b", "B", "LVEF <= 40 %", "1", "only", 1.0, 0.3, NOW, "1" * 64),
    )
    row = make_row(key, 1, flags=("LBBB", "QRS>140"), others=others)
    store.save_worklist_rows([row])
    assert store.worklist(WorklistQuery()).rows == (row,)


def test_one_page_takes_two_statements_and_loads_one_page(filled):
    with counted(filled) as seen:
        page = filled.worklist(WorklistQuery(page_size=25))
    assert len(page.rows) == 25
    assert len(seen) == 2
    assert "LIMIT" in seen[0][0]
    assert "waveforms" not in seen[0][0]
    with filled._reading() as connection:
        returned = [len(connection.exec_driver_sql(*one).all()) for one in seen]
    assert returned == [25, 3]


@pytest.mark.parametrize(
    ("order", "index"),
    [
        ("action", "ix_worklist_action"),
        ("change", "ix_worklist_change"),
        ("score", "ix_worklist_level"),
        ("last_ecg", "ix_worklist_ecg"),
        ("patient", "ix_worklist_code"),
    ],
)
def test_every_order_is_read_from_its_index_without_sorting(filled, order, index):
    with counted(filled) as seen:
        filled.worklist(WorklistQuery(order=order))
    statement, parameters = seen[0]
    with filled._reading() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    told = " ".join(str(step[-1]) for step in plan)
    assert index in told
    assert "TEMP B-TREE" not in told


def everything(store, **query):
    return store.worklist(WorklistQuery(page_size=1000, **query))


def test_pages_follow_each_other_without_overlap(filled):
    pages = [filled.worklist(WorklistQuery(page=n, page_size=70)).rows for n in range(1, 6)]
    assert [len(rows) for rows in pages] == [70, 70, 70, 70, 20]
    assert [row.key for rows in pages for row in rows] == [
        row.key for row in everything(filled).rows
    ]


def test_counts_are_of_all_that_match(filled):
    page = filled.worklist(WorklistQuery(page_size=5))
    assert (page.n_patients, page.n_matching) == (300, 300)
    assert page.n_by_group == {"act": 75, "repeat": 75, "stable": 150}
    page = filled.worklist(WorklistQuery(groups=("act",), page_size=5))
    assert (page.n_patients, page.n_matching) == (300, 75)
    assert page.n_by_group["stable"] == 150
    nothing = filled.worklist(WorklistQuery(find="nobody"))
    assert (nothing.n_patients, nothing.n_matching, nothing.rows) == (300, 0, ())


def test_default_order_is_groups_then_largest_rise(filled):
    rows = everything(filled).rows
    ranks = [("act", "repeat", "stable").index(row.group) for row in rows]
    assert ranks == sorted(ranks)
    act = [row.change.difference_logit for row in rows if row.group == "act" and row.change]
    assert act == sorted(act, reverse=True)
    n_act = ranks.count(0)
    assert rows[n_act - 1].change is None


@pytest.mark.parametrize(
    ("order", "value"),
    [
        ("score", lambda row: -row.value),
        ("last_ecg", lambda row: -row.last_ecg_at.timestamp()),
        ("patient", lambda row: row.code),
        ("change", lambda row: -row.change.difference_logit if row.change else 1e9),
    ],
)
def test_orders(filled, order, value):
    values = [value(row) for row in everything(filled, order=order).rows]
    assert values == sorted(values)


def test_several_flags_mean_all_of_them(store):
    flags = [("LBBB",), ("LBBB", "QRS>140"), ("AFIB", "LBBB", "QRS>140"), ("AFIB",), ()]
    with store.transaction():
        keys = [store.put_patient(Patient(f"P{n:05d}")) for n in range(len(flags))]
        rows = [make_row(key, n, flags=flags[n]) for n, key in enumerate(keys)]
        store.save_worklist_rows(rows)
    for wanted in (("LBBB",), ("LBBB", "QRS>140"), ("QRS>140", "AFIB"), ("AFIB",), ("CKD",)):
        page = everything(store, flags=wanted)
        expected = [n for n, held in enumerate(flags) if set(wanted) <= set(held)]
        assert sorted(row.code for row in page.rows) == [f"P{n:05d}" for n in expected]
        assert page.n_matching == sum(page.n_by_group.values()) == len(expected)
        assert page.n_patients == len(flags)


def test_filters(filled):
    rows = everything(filled).rows

    def keys(found):
        return {row.key for row in found}

    assert keys(everything(filled, flags=("LBBB",)).rows) == keys(r for r in rows if r.flags)
    assert not everything(filled, flags=("L_BB",)).rows
    assert keys(everything(filled, last_echo="none").rows) == keys(
        r for r in rows if r.last_echo_at is None
    )
    year_ago = NOW - timedelta(days=365)
    assert keys(everything(filled, last_echo="old").rows) == keys(
        r for r in rows if r.last_echo_at and r.last_echo_at <= year_ago
    )
    assert keys(everything(filled, change=("rise", "fall")).rows) == keys(
        r for r in rows if r.change and r.change.beyond_noise
    )
    assert keys(everything(filled, change=("none",)).rows) == keys(
        r for r in rows if r.change is None
    )
    assert [row.code for row in everything(filled, find="p00017").rows] == ["P00017"]
    assert not everything(filled, find="%").rows
