"""A second label: listed on the patient page under its own name, absent from all that compares."""

import html
import math
import re
from dataclasses import replace

import handmade_store
import pytest
from page_driver import told

from ecgdash.domain import UNCALIBRATED
from ecgdash.services.monitoring import WorklistQuery, worklist

FIRST = handmade_store.card("12")


def external_card():
    """Return a card as `models add` makes it: one variant, a threshold with little origin."""
    made = handmade_store.card("12", "handmade-lvef50")
    stated = replace(
        made.variants[0].youden,
        rule="published by the source",
        value=0.268,
        data="not stated",
        n=0,
        n_positive=0,
        sensitivity=math.nan,
        specificity=math.nan,
    )
    absent = replace(stated, value=math.nan, data="not stated")
    variant = replace(
        made.variants[0],
        youden=stated,
        sensitivity_90=absent,
        specificity_90=absent,
        noise_floor_logit=None,
    )
    return replace(
        made,
        title="Network of others",
        label="LVEF < 50 %",
        architecture="external TorchScript",
        trained_on="ECGs of another hospital",
        trained_on_simulated=False,
        variants=(variant,),
        external=True,
    )


class OneVariant(handmade_store.HandmadeEngine):
    """Scores that a test chose, of the one variant that an external family has."""

    def base_logits(self, records):
        return super().base_logits(records)[:, :1]

    def score_course(self, refs, base_logits, pairs):
        from ecgdash.domain import VariantScore

        values = 1 / (1 + pow(math.e, -base_logits[:, 0, 0]))
        point = self.card.variants[0].youden
        return [{UNCALIBRATED: VariantScore(float(value), point)} for value in values]


def filled(site, tmp_path, cards):
    handmade_store.write_cards(tmp_path / "models", cards)
    made = handmade_store.Handmade(site.store, cards)
    key = site.keys["HM-1"] = made.patient("HM-1", "male")
    for days in (400, 300, 200, 100):
        made.ecg(key, days, (0.02, 0.03, 0.04), age_years=60, flags=("LBBB",))
    made.engines = [
        OneVariant(engine.card, dict.fromkeys(engine.chosen, (0.7712, 0.9, 0.9)))
        if engine.card.external
        else engine
        for engine in made.engines
    ]
    made.score()
    return site


@pytest.fixture
def both(empty_site, tmp_path):
    return filled(empty_site, tmp_path, [FIRST, external_card()])


def rows_of(text):
    found = re.search(r'aria-label="Other models".*?</table>', text, re.S).group(0)
    return [
        [" ".join(re.sub(r"<[^>]+>", " ", c).split()) for c in re.findall(r"<td.*?</td>", row)]
        for row in re.findall(r"<tr.*?</tr>", found, re.S)[1:]
    ]


def test_the_patient_page_lists_the_other_label_in_a_table_of_its_own(both):
    at = both.open("pages/patient.py", patient=both.keys["HM-1"])
    assert not at.exception
    assert not at.error
    rows = rows_of(told(at).replace("\N{NO-BREAK SPACE}", " "))
    assert len(rows) == 1  # the latest; the others on request
    assert rows[0][0].startswith("Network of others")
    assert html.unescape(rows[0][1]) == "LVEF < 50 %"
    assert rows[0][3] == "0.77"
    assert rows[0][4] == "above 0.27"
    (box,) = [box for box in at.checkbox if "other models" in box.label]
    at = box.check().run()
    assert len(rows_of(told(at))) == 4


def test_without_another_family_there_is_no_such_table(empty_site, tmp_path):
    site = filled(empty_site, tmp_path, [FIRST])
    at = site.open("pages/patient.py", patient=site.keys["HM-1"])
    assert "Other models" not in told(at)


def shown_before_the_table(at):
    drawn = [chart.proto.spec for chart in at.get("plotly_chart")]
    return drawn, told(at).split('aria-label="Other models"')[0].split(">Other models<")[0]


def test_no_line_change_or_noise_statement_is_of_the_other_label(both, tmp_path):
    """All that compares is word for word what it is without the other family."""
    key = both.keys["HM-1"]
    drawn, text = shown_before_the_table(both.open("pages/patient.py", patient=key))
    assert "0.77" not in text
    (row,) = worklist(both.store, WorklistQuery(show_folded=True)).rows
    assert (row.family, round(row.value, 2)) == (FIRST.family, 0.03)
    assert {variant for _, variant in row.trend} == {"masked", UNCALIBRATED}

    handmade_store.write_cards(tmp_path / "models", [FIRST])
    alone = both.open("pages/patient.py", patient=key)
    assert "Other models" not in told(alone)
    drawn_alone, text_alone = shown_before_the_table(alone)
    assert drawn == drawn_alone
    assert text_alone.startswith(text.rpartition("<h2")[0])


def test_the_models_page_says_what_is_not_stated(both):
    at = both.open("pages/models.py", family="handmade-lvef50")
    assert not at.exception
    assert not at.error
    text = told(at).replace("\N{NO-BREAK SPACE}", " ")
    assert "nan" not in re.sub(r"<[^>]+>", " ", text).lower().split()
    assert "published by the source (used for above and below)" in text
    assert "not stated" in text
    assert "whose label is LVEF &lt;= 40 %" in text
    assert "models trust" not in text


def test_an_external_family_alone_is_shown_without_the_studys_figures(empty_site, tmp_path):
    site = filled(empty_site, tmp_path, [external_card()])
    at = site.open("pages/patient.py", patient=site.keys["HM-1"])
    assert not at.exception
    assert not at.error
    text = told(at)
    assert "Weak evidence" not in text
    assert "published figures are of the study&#x27;s models, not of this external family" in text
    assert "nan" not in re.sub(r"<[^>]+>", " ", text).lower().split()
    captions = " ".join(element.value for element in at.caption) + text
    assert "Youden index, not stated" not in captions
