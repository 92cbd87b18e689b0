"""From the click on "Open this ECG" to the drawn trace, in headless Chromium on a warm server.

Run: python -m benchmarks.ecg_click [patients] [rounds]

Starts the app on a store filled with the simulated patients, opens patients' pages, clicks, and
waits until the viewer says that it has drawn. The change to the models page, which draws no ECG,
is timed in the same run the same way: its ratio is what an ECG costs beyond any page.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from statistics import median
from typing import Any

from playwright.sync_api import Page, sync_playwright

from ecgdash.plots.sheets import LARGEST_PAYLOAD_BYTES
from ecgdash.services.monitoring import WorklistQuery, worklist
from ecgdash.store import open_store

ROOT = Path(__file__).parents[1]
CHROMIUM = os.environ.get("CHROMIUM") or which("chromium") or which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--headless=new"]
START_LIMIT_S = 60
# Streamlit mounts version-2 components in shadow roots or not: both are searched.
WATCH = """(name) => {
  const sought = name;
  const all = (root) => [...root.querySelectorAll('*')].flatMap((n) =>
    n.shadowRoot ? [n, ...all(n.shadowRoot)] : [n]);
  window.edClicked = null;
  window.edShown = null;
  document.addEventListener('click', () => { window.edClicked ??= performance.now(); }, true);
  const look = () => {
    if (window.edClicked !== null) {
      const here = sought === 'ecg'
        ? all(document).some((n) => n.dataset?.drawn > window.edClicked)
        : [...document.querySelectorAll('h1')].some((n) => n.textContent.includes(sought));
      if (here) { window.edShown = performance.now() - window.edClicked; return; }
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


@contextmanager
def running_app(database_url: str) -> Iterator[str]:
    """Start the app; yield its address."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    options = ("--server.port", str(port), "--server.headless", "true")
    quiet = ("--server.fileWatcherType", "none")
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", *options, *quiet],
            cwd=ROOT,
            env={**os.environ, "ECGDASH_DATABASE_URL": database_url},
            stdout=log,
            stderr=log,
        )
        try:
            _wait(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait(url: str) -> None:
    end = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the app did not start")


def payload_sizes(page: Page) -> list[int]:
    """Return a list that fills with the sizes of what the server sends, bytes."""
    sizes: list[int] = []

    def on_socket(opened: Any) -> None:
        opened.on("framereceived", lambda frame: sizes.append(len(frame)))

    page.on("websocket", on_socket)
    return sizes


def timed(page: Page, sought: str, click: str) -> float:
    """Return the milliseconds from a click until what it opens is there."""
    page.evaluate(WATCH, sought)
    page.locator(click).first.click()
    page.wait_for_function("() => window.edShown !== null", timeout=60_000)
    return float(page.evaluate("() => window.edShown"))


def settle(page: Page) -> None:
    """Wait until the page stands and nothing runs any more."""
    page.locator(".ed-foot").wait_for(timeout=60_000)
    page.wait_for_timeout(1500)


def measure(url: str, patients: list[str], rounds: int) -> tuple[list[float], list[float], int]:
    """Return times to the trace and to the models page, and the largest message, bytes."""
    to_trace, to_models = [], []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        sizes = payload_sizes(page)
        largest = 0
        for number in range(rounds + 1):
            patient = patients[number % len(patients)]
            page.goto(f"{url}/patient?patient={patient}")
            settle(page)
            sizes.clear()
            to_trace.append(timed(page, "ecg", "a.ed-open:has-text('Open this ECG')"))
            settle(page)
            largest = max(largest, *sizes)
            to_models.append(timed(page, "Models", ".st-key-ed-menu-off-models a"))
        browser.close()
    # The first round warms the server up.
    return to_trace[1:], to_models[1:], largest


def main() -> None:
    """Measure and print."""
    n_patients = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    with tempfile.TemporaryDirectory() as folder:
        given = os.environ.get("ECGDASH_DATABASE_URL")
        database_url = given or f"sqlite:///{Path(folder) / 'store.db'}"
        if not given:
            call = [sys.executable, "-m", "ecgdash", "demo"]
            env = {**os.environ, "ECGDASH_DATABASE_URL": database_url}
            subprocess.run(call, cwd=ROOT, env=env, check=True, capture_output=True)
        store = open_store(database_url)
        rows = [row for row in worklist(store, WorklistQuery()).rows if row.n_ecgs > 1]
        store.close()
        with running_app(database_url) as url:
            found = measure(url, [row.key for row in rows[:n_patients]], rounds)
    to_trace, to_models, largest = found
    reach = f"from {min(to_trace):.0f} to {max(to_trace):.0f} ms"
    print(f"click to trace: median {median(to_trace):.0f} ms of {len(to_trace)}, {reach}")
    print(f"click to the models page: median {median(to_models):.0f} ms")
    print(f"ratio: {median(to_trace) / median(to_models):.2f}")
    print(f"largest message to the browser: {largest:,} bytes (limit {LARGEST_PAYLOAD_BYTES:,})")


if __name__ == "__main__":
    main()
