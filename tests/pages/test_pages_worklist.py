import csv
import io
import json

from page_driver import told

from ecgdash.services.monitoring import WorklistQuery
from ecgdash.ui.words import FLAG_WORDS
from ecgdash.ui.worklist_page import worklist_csv


def rows(at):
    """Return the rows that the worklist component was given, by code."""
    (component,) = (
        c for c in at.get("bidi_component") if c.proto.component_name == "ecgdash_worklist"
    )
    data = json.loads(component.proto.json)
    return {row["code"]: (group["title"], row) for group in data["groups"] for row in group["rows"]}


def test_counts_come_from_the_table(site):
    at = site.open()
    assert not at.exception
    shown = rows(at)
    groups = [title for title, _ in shown.values()]
    assert "8 patients · <b>2 need action</b> · 1 to repeat" in told(at)
    assert groups.count("Needs action") == 2
    assert groups.count("Repeat") == 1
    assert set(shown) == set(site.keys)


def test_a_row_tells_score_change_and_step(site):
    title, row = rows(site.open())["HM-0102"]
    assert title == "Needs action"
    assert row["act"]
    assert (row["value"], row["side"], row["threshold"]) == ("0.31", "above", "0.08")
    card = "models?family=handmade-12&variant=recalibrated"
    assert row["change"] == {
        "words": "▲ 0.03 → 0.31",
        "verdict": "beyond noise",
        "strong": True,
        "card": card,
    }
    assert row["card"] == card
    assert row["step"] == "Echo suggested"
    assert row["href"] == f"patient?patient={site.keys['HM-0102']}"
    assert "HM-0102" not in row["href"]
    assert row["flags"] == ["LBBB", "QRS > 140 ms", "Long QTc"]


def test_weak_evidence_and_no_score_are_said(site):
    shown = rows(site.open())
    assert shown["HM-0311"][1]["weak"] == "weak evidence in LBBB"
    assert shown["HM-0276"][1]["no_score"] == "No score: lead V2 is flat for 10.0 s"
    assert shown["HM-0204"][1]["no_score"] == "No score: paced rhythm"
    assert shown["HM-0500"][1]["when"] == "undated"


def test_find(site):
    at = site.open()
    at.text_input[0].input("0102").run()
    assert set(rows(at)) == {"HM-0102"}
    assert "1 match the filters" in told(at)
    at.text_input[0].input("nobody").run()
    assert "No patient matches" in told(at)


def test_a_filter_that_everybody_meets_is_counted_too(site):
    at = site.open()
    assert "match the filters" not in told(at)
    at.text_input[0].input("HM-").run()
    assert "8 match the filters" in told(at)


def test_order_without_groups(site):
    at = site.open()
    at.selectbox[0].select("patient").run()
    shown = rows(at)
    assert list(shown) == sorted(shown)
    assert {title for title, _ in shown.values()} == {""}


def test_filters(site):
    at = site.open()
    at.session_state["filter_flags"] = ["AFIB"]
    at.run()
    assert set(rows(at)) == {"HM-0276"}
    at.session_state["filter_flags"] = []
    at.session_state["filter_change"] = "fall"
    at.run()
    assert set(rows(at)) == {"HM-0150"}


def test_several_flags_mean_all_of_them_and_the_counts_follow(site):
    at = site.open()
    at.session_state["filter_flags"] = ["LBBB"]
    at.run()
    assert set(rows(at)) == {"HM-0102", "HM-0311"}
    assert "2 match the filters" in told(at)
    at.session_state["filter_flags"] = ["LBBB", "QRS>140"]
    at.run()
    assert set(rows(at)) == {"HM-0102"}
    assert "<b>1 need action</b> · 0 to repeat" in told(at)
    assert "1 match the filters" in told(at)
    at.session_state["filter_flags"] = ["LBBB", "AFIB"]
    at.run()
    assert "No patient matches" in told(at)


def test_every_flag_that_a_page_can_show_has_a_pill(site):
    pills = site.open().get("button_group")[0]
    assert set(FLAG_WORDS.values()) == set(pills.options)


def test_many_filters_are_counted_on_the_button(site):
    at = site.open()
    at.session_state["filter_flags"] = ["LBBB", "AFIB", "CKD", "DM", "IHD"]
    at.run()
    (popover,) = at.get("popover")
    assert popover.proto.popover.label == "Filters: AFIB or flutter, LBBB, IHD, +2"


def test_csv_holds_every_match_and_the_notice(site):
    text = worklist_csv(site.store, WorklistQuery()).decode()
    table = list(csv.DictReader(io.StringIO(text)))
    assert {row["patient"] for row in table} == set(site.keys)
    assert all(row["notice"].startswith("Research use only") for row in table)
    (rises,) = [row for row in table if row["patient"] == "HM-0102"]
    assert float(rises["score"]) == 0.31
    assert rises["change_beyond_noise"] == "True"


def test_empty_store_offers_the_two_ways(empty_site):
    at = empty_site.open()
    assert not at.exception
    assert "Nothing is stored here yet" in told(at)
    assert [button.label for button in at.button] == ["Open the simulated patients", "Import ECGs"]
    assert "ed-banner" not in told(at)


def test_missing_samples_are_one_sentence(empty_site, monkeypatch, tmp_path):
    monkeypatch.setenv("ECGDASH_SAMPLE_DIR", str(tmp_path / "none"))
    at = empty_site.open()
    at.button[0].click().run()
    assert not at.exception
    assert "no sample patients" in at.error[0].value
