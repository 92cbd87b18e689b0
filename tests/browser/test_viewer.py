"""The ECG viewer in a real browser, on square waves of known height and time.

Expected positions are worked out by hand from millimetres per second and per millivolt, at
96 pixels and 25.4 mm per inch, which is what CSS defines an inch as.
"""

import contextlib
import itertools
import math
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
import zlib
from pathlib import Path

import pytest
from defusedxml.ElementTree import parse
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
PX_PER_MM = 96 / 25.4
LEFT_MM = 10.0
FIRST_MV, STEP_MV = 1.0, 0.05
"""Of viewer_page.py: height of the first lead, and of each further one above the last."""
DARK = """(canvas, [x, y, width, height]) => {
  const { data } = canvas.getContext("2d").getImageData(x, y, width, height);
  const found = [];
  for (let i = 0; i < width * height; i += 1) {
    const light = data[4 * i] + data[4 * i + 1] + data[4 * i + 2];
    if (light < 560) found.push([x + i % width, y + Math.floor(i / width), 765 - light]);
  }
  return found;
}"""
"""The grid's darkest lines have 601 of 765; the trace has 60."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    page = Path(__file__).with_name("viewer_page.py")
    log = (tmp_path_factory.mktemp("viewer") / "server.log").open("w")
    command = [sys.executable, "-m", "streamlit", "run", str(page), "--server.port", str(port)]
    running = subprocess.Popen(
        [*command, "--server.headless", "true"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, running)
        yield url
    finally:
        running.terminate()
        running.wait(timeout=20)
        log.close()


def _wait_for(url, running):
    for _ in range(200):
        assert running.poll() is None, "the server ended at once"
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError("no answer within 60 s")


@pytest.fixture
def show(server, browser):
    """Return a function that opens a case of viewer_page.py in a browser context of its own."""
    contexts = []

    def open_case(case, width=1440, **settings):
        context = browser.new_context(viewport={"width": width, "height": 1000}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(f"{server}/?case={case}")
        page.locator(".ev[data-drawn]").first.wait_for()
        return page

    yield open_case
    for context in contexts:
        for page in context.pages:
            assert page.errors == []
        context.close()


def press(page, name):
    page.locator(".ev").get_by_role("button", name=name, exact=True).click()


class Picture:
    """The saved SVG, read back by an XML parser."""

    def __init__(self, page, folder):
        with page.expect_download() as waiting:
            press(page, "Save SVG of this sheet, in millimetres")
        assert waiting.value.suggested_filename == "ecg.svg"
        path = folder / "ecg.svg"
        waiting.value.save_as(path)
        self.root = parse(path).getroot()
        self.nodes = list(self.root.iter())
        self.words = [node.text for node in self.nodes if node.tag.endswith("text")]

    def paths(self, part, lead=None):
        found = [node for node in self.nodes if node.get("data-part") == part]
        return [node for node in found if lead in (None, node.get("data-lead"))]

    def points(self, part, lead=None, index=0):
        return coordinates(self.paths(part, lead)[index])


def coordinates(path):
    numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", path.get("d"))]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def clusters(pixels, axis):
    """Return the centres of the lines that a scan crosses, weighted by darkness."""
    centres, group = [], []
    for pixel in sorted(pixels, key=lambda pixel: pixel[axis]):
        if group and pixel[axis] - group[-1][axis] > 1.5:
            centres.append(group)
            group = []
        group.append(pixel)
    groups = [*centres, group] if group else centres
    return [sum(p[axis] * p[2] for p in g) / sum(p[2] for p in g) + 0.5 for g in groups]


@pytest.mark.parametrize("speed", [12.5, 25, 50])
@pytest.mark.parametrize("gain", [5, 10, 20])
def test_pixels_per_second_and_per_millivolt(show, gain, speed):
    page = show("one")
    press(page, f"{speed:g}")
    press(page, f"{gain:g}")
    canvas = page.locator(".ev canvas")
    px_s, px_mv = speed * PX_PER_MM, gain * PX_PER_MM
    left = (LEFT_MM + max(0.0, 0.2 * speed - 5)) * PX_PER_MM

    def crossed(seconds):
        column = canvas.evaluate(DARK, [round(left + seconds * px_s), 0, 1, 200])
        return clusters(column, 1)[0]

    high, low = crossed(0.75), crossed(1.25)
    assert low - high == pytest.approx(FIRST_MV * px_mv, abs=1.0)
    # Over the whole row: up at 0.5 s, 1.5 s ... 9.5 s, and down between.
    middle = [round(left + 0.1 * px_s), round((high + low) / 2), round(9.8 * px_s), 1]
    edges = clusters(canvas.evaluate(DARK, middle), 0)
    # The level changes between two samples of 2 ms.
    assert edges == pytest.approx([left + (0.5 * k - 0.001) * px_s for k in range(1, 20)], abs=1.0)
    assert edges[-1] - edges[0] == pytest.approx(9.0 * px_s, abs=1.0)


@pytest.mark.parametrize(("speed", "gain"), [(12.5, 5), (25, 10), (50, 20)])
def test_the_picture_holds_the_same_coordinates_and_a_pulse_of_1_mv(show, tmp_path, speed, gain):
    page = show("twelve")
    press(page, f"{speed:g}")
    press(page, f"{gain:g}")
    picture = Picture(page, tmp_path)
    left = LEFT_MM + max(0.0, 0.2 * speed - 5)
    assert picture.root.get("width") == f"{left + 10 * speed + 2:g}mm"
    # V5: fourth column, second row; it starts at 7.5 s, on the high level.
    v5 = picture.points("trace", "V5")
    assert v5[0][0] == pytest.approx(left + 7.5 * speed, abs=0.002)
    assert v5[-1][0] == pytest.approx(left + (10 - 0.002) * speed, abs=0.002)
    height = max(y for _, y in v5) - min(y for _, y in v5)
    assert height == pytest.approx((FIRST_MV + 10 * STEP_MV) * gain, abs=0.002)
    pulses = [coordinates(path) for path in picture.paths("pulse")]
    assert len(pulses) == 4
    for pulse in pulses:
        assert pulse[3][0] - pulse[2][0] == pytest.approx(0.2 * speed)
        assert pulse[1][1] - pulse[2][1] == pytest.approx(gain)
    assert f"{speed:g} mm/s   {gain:g} mm/mV" in picture.words
    # The canvas shows the strip where the picture has it.
    baseline = max(y for _, y in picture.points("trace", "II", index=1))
    x = round((left + 9.25 * speed) * PX_PER_MM)
    top = round((baseline - 3) * PX_PER_MM)
    found = clusters(page.locator(".ev canvas").evaluate(DARK, [x, top, 1, 22]), 1)
    assert found == pytest.approx([baseline * PX_PER_MM], abs=1.0)


def test_a_standard_sheet_is_262_by_126_mm_or_a_line_more(show, tmp_path):
    page = show("twelve")
    box = page.locator(".ev canvas").bounding_box()
    assert box["width"] == pytest.approx(262 * PX_PER_MM, abs=1)
    picture = Picture(page, tmp_path)
    # 8 mm of title above; the words below may need a second line.
    height = float(picture.root.get("height").removesuffix("mm")) - 8
    assert height in (126, 131)
    assert picture.words[0] == "12 Nov 2026, 09:14, woman, 71 y"
    assert "Research use only" in picture.words
    assert "SIMULATED" not in picture.words


def test_words_of_the_file_keep_their_places_in_any_typeface(show, tmp_path):
    picture = Picture(show("colour"), tmp_path)
    lines = {}
    for node in picture.nodes:
        if node.tag.endswith("text") and float(node.get("y")) > 120:
            start = float(node.get("x"))
            words = (start, start + float(node.get("textLength")))
            lines.setdefault(node.get("y"), []).append(words)
    assert len(lines) == 2
    for line in lines.values():
        line.sort()
        assert all(end < start for (_, end), (start, _) in itertools.pairwise(line))
        assert line[-1][1] < 262


def test_columns_are_marked_as_consecutive(show, tmp_path):
    picture = Picture(show("twelve"), tmp_path)
    ticks = {coordinates(path)[0][0] for path in picture.paths("tick")}
    assert ticks == {10.0, 72.5, 135.0, 197.5}
    assert len(picture.paths("tick")) == 12
    assert "3 × 4 + 1, columns are consecutive 2.5 s" in picture.words
    # One time axis: at each tick one lead ends within a sample of where the next begins.
    end, begin = picture.points("trace", "I")[-1], picture.points("trace", "aVR")[0]
    assert begin[0] - end[0] == pytest.approx(0.002 * 25, abs=0.002)


def test_cabrera_turns_avr_round(show, tmp_path):
    page = show("six")
    page.locator(".ev").get_by_label("Layout").select_option("cabrera-6x1")
    picture = Picture(page, tmp_path)
    traces = picture.paths("trace")
    assert [t.get("data-lead") for t in traces] == ["aVL", "I", "−aVR", "II", "aVF", "III"]
    for trace in traces:
        y = [y for _, y in coordinates(trace)]
        # Every wave starts at 0 mV and goes up, but for the lead that is turned round.
        rises = y[0] - min(y) > 5
        assert rises == (trace.get("data-lead") != "−aVR")


@pytest.mark.parametrize(
    ("case", "names", "rows"),
    [
        ("six", ["I", "II", "III", "aVR", "aVL", "aVF"], 6),
        ("one", ["I", "I", "I"], 3),
        ("three", ["II", "V1", "V5"], 3),
    ],
)
def test_other_lead_sets(show, tmp_path, case, names, rows):
    picture = Picture(show(case), tmp_path)
    assert [t.get("data-lead") for t in picture.paths("trace")] == names
    assert len(picture.paths("pulse")) == rows


def test_the_rhythm_strip_can_be_another_lead(show, tmp_path):
    page = show("twelve")
    page.locator(".ev").get_by_label("Rhythm strip").select_option("V5")
    strip = Picture(page, tmp_path).paths("trace")[-1]
    assert strip.get("data-lead") == "V5"
    assert coordinates(strip)[-1][0] == pytest.approx(10 + 9.998 * 25, abs=0.002)


def test_arbitrary_units_have_neither_pulse_nor_millivolts(show, tmp_path):
    page = show("arbitrary")
    picture = Picture(page, tmp_path)
    assert picture.paths("pulse") == []
    assert "25 mm/s   arbitrary units, 10 mm each" in picture.words
    press(page, "Calipers")
    readout = page.locator(".ev .readout")
    expect(readout).to_contain_text("in arbitrary units")
    expect(readout).not_to_contain_text("mV")


def test_a_calibrated_screen_scales_everything(show):
    page = show("twelve")
    canvas = page.locator(".ev canvas")
    before = canvas.bounding_box()
    press(page, "Screen size: fit a bank card")
    outline = page.locator(".ev .outline")
    box = outline.bounding_box()
    # ISO/IEC 7810 ID-1.
    assert box["width"] == pytest.approx(85.60 * PX_PER_MM, abs=0.5)
    assert box["height"] == pytest.approx(53.98 * PX_PER_MM, abs=0.5)
    for _ in range(40):
        page.keyboard.press("+")
    wider = outline.bounding_box()["width"] / 85.60
    assert wider == pytest.approx(PX_PER_MM + 40 * 0.005, abs=0.006)
    press(page, "Use this size")
    after = canvas.bounding_box()
    assert after["width"] / before["width"] == pytest.approx(wider / PX_PER_MM, rel=1e-3)
    page.reload()
    page.locator(".ev[data-drawn]").wait_for()
    assert canvas.bounding_box()["width"] == pytest.approx(after["width"])
    press(page, "Screen size: fit a bank card")
    press(page, "Reset to 96 pixels per inch")
    assert canvas.bounding_box()["width"] == pytest.approx(before["width"])


def test_zoom_and_fit_to_width(show):
    page = show("twelve", width=900)
    canvas = page.locator(".ev canvas")
    press(page, "Larger")
    assert canvas.bounding_box()["width"] == pytest.approx(1.25 * 262 * PX_PER_MM, abs=1)
    press(page, "Fit to width")
    scroll = page.locator(".ev .scroll")
    width, inner = scroll.evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert width <= inner
    assert canvas.bounding_box()["width"] == pytest.approx(inner, abs=2)
    page.reload()
    page.locator(".ev[data-drawn]").wait_for()
    assert canvas.bounding_box()["width"] == pytest.approx(inner, abs=2)


def drag_points(page, row_mm=19.0):
    """Return a function from seconds and millivolts in the first row to page coordinates."""
    box = page.locator(".ev canvas").bounding_box()

    def at(seconds, millivolts):
        x_mm, y_mm = LEFT_MM + seconds * 25, row_mm - millivolts * 10
        return box["x"] + x_mm * PX_PER_MM, box["y"] + y_mm * PX_PER_MM

    return at


def readout_numbers(page):
    words = page.locator(".ev .readout").inner_text()
    told = re.search(r"Δt (\d+) ms · (\d+)/min · ΔV (−?[\d.]+) mV", words)
    assert told, words
    return int(told[1]), int(told[2]), float(told[3].replace("−", "-"))


ONE_PX_MS = 1000 / (25 * PX_PER_MM)
ONE_PX_MV = 1 / (10 * PX_PER_MM)


def test_calipers_by_mouse_read_the_known_wave(show):
    page = show("twelve")
    press(page, "Calipers")
    at = drag_points(page)
    # Lead I goes up by 1 mV at 0.5 s, and again at 1.5 s.
    page.mouse.move(*at(0.5, 0.0))
    page.mouse.down()
    page.mouse.move(*at(1.0, 0.5), steps=3)
    page.mouse.move(*at(1.5, 1.0), steps=3)
    page.mouse.up()
    span, rate, volts = readout_numbers(page)
    assert span == pytest.approx(1000, abs=2 * ONE_PX_MS)
    assert rate == pytest.approx(60, abs=2)
    assert volts == pytest.approx(1.0, abs=2 * ONE_PX_MV)
    expect(page.locator(".ev .readout")).to_contain_text("lead I")
    # A handle is dragged by where it is held, without a jump.
    handle = page.locator(".ev .handle[data-end=t2]").bounding_box()
    x, y = handle["x"] + 12, handle["y"] + 12
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 0.5 * 25 * PX_PER_MM, y, steps=4)
    page.mouse.up()
    assert readout_numbers(page)[0] == pytest.approx(span + 500, abs=2 * ONE_PX_MS)


def test_across_columns_the_time_is_true_and_the_leads_are_named(show):
    page = show("twelve")
    press(page, "Calipers")
    at = drag_points(page)
    page.mouse.move(*at(2.0, 0.0))
    page.mouse.down()
    page.mouse.move(*at(3.0, 0.0), steps=3)
    page.mouse.up()
    assert readout_numbers(page)[0] == pytest.approx(1000, abs=2 * ONE_PX_MS)
    expect(page.locator(".ev .readout")).to_contain_text("from I into aVR: consecutive columns")
    expect(page.locator(".ev .readout")).not_to_contain_text("QTc")


def test_calipers_by_keyboard(show):
    page = show("twelve")
    press(page, "Calipers")
    assert readout_numbers(page) == (800, 75, 1.0)
    handle = page.get_by_role("slider", name="Second time line")
    handle.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert readout_numbers(page)[0] == 820
    page.keyboard.press("Shift+ArrowLeft")
    assert readout_numbers(page)[0] == 800
    expect(handle).to_have_attribute("aria-valuetext", "1.200 s")
    page.get_by_role("slider", name="Second voltage line").focus()
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("ArrowDown")
    assert readout_numbers(page)[2] == pytest.approx(1.08)
    page.keyboard.press("Escape")
    expect(page.locator(".ev .handle").first).to_be_hidden()
    expect(page.locator(".ev .readout")).to_be_empty()
    expect(page.get_by_role("button", name="Calipers")).to_have_attribute("aria-pressed", "false")


def test_qtc_names_its_formulas(show):
    page = show("twelve")
    press(page, "Calipers")
    page.get_by_role("slider", name="Second time line").focus()
    for _ in range(22):
        page.keyboard.press("Shift+ArrowLeft")
    assert readout_numbers(page)[0] == 360
    # RR is 0.81 s: 360 / 0.9 = 400; 360 / 0.81^(1/3) = 360 / 0.93217 = 386.2.
    expect(page.locator(".ev .readout")).to_contain_text(
        "If this is QT: QTc (Bazett) 400 ms, QTc (Fridericia) 386 ms at RR 810 ms"
    )
    other = show("arbitrary")
    press(other, "Calipers")
    other.get_by_role("slider", name="Second time line").focus()
    for _ in range(22):
        other.keyboard.press("Shift+ArrowLeft")
    expect(other.locator(".ev .readout")).to_contain_text("no QTc, RR is not known")


def test_calipers_stay_on_their_wave_when_the_scale_changes(show):
    page = show("twelve")
    press(page, "Calipers")
    for name in ("50", "20", "Larger"):
        press(page, name)
        assert readout_numbers(page) == (800, 75, 1.0)
    x = page.locator(".ev .calipers line.time").first.get_attribute("x1")
    # 0.4 s at 50 mm/s and 125 %; the margin is 5 mm wider, with the pulse.
    assert float(x) == pytest.approx((15 + 0.4 * 50) * PX_PER_MM * 1.25, abs=0.01)


def test_march_out_repeats_the_interval_over_the_row(show):
    page = show("twelve")
    press(page, "Calipers")
    press(page, "March out: repeat the interval along the row")
    lines = page.locator(".ev .calipers line.march")
    # From 0.4 and 1.2 s in steps of 0.8 s: 2.0, 2.8 ... 10.0 s, and nothing before 0 s.
    expected = [LEFT_MM + 25 * (1.2 + 0.8 * k) for k in range(1, 12)]
    found = [float(line.get_attribute("x1")) / PX_PER_MM for line in lines.all()]
    assert found == pytest.approx(expected[: len(found)])
    assert math.isclose(len(found), 11, abs_tol=1)


def test_calipers_by_touch(show):
    page = show("twelve", has_touch=True)
    press(page, "Calipers")
    at = drag_points(page)
    fingers = page.context.new_cdp_session(page)

    def touch(kind, *points):
        touched = [{"x": x, "y": y} for x, y in points]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touched})

    touch("touchStart", at(0.5, 0.0))
    for share in (0.25, 0.5, 0.75, 1.0):
        touch("touchMove", at(0.5 + share, share))
    touch("touchEnd")
    span, _, volts = readout_numbers(page)
    assert span == pytest.approx(1000, abs=2 * ONE_PX_MS)
    assert volts == pytest.approx(1.0, abs=2 * ONE_PX_MV)


def test_a_long_recording_is_moved_through(show, tmp_path):
    page = show("long")
    bar = page.locator(".ev .time")
    expect(bar).to_contain_text("2.0 to 12.0 s of 60.0 s")
    page.get_by_role("slider", name="Start of the sheet in the recording").focus()
    page.keyboard.press("End")
    expect(bar).to_contain_text("4.0 to 14.0 s of 60.0 s")
    page.keyboard.press("Home")
    expect(bar).to_contain_text("0.0 to 10.0 s of 60.0 s")
    page.keyboard.press("ArrowRight")
    press(page, "1 s later")
    page.keyboard.press("Shift+Tab")
    box = page.locator(".ev canvas").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.keyboard.down("Shift")
    page.mouse.wheel(0, 50)
    page.keyboard.up("Shift")
    expect(bar).to_contain_text("2.5 to 12.5 s of 60.0 s")
    picture = Picture(page, tmp_path)
    assert "2.5 to 12.5 s of 60.0 s" in picture.words
    # At 2.5 s each wave is high; it falls at 3 s, half a second into the sheet.
    trace = picture.points("trace", "I")
    fall = next(x for x, y in trace if y > trace[0][1] + 5)
    assert fall == pytest.approx(10 + 0.5 * 25, abs=0.002)
    page.get_by_role("slider", name="Start of the sheet in the recording").focus()
    page.keyboard.press("PageUp")
    expect(bar).to_contain_text("0.0 to 10.0 s of 60.0 s")
    page.keyboard.press("PageDown")
    expect(bar).to_contain_text("4.0 to 14.0 s of 60.0 s")


def test_a_recording_as_long_as_the_sheet_has_no_time_bar(show):
    expect(show("twelve").locator(".ev .time")).to_be_hidden()


def test_colour_lies_beneath_the_trace_and_keeps_its_sign_without_colour(show, tmp_path):
    picture = Picture(show("colour"), tmp_path)
    kinds = [node.get("data-part") for node in picture.nodes if node.get("data-part")]
    last_band = max(i for i, kind in enumerate(kinds) if kind in ("raises", "lowers"))
    assert last_band < kinds.index("trace")
    raises, lowers = picture.paths("raises", "II"), picture.paths("lowers", "II")
    assert raises
    assert lowers
    assert {node.get("stroke-dasharray") for node in raises} == {None}
    px = 25.4 / 96
    share = round(0.043 / 0.05 * 127) / 127
    assert float(raises[0].get("stroke-width")) == pytest.approx((3 + 4 * share) * px, abs=1e-3)
    assert float(raises[0].get("stroke-opacity")) == pytest.approx(0.25 + 0.4 * share, abs=1e-3)
    dashes = [float(n) for n in lowers[0].get("stroke-dasharray").split()]
    assert dashes == pytest.approx([6 * px, 4 * px], abs=1e-3)
    # Colour reaches from 2 to 8 s: nothing where the map has no value.
    strip = [p for node in (*raises, *lowers) for p in coordinates(node)]
    assert min(x for x, _ in strip) == pytest.approx(10 + 2 * 25, abs=0.06)
    assert max(x for x, _ in strip) == pytest.approx(10 + 8 * 25, abs=0.06)
    for words in (
        "What moved the recalibrated score since 28 Jan 2025",
        "lowers ≤ −0.05 (broken)",
        "≥ +0.05 raises (solid), logit per 40 ms",
        "Supporting evidence only",
        "SIMULATED",
    ):
        assert words in picture.words


def test_the_legend_bar_stays_between_its_words(show, tmp_path):
    page = show("colour")
    press(page, "12.5")
    picture = Picture(page, tmp_path)
    at = {
        n.text: (float(n.get("x")), float(n.get("y")))
        for n in picture.nodes
        if n.tag.endswith("text")
    }
    lowers, raises = (
        at["lowers ≤ −0.05 (broken)"],
        at["≥ +0.05 raises (solid), logit per 40 ms"],
    )
    bar = [p for node in picture.paths("legend") for p in coordinates(node)]
    assert lowers[1] == raises[1]
    assert lowers[0] < min(x for x, _ in bar) < max(x for x, _ in bar) < raises[0]
    assert all(abs(y - lowers[1]) < 2 for _, y in bar)


def test_dashes_run_on_by_path_length(show, tmp_path):
    picture = Picture(show("colour"), tmp_path)
    # The strip of lead II comes after its column: the last run of twelve steps in a row.
    run = picture.paths("lowers", "II")[-12:]
    travelled = 0.0
    for node in run:
        assert float(node.get("stroke-dashoffset")) == pytest.approx(travelled, abs=0.05)
        points = coordinates(node)
        travelled += sum(math.dist(a, b) for a, b in zip(points, points[1:], strict=False))
    # By time alone it would be 12 steps of 1 mm; an edge of 10.5 mm lies in it.
    assert travelled > 20


def test_print_is_drawn_as_vectors(show):
    page = show("twelve")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    expect(page.locator(".ev .paper > svg")).to_have_attribute("width", "262mm")
    expect(page.locator(".ev canvas")).to_be_hidden()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    expect(page.locator(".ev .paper > svg")).to_have_count(0)
    expect(page.locator(".ev canvas")).to_be_visible()


def test_a_printed_millimetre_is_a_millimetre(show):
    page = show("twelve")
    pdf = page.pdf(width="420mm", height="297mm")
    content = b""
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        with contextlib.suppress(zlib.error):
            content = max(content, zlib.decompress(stream), key=len)
    assert b"/Subtype /Image" not in pdf
    # PDF counts in points of 1/72 inch: the picture's millimetres are scaled by the product of
    # the page's own matrix and the one within.
    matrices = [float(m) for m in re.findall(rb"([\d.]+) 0 0 -?[\d.]+ \S+ \S+ cm", content)]
    points = {round(matrices[0] * m, 3) for m in matrices[1:]}
    assert any(p == pytest.approx(72 / 25.4, rel=1e-3) for p in points), points


def test_new_data_keeps_the_readers_choices_and_place(show, tmp_path):
    page = show("long")
    press(page, "20")
    press(page, "1 s later")
    press(page, "Calipers")
    before = float(page.locator(".ev").get_attribute("data-drawn"))
    page.locator("label", has_text="Invert").click()
    drawn = page.locator(".ev")
    page.wait_for_function(
        "b => [...document.querySelectorAll('*')].some(e => {"
        " const ev = (e.shadowRoot || e).querySelector('.ev[data-drawn]');"
        " return ev && Number(ev.dataset.drawn) > b; })",
        arg=before,
    )
    expect(drawn.locator("canvas")).to_have_count(1)
    expect(drawn.get_by_role("toolbar")).to_have_count(1)
    assert readout_numbers(page) == (800, 75, 1.0)
    picture = Picture(page, tmp_path)
    assert "25 mm/s   20 mm/mV" in picture.words
    assert "3.0 to 13.0 s of 60.0 s" in picture.words
    trace = picture.points("trace", "I")
    assert max(y for _, y in trace) - trace[0][1] == pytest.approx(20, abs=0.01)


def test_on_a_phone_the_paper_scrolls_and_the_tools_wrap(show):
    page = show("twelve", width=390)
    width, inner = page.locator(".ev .scroll").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert width > 262 * PX_PER_MM - 2 > inner
    bar = page.get_by_role("toolbar", name="ECG paper").bounding_box()
    assert bar["x"] + bar["width"] <= 390
    for button in page.locator(".ev .bar button:visible, .ev .bar select:visible").all():
        box = button.bounding_box()
        assert min(box["height"], box["width"]) >= 24
        assert box["x"] + box["width"] <= 390


def test_type_keeps_its_size_where_the_sheet_is_shown_smaller(show):
    page = show("six")
    heights = {}
    for zoom, wanted in ((1.0, None), (0.5, 0.5)):
        while wanted and float(page.locator(".ev").get_attribute("data-px-per-mm")) > 1.9:
            press(page, "Smaller")
        # The name of lead I stands 11 mm above 0 mV of the first row, right of the margin.
        scale = PX_PER_MM * zoom
        area = [round(12 * scale), 0, 6, round(8.5 * scale)]
        pixels = page.locator(".ev canvas").evaluate(DARK, area)
        heights[zoom] = max(p[1] for p in pixels) - min(p[1] for p in pixels) + 1
    assert heights[0.5] == pytest.approx(heights[1.0], abs=2)


def test_a_trace_that_leaves_the_paper_is_told(show, tmp_path):
    picture = Picture(show("spike"), tmp_path)
    assert "The trace leaves the paper" in picture.words
    height = float(picture.root.get("height").removesuffix("mm"))
    # 160 mm of paper are added at most, where 30 mV would ask for 300.
    assert 160 < height < 260


def test_two_sheets_side_by_side_keep_one_scale(show):
    page = show("twelve&beside=1")
    sheets = page.locator(".ev canvas")
    expect(sheets).to_have_count(2)
    page.locator(".ev").nth(1).get_by_role("button", name="50", exact=True).click()
    widths = [canvas.bounding_box()["width"] for canvas in sheets.all()]
    assert widths == pytest.approx([517 * PX_PER_MM] * 2, abs=1)


def test_arrows_lead_along_the_tools(show):
    page = show("twelve")
    page.locator(".ev").get_by_role("button", name="12.5", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".ev").get_by_role("button", name="50", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )


def test_the_sheet_is_told_in_words(show):
    page = show("twelve")
    expect(page.get_by_role("img", name="Square waves of 1 s")).to_be_visible()
    assert page.locator(".ev").get_attribute("data-key") == "waves-12-10"


def test_median_beats_lie_on_one_another(show):
    page = show("beats")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    svg = page.locator(".ev svg")
    svg.wait_for()
    order = svg.locator("path").evaluate_all("p => p.map(e => e.dataset.part)")
    assert order[2:] == ["earlier"] * 12 + ["now"] * 12
    told = svg.locator("path[data-part=now]").first
    points = [tuple(map(float, p.split())) for p in told.get_attribute("d")[1:].split("L")]
    x, y = zip(*points, strict=True)
    # The first beat is 1 mV high, R at 0.3 s of 0.8 s, at 10 mm/mV and 50 mm/s.
    assert max(y) - min(y) == pytest.approx(10.0, abs=0.01)
    assert x[y.index(min(y))] - x[0] == pytest.approx(0.3 * 50, abs=0.01)
    px = 25.4 / 96
    widths = [
        svg.locator(f"path[data-part={part}]").first.get_attribute("stroke-width")
        for part in ("earlier", "now")
    ]
    assert [float(w) for w in widths] == pytest.approx([2.8 * px, 1.15 * px], abs=1e-3)
    words = svg.locator("text").all_text_contents()
    assert "Black: 12 Nov 2026. Grey, thicker: 28 Jan 2025." in words
    assert "50 mm/s   10 mm/mV" in words
