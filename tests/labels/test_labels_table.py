from collections import Counter

import pytest

from ecgdash.labels.statements import affirmed_findings, unread_parts
from ecgdash.labels.table import (
    AHA_CODES,
    ENGLISH,
    LABEL_NAMES,
    LABELS,
    REMARKS,
    SCP_CODES,
    SNOMED_CODES,
    implied_by,
)
from ecgdash.labels.unlabelled import AHA_WITHOUT_LABEL, SCP_WITHOUT_LABEL, SNOMED_WITHOUT_LABEL

GROUPS = ["rhythm"] * 17 + ["conduction"] * 8 + ["ischaemia"] * 8 + ["other"] * 7 + ["number"] * 6
STATED = {
    "AFIB", "AFL", "PAC", "PVC", "LBBB", "RBBB", "Q_ANTERIOR", "Q_INFERIOR", "Q_LATERAL",
    "PR>200", "QRS>140", "LONG_QTC",
}  # fmt: skip


def test_the_table_has_the_paper_s_counts_in_order():
    assert [spec.group for spec in LABELS] == GROUPS
    assert len(set(LABEL_NAMES)) == 46
    assert all(spec.source for spec in LABELS)
    assert {spec.name for spec in LABELS if spec.origin == "stated"} == STATED


def test_what_a_cart_prints_is_read_back_as_its_row():
    for spec in LABELS:
        if spec.statement:
            assert spec.name in affirmed_findings([spec.statement]), spec.name
            assert unread_parts([spec.statement]) == (), spec.name


def test_every_code_means_a_known_finding_and_none_is_both_known_and_without_label():
    known = set(LABEL_NAMES) | set(REMARKS)
    for table, without in (
        (SCP_CODES, SCP_WITHOUT_LABEL),
        (SNOMED_CODES, SNOMED_WITHOUT_LABEL),
        (AHA_CODES, AHA_WITHOUT_LABEL),
    ):
        assert {name for names in table.values() for name in names} <= known
        assert table.keys().isdisjoint(without)
        assert all(without.values())
        assert max(Counter(names).most_common(1)[0][1] for names in table.values()) == 1
    assert set(ENGLISH) <= known


def test_what_is_implied_is_a_known_finding():
    known = set(LABEL_NAMES) | set(REMARKS)
    for spec in LABELS:
        assert set(spec.implies) <= known - {spec.name}
        assert set(implied_by([spec.name])) == set(spec.implies)


@pytest.mark.real
def test_scp_and_aha_tables_agree_where_ptbxl_gives_both(shared_data):
    import csv

    compared = 0
    with (shared_data / "ptbxl500" / "scp_statements.csv").open() as table:
        for row in csv.DictReader(table):
            scp = row[""]
            for aha in row["AHA code"].replace("+", " ").split():
                code = aha.split(".")[0]
                if code in AHA_CODES and scp in SCP_CODES:
                    compared += 1
                    assert set(AHA_CODES[code]) & set(SCP_CODES[scp]), (scp, code)
    assert compared >= 20
