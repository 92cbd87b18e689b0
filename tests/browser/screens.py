"""Takes pictures of a running app: `python screens.py URL FOLDER PATH...`, for looking at.

Each path is taken at 1440 and 390 pixels, light and dark.
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--headless=new"]


def take(url: str, folder: Path, paths: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for scheme in ("light", "dark"):
            for width in (1440, 390):
                context = browser.new_context(
                    viewport={"width": width, "height": 900}, color_scheme=scheme
                )
                page = context.new_page()
                errors = []
                page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
                for path in paths:
                    page.goto(f"{url}/{path}")
                    page.locator(".ed-foot").wait_for(timeout=60_000)
                    page.wait_for_timeout(1500)
                    height = page.evaluate(
                        "document.querySelector('.stMainBlockContainer').scrollHeight"
                    )
                    page.set_viewport_size({"width": width, "height": int(height) + 20})
                    page.wait_for_timeout(500)
                    name = path.split("?")[0] or "worklist"
                    page.screenshot(path=folder / f"{name}_{scheme}_{width}.png")
                    page.set_viewport_size({"width": width, "height": 900})
                sys.stdout.write("".join(f"{scheme} {width}: {e}\n" for e in errors))
                context.close()
        browser.close()


if __name__ == "__main__":
    take(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
