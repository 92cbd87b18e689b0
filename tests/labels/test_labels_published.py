"""The quoted tables are those of the paper, figure by figure, and keep to their own arithmetic."""

import re

import pytest

from ecgdash.labels.published import (
    BASELINE,
    FOLLOW_UP,
    TABLES,
    figures_for,
    is_weak,
    subgroup_for,
)

LABELS = {
    "age<=70": r"Age ≤70",
    "age>70": r"Age >70",
    "male": r"Male",
    "female": r"Female",
    "DM": r"DM\w \(\+\)",
    "HTN": r"HTN\w \(\+\)",
    "IHD": r"IHD\w \(\+\)",
    "CKD": r"CKD\w \(\+\)",
    "sinus": r"Sinus rhythm",
    "AFIB": r"AFIB\w/AFL\w",
    "LBBB": r"LBBB\w",
    "RBBB": r"RBBB\w",
    "PR>200": r"PR > ?200(?: ms)?",
    "QRS>140": r"QRS > ?140(?: ms)?",
    "long_QTc": r"Prolonged QTc\w,\w",
}
"""How the tables print the subgroups; single letters are footnote marks."""

ESTIMATE = re.compile(r"(\d\.\d{3}) \((\d\.\d{3})\W(\d\.\d{3})\)")


@pytest.fixture(scope="module")
def paper(shared_data):
    """Return the lines of the study's text."""
    found = sorted((shared_data.parent / "papers").glob("000_*.txt"))
    if not found:
        pytest.skip("the text of the paper (../shared/papers) is not on this machine")
    return found[0].read_text(encoding="utf-8").splitlines()


def printed(paper, table, key):
    """Return (cases, pairs, percent) and the estimates of one printed row."""
    start = next(i for i, line in enumerate(paper) if line.startswith(table))
    label = LABELS[key]
    (line,) = (row for row in paper[start : start + 22] if re.match(rf"{label}\d", row))
    count = re.match(rf"{label}([\d,]+)/([\d,]+) ?\((\d+\.\d)%\)", line)
    n_positive, n = (int(part.replace(",", "")) for part in count.groups()[:2])
    estimates = [tuple(map(float, numbers)) for numbers in ESTIMATE.findall(line)]
    return (n_positive, n, float(count[3])), estimates


def triples(*estimates):
    return [(found.value, found.low, found.high) for found in estimates]


@pytest.mark.parametrize("key", LABELS)
def test_table_3_is_quoted_figure_by_figure(paper, key):
    (n_positive, n, percent), estimates = printed(paper, "Table 3.", key)
    row = subgroup_for(key, BASELINE)
    assert (row.n_positive, row.n) == (n_positive, n)
    assert 100 * row.n_positive / row.n == pytest.approx(percent, abs=0.06)
    own = row.figures["uncalibrated"]
    assert set(row.figures) == {"uncalibrated"}
    assert estimates == triples(own.auroc, own.sensitivity, own.specificity, own.ppv, own.npv)


@pytest.mark.parametrize("key", LABELS)
def test_table_5_is_quoted_figure_by_figure(paper, key):
    (n_positive, n, percent), estimates = printed(paper, "Table 5a.", key)
    row = subgroup_for(key, FOLLOW_UP)
    assert (row.n_positive, row.n) == (n_positive, n)
    assert 100 * row.n_positive / row.n == pytest.approx(percent, abs=0.06)
    assert set(row.figures) == {"uncalibrated", "recalibrated"}
    ours = []
    for variant in ("recalibrated", "uncalibrated"):
        found = row.figures[variant]
        ours += triples(found.auroc, found.sensitivity, found.specificity)
        assert (found.ppv, found.npv) == (None, None)  # Table 5 prints none
    assert estimates == ours


@pytest.mark.parametrize("setting", [BASELINE, FOLLOW_UP])
def test_every_subgroup_is_there_in_the_order_of_the_print(setting):
    assert list(TABLES[setting].rows) == list(LABELS)
    assert all(key == row.key for key, row in TABLES[setting].rows.items())


@pytest.mark.parametrize(("setting", "percent"), [(BASELINE, "4.9"), (FOLLOW_UP, "13.9")])
def test_totals_are_the_sums_of_the_age_rows(setting, percent):
    table = TABLES[setting]
    ages = [table.rows["age<=70"], table.rows["age>70"]]
    assert table.n == sum(row.n for row in ages)
    assert table.n_positive == sum(row.n_positive for row in ages)
    assert f"{100 * table.prevalence:.1f}" == percent


def test_every_estimate_lies_in_its_interval():
    found = [
        estimate
        for table in TABLES.values()
        for row in table.rows.values()
        for figures in row.figures.values()
        for estimate in vars(figures).values()
        if estimate is not None
    ]
    assert len(found) == 15 * 5 + 15 * 6
    # Rounded to three decimals, a narrow interval may end at its own estimate.
    assert all(0 < one.low <= one.value <= one.high <= 1 and one.low < one.high for one in found)


def test_known_figures():
    assert f"{figures_for('LBBB', 'uncalibrated').specificity}" == "0.184 (0.136-0.238)"
    assert f"{figures_for('LBBB', 'uncalibrated', BASELINE).specificity}" == "0.219 (0.177-0.266)"
    assert f"{figures_for('LBBB', 'recalibrated').sensitivity}" == "0.947 (0.917-0.973)"
    assert f"{figures_for('QRS>140', 'uncalibrated').specificity}" == "0.470 (0.427-0.513)"
    assert f"{figures_for('AFIB', 'uncalibrated', BASELINE).ppv}" == "0.174 (0.158-0.190)"


def test_what_the_study_does_not_print_is_none():
    for setting in (BASELINE, FOLLOW_UP):
        assert figures_for("LBBB", "masked", setting) is None
        assert figures_for("PVC", "uncalibrated", setting) is None
    assert figures_for("LBBB", "recalibrated", BASELINE) is None


def test_weak_evidence_is_an_uncalibrated_specificity_under_one_half_in_that_setting():
    def weak(variant, setting):
        return {key for key in LABELS if is_weak(key, variant, setting)}

    assert weak("uncalibrated", FOLLOW_UP) == {"LBBB", "QRS>140"}
    assert weak("uncalibrated", BASELINE) == {"LBBB"}
    assert is_weak("LBBB", "masked")
    assert not weak("recalibrated", FOLLOW_UP)


def test_sources_say_whose_thresholds():
    assert "not those of its Table 4" in TABLES[FOLLOW_UP].source
    for table in TABLES.values():
        assert table.name in table.source
        assert "not the threshold" in table.source
