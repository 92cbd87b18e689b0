"""A second label: shown beside ours under its own name, absent from all that compares."""

import csv
import html
import io
import json
import math
import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import handmade_store
import pytest
from page_driver import told
from test_pages_ecg import blocks_of, opened

from ecgdash.domain import UNCALIBRATED
from ecgdash.services.monitoring import WorklistQuery, worklist
from ecgdash.ui.worklist_page import worklist_csv

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
    assert rows[0][0] == "▽ Network of others uncalibrated"  # the mark that the plot has
    assert html.unescape(rows[0][1]) == "LVEF < 50 %"
    assert rows[0][3] == "0.77"
    assert rows[0][4] == "above 0.27"
    (box,) = [box for box in at.checkbox if box.label.startswith("Show all")]
    at = box.check().run()
    assert len(rows_of(told(at))) == 4


def test_without_another_family_there_is_no_such_table(empty_site, tmp_path):
    site = filled(empty_site, tmp_path, [FIRST])
    at = site.open("pages/patient.py", patient=site.keys["HM-1"])
    assert "Other models" not in told(at)


def drawn(at):
    """Return the two figures and the traces of other families, taken out of them."""
    figures = [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]
    theirs = []
    for figure in figures:
        theirs.append([t for t in figure["data"] if "other" in (t.get("meta") or {})])
        figure["data"] = [t for t in figure["data"] if "other" not in (t.get("meta") or {})]
    return figures, theirs


LEGEND = re.compile(r'<p class="ed-caption"><b>Other models: </b>.*?</p>\n?', re.S)


def shown_before_the_table(at):
    text = LEGEND.sub("", told(at))
    return drawn(at)[0], text.split('aria-label="Other models"')[0].split(">Other models<")[0]


def test_no_line_change_or_noise_statement_is_of_the_other_label(both, tmp_path):
    """All that compares is word for word what it is without the other family."""
    key = both.keys["HM-1"]
    figures, text = shown_before_the_table(both.open("pages/patient.py", patient=key))
    assert "0.77" not in text
    (row,) = worklist(both.store, WorklistQuery(show_folded=True)).rows
    assert (row.family, round(row.value, 2)) == (FIRST.family, 0.03)
    assert {variant for _, variant in row.trend} == {"masked", UNCALIBRATED}

    handmade_store.write_cards(tmp_path / "models", [FIRST])
    alone = both.open("pages/patient.py", patient=key)
    assert "Other models" not in told(alone)
    figures_alone, text_alone = shown_before_the_table(alone)
    assert figures == figures_alone
    assert text_alone.strip().startswith(text.rpartition("<h2")[0].strip())


def test_the_plot_shows_unjoined_marks_with_a_legend_until_they_are_hidden(both):
    at = both.open("pages/patient.py", patient=both.keys["HM-1"])
    figures, theirs = drawn(at)
    assert len(figures) == 2
    for (trace,) in theirs:  # wide and narrow
        assert trace["mode"] == "markers"
        assert len(trace["customdata"]) == 4
        assert "line" not in trace
    (legend,) = LEGEND.findall(told(at))
    legend = html.unescape(legend).replace("\N{NO-BREAK SPACE}", " ")
    assert "▽ Network of others (LVEF < 50 %)" in legend
    assert "not comparable with the line" in legend
    assert "its own threshold, not the one drawn" in legend
    (box,) = [box for box in at.checkbox if box.label == "Scores of other models"]
    at = box.uncheck().run()
    hidden, gone = drawn(at)
    assert gone == [[], []]
    assert hidden == figures
    assert not LEGEND.search(told(at))
    assert len(rows_of(told(at))) == 1  # the table stays


def worklist_data(at):
    (component,) = (
        c for c in at.get("bidi_component") if c.proto.component_name == "ecgdash_worklist"
    )
    return json.loads(component.proto.json)


def test_the_worklist_shows_it_in_a_column_of_its_own_until_it_is_removed(both, tmp_path):
    data = worklist_data(both.open())
    assert "Other models (own definitions)" in [column["title"] for column in data["columns"]]
    ((row,),) = [group["rows"] for group in data["groups"]]
    (one,) = row["others"]["rows"]
    assert (one["label"], one["value"], one["side"], one["threshold"]) == (
        "LVEF < 50\N{NO-BREAK SPACE}%",
        "0.77",
        "above",
        "0.27",
    )
    assert "0.77" not in json.dumps({**row, "others": None})

    handmade_store.write_cards(tmp_path / "models", [FIRST])
    alone = worklist_data(both.open())
    assert not alone["others"]
    ((row_alone,),) = [group["rows"] for group in alone["groups"]]
    assert {**row_alone, "others": None} == {**row, "others": None}


def test_the_download_holds_it_as_json_in_one_column(both):
    query = WorklistQuery(show_folded=True)
    read = csv.DictReader(
        io.StringIO(worklist_csv(both.store, query, [FIRST, external_card()]).decode())
    )
    (row,) = read
    (one,) = json.loads(row["other_scores"])
    assert one["family"] == "handmade-lvef50"
    assert (one["title"], one["label"]) == ("Network of others", "LVEF < 50 %")
    assert (one["score"], one["threshold"]) == (pytest.approx(0.7712), 0.268)
    assert one["ecg_at"] == row["last_ecg_at"]
    assert (one["lead_set"], one["variant"]) == ("12", UNCALIBRATED)
    removed = csv.DictReader(io.StringIO(worklist_csv(both.store, query, [FIRST]).decode()))
    assert [row["other_scores"] for row in removed] == ["[]"]


def with_spec(models, family):
    """Lay a published spec beside the last family of the manifest."""
    raw = (Path(__file__).resolve().parents[2] / "specs" / "heartwise-lvef50.toml").read_bytes()
    (models / family / "spec.toml").write_bytes(raw)
    with (models / "manifest.toml").open("a") as manifest:
        manifest.write(f'spec = "spec.toml"\nspec_sha256 = "{sha256(raw).hexdigest()}"\n')


def test_a_sheets_foot_tells_the_input_of_the_family_that_is_shown(empty_site, tmp_path):
    site = filled(empty_site, tmp_path, [external_card()])
    key = site.keys["HM-1"]
    ecg = site.store.ecgs_of(key)[-1].key
    told_before = opened(blocks_of(site.open("pages/ecg.py", patient=key, ecg=ecg))[0])[0]["foot"]
    assert "model input" not in told_before  # its spec is not there
    with_spec(tmp_path / "models", "handmade-lvef50")
    at = site.open("pages/ecg.py", patient=key, ecg=ecg)
    assert not at.error
    told_after = opened(blocks_of(at)[0])[0]["foot"]
    expected = "model input 10 s at 250 Hz, no band-pass, amplitude scaled by lead I"
    assert expected in told_after
    assert "0.67" not in told_after


def test_the_lines_of_the_document_read_the_download_into_pandas(both, tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "external-models.md").read_text()
    (lines,) = re.findall(r"```python\n(.*?)```", page, re.S)
    monkeypatch.chdir(tmp_path)
    query = WorklistQuery(show_folded=True)
    Path("ecgdash_worklist_research_use_only.csv").write_bytes(
        worklist_csv(both.store, query, [FIRST, external_card()])
    )
    names = {}
    exec(lines, names)
    (found,) = names["others"].to_dict("records")
    assert (found["patient"], found["family"]) == ("HM-1", "handmade-lvef50")
    assert (found["score"], found["threshold"]) == (pytest.approx(0.7712), 0.268)


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
