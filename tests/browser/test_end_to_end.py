"""From an empty store to a patient's plot, in a real browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ecgdash.domain import VariantScore
from ecgdash.plots.scale import share
from ecgdash.services.monitoring import WorklistQuery, timeline, worklist
from ecgdash.services.scoring import installed_cards
from ecgdash.settings import Settings
from ecgdash.store import open_store

pytestmark = pytest.mark.browser

FILL = "Open the simulated patients"
# Plotly keeps the data on the div; the hidden figure (for phones) has no width.
PLOTTED = """() => {
  const shown = [...document.querySelectorAll('.js-plotly-plot')].find((gd) => gd.offsetWidth > 0);
  return shown.data.filter((t) => t.meta && t.meta.variant).map((t) => ({
    variant: t.meta.variant, lead_set: t.meta.lead_set,
    points: t.customdata.map((c, i) => [c[0], c[1], t.y[i]]).filter((p) => p[0] !== null),
  }));
}"""


@pytest.fixture(scope="module")
def filled(app, browser):
    """Fill the store by the button, once; return the hosts that were asked meanwhile."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(120_000)
    hosts = set()
    errors = []
    page.on("request", lambda request: hosts.add(re.sub(r"^\w+://([^/]*).*", r"\1", request.url)))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(app.url)
    page.get_by_role("button", name=FILL).click()
    page.locator(".wl table").wait_for()
    context.close()
    return hosts, errors


@pytest.fixture(scope="module")
def store(app, filled):
    opened = open_store(app.database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def cards(app):
    return installed_cards(Settings(models_dir=app.models_dir))


def test_the_fill_asks_no_other_host_and_raises_nothing(app, filled):
    hosts, errors = filled
    own = app.url.removeprefix("http://")
    assert {host for host in hosts if not host.startswith(("data:", "blob:"))} == {own}
    assert errors == []


def test_the_worklist_shows_the_stores_rows(app, visit, store):
    page = visit(app.url)
    page.locator(".wl table").wait_for()
    expected = worklist(store, WorklistQuery())
    shown = page.locator(".wl td.patient a").all_text_contents()
    assert shown == [row.code for row in expected.rows]
    assert f"{store.n_patients()} patients" in page.locator(".ed-counts").inner_text()


def test_from_the_worklist_to_the_plot(app, visit, store, cards):
    page = visit(app.url)
    row = max(worklist(store, WorklistQuery()).rows, key=lambda r: r.n_ecgs * (r.value is not None))
    page.locator(".wl td.patient a", has_text=row.code).click()
    page.wait_for_url(f"**/patient?patient={row.key}")
    page.locator(".js-plotly-plot .scatterlayer").first.wait_for()
    assert page.locator("h1").inner_text() == row.code
    assert row.code not in page.url
    course = timeline(store, row.key, cards)
    expected = {
        (variant, point.lead_set, point.ecg): score.value
        for point in course.points
        for variant, score in point.scores.items()
        if isinstance(score, VariantScore)
    }
    page.wait_for_function(f"({PLOTTED})().length > 0")
    plotted = {}
    for trace in page.evaluate(PLOTTED):
        for ecg, score, _ in trace["points"]:
            plotted[trace["variant"], trace["lead_set"], ecg] = score
    assert len(expected) > 3
    assert plotted == expected


def test_a_deep_link_opens_on_a_new_session(app, visit, store):
    row = worklist(store, WorklistQuery()).rows[0]
    page = visit(f"{app.url}/patient?patient={row.key}")
    page.locator("h1", has_text=row.code).wait_for()


def test_back_link_and_ecg_link_stay_in_the_session(app, visit, store):
    row = next(r for r in worklist(store, WorklistQuery()).rows if r.value is not None)
    page = visit(f"{app.url}/patient?patient={row.key}")
    page.get_by_role("radio", name="uncalibrated").click()
    page.get_by_text("uses this ECG alone").wait_for()
    page.locator("a.ed-open", has_text="Open this ECG").click()
    page.locator("canvas").first.wait_for()
    page.locator("a.ed-back", has_text=row.code).click()
    page.wait_for_url("**/patient?**")
    page.get_by_text("uses this ECG alone").wait_for()
    page.locator("a.ed-back", has_text="Worklist").click()
    page.locator(".wl table").wait_for()


def test_a_click_on_a_point_opens_that_ecg(app, visit, store, cards):
    row = max(worklist(store, WorklistQuery()).rows, key=lambda r: r.n_ecgs * (r.value is not None))
    page = visit(f"{app.url}/patient?patient={row.key}")
    page.get_by_text("Latest ECG, ").first.wait_for()
    # The traces lie in drawing order; the uncalibrated one holds every scored ECG.
    trace = page.locator(".st-key-ed-plot-wide .scatterlayer .trace").first
    box = trace.locator(".points path").first.bounding_box()
    page.wait_for_timeout(500)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    course = timeline(store, row.key, cards)
    first = next(p for p in course.points if p.best_variant)
    page.wait_for_url(f"**/ecg?patient={row.key}&ecg={first.ecg}")
    expected = f"ECG, {first.recorded_at.day} {first.recorded_at:%b %Y, %H:%M}"
    page.locator("h1", has_text=expected).wait_for()
    # Back on the patient's page nothing switches again.
    page.locator("a.ed-back", has_text=row.code).click()
    page.get_by_text("Latest ECG, ").first.wait_for()
    page.wait_for_timeout(1000)
    assert "/patient?" in page.url


@pytest.mark.parametrize("width", [1440, 390])
def test_marks_of_the_threshold_bars_share_one_scale(app, visit, store, width):
    page = visit(app.url, width)
    page.locator(".wl svg.bar").first.wait_for()
    rows = [r for r in worklist(store, WorklistQuery()).rows if r.value is not None]
    bars = page.locator(".wl svg.bar")
    assert bars.count() == len(rows)
    for i, row in enumerate(rows):
        bar = bars.nth(i)
        box = bar.bounding_box()
        inner = box["width"] - 10
        for name, value in (("mark", row.value), ("threshold", row.threshold)):
            part = bar.locator(f".{name}").bounding_box()
            centre = part["x"] + part["width"] / 2 - box["x"]
            assert centre == pytest.approx(5 + inner * share(value), abs=1.0)


def test_a_phone_gets_cards_and_the_narrow_plot(app, visit, store):
    page = visit(app.url, 390)
    page.locator(".wl table").wait_for()
    assert not page.locator(".wl thead").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    row = next(r for r in worklist(store, WorklistQuery()).rows if r.value is not None)
    page.goto(f"{app.url}/patient?patient={row.key}")
    page.locator(".st-key-ed-plot-narrow .js-plotly-plot").wait_for()
    assert not page.locator(".st-key-ed-plot-wide").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_find_by_code(app, visit, store):
    page = visit(app.url)
    code = worklist(store, WorklistQuery()).rows[-1].code
    page.get_by_label("Find patient").fill(code)
    page.get_by_label("Find patient").press("Enter")
    expect(page.locator(".wl td.patient a")).to_have_text([code])
    expect(page.locator(".ed-counts")).to_contain_text("1 match")


def test_the_csv_is_the_worklist(app, visit, store):
    page = visit(app.url)
    page.locator(".wl table").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.count("\n") == worklist(store, WorklistQuery()).n_matching + 1


def test_print_is_one_page(app, visit, store):
    row = max(worklist(store, WorklistQuery()).rows, key=lambda r: r.n_ecgs)
    page = visit(f"{app.url}/patient?patient={row.key}")
    page.locator(".ed-foot").wait_for()
    page.wait_for_timeout(1000)
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
