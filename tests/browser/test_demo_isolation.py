"""In demo mode one browser sees nothing of another, and the first fill is done once."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def demo(start_app):
    return start_app(ECGDASH_DEMO="1")


def test_one_browser_sees_nothing_of_another(demo, visit):
    first = visit(demo.url)
    first.get_by_text("Opening the simulated patients:").wait_for()
    second = visit(demo.url)
    # The second watches the first one's work, and neither fills twice.
    second.get_by_text("Opening the simulated patients:").wait_for()
    for page in (first, second):
        page.locator(".wl table").wait_for(timeout=120_000)
    codes = first.locator(".wl td.patient a").all_text_contents()
    assert second.locator(".wl td.patient a").all_text_contents() == codes
    assert len(set(codes)) == len(codes)

    first.get_by_label("Find patient").fill(codes[0])
    first.get_by_label("Find patient").press("Enter")
    expect(first.locator(".wl td.patient a")).to_have_text([codes[0]])
    first.locator(".wl td.patient a").click()
    first.get_by_role("radio", name="uncalibrated").click()
    first.get_by_text("uses this ECG alone").or_(first.get_by_text("does not exist")).wait_for()

    second.reload()
    second.locator(".wl table").wait_for()
    assert second.get_by_label("Find patient").input_value() == ""
    assert second.locator(".wl td.patient a").all_text_contents() == codes
    second.locator(".wl td.patient a", has_text=codes[0]).click()
    chosen = second.get_by_role("radio", name="uncalibrated")
    chosen.wait_for()
    assert chosen.get_attribute("aria-checked") == "false"


@pytest.mark.parametrize("path", ["import_data"])
def test_nothing_can_be_uploaded(demo, visit, path):
    page = visit(f"{demo.url}/{path}")
    page.get_by_text("import is closed").wait_for()
    assert page.locator("input[type=file]").count() == 0


def test_the_banner_says_simulated_on_every_page(demo, visit):
    for path in ("", "cohort", "models", "import_data"):
        page = visit(f"{demo.url}/{path}")
        page.locator(".ed-banner", has_text="Simulated patients and a model").wait_for()
