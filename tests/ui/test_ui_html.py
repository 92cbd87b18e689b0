import re
from pathlib import Path

import pytest

from ecgdash.plots.scale import share
from ecgdash.plots.style import DARK, LIGHT
from ecgdash.ui import components, html
from ecgdash.ui.components import asset

EVIL = '<script>alert("x")</script>'


@pytest.mark.parametrize(
    "cell",
    [
        html.text(EVIL),
        html.text("ok", EVIL),
        html.bold(EVIL),
        html.small(EVIL),
        html.join("a", EVIL),
        html.chips([EVIL]),
        html.link(EVIL, "patient?patient=" + EVIL),
        html.table(EVIL, [html.Column(EVIL)], [[EVIL]]),
        html.card_link(EVIL, EVIL, EVIL),
        html.element("td", EVIL, data_label=EVIL, kind=EVIL),
    ],
)
def test_no_value_becomes_markup(cell):
    assert "<script" not in cell.html
    assert '"x"' not in cell.html


def test_element_names_its_attributes_as_html_does():
    cell = html.element("td", html.bold("1"), " & 2", kind="a", data_label="B", colspan=3, id="")
    assert cell.html == '<td class="a" data-label="B" colspan="3"><b>1</b> &amp; 2</td>'


def test_a_number_is_a_quiet_link_and_words_look_like_one():
    number = html.card_link("0.31", "deepecg-lvsd-12", "masked")
    assert 'class="ed-open ed-card"' in number.html
    assert 'href="models?family=deepecg-lvsd-12&amp;variant=masked"' in number.html
    assert 'title="Card of deepecg-lvsd-12, LVEF-masked"' in number.html
    assert "tabindex" not in number.html
    assert 'tabindex="-1"' in html.card_link("0.31", "f", "masked", quiet=True).html
    assert 'class="ed-open ed-word"' in html.card_link("Model card", "f").html
    assert html.card_link(html.bold("0.31"), None, "masked") == html.bold("0.31")


def test_a_table_marks_the_rows_that_a_link_led_to():
    shown = html.table("t", [html.Column("a")], [["1"], ["2"], ["3"]], marked=[1]).html
    assert re.findall(r"<tr( class=\"ed-marked\")?><td", shown) == ["", ' class="ed-marked"', ""]


def test_bar_places_mark_and_threshold_on_one_scale():
    bar = html.threshold_bar(0.31, 0.08, "recalibrated").html
    places = [
        float(v) / 100
        for v in re.findall(r'class="(?:threshold|mark)[^"]*" style="left:([\d.]+)%', bar)
    ]
    assert places == pytest.approx([share(0.08), share(0.31)], abs=1e-4)
    assert 'aria-label="score 0.31, threshold 0.08"' in bar
    assert "ed-circle" in bar
    assert "ed-recalibrated" in bar


def test_push_bar_lowers_to_the_left():
    left = html.push_bar(-1.0, 2.0).html
    right = html.push_bar(2.0, 2.0).html
    assert "left:25.00%;width:25.00%" in left
    assert "left:50.00%;width:50.00%" in right
    assert "lowers the logit by 1.00" in left
    assert "width:0.00%" in html.push_bar(0.0, 0.0).html


def test_interval_mark_covers_the_interval():
    mark = html.interval_mark(0.18, 0.14, 0.24, "uncalibrated").html
    assert "left:14.00%;width:10.00%" in mark
    assert "0.18, 95 % interval 0.14 to 0.24" in mark


def test_table_labels_every_cell_for_the_phone():
    table = html.table("T", [html.Column("A", "lead"), html.Column("B")], [["1", "2"]]).html
    assert '<td class="lead">1</td><td class="" data-label="B">2</td>' in table
    with pytest.raises(ValueError, match="zip"):
        html.table("T", [html.Column("A")], [["1", "2"]])


def test_style_sheet_pairs_every_token():
    sheet = html.style_sheet().html
    assert f"--ed-ink:light-dark({LIGHT.ink},{DARK.ink});" in sheet
    used = set()
    for name in ("page.css", "worklist.css", "viewer.css", "print.css", "worklist.js"):
        used |= set(re.findall(r"var\(--ed-([a-z_]+)\)", asset(name)))
    assert used
    assert all(f"--ed-{token}:" in sheet for token in used)


SCRIPTS = sorted(path.name for path in Path(components.__file__).parent.glob("*.js"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_never_write_markup_nor_call_out(name):
    script = asset(name)
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "fetch(", "import "):
        assert word not in script
    hosts = set(re.findall(r"https?://[^\"'\s]+", script))
    assert hosts <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize(
    ("value", "safe"), [("=1+1", "'=1+1"), ("SIM-1", "SIM-1"), ("-x", "'-x"), ("", "")]
)
def test_csv_safe(value, safe):
    assert html.csv_safe(value) == safe
